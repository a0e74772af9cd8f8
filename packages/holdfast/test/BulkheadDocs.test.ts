/** Holds docs/policies/bulkhead.md against the code. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, TestClock } from "effect"
import * as Bulkhead from "holdfast/Bulkhead"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as Telemetry from "holdfast/Telemetry"
import { readFileSync } from "node:fs"
import * as Docs from "../../../examples/docs/bulkhead.js"
import { table } from "../../../test/support/markdown.js"

const file = "policies/bulkhead.md"
const page = readFileSync(new URL(`../../../docs/${file}`, import.meta.url), "utf8")

describe("docs/policies/bulkhead.md", () => {
  it.effect("states the defaults", () =>
    Effect.gen(function*() {
      const stated = table(file, "option", "default", "unit and range").map((row) => [row["option"], row["default"]])
      const { aimd, ...plain } = Bulkhead.defaults
      const expected = [
        ...Object.entries(plain),
        ...Object.entries(aimd).map(([name, value]) => [`aimd.${name}`, value] as const)
      ]
      expect(stated.slice(0, expected.length)).toEqual(expected.map(([name, value]) => [name, String(value)]))
      expect(stated.slice(expected.length)).toEqual([
        ["aimd", "none"],
        ["maxWait", "none"],
        ["key", "the endpoint of the current call"],
        ["isNoCapacity", "Bulkhead.isNoCapacity"]
      ])
      // What is stated is what holds.
      const { limit, order, queue, reserve } = plain
      expect((yield* Bulkhead.make()).describe.options).toMatchObject({ limit, order, queue, reserve })
      expect((yield* Bulkhead.make({ aimd: {} })).describe.options).toMatchObject(
        Object.fromEntries(Object.entries(aimd).map(([name, value]) => [`aimd.${name}`, value]))
      )
    }))

  it("shows only code of the example that is compiled and run", () => {
    const example = readFileSync(new URL("../../../examples/docs/bulkhead.ts", import.meta.url), "utf8")
    const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!)
    expect(blocks.length).toBeGreaterThan(3)
    for (const block of blocks) expect(example).toContain(block.trim())
  })

  it("lists each order", () => {
    const row = table(file, "option", "default", "unit and range").find(({ option }) => option === "order")
    expect(row?.["unit and range"]).toBe("fifo, lifo, deadline")
  })

  it.effect("its policy is one for generations", () =>
    Effect.gen(function*() {
      const services = Layer.mergeAll(
        GenerationClient.layerTest([{}]),
        GenerationCache.layerNoop,
        Telemetry.layerNoop
      )
      const fiber = yield* Effect.fork(
        Generation.generate({ prompt: "a boat" }).pipe(Effect.provide(Layer.provide(Docs.layer, services)))
      )
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(fiber)).finishReason).toBe("STOP")
    }))

  it.effect("its other code does what it says", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Docs.adaptive
      const seen = yield* bulkhead.apply(Docs.preview("ann", CurrentCall.current))
      expect(seen).toMatchObject({ tenant: "ann", priority: 1 })
      yield* Docs.atNight(bulkhead)
      expect(yield* bulkhead.apply(Docs.report(bulkhead))).toEqual(["default: 1 of 16, 0 waiting"])
    }))
})

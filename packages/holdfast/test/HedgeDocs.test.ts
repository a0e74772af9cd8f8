/** Holds docs/policies/hedge.md against the code. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as Hedge from "holdfast/Hedge"
import * as Policy from "holdfast/Policy"
import * as Telemetry from "holdfast/Telemetry"
import { readFileSync } from "node:fs"
import * as Docs from "../../../examples/docs/hedge.js"
import { copies, inTime } from "../../../test/support/copies.js"
import { table } from "../../../test/support/markdown.js"

const file = "policies/hedge.md"
const page = readFileSync(new URL(`../../../docs/${file}`, import.meta.url), "utf8")

describe("docs/policies/hedge.md", () => {
  it.effect("states the defaults", () =>
    Effect.gen(function*() {
      const { delay, name, ...plain } = Hedge.defaults
      const stated = table(file, "option", "default", "unit and range").map((row) => [row["option"], row["default"]])
      const expected = [
        ["name", name],
        ...Object.entries(delay).map(([field, value]) => [`delay.${field}`, String(value)]),
        ...Object.entries(plain).map(([field, value]) => [field, String(value)])
      ]
      expect(stated.slice(0, expected.length)).toEqual(expected)
      expect(stated.slice(expected.length)).toEqual([
        ["attemptTime", "the delay"],
        ["budget", "none"],
        ["costOf", "what a retry costs after a timeout"],
        ["shouldHedge", "all calls"],
        ["key", "the endpoint of the current call"]
      ])
      // What is stated is what holds.
      expect((yield* Hedge.make()).describe).toMatchObject({
        name,
        options: { ...delay, min: 5000, max: 600_000, maxCopies: plain.maxCopies, unknownOutcome: plain.unknownOutcome }
      })
    }))

  it("shows only code of the example that is compiled and run", () => {
    const example = readFileSync(new URL("../../../examples/docs/hedge.ts", import.meta.url), "utf8")
    const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!)
    expect(blocks.length).toBeGreaterThan(3)
    for (const block of blocks) expect(example).toContain(block.trim())
  })

  it.effect("no preset has one", () =>
    Effect.gen(function*() {
      const presets: ReadonlyArray<Policy.Policy<unknown>> = [
        yield* Policy.interactive(),
        yield* Policy.persistent(),
        yield* Policy.batch()
      ]
      for (const { describe } of presets) {
        expect([describe, ...(describe.policies ?? [])].map(({ kind }) => kind)).not.toContain("Hedge")
      }
    }))

  it.effect("its policy is one for generations", () =>
    Effect.gen(function*() {
      expect((yield* Docs.policy).describe).toMatchObject({ name: "Retry > Hedge > Timeout", amplification: 12 })
      const services = Layer.mergeAll(GenerationClient.layerTest([{}]), GenerationCache.layerNoop, Telemetry.layerNoop)
      const call = Effect.provide(Generation.generate({ prompt: "a boat" }), Layer.provide(Docs.layer, services))
      expect((yield* call).finishReason).toBe("STOP")
    }))

  it.effect("its other code does what it says", () =>
    Effect.gen(function*() {
      const hedge = yield* Docs.interactive
      const starts = (call: Partial<CurrentCall.Call>) =>
        Effect.gen(function*() {
          const { log, work } = copies([{ takes: 200 }])
          yield* inTime(CurrentCall.update(hedge.apply(work), call))
          return log.filter((line) => line.includes("starts")).length
        })
      expect(yield* starts({})).toBe(2)
      expect(yield* starts({ workClass: "batch" })).toBe(1)
      const seen: Array<string | undefined> = []
      const asks = Effect.flatMap(CurrentCall.current, ({ endpoint }) => {
        seen.push(endpoint)
        return Effect.sleep("120 seconds")
      })
      const routed = Policy.compose(hedge, Docs.elsewhere("relay", "direct"))
      yield* inTime(routed.apply(asks))
      yield* inTime(Stream.runDrain(routed.applyStream(Stream.fromEffect(asks))))
      expect(seen).toEqual(["relay", "direct", "relay", "direct"])
      const learns = yield* Hedge.make({ delay: { warmUp: 1 } })
      expect(yield* Docs.report(learns)).toBe("0 answers: too few to know what is long")
      yield* inTime(learns.apply(copies([{ takes: 40 }]).work))
      expect(yield* Docs.report(learns)).toBe("longer than 40s is long")
    }))
})

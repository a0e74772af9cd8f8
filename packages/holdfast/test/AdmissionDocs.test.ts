import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, TestClock } from "effect"
import * as Admission from "holdfast/Admission"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"
import * as Telemetry from "holdfast/Telemetry"
import { readFileSync } from "node:fs"
import * as Docs from "../../../examples/docs/admission.js"
import { table } from "../../../test/support/markdown.js"

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")
const page = "policies/admission.md"

describe("docs/policies/admission.md", () => {
  it("shows only code of the example that is compiled and run", () => {
    const example = read("examples/docs/admission.ts")
    const blocks = [...read(`docs/${page}`).matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!)
    expect(blocks.length).toBeGreaterThan(5)
    for (const block of blocks) {
      for (const part of block.trim().split("\n\n")) expect(example).toContain(part)
    }
  })

  it("states the defaults", () => {
    const rows = table(page, "option", "default", "unit and range")
    const { persistent, ...stated } = Object.fromEntries(rows.map((row) => [row["option"] ?? "", row["default"] ?? ""]))
    const { floor, ...plain } = Admission.defaults
    expect(stated).toEqual({
      ...Object.fromEntries(Object.entries(plain).map(([name, value]) => [name, String(value)])),
      floor: `1/${Math.round(1 / floor)}`
    })
    expect(persistent).toBe("off")
    const row = rows.find(({ option }) => option === "persistent")?.["unit and range"]
    expect(row).toContain(`${Admission.persistent.pers}, above 0`)
    expect(row).toContain(`${Admission.persistent.fair}, above 0`)
  })

  it.effect("its dry run reports, and its line shows a state", () =>
    Effect.gen(function*() {
      const { policy, report } = yield* Docs.watched
      const busy = Effect.fail(new GenerationError.Overloaded({ message: "busy" }))
      const fiber = yield* Effect.fork(Effect.exit(policy.apply(busy)))
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(fiber)
      expect(yield* report).toEqual(["default: of 6 calls 5 would have waited and 0 would have been refused"])
      const admission = yield* Docs.quick
      const line = Effect.map(admission.state, (endpoints) => [...endpoints.values()].map(Docs.line))
      yield* admission.apply(Effect.void)
      expect(yield* line).toEqual(["open, 0 in flight"])
      yield* Effect.exit(admission.apply(busy))
      expect(yield* line).toEqual(["paced, 4.2 a minute, 0 wait, 0 in flight, 0 lost"])
    }))

  it.effect("its calls pass by class and priority, and the persistent one comes back sooner", () =>
    Effect.gen(function*() {
      const seen: Array<Pick<CurrentCall.Call, "priority" | "workClass">> = []
      const services = Layer.mergeAll(GenerationCache.layerNoop, Telemetry.layerNoop).pipe(
        Layer.provideMerge(Layer.effect(
          GenerationClient.GenerationClient,
          Effect.map(GenerationClient.GenerationClient, ({ generate, stream }) => ({
            generate: (request: GenerationRequest) =>
              Effect.flatMap(CurrentCall.current, ({ priority, workClass }) => {
                seen.push({ priority, workClass })
                return generate(request)
              }),
            stream
          }))
        )),
        Layer.provide(GenerationClient.layerTest())
      )
      const calls = Effect.zip(Docs.thumbnail("a boat"), Docs.urgent("a boat"))
      yield* Effect.provide(calls, Layer.provide(Docs.layer, services))
      expect(seen).toEqual([{ priority: 0, workClass: "batch" }, { priority: 1, workClass: "interactive" }])

      const attempts = (admission: Admission.Admission) =>
        Effect.gen(function*() {
          let made = 0
          const busy = Effect.zipRight(
            Effect.sync(() => made++),
            Effect.fail(new GenerationError.Overloaded({ message: "busy" }))
          )
          const policy = Policy.compose(
            Deadline.make({ duration: "150 seconds" }),
            Retry.make({ schedule: admission.schedule }),
            admission
          )
          const fiber = yield* Effect.fork(Effect.exit(policy.apply(busy)))
          yield* TestClock.adjust("150 seconds")
          yield* Fiber.join(fiber)
          return made
        })
      expect(yield* attempts(yield* Docs.persistent)).toBeGreaterThan(yield* attempts(yield* Admission.make()))
    }))

  it.effect("says when a call that is always rejected makes its attempts", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      const policy = Policy.compose(
        Deadline.make({ duration: "150 seconds" }),
        Retry.make({ schedule: admission.schedule }),
        admission
      )
      const starts: Array<string> = []
      let endedAt = 0
      const now = Effect.clockWith((clock) => clock.currentTimeMillis)
      const busy = Effect.flatMap(now, (at) => {
        starts.push((Math.round(at / 100) / 10).toString())
        return Effect.fail(new GenerationError.Overloaded({ message: "busy" }))
      })
      const fiber = yield* Effect.fork(Effect.tap(Effect.exit(policy.apply(busy)), () =>
        Effect.map(now, (at) => void (endedAt = at))).pipe(CurrentCall.update({ log: CurrentCall.makeLog() })))
      yield* TestClock.adjust("150 seconds")
      expect(Exit.isFailure(yield* Fiber.join(fiber))).toBe(true)
      expect(starts).toEqual(table(page, "attempt", "starts after (s)").map((row) => row["starts after (s)"]))
      expect(endedAt / 1000).toBeCloseTo(112.5, 1)
    }))
})

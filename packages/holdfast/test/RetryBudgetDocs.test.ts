/** Runs the code of docs/policies/retry-budget.md. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, TestClock } from "effect"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as RetryBudget from "holdfast/RetryBudget"
import * as Telemetry from "holdfast/Telemetry"
import * as Docs from "../../../examples/docs/retry-budget.js"

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const transient = new GenerationError.Transient({ message: "reset" })

const inTime = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(self)
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

const failing = Layer.mergeAll(
  GenerationClient.layerTest([overloaded]),
  GenerationCache.layerNoop,
  Telemetry.layerNoop
)

/** Why each of some generations, one after the other, made no further attempt. */
const stops = (count: number, layer: Layer.Layer<Generation.Generation, never, Layer.Layer.Success<typeof failing>>) => {
  const one = Effect.flip(Generation.generate({ prompt: "a boat" }))
  return Effect.provide(Effect.all(Array.from({ length: count }, () => one)), Layer.provide(layer, failing)).pipe(
    inTime,
    Effect.map((errors) => errors.map((error) => GenerationError.isGenerationError(error) && error.stoppedBy))
  )
}

describe("examples/docs/retry-budget.ts", () => {
  it.effect("two generations use up what there is, and the third has no retry", () =>
    Effect.gen(function*() {
      expect(yield* stops(3, Docs.layer)).toEqual(["schedule", "schedule", "budget"])
      expect(yield* stops(3, Docs.withStore)).toEqual(["schedule", "schedule", "budget"])
    }))

  it.effect("the strict one pays for a retry in ten requests", () =>
    Effect.gen(function*() {
      const budget = yield* Docs.strict
      for (let i = 0; i < 9; i++) yield* budget.requested
      expect(yield* budget.tryWithdraw(overloaded)).toBe(false)
      yield* budget.requested
      expect(yield* budget.tryWithdraw(overloaded)).toBe(true)
    }))

  it.effect("a second copy starts after 90 s, if the budget pays for it", () =>
    Effect.gen(function*() {
      const rich = yield* RetryBudget.make()
      const race = Effect.timed(Docs.secondCopy(rich, Effect.never, Effect.succeed("the other")))
      const [taken, winner] = yield* inTime(race)
      expect([String(taken), winner]).toEqual(["Duration(1m 30s)", "the other"])
      const poor = yield* RetryBudget.make({ floor: 0 })
      const late = Effect.delay(Effect.succeed("the first"), "2 minutes")
      expect(yield* inTime(Docs.secondCopy(poor, late, Effect.succeed("the other")))).toBe("the first")
    }))

  it.effect("budgets of one name are one under a store, and two without", () =>
    Effect.gen(function*() {
      const left = Effect.gen(function*() {
        const [first, second] = yield* Docs.sharedByName
        yield* first.tryWithdraw(overloaded)
        return (yield* second.state).floorLeft
      })
      expect(yield* left).toBe(10)
      expect(yield* Effect.provide(left, RetryBudget.layerStoreMemory)).toBe(9)
    }))

  it.effect("the thrifty one makes no fourth attempt after three that may have been billed", () =>
    Effect.gen(function*() {
      const billed = yield* inTime(Effect.flip(Docs.thrifty.apply(Effect.fail(transient))))
      expect([billed.attempts?.length, billed.stoppedBy]).toEqual([3, "spend"])
      const free = yield* inTime(Effect.flip(Docs.thrifty.apply(Effect.fail(overloaded))))
      expect([free.attempts?.length, free.stoppedBy]).toEqual([6, "schedule"])
    }))
})

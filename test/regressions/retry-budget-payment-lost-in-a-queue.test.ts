/** What a retry had paid was lost when its caller left, or was turned away, in a queue between the retry and the model. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream, TestClock } from "effect"
import * as Admission from "holdfast/Admission"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"
import * as RetryBudget from "holdfast/RetryBudget"
import * as Telemetry from "holdfast/Telemetry"

const busy = new GenerationError.Overloaded({ message: "busy" })

/** A first attempt that is refused, after which admission lets its second one wait. */
const setUp = Effect.gen(function*() {
  const budget = yield* RetryBudget.make({ perRequest: 1, perSuccess: 0, floor: 0 })
  const admission = yield* Admission.make()
  const policy = Policy.compose(Retry.make({ budget, schedule: admission.schedule }), admission)
  let attempts = 0
  const attempt = Effect.suspend(() => {
    attempts++
    return Effect.fail(busy)
  })
  return { admission, attempt, attempts: () => attempts, budget, policy }
})

describe("what a retry has paid comes back", () => {
  it.effect("when its caller leaves the queue, for effects and for streams", () =>
    Effect.gen(function*() {
      for (const how of ["effect", "stream"] as const) {
        const { attempt, attempts, budget, policy } = yield* setUp
        const call = how === "effect"
          ? policy.apply(attempt)
          : Stream.runDrain(policy.applyStream(Stream.fromEffect(attempt)))
        const fiber = yield* Effect.fork(call)
        yield* TestClock.adjust("1 second")
        expect(attempts(), how).toBe(1)
        expect(yield* budget.state, how).toMatchObject({ paid: 1, earned: 1, balance: 0 })
        yield* Fiber.interrupt(fiber)
        expect(yield* budget.state, how).toMatchObject({ paid: 1, earned: 2, balance: 1 })
      }
    }))

  it.effect("when the queue turns the call away", () =>
    Effect.gen(function*() {
      const { attempt, attempts, budget, policy } = yield* setUp
      const call = CurrentCall.update(policy.apply(attempt), { deadline: 45_000 })
      const fiber = yield* Effect.fork(Effect.flip(call))
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(fiber))._tag).toBe("Shed")
      expect(attempts()).toBe(1)
      expect(yield* budget.state).toMatchObject({ paid: 1, earned: 2 })
    }))

  it.effect("within a generation too, and not when the second attempt was sent", () =>
    Effect.gen(function*() {
      for (const sent of [false, true]) {
        const { admission, budget, policy } = yield* setUp
        const services = Layer.mergeAll(
          GenerationClient.layerTest([busy, { _tag: "Hang" }]),
          GenerationCache.layerNoop,
          Telemetry.layerNoop
        )
        const layer = Layer.provide(Generation.layer({ policy }), services)
        const fiber = yield* Effect.fork(Effect.provide(Generation.generate({ prompt: "a fox" }), layer))
        yield* TestClock.adjust(sent ? "10 minutes" : "1 second")
        const [state] = (yield* admission.state).values()
        expect(state).toMatchObject(sent ? { inFlight: 1, waiting: 0 } : { inFlight: 0, waiting: 1 })
        yield* Fiber.interrupt(fiber)
        expect(yield* budget.state).toMatchObject({ paid: 1, earned: sent ? 1 : 2 })
      }
    }))
})

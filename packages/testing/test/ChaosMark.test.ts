/** What is injected on purpose is retried like the real thing, and teaches nobody anything; unmarked, it does. */
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Layer, Metric, Stream, TestClock } from "effect"
import * as Admission from "holdfast/Admission"
import * as Bulkhead from "holdfast/Bulkhead"
import * as CircuitBreaker from "holdfast/CircuitBreaker"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as LoadProfile from "holdfast/LoadProfile"
import * as Policy from "holdfast/Policy"
import * as RateLimit from "holdfast/RateLimit"
import * as Retry from "holdfast/Retry"
import * as RetryBudget from "holdfast/RetryBudget"
import * as Telemetry from "holdfast/Telemetry"
import * as Chaos from "../src/Chaos.js"

const overloaded = new GenerationError.Overloaded({ message: "no room" })
const limited = new GenerationError.RateLimited({ message: "too many" })
const quota = new GenerationError.QuotaExhausted({ message: "tomorrow" })
const timeout = new GenerationError.Timeout({ message: "no answer", phase: "server" })

const striking = (fault: Chaos.Faults, options: { readonly mark: boolean; readonly after?: number }) =>
  Chaos.fault({ enabled: true, rate: 1, fault, ...options })

/** As many calls, one after another, and as many streams, under a policy. */
const calls = (policy: Policy.Policy<unknown>, count = 20) =>
  Effect.gen(function*() {
    for (let n = 0; n < count; n++) {
      yield* Effect.exit(policy.apply(Effect.succeed("answer")))
      yield* Effect.exit(Stream.runDrain(policy.applyStream(Stream.make("a", "b"))))
    }
  })

const inTime = <A, E, R>(self: Effect.Effect<A, E, R>, time: Duration.DurationInput = "1 hour") =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(self)
    yield* TestClock.adjust(time)
    return yield* Fiber.join(fiber)
  })

for (const mark of [true, false]) {
  describe(`Chaos.fault with mark: ${mark}`, () => {
    for (const after of [0, 1]) {
      it.effect(`after ${after} elements ${mark ? "does not trip" : "trips"} a breaker`, () =>
        Effect.gen(function*() {
          const breaker = yield* CircuitBreaker.make({ consecutiveFailures: 3 })
          yield* calls(Policy.compose(breaker, striking(overloaded, { mark, after })))
          const state = yield* breaker.state
          if (mark) expect(state).toMatchObject({ _tag: "Closed", calls: 0, failures: 0, consecutiveFailures: 0 })
          else expect(state._tag).toBe("Open")
        }))

      for (const [name, fault] of Object.entries({ overloaded, timeout })) {
        it.effect(`${name} after ${after} elements ${mark ? "leaves" : "cuts"} an adaptive bulkhead`, () =>
          Effect.gen(function*() {
            const bulkhead = yield* Bulkhead.make({ limit: 8, aimd: {} })
            yield* calls(Policy.compose(bulkhead, striking(fault, { mark, after })))
            const { inFlight, limit } = yield* bulkhead.state
            expect(inFlight).toBe(0)
            if (mark) expect(limit).toBe(8)
            else expect(limit).toBeLessThan(8)
          }))
      }

      it.effect(`after ${after} elements ${mark ? "leaves" : "changes"} the pace of admission`, () =>
        Effect.gen(function*() {
          const admission = yield* Admission.make()
          yield* inTime(calls(Policy.compose(admission, striking(overloaded, { mark, after }))))
          const state = (yield* admission.state).get("default")
          if (mark) expect(state).toMatchObject({ mode: "off", inFlight: 0, rejected: 0, success: 1 })
          else expect(state?.mode).toBe("paced")
        }))

      for (const [name, fault] of Object.entries({ limited, quota })) {
        it.effect(`${name} after ${after} elements ${mark ? "does not drain" : "drains"} a rate limit`, () =>
          Effect.gen(function*() {
            const limit = yield* RateLimit.make({ requestsPerMinute: 1000, requestsPerDay: 100_000 })
            yield* Effect.exit(Policy.compose(limit, striking(fault, { mark, after })).apply(Effect.void))
            const drainedBy = (yield* limit.state).map((state) => state.drainedBy)
            expect(drainedBy).toEqual([mark ? undefined : fault._tag])
          }))
      }
    }

    it.effect(`${mark ? "teaches" : "does teach"} a load profile ${mark ? "nothing" : "that capacity is short"}`, () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(striking(overloaded, { mark }).apply(Effect.void))
        expect(LoadProfile.outcomeOf(exit)).toBe(mark ? undefined : "capacity")
      }))

    it.effect("is retried by its class", () =>
      Effect.gen(function*() {
        const attempts = (fault: GenerationError.GenerationError) =>
          Effect.map(
            Effect.flip(inTime(Retry.make({ maxAttempts: 4 }).apply(striking(fault, { mark }).apply(Effect.void)))),
            (error) => [error.attempts?.length, error.stoppedBy]
          )
        expect(yield* attempts(overloaded)).toEqual([4, "schedule"])
        expect(yield* attempts(timeout)).toEqual([2, "unknown-outcome"])
        expect(yield* attempts(quota)).toEqual([1, "fatal"])
      }))

    it.effect(`${mark ? "is retried at once" : "is waited for"} under a preset, whose back-off is what admission learns`, () =>
      Effect.gen(function*() {
        const preset = yield* Policy.interactive({ maxAttempts: 5 })
        const call = Policy.compose(preset, striking(overloaded, { mark })).apply(Effect.void)
        const [taken, error] = yield* inTime(Effect.timed(Effect.flip(call)))
        expect(error).toMatchObject({ _tag: "Overloaded", attempts: { length: 5 } })
        if (mark) expect(Duration.toMillis(taken)).toBe(0)
        else expect(Duration.toMillis(taken)).toBeGreaterThan(0)
      }))

    it.effect("is paid for by a retry budget like any other, and what was paid comes back with success", () =>
      Effect.gen(function*() {
        const budget = yield* RetryBudget.make({ perRequest: 1, perSuccess: 0, floor: 0 })
        let share = 1
        const chaos = Chaos.fault({
          enabled: true,
          rate: Effect.sync(() => share),
          fault: Effect.suspend(() => {
            share = 0
            return overloaded
          }),
          mark
        })
        yield* inTime(Policy.compose(Retry.make({ budget }), chaos).apply(Effect.void), "1 minute")
        expect(yield* budget.state).toMatchObject({ retries: 1, balance: 1 })
      }))

    it.effect(`${mark ? "is in no metric" : "is counted in the metrics"}, and told to observers`, () =>
      Effect.gen(function*() {
        const model = `chaos-${mark}`
        const events: Array<Telemetry.TelemetryEvent> = []
        const telemetry = Telemetry.layer({ observers: [(event) => Effect.sync(() => void events.push(event))] })
        const chaos = striking(overloaded, { mark })
        const policy = Retry.make({ maxAttempts: 3 })
        const run = (client: Layer.Layer<GenerationClient.GenerationClient>, around: Generation.GenerationPolicy) => {
          const services = [client, GenerationCache.layerNoop, telemetry] as const
          const layer = Layer.provide(Generation.layer({ policy: around }), services)
          return inTime(Effect.exit(Effect.provide(Generation.generate({ prompt: "a boat", model }), layer)))
        }
        const struck = Layer.succeed(GenerationClient.GenerationClient, {
          generate: () => chaos.apply(Effect.never),
          stream: () => chaos.applyStream(Stream.never)
        })
        yield* run(GenerationClient.layerTest(), Policy.compose(policy, chaos))
        yield* run(struck, policy)
        const count = (metric: Metric.Metric.Counter<number>, tags: Readonly<Record<string, string>>) =>
          Effect.map(
            Metric.value(Object.entries(tags).reduce((self, [key, value]) => Metric.tagged(self, key, value), metric)),
            (value) => value.count
          )
        const { attempts, attemptsInFlight, generations } = Telemetry.metrics
        const counted = mark ? 0 : 1
        expect(yield* count(generations, { model, result: "Overloaded" })).toBe(2 * counted)
        // Around the policy no attempt begins; around the client it does, and is told apart.
        expect(yield* count(attempts, { endpoint: "default", model, result: "Overloaded" })).toBe(3 * counted)
        const flying = attemptsInFlight.pipe(Metric.tagged("endpoint", "default"), Metric.tagged("model", model))
        expect((yield* Metric.value(flying)).value).toBe(0)
        const ended = events.filter((event) => event._tag === "AttemptEnded" || event._tag === "GenerationEnded")
        expect(ended.map(({ _tag }) => _tag)).toEqual([
          "GenerationEnded",
          ...["AttemptEnded", "AttemptEnded", "AttemptEnded", "GenerationEnded"]
        ])
        for (const { ending } of ended) expect("injected" in ending).toBe(mark)
        const retries = events.filter((event) => event._tag === "RetryScheduled")
        expect(retries.map((event) => event.injected)).toEqual(Array.from({ length: 4 }, () => (mark ? true : undefined)))
      }))
  })
}

describe("Chaos.fault, marked", () => {
  it.effect("leaves retries out of the metrics", () =>
    Effect.gen(function*() {
      const endpoint = "chaos-retries"
      const named = (mark: boolean) => striking(GenerationError.update(overloaded, { endpoint }), { mark })
      const retries = Metric.value(
        Telemetry.metrics.retries.pipe(Metric.tagged("endpoint", endpoint), Metric.tagged("error", "Overloaded"))
      )
      const run = (mark: boolean) => {
        const layer = Layer.provide(Generation.layer({ policy: Policy.compose(Retry.make({ maxAttempts: 3 }), named(mark)) }), [
          GenerationClient.layerTest(),
          GenerationCache.layerNoop,
          Telemetry.layer()
        ])
        return inTime(Effect.exit(Effect.provide(Generation.generate({ prompt: "a boat" }), layer)))
      }
      yield* run(true)
      expect((yield* retries).count).toBe(0)
      yield* run(false)
      expect((yield* retries).count).toBe(2)
    }))

  it.effect("as a probe decides nothing, and gives its place back", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ consecutiveFailures: 1, jitter: 0, probes: 1, successesToClose: 1 })
      yield* Effect.exit(breaker.apply(Effect.fail(overloaded)))
      yield* TestClock.adjust("15 seconds")
      yield* calls(Policy.compose(breaker, striking(overloaded, { mark: true })))
      expect(yield* breaker.state).toMatchObject({ _tag: "HalfOpen", probes: 0 })
      yield* breaker.apply(Effect.void)
      expect((yield* breaker.state)._tag).toBe("Closed")
    }))

  it.effect("counts against a rate limit only where an attempt began", () =>
    Effect.gen(function*() {
      for (const [after, used] of [[0, 0], [1, 1]] as const) {
        const limit = yield* RateLimit.make({ requestsPerMinute: 10 })
        const layer = Layer.provide(
          Generation.layer({ policy: Policy.compose(limit, striking(overloaded, { mark: true, after })) }),
          [GenerationClient.layerTest(), GenerationCache.layerNoop, Telemetry.layerNoop]
        )
        const exit = yield* Effect.exit(Effect.provide(Generation.generate({ prompt: "a boat" }), layer))
        expect(Exit.isFailure(exit)).toBe(true)
        const [state] = yield* limit.state
        expect(state?.limits[0]?.used ?? 0).toBe(used)
      }
    }))
})

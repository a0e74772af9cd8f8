/** Interrupts calls at every point where a fiber can yield, and then asks whether a place for a probe was lost. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream, TestClock } from "effect"
import * as CircuitBreaker from "holdfast/CircuitBreaker"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"

const overloaded = new GenerationError.Overloaded({ message: "busy" })

const options = {
  consecutiveFailures: 1,
  openFor: "1 second",
  openFactor: 1,
  jitter: 0,
  probes: 2,
  successesToClose: 100,
  acceptedAfter: Infinity,
  slowRatio: Infinity,
  maxKeys: 1,
  initialState: {
    version: 1,
    at: 0,
    breakers: [{
      key: "default",
      state: "half-open",
      cause: "probe-failed",
      openings: 1,
      longestFailure: 0,
      remaining: 0,
      successes: 0
    }]
  }
} as const satisfies CircuitBreaker.MakeOptions

const sweep = (name: string, use: (breaker: CircuitBreaker.CircuitBreaker) => Effect.Effect<unknown, unknown>) =>
  it.effect(`loses no place of a probe: ${name}`, () =>
    Effect.gen(function*() {
      let interrupted = 0
      for (let ops = 10; ops <= 34; ops += 8) {
        for (let point = 0; point < 24; point++) {
          const where = `ops ${ops}, point ${point}`
          const breaker = yield* CircuitBreaker.make(options)
          const fibers = []
          for (let i = 0; i < 3; i++) {
            fibers.push(yield* Effect.fork(Effect.withMaxOpsBeforeYield(Effect.exit(use(breaker)), ops)))
          }
          for (let i = 0; i < point; i++) yield* Effect.yieldNow()
          if (point % 5 === 4) yield* TestClock.adjust(1)
          for (const fiber of fibers) if (Exit.isInterrupted(yield* Fiber.interrupt(fiber))) interrupted++
          const state = yield* breaker.state
          if (state._tag === "Open") yield* TestClock.adjust("1 second")
          else expect(state, where).toMatchObject({ _tag: "HalfOpen", probes: 0 })
          // Both places can be had, and not a third one.
          const hang = Effect.fork(breaker.apply(Effect.never))
          const probes = [yield* hang, yield* hang]
          yield* Effect.yieldNow()
          expect(yield* breaker.state, where).toMatchObject({ _tag: "HalfOpen", probes: 2 })
          expect((yield* Effect.flip(breaker.apply(Effect.void)))._tag, where).toBe("CircuitOpen")
          for (const probe of probes) yield* Fiber.interrupt(probe)
          // Nothing is in flight: another key gets the only place that there is.
          yield* breaker.reset
          yield* CurrentCall.update(breaker.apply(Effect.void), { endpoint: "other" })
          expect([...(yield* breaker.states).keys()], where).toEqual(["other"])
        }
      }
      expect(interrupted).toBeGreaterThan(50)
    }), 60_000)

describe("interruption at every yield", () => {
  const work = Effect.zipRight(Effect.yieldNow(), Effect.sleep(1))
  sweep("of an effect that succeeds", (breaker) => breaker.apply(work))
  sweep("of one that fails", (breaker) => breaker.apply(Effect.zipRight(work, Effect.fail(overloaded))))
  sweep("of one that dies", (breaker) => breaker.apply(Effect.zipRight(work, Effect.die("bug"))))
  sweep("of a stream that succeeds", (breaker) =>
    Stream.runDrain(breaker.applyStream(Stream.concat(Stream.make(1, 2), Stream.drain(Stream.fromEffect(work))))))
  sweep("of a stream that fails", (breaker) =>
    Stream.runDrain(breaker.applyStream(Stream.concat(Stream.fromEffect(work), Stream.fail(overloaded)))))
})

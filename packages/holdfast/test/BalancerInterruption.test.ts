/** Interrupts calls at every point where a fiber can yield, and then asks whether an endpoint still counts one. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream, TestClock } from "effect"
import * as Balancer from "holdfast/Balancer"
import * as Bulkhead from "holdfast/Bulkhead"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import type * as Policy from "holdfast/Policy"
import type * as Rejected from "holdfast/Rejected"

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const asked = new GenerationError.Overloaded({ message: "busy", retryAfter: 3 })

type Use = (policy: Policy.Policy<Rejected.Rejected>) => Effect.Effect<unknown, unknown>

/** `cooling`: both endpoints have asked to be left alone for 3 ms, so that calls wait. */
const sweep = (name: string, cooling: boolean, use: Use) =>
  it.effect(`leaves no call behind: ${name}`, () =>
    Effect.gen(function*() {
      let interrupted = 0
      for (let ops = 10; ops <= 34; ops += 12) {
        for (let point = 0; point < 16; point++) {
          const where = `ops ${ops}, point ${point}`
          // One call at a time, and none in a queue: the others go to the other endpoint.
          const bulkhead = yield* Bulkhead.make({ limit: 1, queue: 0 })
          const balancer = yield* Balancer.make({
            endpoints: [{ name: "a", policy: bulkhead }, { name: "b" }],
            consecutiveFailures: Infinity,
            outlierRatio: 0,
            easeIn: 1
          })
          const at = (endpoint: string, self: Effect.Effect<unknown, unknown>) =>
            Effect.exit(CurrentCall.update(balancer.apply(self), { endpoint }))
          if (cooling) for (const endpoint of ["a", "b"]) yield* at(endpoint, Effect.fail(asked))
          const fibers = []
          for (let i = 0; i < 4; i++) {
            fibers.push(yield* Effect.fork(Effect.withMaxOpsBeforeYield(Effect.exit(use(balancer)), ops)))
          }
          for (let i = 0; i < point; i++) yield* Effect.yieldNow()
          if (point % 3 === 2) yield* TestClock.adjust(point % 2 === 0 ? 1 : 3)
          for (const fiber of fibers) if (Exit.isInterrupted(yield* Fiber.interrupt(fiber))) interrupted++
          yield* TestClock.adjust(5)
          const states = [...(yield* balancer.state).values()]
          expect(states.map(({ inFlight }) => inFlight), where).toEqual([0, 0])
          expect(yield* balancer.waiting, where).toBe(0)
          for (const { inFlight } of (yield* bulkhead.states).values()) expect(inFlight, where).toBe(0)
          // Both can be had again, by four at once.
          const fresh = yield* Effect.forEach([1, 2, 3, 4], () => Effect.fork(balancer.apply(Effect.sleep(1))))
          yield* TestClock.adjust("1 second")
          for (const fiber of fresh) yield* Fiber.join(fiber)
        }
      }
      expect(interrupted).toBeGreaterThan(50)
    }), 60_000)

describe("interruption at every yield", () => {
  const work = Effect.zipRight(Effect.yieldNow(), Effect.sleep(1))
  sweep("of an effect that succeeds", false, (policy) => policy.apply(work))
  sweep("of one that fails", false, (policy) => policy.apply(Effect.zipRight(work, Effect.fail(overloaded))))
  sweep("of one that dies", false, (policy) => policy.apply(Effect.zipRight(work, Effect.die("bug"))))
  sweep("of a stream", false, (policy) =>
    Stream.runDrain(policy.applyStream(Stream.concat(Stream.make(1, 2), Stream.drain(Stream.fromEffect(work))))))
  sweep("of a stream that fails", false, (policy) =>
    Stream.runDrain(policy.applyStream(Stream.concat(Stream.fromEffect(work), Stream.fail(overloaded)))))
  sweep("of an effect that waits first", true, (policy) => policy.apply(work))
  sweep("of a stream that waits first", true, (policy) => Stream.runDrain(policy.applyStream(Stream.fromEffect(work))))
})

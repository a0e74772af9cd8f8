/** 100,000 virtual calls through admission at a hundred endpoints, in every way that a call can end, on flat memory. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Fiber, Stream } from "effect"
import * as Admission from "holdfast/Admission"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const asked = new GenerationError.RateLimited({ message: "slow down", retryAfter: "20 seconds" })

/** Bytes in use after a collection; `undefined` when the collector is not at hand. */
const heap = (): number | undefined => {
  if (globalThis.gc === undefined) return undefined
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

/** A clock that is turned by hand, for many more wakings than the tests' own can do in the time. */
const makeClock = () => {
  let now = 0
  const sleepers: Array<{ readonly at: number; readonly wake: () => void }> = []
  const clock: Clock.Clock = {
    ...Clock.make(),
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: () => BigInt(Math.round(now * 1e6)),
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(() => BigInt(Math.round(now * 1e6))),
    sleep: (duration) =>
      Effect.async<void>((resume) => {
        const sleeper = { at: now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        let low = 0
        for (let high = sleepers.length; low < high;) {
          const middle = (low + high) >> 1
          if (sleepers[middle]!.at > sleeper.at) low = middle + 1
          else high = middle
        }
        sleepers.splice(low, 0, sleeper)
        return Effect.sync(() => {
          const place = sleepers.indexOf(sleeper)
          if (place >= 0) sleepers.splice(place, 1)
        })
      })
  }
  const settled = Effect.repeatN(Effect.yieldNow(), 20)
  const pass = (millis: number) =>
    Effect.gen(function*() {
      const end = now + millis
      yield* settled
      for (let next = sleepers.at(-1); next !== undefined && next.at <= end; next = sleepers.at(-1)) {
        now = next.at
        while (sleepers.at(-1)?.at === now) sleepers.pop()!.wake()
        yield* settled
      }
      now = end
    })
  return { clock, pass }
}

/** The ways of call number `n`: most succeed, in bad times most fail. */
const way = (n: number): Effect.Effect<number, GenerationError.GenerationError> => {
  const bad = Math.floor(n / 5000) % 3 === 1
  switch (n % 10) {
    case 0:
      return Effect.die("bug")
    case 1:
      return Effect.fail(new GenerationError.ContentBlocked({ message: "no" }))
    case 2:
      return Effect.never
    case 3:
      return Effect.as(Effect.sleep("2 minutes"), n)
    default:
      return bad ? Effect.fail(n % 4 === 0 ? asked : overloaded) : Effect.as(Effect.sleep("30 seconds"), n)
  }
}

describe("Admission", () => {
  it.live("keeps 100,000 calls on flat memory, and ends with nothing in flight", () => {
    const { clock, pass } = makeClock()
    return Effect.gen(function*() {
      const admission = yield* Admission.make({ maxEndpoints: 16, idle: "30 minutes" })
      const policy = Policy.compose(
        Deadline.make({ duration: "150 seconds" }),
        Retry.make({ schedule: admission.schedule }),
        admission
      )
      const ended = { success: 0, failure: 0, interrupted: 0 }
      const totals = Effect.map(admission.state, (endpoints) =>
        [...endpoints.values()].reduce(
          (sum, { inFlight, waiting }) => ({ inFlight: sum.inFlight + inFlight, waiting: sum.waiting + waiting }),
          { inFlight: 0, waiting: 0 }
        ))
      let waited = 0
      const batch = (from: number, size: number) =>
        Effect.gen(function*() {
          const fibers = []
          for (let n = from; n < from + size; n++) {
            // Half of the calls go to four endpoints, the others to a hundred.
            const endpoint = `e${n % 2 === 0 ? n % 8 : n % 200}`
            const call = n % 3 === 0
              ? Stream.runDrain(policy.applyStream(Stream.fromEffect(way(n))))
              : policy.apply(way(n))
            const known = CurrentCall.update(Effect.asVoid(call), { endpoint, log: CurrentCall.makeLog() })
            fibers.push(yield* Effect.fork(known))
          }
          yield* pass(60_000)
          waited += (yield* totals).waiting
          // Some callers lose their patience early.
          for (const fiber of fibers.filter((_, i) => i % 7 === 0)) yield* Fiber.interrupt(fiber)
          yield* pass(240_000)
          for (const fiber of fibers) {
            const exit = yield* Fiber.interrupt(fiber)
            if (Exit.isSuccess(exit)) ended.success++
            else if (Exit.isInterrupted(exit)) ended.interrupted++
            else ended.failure++
          }
        })
      const size = 1000
      let before: number | undefined
      for (let from = 0; from < 100_000; from += size) {
        yield* batch(from, size)
        expect((yield* admission.state).size).toBeLessThanOrEqual(17)
        expect(yield* totals).toEqual({ inFlight: 0, waiting: 0 })
        if (from === 20_000) before = heap()
      }
      const after = heap()
      expect(ended.success + ended.failure + ended.interrupted).toBe(100_000)
      expect(Math.min(ended.success, ended.failure, ended.interrupted, waited)).toBeGreaterThan(500)
      if (before !== undefined && after !== undefined) expect(after - before).toBeLessThan(5_000_000)
    }).pipe(Effect.withClock(clock))
  })
})

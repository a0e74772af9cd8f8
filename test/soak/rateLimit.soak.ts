/** A hundred thousand calls through one limiter: no grant is lost, no limit passed, and the memory stays flat. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Fiber } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import * as RateLimit from "holdfast/RateLimit"

const total = 100_000
const warmUp = 20_000
const batch = 2000
const perMinute = 600

/**
 * A clock as plain as can be: the test clock looks for idle fibers in real time at each of its stops, and here are tens
 * of thousands.
 */
const makeClock = () => {
  let now = 0
  const sleepers = new Map<number, Set<() => void>>()
  const nanos = () => BigInt(now) * 1_000_000n
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: nanos,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.async<void>((resume) => {
        const at = now + Duration.toMillis(duration)
        const wake = () => resume(Effect.void)
        const same = sleepers.get(at) ?? new Set()
        sleepers.set(at, same.add(wake))
        return Effect.sync(() => {
          same.delete(wake)
          if (same.size === 0 && sleepers.get(at) === same) sleepers.delete(at)
        })
      })
  }
  /** Every fiber that can go on does so, several times over. */
  const settle = Effect.repeatN(Effect.yieldNow(), 12)
  const advance = (millis: number) =>
    Effect.gen(function*() {
      const end = now + millis
      yield* settle
      for (;;) {
        let next = Infinity
        for (const at of sleepers.keys()) next = Math.min(next, at)
        if (next > end) break
        now = next
        const due = sleepers.get(next)!
        sleepers.delete(next)
        for (const wake of due) wake()
        yield* settle
      }
      now = end
      yield* settle
    })
  return { clock, advance, sleeping: () => sleepers.size }
}

const heap = (): number => {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

describe("RateLimit, for long", () => {
  it.effect("100,000 calls leave nothing behind", () =>
    Effect.gen(function*() {
      const { advance, clock, sleeping } = makeClock()
      const limit = yield* RateLimit.make({
        requestsPerMinute: perMinute,
        tokensPerMinute: 480_000,
        requestsPerDay: 1_000_000,
        order: "priority",
        maxWait: "2 minutes",
        maxQueue: batch,
        maxKeys: 8
      })
      const recent: Array<number> = []
      let started = 0
      let refused = 0
      const call = (n: number) => {
        const body = Effect.flatMap(Clock.currentTimeMillis, (now) => {
          started++
          if (n % 10 < 8) recent.push(now)
          const end = n % 97 === 0
            ? Effect.fail(new GenerationError.RateLimited({ message: "429", retryAfter: 2000 }))
            : n % 11 === 0
            ? Effect.die("boom")
            : Effect.succeed({ usage: { totalTokens: 100 + (n % 900) } })
          return Effect.delay(end, 1000 + (n % 60) * 1000)
        })
        return limit.apply(body).pipe(
          Effect.exit,
          Effect.tap((exit) => {
            if (Exit.isFailure(exit) && exit.cause._tag === "Fail" && exit.cause.error._tag === "LimitExceeded") refused++
            return Effect.void
          }),
          // Most share an endpoint; some come under names that nobody has seen before.
          CurrentCall.update({ tokens: 900, priority: n % 3, endpoint: n % 10 < 8 ? "main" : `e${n}` })
        )
      }
      let before = 0
      for (let n = 0; n < total; n += batch) {
        const fibers: Array<Fiber.RuntimeFiber<unknown>> = []
        for (let i = 0; i < batch; i++) fibers.push(yield* Effect.fork(Effect.withClock(call(n + i), clock)))
        yield* advance(20_000)
        for (let i = 0; i < batch; i += 25) yield* Fiber.interrupt(fibers[i]!)
        yield* advance(12 * 60_000)
        for (const fiber of fibers) yield* fiber.await
        recent.sort((a, b) => a - b)
        for (let i = 0; i + perMinute < recent.length; i++) {
          if (recent[i + perMinute]! - recent[i]! < 60_000) throw new Error(`too many in the minute from ${recent[i]}`)
        }
        recent.length = 0
        if (n + batch === warmUp) before = heap()
      }
      const grown = heap() - before
      expect(sleeping()).toBe(0)
      for (const { inFlight, limits, waiting } of yield* limit.state) {
        expect([inFlight, waiting, ...limits.map(({ held }) => held)]).toEqual([0, 0, 0, 0, 0])
      }
      expect((yield* limit.state).length).toBeLessThanOrEqual(9)
      expect(started).toBeGreaterThan(total * 0.5)
      expect(refused).toBeGreaterThan(total * 0.05)
      if (globalThis.gc !== undefined) expect(grown / 2 ** 20, "MiB of heap").toBeLessThan(5)
    }), 20 * 60_000)
})

/** 100,000 virtual calls through breakers of a thousand keys, in every way that a call can end, on flat memory. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream, TestClock } from "effect"
import * as CircuitBreaker from "holdfast/CircuitBreaker"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const asked = new GenerationError.Overloaded({ message: "busy", retryAfter: "20 seconds" })

/** Bytes in use after a collection; `undefined` when the collector is not at hand. */
const heap = (): number | undefined => {
  if (globalThis.gc === undefined) return undefined
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().heapUsed
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
      return Effect.as(Effect.sleep("4 minutes"), n)
    default:
      return bad ? Effect.fail(n % 4 === 0 ? asked : overloaded) : Effect.as(Effect.sleep("30 seconds"), n)
  }
}

describe("CircuitBreaker", () => {
  it.effect("keeps 100,000 calls on flat memory, and ends with nothing in flight", () =>
    Effect.gen(function*() {
      let changes = 0
      const breaker = yield* CircuitBreaker.make({ maxKeys: 16, idleTime: "30 minutes", onTransition: () => changes++ })
      const ended = { success: 0, failure: 0, interrupted: 0 }
      const batch = (from: number, size: number) =>
        Effect.gen(function*() {
          const fibers = []
          for (let n = from; n < from + size; n++) {
            // Half of the calls go to four endpoints, the others to a thousand.
            const endpoint = `e${n % 2 === 0 ? n % 8 : n % 2000}`
            const call = n % 3 === 0
              ? Stream.runDrain(breaker.applyStream(Stream.fromEffect(way(n))))
              : breaker.apply(way(n))
            fibers.push(yield* Effect.fork(CurrentCall.update(Effect.asVoid(call), { endpoint })))
          }
          yield* TestClock.adjust("5 minutes")
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
        expect((yield* breaker.states).size).toBeLessThanOrEqual(16)
        if (from === 20_000) before = heap()
      }
      const after = heap()
      expect(ended.success + ended.failure + ended.interrupted).toBe(100_000)
      expect(Math.min(ended.success, ended.failure, ended.interrupted)).toBeGreaterThan(5000)
      expect(changes).toBeGreaterThan(100)
      if (before !== undefined && after !== undefined) expect(after - before).toBeLessThan(5_000_000)
      // Nothing is in flight: after a reset every breaker is at rest, and makes place for another one.
      yield* breaker.reset
      for (let i = 0; i < 16; i++) yield* CurrentCall.update(breaker.apply(Effect.void), { endpoint: `last${i}` })
      expect([...(yield* breaker.states).keys()].every((key) => key.startsWith("last"))).toBe(true)
    }))
})

/** 100,000 virtual calls through bulkheads of each order, in every way that a call can wait and end, on flat memory. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream, TestClock } from "effect"
import * as Bulkhead from "holdfast/Bulkhead"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import * as Rejected from "holdfast/Rejected"

const overloaded = new GenerationError.Overloaded({ message: "busy" })

/** Bytes in use after a collection; `undefined` when the collector is not at hand. */
const heap = (): number | undefined => {
  if (globalThis.gc === undefined) return undefined
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

/** The ways of call number `n`: most succeed, some fail, die, or hang until they are interrupted. */
const way = (n: number): Effect.Effect<number, GenerationError.GenerationError> => {
  switch (n % 11) {
    case 0:
      return Effect.die("bug")
    case 1:
      return Effect.fail(new GenerationError.ContentBlocked({ message: "no" }))
    case 2:
      return Effect.zipRight(Effect.sleep("2 seconds"), Effect.fail(overloaded))
    case 3:
      return n % 121 === 3 ? Effect.never : Effect.as(Effect.sleep("4 minutes"), n)
    default:
      return Effect.as(Effect.sleep("30 seconds"), n)
  }
}

describe("Bulkhead", () => {
  it.effect("keeps 100,000 calls on flat memory, and ends with every permit at home", () =>
    Effect.gen(function*() {
      // One of each order, in turn.
      const bulkheads = yield* Effect.forEach(["fifo", "lifo", "deadline"] as const, (order) =>
        Bulkhead.make({
          limit: 20,
          aimd: { min: 8, max: 60 },
          queue: 150,
          order,
          maxWait: "3 minutes",
          maxKeys: 8,
          idleTime: "30 minutes"
        }))
      const ended = { success: 0, failure: 0, interrupted: 0, QueueFull: 0, Shed: 0 }
      const size = 1000
      const batch = (bulkhead: Bulkhead.Bulkhead, from: number) =>
        Effect.gen(function*() {
          const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
          const fibers = []
          for (let n = from; n < from + size; n++) {
            const call = {
              // Half of the calls go to two endpoints, the others to a thousand.
              endpoint: `e${n % 2 === 0 ? n % 4 : n % 2000}`,
              tenant: `t${n % 7}`,
              priority: n % 3,
              deadline: n % 5 === 0 ? Infinity : now + ((n * 7919) % 240) * 1000
            }
            const through = n % 3 === 0
              ? Stream.runDrain(bulkhead.applyStream(Stream.fromEffect(way(n))))
              : bulkhead.apply(way(n))
            fibers.push(yield* Effect.fork(CurrentCall.update(Effect.asVoid(through), call)))
          }
          yield* TestClock.adjust("1 minute")
          for (let i = 0; i < size; i += 17) yield* Fiber.interrupt(fibers[i]!)
          yield* TestClock.adjust("4 minutes")
          for (const fiber of fibers) {
            const exit = yield* Fiber.interrupt(fiber)
            if (Exit.isSuccess(exit)) ended.success++
            else if (Exit.isInterrupted(exit)) ended.interrupted++
            else if (exit.cause._tag === "Fail" && Rejected.isRejected(exit.cause.error)) ended[exit.cause.error._tag]++
            else ended.failure++
          }
        })
      let before: number | undefined
      for (let from = 0; from < 100_000; from += size) {
        const bulkhead = bulkheads[(from / size) % 3]!
        yield* batch(bulkhead, from)
        const states = yield* bulkhead.states
        expect(states.size).toBeLessThanOrEqual(9)
        for (const state of states.values()) expect(state).toMatchObject({ inFlight: 0, queued: 0, tenants: new Map() })
        if (from === 20_000) before = heap()
      }
      const after = heap()
      expect(Object.values(ended).reduce((sum, count) => sum + count, 0)).toBe(100_000)
      for (const [fate, count] of Object.entries(ended)) expect(count, fate).toBeGreaterThan(500)
      if (before !== undefined && after !== undefined) expect(after - before).toBeLessThan(5_000_000)
    }))
})

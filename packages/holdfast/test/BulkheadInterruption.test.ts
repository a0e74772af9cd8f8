/** Interrupts calls at every point where a fiber can yield, and then asks whether a permit or a place was lost. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream, TestClock } from "effect"
import * as Bulkhead from "holdfast/Bulkhead"
import * as CurrentCall from "holdfast/CurrentCall"

/** Every yield costs some operations, so that fewer than 10 between two of them make no progress. */
const budgets = [10, 11, 13, 16, 20, 27]

const yields = (count: number): Effect.Effect<void> =>
  count <= 0 ? Effect.void : Effect.zipRight(Effect.yieldNow(), yields(count - 1))

const asEffect = (bulkhead: Bulkhead.Bulkhead, work: Effect.Effect<unknown, string>) => bulkhead.apply(work)
const asStream = (bulkhead: Bulkhead.Bulkhead, work: Effect.Effect<unknown, string>) =>
  Stream.runDrain(bulkhead.applyStream(Stream.concat(Stream.make(1), Stream.fromEffect(work))))

const sweep = (through: typeof asEffect | typeof asStream, points: number) =>
  Effect.gen(function*() {
    let interrupted = 0
    for (const ops of budgets) {
      for (let point = 0; point < points; point++) {
        const where = `ops ${ops}, point ${point}`
        const order = (["fifo", "lifo", "deadline"] as const)[point % 3]
        const bulkhead = yield* Bulkhead.make({ limit: 2, queue: 8, order })
        let running = 0
        const work = Effect.acquireUseRelease(
          Effect.sync(() => void running++),
          () => Effect.zipRight(yields(3), point % 4 === 0 ? Effect.fail("no") : Effect.void),
          () => Effect.sync(() => void running--)
        )
        const fibers = yield* Effect.forEach([0, 1, 2, 3, 4], (index) => {
          // Some give up by their deadline at the moment when others are interrupted.
          const call = { deadline: index % 2 === 0 ? Infinity : 5, tenant: `t${index % 2}`, priority: index % 3 }
          const run = Effect.withMaxOpsBeforeYield(CurrentCall.update(through(bulkhead, work), call), ops)
          // Shifts the phase of the yields.
          return Effect.fork(Effect.zipRight(yields(index % 2), run))
        })
        for (let i = 0; i < point; i++) {
          yield* Effect.yieldNow()
          if (running > 2) throw new Error(`${where}: ${running} in flight`)
        }
        if (point % 7 === 3) yield* TestClock.adjust(5)
        // All at once: what one gives back, another may be about to take.
        for (const index of [1, 3, point % 5]) yield* Fiber.interruptFork(fibers[index]!)
        for (let rounds = 0; rounds < 60; rounds++) yield* Effect.yieldNow()
        yield* TestClock.adjust(10)
        const exits = yield* Effect.forEach(fibers, Fiber.await)
        interrupted += exits.filter(Exit.isInterrupted).length
        expect(running, where).toBe(0)
        expect(yield* bulkhead.state, where).toMatchObject({ inFlight: 0, queued: 0, tenants: new Map() })
        // Full capacity: two come in side by side.
        expect(yield* bulkhead.apply(bulkhead.apply(Effect.succeed("in"))), where).toBe("in")
      }
    }
    return interrupted
  })

describe("interrupted calls of a bulkhead", () => {
  it.effect("lose neither permit nor place, for effects", () =>
    Effect.map(sweep(asEffect, 24), (interrupted) => expect(interrupted).toBeGreaterThan(100)), 30_000)

  it.effect("nor for streams", () =>
    Effect.map(sweep(asStream, 24), (interrupted) => expect(interrupted).toBeGreaterThan(100)), 30_000)

  it.effect("leave the releases of the others as they were", () =>
    Effect.gen(function*() {
      for (let shift = 0; shift < 25; shift++) {
        for (let point = 1; point < 6; point++) {
          const start = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
          const bulkhead = yield* Bulkhead.make({ limit: 1 })
          const held = yield* Effect.fork(bulkhead.apply(Effect.never))
          yield* Effect.yieldNow()
          const until = (deadline: number) =>
            CurrentCall.update(bulkhead.apply(Effect.void), { deadline: start + deadline })
          const waits = yield* Effect.fork(until(20))
          yield* Effect.yieldNow()
          // To be released first, and interrupted while it joins the queue.
          const shifted = Array.from({ length: shift }).reduce<Effect.Effect<unknown, unknown>>(
            (inner) => Effect.zipRight(Effect.void, inner),
            until(10)
          )
          const goes = yield* Effect.fork(Effect.withMaxOpsBeforeYield(shifted, 10))
          yield* yields(point)
          yield* Fiber.interrupt(goes)
          yield* TestClock.adjust(20)
          expect(waits.unsafePoll(), `shift ${shift}, point ${point}`).not.toBeNull()
          yield* Fiber.interrupt(held)
        }
      }
    }), 30_000)

  it.effect("are released by their deadline also while they cannot be interrupted", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1 })
      const held = yield* Effect.fork(bulkhead.apply(Effect.never))
      yield* Effect.yieldNow()
      const waits = CurrentCall.update(bulkhead.apply(Effect.void), { deadline: 10 })
      const fiber = yield* Effect.fork(Effect.uninterruptible(Effect.zipRight(yields(3), Effect.exit(waits))))
      yield* Effect.yieldNow()
      yield* Fiber.interruptFork(fiber)
      yield* yields(10)
      expect(yield* bulkhead.state).toMatchObject({ queued: 1 })
      yield* TestClock.adjust(10)
      expect(yield* bulkhead.state).toMatchObject({ queued: 0 })
      yield* Fiber.interrupt(held)
    }))

  it.effect("resizing and calls that go away do not disturb each other", () =>
    Effect.gen(function*() {
      for (const ops of budgets) {
        const bulkhead = yield* Bulkhead.make({ limit: 3, queue: 50 })
        const fibers = yield* Effect.forEach(Array.from({ length: 20 }, (_, i) => i), (i) =>
          Effect.fork(Effect.withMaxOpsBeforeYield(bulkhead.apply(yields(1 + (i % 4))), ops)))
        for (let i = 0; i < 20; i++) {
          yield* bulkhead.resize(1 + ((i * 7) % 5))
          if (i % 3 === 0) yield* Fiber.interruptFork(fibers[i]!)
          yield* Effect.yieldNow()
        }
        yield* Effect.forEach(fibers, Fiber.await)
        expect(yield* bulkhead.state, `ops ${ops}`).toMatchObject({ inFlight: 0, queued: 0 })
      }
    }))
})

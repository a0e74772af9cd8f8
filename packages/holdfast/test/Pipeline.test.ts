/** Gates and pipelines of stages: who is let in, who is left, and with what. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, FiberRef, Stream, TestClock } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import type { Gate } from "../src/internal/gate.js"
import { streamThroughGate } from "../src/internal/gatedStream.js"
import { Pipeline } from "../src/internal/pipeline.js"
import { gateStage } from "../src/internal/stage.js"

const throughGate = <A, E, R, E2, T>(gate: Gate<E2, T>, self: Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
  new Pipeline([gateStage(gate)]).through(self)

describe("a gate", () => {
  /** One permit; whoever comes second waits. Everything that happens is written down. */
  const single = () => {
    const log: Array<string> = []
    let inside = false
    const waiting: Array<() => void> = []
    const gate: Gate<never, string> = {
      enter: (visitor) => {
        if (!inside) {
          inside = true
          return { _tag: "Entered", ticket: "first" }
        }
        const admit = () => visitor.settle({ _tag: "Entered", ticket: "later" })
        waiting.push(admit)
        return {
          _tag: "Waiting",
          cancel: () => {
            log.push("cancel")
            waiting.splice(waiting.indexOf(admit), 1)
          }
        }
      },
      leave: (ticket, how) => {
        log.push(`${ticket} ${typeof how === "string" ? how : how._tag}`)
        inside = waiting.length > 0
        waiting.shift()?.()
      }
    }
    return { gate, log, waiting }
  }

  it.effect("takes back the ticket of a call that is interrupted between being let in and waking up", () =>
    Effect.gen(function*() {
      const { gate, log, waiting } = single()
      const first = yield* Effect.fork(throughGate(gate, Effect.never))
      const second = yield* Effect.fork(throughGate(gate, Effect.die("must not run")))
      yield* Effect.yieldNow()
      // In one step: it is let in, and interrupted before it can run.
      yield* Effect.sync(() => {
        waiting.shift()?.()
        second.unsafeInterruptAsFork(first.id())
      })
      yield* Fiber.await(second)
      expect(log).toEqual(["later never-started"])
      yield* Fiber.interrupt(first)
    }))

  it.effect("cancels a wait that is interrupted, for effects and for streams", () =>
    Effect.gen(function*() {
      const { gate, log } = single()
      const first = yield* Effect.fork(throughGate(gate, Effect.never))
      const effect = yield* Effect.fork(throughGate(gate, Effect.void))
      const stream = yield* Effect.fork(Stream.runDrain(streamThroughGate(gate, Stream.make(1))))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(effect)
      yield* Fiber.interrupt(stream)
      expect(log).toEqual(["cancel", "cancel"])
      yield* Fiber.interrupt(first)
      expect(log[2]).toBe("first Failure")
    }))

  it.effect("keeps an uninterruptible caller uninterruptible while it waits and while it runs", () =>
    Effect.gen(function*() {
      const { gate, log } = single()
      const first = yield* Effect.fork(throughGate(gate, Effect.sleep("1 second")))
      const second = yield* Effect.fork(Effect.uninterruptible(throughGate(gate, Effect.sleep("1 second"))))
      yield* Effect.yieldNow()
      yield* Fiber.interruptFork(second)
      yield* TestClock.adjust("500 millis")
      expect(log).toEqual([])
      yield* TestClock.adjust("1500 millis")
      yield* Fiber.await(second)
      expect(log).toEqual(["first Success", "later Success"])
      yield* Fiber.join(first)
    }))

  it.effect("is interruptible inside, though taking and giving back are not", () =>
    Effect.gen(function*() {
      const { gate, log } = single()
      const fiber = yield* Effect.fork(throughGate(gate, Effect.never))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      expect(log).toEqual(["first Failure"])
    }))

  it.effect("finds its visit again for calls of one fiber in a row, inside each other and side by side", () =>
    Effect.gen(function*() {
      const outer = single()
      const inner = single()
      const blocker = yield* Effect.fork(throughGate(inner.gate, Effect.sleep("1 second")))
      yield* Effect.yieldNow()
      const nested = throughGate(outer.gate, throughGate(inner.gate, Effect.succeed("nested")))
      const fiber = yield* Effect.fork(Effect.zip(nested, throughGate(outer.gate, Effect.succeed("in a row"))))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toEqual(["nested", "in a row"])
      expect(inner.log).toEqual(["first Success", "later Success"])
      expect(outer.log).toEqual(["first Success", "first Success"])
      yield* Fiber.join(blocker)
    }))

  it.effect("lets fiber refs and the context of the caller through", () =>
    Effect.gen(function*() {
      const { gate } = single()
      const ref = FiberRef.unsafeMake(0)
      yield* throughGate(gate, FiberRef.set(ref, 1))
      expect(yield* FiberRef.get(ref)).toBe(1)
      const call = CurrentCall.update(throughGate(gate, CurrentCall.current), { tenant: "mine" })
      expect((yield* call).tenant).toBe("mine")
    }))
})

/** Gates and pipelines of stages: who is let in, who is left, and with what. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, FiberId, FiberRef, Schedule, Stream, TestClock } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"
import * as Timeout from "holdfast/Timeout"
import { makeTurn } from "../../../test/support/turn.js"
import type { Gate } from "../src/internal/gate.js"
import { streamThroughGate } from "../src/internal/gatedStream.js"
import { Pipeline } from "../src/internal/pipeline.js"
import { gated } from "../src/internal/policy.js"
import { gateStage, limitStage, type Stage } from "../src/internal/stage.js"
import * as Timer from "../src/internal/timer.js"

const throughGate = <A, E, R, E2, T>(gate: Gate<E2, T>, self: Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
  new Pipeline([gateStage(gate)]).through(self)

describe("an effect behind a gate", () => {
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

describe("an effect behind several stages", () => {
  /** Lets everybody in at once, or after a while, and counts who is inside. */
  const counting = (hooks: Partial<Gate<string, number>> = {}, wait?: number) => {
    let inside = 0
    const admit = () => ({ _tag: "Entered", ticket: ++inside } as const)
    const gate: Gate<string, number> = {
      enter: (visitor) => {
        if (wait === undefined) return admit()
        return { _tag: "Waiting", cancel: Timer.schedule(visitor.fiber, wait, () => visitor.settle(admit())) }
      },
      leave: () => {
        inside--
      },
      ...hooks
    }
    return { gate, inside: () => inside }
  }

  const through = (stages: ReadonlyArray<Stage<string>>, self: Effect.Effect<unknown, string>) =>
    Effect.exit(new Pipeline(stages).through(self))

  it.effect("leaves the stages that it entered when a gate throws, wherever it throws", () =>
    Effect.gen(function*() {
      const boom = () => {
        throw new Error("boom")
      }
      for (const hook of ["enter", "within", "leave"] as const) {
        const outer = counting()
        const exit = yield* through([gateStage(outer.gate), gateStage(counting({ [hook]: boom }).gate)], Effect.void)
        expect(exit, hook).toMatchObject({ _tag: "Failure", cause: { _tag: "Die", defect: new Error("boom") } })
        expect(outer.inside(), hook).toBe(0)
      }
    }))

  it.effect("shows what is inside the call that each stage has made of it, and the outside the old one", () =>
    Effect.gen(function*() {
      const named = counting({ within: (_, call) => ({ ...call, endpoint: "inner" }) }).gate
      const limit = limitStage<string>((call) => ({ millis: 1000, onTimeout: () => "late", call: { ...call, tenant: "t" } }))
      for (const stages of [[gateStage(named)], [limit, gateStage(named)], [gateStage(named), limit]]) {
        const seen = yield* new Pipeline(stages).through(CurrentCall.current)
        expect(seen.endpoint).toBe("inner")
        expect(seen.tenant).toBe(stages.length === 1 ? "default" : "t")
        expect(yield* CurrentCall.current).toBe(CurrentCall.none)
      }
    }))

  it.effect("brings back what a limited effect changed in fiber refs", () =>
    Effect.gen(function*() {
      const ref = FiberRef.unsafeMake(0)
      const limit = limitStage<string>((call) => ({ millis: 1000, onTimeout: () => "late", call }))
      yield* new Pipeline([limit]).through(FiberRef.set(ref, 1))
      expect(yield* FiberRef.get(ref)).toBe(1)
      yield* new Pipeline([limit]).through(Effect.zipRight(Effect.yieldNow(), FiberRef.set(ref, 2)))
      expect(yield* FiberRef.get(ref)).toBe(2)
    }))

  it.effect("is empty again after an interruption at any yield", () =>
    Effect.gen(function*() {
      let interrupted = 0
      // Odd ones leave when they are to go on for the nth time, even ones while they wait.
      for (const ops of [10, 11, 13, 16, 20, 27]) {
        for (let round = 0; round < 60; round++) {
          const turn = makeTurn()
          const gates = [counting(), counting({}, 3), counting(), counting({}, 2)] as const
          let started = 0
          let ended = 0
          const attempt = Effect.suspend(() => {
            started++
            const work = started % 2 === 1
              ? Effect.fail(new GenerationError.Overloaded({ message: "busy" }))
              : Effect.zipRight(Effect.yieldNow(), Effect.sleep(5))
            return Effect.ensuring(work, Effect.sync(() => ended++))
          })
          const guarded = Policy.compose(
            gated(gates[0].gate, { kind: "Gate" }),
            Deadline.make({ duration: 50 }),
            gated(gates[1].gate, { kind: "Gate" }),
            Retry.make({ schedule: Schedule.spaced(4), maxAttempts: 3 }),
            gated(gates[2].gate, { kind: "Gate" }),
            Timeout.make({ attempt: 20 }),
            gated(gates[3].gate, { kind: "Gate" })
          ).apply(attempt)
          const waits = round % 2 === 0
          const fiber = yield* turn.start(Effect.withMaxOpsBeforeYield(guarded, ops), waits ? Infinity : (round + 1) / 2)
          yield* turn.pass(round)
          if (waits) fiber.unsafeInterruptAsFork(FiberId.none)
          yield* turn.pass(100)
          const exit = fiber.unsafePoll()
          expect(exit, `ops ${ops}, round ${round}`).not.toBe(null)
          if (exit !== null && Exit.isInterrupted(exit)) interrupted++
          expect(gates.map(({ inside }) => inside()), `ops ${ops}, round ${round}`).toEqual([0, 0, 0, 0])
          expect(ended).toBe(started)
          expect(yield* turn.sleeping, `ops ${ops}, round ${round}`).toBe(0)
        }
      }
      expect(interrupted).toBeGreaterThan(100)
    }))
})

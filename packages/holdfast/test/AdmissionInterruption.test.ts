/** Interrupts admission at every point where a fiber can yield, and then asks whether anything was lost. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream, TestClock } from "effect"
import * as Admission from "holdfast/Admission"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"

const overloaded = new GenerationError.Overloaded({ message: "busy" })

type Run = (policy: Policy.Policy<unknown>, inside: Effect.Effect<unknown, GenerationError.GenerationError>) =>
  Effect.Effect<unknown, unknown>

const sweep = (run: Run) =>
  Effect.gen(function*() {
    let interrupted = 0
    let waited = 0
    for (let ops = 10; ops <= 40; ops += 5) {
      for (let point = 0; point < 20; point++) {
        const admission = yield* Admission.make({ seed: 1 })
        const policy = Policy.compose(Retry.make({ schedule: admission.schedule, maxAttempts: 3 }), admission)
        let running = 0
        let calls = 0
        const inside = Effect.acquireUseRelease(
          Effect.sync(() => {
            running++
            return calls++
          }),
          (n) => Effect.zipRight(Effect.yieldNow(), n % 2 === 0 ? Effect.fail(overloaded) : Effect.sleep("1 second")),
          () => Effect.sync(() => void running--)
        )
        // Each in a fiber of its own, with its phase of yields shifted.
        const fibers = []
        for (let i = 0; i < 3; i++) {
          const phase = Effect.forEach(Array.from({ length: i }), () => Effect.void)
          const shifted = Effect.zipRight(phase, run(policy, inside))
          fibers.push(yield* Effect.fork(Effect.withMaxOpsBeforeYield(shifted, ops)))
        }
        for (let i = 0; i < point; i++) yield* Effect.yieldNow()
        if (point % 4 === 3) yield* TestClock.adjust("1500 millis")
        const state = (yield* admission.state).get("default")
        waited += state?.waiting ?? 0
        for (const fiber of fibers) {
          if (Exit.isInterrupted(yield* Fiber.interrupt(fiber))) interrupted++
        }
        yield* TestClock.adjust("10 minutes")
        const where = `ops ${ops}, point ${point}`
        const after = (yield* admission.state).get("default")
        expect(running, where).toBe(0)
        expect(after?.inFlight ?? 0, where).toBe(0)
        expect(after?.waiting ?? 0, where).toBe(0)
        // One that was let in may have been interrupted before its first step.
        expect(after?.started ?? 0, where).toBeGreaterThanOrEqual(calls)
        // Full capacity: what comes now goes through.
        expect(yield* Effect.fork(admission.apply(Effect.succeed(1))).pipe(
          Effect.tap(TestClock.adjust("2 minutes")),
          Effect.flatMap(Fiber.join)
        ), where).toBe(1)
      }
    }
    return { interrupted, waited }
  })

describe("interruption of admission at every yield", () => {
  it.effect("loses no place and no call of an effect", () =>
    Effect.map(sweep((policy, inside) => policy.apply(inside)), ({ interrupted, waited }) => {
      expect(interrupted).toBeGreaterThan(100)
      expect(waited).toBeGreaterThan(100)
    }), 60_000)

  it.effect("nor of a stream", () =>
    Effect.map(sweep((policy, inside) => Stream.runDrain(policy.applyStream(Stream.fromEffect(inside)))), (result) => {
      const { interrupted } = result
      expect(interrupted).toBeGreaterThan(100)
    }), 60_000)

  it.effect("nor when the place comes at the moment of the interruption", () =>
    Effect.gen(function*() {
      for (let ops = 10; ops <= 40; ops++) {
        for (const after of [999, 1000, 1001]) {
          const admission = yield* Admission.make({ seed: 1, down: 0.999999 })
          yield* Effect.exit(admission.apply(Effect.fail(overloaded)))
          const waiting = yield* Effect.fork(Effect.withMaxOpsBeforeYield(admission.apply(Effect.never), ops))
          yield* TestClock.adjust(after)
          yield* Fiber.interrupt(waiting)
          expect((yield* admission.state).get("default"), `ops ${ops}, after ${after}`)
            .toMatchObject({ inFlight: 0, waiting: 0 })
        }
      }
    }), 60_000)
})

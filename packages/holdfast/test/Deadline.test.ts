import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, FiberRef, Ref, Stream, TestClock } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import { Overloaded } from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import { DeadlineExceeded } from "holdfast/Rejected"
import * as Retry from "holdfast/Retry"
import * as Timeout from "holdfast/Timeout"

const tenSeconds = Deadline.make({ duration: "10 seconds" })

describe("Deadline", () => {
  it.effect("passes what is done in time", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(tenSeconds.apply(Effect.delay(Effect.succeed("image"), "9999 millis")))
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(fiber)).toBe("image")
    }))

  it.effect("ends the rest with DeadlineExceeded, and interrupts it first", () =>
    Effect.gen(function*() {
      const closed = yield* Ref.make(false)
      const work = Effect.onInterrupt(Effect.never, () => Ref.set(closed, true))
      const fiber = yield* Effect.fork(Effect.flip(tenSeconds.apply(work)))
      yield* TestClock.adjust("9 seconds")
      expect(yield* Ref.get(closed)).toBe(false)
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(fiber)
      expect(error).toBeInstanceOf(DeadlineExceeded)
      expect(error.message).toMatch(/^no result within 10s, after 0 attempts/)
      expect(yield* Ref.get(closed)).toBe(true)
    }))

  it.effect("shows every layer one instant, the earlier one when nested", () =>
    Effect.gen(function*() {
      const inner = Deadline.make({ duration: "1 hour" })
      expect(yield* tenSeconds.apply(inner.apply(Deadline.current))).toBe(10_000)
      expect(yield* inner.apply(tenSeconds.apply(Deadline.current))).toBe(10_000)
      expect(yield* tenSeconds.apply(Deadline.remaining)).toEqual(Duration.seconds(10))
      expect(yield* Deadline.remaining).toEqual(Duration.infinity)
    }))

  it.effect("does not start what has no time left", () =>
    Effect.gen(function*() {
      const ran = yield* Ref.make(false)
      const exit = yield* tenSeconds.apply(Ref.set(ran, true)).pipe(CurrentCall.update({ deadline: 0 }), Effect.exit)
      expect(Exit.isFailure(exit)).toBe(true)
      expect(yield* Ref.get(ran)).toBe(false)
    }))

  it.effect("lets failures, defects and interruption pass", () =>
    Effect.gen(function*() {
      expect(yield* Effect.flip(tenSeconds.apply(Effect.fail("mine")))).toBe("mine")
      expect(yield* Effect.exit(tenSeconds.apply(Effect.die("boom")))).toEqual(Exit.die("boom"))
      expect(Exit.isInterrupted(yield* Effect.exit(tenSeconds.apply(Effect.interrupt)))).toBe(true)
      expect(Exit.isInterrupted(yield* Effect.exit(tenSeconds.apply(Effect.zipRight(Effect.yieldNow(), Effect.interrupt)))))
        .toBe(true)
    }))

  it.scoped("brings changes of fiber refs back and keeps its call to itself", () =>
    Effect.gen(function*() {
      const ref = yield* FiberRef.make(0)
      yield* tenSeconds.apply(Effect.zipRight(FiberRef.set(ref, 7), Effect.yieldNow()))
      expect(yield* FiberRef.get(ref)).toBe(7)
      expect(yield* Deadline.current).toBe(Infinity)
    }))

  it.effect("an interrupted caller waits for the finalizers of its work", () =>
    Effect.gen(function*() {
      const closed = yield* Ref.make(false)
      const work = Effect.onInterrupt(Effect.never, () => Effect.delay(Ref.set(closed, true), "5 seconds"))
      const fiber = yield* Effect.fork(tenSeconds.apply(work))
      yield* TestClock.adjust("1 second")
      const interrupting = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* TestClock.adjust("4 seconds")
      expect(yield* Fiber.poll(interrupting)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(interrupting)
      expect(yield* Ref.get(closed)).toBe(true)
    }))

  it.effect("bounds a stream as a whole", () =>
    Effect.gen(function*() {
      const ticks = Stream.tick("3 seconds").pipe(Stream.map(() => "tick"))
      const seen: Array<string> = []
      const fiber = yield* Effect.fork(
        Effect.flip(Stream.runForEach(tenSeconds.applyStream(ticks), (tick) => Effect.sync(() => void seen.push(tick))))
      )
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(fiber)).toBeInstanceOf(DeadlineExceeded)
      expect(seen).toHaveLength(4)
    }))

  it.effect("shows a stream's effects the same instant at every pull", () =>
    Effect.gen(function*() {
      const instants = Stream.repeatEffect(Effect.delay(Deadline.current, "1 second")).pipe(Stream.take(3))
      const fiber = yield* Effect.fork(Stream.runCollect(tenSeconds.applyStream(instants)))
      yield* TestClock.adjust("5 seconds")
      expect([...(yield* Fiber.join(fiber))]).toEqual([10_000, 10_000, 10_000])
    }))

  it.effect("a retry under it stops in time and keeps its own error", () =>
    Effect.gen(function*() {
      const busy = new Overloaded({ message: "busy", retryAfter: "4 seconds" })
      const policy = Policy.compose(tenSeconds, Retry.make())
      const fiber = yield* Effect.fork(Effect.flip(policy.apply(Effect.fail(busy))))
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(fiber)
      expect(error).toMatchObject({ _tag: "Overloaded", stoppedBy: "deadline" })
    }))

  it("refuses a duration of nothing", () => {
    expect(() => Deadline.make({ duration: 0 })).toThrow(/"duration"/)
    expect(() => Deadline.make({ duration: "30 days" })).toThrow(/"duration"/)
  })
})

describe("Timeout", () => {
  const fail = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(Effect.flip(effect))
      yield* TestClock.adjust("1 hour")
      return yield* Fiber.join(fiber)
    })

  it.effect("fails an attempt that takes too long, with its phase", () =>
    Effect.gen(function*() {
      const error = yield* fail(Timeout.make({ attempt: "1 minute" }).apply(Effect.never))
      expect(error).toMatchObject({ _tag: "Timeout", phase: "attempt", outcome: "unknown" })
      expect(error.message).toBe("no answer within 1m (attempt)")
    }))

  it.effect("is patient by default", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(Timeout.make().apply(Effect.delay(Effect.succeed("image"), "23 hours")))
      yield* TestClock.adjust("1 day")
      expect(yield* Fiber.join(fiber)).toBe("image")
    }))

  it.effect("names the endpoint that a routing policy chose", () =>
    Effect.gen(function*() {
      const error = yield* fail(
        Timeout.make({ attempt: "1 second" }).apply(Effect.never).pipe(CurrentCall.update({ endpoint: "relay", model: "m" }))
      )
      expect(error).toMatchObject({ endpoint: "relay", model: "m" })
    }))

  it.effect("bounds a stream's first chunk, its silences and its length", () =>
    Effect.gen(function*() {
      const silent = Stream.concat(Stream.make(1, 2), Stream.never)
      const policy = Timeout.make({ firstChunk: "30 seconds", idle: "5 seconds" })
      expect(yield* fail(Stream.runDrain(policy.applyStream(Stream.never)))).toMatchObject({ phase: "first-chunk" })
      expect(yield* fail(Stream.runDrain(policy.applyStream(silent)))).toMatchObject({ phase: "idle" })
      const endless = Stream.tick("1 second")
      const whole = Timeout.make({ attempt: "10 seconds", idle: "5 seconds" })
      expect(yield* fail(Stream.runDrain(whole.applyStream(endless)))).toMatchObject({ phase: "attempt" })
    }))

  it.effect("leaves a stream that keeps its pace alone, and its failures too", () =>
    Effect.gen(function*() {
      const policy = Timeout.make({ firstChunk: "2 seconds", idle: "2 seconds" })
      const fiber = yield* Effect.fork(
        Stream.runCollect(policy.applyStream(Stream.tick("1 second").pipe(Stream.take(5), Stream.as("tick"))))
      )
      yield* TestClock.adjust("1 minute")
      expect([...(yield* Fiber.join(fiber))]).toHaveLength(5)
      expect(yield* Effect.flip(Stream.runDrain(policy.applyStream(Stream.fail("mine"))))).toBe("mine")
    }))
})

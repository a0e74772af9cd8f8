import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import { Cause, Deferred, Duration, Effect, Exit, Fiber, type Scope, Stream, TestClock } from "effect"
import * as CircuitBreaker from "holdfast/CircuitBreaker"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import type * as Rejected from "holdfast/Rejected"
import * as Timeout from "holdfast/Timeout"

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const asked = (retryAfter: Duration.DurationInput) => new GenerationError.Overloaded({ message: "busy", retryAfter })
const fail = Effect.fail(overloaded)

/** Exact openings of 10 s, 20 s, 40 s… after two failures in a row; one probe, one success closes. */
const plain = {
  consecutiveFailures: 2,
  openFor: "10 seconds",
  openFactor: 2,
  jitter: 0,
  probes: 1,
  successesToClose: 1,
  acceptedAfter: Infinity
} as const satisfies CircuitBreaker.MakeOptions

const trip = (breaker: CircuitBreaker.CircuitBreaker, error: GenerationError.GenerationError = overloaded) =>
  Effect.ignore(breaker.apply(Effect.fail(error))).pipe(Effect.repeatN(1))

const tagOf = (breaker: CircuitBreaker.CircuitBreaker) => Effect.map(breaker.state, (state) => state._tag)

const refused = <A, E>(self: Effect.Effect<A, E | Rejected.CircuitOpen>) =>
  Effect.map(Effect.flip(self), (error) => {
    if ((error as Rejected.CircuitOpen)._tag !== "CircuitOpen") throw new Error(`not refused: ${String(error)}`)
    return error as Rejected.CircuitOpen
  })

describe("CircuitBreaker", () => {
  it.effect("opens after so many failures in a row, and refuses with the time left", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...plain, name: "relay" })
      yield* Effect.ignore(breaker.apply(fail))
      expect(yield* breaker.apply(Effect.succeed(1))).toBe(1)
      yield* Effect.ignore(breaker.apply(fail))
      expect(yield* tagOf(breaker)).toBe("Closed")
      expect(yield* Effect.flip(breaker.apply(fail))).toBe(overloaded)
      yield* TestClock.adjust("4 seconds")
      let ran = false
      const error = yield* refused(breaker.apply(Effect.sync(() => {
        ran = true
      })))
      expect(error).toMatchObject({ policy: "CircuitBreaker", policyName: "relay", retryAfter: Duration.seconds(6) })
      expect(error.message).toContain("6s")
      expect(ran).toBe(false)
      const cause = "consecutive-failures"
      expect(yield* breaker.state).toMatchObject({ _tag: "Open", cause, since: 0, until: 10_000 })
    }))

  it.effect("opens at a share of failures, but not before enough calls have ended", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ consecutiveFailures: Infinity, failureRatio: 0.5, minimumCalls: 4 })
      for (const effect of [fail, Effect.void, fail]) yield* Effect.ignore(breaker.apply(effect))
      expect(yield* breaker.state).toMatchObject({ _tag: "Closed", calls: 3, failures: 2, consecutiveFailures: 1 })
      yield* breaker.apply(Effect.void)
      expect(yield* tagOf(breaker)).toBe("Closed")
      yield* Effect.ignore(breaker.apply(fail))
      expect(yield* breaker.state).toMatchObject({ _tag: "Open", cause: "failure-ratio" })
    }))

  it.effect("forgets what is older than the window", () =>
    Effect.gen(function*() {
      const options = { consecutiveFailures: Infinity, failureRatio: 0.5, minimumCalls: 3, window: "1 minute" } as const
      const breaker = yield* CircuitBreaker.make(options)
      yield* trip(breaker)
      yield* TestClock.adjust("1 minute")
      yield* Effect.ignore(breaker.apply(fail))
      expect(yield* breaker.state).toMatchObject({ _tag: "Closed", calls: 1, failures: 1 })
    }))

  it.effect("counts as failures what another attempt may cure, and all else as nothing", () =>
    Effect.gen(function*() {
      const counted: Array<string> = []
      for (const tag of GenerationError.tags) {
        const breaker = yield* CircuitBreaker.make({ consecutiveFailures: 1 })
        yield* Effect.ignore(breaker.apply(Effect.fail(GenerationError.make(tag, { message: "x" }))))
        const state = yield* breaker.state
        if (state._tag === "Open") counted.push(tag)
        else expect(state).toMatchObject({ _tag: "Closed", calls: 0 })
      }
      expect(counted).toEqual(["Overloaded", "RateLimited", "Timeout", "Transient"])
      const pool = new GenerationError.Timeout({ message: "no connection", phase: "pool" })
      expect(CircuitBreaker.isFailure(pool)).toBe(false)
      expect(CircuitBreaker.isFailure(new Error("mine"))).toBe(false)
    }))

  it.effect("neither an ignored error, nor a defect, nor an interruption breaks or makes a run of failures", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...plain, consecutiveFailures: 3 })
      yield* trip(breaker)
      const blocked = Effect.fail(new GenerationError.ContentBlocked({ message: "no" }))
      for (const effect of [blocked, Effect.die("bug"), Effect.interrupt, Effect.fail("foreign")]) {
        yield* Effect.exit(breaker.apply<unknown, unknown, never>(effect))
      }
      expect(yield* breaker.state).toMatchObject({ _tag: "Closed", consecutiveFailures: 2, calls: 2 })
      yield* Effect.ignore(breaker.apply(fail))
      expect(yield* tagOf(breaker)).toBe("Open")
    }))

  it.effect("takes a predicate of one's own, and one that throws hides nothing", () =>
    Effect.gen(function*() {
      const mine = yield* CircuitBreaker.make({ consecutiveFailures: 1, isFailure: (error) => error === "mine" })
      expect(yield* Effect.flip(mine.apply(fail))).toBe(overloaded)
      expect(yield* tagOf(mine)).toBe("Closed")
      yield* Effect.ignore(mine.apply(Effect.fail("mine")))
      expect(yield* tagOf(mine)).toBe("Open")
      const throwing = yield* CircuitBreaker.make({
        isFailure: () => {
          throw new Error("bug")
        }
      })
      expect(yield* Effect.flip(throwing.apply(fail))).toBe(overloaded)
    }))

  it.effect("an error among several that ended together counts, in whatever company", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ consecutiveFailures: 1 })
      const cause = Cause.parallel(Cause.die("bug"), Cause.sequential(Cause.fail("other"), Cause.fail(overloaded)))
      yield* Effect.exit(breaker.apply<never, unknown, never>(Effect.failCause(cause)))
      expect(yield* tagOf(breaker)).toBe("Open")
    }))
})

describe("slow calls", () => {
  const slow = {
    consecutiveFailures: Infinity,
    minimumCalls: Infinity,
    slowAfter: "1 minute",
    slowMinimumCalls: 3,
    slowRatio: 0.6
  } as const
  const sleeping = (breaker: CircuitBreaker.CircuitBreaker, seconds: number) =>
    Effect.fork(Effect.ignore(breaker.apply(Effect.sleep(Duration.seconds(seconds)))))

  it.effect("that ended trip it by their share", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(slow)
      for (const seconds of [59, 60, 61]) yield* sleeping(breaker, seconds)
      yield* TestClock.adjust("59 seconds")
      expect(yield* breaker.state).toMatchObject({ _tag: "Closed", calls: 1, slow: 0, overdue: 0 })
      yield* TestClock.adjust("2 seconds")
      expect(yield* breaker.state).toMatchObject({ _tag: "Open", cause: "slow-ratio" })
    }))

  it.effect("that hang are seen before they end, by the next call", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(slow)
      for (let i = 0; i < 3; i++) {
        yield* Effect.fork(Effect.exit(breaker.apply(Effect.never)))
        yield* TestClock.adjust("1 second")
      }
      yield* TestClock.adjust("58 seconds")
      // Two are overdue: one fewer than it takes.
      yield* breaker.apply(Effect.void)
      yield* TestClock.adjust("1 second")
      yield* refused(breaker.apply(Effect.void))
      expect(yield* breaker.state).toMatchObject({ _tag: "Open", cause: "slow-ratio" })
    }))

  it.effect("that are interrupted while they hang count no more", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(slow)
      const fibers = []
      for (let i = 0; i < 3; i++) fibers.push(yield* Effect.fork(breaker.apply(Effect.never)))
      yield* Effect.yieldNow()
      yield* TestClock.adjust("59 seconds")
      for (const fiber of fibers) yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("5 seconds")
      yield* breaker.apply(Effect.void)
      expect(yield* breaker.state).toMatchObject({ _tag: "Closed", overdue: 0, calls: 1, slow: 0 })
    }))

  it.effect("keep it open until a probe answers in time: one that hangs opens it again", () =>
    Effect.gen(function*() {
      const options = { ...plain, ...slow, acceptedAfter: "1 second" } as const
      const breaker = yield* CircuitBreaker.make(options)
      for (let i = 0; i < 3; i++) yield* sleeping(breaker, 60)
      yield* TestClock.adjust("70 seconds")
      yield* Effect.fork(Effect.exit(breaker.apply(Effect.never)))
      yield* TestClock.adjust("30 seconds")
      // What has been in flight for long proves nothing when the trouble is slowness.
      expect(yield* breaker.state).toMatchObject({ _tag: "HalfOpen", probes: 1, successes: 0 })
      yield* TestClock.adjust("30 seconds")
      expect(yield* breaker.state).toMatchObject({ _tag: "Open", cause: "probe-slow", openings: 2 })
    }))
})

describe("half-open", () => {
  it.effect("at the instant of expiry a thousand concurrent callers send exactly the allowed probes", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...plain, probes: 3, successesToClose: 3 })
      yield* trip(breaker)
      let sent = 0
      const gate = yield* Deferred.make<void>()
      const call = breaker.apply(Effect.zipRight(Effect.sync(() => sent++), Deferred.await(gate)))
      yield* TestClock.adjust("10 seconds")
      const fibers = yield* Effect.forEach(Array.from({ length: 1000 }), () => Effect.fork(Effect.either(call)))
      yield* Effect.yieldNow()
      expect(sent).toBe(3)
      const done = yield* Effect.forEach(fibers, (fiber) => Fiber.poll(fiber))
      expect(done.filter((exit) => exit._tag === "Some")).toHaveLength(997)
      yield* Deferred.succeed(gate, undefined)
      const results = yield* Effect.forEach(fibers, (fiber) => Fiber.join(fiber))
      expect(results.filter((result) => result._tag === "Right")).toHaveLength(3)
      for (const result of results) if (result._tag === "Left") expect(result.left._tag).toBe("CircuitOpen")
      // Nobody waited for the probes: those refused are not released together.
      expect([sent, yield* tagOf(breaker)]).toEqual([3, "Closed"])
    }))

  it.effect("needs so many successes, and a failed probe opens it again for longer, up to a bound", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...plain, successesToClose: 2, maxOpen: "30 seconds" })
      yield* trip(breaker)
      const lengths: Array<number> = []
      for (let i = 0; i < 4; i++) {
        const state = yield* breaker.state
        if (state._tag !== "Open") throw new Error("not open")
        lengths.push(state.until - state.since)
        yield* TestClock.setTime(state.until)
        yield* breaker.apply(Effect.void)
        expect(yield* tagOf(breaker)).toBe("HalfOpen")
        yield* Effect.ignore(breaker.apply(fail))
      }
      expect(lengths).toEqual([10_000, 20_000, 30_000, 30_000])
      yield* TestClock.adjust("30 seconds")
      yield* breaker.apply(Effect.void)
      yield* breaker.apply(Effect.void)
      expect(yield* tagOf(breaker)).toBe("Closed")
      yield* trip(breaker)
      expect(yield* breaker.state).toMatchObject({ _tag: "Open", openings: 1 })
    }))

  it.effect("jitter lengthens openings, by a draw of the random service", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...plain, jitter: 0.5 })
      yield* Effect.withRandomFixed(trip(breaker), [0.5])
      expect(yield* breaker.state).toMatchObject({ until: 12_500 })
      const hinted = yield* CircuitBreaker.make({ ...plain, jitter: 0.5 })
      yield* Effect.withRandomFixed(trip(hinted, asked("1 minute")), [0.5])
      // Above the server's time, and by a share of its own opening at most.
      expect(yield* hinted.state).toMatchObject({ until: 62_500 })
    }))

  it.effect("who comes back at the time told finds it ended, however odd the draw", () =>
    Effect.gen(function*() {
      for (const chance of [0.123456789, 0.7654321]) {
        const breaker = yield* CircuitBreaker.make({ ...plain, jitter: 0.5 })
        yield* Effect.withRandomFixed(trip(breaker), [chance])
        const { retryAfter } = yield* refused(breaker.apply(Effect.void))
        yield* TestClock.adjust(retryAfter!)
        expect(yield* breaker.apply(Effect.succeed(1))).toBe(1)
      }
    }))

  it.effect("an interrupted, dying or ignored probe gives its place back and decides nothing", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(plain)
      yield* trip(breaker)
      yield* TestClock.adjust("10 seconds")
      const blocked = Effect.fail(new GenerationError.ContentBlocked({ message: "no" }))
      for (const effect of [blocked, Effect.die("bug"), Effect.interrupt]) {
        yield* Effect.exit(breaker.apply<unknown, unknown, never>(effect))
        expect(yield* breaker.state).toMatchObject({ _tag: "HalfOpen", probes: 0, successes: 0 })
      }
      const hanging = yield* Effect.fork(breaker.apply(Effect.never))
      yield* Effect.yieldNow()
      yield* refused(breaker.apply(Effect.void))
      yield* Fiber.interrupt(hanging)
      yield* breaker.apply(Effect.void)
      expect(yield* tagOf(breaker)).toBe("Closed")
    }))

  it.effect("a probe that never reports holds its place for no longer than its lease, and callers are told so", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...plain, probeTimeout: "30 seconds", slowRatio: Infinity })
      yield* trip(breaker)
      yield* TestClock.adjust("10 seconds")
      const late = yield* Deferred.make<void, GenerationError.GenerationError>()
      const lost = yield* Effect.fork(breaker.apply(Deferred.await(late)))
      yield* TestClock.adjust("12 seconds")
      expect((yield* refused(breaker.apply(Effect.void))).retryAfter).toEqual(Duration.seconds(18))
      yield* TestClock.adjust("18 seconds")
      yield* Effect.ignore(breaker.apply(Effect.fail(new GenerationError.Unauthorized({ message: "key" }))))
      expect(yield* breaker.state).toMatchObject({ _tag: "HalfOpen", probes: 0 })
      yield* breaker.apply(Effect.void)
      expect(yield* tagOf(breaker)).toBe("Closed")
      // Late, and of an earlier time: it changes nothing.
      yield* Deferred.fail(late, overloaded)
      yield* Fiber.await(lost)
      expect(yield* breaker.state).toMatchObject({ _tag: "Closed", calls: 0, failures: 0 })
    }))

  it.effect("a late answer of the same opening still closes it", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...plain, probeTimeout: "5 seconds" })
      yield* trip(breaker)
      yield* TestClock.adjust("10 seconds")
      const probe = yield* Effect.fork(breaker.apply(Effect.sleep("40 seconds")))
      yield* TestClock.adjust("40 seconds")
      yield* Fiber.join(probe)
      expect(yield* tagOf(breaker)).toBe("Closed")
    }))

  it.effect("what was sent before it opened counts neither for nor against it", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(plain)
      const end = yield* Deferred.make<void, GenerationError.GenerationError>()
      const old = yield* Effect.fork(breaker.apply(Deferred.await(end)))
      yield* Effect.yieldNow()
      yield* trip(breaker)
      yield* TestClock.adjust("10 seconds")
      const probe = yield* Effect.fork(breaker.apply(Effect.sleep("1 second")))
      yield* Effect.yieldNow()
      yield* Deferred.fail(end, overloaded)
      yield* Fiber.await(old)
      expect(yield* breaker.state).toMatchObject({ _tag: "HalfOpen", probes: 1 })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(probe)
      expect(yield* breaker.state).toMatchObject({ _tag: "Closed", consecutiveFailures: 0 })
    }))

  it.effect("does not wait for long answers: what is not refused in time was accepted", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...plain, acceptedAfter: "10 seconds" })
      yield* trip(breaker)
      yield* TestClock.adjust("10 seconds")
      yield* Effect.fork(breaker.apply(Effect.sleep("90 seconds")))
      yield* TestClock.adjust("4 seconds")
      expect((yield* refused(breaker.apply(Effect.void))).retryAfter).toEqual(Duration.seconds(6))
      yield* TestClock.adjust("6 seconds")
      yield* breaker.apply(Effect.void)
      expect(yield* tagOf(breaker)).toBe("Closed")
    }))

  it.effect("but waits twice as long as the failures took that opened it", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...plain, acceptedAfter: "10 seconds" })
      const late = Effect.zipRight(Effect.sleep("20 seconds"), fail)
      yield* Effect.fork(Effect.repeatN(Effect.ignore(breaker.apply(late)), 1))
      yield* TestClock.adjust("40 seconds")
      yield* TestClock.adjust("10 seconds")
      yield* Effect.fork(Effect.ignore(breaker.apply(late)))
      yield* TestClock.adjust("19 seconds")
      expect(yield* breaker.state).toMatchObject({ _tag: "HalfOpen", probes: 1, successes: 0 })
      yield* TestClock.adjust("1 second")
      expect(yield* breaker.state).toMatchObject({ _tag: "Open", cause: "probe-failed", openings: 2 })
    }))
})

describe("the server's time", () => {
  it.effect("sets the opening, bounded by the longest one", () =>
    Effect.gen(function*() {
      for (const [wait, expected] of [["45 seconds", 45_000], ["3 seconds", 10_000], ["3 hours", 300_000]] as const) {
        const breaker = yield* CircuitBreaker.make(plain)
        yield* trip(breaker, asked(wait))
        const state = yield* breaker.state
        expect(state._tag === "Open" ? state.until - state.since : undefined).toBe(expected)
      }
    }))

  it.effect("is the latest that any of the failures asked for, also those that come in after it opened", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(plain)
      const failing = Effect.delay(Effect.fail(asked("1 minute")), "5 seconds")
      const late = yield* Effect.fork(Effect.flip(breaker.apply(failing)))
      yield* Effect.yieldNow()
      yield* Effect.ignore(breaker.apply(Effect.fail(asked("30 seconds"))))
      yield* Effect.ignore(breaker.apply(fail))
      expect(yield* breaker.state).toMatchObject({ until: 30_000 })
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(late)
      expect(yield* breaker.state).toMatchObject({ _tag: "Open", since: 0, until: 65_000, openings: 1 })
    }))

  it.effect("is heeded when a probe fails", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(plain)
      yield* trip(breaker)
      yield* TestClock.adjust("10 seconds")
      yield* Effect.ignore(breaker.apply(Effect.fail(asked("2 minutes"))))
      expect(yield* breaker.state).toMatchObject({ _tag: "Open", since: 10_000, until: 130_000 })
    }))
})

describe("isolate, reset and metrics-only", () => {
  it.effect("isolation holds while its scope lives, nests, and then resumes where the breaker was", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(plain)
      yield* Effect.ignore(breaker.apply(fail))
      yield* Effect.scoped(Effect.gen(function*() {
        yield* breaker.isolate
        yield* Effect.scoped(breaker.isolate)
        const error = yield* refused(breaker.apply(Effect.void))
        expect(error.retryAfter).toBeUndefined()
        expect(yield* breaker.state).toEqual({ _tag: "Isolated" })
        yield* Effect.scoped(breaker.at("default").isolate)
        expect(yield* tagOf(breaker)).toBe("Isolated")
      }))
      expect(yield* breaker.state).toMatchObject({ _tag: "Closed", consecutiveFailures: 1 })
      expect(yield* breaker.apply(Effect.succeed(1))).toBe(1)
    }))

  it.effect("isolation of one key leaves the others alone, and needs no breaker to be there", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make()
      const to = (endpoint: string) => CurrentCall.update(breaker.apply(Effect.succeed(1)), { endpoint })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* breaker.at("a").isolate
        yield* refused(to("a"))
        expect(yield* to("b")).toBe(1)
        const states = [...(yield* breaker.states)].map(([key, { _tag }]) => `${key} ${_tag}`)
        expect(states).toEqual(["b Closed", "a Isolated"])
      }))
      expect(yield* to("a")).toBe(1)
      expect(yield* breaker.at("a").state).toMatchObject({ _tag: "Closed", calls: 1 })
    }))

  it.effect("reset closes it, and what is in flight counts no more", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...plain, consecutiveFailures: 1 })
      const pending = yield* Effect.fork(Effect.flip(breaker.apply(Effect.delay(fail, "1 second"))))
      yield* Effect.yieldNow()
      yield* Effect.ignore(breaker.apply(fail))
      expect(yield* tagOf(breaker)).toBe("Open")
      yield* breaker.reset
      expect(yield* breaker.apply(Effect.succeed(1))).toBe(1)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(pending)
      expect(yield* breaker.state).toMatchObject({ _tag: "Closed", consecutiveFailures: 0 })
      yield* Effect.ignore(breaker.apply(fail))
      yield* breaker.at("nobody").reset
      expect(yield* tagOf(breaker)).toBe("Open")
      yield* breaker.at("default").reset
      expect(yield* tagOf(breaker)).toBe("Closed")
    }))

  it.effect("metrics-only refuses nobody, and its state goes the way it would have gone", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const onTransition = ({ to }: CircuitBreaker.Transition) => void seen.push(to)
      const breaker = yield* CircuitBreaker.make({ ...plain, mode: "metrics-only", onTransition })
      yield* trip(breaker)
      // None of these would have been sent, so none of them counts.
      for (const effect of [fail, Effect.void]) yield* Effect.ignore(breaker.apply(effect))
      expect(yield* breaker.state).toMatchObject({ _tag: "Open", openings: 1 })
      yield* TestClock.adjust("10 seconds")
      const probe = yield* Effect.fork(Effect.ignore(breaker.apply(Effect.delay(fail, "1 second"))))
      yield* Effect.yieldNow()
      expect(yield* breaker.apply(Effect.succeed(1))).toBe(1)
      yield* Effect.ignore(breaker.apply(Effect.fail(asked("1 hour"))))
      expect(yield* breaker.state).toMatchObject({ _tag: "HalfOpen", probes: 1 })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(probe)
      expect(yield* breaker.state).toMatchObject({ _tag: "Open", openings: 2 })
      expect(seen).toEqual(["Open", "HalfOpen", "Open"])
      yield* Effect.scoped(Effect.zipRight(breaker.isolate, breaker.apply(Effect.void)))
    }))

  it.effect("says each change as it happens, and what an observer throws is ignored", () =>
    Effect.gen(function*() {
      const seen: Array<CircuitBreaker.Transition> = []
      const breaker = yield* CircuitBreaker.make({
        ...plain,
        name: "b",
        onTransition: (transition) => {
          seen.push(transition)
          throw new Error("observer")
        }
      })
      yield* trip(breaker)
      yield* TestClock.adjust("10 seconds")
      yield* breaker.apply(Effect.void)
      yield* Effect.scoped(Effect.zipRight(breaker.isolate, TestClock.adjust("1 second")))
      yield* breaker.reset
      const common = { breaker: "b", key: "default" }
      expect(seen).toEqual([
        { ...common, from: "Closed", to: "Open", cause: "consecutive-failures", at: 0 },
        { ...common, from: "Open", to: "HalfOpen", at: 10_000 },
        { ...common, from: "HalfOpen", to: "Closed", at: 10_000 },
        { ...common, from: "Closed", to: "Isolated", at: 10_000 },
        { ...common, from: "Isolated", to: "Closed", at: 11_000 }
      ])
    }))
})

describe("streams", () => {
  const drain = <E>(breaker: CircuitBreaker.CircuitBreaker, stream: Stream.Stream<number, E>) =>
    Effect.exit(Stream.runDrain(breaker.applyStream(stream)))
  const failing = Stream.concat(Stream.make(1), Stream.fail(overloaded))

  it.effect("teach by how they end: failure, success, and nothing for the rest", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...plain, consecutiveFailures: 3 })
      yield* drain(breaker, failing)
      yield* drain(breaker, Stream.fail(overloaded))
      expect(yield* breaker.state).toMatchObject({ consecutiveFailures: 2, calls: 2 })
      yield* drain(breaker, Stream.die("bug"))
      yield* drain(breaker, Stream.fromEffect(Effect.interrupt))
      yield* drain(breaker, Stream.fail(new GenerationError.ContentBlocked({ message: "no" })))
      expect(yield* breaker.state).toMatchObject({ consecutiveFailures: 2, calls: 2 })
      yield* Stream.runDrain(Stream.take(breaker.applyStream(failing), 1))
      expect(yield* breaker.state).toMatchObject({ consecutiveFailures: 0, calls: 3 })
    }))

  it.effect("are refused before they begin", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(plain)
      const stream = breaker.applyStream(failing)
      yield* Effect.exit(Stream.runDrain(stream))
      yield* Effect.exit(Stream.runDrain(stream))
      expect(yield* Effect.flip(Stream.runDrain(stream))).toMatchObject({ _tag: "CircuitOpen" })
    }))

  it.effect("hold a probe's place until they end, but for the first element, which settles it", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...plain, successesToClose: 2 })
      yield* trip(breaker)
      yield* TestClock.adjust("10 seconds")
      const silent = yield* Effect.fork(drain(breaker, Stream.never))
      yield* TestClock.adjust(0)
      expect(yield* breaker.state).toMatchObject({ _tag: "HalfOpen", probes: 1, successes: 0 })
      yield* Fiber.interrupt(silent)
      expect(yield* breaker.state).toMatchObject({ _tag: "HalfOpen", probes: 0, successes: 0 })
      const talking = yield* Effect.fork(drain(breaker, Stream.concat(Stream.make(1, 2), Stream.never)))
      yield* TestClock.adjust(0)
      expect(yield* breaker.state).toMatchObject({ _tag: "HalfOpen", probes: 0, successes: 1 })
      yield* Fiber.interrupt(talking)
      expect(yield* breaker.state).toMatchObject({ _tag: "HalfOpen", probes: 0, successes: 1 })
      yield* drain(breaker, Stream.make(1))
      expect(yield* tagOf(breaker)).toBe("Closed")
    }))

  it.effect("a slow reader makes no slow call, a late first element does", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ slowAfter: "1 minute" })
      const reading = yield* Effect.fork(
        Stream.runForEach(breaker.applyStream(Stream.make(1)), () => Effect.sleep("5 minutes"))
      )
      yield* TestClock.adjust("4 minutes")
      expect(yield* breaker.state).toMatchObject({ overdue: 0 })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(reading)
      expect(yield* breaker.state).toMatchObject({ calls: 1, slow: 0 })
      const late = yield* Effect.fork(drain(breaker, Stream.fromEffect(Effect.as(Effect.sleep("61 seconds"), 1))))
      yield* TestClock.adjust("60 seconds")
      expect(yield* breaker.state).toMatchObject({ calls: 1, overdue: 1 })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(late)
      expect(yield* breaker.state).toMatchObject({ calls: 2, slow: 1, overdue: 0 })
    }))
})

describe("as a policy", () => {
  it.effect("passes values and errors untouched, and describes itself", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ name: "relay" })
      const value = {}
      expect(yield* breaker.apply(Effect.succeed(value))).toBe(value)
      expect(yield* Effect.exit(breaker.apply(Effect.die("bug")))).toEqual(Exit.die("bug"))
      expect(Policy.isPolicy(breaker)).toBe(true)
      expect(breaker.pipe((self) => self.name)).toBe("relay")
      expect(breaker.describe).toMatchObject({ kind: "CircuitBreaker", name: "relay", amplification: 1 })
      expect(breaker.describe.options).toMatchObject({ mode: "enforce", openFor: 15_000, window: 600_000 })
      const composed = Policy.compose(breaker, Timeout.make({ attempt: "1 minute" }))
      expect(composed.describe.name).toBe("relay > Timeout")
    }))

  it("adds its own refusal to the error channel, and nothing else", () => {
    expectTypeOf<Policy.Rejection<CircuitBreaker.CircuitBreaker>>().toEqualTypeOf<Rejected.CircuitOpen>()
    expectTypeOf<CircuitBreaker.CircuitBreaker["isolate"]>().toEqualTypeOf<Effect.Effect<void, never, Scope.Scope>>()
    expectTypeOf<ReturnType<typeof CircuitBreaker.make>>().toEqualTypeOf<Effect.Effect<CircuitBreaker.CircuitBreaker>>()
  })

  it.effect("counts a timeout inside it as a failure", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(plain)
      const policy = Policy.compose(breaker, Timeout.make({ attempt: "1 minute" }))
      const fiber = yield* Effect.fork(Effect.repeatN(Effect.ignore(policy.apply(Effect.never)), 1))
      yield* TestClock.adjust("2 minutes")
      yield* Fiber.join(fiber)
      expect(yield* tagOf(breaker)).toBe("Open")
    }))

  const illegal: ReadonlyArray<readonly [CircuitBreaker.MakeOptions, string]> = [
    [{ consecutiveFailures: 0 }, "consecutiveFailures"],
    [{ consecutiveFailures: 1.5 }, "consecutiveFailures"],
    [{ failureRatio: 0 }, "failureRatio"],
    [{ failureRatio: 1.1 }, "failureRatio"],
    [{ minimumCalls: 0 }, "minimumCalls"],
    [{ slowRatio: -1 }, "slowRatio"],
    [{ slowMinimumCalls: NaN }, "slowMinimumCalls"],
    [{ slowAfter: 0 }, "slowAfter"],
    [{ window: 9 }, "window"],
    [{ openFor: "6 minutes" }, "openFor"],
    [{ openFor: 0 }, "openFor"],
    [{ openFactor: 0.5 }, "openFactor"],
    [{ maxOpen: "30 days" }, "maxOpen"],
    [{ jitter: 2 }, "jitter"],
    [{ probes: 0 }, "probes"],
    [{ probes: Infinity }, "probes"],
    [{ successesToClose: 0 }, "successesToClose"],
    [{ acceptedAfter: 0 }, "acceptedAfter"],
    [{ probeTimeout: Infinity }, "probeTimeout"],
    [{ maxKeys: 0 }, "maxKeys"],
    [{ idleTime: 0 }, "idleTime"]
  ]
  for (const [options, field] of illegal) {
    it(`refuses ${field}: ${Object.values(options).join()}`, () => {
      expect(() => CircuitBreaker.make(options)).toThrow(RangeError)
      expect(() => CircuitBreaker.make(options)).toThrow(`CircuitBreaker.make: "${field}" must be`)
    })
  }

  it("refuses a mode that there is not", () => {
    const mode = "dry" as "enforce"
    expect(() => CircuitBreaker.make({ mode })).toThrow("\"mode\" must be one of enforce, metrics-only")
  })

  it.effect("a longest opening below the default first one shortens that", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ maxOpen: "5 seconds" })
      expect(breaker.describe.options).toMatchObject({ openFor: 5000, maxOpen: 5000 })
    }))
})

import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Schedule, ScheduleDecision, ScheduleIntervals } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import type * as Retry from "holdfast/Retry"
import type { TelemetryEvent } from "holdfast/TelemetryEvent"
import { bounded, boundOf } from "../src/internal/bounded.js"
import { Course, type Settings } from "../src/internal/retryCourse.js"
import { mayRepeat, unknownOutcomeRules } from "../src/internal/retryState.js"

const busy = new GenerationError.Overloaded({ message: "busy", endpoint: "relay", model: "nano" })
const late = new GenerationError.Timeout({ message: "late", phase: "headers" })
const blocked = new GenerationError.ContentBlocked({ message: "no" })
const hinted = (retryAfter: Duration.DurationInput) => new GenerationError.Overloaded({ message: "busy", retryAfter })

const settings: Settings = {
  name: "patient",
  schedule: Schedule.spaced("1 second"),
  maxAttempts: 99,
  attemptTime: 0,
  unknownOutcome: "always",
  overrulesOutcome: false,
  retryOn: GenerationError.isRetryable,
  budget: undefined,
  spend: undefined
}

const courseOf = (given: Partial<Settings> = {}, call: Partial<CurrentCall.Call> = {}) =>
  new Course({ ...settings, ...given }, { ...CurrentCall.none, ...call })

/** What becomes of the errors of attempts that take no time, one a second. */
const verdicts = (course: Course, errors: ReadonlyArray<GenerationError.GenerationError>) =>
  Effect.forEach(errors, (error, index) =>
    Effect.suspend(() => {
      course.record(error, index * 1000, index * 1000)
      return Effect.map(course.verdict(error, index * 1000), (verdict) =>
        verdict._tag === "GiveUp" ? verdict.stoppedBy : verdict.at)
    }))

/** A schedule that notes what it is asked about. */
const listening = (heard: Array<unknown>) =>
  Schedule.makeWithState(undefined, (_now, input: unknown, state) => {
    heard.push(input)
    return Effect.succeed([state, undefined, ScheduleDecision.continue(ScheduleIntervals.fromIterable([]))] as const)
  })

describe("the course of a generation's retries", () => {
  it("numbers its attempts and owns them, and leaves the rest of the call as it was", () => {
    const course = courseOf({}, { tenant: "acme", deadline: 5000 })
    expect(course.call()).toEqual({ ...CurrentCall.none, tenant: "acme", deadline: 5000, attempt: 1, retryOwner: "patient" })
    course.record(busy, 100, 350)
    expect(course.call().attempt).toBe(2)
    expect(course.attempts).toEqual([
      { number: 1, endpoint: "relay", model: "nano", startedAt: 100, duration: Duration.millis(250), error: busy }
    ])
    course.record(late, 400, 400)
    expect(course.attempts.map(({ number }) => number)).toEqual([1, 2])
  })

  it.effect("goes on when the schedule says so, and ends when it does", () =>
    Effect.gen(function*() {
      const schedule = Schedule.intersect(Schedule.spaced("3 seconds"), Schedule.recurs(2))
      expect(yield* verdicts(courseOf({ schedule }), [busy, busy, busy])).toEqual([3000, 4000, "schedule"])
    }))

  it.effect("says so as data", () =>
    Effect.gen(function*() {
      const course = courseOf({ maxAttempts: 2 })
      course.record(busy, 0, 0)
      expect(yield* course.verdict(busy, 0)).toEqual({ _tag: "Again", at: 1000 })
      course.record(busy, 1000, 1000)
      expect(yield* course.verdict(busy, 1000)).toEqual({ _tag: "GiveUp", stoppedBy: "schedule" })
    }))

  it.effect("counts the attempts that it may make", () =>
    Effect.gen(function*() {
      expect(yield* verdicts(courseOf({ maxAttempts: 2 }), [busy, busy])).toEqual([1000, "schedule"])
      expect(yield* verdicts(courseOf({ maxAttempts: 1 }), [busy])).toEqual(["schedule"])
    }))

  it.effect("stops at what it is not to retry, before anything else", () =>
    Effect.gen(function*() {
      expect(yield* verdicts(courseOf({ maxAttempts: 1 }), [blocked])).toEqual(["fatal"])
      expect(yield* verdicts(courseOf({ retryOn: (error) => error === blocked }), [blocked, busy])).toEqual([1000, "fatal"])
    }))

  it.effect("repeats an unknown outcome as often as the rule says, whatever came between", () =>
    Effect.gen(function*() {
      const errors = [busy, late, busy, late]
      const of = (unknownOutcome: Settings["unknownOutcome"]) => verdicts(courseOf({ unknownOutcome }), errors)
      expect(yield* of("never")).toEqual([1000, "unknown-outcome", 3000, "unknown-outcome"])
      expect(yield* of("once")).toEqual([1000, 2000, 3000, "unknown-outcome"])
      expect(yield* of("always")).toEqual([1000, 2000, 3000, 4000])
      expect(yield* verdicts(courseOf({ unknownOutcome: "once" }), [late, late, late]))
        .toEqual([1000, "unknown-outcome", "unknown-outcome"])
      expect(yield* verdicts(courseOf({ unknownOutcome: "never", maxAttempts: 1 }), [late])).toEqual(["unknown-outcome"])
    }))

  it.effect("starts no attempt before the server's time, the schedule's, or now", () =>
    Effect.gen(function*() {
      expect(yield* verdicts(courseOf(), [hinted("5 seconds"), hinted("400 millis")])).toEqual([5000, 2000])
      // The schedule has no interval to offer: at once.
      expect(yield* verdicts(courseOf({ schedule: listening([]) }), [busy, busy])).toEqual([0, 1000])
    }))

  it.effect("starts no attempt that cannot be done by the deadline", () =>
    Effect.gen(function*() {
      const first = (deadline: number, attemptTime: number) =>
        Effect.map(verdicts(courseOf({ attemptTime }, { deadline }), [busy]), ([verdict]) => verdict)
      expect(yield* first(3000, 2000)).toBe(1000)
      expect(yield* first(2999, 2000)).toBe("deadline")
      expect(yield* first(1001, 0)).toBe(1000)
      // Nothing is done in no time at all.
      expect(yield* first(1000, 0)).toBe("deadline")
    }))

  describe("what it may cost", () => {
    const costs = (given: ReadonlyArray<number>): Retry.Spend["costOf"] => ({ number }) => given[number - 1]!
    const of = (spend: Retry.Spend, count: number) =>
      verdicts(courseOf({ spend }), Array.from({ length: count }, () => busy))

    it.effect("takes the next attempt to cost as much as the dearest so far", () =>
      Effect.gen(function*() {
        expect(yield* of({ limit: 6, costOf: costs([2, 2, 2]) }, 3)).toEqual([1000, 2000, "spend"])
        expect(yield* of({ limit: 5.9, costOf: costs([2, 2]) }, 2)).toEqual([1000, "spend"])
        expect(yield* of({ limit: 7, costOf: costs([3, 1, 1]) }, 3)).toEqual([1000, 2000, "spend"])
        expect(yield* of({ limit: 7, costOf: costs([1, 3]) }, 2)).toEqual([1000, 2000])
      }))

    it.effect("or what it is said to", () =>
      Effect.gen(function*() {
        expect(yield* of({ limit: 6, costOf: costs([2, 2]), nextCost: 4 }, 2)).toEqual([1000, "spend"])
        expect(yield* of({ limit: 6, costOf: costs([2, 2, 2]), nextCost: 0 }, 3)).toEqual([1000, 2000, "spend"])
      }))

    it.effect("leaves out what has no cost, or none that is known", () =>
      Effect.gen(function*() {
        expect(yield* of({ limit: 4, costOf: costs([NaN, -9, 2, 2]) }, 4)).toEqual([1000, 2000, 3000, "spend"])
      }))

    it.effect("has no limit unless one is given", () =>
      Effect.gen(function*() {
        expect(yield* verdicts(courseOf(), [busy, busy])).toEqual([1000, 2000])
      }))
  })

  describe("what the schedule is asked about", () => {
    const heardBy = (given: Partial<Settings>, error: GenerationError.GenerationError) =>
      Effect.gen(function*() {
        const heard: Array<unknown> = []
        const course = courseOf({ schedule: listening(heard), retryOn: () => true, ...given })
        yield* verdicts(course, [error])
        expect(heard).toHaveLength(1)
        return heard[0] as GenerationError.GenerationError
      })

    it.effect("is the error itself, where nothing else was decided", () =>
      Effect.gen(function*() {
        expect(yield* heardBy({}, late)).toBe(late)
        expect(yield* heardBy({ overrulesOutcome: true }, busy)).toBe(busy)
      }))

    it.effect("is an error with a known outcome, where the rule stands on the retry", () =>
      Effect.gen(function*() {
        const shown = yield* heardBy({ overrulesOutcome: true }, late)
        expect(shown).toBeInstanceOf(GenerationError.Timeout)
        expect([shown.outcome, late.outcome]).toEqual(["rejected", "unknown"])
      }))

    it.effect("is a retryable error in place of one that is retried on request", () =>
      Effect.gen(function*() {
        const fields = { message: "no image", endpoint: "relay", model: "nano", retryAfter: Duration.seconds(7) } as const
        const empty = new GenerationError.EmptyResult({ ...fields, outcome: "unknown" })
        expect(yield* heardBy({}, empty)).toMatchObject({ _tag: "Transient", ...fields, outcome: "unknown" })
        expect(yield* heardBy({ overrulesOutcome: true }, empty)).toMatchObject({ _tag: "Transient", outcome: "rejected" })
      }))
  })

  it("gives up with a copy of the last error, which carries the reason and every attempt", () => {
    const course = courseOf()
    course.record(busy, 0, 5)
    const error = course.final(busy, "schedule")
    expect(error).toBeInstanceOf(GenerationError.Overloaded)
    expect([error.stoppedBy, error.attempts]).toEqual(["schedule", course.attempts])
    expect([busy.stoppedBy, busy.attempts]).toEqual([undefined, undefined])
  })

  it("takes the generation's own log of the attempts, unless it tells less", () => {
    const log: CurrentCall.AttemptLog = { attempts: [], started: 0 }
    const course = courseOf({}, { log })
    course.record(busy, 0, 5)
    expect(course.final(busy, "fatal").attempts).toEqual(course.attempts)
    const logged: GenerationError.Attempt = { ...course.attempts[0]!, endpoint: "hedge" }
    log.attempts.push(logged)
    const error = course.final(busy, "fatal")
    expect(error.attempts).toEqual([logged])
    log.attempts.push(logged)
    expect(error.attempts).toHaveLength(1)
    expect(course.final(busy, "fatal").attempts).toEqual([logged, logged])
  })

  it("tells whoever watches of each retry", () => {
    const told = (error: GenerationError.GenerationError, call: Partial<CurrentCall.Call> = {}) => {
      const events: Array<TelemetryEvent> = []
      const course = courseOf({}, { ...call, observe: (event) => void events.push(event) })
      course.record(error, 0, 100)
      course.announce(error, 100, 1600)
      return events
    }
    const event = {
      _tag: "RetryScheduled",
      generation: "none",
      at: 100,
      policy: "patient",
      attempt: 2,
      error: "Overloaded",
      endpoint: "relay",
      delay: Duration.millis(1500)
    }
    expect(told(busy)).toEqual([event])
    expect(told(busy, { generation: "g-1", endpoint: "direct" })).toEqual([{ ...event, generation: "g-1" }])
    // An error that does not know where it happened: the routing policy does.
    expect(told(late)).toEqual([{ ...event, error: "Timeout", endpoint: "default" }])
    expect(told(late, { endpoint: "direct" })).toEqual([{ ...event, error: "Timeout", endpoint: "direct" }])
  })
})

describe("the rule for unknown outcomes", () => {
  it("speaks of nothing but unknown outcomes", () => {
    for (const rule of unknownOutcomeRules) {
      for (const error of [busy, new Error("mine"), undefined]) expect(mayRepeat(rule, error, 5)).toBe(true)
    }
  })

  it("allows them never, once, or always", () => {
    const allowed = (rule: Settings["unknownOutcome"]) => [0, 1, 2].map((seen) => mayRepeat(rule, late, seen))
    expect(unknownOutcomeRules).toEqual(["never", "once", "always"])
    expect(allowed("never")).toEqual([false, false, false])
    expect(allowed("once")).toEqual([true, false, false])
    expect(allowed("always")).toEqual([true, true, true])
  })
})

describe("the bound that a schedule carries", () => {
  it("is what was said of it, and none when nothing was", () => {
    expect(boundOf(bounded(Schedule.spaced("1 second"), 4))).toBe(4)
    expect(boundOf(Schedule.spaced("1 second"))).toBe(Infinity)
  })
})

describe("what the last retry has paid", () => {
  const paid = (call: Partial<CurrentCall.Call> = {}) => {
    const course = courseOf({}, call)
    const payment = { tokens: 3, sent: false }
    course.payment = payment
    return { course, payment }
  }
  const started: TelemetryEvent = {
    _tag: "AttemptStarted",
    generation: "g",
    at: 0,
    attempt: 1,
    endpoint: "relay",
    model: "nano"
  }
  const answered: TelemetryEvent = { _tag: "CacheAnswered", generation: "g", at: 0, source: "hit" }

  it("is nothing that an attempt must tell of before somebody has paid", () => {
    const course = courseOf()
    course.begun()
    course.withdrawn()
    expect(course.payment).toBe(undefined)
    expect(course.call().withdrawn).toBe(undefined)
    expect(course.call().observe).toBe(CurrentCall.none.observe)
  })

  it("is used up by the first step of an attempt, unless it leaves a queue before it was sent", () => {
    const { course, payment } = paid()
    const call = course.call()
    expect(call).toMatchObject({ attempt: 1, retryOwner: "patient" })
    expect(call.observe).toBe(CurrentCall.none.observe)
    expect(payment.sent).toBe(false)
    course.begun()
    expect(payment.sent).toBe(true)
    call.withdrawn?.()
    expect(payment).toEqual({ tokens: 3, sent: false })
    course.begun()
    course.withdrawn()
    expect(payment.sent).toBe(false)
  })

  it("is used up, within a generation, by what the watch around the client tells", () => {
    const heard: Array<TelemetryEvent> = []
    const { course, payment } = paid({ log: CurrentCall.makeLog(), observe: (event) => heard.push(event) })
    const call = course.call()
    course.begun()
    expect(payment.sent).toBe(false)
    call.observe(answered)
    expect(payment.sent).toBe(false)
    call.observe(started)
    expect(payment.sent).toBe(true)
    expect(heard).toEqual([answered, started])
    call.withdrawn?.()
    expect(payment.sent).toBe(false)
  })
})

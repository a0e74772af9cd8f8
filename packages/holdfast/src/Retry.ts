/**
 * Tries again, by a schedule, what another attempt may cure.
 *
 * One retry owns a generation: a retry inside another becomes transparent, because two of them multiply attempts just
 * when capacity is short. Giving up re-raises the last error itself, with `attempts` and `stoppedBy` filled in, so
 * nothing is added to the error channel and `catchTag("Overloaded")` works. For streams it acts until the first element
 * and never after: a repeat would mix two answers.
 *
 * Not for work that must not be done twice: an outcome that is unknown is repeated once at most unless told otherwise,
 * and `unknownOutcome: "never"` forbids even that.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import * as Stream from "effect/Stream"
import * as Backoff from "./Backoff.js"
import { type Call, CurrentCall, provideStream } from "./CurrentCall.js"
import * as GenerationError from "./GenerationError.js"
import { boundOf } from "./internal/bounded.js"
import * as Options from "./internal/options.js"
import { mayRepeat, type UnknownOutcome, unknownOutcomeRules } from "./internal/retryState.js"
import * as Sleep from "./internal/sleep.js"
import * as Policy from "./Policy.js"

/** Options of `make`. */
export interface MakeOptions {
  /** Default `"Retry"`. */
  readonly name?: string | undefined
  /**
   * When to try again. Any schedule will do: fatal errors, the server's own time and the deadline are looked after
   * here. Default: `Backoff.exponential({ base: "2 seconds" })`.
   */
  readonly schedule?: Schedule.Schedule<unknown, unknown> | undefined
  /** Attempts in all, the first one included; at least 1. Default: 6 with the default schedule, else the schedule's. */
  readonly maxAttempts?: number | undefined
  /** How long an attempt needs at least: none is started that could not finish by the deadline. Default 0. */
  readonly attemptTime?: Duration.DurationInput | undefined
  /**
   * How often to repeat work that may have been done and billed. Default `"once"`, or less often if the schedule says
   * so; a rule that is stated here overrules the schedule's.
   */
  readonly unknownOutcome?: UnknownOutcome | undefined
  /** Which errors to retry. Default `GenerationError.isRetryable`; `EmptyResult` is a sensible addition. */
  readonly retryOn?: ((error: unknown) => boolean) | undefined
}

/** The defaults, as the docs table states them. */
export const defaults = {
  name: "Retry",
  maxAttempts: 6,
  attemptTime: "0 millis",
  unknownOutcome: "once"
} as const satisfies MakeOptions

type Verdict =
  | { readonly _tag: "Again"; readonly at: number }
  | { readonly _tag: "GiveUp"; readonly stoppedBy: GenerationError.StoppedBy }

interface Settings {
  readonly name: string
  readonly schedule: Schedule.Schedule<unknown, unknown>
  readonly maxAttempts: number
  readonly attemptTime: number
  readonly unknownOutcome: UnknownOutcome
  /** Was the rule stated here, rather than left to the schedule? */
  readonly overrulesOutcome: boolean
  readonly retryOn: (error: unknown) => boolean
}

/** The course of one generation's retries: what was tried, and whether to try again. */
class Course {
  readonly attempts: Array<GenerationError.Attempt> = []
  private state: unknown
  private unknowns = 0

  constructor(readonly settings: Settings, readonly outer: Call) {
    this.state = settings.schedule.initial
  }

  /** The call that the next attempt sees. */
  call(): Call {
    return { ...this.outer, attempt: this.attempts.length + 1, retryOwner: this.settings.name }
  }

  record(error: GenerationError.GenerationError, startedAt: number, now: number): void {
    this.attempts.push({
      number: this.attempts.length + 1,
      endpoint: error.endpoint,
      model: error.model,
      startedAt,
      duration: Duration.millis(now - startedAt),
      error
    })
  }

  verdict(error: GenerationError.GenerationError, now: number): Effect.Effect<Verdict> {
    const { attemptTime, maxAttempts, retryOn, schedule, unknownOutcome } = this.settings
    const giveUp = (stoppedBy: GenerationError.StoppedBy) => Effect.succeed<Verdict>({ _tag: "GiveUp", stoppedBy })
    if (!retryOn(error)) return giveUp("fatal")
    if (!mayRepeat(unknownOutcome, error, this.unknowns)) return giveUp("unknown-outcome")
    if (this.attempts.length >= maxAttempts) return giveUp("schedule")
    if (GenerationError.isUnknownOutcome(error)) this.unknowns++
    return Effect.map(schedule.step(now, shown(error, this.settings), this.state), ([state, , decision]): Verdict => {
      this.state = state
      if (ScheduleDecision.isDone(decision)) return { _tag: "GiveUp", stoppedBy: "schedule" }
      const floor = now + GenerationError.retryAfterMillis(error)
      const at = Math.max(now, floor, ScheduleIntervals.start(decision.intervals))
      const inTime = at + attemptTime <= this.outer.deadline && at < this.outer.deadline
      return inTime ? { _tag: "Again", at } : { _tag: "GiveUp", stoppedBy: "deadline" }
    })
  }

  /** The last error with its history. A generation's own log is more exact: it knows hedges and fall-backs too. */
  final<E extends GenerationError.GenerationError>(error: E, stoppedBy: GenerationError.StoppedBy): E {
    const logged = this.outer.log?.attempts ?? []
    const attempts = logged.length >= this.attempts.length ? [...logged] : this.attempts
    return GenerationError.update(error, { attempts, stoppedBy })
  }

  announce(error: GenerationError.GenerationError, now: number, at: number): void {
    this.outer.observe({
      _tag: "RetryScheduled",
      generation: this.outer.generation ?? "none",
      at: now,
      policy: this.settings.name,
      attempt: this.attempts.length + 1,
      error: error._tag,
      endpoint: error.endpoint === "unknown" ? (this.outer.endpoint ?? "default") : error.endpoint,
      delay: Duration.millis(at - now)
    })
  }
}

/**
 * What the schedule is asked about. Schedules of this library decide on class and outcome too; where `retryOn` or
 * `unknownOutcome` was given here, the decision has fallen, and the schedule is shown an error that it goes on for.
 */
const shown = (error: GenerationError.GenerationError, settings: Settings): GenerationError.GenerationError => {
  const outcome = settings.overrulesOutcome ? "rejected" : error.outcome
  if (GenerationError.isRetryable(error)) {
    return outcome === error.outcome ? error : GenerationError.update(error, { outcome })
  }
  const { endpoint, message, model, retryAfter } = error
  return new GenerationError.Transient({ message, endpoint, model, outcome, retryAfter })
}

const settingsOf = (options: MakeOptions): Settings => {
  const schedule = options.schedule ?? Backoff.exponential({ base: "2 seconds", unknownOutcome: "always" })
  const allowed = options.schedule === undefined ? defaults.maxAttempts : Infinity
  return {
    name: options.name ?? defaults.name,
    schedule,
    maxAttempts: Math.min(
      Options.count("Retry.make", "maxAttempts", options.maxAttempts, allowed, { min: 1 }),
      boundOf(schedule)
    ),
    attemptTime: Options.millis("Retry.make", "attemptTime", options.attemptTime, defaults.attemptTime),
    unknownOutcome: Options.oneOf(
      "Retry.make",
      "unknownOutcome",
      options.unknownOutcome,
      defaults.unknownOutcome,
      unknownOutcomeRules
    ),
    overrulesOutcome: options.unknownOutcome !== undefined,
    retryOn: options.retryOn ?? GenerationError.isRetryable
  }
}

/** A policy that retries. It adds nothing to the error channel: giving up fails with the last error itself. */
export const make = (options: MakeOptions = {}): Policy.Policy => {
  const settings = settingsOf(options)
  let said = false
  const transparent = (owner: string): Effect.Effect<void> => {
    if (said) return Effect.void
    said = true
    return Effect.logWarning(
      `Retry "${settings.name}" stands inside "${owner}" and lets everything pass: one generation has one retry`
    )
  }
  return Policy.make({
    kind: "Retry",
    name: settings.name,
    amplification: settings.maxAttempts,
    options: {
      maxAttempts: settings.maxAttempts,
      attemptTime: settings.attemptTime,
      unknownOutcome: settings.unknownOutcome
    },
    apply: (self) =>
      Effect.flatMap(CurrentCall, (outer) =>
        outer.retryOwner === undefined
          ? retryEffect(self, new Course(settings, outer))
          : Effect.zipRight(transparent(outer.retryOwner), self)),
    applyStream: (self) =>
      Stream.unwrap(
        Effect.map(CurrentCall, (outer) =>
          outer.retryOwner === undefined
            ? retryStream(self, new Course(settings, outer))
            : Stream.concat(Stream.drain(Stream.fromEffect(transparent(outer.retryOwner))), self))
      )
  })
}

const retryEffect = <A, E, R>(self: Effect.Effect<A, E, R>, course: Course): Effect.Effect<A, E, R> =>
  Effect.flatMap(Clock.currentTimeMillis, (startedAt) =>
    Effect.catchAll(Effect.provideService(self, CurrentCall, course.call()), (error) =>
      Effect.flatMap(next(course, error, startedAt), () => retryEffect(self, course))))

const retryStream = <A, E, R>(self: Stream.Stream<A, E, R>, course: Course): Stream.Stream<A, E, R> =>
  Stream.unwrap(
    Effect.map(Clock.currentTimeMillis, (startedAt) => {
      let committed = false
      return provideStream(self, course.call()).pipe(
        Stream.mapChunks((chunk) => {
          committed = committed || chunk.length > 0
          return chunk
        }),
        Stream.catchAll((error) =>
          Stream.unwrap(
            Effect.map(
              committed ? stopCommitted(course, error, startedAt) : next(course, error, startedAt),
              () => retryStream(self, course)
            )
          ))
      )
    })
  )

/** Waits until the next attempt may start, or fails with the last error because there will be none. */
const next = <E>(course: Course, error: E, startedAt: number): Effect.Effect<void, E> => {
  if (!GenerationError.isGenerationError(error)) return Effect.fail(error)
  return Effect.flatMap(Clock.currentTimeMillis, (now) => {
    course.record(error, startedAt, now)
    return Effect.flatMap(course.verdict(error, now), (verdict): Effect.Effect<void, E> => {
      if (verdict._tag === "GiveUp") return Effect.fail(course.final(error, verdict.stoppedBy))
      course.announce(error, now, verdict.at)
      return Sleep.until(verdict.at)
    })
  })
}

/** Output was handed out: the error passes, and says that this is why nobody tried again. */
const stopCommitted = <E>(course: Course, error: E, startedAt: number): Effect.Effect<never, E> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (!GenerationError.isGenerationError(error)) return Effect.fail(error)
    course.record(error, startedAt, now)
    return Effect.fail(course.final(error, GenerationError.isRetryable(error) ? "committed" : "fatal"))
  })

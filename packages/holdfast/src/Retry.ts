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
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Backoff from "./Backoff.js"
import { CurrentCall } from "./CurrentCall.js"
import * as GenerationError from "./GenerationError.js"
import { boundOf } from "./internal/bounded.js"
import * as Options from "./internal/options.js"
import * as Policies from "./internal/policy.js"
import { provideStream } from "./internal/provideStream.js"
import { Course, type Settings } from "./internal/retryCourse.js"
import { type UnknownOutcome, unknownOutcomeRules } from "./internal/retryState.js"
import * as Sleep from "./internal/sleep.js"
import { retryStage } from "./internal/stage.js"
import type * as Policy from "./Policy.js"
import { isRejected } from "./Rejected.js"
import type { RetryBudget } from "./RetryBudget.js"

/** A cap on what the attempts of one generation may cost together, in any unit: money, tokens. */
export interface Spend {
  /** The most; at least 0, which allows no retry. */
  readonly limit: number
  /** What an attempt cost that failed: it may have been billed. A cost that is not known (NaN) counts as nothing. */
  readonly costOf: (attempt: GenerationError.Attempt) => number
  /**
   * What a further attempt is expected to cost: none starts that could pass the limit. At least 0. Default: the most
   * that an attempt of the generation has cost so far.
   */
  readonly nextCost?: number | undefined
}

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
  /** What retries are paid from, shared with other generations. Default none: they are free. */
  readonly budget?: RetryBudget | undefined
  /** What the attempts of one generation may cost, the failed ones included. Default no cap. */
  readonly spend?: Spend | undefined
}

/** The defaults, as the docs table states them. */
export const defaults = {
  name: "Retry",
  maxAttempts: 6,
  attemptTime: "0 millis",
  unknownOutcome: "once"
} as const satisfies MakeOptions

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
    retryOn: options.retryOn ?? GenerationError.isRetryable,
    budget: options.budget,
    spend: options.spend === undefined ? undefined : spendOf(options.spend)
  }
}

const spendOf = (spend: Spend): Spend => ({
  limit: Options.number("Retry.make", "spend.limit", spend.limit, 0, { min: 0 }),
  costOf: spend.costOf,
  nextCost: spend.nextCost === undefined
    ? undefined
    : Options.number("Retry.make", "spend.nextCost", spend.nextCost, 0, { min: 0 })
})

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
  const described = {
    kind: "Retry",
    name: settings.name,
    amplification: settings.maxAttempts,
    options: {
      maxAttempts: settings.maxAttempts,
      attemptTime: settings.attemptTime,
      unknownOutcome: settings.unknownOutcome,
      ...(settings.budget === undefined ? {} : { budget: settings.budget.name }),
      ...(settings.spend === undefined ? {} : { spendLimit: settings.spend.limit })
    }
  }
  const applyStream: Policy.Policy["applyStream"] = (self) =>
    Stream.unwrap(
      Effect.map(CurrentCall, (outer) =>
        outer.retryOwner === undefined
          ? ownedStream(self, new Course(settings, outer))
          : Stream.concat(Stream.drain(Stream.fromEffect(transparent(outer.retryOwner))), self))
    )
  const { budget } = settings
  if (budget === undefined) {
    const stage = retryStage((outer, now) => {
      if (outer.retryOwner !== undefined) return said ? undefined : transparent(outer.retryOwner)
      const course = new Course(settings, outer)
      return {
        call: course.call(),
        failed: (error, rest) => Effect.flatMap(next(course, error, now), () => retryEffect(rest, course))
      }
    })
    return Policies.staged<never>({ ...described, stage, applyStream })
  }
  return Policies.make({
    ...described,
    apply: (self) =>
      Effect.flatMap(CurrentCall, (outer) =>
        outer.retryOwner === undefined
          ? paidFrom(budget, self, new Course(settings, outer))
          : Effect.zipRight(transparent(outer.retryOwner), self)),
    applyStream
  })
}

/**
 * A generation under a retry with a budget: what it earns and pays, and its attempts. What was paid for an attempt comes
 * back if that succeeds, and if it was never sent, however the generation ends.
 */
const paidFrom = <A, E, R>(budget: RetryBudget, self: Effect.Effect<A, E, R>, course: Course): Effect.Effect<A, E, R> =>
  Effect.zipRight(
    budget.requested,
    Effect.onExit(retryEffect(self, course), (exit) => settle(budget, course, Exit.isSuccess(exit)))
  )

const ownedStream = <A, E, R>(self: Stream.Stream<A, E, R>, course: Course): Stream.Stream<A, E, R> => {
  const { budget } = course.settings
  if (budget === undefined) return retryStream(self, course)
  let succeeded = false
  const whole = Stream.concat(
    retryStream(self, course),
    Stream.execute(Effect.sync(() => {
      succeeded = true
    }))
  )
  return Stream.ensuring(
    Stream.flatMap(Stream.fromEffect(budget.requested), () => whole),
    Effect.suspend(() => settle(budget, course, succeeded))
  )
}

/** Closes the books of a generation. */
const settle = (budget: RetryBudget, course: Course, succeeded: boolean): Effect.Effect<void> => {
  const payment = course.payment
  if (succeeded) return budget.succeeded(payment?.tokens ?? 0)
  return payment === undefined || payment.sent ? Effect.void : budget.deposit(payment.tokens)
}

const retryEffect = <A, E, R>(self: Effect.Effect<A, E, R>, course: Course): Effect.Effect<A, E, R> =>
  Effect.flatMap(Clock.currentTimeMillis, (startedAt) =>
    Effect.catchAll(Effect.provideService(begun(self, course), CurrentCall, course.call()), (error) =>
      Effect.flatMap(next(course, error, startedAt), () => retryEffect(self, course))))

/** An attempt that a budget has paid for says when it begins. */
const begun = <A, E, R>(self: Effect.Effect<A, E, R>, course: Course): Effect.Effect<A, E, R> =>
  course.payment === undefined ? self : Effect.zipRight(Effect.sync(() => course.begun()), self)

const retryStream = <A, E, R>(self: Stream.Stream<A, E, R>, course: Course): Stream.Stream<A, E, R> =>
  Stream.unwrap(
    Effect.map(Clock.currentTimeMillis, (startedAt) => {
      let committed = false
      course.begun()
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
  if (!GenerationError.isGenerationError(error)) {
    if (isRejected(error)) course.withdrawn()
    return Effect.fail(error)
  }
  return Effect.flatMap(Clock.currentTimeMillis, (now) => {
    course.record(error, startedAt, now)
    return Effect.flatMap(course.verdict(error, now), (verdict): Effect.Effect<void, E> => {
      if (verdict._tag === "GiveUp") return Effect.fail(course.final(error, verdict.stoppedBy))
      const wait = Effect.suspend(() => {
        course.announce(error, now, verdict.at)
        return Sleep.until(verdict.at)
      })
      const { budget } = course.settings
      return budget === undefined ? wait : paidBy(budget, course, error, wait)
    })
  })
}

/** The wait for a retry that the budget pays for. */
const paidBy = <E>(
  budget: RetryBudget,
  course: Course,
  error: E & GenerationError.GenerationError,
  wait: Effect.Effect<void>
): Effect.Effect<void, E> =>
  Effect.zipRight(
    Effect.uninterruptible(
      Effect.flatMap(budget.withdraw(error), (grant): Effect.Effect<void, E> => {
        if (grant === "refused") return Effect.fail(course.final(error, "budget"))
        course.payment = { tokens: grant === "paid" ? budget.priceOf(error) : 0, sent: false }
        return Effect.void
      })
    ),
    wait
  )

/** Output was handed out: the error passes, and says that this is why nobody tried again. */
const stopCommitted = <E>(course: Course, error: E, startedAt: number): Effect.Effect<never, E> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (!GenerationError.isGenerationError(error)) return Effect.fail(error)
    course.record(error, startedAt, now)
    return Effect.fail(course.final(error, GenerationError.isRetryable(error) ? "committed" : "fatal"))
  })

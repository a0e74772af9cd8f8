/**
 * How long to wait before the next attempt: plain `Schedule` values that compose.
 *
 * Every schedule made here takes any input and continues only on a retryable `GenerationError`, so it works as it is
 * under `Effect.retry`, `Stream.retry` and `Retry`, whatever else is in the error channel. The server's own time is a
 * floor: no delay is ever shorter, and jitter is added above it only. That is why jitter, the server's hint and the
 * rule for unknown outcomes are options of the constructors: a combinator applied later could break the floor. Safe to
 * apply afterwards are `upToAttempts`, `upToElapsed`, `withinDeadline`, `OffPeak.stretch`, `Schedule.intersect` and
 * `Schedule.whileInput`; not safe are `Schedule.jittered`, `Schedule.union` and `Schedule.delayed`.
 *
 * Not for pacing many callers against one endpoint: schedules share nothing. Admission control does that.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleInterval from "effect/ScheduleInterval"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import { CurrentCall, none } from "./CurrentCall.js"
import * as GenerationError from "./GenerationError.js"
import { bounded, boundOf } from "./internal/bounded.js"
import * as Options from "./internal/options.js"
import { mayRepeat, type UnknownOutcome, unknownOutcomeRules } from "./internal/retryState.js"
import { maxTimerMillis } from "./internal/timer.js"

export type { UnknownOutcome } from "./internal/retryState.js"

/** A schedule of delays under any error: what it does not know, it takes for fatal. */
export interface Backoff<in In = unknown> extends Schedule.Schedule<Duration.Duration, In> {}

/**
 * How chance is mixed into a delay `d`; `u` is uniform on [0, 1).
 *
 * - `full`: `d·u`. Spreads callers best; some come back at once.
 * - `equal`: `d/2 + d/2·u`.
 * - `additive`: `d + spread·u`, the classic loop.
 * - `positive`: `d + d·u`, never before the ladder's own time.
 * - `none`.
 *
 * Source of `full`, `equal` and `decorrelated`: M. Brooker, "Exponential Backoff And Jitter" (AWS, 2015).
 */
export type Jitter = "full" | "equal" | "additive" | "positive" | "none"

const jitters: ReadonlyArray<Jitter> = ["full", "equal", "additive", "positive", "none"]

/** What all schedules can be told. */
export interface CommonOptions {
  /** Delay before the first retry, before jitter. Default 1 second; above 0. */
  readonly base?: Duration.DurationInput | undefined
  /** Longest delay of our own, jitter included. Default 1 minute; at least `base`. A server's time is not cut by it. */
  readonly cap?: Duration.DurationInput | undefined
  /** A server that asks for a longer wait stops the schedule. Default 10 minutes. */
  readonly maxServerWait?: Duration.DurationInput | undefined
  /** How often to repeat work that may have been done and billed. Default `"once"`. */
  readonly unknownOutcome?: UnknownOutcome | undefined
  /** Which errors to go on for. Default `GenerationError.isRetryable`. */
  readonly retryOn?: ((error: unknown) => boolean) | undefined
}

/** Options of the ladders: `exponential`, `linear`, `fibonacci`, `constant`. */
export interface LadderOptions extends CommonOptions {
  /** Default `"full"`. */
  readonly jitter?: Jitter | undefined
  /** The width of `additive` jitter. Default 1 second. */
  readonly spread?: Duration.DurationInput | undefined
}

/** Options of `exponential`. */
export interface ExponentialOptions extends LadderOptions {
  /** Default 2; at least 1. */
  readonly factor?: number | undefined
}

/** The defaults, as the docs table states them. */
export const defaults = {
  base: "1 second",
  cap: "1 minute",
  factor: 2,
  jitter: "full",
  spread: "1 second",
  maxServerWait: "10 minutes",
  unknownOutcome: "once"
} as const satisfies ExponentialOptions

/** Share of the server's time by which jitter exceeds it, so that callers told the same time do not return as one. */
const hintSpread = 0.2

interface State {
  /** Retries so far. */
  readonly retries: number
  /** Retries so far of work whose outcome was unknown. */
  readonly unknowns: number
  /** The last delay of our own, in milliseconds. */
  readonly previous: number
}

/** Our own delay for retry `n` (0 first), in milliseconds, and how far jitter may go above a server's time. */
interface Rung {
  readonly delay: number
  readonly width: number
}

const fromRungs = (
  owner: string,
  options: CommonOptions,
  jittered: boolean,
  rung: (retry: number, previous: number, u: number) => Rung
): Backoff => {
  const maxServerWait = Options.millis(owner, "maxServerWait", options.maxServerWait, defaults.maxServerWait)
  const rule = Options.oneOf(
    owner,
    "unknownOutcome",
    options.unknownOutcome,
    defaults.unknownOutcome,
    unknownOutcomeRules
  )
  const retryOn = options.retryOn ?? GenerationError.isRetryable
  const initial: State = { retries: 0, unknowns: 0, previous: 0 }
  const done = (state: State, wait: number) => [state, Duration.millis(wait), ScheduleDecision.done] as const
  return Schedule.makeWithState(initial, (now: number, error: unknown, state: State) => {
    const floor = GenerationError.retryAfterMillis(error)
    if (!retryOn(error) || !mayRepeat(rule, error, state.unknowns)) return Effect.succeed(done(state, 0))
    if (floor > maxServerWait) return Effect.succeed(done(state, floor))
    const step = (u: number) => {
      const { delay, width } = rung(state.retries, state.previous, u)
      // Whole milliseconds: rounded down under the cap, up over the server's time.
      const own = Math.floor(delay)
      const wait = Math.min(maxTimerMillis, floor === 0 ? own : Math.max(own, Math.ceil(floor + width * u)))
      const next: State = {
        retries: state.retries + 1,
        unknowns: state.unknowns + (GenerationError.isUnknownOutcome(error) ? 1 : 0),
        previous: delay
      }
      return [next, Duration.millis(wait), ScheduleDecision.continueWith(ScheduleInterval.after(now + wait))] as const
    }
    return jittered ? Effect.map(Random.next, step) : Effect.succeed(step(0))
  })
}

const ladder = (owner: string, options: LadderOptions, raw: (base: number, retry: number) => number): Backoff => {
  const base = Options.millis(owner, "base", options.base, defaults.base, { min: 1 })
  const cap = Options.millis(owner, "cap", options.cap, Math.max(base, 60_000), { min: base })
  const spread = Options.millis(owner, "spread", options.spread, defaults.spread)
  const jitter = Options.oneOf(owner, "jitter", options.jitter, defaults.jitter, jitters)
  const limit = Math.min(cap, maxTimerMillis)
  return fromRungs(owner, options, jitter !== "none", (retry, _previous, u) => {
    const d = Math.min(limit, raw(base, retry))
    const width = jitter === "none" ? 0 : Math.max(hintSpread * d, Math.min(d, 1000))
    switch (jitter) {
      case "none":
        return { delay: d, width }
      case "full":
        return { delay: d * u, width }
      case "equal":
        return { delay: d / 2 + (d / 2) * u, width }
      case "additive":
        // At the cap the ladder gives way, so that chance is left: a fixed delay would bring all callers back as one.
        return { delay: Math.min(d, Math.max(0, limit - spread)) + Math.min(spread, limit) * u, width }
      case "positive":
        return { delay: Math.min(d, limit / 2) * (1 + u), width }
    }
  })
}

/** Delays of `base · factor^n`, up to `cap`. */
export const exponential = (options: ExponentialOptions = {}): Backoff => {
  const factor = Options.number("Backoff.exponential", "factor", options.factor, defaults.factor, { min: 1 })
  return ladder("Backoff.exponential", options, (base, retry) => base * factor ** Math.min(retry, 1023))
}

/** Delays of `base · (n + 1)`, up to `cap`. */
export const linear = (options: LadderOptions = {}): Backoff =>
  ladder("Backoff.linear", options, (base, retry) => base * (retry + 1))

/** Delays of `base · 1, 1, 2, 3, 5, 8…`, up to `cap`. */
export const fibonacci = (options: LadderOptions = {}): Backoff =>
  ladder("Backoff.fibonacci", options, (base, retry) => {
    let a = 1
    let b = 1
    for (let i = 0; i < Math.min(retry, 80); i++) [a, b] = [b, a + b]
    return base * a
  })

/** The same delay each time. */
export const constant = (options: LadderOptions = {}): Backoff => ladder("Backoff.constant", options, (base) => base)

/** Delays uniform between `base` and three times the delay before, up to `cap`: chance is the ladder itself. */
export const decorrelated = (options: CommonOptions = {}): Backoff => {
  const owner = "Backoff.decorrelated"
  const base = Options.millis(owner, "base", options.base, defaults.base, { min: 1 })
  const cap = Math.min(Options.millis(owner, "cap", options.cap, Math.max(base, 60_000), { min: base }), maxTimerMillis)
  return fromRungs(owner, options, true, (_retry, previous, u) => {
    const top = Math.max(base, previous) * 3
    const delay = Math.min(cap, base + (top - base) * u)
    return { delay, width: Math.max(hintSpread * delay, Math.min(delay, 1000)) }
  })
}

/** What a schedule's step gives; its state is nobody else's business. */
type Step<Out> = readonly [state: unknown, out: Out, decision: ScheduleDecision.ScheduleDecision]

type Decide = (context: {
  readonly now: number
  /** When the schedule took its first step, in milliseconds since the epoch. */
  readonly since: number
  /** When the next attempt would start. */
  readonly start: number
  /** Retries so far, the coming one included. */
  readonly retries: number
  readonly input: unknown
}) => Effect.Effect<boolean>

/** Ends a schedule early; never moves its times, so the server's floor stays. */
const stopWhen = <Out, In, R>(self: Schedule.Schedule<Out, In, R>, stop: Decide): Schedule.Schedule<Out, In, R> =>
  Schedule.makeWithState(
    { inner: self.initial as unknown, since: undefined as number | undefined, retries: 0 },
    (now: number, input: In, state) =>
      Effect.flatMap(self.step(now, input, state.inner), ([inner, out, decision]: Step<Out>) => {
        const next = { inner, since: state.since ?? now, retries: state.retries + 1 }
        if (ScheduleDecision.isDone(decision)) return Effect.succeed([next, out, decision] as const)
        const start = Math.max(now, ScheduleIntervals.start(decision.intervals))
        return Effect.map(
          stop({ now, since: next.since, start, retries: next.retries, input }),
          (yes) => [next, out, yes ? ScheduleDecision.done : decision] as const
        )
      })
  )

/** At most so many attempts in all, the first one included: `upToAttempts(1)` never retries. At least 1. */
export const upToAttempts: {
  (attempts: number): <Out, In, R>(self: Schedule.Schedule<Out, In, R>) => Schedule.Schedule<Out, In, R>
  <Out, In, R>(self: Schedule.Schedule<Out, In, R>, attempts: number): Schedule.Schedule<Out, In, R>
} = dual(2, <Out, In, R>(self: Schedule.Schedule<Out, In, R>, attempts: number) => {
  const limit = Options.count("Backoff.upToAttempts", "attempts", attempts, 1, { min: 1 })
  const schedule = stopWhen(self, ({ retries }) => Effect.succeed(retries >= limit))
  return bounded(schedule, Math.min(limit, boundOf(self)))
})

/** No attempt starts later than this after the first failure. */
export const upToElapsed: {
  (elapsed: Duration.DurationInput): <Out, In, R>(
    self: Schedule.Schedule<Out, In, R>
  ) => Schedule.Schedule<Out, In, R>
  <Out, In, R>(self: Schedule.Schedule<Out, In, R>, elapsed: Duration.DurationInput): Schedule.Schedule<Out, In, R>
} = dual(2, <Out, In, R>(self: Schedule.Schedule<Out, In, R>, elapsed: Duration.DurationInput) => {
  const limit = Options.millis("Backoff.upToElapsed", "elapsed", elapsed, 0)
  return bounded(stopWhen(self, ({ since, start }) => Effect.succeed(start - since > limit)), boundOf(self))
})

/** Options of `withinDeadline`. */
export interface WithinDeadlineOptions {
  /** How long an attempt needs at least: none is started that could not finish. Default 0. */
  readonly attempt?: Duration.DurationInput | undefined
}

/** Stops when the next attempt could not finish before the deadline of the current call. */
export const withinDeadline: {
  (options?: WithinDeadlineOptions): <Out, In, R>(
    self: Schedule.Schedule<Out, In, R>
  ) => Schedule.Schedule<Out, In, R>
  <Out, In, R>(
    self: Schedule.Schedule<Out, In, R>,
    options?: WithinDeadlineOptions
  ): Schedule.Schedule<Out, In, R>
} = dual(
  (args) => Schedule.isSchedule(args[0]),
  <Out, In, R>(self: Schedule.Schedule<Out, In, R>, options: WithinDeadlineOptions = {}) => {
    const attempt = Options.millis("Backoff.withinDeadline", "attempt", options.attempt, 0)
    const stop: Decide = ({ start }) => Effect.map(CurrentCall, (call) => start + attempt > call.deadline)
    return bounded(stopWhen(self, stop), boundOf(self))
  }
)

/** Options of `withServerHint`. */
export interface ServerHintOptions {
  /** A server that asks for a longer wait stops the schedule. Default 10 minutes. */
  readonly maxServerWait?: Duration.DurationInput | undefined
}

/**
 * Brings any schedule under the rules of this module: it continues only on retryable errors and never before the
 * server's own time. The schedules made here need it not.
 */
export const withServerHint: {
  (options?: ServerHintOptions): <Out, R>(self: Schedule.Schedule<Out, unknown, R>) => Schedule.Schedule<Out, unknown, R>
  <Out, R>(self: Schedule.Schedule<Out, unknown, R>, options?: ServerHintOptions): Schedule.Schedule<Out, unknown, R>
} = dual(
  (args) => Schedule.isSchedule(args[0]),
  <Out, R>(self: Schedule.Schedule<Out, unknown, R>, options: ServerHintOptions = {}) => {
    const ceiling = Options.millis("Backoff.withServerHint", "maxServerWait", options.maxServerWait, "10 minutes")
    const schedule = Schedule.makeWithState(self.initial as unknown, (now: number, error: unknown, state: unknown) =>
      Effect.map(self.step(now, error, state), ([next, out, decision]: Step<Out>) => {
        const floor = GenerationError.retryAfterMillis(error)
        if (ScheduleDecision.isDone(decision) || !GenerationError.isRetryable(error) || floor > ceiling) {
          return [next, out, ScheduleDecision.done] as const
        }
        const start = Math.max(now + floor, ScheduleIntervals.start(decision.intervals))
        return [next, out, ScheduleDecision.continueWith(ScheduleInterval.after(start))] as const
      }))
    return bounded(schedule, boundOf(self))
  }
)

/**
 * The loop that people paste: at most 5 attempts, `2^n + U(0, 1)` seconds between them, for `Overloaded` alone. Here
 * for comparison: it gives up within 19 seconds of an overload that lasts an hour.
 */
export const article: Backoff = upToAttempts(
  exponential({
    base: "1 second",
    factor: 2,
    cap: "1 hour",
    jitter: "additive",
    spread: "1 second",
    unknownOutcome: "always",
    retryOn: (error) => GenerationError.isGenerationError(error) && error._tag === "Overloaded"
  }),
  5
)

/** One retry of a preview. */
export interface PreviewedRetry {
  /** 2 for the first retry: the first attempt is attempt 1. */
  readonly attempt: number
  readonly delay: Duration.Duration
  /** When the attempt would start, in milliseconds since the epoch. */
  readonly at: number
}

/** What a schedule would do. */
export interface Preview {
  readonly retries: ReadonlyArray<PreviewedRetry>
  /** Did the schedule stop by itself, rather than run out of errors to try it on? */
  readonly stopped: boolean
}

/** Options of `preview`. */
export interface PreviewOptions {
  /** The error of each attempt, the first one's first. */
  readonly errors: Iterable<unknown>
  /** When the first attempt fails, in milliseconds since the epoch. Default 0. */
  readonly at?: number | undefined
  /** Same seed, same delays. Default 0. */
  readonly seed?: number | string | undefined
  /** How long each attempt takes to fail. Default 0. */
  readonly attempt?: Duration.DurationInput | undefined
  /** The deadline of the call, in milliseconds since the epoch. Default none. */
  readonly deadline?: number | undefined
}

/** What a schedule would do with these errors, without waiting: no clock is read and nothing sleeps. */
export const preview = <Out, In, R>(
  self: Schedule.Schedule<Out, In, R>,
  options: PreviewOptions & { readonly errors: Iterable<In> }
): Effect.Effect<Preview, never, R> =>
  Effect.suspend(() => Effect.withRandom(simulate(self, options), Random.make(options.seed ?? 0))).pipe(
    Effect.provideService(CurrentCall, { ...none, deadline: options.deadline ?? Infinity })
  )

const simulate = <Out, In, R>(
  self: Schedule.Schedule<Out, In, R>,
  options: PreviewOptions & { readonly errors: Iterable<In> }
): Effect.Effect<Preview, never, R> =>
  Effect.gen(function*() {
    const attempt = Options.millis("Backoff.preview", "attempt", options.attempt, 0)
    const retries: Array<PreviewedRetry> = []
    let state: unknown = self.initial
    let now = options.at ?? 0
    for (const error of options.errors) {
      const step: Step<Out> = yield* self.step(now, error, state)
      const [next, , decision] = step
      state = next
      if (ScheduleDecision.isDone(decision)) return { retries, stopped: true }
      const at = Math.max(now, ScheduleIntervals.start(decision.intervals))
      retries.push({ attempt: retries.length + 2, delay: Duration.millis(at - now), at })
      now = at + attempt
    }
    return { retries, stopped: false }
  })

/**
 * Work moved to hours at which the model has capacity: schedules that wait for a window of a load profile, and a gate
 * that does so before the first attempt.
 *
 * `stretch` makes any schedule more patient while load is high, `defer` retries or repeats inside off-peak windows
 * alone, `gate` holds a call back until one. Arrivals are spread over a window, so that its start is no stampede, and
 * nothing waits longer than `maxDeferral` or past the deadline of the current call.
 *
 * Not for work that somebody waits for: let it pass as `urgent`, or use `stretch` alone. Nothing here survives the end
 * of the process.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleInterval from "effect/ScheduleInterval"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import * as Stream from "effect/Stream"
import * as Backoff from "./Backoff.js"
import { type Call, CurrentCall } from "./CurrentCall.js"
import * as GenerationError from "./GenerationError.js"
import { bounded, boundOf } from "./internal/bounded.js"
import * as Options from "./internal/options.js"
import * as Policies from "./internal/policy.js"
import * as Sleep from "./internal/sleep.js"
import { type Arrival, pick, place } from "./internal/time/arrival.js"
import * as Even from "./internal/time/even.js"
import { looksLikeError } from "./internal/time/input.js"
import { refuse } from "./internal/time/windows.js"
import { maxTimerMillis } from "./internal/timer.js"
import * as LoadProfile from "./LoadProfile.js"
import type * as Policy from "./Policy.js"
import { Shed } from "./Rejected.js"

/** What `defer` and `gate` can both be told. */
export interface WindowOptions {
  /** The highest level at which work may start. Default `"low"`. */
  readonly atMost?: LoadProfile.Level | undefined
  /**
   * Over how much of a window, from its start, those who waited for it start. Default 1 hour; at least 0. Cut to what
   * the window, `maxDeferral` and the deadline leave.
   */
  readonly spread?: Duration.DurationInput | undefined
  /** Longest time that work is put off. Default 36 hours; between 0 and 24.8 days. */
  readonly maxDeferral?: Duration.DurationInput | undefined
  /** How long an attempt needs at least: none starts that could not finish by the deadline. Default 0. */
  readonly attempt?: Duration.DurationInput | undefined
}

/** Options of `defer`. */
export interface DeferOptions extends WindowOptions {
  /**
   * What the schedule's inputs are: errors (`"retry"`), success values (`"repeat"`), or to be told apart by their looks
   * (`"either"`, the default): see `defer`.
   */
  readonly under?: "either" | "retry" | "repeat" | undefined
  /** Which errors to go on for. Default `GenerationError.isRetryable`. */
  readonly retryOn?: ((error: unknown) => boolean) | undefined
  /**
   * Pace of retries inside a window. When it ends, so does the deferral. Default: `Backoff.exponential` up to 5
   * minutes, without an end, which waits for the server up to `maxDeferral`.
   */
  readonly within?: Schedule.Schedule<unknown, unknown> | undefined
  /**
   * Under `repeat`, the time between the end of a run and the next one of the same window. Default: once a window.
   * At least 1 ms.
   */
  readonly every?: Duration.DurationInput | undefined
}

/** Options of `gate`. */
export interface GateOptions extends WindowOptions {
  /** Default `"OffPeak"`. */
  readonly name?: string | undefined
  /** Which calls wait: all, or only those of work class `batch`. Default `"all"`. */
  readonly holds?: "all" | "batch" | undefined
  /** Calls of at least this priority pass at once. Default 10; `Infinity` for none. */
  readonly urgentPriority?: number | undefined
  /** What to do when no window comes in time: run at once, or fail with `Shed`. Default `"run"`. */
  readonly otherwise?: "run" | "fail" | undefined
}

/** Options of `stretch`. */
export interface StretchOptions {
  /** By what factor to lengthen delays at each level. Default 1, 1.5, 2, 3; at least 1. */
  readonly delays?: Partial<Readonly<Record<LoadProfile.Level, number>>> | undefined
  /** How many attempts to add to those of the schedule at each level. Default 0, 1, 3, 5; at least 0. */
  readonly attempts?: Partial<Readonly<Record<LoadProfile.Level, number>>> | undefined
  /** No delay is lengthened beyond this; one that is longer by itself stays as it is. Default 10 minutes. */
  readonly maxDelay?: Duration.DurationInput | undefined
}

/** The defaults, as the docs tables state them. */
export const defaults = {
  atMost: "low",
  spread: "1 hour",
  maxDeferral: "36 hours",
  attempt: "0 millis",
  under: "either",
  holds: "all",
  urgentPriority: 10,
  otherwise: "run",
  delays: { low: 1, medium: 1.5, high: 2, peak: 3 },
  attempts: { low: 0, medium: 1, high: 3, peak: 5 },
  maxDelay: "10 minutes"
} as const

interface Bounds {
  readonly atMost: LoadProfile.Level
  readonly spread: number
  readonly maxDeferral: number
  readonly attempt: number
}

const boundsOf = (owner: string, source: LoadProfile.Source, options: WindowOptions): Bounds => {
  checkSource(owner, source)
  return {
    atMost: Options.oneOf(owner, "atMost", options.atMost, defaults.atMost, LoadProfile.levels),
    spread: Options.millis(owner, "spread", options.spread, defaults.spread),
    maxDeferral: Options.millis(owner, "maxDeferral", options.maxDeferral, defaults.maxDeferral, {
      max: maxTimerMillis
    }),
    attempt: Options.millis(owner, "attempt", options.attempt, defaults.attempt)
  }
}

const checkSource = (owner: string, source: LoadProfile.Source): void => {
  if (LoadProfile.isLoadProfile(source) || LoadProfile.isLearned(source) || Effect.isEffect(source)) return
  refuse(owner, "profile", "a load profile, a learner, or an effect of a profile", source)
}

/** The last instant at which work may start: its deferral ends then, or it could not finish by the deadline. */
const latestStart = (bounds: Bounds, since: number, call: Call): number =>
  Math.min(since + bounds.maxDeferral, call.deadline - Math.max(1, bounds.attempt))

/** Chance is asked only where there is a choice. */
const choose = (arrival: Arrival, chance: Effect.Effect<number>): Effect.Effect<number> =>
  arrival.width === 0 ? Effect.succeed(arrival.from) : Effect.map(chance, (u) => pick(arrival, u))

const perLevel = (
  owner: string,
  field: "delays" | "attempts",
  input: StretchOptions["delays"],
  check: typeof Options.count,
  min: number
): Readonly<Record<LoadProfile.Level, number>> => {
  const read = (level: LoadProfile.Level) =>
    check(owner, `${field}.${level}`, input?.[level], defaults[field][level], { min })
  return { low: read("low"), medium: read("medium"), high: read("high"), peak: read("peak") }
}

/**
 * Makes a schedule more patient while load is high: lengthens each delay by the factor of the level at the time of the
 * failure, and goes on for some attempts after the schedule's own are used up.
 *
 * Delays only get longer, so the server's own time stays a floor. A delay is left as it is where the longer one would
 * pass the deadline of the current call. An added attempt repeats the last step of the schedule, and is made only if
 * the schedule would have gone on had it been asked one attempt sooner: it still ends at fatal errors, at its elapsed
 * time and at a server time that it does not accept. Outcomes that are unknown get no added attempt. Under `Retry`,
 * `maxAttempts` bounds the added attempts too. Apply `upToElapsed` and `withinDeadline` after `stretch`, so that they
 * see the longer delays.
 */
export const stretch: {
  (profile: LoadProfile.Source, options?: StretchOptions): <Out, In, R>(
    self: Schedule.Schedule<Out, In, R>
  ) => Schedule.Schedule<Out, In, R>
  <Out, In, R>(
    self: Schedule.Schedule<Out, In, R>,
    profile: LoadProfile.Source,
    options?: StretchOptions
  ): Schedule.Schedule<Out, In, R>
} = dual(
  (args) => Schedule.isSchedule(args[0]),
  <Out, In, R>(self: Schedule.Schedule<Out, In, R>, source: LoadProfile.Source, options: StretchOptions = {}) => {
    const owner = "OffPeak.stretch"
    checkSource(owner, source)
    const factors = perLevel(owner, "delays", options.delays, Options.number, 1)
    const more = perLevel(owner, "attempts", options.attempts, Options.count, 0)
    const maxDelay = Options.millis(owner, "maxDelay", options.maxDelay, defaults.maxDelay, { max: maxTimerMillis })
    interface State {
      readonly inner: unknown
      /** The inner state before the last step that went on. */
      readonly before: { readonly state: unknown } | undefined
      readonly added: number
    }
    const initial: State = { inner: self.initial, before: undefined, added: 0 }
    type Decision = ScheduleDecision.ScheduleDecision
    const lengthen = (decision: Decision, now: number, level: LoadProfile.Level, call: Call): Decision => {
      if (ScheduleDecision.isDone(decision)) return decision
      const start = Math.max(now, ScheduleIntervals.start(decision.intervals))
      const later = now + Math.ceil(Math.min(maxDelay, (start - now) * factors[level]))
      return later > start && later < call.deadline
        ? ScheduleDecision.continueWith(ScheduleInterval.after(later))
        : decision
    }
    const mayAdd = (input: unknown, state: State, level: LoadProfile.Level): boolean =>
      state.added < more[level] && GenerationError.isRetryable(input) && !GenerationError.isUnknownOutcome(input)
    const schedule = Schedule.makeWithState(initial, (now: number, input: In, state: State) =>
      Effect.gen(function*() {
        const call = yield* CurrentCall
        const level = LoadProfile.levelAt(yield* LoadProfile.resolve(source), now)
        const ask = (inner: unknown): Effect.Effect<readonly [unknown, Out, Decision], never, R> =>
          self.step(now, input, inner)
        const [inner, out, decision] = yield* ask(state.inner)
        if (ScheduleDecision.isContinue(decision)) {
          const next: State = { inner, before: { state: state.inner }, added: state.added }
          return [next, out, lengthen(decision, now, level, call)] as const
        }
        const { before } = state
        if (before === undefined || !mayAdd(input, state, level)) return [{ ...state, inner }, out, decision] as const
        const [, again, verdict] = yield* ask(before.state)
        const next: State = { ...state, inner, added: state.added + 1 }
        return [next, again, lengthen(verdict, now, level, call)] as const
      }))
    return bounded(schedule, boundOf(self) + Math.max(...Object.values(more)))
  }
)

/**
 * A schedule whose attempts all start inside windows at or under a level.
 *
 * On an error it continues if that is retryable, at the pace of `within` and never before the server's own time; a
 * start that would fall outside of a window moves into the next one, to a random place in its first `spread`. It stops
 * at any other error, and when no window comes within `maxDeferral` of the first failure or before the deadline.
 *
 * On a success value (`Effect.repeat`) it continues in the next window: once a window, or `every` so often inside one.
 * It stops, and so ends the repetition, when no window comes within `maxDeferral` of the run's end.
 *
 * A schedule cannot see which of the two it is under. With `under: "either"`, what is retryable is an error to go on
 * for; any other error of ours, any `Error`, and any object with a string `_tag` (`Option`, `Either` and `Exit` aside)
 * is an error to stop at; and all else, such as `undefined`, numbers, strings and untagged objects, counts as a success
 * value. State `"retry"` where errors may be of that last kind, `"repeat"` where results may be tagged.
 */
export const defer = (profile: LoadProfile.Source, options: DeferOptions = {}): Backoff.Backoff => {
  const owner = "OffPeak.defer"
  const bounds = boundsOf(owner, profile, options)
  const under = Options.oneOf(owner, "under", options.under, defaults.under, ["either", "retry", "repeat"])
  const retryOn = options.retryOn ?? GenerationError.isRetryable
  const every = options.every === undefined ? undefined : Options.millis(owner, "every", options.every, 0, { min: 1 })
  const within = options.within ??
    Backoff.exponential({ cap: "5 minutes", maxServerWait: bounds.maxDeferral, retryOn })
  const chance = Even.make()
  interface State {
    /** When the work was first put off; `undefined` after a success. */
    readonly since: number | undefined
    readonly inner: unknown
  }
  const initial: State = { since: undefined, inner: within.initial }
  const done = (state: State) => [state, Duration.zero, ScheduleDecision.done] as const
  const start = (state: State, now: number, at: number) =>
    [state, Duration.millis(at - now), ScheduleDecision.continueWith(ScheduleInterval.after(at))] as const

  const arrive = (state: State, now: number, since: number, earliest: number, nextWindow: boolean) =>
    Effect.gen(function*() {
      const latest = latestStart(bounds, since, yield* CurrentCall)
      const known = yield* LoadProfile.resolve(profile)
      const present = nextWindow ? LoadProfile.nextAtMost(known, bounds.atMost, earliest) : undefined
      const after = present !== undefined && present.start <= earliest ? present.end : earliest
      const arrival = place(known, { ...bounds, earliest: after, latest })
      return arrival === undefined ? done(state) : start(state, now, yield* choose(arrival, chance))
    })

  const afterError = (now: number, error: unknown, state: State) =>
    Effect.flatMap(within.step(now, error, state.inner), ([inner, , decision]) => {
      const since = state.since ?? now
      if (ScheduleDecision.isDone(decision)) return Effect.succeed(done({ since, inner }))
      const floor = now + GenerationError.retryAfterMillis(error)
      const earliest = Math.max(floor, ScheduleIntervals.start(decision.intervals))
      return arrive({ since, inner }, now, since, earliest, false)
    })

  const schedule = Schedule.makeWithState(initial, (now: number, input: unknown, state: State) => {
    if (under !== "repeat" && retryOn(input)) return afterError(now, input, state)
    if (under === "retry" || (under === "either" && looksLikeError(input))) return Effect.succeed(done(state))
    return arrive(initial, now, now, now + (every ?? 0), every === undefined)
  })
  return bounded(schedule, boundOf(within))
}

/** Marks work that no gate may hold back. */
export class Urgent extends Context.Reference<Urgent>()("@holdfast/OffPeak/Urgent", {
  defaultValue: (): boolean => false
}) {}

/** Lets an effect pass every gate inside it at once. */
export const urgent = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(self, Urgent, true)

/**
 * A policy that holds a call back, before its first attempt, until a window at or under a level; inside of one it lets
 * everything pass. Retries pass, and so do urgent calls (`urgent`, or a priority of `urgentPriority` and above).
 *
 * When no window comes within `maxDeferral`, or before the deadline of the call, it runs the call at once, or, with
 * `otherwise: "fail"`, fails with `Shed`, whose `retryAfter` is the time to the next window where there is one.
 * Waiting is interruptible and holds nothing.
 */
export function gate(
  profile: LoadProfile.Source,
  options?: GateOptions & { readonly otherwise?: "run" | undefined }
): Policy.Policy
export function gate(profile: LoadProfile.Source, options: GateOptions): Policy.Policy<Shed>
export function gate(profile: LoadProfile.Source, options: GateOptions = {}): Policy.Policy<Shed> {
  const owner = "OffPeak.gate"
  const bounds = boundsOf(owner, profile, options)
  const holds = Options.oneOf(owner, "holds", options.holds, defaults.holds, ["all", "batch"])
  const otherwise = Options.oneOf(owner, "otherwise", options.otherwise, defaults.otherwise, ["run", "fail"])
  const { urgentPriority: threshold = defaults.urgentPriority } = options
  const urgentPriority = Options.count(owner, "urgentPriority", threshold, defaults.urgentPriority, { min: -1e9 })
  const name = options.name ?? "OffPeak"
  const chance = Even.make()

  const refusal = (known: LoadProfile.LoadProfile, now: number) => {
    const next = LoadProfile.nextAtMost(known, bounds.atMost, now)
    const when = next === undefined ? "never" : new Date(next.start).toISOString()
    return new Shed({
      policy: "OffPeak",
      policyName: name,
      message: `the next window at or under "${bounds.atMost}" (${when}) comes too late for this call: allow more ` +
        "time, run it as urgent, or come back then",
      retryAfter: next === undefined ? undefined : Duration.millis(Math.max(0, next.start - now))
    })
  }

  const hold = Effect.gen(function*() {
    const call = yield* CurrentCall
    const passes = call.attempt > 1 || call.priority >= urgentPriority ||
      (holds === "batch" && call.workClass !== "batch") || (yield* Urgent)
    if (passes) return
    const known = yield* LoadProfile.resolve(profile)
    const now = yield* Clock.currentTimeMillis
    // Inside a window the deadline is no business of a gate.
    if (LoadProfile.isAtMost(LoadProfile.levelAt(known, now), bounds.atMost)) return
    const arrival = place(known, { ...bounds, earliest: now, latest: latestStart(bounds, now, call) })
    if (arrival !== undefined) return yield* Sleep.until(yield* choose(arrival, chance))
    if (otherwise === "fail") return yield* refusal(known, now)
  })

  return Policies.make<Shed>({
    kind: "OffPeak",
    name,
    options: { ...bounds, holds, otherwise, urgentPriority },
    apply: (self) => Effect.zipRight(hold, self),
    applyStream: (self) => Stream.unwrap(Effect.as(hold, self))
  })
}

/**
 * A policy that teaches a learner: the outcome of what it stands around, at the time when that began. Innermost, so
 * that it sees single attempts. It changes nothing; interruption, defects and errors other than of capacity teach
 * nothing.
 */
export const learn = (learner: LoadProfile.Learned): Policy.Policy =>
  Policies.make({
    kind: "Learn",
    apply: (self) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) => Effect.onExit(self, (exit) => learner.record(exit, at))),
    applyStream: (self) =>
      Stream.unwrap(
        Effect.map(Clock.currentTimeMillis, (at) => Stream.ensuringWith(self, (exit) => learner.record(exit, at)))
      )
  })

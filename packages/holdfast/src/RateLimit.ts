/**
 * Keeps within a provider's rate limits: several at once (requests a minute, tokens a minute, requests a day, and any
 * other), and never more than a limit in any stretch of its length, as the provider counts it.
 *
 * A call that would pass a limit waits its turn; it is refused at once with `LimitExceeded` when the turn would come
 * too late. A call counts from when it really starts, by an estimate that is put right by what it cost, and does not
 * count when it never started. What the provider says (`RateLimited`, `QuotaExhausted`) goes above what was counted.
 *
 * Not against overload: a limit knows what you may send, not what the model can take. Not shared between processes:
 * give each of them its part of the limit.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Call } from "./CurrentCall.js"
import * as GenerationError from "./GenerationError.js"
import { firstFailure } from "./internal/ending.js"
import type { Gate, Leave, Visitor } from "./internal/gate.js"
import * as Options from "./internal/options.js"
import { staged } from "./internal/policy.js"
import * as Account from "./internal/rateLimit/account.js"
import { Lane, type Late, type Ticket } from "./internal/rateLimit/lane.js"
import { Lanes } from "./internal/rateLimit/lanes.js"
import { type Meter, metersOf, modes } from "./internal/rateLimit/meters.js"
import { isReported, streamThrough, within } from "./internal/rateLimit/passage.js"
import * as Window from "./internal/rateLimit/window.js"
import { gateStage } from "./internal/stage.js"
import * as Timer from "./internal/timer.js"
import type * as Policy from "./Policy.js"
import { isRejected, LimitExceeded, QueueFull } from "./Rejected.js"

/**
 * How a window counts.
 *
 * - `sliding`: as many at once as the limit leaves, never more than the limit in any stretch of the window's length.
 * - `bucket`: `burst` at once and the rest evenly over the window, the two together within the limit.
 * - `spaced`: one start every window/limit: 60/rpm seconds apart.
 */
export type Mode = "sliding" | "bucket" | "spaced"

/** One limit. */
export interface Limit {
  /** What may be spent in a window; at least 1. */
  readonly limit: number
  /** Its length, at least 1 ms; or `"calendar day"`: from midnight to midnight in `zone`. */
  readonly window: Duration.DurationInput | "calendar day"
  /**
   * What a call costs: 1 (`requests`), its estimated tokens (`tokens`, from `CurrentCall`), or anything else that can
   * be told from the call. Default `"requests"`.
   */
  readonly counts?: "requests" | "tokens" | ((call: Call) => number) | undefined
  /** Default `"sliding"`. A calendar day has none. */
  readonly mode?: Mode | undefined
  /** What a `bucket` lets through at once; between 1 and the limit. Default a tenth of the limit, at least 1. */
  readonly burst?: number | undefined
  /** IANA name of the zone whose midnight empties a calendar day. Default that of the policy. */
  readonly zone?: string | undefined
  /**
   * How much longer than the provider the window counts, and how long after midnight a day begins: calls arrive later
   * than they start, some more than others, and clocks differ. Default a sixtieth of the window, at most 1 second.
   */
  readonly margin?: Duration.DurationInput | undefined
  /** For the state, the description and refusals. Default from what it counts, for example `"requests/1m"`. */
  readonly name?: string | undefined
}

/**
 * What a call cost in the end, by how it ended. Where it answers `undefined`, or no cost, or throws, nobody knows, and
 * the estimate stands.
 */
export type ActualCost = (exit: Exit.Exit<unknown, unknown>) => number | undefined

/** Options of `make`. At least one limit is needed. */
export interface MakeOptions {
  /** Default `"RateLimit"`. */
  readonly name?: string | undefined
  /** Requests in any minute; at least 1. Default none. */
  readonly requestsPerMinute?: number | undefined
  /** Tokens in any minute; at least 1. Default none. */
  readonly tokensPerMinute?: number | undefined
  /** Requests from midnight to midnight in `zone`; at least 1. Default none. */
  readonly requestsPerDay?: number | undefined
  /** IANA name of the zone in which days begin. Default `"UTC"`; Gemini's begin in `"America/Los_Angeles"`. */
  readonly zone?: string | undefined
  /** How `requestsPerMinute` counts. Default `"sliding"`. */
  readonly mode?: Mode | undefined
  /** Further limits. Default none. */
  readonly limits?: ReadonlyArray<Limit> | undefined
  /** Calls that may wait, for each key; whole, at least 0. Default 1,000. */
  readonly maxQueue?: number | undefined
  /** Longest wait; at least 0, `Duration.infinity` for no bound of its own. Default 5 minutes. */
  readonly maxWait?: Duration.DurationInput | undefined
  /** How long a call needs at least: none starts that could not finish by its deadline. Default 0. */
  readonly attemptTime?: Duration.DurationInput | undefined
  /** Who goes first: whoever came first, or whoever has the highest priority. Default `"fifo"`. */
  readonly order?: "fifo" | "priority" | undefined
  /** How long a `RateLimited` without a time of the server's keeps everybody back; at least 0. Default 1 minute. */
  readonly fallbackRetryAfter?: Duration.DurationInput | undefined
  /**
   * What a call really cost, for the limits that count tokens. Default: `usage.totalTokens` of a `Generated`, or of the
   * `Finish` of a stream.
   */
  readonly actualCost?: ActualCost | undefined
  /** Calls of the same key share their limits. Default: the endpoint of the call, `"default"` without one. */
  readonly key?: ((call: Call) => string) | undefined
  /** Keys counted each by itself, whole, at least 1; all beyond them share one allowance. Default 256. */
  readonly maxKeys?: number | undefined
}

/**
 * The defaults, as the docs table states them.
 *
 * - `maxWait`: five minute-windows. Longer than any burst that a limit by the minute can work off for somebody who
 *   waits, and short enough that a call never waits silently for tomorrow's quota.
 * - `maxQueue`: a bound on memory, not a policy: at 10 a minute `maxWait` turns callers away long before.
 * - `fallbackRetryAfter`: after a whole minute without a start a limit by the minute is free again.
 * - `maxKeys`: far more endpoints than anybody has.
 */
export const defaults = {
  name: "RateLimit",
  zone: "UTC",
  mode: "sliding",
  maxQueue: 1000,
  maxWait: "5 minutes",
  attemptTime: "0 millis",
  order: "fifo",
  fallbackRetryAfter: "1 minute",
  maxKeys: 256
} as const satisfies MakeOptions

/** One limit of a key, as it is now. */
export interface LimitState {
  readonly name: string
  readonly limit: number
  /** What counts now, `held` included; above the limit when there is a debt. */
  readonly used: number
  /** Granted to calls that have not begun yet. */
  readonly held: number
}

/** One key, as it is now. */
export interface KeyState {
  readonly key: string
  /** Calls that wait. */
  readonly waiting: number
  /** Calls let in that have not ended. */
  readonly inFlight: number
  /** Until when a provider's answer keeps everybody back, in milliseconds since the epoch; absent when none does. */
  readonly drainedUntil?: number | undefined
  readonly drainedBy?: "RateLimited" | "QuotaExhausted" | undefined
  readonly limits: ReadonlyArray<LimitState>
}

/** A rate limiter: a policy, and what can be seen and done from outside. */
export interface RateLimit extends Policy.Policy<LimitExceeded | QueueFull> {
  /** The keys that have something to tell. */
  readonly state: Effect.Effect<ReadonlyArray<KeyState>>
  /** Forgets what the provider said, for one key or all, say after a quota was raised. What was counted stays. */
  readonly lift: (key?: string) => Effect.Effect<void>
}

/** `usage.totalTokens` of a result, or of the last piece of a stream. */
const totalTokens: ActualCost = (exit) => {
  if (!Exit.isSuccess(exit)) return undefined
  const value = exit.value as { readonly usage?: { readonly totalTokens?: unknown } | undefined } | null | undefined
  const total = value?.usage?.totalTokens
  return typeof total === "number" ? total : undefined
}

const known = (cost: number | undefined): cost is number => cost !== undefined && cost >= 0 && cost < Infinity

/** A cost that makes no sense counts as nothing, but for one without an end, which fits nowhere. */
const costOf = (meter: Meter, call: Call): number => {
  const cost = meter.cost(call)
  return cost > 0 ? cost : 0
}

interface Settings {
  readonly name: string
  readonly meters: ReadonlyArray<Meter>
  readonly maxWait: number
  readonly attemptTime: number
  readonly byPriority: boolean
  readonly fallbackRetryAfter: number
  readonly actualCost: ActualCost
  readonly key: (call: Call) => string
}

/** Did a call that failed so never reach the provider? */
const wasNotSent = (ticket: Ticket, failure: unknown, interrupted: boolean): boolean => {
  if (GenerationError.isGenerationError(failure)) {
    // An injected error tells the outcome of what it imitates.
    const told = !GenerationError.isInjected(failure) || !ticket.reported
    return told ? failure.outcome === "not-started" : ticket.startedAt === undefined
  }
  // Where starts are reported, none was: it was stopped or refused by the policies inside.
  if (ticket.reported) return ticket.startedAt === undefined && (interrupted || isRejected(failure))
  // A deadline can pass while the call is on its way; every other refusal is made before.
  return isRejected(failure) && failure._tag !== "DeadlineExceeded"
}

type Refusal = LimitExceeded | QueueFull

/** The gate: who may come in now, who waits, and what the end of a call says about the limits. */
class Limiter implements Gate<Refusal, Ticket> {
  readonly within = within

  constructor(private readonly settings: Settings, private readonly lanes: Lanes) {}

  enter(visitor: Visitor<Refusal, Ticket>): ReturnType<Gate<Refusal, Ticket>["enter"]> {
    const { attemptTime, byPriority, key, maxWait, meters } = this.settings
    const { call, fiber, now } = visitor
    const lane = this.lanes.of(key(call), now)
    const clock = Timer.clockOf(fiber)
    const costs = meters.map((meter) => costOf(meter, call))
    const answer = lane.ask({
      costs,
      latest: Math.min(now + maxWait, call.deadline - attemptTime, call.deadline - 1),
      priority: byPriority ? call.priority : 0,
      reported: isReported(call),
      now: () => clock.unsafeCurrentTimeMillis(),
      schedule: (millis, task) => Timer.schedule(fiber, Math.min(millis, Timer.maxTimerMillis), task),
      settle: (outcome) =>
        visitor.settle(
          outcome._tag === "Granted"
            ? { _tag: "Entered", ticket: outcome.ticket }
            : { _tag: "Refused", error: this.tooLate(outcome) }
        )
    })
    switch (answer._tag) {
      case "Granted":
        return { _tag: "Entered", ticket: answer.ticket }
      case "Queued":
        return { _tag: "Waiting", cancel: answer.cancel }
      case "Late":
        return { _tag: "Refused", error: this.tooLate(answer) }
      case "Full":
        return {
          _tag: "Refused",
          error: new QueueFull({
            ...this.who(),
            message: `${lane.look().waiting} calls wait for the limit already: send fewer, or allow a longer queue`,
            retryAfter: answer.wait
          })
        }
      case "Impossible": {
        const meter = meters[answer.window]!
        const most = Window.largest(meter.window)
        return {
          _tag: "Refused",
          error: new LimitExceeded({
            ...this.who(),
            message: `the call costs ${costs[answer.window]} and "${meter.name}" lets ${most} through at most: ` +
              "it can never start; make it smaller, or raise the limit"
          })
        }
      }
    }
  }

  leave(ticket: Ticket, how: Leave, now: number): void {
    const { lane } = ticket
    if (how === "never-started") return lane.unused(ticket, now)
    const failure = Exit.isFailure(how) ? firstFailure(how.cause) : undefined
    const interrupted = Exit.isFailure(how) && Cause.isInterruptedOnly(how.cause)
    // First of all: what this call gives back must not let somebody in whom the provider would turn away.
    this.learn(lane, ticket, failure, now)
    if (wasNotSent(ticket, failure, interrupted)) lane.unused(ticket, now)
    else lane.used(ticket, this.actual(ticket, how), now)
  }

  private actual(ticket: Ticket, exit: Exit.Exit<unknown, unknown>): Account.Costs {
    const { meters } = this.settings
    if (!meters.some((meter) => meter.settled)) return ticket.costs
    const cost = this.told(exit)
    return meters.map((meter, index) => (meter.settled && known(cost) ? cost : ticket.costs[index]!))
  }

  /** A function of the user's that throws must neither keep the grant nor replace the result of the call. */
  private told(exit: Exit.Exit<unknown, unknown>): number | undefined {
    try {
      return this.settings.actualCost(exit)
    } catch {
      return undefined
    }
  }

  private learn(lane: Lane, ticket: Ticket, failure: unknown, now: number): void {
    if (!GenerationError.isGenerationError(failure) || GenerationError.isInjected(failure)) return
    const asked = failure.retryAfter === undefined ? undefined : now + Duration.toMillis(failure.retryAfter)
    if (failure._tag === "RateLimited") {
      lane.drain(asked ?? now + this.settings.fallbackRetryAfter, "RateLimited", now)
    } else if (failure._tag === "QuotaExhausted") {
      // The day that ran out is that in which the call began: an answer after midnight says nothing of today.
      const began = ticket.startedAt ?? ticket.grantedAt
      const until = known(failure.resetAt) ? failure.resetAt : (asked ?? lane.dayEnd(began))
      if (until !== undefined) lane.drain(until, "QuotaExhausted", now)
    }
  }

  private who() {
    return { policy: "RateLimit", policyName: this.settings.name }
  }

  private tooLate({ drainedBy, wait }: Late): LimitExceeded {
    const span = Duration.format(Duration.millis(wait))
    const why = drainedBy === undefined ? "the limit leaves no room" : `the provider answered ${drainedBy}`
    return new LimitExceeded({
      ...this.who(),
      message: `could start in ${span} at the earliest, which is too late (${why}): ` +
        "come back then, or allow a longer wait",
      retryAfter: wait
    })
  }
}

/** A rate limiter. Its state lives in the value: share the value to share the limits. */
export const make = (options: MakeOptions): Effect.Effect<RateLimit> => {
  const owner = "RateLimit.make"
  const name = options.name ?? defaults.name
  const mode = Options.oneOf(owner, "mode", options.mode, defaults.mode, modes)
  const meters = metersOf({ ...options, mode, zone: options.zone ?? defaults.zone })
  const maxQueue = Options.count(owner, "maxQueue", options.maxQueue, defaults.maxQueue, { min: 0 })
  const maxKeys = Options.count(owner, "maxKeys", options.maxKeys, defaults.maxKeys, { min: 1 })
  const order = Options.oneOf(owner, "order", options.order, defaults.order, ["fifo", "priority"])
  const settings: Settings = {
    name,
    meters,
    maxWait: Options.millis(owner, "maxWait", options.maxWait, defaults.maxWait),
    attemptTime: Options.millis(owner, "attemptTime", options.attemptTime, defaults.attemptTime),
    byPriority: order === "priority",
    fallbackRetryAfter: Options.millis(
      owner,
      "fallbackRetryAfter",
      options.fallbackRetryAfter,
      defaults.fallbackRetryAfter
    ),
    actualCost: options.actualCost ?? totalTokens,
    key: options.key ?? ((call) => call.endpoint ?? "default")
  }
  return Effect.sync(() => {
    const lanes = new Lanes(() => new Lane(Account.make(meters.map((meter) => meter.window)), maxQueue), maxKeys)
    const limiter = new Limiter(settings, lanes)
    const policy = staged<LimitExceeded | QueueFull>({
      kind: "RateLimit",
      name,
      options: {
        ...Object.fromEntries(meters.map((meter) => [meter.name, meter.window.limit])),
        mode,
        maxQueue,
        maxWait: settings.maxWait,
        attemptTime: settings.attemptTime,
        order
      },
      stage: gateStage(limiter),
      applyStream: (self) => streamThrough(limiter, self)
    })
    return {
      ...policy,
      state: Effect.map(Clock.currentTimeMillis, (now) =>
        lanes.all().map(([key, lane]) => stateOf(key, lane, meters, now))),
      lift: (key) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          for (const [name, lane] of lanes.all()) if (key === undefined || key === name) lane.lift(now)
        })
    }
  })
}

const stateOf = (key: string, lane: Lane, meters: ReadonlyArray<Meter>, now: number): KeyState => {
  const { account, inFlight, waiting } = lane.look()
  return {
    key,
    waiting,
    inFlight,
    ...(account.drainedUntil > now ? { drainedUntil: account.drainedUntil, drainedBy: account.drainedBy } : {}),
    limits: account.windows.map((window, index) => ({
      name: meters[index]!.name,
      limit: window.limit,
      used: Window.used(window, now),
      held: window.held
    }))
  }
}

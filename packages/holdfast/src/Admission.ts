/**
 * Admission control on our side: sends to each endpoint what it accepts, in the order that saves most, and nothing that
 * could not finish in time.
 *
 * As long as nothing speaks of overload it stands aside. From the first sign on it paces attempts: a rejection cuts the
 * pace, a good answer brings it back, quiet lets it grow until it holds nothing back and turns off. Calls beyond the
 * pace wait, newest first, since under overload the newest has the best chance to finish in time; one that cannot
 * finish any more fails with `Shed` rather than waste capacity that is short. When answers come too late, calls in
 * flight are limited to what the pace needs (Little's law), those that the server still works on for nobody included.
 * What was accepted is never abandoned before its deadline.
 *
 * It stands inside the retry and does its waiting: a rejected call comes back at once and queues again, the pace is the
 * back-off. `admission.schedule` is the retry schedule for that.
 *
 * Not for calls of milliseconds, whose numbers are different ones; nor for work that can wait for hours (`OffPeak`);
 * nor as a limit of your own: it only reacts to the endpoint (`RateLimit`, `Bulkhead`).
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleInterval from "effect/ScheduleInterval"
import * as Backoff from "./Backoff.js"
import * as GenerationError from "./GenerationError.js"
import * as Controller from "./internal/admission/controller.js"
import { type Endpoint, Endpoints } from "./internal/admission/endpoints.js"
import * as Estimates from "./internal/admission/estimates.js"
import { luck } from "./internal/admission/luck.js"
import * as Pace from "./internal/admission/pace.js"
import type { Persistence, Settings } from "./internal/admission/settings.js"
import * as Options from "./internal/options.js"
import { gated } from "./internal/policy.js"
import { mayRepeat } from "./internal/retryState.js"
import type * as Policy from "./Policy.js"
import type { Shed } from "./Rejected.js"

/** Keeps trying while calls wait and are rejected, instead of standing back for others. */
export interface PersistentOptions {
  /** One attempt each so many seconds for a waiting call, counting three calls at most. Default 15; above 0. */
  readonly pers?: number | undefined
  /** Share of accepted attempts below which persistence fades, with its square. Default 0.05; above 0, at most 1. */
  readonly fair?: number | undefined
}

/** Options of `make`. All have defaults that suit calls of 10 to 100 seconds. */
export interface MakeOptions {
  /** Default `"Admission"`. */
  readonly name?: string | undefined
  /** Attempts per second to start from when the first sign of overload comes, unless answers came faster. Above 0. */
  readonly seed?: number | undefined
  /** Attempts per second below which rejections do not cut. Above 0. */
  readonly floor?: number | undefined
  /** A rejection multiplies the pace by this. Above 0, below 1. */
  readonly down?: number | undefined
  /** A good answer multiplies the pace by this, once the last good pace is reached again. At least 1. */
  readonly up?: number | undefined
  /** Late answers multiply the pace by this, at most once in a quarter of the window. Above 0, below 1. */
  readonly slowDown?: number | undefined
  /** Time without a sign of overload after which the pace grows by itself. Above 0. */
  readonly quiet?: Duration.DurationInput | undefined
  /** In the quiet the pace doubles in this time. Above 0. */
  readonly doubling?: Duration.DurationInput | undefined
  /** An answer that takes more than this share of the time allowed is a sign of overload. Above 0, at most 1. */
  readonly late?: number | undefined
  /** A call starts only with so many usual service times left. At least 0. */
  readonly fit?: number | undefined
  /** When answers come too late: calls in flight, as a multiple of pace times service time. Above 0. */
  readonly concurrency?: number | undefined
  /** Usual service time, until answers show it. Above 0. */
  readonly service?: Duration.DurationInput | undefined
  /** Time allowed for a call, until one with a deadline comes. Above 0. */
  readonly window?: Duration.DurationInput | undefined
  /** Calls that wait for one endpoint at most; beyond, the one whose deadline comes first is shed. At least 1. */
  readonly maxWaiting?: number | undefined
  /** Endpoints that are told apart; calls to further ones share one state. At least 1. */
  readonly maxEndpoints?: number | undefined
  /** An endpoint that is not used for so long may be forgotten. Above 0. */
  readonly idle?: Duration.DurationInput | undefined
  /** Keeps trying while rejected. Default: off, which is kinder to everybody when everybody does it. */
  readonly persistent?: PersistentOptions | undefined
  /** Only records, in `state`, what it would do: nothing waits and nothing is refused. Default false. */
  readonly dryRun?: boolean | undefined
}

/**
 * The defaults, as the docs table states them; found by simulation of calls of 10 to 90 seconds from 1 to 1,000
 * processes under fifteen kinds of overload.
 *
 * - `seed` 0.1/s: denser first attempts help bursts a little and multiply attempts for everybody else.
 * - `floor` 1/90 s: lower is better still when demand is ten times too high, and worse among careless neighbours.
 * - `down` 0.7, `slowDown` 0.5: deeper cuts lose short bursts, shallower ones waste attempts.
 * - `up` 1.03: feels for capacity that came back; matters for one process with much traffic.
 * - `quiet` 30 s, `doubling` 4 min: about one answer, and an episode of overload of half an hour to two hours.
 * - `late` 0.5: later in the window too much is lost before it is noticed.
 * - `fit` 1.25: a call that has less than its service time left and a quarter is work for nobody.
 * - `concurrency` 1: Little's law as it is.
 * - `service` 30 s, `window` 150 s: an image from a large model, and the patience of somebody who waits for it.
 */
export const defaults = {
  name: "Admission",
  seed: 0.1,
  floor: 1 / 90,
  down: 0.7,
  up: 1.03,
  slowDown: 0.5,
  quiet: "30 seconds",
  doubling: "4 minutes",
  late: 0.5,
  fit: 1.25,
  concurrency: 1,
  service: "30 seconds",
  window: "150 seconds",
  maxWaiting: 100_000,
  maxEndpoints: 64,
  idle: "1 hour",
  dryRun: false
} as const satisfies MakeOptions

/**
 * For `persistent`: keeps up with careless neighbours on a public endpoint, at the price of up to four attempts per
 * request when everybody does it.
 */
export const persistent = { pers: 15, fair: 0.05 } as const satisfies PersistentOptions

/** What is known of one endpoint, and what is going on there. */
export interface EndpointState {
  /** `off`: holds nothing back. `paced`: starts at `pace`. `slow`: that, and at most `limit` in flight. */
  readonly mode: "off" | "paced" | "slow"
  /** Attempts per second; `Infinity` while off. */
  readonly pace: number
  readonly waiting: number
  readonly inFlight: number
  /** Calls whose caller has left and which the server still works on. */
  readonly lost: number
  /** Most calls in flight, the lost ones included; `Infinity` unless slow. */
  readonly limit: number
  /** Usual service time. */
  readonly service: Duration.Duration
  /** Latency of answers as it is now. */
  readonly latency: Duration.Duration
  /** Time that a call must have left to start now. */
  readonly timeNeeded: Duration.Duration
  /** Recent share of attempts that ended in an answer, 0 to 1. */
  readonly success: number
  /** How long the server asked us to stay away from now on; zero when it did not. */
  readonly closedFor: Duration.Duration
  /**
   * Counts since the endpoint is known. In a dry run `delayed` and `shed` count calls that would have waited or would
   * have been refused; each of them started at once.
   */
  readonly started: number
  readonly delayed: number
  readonly shed: number
  readonly answered: number
  readonly rejected: number
}

/** A policy that admits calls by what their endpoint accepts. */
export interface Admission extends Policy.Policy<Shed> {
  /** Every endpoint that is known, by name; `"default"` is the one of calls that name none. Reading changes nothing. */
  readonly state: Effect.Effect<ReadonlyMap<string, EndpointState>>
  /**
   * For the `Retry` around it: tries again at once what another attempt may cure, because the wait is here. In a dry
   * run nothing waits here, and it is an exponential back-off of six attempts. Never use it without this policy inside.
   */
  readonly schedule: Backoff.Backoff
}

const owner = "Admission.make"

/** Above zero, as an option check can say it. */
const positive = { min: Number.MIN_VALUE } as const

const belowOne = { min: Number.MIN_VALUE, max: 1 - Number.EPSILON } as const

const seconds = (field: keyof typeof defaults & keyof MakeOptions, input: Duration.DurationInput | undefined): number =>
  Options.millis(owner, field, input, defaults[field] as Duration.DurationInput, { min: 1 }) / 1000

const persistenceOf = (options: PersistentOptions | undefined): Persistence | undefined =>
  options === undefined ? undefined : {
    pers: Options.number(owner, "persistent.pers", options.pers, persistent.pers, positive),
    fair: Options.number(owner, "persistent.fair", options.fair, persistent.fair, { ...positive, max: 1 })
  }

const settingsOf = (options: MakeOptions): Settings => {
  const number = (
    field: "seed" | "floor" | "down" | "up" | "slowDown" | "late" | "fit" | "concurrency",
    limits: { readonly min: number; readonly max?: number }
  ) => Options.number(owner, field, options[field], defaults[field], limits)
  return {
    seed: number("seed", positive),
    floor: number("floor", positive),
    down: number("down", belowOne),
    up: number("up", { min: 1 }),
    slowDown: number("slowDown", belowOne),
    quiet: seconds("quiet", options.quiet),
    doubling: seconds("doubling", options.doubling),
    late: number("late", { ...positive, max: 1 }),
    fit: number("fit", { min: 0 }),
    concurrency: number("concurrency", positive),
    service: seconds("service", options.service),
    window: seconds("window", options.window),
    maxWaiting: Options.count(owner, "maxWaiting", options.maxWaiting, defaults.maxWaiting, { min: 1 }),
    persistent: persistenceOf(options.persistent)
  }
}

const maxServerWait = Duration.toMillis(Duration.decode(Backoff.defaults.maxServerWait))

/** Again at once: the next visit to the policy is the wait. */
const atOnce: Backoff.Backoff = Schedule.makeWithState(0, (now: number, error: unknown, unknowns: number) => {
  const wait = Math.ceil(GenerationError.retryAfterMillis(error))
  const again = GenerationError.isRetryable(error) && wait <= maxServerWait && mayRepeat("once", error, unknowns)
  return Effect.succeed(
    [
      unknowns + (GenerationError.isUnknownOutcome(error) ? 1 : 0),
      Duration.millis(wait),
      again ? ScheduleDecision.continueWith(ScheduleInterval.after(now + wait)) : ScheduleDecision.done
    ] as const
  )
})

const viewOf = ({ controller, counts }: Endpoint, now: number): EndpointState => {
  const duration = (amount: number) => Duration.millis(Math.max(0, amount) * 1000)
  const { latency, lost, pace, settings, window } = controller
  return {
    mode: pace.mode,
    pace: Pace.rateAt(pace, settings, latency, now),
    waiting: controller.queue.size,
    inFlight: controller.inFlight,
    lost: lost.filter((at) => at > now - window).length,
    limit: Controller.flightLimit(controller),
    service: duration(controller.service),
    latency: duration(Estimates.latencyNow(controller, now)),
    timeNeeded: duration(Estimates.timeNeeded(controller, now)),
    success: controller.success,
    closedFor: duration(controller.closedUntil - now),
    ...counts
  }
}

/** A policy that admits calls by what their endpoint accepts. It refuses with `Shed` what cannot finish in time. */
export const make = (options: MakeOptions = {}): Effect.Effect<Admission> =>
  Effect.map(Random.nextIntBetween(0, 2 ** 31), (chance) => {
    const name = options.name ?? defaults.name
    const settings = settingsOf(options)
    const dryRun = options.dryRun ?? defaults.dryRun
    const endpoints = new Endpoints({
      name,
      settings,
      dryRun,
      maxEndpoints: Options.count(owner, "maxEndpoints", options.maxEndpoints, defaults.maxEndpoints, { min: 1 }),
      idle: seconds("idle", options.idle),
      luck: luck(chance)
    })
    const { persistent: persistence, maxWaiting, quiet, doubling, service, window, ...rates } = settings
    const policy = gated(endpoints, {
      kind: "Admission",
      name,
      options: {
        ...rates,
        quiet: quiet * 1000,
        doubling: doubling * 1000,
        service: service * 1000,
        window: window * 1000,
        maxWaiting,
        dryRun,
        ...persistence
      }
    })
    return Object.assign(policy, {
      state: Effect.map(Clock.currentTimeMillis, (millis): ReadonlyMap<string, EndpointState> => {
        const now = endpoints.now(millis)
        return new Map([...endpoints.byKey].map(([key, endpoint]) => [key, viewOf(endpoint, now)]))
      }),
      schedule: dryRun ? Backoff.upToAttempts(Backoff.exponential(), 6) : atOnce
    })
  })

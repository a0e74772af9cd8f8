/**
 * What an overloaded model does over a stretch of time: its capacity, its queue, its faults, and who calls it.
 *
 * A scenario is plain data, in the form of the overload benchmark's files, so that one written for a test also runs in
 * the simulator and behind the HTTP server. All times are seconds of the scenario's own clock, counted from its start.
 * `decode` refuses an unknown key and an impossible value by name.
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as BuiltIn from "./internal/builtIn.js"
import * as Decoding from "./internal/decoding.js"
import * as File from "./internal/scenarioFile.js"

/** Share of the slots that other tenants take, by block of the day in UTC. Each in 0-1. */
export interface Background {
  /** 00-06 UTC. */
  readonly low: number
  /** 06-12 UTC. */
  readonly med: number
  /** 12-18 UTC. */
  readonly peak: number
  /** 18-24 UTC. */
  readonly high: number
}

/** Lognormal service time of one generation, in seconds, clamped to `min`-`max`. */
export interface ServiceTime {
  /** Mean, within `min`-`max`. Default 30. */
  readonly mean?: number | undefined
  /** Coefficient of variation, 0-10. Default 0.3. */
  readonly cv?: number | undefined
  /** Shortest. Default 10. */
  readonly min?: number | undefined
  /** Longest. Default 90. */
  readonly max?: number | undefined
}

/**
 * - `reject`: every arrival is answered 503.
 * - `hang`: arrivals are accepted and never answered.
 * - `slow`: work that starts takes `x` times longer.
 * - `flaky`: an arrival is answered 500 with probability `p`.
 */
export type Mode = "reject" | "hang" | "slow" | "flaky"

/** Something that happens to an endpoint from `from` until `to`, in seconds. Has a `cap`, a `mode`, or both. */
export interface Event {
  readonly from: number
  readonly to: number
  /** Scales the slots; at least 0. */
  readonly cap?: number | undefined
  readonly mode?: Mode | undefined
  /** How many times longer work takes; greater than 0. Only with `mode: "slow"`, and needed there. */
  readonly x?: number | undefined
  /** Chance of a 500, 0-1. Only with `mode: "flaky"`, and needed there. */
  readonly p?: number | undefined
}

export interface Endpoint {
  readonly name: string
  /** Workers, an integer of at least 0. */
  readonly slots: number
  /** Waiting places, an integer of at least 0. Default 0. */
  readonly queue?: number | undefined
  /** Chance of a 500, 0-1. Default 0. */
  readonly err?: number | undefined
  /** Shortest and longest time until a rejection or an error is answered, in seconds. Default `[0.3, 1.5]`. */
  readonly rej?: readonly [number, number] | undefined
  /** How many times longer this endpoint works on everything; greater than 0. Default 1. */
  readonly slow?: number | undefined
  /** Longest wait in the queue, in seconds, until a late 503. Default: none. */
  readonly queueTimeout?: number | undefined
  /** Whether a 503 says when to come back. Default false. */
  readonly retryAfter?: boolean | undefined
  /** Requests accepted in any 60 s; more are answered 429. Default: no limit. */
  readonly rpm?: number | undefined
  /** Whether `rpm` holds for all clients together rather than for each. Default false. */
  readonly rpmShared?: boolean | undefined
  /** Whether a 429 says when to come back. Default false. */
  readonly rpmRA?: boolean | undefined
  /** Price of one completed generation, whether or not its caller is still there. Default 1. */
  readonly price?: number | undefined
  /** Load by other tenants on this endpoint. Default: the scenario's. */
  readonly bg?: Background | undefined
  readonly events?: ReadonlyArray<Event> | undefined
}

interface WorkloadBase {
  /** Name of the class of work. */
  readonly cls: string
  /** Number of clients, each a process of its own. */
  readonly clients: number
  /** Seconds from a call's start until its result is of no use. */
  readonly deadline: number
}

/** Calls that come independently of each other. */
export interface PoissonWorkload extends WorkloadBase {
  readonly kind?: undefined
  /** Calls per hour of each client. */
  readonly perHour: number
  /** Share of the calls kept in each 6 h block of the UTC day, 0-1. Default all. */
  readonly diurnal?: readonly [number, number, number, number] | undefined
  /** Start, in seconds. Default 0. */
  readonly from?: number | undefined
  /** End, in seconds. Default: the scenario's end. */
  readonly to?: number | undefined
}

/** Calls that come together: every `period` seconds each client makes `size` calls within `spread` seconds. */
export interface BurstWorkload extends WorkloadBase {
  readonly kind: "burst"
  readonly period: number
  readonly size: number
  readonly spread: number
}

/** Jobs that are all there at once: each client has `jobs`, handed in from `at` over `spread` seconds. */
export interface BatchWorkload extends WorkloadBase {
  readonly kind: "batch"
  readonly jobs: number
  readonly at: number
  readonly spread: number
}

export type Workload = PoissonWorkload | BurstWorkload | BatchWorkload

export interface Scenario {
  /** Length; greater than 0. The model itself goes on beyond it. */
  readonly hours: number
  /** UTC hour of the start, 0 up to (not including) 24. Default 0. */
  readonly startHour?: number | undefined
  /** Default: no other tenants. */
  readonly bg?: Background | undefined
  /** Standard deviation of the random term added to the background load, 0-1. Default 0.05. */
  readonly noise?: number | undefined
  readonly svc?: ServiceTime | undefined
  /** Attempt timeout that the user configured, in seconds. Default: none. Nothing to the model: clients read it. */
  readonly userTimeout?: number | undefined
  /** Slot-seconds that one 503 costs the server. Default 0. */
  readonly rejectCost?: number | undefined
  /** `"queued"`: a request whose caller left goes out of the queue. `"ignored"`: it is worked on all the same. */
  readonly cancel?: "queued" | "ignored" | undefined
  /** At least one, with different names. */
  readonly endpoints: ReadonlyArray<Endpoint>
  /** From when recovery is measured, in seconds. */
  readonly outageEnd?: number | undefined
  /** Requests a minute that the account may make: caps what can be reached at best. */
  readonly quotaPerMin?: number | undefined
  /** Who calls. Nothing to the model itself. Default: nobody. */
  readonly workload?: ReadonlyArray<Workload> | undefined
}

/** What holds where a scenario says nothing. `Infinity` stands for "none". */
export const defaults = {
  startHour: 0,
  bg: { low: 0, med: 0, peak: 0, high: 0 },
  noise: 0.05,
  svc: File.serviceTime,
  userTimeout: Infinity,
  rejectCost: 0,
  cancel: "ignored",
  endpoint: {
    queue: 0,
    err: 0,
    rej: [0.3, 1.5],
    slow: 1,
    queueTimeout: Infinity,
    retryAfter: false,
    rpm: Infinity,
    rpmShared: false,
    rpmRA: false,
    price: 1
  }
} as const

/** A scenario that cannot be read: where, and what would be legal there. */
export class ScenarioError extends Data.TaggedError("ScenarioError")<{
  /** For example `endpoints[0].events[1].p`. */
  readonly path: string
  readonly message: string
}> {}

const toError = ({ message, path }: Decoding.Invalid): ScenarioError => new ScenarioError({ path, message })

/** Reads one scenario. Keys that begin with `_` are comments. */
export const decode = (input: unknown): Either.Either<Scenario, ScenarioError> =>
  Either.mapLeft(
    Decoding.run(() => File.scenario(input, "")),
    toError
  )

/** Reads a file of scenarios: one object, from name to scenario. Keys that begin with `_` are comments. */
export const decodeFile = (input: unknown): Either.Either<Readonly<Record<string, Scenario>>, ScenarioError> =>
  Either.mapLeft(
    Decoding.run(() => {
      if (!Decoding.isRecord(input)) return Decoding.invalid("", "an object from name to scenario", input)
      const named = Object.entries(input).filter(([name]) => !name.startsWith("_"))
      return Object.fromEntries(named.map(([name, value]) => [name, File.scenario(value, name)]))
    }),
    toError
  )

/** The scenarios that come with the package, by name. */
export const builtIn: Readonly<Record<Name, Scenario>> = BuiltIn.scenarios

/** Name of a scenario that comes with the package. */
export type Name = keyof typeof BuiltIn.scenarios

/** The names of the scenarios that come with the package. */
export const names = Object.keys(BuiltIn.scenarios) as ReadonlyArray<Name>

/** The built-in scenario of that name, or the reason why there is none. */
export const byName = (name: string): Either.Either<Scenario, ScenarioError> => {
  const known = names.find((candidate) => candidate === name)
  return known !== undefined
    ? Either.right(builtIn[known])
    : Either.left(
        new ScenarioError({ path: "", message: `No scenario is called "${name}"; there are ${names.join(", ")}` })
      )
}

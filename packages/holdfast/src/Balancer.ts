/**
 * Sends each attempt to one of several endpoints: to the better of two drawn by weight, by latency, load, success and
 * price. It leaves alone what fails or asks to be left alone, and comes back to it.
 *
 * Its place is inside the retry, so that the next attempt may go elsewhere, and outside of what is kept for each
 * endpoint (limits, breakers, the attempt's timeout): it publishes endpoint and model in `CurrentCall`. A policy of one
 * endpoint's own can be given with it; where that refuses, the call goes to the next best endpoint.
 *
 * Not for trying another endpoint after a failure: that is what a retry around it does, within its bounds. Not for
 * limits: an endpoint that still answers is not protected from too many calls.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Endpoint from "./Endpoint.js"
import { tiers } from "./Endpoint.js"
import * as GenerationError from "./GenerationError.js"
import { Node, type Rules } from "./internal/balancer/node.js"
import { Pool } from "./internal/balancer/pool.js"
import { type Policies, route, routeStream } from "./internal/balancer/route.js"
import * as Scores from "./internal/balancer/scores.js"
import * as Options from "./internal/options.js"
import { make as makePolicy } from "./internal/policy.js"
import { maxTimerMillis } from "./internal/timer.js"
import type * as Policy from "./Policy.js"
import type { NoEndpoint, Rejected } from "./Rejected.js"

/** An endpoint to choose from; an `Endpoint` is one. */
export interface Target extends Endpoint.Attributes {
  /** Not empty, and unique among the endpoints: what `CurrentCall` is told, and clients, limits and metrics go by. */
  readonly name: string
  /** The model to ask there. Default: what the call or the request names. */
  readonly model?: string | undefined
  /** A policy of this endpoint alone, around each attempt that is sent there: its limit, its breaker. Default none. */
  readonly policy?: Policy.Policy<GenerationError.GenerationError | Rejected> | undefined
}

/** What the policies of endpoints add. */
export type TargetError<T> = T extends { readonly policy?: infer P } ? Policy.Rejection<P> : never

/** Options of `make`. */
export interface MakeOptions<Targets extends ReadonlyArray<Target> = ReadonlyArray<Target>> {
  /** Default `"Balancer"`. */
  readonly name?: string | undefined
  /** At least 1, at most 256. */
  readonly endpoints: Targets
  /** How much price counts beside latency and success. Default 0.3; from 0 (not at all) to 1. */
  readonly priceWeight?: number | undefined
  /** What was seen so long ago counts for a third. Default 5 minutes; from 1 second to 24 days. */
  readonly memory?: Duration.DurationInput | undefined
  /** Ejects after so many failures in a row. Default 5; at least 1, `Infinity` for never. */
  readonly consecutiveFailures?: number | undefined
  /** Ejects at less than this share of the others' success. Default 0.5; from 0 (never) to 1. */
  readonly outlierRatio?: number | undefined
  /** Calls remembered, of the endpoint and of the others, before `outlierRatio` counts. Default 10; at least 1. */
  readonly minimumCalls?: number | undefined
  /** Length of the first ejection. Default 30 seconds; from 1 ms to `maxEject`. */
  readonly ejectFor?: Duration.DurationInput | undefined
  /** How much longer each ejection is than the one before. Default 2; from 1 to 10. */
  readonly ejectFactor?: number | undefined
  /** The longest ejection; after so long without one, one is forgotten. Default 5 minutes; from 1 ms to 24 days. */
  readonly maxEject?: Duration.DurationInput | undefined
  /** Ejections are shorter by up to this share, at random. Default 0.2; from 0 to 1. */
  readonly jitter?: number | undefined
  /** At most this share of the endpoints is ejected at a time, rounded down. Default 0.5; from 0 to 1. */
  readonly maxEjected?: number | undefined
  /**
   * How long an endpoint is left alone that does not do this for us: wrong key, no such model, quota used up without a
   * word when it comes back. Default 5 minutes; from 1 ms to 24 days.
   */
  readonly aside?: Duration.DurationInput | undefined
  /** The longest that an endpoint is left alone at its own word. Default 1 day; from 1 ms to 24 days. */
  readonly maxCooling?: Duration.DurationInput | undefined
  /** An endpoint that was left alone takes 1 call, and twice as many each such time. Default 10 seconds; at least 1 ms. */
  readonly easeIn?: Duration.DurationInput | undefined
  /** The longest wait for an endpoint to come back; 0 never waits. Default 2 minutes; up to 24 days. */
  readonly maxWait?: Duration.DurationInput | undefined
  /** The most calls that wait. Default 10,000; up to 10^6. */
  readonly maxWaiting?: number | undefined
  /** Which errors count against an endpoint; all others do not. Default `isFailure` of this module. */
  readonly isFailure?: ((error: unknown) => boolean) | undefined
}

/** The defaults, as the docs table states them; they suit calls of 30-100 s, a few a minute at each endpoint. */
export const defaults = {
  name: "Balancer",
  priceWeight: 0.3,
  memory: "5 minutes",
  consecutiveFailures: 5,
  outlierRatio: 0.5,
  minimumCalls: 10,
  ejectFor: "30 seconds",
  ejectFactor: 2,
  maxEject: "5 minutes",
  jitter: 0.2,
  maxEjected: 0.5,
  aside: "5 minutes",
  maxCooling: "1 day",
  easeIn: "10 seconds",
  maxWait: "2 minutes",
  maxWaiting: 10_000
} as const satisfies Omit<MakeOptions, "endpoints">

/** One endpoint as it stands. */
export interface EndpointState extends Endpoint.Attributes {
  /** `cooling`: left alone at its own word, or because it does not do this for us. `ejected`: failed too often. */
  readonly mode: "ok" | "cooling" | "ejected"
  /** Until when, in milliseconds since the epoch; absent when `ok`. */
  readonly until?: number | undefined
  /** Why: the class of the error that it cools for, or `failures` or `outlier`; absent when `ok`. */
  readonly because?: string | undefined
  readonly inFlight: number
  /** The latency to reckon with, which falls while nothing is heard; absent before the first answer. */
  readonly latency?: Duration.Duration | undefined
  /** The recent share of successes, above 0 and at most 1; 1 while nothing is known. */
  readonly success: number
  /** Calls sent there, and their share of all. */
  readonly calls: number
  readonly share: number
}

/** A policy that chooses an endpoint for each attempt. */
export interface Balancer<out E = never> extends Policy.Policy<NoEndpoint | E> {
  /** Every endpoint by name, in the order in which they were given. */
  readonly state: Effect.Effect<ReadonlyMap<string, EndpointState>>
  /** How many calls wait for an endpoint to come back. */
  readonly waiting: Effect.Effect<number>
}

/** How often an endpoint was left out, by balancer, endpoint and reason. */
export const leftOut = Metric.counter("holdfast_balancer_left_out_total", {
  description: "Endpoints that were ejected or left alone",
  incremental: true
})

/**
 * Does an error say that the endpoint is in trouble? Those do that another attempt may cure: `Overloaded`,
 * `RateLimited`, `Transient` and `Timeout`, but for the wait for a connection of our own pool, and for what was injected.
 */
export const isFailure = (error: unknown): boolean =>
  GenerationError.isRetryable(error) && !(error._tag === "Timeout" && error.phase === "pool") &&
  !GenerationError.isInjected(error)

const owner = "Balancer.make"

const rulesOf = (options: MakeOptions): Rules => {
  const millis = (field: "memory" | "maxEject" | "aside" | "maxCooling" | "easeIn", min = 1) =>
    Options.millis(owner, field, options[field], defaults[field], { min, max: maxTimerMillis })
  const share = (field: "priceWeight" | "outlierRatio" | "jitter") =>
    Options.number(owner, field, options[field], defaults[field], { min: 0, max: 1 })
  const maxEject = millis("maxEject")
  const ejectFor = Math.min(maxEject, Duration.toMillis(defaults.ejectFor))
  return {
    priceWeight: share("priceWeight"),
    memory: millis("memory", 1000),
    consecutiveFailures: Options.count(
      owner,
      "consecutiveFailures",
      options.consecutiveFailures,
      defaults.consecutiveFailures,
      { min: 1 }
    ),
    outlierRatio: share("outlierRatio"),
    minimumCalls: Options.count(owner, "minimumCalls", options.minimumCalls, defaults.minimumCalls, { min: 1 }),
    ejectFor: Options.millis(owner, "ejectFor", options.ejectFor, ejectFor, { min: 1, max: maxEject }),
    ejectFactor: Options.number(owner, "ejectFactor", options.ejectFactor, defaults.ejectFactor, { min: 1, max: 10 }),
    maxEject,
    jitter: share("jitter"),
    aside: millis("aside"),
    maxCooling: millis("maxCooling"),
    easeIn: millis("easeIn")
  }
}

/** The endpoints, each with what is relative to the others. */
const nodesOf = (targets: ReadonlyArray<Target>, rules: Rules): ReadonlyArray<Node> => {
  if (targets.length < 1 || targets.length > 256) {
    throw new RangeError(`${owner}: "endpoints" must be 1 to 256 endpoints, not ${targets.length}`)
  }
  const positive = (i: number, field: "weight" | "price") =>
    Options.number(owner, `endpoints[${i}].${field}`, targets[i]?.[field], 1, { min: 1e-6, max: 1e6 })
  const weights = targets.map((_, i) => positive(i, "weight"))
  const prices = targets.map((_, i) => positive(i, "price"))
  const mean = weights.reduce((sum, weight) => sum + weight / weights.length, 0)
  const cheapest = Math.min(...prices)
  const names = new Set<string>()
  return targets.map(({ model, name, tier }, i) => {
    if (name === "" || names.has(name)) {
      throw new RangeError(`${owner}: "endpoints[${i}].name" must be a name that no other has, not "${name}"`)
    }
    names.add(name)
    if (tier !== undefined) Options.oneOf(owner, `endpoints[${i}].tier`, tier, "standard", tiers)
    const weight = weights[i]!
    const price = prices[i]!
    return new Node(name, model, tier, weight, price, { weight: weight / mean, price: price / cheapest }, rules)
  })
}

/** `google, relay (weight 2, price 0.5, flex)`: what is not as usual is said. */
const told = ({ name, price, tier, weight }: Node): string => {
  const attributes = [weight === 1 ? "" : `weight ${weight}`, price === 1 ? "" : `price ${price}`, tier ?? ""]
  const said = attributes.filter((attribute) => attribute !== "")
  return said.length === 0 ? name : `${name} (${said.join(", ")})`
}

/**
 * A policy that sends each attempt to one of the endpoints, and what it knows of them. It refuses with `NoEndpoint` when
 * none can take the call in time; `retryAfter` says when the first comes back. A call that names its endpoint already
 * (an outer policy set `CurrentCall.endpoint`) goes there. Its state lives in the value: make it once, and share it.
 * Throws a `RangeError` for an option that is out of its range.
 */
export const make = <const Targets extends ReadonlyArray<Target>>(
  options: MakeOptions<Targets>
): Effect.Effect<Balancer<TargetError<Targets[number]>>> => {
  type E = TargetError<Targets[number]>
  const targets: ReadonlyArray<Target> = options.endpoints
  const name = options.name ?? defaults.name
  const rules = rulesOf(options)
  nodesOf(targets, rules)
  const maxEjected = Options.number(owner, "maxEjected", options.maxEjected, defaults.maxEjected, { min: 0, max: 1 })
  const waits = {
    maxWait: Options.millis(owner, "maxWait", options.maxWait, defaults.maxWait, { max: maxTimerMillis }),
    maxWaiting: Options.count(owner, "maxWaiting", options.maxWaiting, defaults.maxWaiting, { min: 0, max: 1_000_000 })
  }
  // Each endpoint's policy adds its own refusals, and `E` is their union.
  const policies = new Map(
    targets.flatMap((target) => (target.policy === undefined ? [] : [[target.name, target.policy]]))
  ) as unknown as Policies<E>
  const counter = Metric.tagged(leftOut, "balancer", name)
  return Effect.sync(() => {
    const pool = new Pool({
      name,
      nodes: nodesOf(targets, rules),
      rules,
      // A share that is meant to give a whole number gives it in spite of rounding.
      mostEjected: Math.floor(maxEjected * targets.length + 1e-9),
      ...waits,
      isFailure: options.isFailure ?? isFailure,
      onLeftOut: (endpoint, why) =>
        Metric.tagged(Metric.tagged(counter, "endpoint", endpoint), "because", why).unsafeUpdate(1, [])
    })
    const policy = makePolicy<NoEndpoint | E>({
      kind: "Balancer",
      name,
      options: { endpoints: pool.config.nodes.map(told).join(", "), ...rules, maxEjected, ...waits },
      amplification: Math.max(1, ...[...policies.values()].map(({ describe }) => describe.amplification)),
      apply: (self) => route(pool, policies, self),
      applyStream: (self) => routeStream(pool, policies, self)
    })
    return Object.assign(policy, {
      state: Effect.map(Clock.currentTimeMillis, (wall) => stateOf(pool, wall)),
      waiting: Effect.sync(() => pool.waiting)
    })
  })
}

const stateOf = (pool: Pool, wall: number): ReadonlyMap<string, EndpointState> => {
  const now = pool.at(wall)
  const { nodes } = pool.config
  const all = nodes.reduce((sum, { calls }) => sum + calls, 0)
  return new Map(nodes.map((node) => [node.name, endpointOf(pool, node, all, now)]))
}

const standingOf = (pool: Pool, node: Node, now: number): Pick<EndpointState, "mode" | "until" | "because"> => {
  const cooling = node.coolingAt(now)
  if (cooling !== undefined) return { mode: "cooling", until: pool.wall(cooling.until), because: cooling.because }
  const health = node.healthAt(now)
  return health._tag === "Ejected"
    ? { mode: "ejected", until: pool.wall(health.returned), because: health.because }
    : { mode: "ok" }
}

const endpointOf = (pool: Pool, node: Node, all: number, now: number): EndpointState => {
  const { calls, inFlight, price, tier, weight } = node
  const latency = node.knownLatency(now)
  return {
    ...standingOf(pool, node, now),
    inFlight: inFlight.size,
    ...(latency === undefined ? {} : { latency: Duration.millis(latency) }),
    success: Scores.successOf(node.tallyAt(now)),
    calls,
    share: all === 0 ? 0 : calls / all,
    weight,
    price,
    ...(tier === undefined ? {} : { tier })
  }
}

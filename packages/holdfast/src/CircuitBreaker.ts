/**
 * Stops sending to an endpoint that fails, hangs or is slow, and finds out with a few probes when it is back.
 *
 * One value keeps a breaker for each endpoint (or other key) in a bounded number. There are no timers and no fibers: an
 * opening ends when the next call comes after its end. Places for probes are reserved in the step that lets a call in,
 * so a thousand callers at that instant send exactly as many probes as are allowed, and nobody waits for their answers.
 *
 * Not for pacing: an overloaded model that still takes half of the calls is better served by a retry with back-off, and
 * a breaker that opens on it turns working calls away. Not for errors that are about the request: those count as
 * nothing here.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Call, CurrentCall } from "./CurrentCall.js"
import * as GenerationError from "./GenerationError.js"
import { Family } from "./internal/circuitBreaker/family.js"
import type { Rules } from "./internal/circuitBreaker/rules.js"
import * as Saved from "./internal/circuitBreaker/snapshot.js"
import type { State, Transition } from "./internal/circuitBreaker/view.js"
import { streamThroughGate } from "./internal/gatedStream.js"
import * as Options from "./internal/options.js"
import { gated } from "./internal/policy.js"
import { clockOf } from "./internal/timer.js"
import { maxTimerMillis } from "./internal/timer.js"
import type * as Policy from "./Policy.js"
import type { CircuitOpen } from "./Rejected.js"

export type {
  /** Why a breaker opened. */
  OpenCause,
  /** What a breaker can be found in. */
  State,
  /** A change from one state to another. */
  Transition
} from "./internal/circuitBreaker/view.js"

/** The state of all breakers of a policy as plain data, safe for JSON. Isolation is not part of it. */
export type Snapshot = Saved.Snapshot

/** Options of `make`. A rule is off when its count or ratio is `Infinity`. */
export interface MakeOptions {
  /** Default `"CircuitBreaker"`. */
  readonly name?: string | undefined
  /** Which breaker a call belongs to. Default: the endpoint of the current call, `"default"` where there is none. */
  readonly key?: ((call: Call) => string) | undefined
  /** `"metrics-only"` refuses nobody, isolation included, and only keeps the state. Default `"enforce"`. */
  readonly mode?: "enforce" | "metrics-only" | undefined
  /** Trips after so many failures without a success between them. Default 8; a whole number of at least 1. */
  readonly consecutiveFailures?: number | undefined
  /** Trips at this share of failures in the window. Default 0.8; from 0.01 to 1. */
  readonly failureRatio?: number | undefined
  /** Calls that must have ended in the window before `failureRatio` counts. Default 12; at least 1. */
  readonly minimumCalls?: number | undefined
  /** Trips at this share of slow calls in the window, overdue ones in flight included. Default 0.8; from 0.01 to 1. */
  readonly slowRatio?: number | undefined
  /** Calls, ended in the window or overdue in flight, before `slowRatio` counts. Default 4; at least 1. */
  readonly slowMinimumCalls?: number | undefined
  /** A call, or the wait for a stream's first element, of this length is slow. Default 3 minutes; at least 1 ms. */
  readonly slowAfter?: Duration.DurationInput | undefined
  /** How far back the ratios look, forgotten by tenths. Default 10 minutes; from 10 ms to 24 days. */
  readonly window?: Duration.DurationInput | undefined
  /** Length of the first opening. Default 15 seconds; from 1 ms to `maxOpen`. */
  readonly openFor?: Duration.DurationInput | undefined
  /** How much longer each opening is than the one before, until it closes. Default 1.5; from 1 to 10. */
  readonly openFactor?: number | undefined
  /** The longest opening, also when the server asks for more. Default 5 minutes; from 1 ms to 24 days. */
  readonly maxOpen?: Duration.DurationInput | undefined
  /** Openings are longer by up to this share, at random. Default 0.2; from 0 to 1. */
  readonly jitter?: number | undefined
  /** Probes in flight at once when half-open. Default 2; at least 1. */
  readonly probes?: number | undefined
  /** Successful probes that close it. Default 2; at least 1. */
  readonly successesToClose?: number | undefined
  /**
   * A probe in flight for this long, and twice as long as the failures took that opened the breaker, counts as
   * accepted: a success. `"Infinity"` to wait for answers. Never applies after slowness. Default 10 seconds; at least
   * 1 ms.
   */
  readonly acceptedAfter?: Duration.DurationInput | undefined
  /** A probe that has not answered by then gives up its place to another. Default 2 minutes; from 1 ms to 24 days. */
  readonly probeTimeout?: Duration.DurationInput | undefined
  /** Which errors count as failures; all others count as nothing. Default `isFailure` of this module. */
  readonly isFailure?: ((error: unknown) => boolean) | undefined
  /** The most breakers kept. Calls of further keys pass unguarded while none can be dropped. Default 256; to 10^6. */
  readonly maxKeys?: number | undefined
  /** A breaker not used for so long, and not open, may be dropped. Default 1 hour; at least 1 ms. */
  readonly idleTime?: Duration.DurationInput | undefined
  /** A state that was saved: what it holds of time goes on from then. Default none. */
  readonly initialState?: Snapshot | undefined
  /** Called on the spot at each change of state. What it throws is ignored. Default none. */
  readonly onTransition?: ((transition: Transition) => void) | undefined
}

/**
 * The defaults, as the docs table states them; they suit calls of 30-100 s, a few a minute. An endpoint that refuses
 * 45 % of calls, as at a bad peak, meets 8 failures in a row once in some 1,000 calls, and 0.8 of 12 calls once in 100.
 * The window holds several of the longest calls. 3 minutes is longer than an overloaded model takes for an answer.
 * Refusals come within seconds, so what has run for 10 seconds was accepted, and need not be waited for.
 */
export const defaults = {
  name: "CircuitBreaker",
  mode: "enforce",
  consecutiveFailures: 8,
  failureRatio: 0.8,
  minimumCalls: 12,
  slowRatio: 0.8,
  slowMinimumCalls: 4,
  slowAfter: "3 minutes",
  window: "10 minutes",
  openFor: "15 seconds",
  openFactor: 1.5,
  maxOpen: "5 minutes",
  jitter: 0.2,
  probes: 2,
  successesToClose: 2,
  acceptedAfter: "10 seconds",
  probeTimeout: "2 minutes",
  maxKeys: 256,
  idleTime: "1 hour"
} as const satisfies MakeOptions

/** One breaker of a policy. */
export interface Handle {
  readonly state: Effect.Effect<State>
  /** Forces it open while the scope lives; several count, and the last one to end sets it free. */
  readonly isolate: Effect.Effect<void, never, Scope.Scope>
  /** Closes it and forgets what it saw. What is in flight counts no more. */
  readonly reset: Effect.Effect<void>
}

/** A policy that refuses with `CircuitOpen`, and its state. */
export interface CircuitBreaker extends Policy.Policy<CircuitOpen> {
  /** The state of the breaker that the current call belongs to. */
  readonly state: Effect.Effect<State>
  /** The states of all breakers by key. */
  readonly states: Effect.Effect<ReadonlyMap<string, State>>
  /** Forces all of them open, also those still to come, while the scope lives. Resumes where each was. */
  readonly isolate: Effect.Effect<void, never, Scope.Scope>
  /** Closes all of them and forgets what they saw. */
  readonly reset: Effect.Effect<void>
  /** The breaker of one key. */
  readonly at: (key: string) => Handle
  /** For `initialState` of another process, or of the next start of this one. */
  readonly snapshot: Effect.Effect<Snapshot>
}

/** Changes of state, by name of the policy and new state. */
export const transitions = Metric.counter("holdfast_circuit_transitions_total", {
  description: "Changes of state of circuit breakers",
  incremental: true
})

/**
 * Does an error say that the endpoint is in trouble? Those do that another attempt may cure: `Overloaded`,
 * `RateLimited`, `Transient` and `Timeout`, but for the wait for a connection of our own pool, and for what was injected.
 */
export const isFailure = (error: unknown): boolean =>
  GenerationError.isRetryable(error) && !(error._tag === "Timeout" && error.phase === "pool") &&
  !GenerationError.isInjected(error)

const owner = "CircuitBreaker.make"

const ratio = (field: "failureRatio" | "slowRatio", value: number | undefined): number =>
  value === Infinity ? value : Options.number(owner, field, value, defaults[field], { min: 0.01, max: 1 })

const rulesOf = (options: MakeOptions): Rules => {
  const millis = (
    field: "slowAfter" | "window" | "openFor" | "maxOpen" | "acceptedAfter" | "probeTimeout",
    max = maxTimerMillis,
    min = 1
  ) => Options.millis(owner, field, options[field], defaults[field], { min, max })
  const count = (field: "consecutiveFailures" | "minimumCalls" | "slowMinimumCalls") =>
    Options.count(owner, field, options[field], defaults[field], { min: 1 })
  const few = (field: "probes" | "successesToClose") =>
    Options.count(owner, field, options[field], defaults[field], { min: 1, max: 1_000_000 })
  const maxOpen = millis("maxOpen")
  return {
    consecutiveFailures: count("consecutiveFailures"),
    failureRatio: ratio("failureRatio", options.failureRatio),
    minimumCalls: count("minimumCalls"),
    slowRatio: ratio("slowRatio", options.slowRatio),
    slowMinimumCalls: count("slowMinimumCalls"),
    slowAfter: millis("slowAfter", Infinity),
    window: millis("window", maxTimerMillis, 10),
    openFor: Options.millis(
      owner,
      "openFor",
      options.openFor,
      Math.min(maxOpen, Duration.toMillis(defaults.openFor)),
      { min: 1, max: maxOpen }
    ),
    openFactor: Options.number(owner, "openFactor", options.openFactor, defaults.openFactor, { min: 1, max: 10 }),
    maxOpen,
    jitter: Options.number(owner, "jitter", options.jitter, defaults.jitter, { min: 0, max: 1 }),
    probes: few("probes"),
    successesToClose: few("successesToClose"),
    acceptedAfter: millis("acceptedAfter", Infinity),
    probeTimeout: millis("probeTimeout")
  }
}

const endpointOf = (call: Call): string => call.endpoint ?? "default"

/**
 * The gate for one run of a stream, and what its elements pass through: the first one shows that the call was
 * accepted, so that a slow reader makes no slow call.
 */
const streamGate = (family: Family) => {
  let heard = false
  let hear = () => {}
  const gate: Family["gate"] = {
    enter: (visitor) => {
      const decision = family.gate.enter(visitor)
      const ticket = decision._tag === "Entered" ? decision.ticket : undefined
      const clock = clockOf(visitor.fiber)
      if (ticket !== undefined) hear = () => family.answered(ticket, clock.unsafeCurrentTimeMillis())
      return decision
    },
    leave: family.gate.leave
  }
  const listening = <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
    Stream.mapChunks(self, (chunk) => {
      if (!heard && chunk.length > 0) {
        heard = true
        hear()
      }
      return chunk
    })
  return { gate, listening }
}

const countTransitions = (name: string) => {
  const named = Metric.tagged(transitions, "breaker", name)
  const counters = {
    Closed: Metric.tagged(named, "to", "Closed"),
    Open: Metric.tagged(named, "to", "Open"),
    HalfOpen: Metric.tagged(named, "to", "HalfOpen"),
    Isolated: Metric.tagged(named, "to", "Isolated")
  }
  return ({ to }: Transition) => counters[to].unsafeUpdate(1, [])
}

/**
 * A policy that refuses with `CircuitOpen` while the endpoint of a call is in trouble; `retryAfter` is the time until
 * that can change. Its state lives in the value: make it once, and share it. Throws a `RangeError` for an option that
 * is out of its range.
 */
export const make = (options: MakeOptions = {}): Effect.Effect<CircuitBreaker> => {
  const rules = rulesOf(options)
  const name = options.name ?? defaults.name
  const mode = Options.oneOf(owner, "mode", options.mode, defaults.mode, ["enforce", "metrics-only"])
  const limits = {
    maxKeys: Options.count(owner, "maxKeys", options.maxKeys, defaults.maxKeys, { min: 1, max: 1_000_000 }),
    idleTime: Options.millis(owner, "idleTime", options.idleTime, defaults.idleTime, { min: 1 })
  }
  const saved = options.initialState === undefined ? undefined : Saved.parse(options.initialState)
  const count = countTransitions(name)
  return Effect.map(Clock.currentTimeMillis, (start) => {
    const family = new Family({
      name,
      rules,
      limits,
      dryRun: mode === "metrics-only",
      keyOf: options.key ?? endpointOf,
      isFailure: options.isFailure ?? isFailure,
      onTransition: (transition) => {
        count(transition)
        options.onTransition?.(transition)
      }
    })
    if (saved !== undefined) family.restore(saved, start)
    return fromFamily(family, { name, options: { mode, ...rules, ...limits } })
  })
}

const fromFamily = (
  family: Family,
  description: { readonly name: string; readonly options: Policy.Description["options"] }
): CircuitBreaker => {
  const reading = <A>(read: (now: number) => A): Effect.Effect<A> => Effect.map(Clock.currentTimeMillis, read)
  const isolate = (key: string | undefined): Effect.Effect<void, never, Scope.Scope> =>
    Effect.acquireRelease(
      reading((now) => family.isolate(key, 1, now)),
      () => reading((now) => family.isolate(key, -1, now))
    )
  return {
    ...gated(family.gate, { kind: "CircuitBreaker", ...description }),
    applyStream: (self) =>
      Stream.suspend(() => {
        const { gate, listening } = streamGate(family)
        return streamThroughGate(gate, listening(self))
      }),
    state: Effect.flatMap(CurrentCall, (call) => reading((now) => family.state(family.keyOf(call), now))),
    states: reading((now) => family.states(now)),
    isolate: isolate(undefined),
    reset: reading((now) => family.reset(undefined, now)),
    at: (key) => ({
      state: reading((now) => family.state(key, now)),
      isolate: isolate(key),
      reset: reading((now) => family.reset(key, now))
    }),
    snapshot: reading((now) => family.save(now))
  }
}

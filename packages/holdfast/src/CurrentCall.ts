/**
 * What a wrapped effect cannot show to the policies around it: which call this is, where it goes, and until when.
 *
 * One `Context.Reference` holds it all, because publishing a value costs several microseconds. Routing policies set
 * it; the client and per-endpoint policies read it. It follows forks, races, streams and layers like any service.
 * Work that outlives the attempt which started it must be `detached`, or it inherits a deadline long past.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { dual } from "effect/Function"
import type { Attempt } from "./GenerationError.js"
import type { TelemetryEvent } from "./TelemetryEvent.js"

/** Interactive work is waited for by somebody; batch work yields to it. */
export type WorkClass = "interactive" | "batch"

/** The attempts of one generation, shared by all its fibers. Append only. */
export interface AttemptLog {
  readonly attempts: Array<Attempt>
  /** Attempts started so far, also those still in flight. */
  started: number
}

export interface Call {
  /** Identity of the generation; `undefined` outside of one. */
  readonly generation: string | undefined
  /** When the whole generation must be done, in milliseconds since the epoch; `Infinity` for never. */
  readonly deadline: number
  /** 1 for the first attempt that the retry owner makes, 0 before it made one. */
  readonly attempt: number
  /** Name of the policy that retries for this generation; a retry inside another becomes transparent. */
  readonly retryOwner: string | undefined
  /** The endpoint that a routing policy chose, by name. */
  readonly endpoint: string | undefined
  /** The model that a routing policy chose. */
  readonly model: string | undefined
  /**
   * Endpoints that copies of the same attempt were sent to, shared by the copies: a balancer adds its choice, and
   * chooses others first. `undefined` where there are no copies.
   */
  readonly taken: Set<string> | undefined
  /** Higher goes first. Default 0. */
  readonly priority: number
  /** Whose call it is, for fairness between tenants. */
  readonly tenant: string
  /** Estimated tokens, for limits counted in tokens. */
  readonly tokens: number
  readonly workClass: WorkClass
  readonly log: AttemptLog | undefined
  /** Told when the attempt leaves a queue of ours before it was sent, because its caller has left. */
  readonly withdrawn: (() => void) | undefined
  /** Where policies report what they do. Never fails and never waits. */
  readonly observe: (event: TelemetryEvent) => void
}

/** The call of a fiber that is in none. */
export const none: Call = {
  generation: undefined,
  deadline: Infinity,
  attempt: 0,
  retryOwner: undefined,
  endpoint: undefined,
  model: undefined,
  taken: undefined,
  priority: 0,
  tenant: "default",
  tokens: 0,
  workClass: "interactive",
  log: undefined,
  withdrawn: undefined,
  observe: () => {}
}

export class CurrentCall extends Context.Reference<CurrentCall>()("@holdfast/CurrentCall", {
  defaultValue: (): Call => none
}) {}

/** The current call. */
export const current: Effect.Effect<Call> = CurrentCall

/** Runs the effect with some of the call's fields replaced. */
export const update: {
  (fields: Partial<Call>): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, fields: Partial<Call>): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, fields: Partial<Call>): Effect.Effect<A, E, R> =>
    Effect.flatMap(CurrentCall, (call) => Effect.provideService(self, CurrentCall, { ...call, ...fields }))
)

/**
 * Runs the effect outside of any call: for background work that is started inside an attempt and outlives it, such as
 * refreshing a cache or polling a feed.
 */
export const detached = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(self, CurrentCall, none)

/** The call of a running fiber, without a step of its own. */
export const ofFiber = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Call =>
  Context.get(fiber.currentContext, CurrentCall)

/** A new, empty attempt log. */
export const makeLog = (): AttemptLog => ({ attempts: [], started: 0 })

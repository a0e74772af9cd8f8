/**
 * Something that stands around an effect and decides whether, when and how often it runs: a retry, a timeout, a limit.
 *
 * A policy is a plain value. It adds only its own refusal to the error channel and nothing to the requirements, it says
 * what it is as plain data (`describe`), and it treats streams by the same rules as effects. `compose` reads outside
 * in: the first policy sees the call first and its result last.
 */
import type * as Effect from "effect/Effect"
import type { Pipeable } from "effect/Pipeable"
import * as Predicate from "effect/Predicate"
import type * as Stream from "effect/Stream"
import type * as Types from "effect/Types"
import type * as Admission from "./Admission.js"
import type { Call } from "./CurrentCall.js"
import { explain as explainParts, type Explanation } from "./internal/explain.js"
import * as internal from "./internal/policy.js"
import * as streams from "./internal/provideStream.js"
import * as presets from "./internal/presets.js"
import type * as LoadProfile from "./LoadProfile.js"
import type { Shed } from "./Rejected.js"

export const TypeId: unique symbol = internal.TypeId
export type TypeId = typeof TypeId

/** What a policy is, as data that a test can compare and a person can read. */
export interface Description {
  /** The kind of policy, for example `"Retry"`. */
  readonly kind: string
  readonly name: string
  /** Its options by name; durations in milliseconds. */
  readonly options: Readonly<Record<string, boolean | number | string>>
  /** How many times, at worst, it runs what is inside it for one call. `Infinity` when nothing bounds it. */
  readonly amplification: number
  /** The parts of a composition, outermost first. */
  readonly policies?: ReadonlyArray<Description> | undefined
}

/**
 * A policy that adds the refusal `E`.
 *
 * `apply` and `applyStream` are closures rather than methods, so that `effect.pipe(policy.apply)` works.
 */
export interface Policy<out E = never> extends Pipeable {
  readonly [TypeId]: { readonly _E: Types.Covariant<E> }
  readonly name: string
  readonly describe: Description
  readonly apply: <A, E1, R>(self: Effect.Effect<A, E1, R>) => Effect.Effect<A, E | E1, R>
  /** Decisions fall before the first element; what was handed out is never taken back or repeated. */
  readonly applyStream: <A, E1, R>(self: Stream.Stream<A, E1, R>) => Stream.Stream<A, E | E1, R>
}

/** The refusal that a policy adds. */
export type Rejection<P> = P extends { readonly [TypeId]: { readonly _E: Types.Covariant<infer E> } } ? E : never

export const isPolicy = (u: unknown): u is Policy<unknown> => Predicate.hasProperty(u, TypeId)

/** A policy of one's own. `amplification` defaults to 1: it runs what is inside it at most once. */
export const make: <E = never>(options: {
  readonly kind: string
  readonly name?: string | undefined
  readonly options?: Description["options"] | undefined
  readonly amplification?: number | undefined
  readonly apply: Policy<E>["apply"]
  readonly applyStream: Policy<E>["applyStream"]
}) => Policy<E> = internal.make

/** The policy that changes nothing. */
export const identity: Policy = internal.identity

/**
 * One policy out of several, outermost first. Associative: nesting compositions changes nothing, not even the
 * description. Without arguments it is `identity`. Parts of ours that stand next to each other run in one go.
 */
export const compose: <const Ps extends ReadonlyArray<Policy<unknown>>>(
  ...policies: Ps
) => Policy<Rejection<Ps[number]>> = internal.compose

function with_<E>(policy: Policy<E>): <A, E1, R>(self: Effect.Effect<A, E1, R>) => Effect.Effect<A, E | E1, R>
function with_<E, A, E1, R>(policy: Policy<E>, self: Effect.Effect<A, E1, R>): Effect.Effect<A, E | E1, R>
function with_<E, A, E1, R>(policy: Policy<E>, self?: Effect.Effect<A, E1, R>) {
  return self === undefined ? policy.apply : policy.apply(self)
}

export {
  /** Puts an effect under a policy: `Policy.with(policy)(effect)` or `Policy.with(policy, effect)`. */
  with_ as with
}

/** Puts a stream under a policy: `Policy.withStream(policy)(stream)` or `Policy.withStream(policy, stream)`. */
export function withStream<E>(
  policy: Policy<E>
): <A, E1, R>(self: Stream.Stream<A, E1, R>) => Stream.Stream<A, E | E1, R>
export function withStream<E, A, E1, R>(
  policy: Policy<E>,
  self: Stream.Stream<A, E1, R>
): Stream.Stream<A, E | E1, R>
export function withStream<E, A, E1, R>(policy: Policy<E>, self?: Stream.Stream<A, E1, R>) {
  return self === undefined ? policy.applyStream : policy.applyStream(self)
}

/** Runs the stream's effects under a call of their own, as `CurrentCall.update` does for effects: for policies that route. */
export const provideStream: <A, E, R>(self: Stream.Stream<A, E, R>, call: Call) => Stream.Stream<A, E, R> =
  streams.provideStream

/** What a composition does, for a person: its order in words, and a warning for each order known to do harm. */
export type { Explanation } from "./internal/explain.js"

/**
 * The order of a policy's parts in words, outermost first, with a warning for each pair whose order is known to do
 * harm: a timeout outside of a retry, say.
 */
export const explain = (policy: Policy<unknown>): Explanation => explainParts(internal.partsOf(policy.describe))

/** The worst number of attempts that one call through this policy can make. */
export const worstCaseAmplification = (policy: Policy<unknown>): number => policy.describe.amplification

/** Options of `interactive`, `persistent` and `batch`. */
export interface PresetOptions {
  /** Given to each part, for descriptions, events and refusals. Default each part's own. */
  readonly name?: string | undefined
  /** When which load is to be expected; only batch work waits for it. Default `LoadProfile.nanoBanana`. */
  readonly profile?: LoadProfile.Source | undefined
  /**
   * Attempts of one call in all, the first one included. Default 100, for `batch` 500; at least 1. The deadline is what
   * ends them; `Infinity` leaves it to that alone.
   */
  readonly maxAttempts?: number | undefined
  /** What admission control is told beside that, `name` and `persistent` included. Default nothing. */
  readonly admission?: Admission.MakeOptions | undefined
}

/** Options of `article`. */
export interface ArticleOptions {
  /** Default `"Retry"`. */
  readonly name?: string | undefined
}

/** A policy with its admission control, whose `state` says what it knows and who waits. */
export interface Preset extends Policy<Shed> {
  readonly admission: Admission.Admission
}

/** The defaults of the presets, as the docs table states them. */
export const presetDefaults = presets.defaults

/**
 * For calls that somebody waits for, and batch work beside them: `OffPeak` > `Retry` > `Admission`. Polite: it stands
 * back while the endpoint has no capacity, and is best for everybody where everybody does so. What the endpoint has
 * accepted is never abandoned before the deadline, without which a call may wait for ever.
 *
 * Calls of work class `batch` (`CurrentCall.update({ workClass: "batch" })`) wait for the lowest level of the profile
 * that comes two hours before their deadline or sooner, spread over its first 15 minutes, and then go when no
 * interactive call can. Make it once for each kind of calls and share it: it learns from all of them.
 */
export const interactive: (options?: PresetOptions) => Effect.Effect<Preset> = presets.interactive

/**
 * `interactive` that keeps asking while it is rejected: for a public endpoint among careless neighbours, where who
 * stands back gets nothing. Up to four attempts per request when everybody does so. Not for an endpoint of one's own.
 */
export const persistent: (options?: PresetOptions) => Effect.Effect<Preset> = presets.persistent

/**
 * `interactive` for a process in which nobody waits: every call is batch work. Give the calls hours: with a deadline
 * too near for a better time they start at once. Beside calls that somebody waits for, share one `interactive` instead,
 * for batch work gives way only to calls of the same value.
 */
export const batch: (options?: PresetOptions) => Effect.Effect<Preset> = presets.batch

/**
 * The loop that people paste, to compare with: at most 5 attempts, `2^n + U(0, 1)` seconds between them, when
 * `Overloaded`, and nothing else. Not for use: it asks again while there is no capacity and gives up within 19 seconds.
 */
export const article: (options?: ArticleOptions) => Effect.Effect<Policy> = presets.article

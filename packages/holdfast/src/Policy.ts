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
import { explain as explainParts, type Explanation } from "./internal/explain.js"
import * as internal from "./internal/policy.js"

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

/** What a composition does, for a person: its order in words, and a warning for each order known to do harm. */
export type { Explanation } from "./internal/explain.js"

/**
 * The order of a policy's parts in words, outermost first, with a warning for each pair whose order is known to do
 * harm: a timeout outside of a retry, say.
 */
export const explain = (policy: Policy<unknown>): Explanation => explainParts(internal.partsOf(policy.describe))

/** The worst number of attempts that one call through this policy can make. */
export const worstCaseAmplification = (policy: Policy<unknown>): number => policy.describe.amplification

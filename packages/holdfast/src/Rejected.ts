/**
 * Refusals by our own policies, made before any attempt was sent on their account. Each says which policy refused, its
 * name, and, where known, when to come back. A provider's answers are `GenerationError`s, never these.
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import type { Attempt, GenerationError } from "./GenerationError.js"

export const TypeId: unique symbol = Symbol.for("@holdfast/Rejected")
export type TypeId = typeof TypeId

/** What every refusal carries. */
export interface Fields {
  /** The kind of policy, for example `"CircuitBreaker"`. */
  readonly policy: string
  /** The name that the policy was given. */
  readonly policyName: string
  readonly message: string
  /** How long to stay away, where the policy knows. */
  readonly retryAfter?: Duration.Duration | undefined
  /** The attempts that the generation had made by then, those in flight included, where that is known. */
  readonly attempts?: ReadonlyArray<Attempt> | undefined
  /** The error of the last of them that ended. */
  readonly last?: GenerationError | undefined
}

/** What a constructor takes. */
export interface Options extends Omit<Fields, "retryAfter"> {
  /** A duration, or milliseconds. */
  readonly retryAfter?: Duration.DurationInput | undefined
}

const fieldsOf = (options: Options): Fields => {
  const { retryAfter, ...rest } = options
  const present = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  return (retryAfter === undefined ? present : { ...present, retryAfter: Duration.decode(retryAfter) }) as unknown as Fields
}

/** What the classes below extend: a yieldable error with a brand and a tag. */
interface Base<T extends Tag> {
  new(options: Options): Cause.YieldableError & Fields & { readonly [TypeId]: TypeId; readonly _tag: T }
}

const Tagged = <const T extends Tag>(tag: T): Base<T> =>
  class extends Data.Error<Fields> {
    readonly [TypeId]: TypeId = TypeId
    readonly _tag: T = tag
    constructor(options: Options) {
      super(fieldsOf(options))
      this.name = tag
    }
  }

/** The names of the refusals. */
export const tags = [
  "CircuitOpen",
  "QueueFull",
  "Shed",
  "DeadlineExceeded",
  "LimitExceeded",
  "NoEndpoint",
  "SpendExceeded"
] as const

/** The name of a refusal. */
export type Tag = (typeof tags)[number]

/** A circuit breaker is open, or all its probes are out. */
export class CircuitOpen extends Tagged("CircuitOpen") {}

/** The queue in front of a bulkhead or limiter is full. */
export class QueueFull extends Tagged("QueueFull") {}

/** Given up before it was sent, because it could not have finished in time or something more urgent came. */
export class Shed extends Tagged("Shed") {}

/** The time allowed for the whole generation ran out. */
export class DeadlineExceeded extends Tagged("DeadlineExceeded") {}

/** A rate limit would be passed, and waiting for it is not wanted or not possible. */
export class LimitExceeded extends Tagged("LimitExceeded") {}

/** No endpoint can take the call. */
export class NoEndpoint extends Tagged("NoEndpoint") {}

/** Another attempt would pass the money allowed for the generation. */
export class SpendExceeded extends Tagged("SpendExceeded") {}

/** What a policy can refuse with. */
export type Rejected =
  | CircuitOpen
  | QueueFull
  | Shed
  | DeadlineExceeded
  | LimitExceeded
  | NoEndpoint
  | SpendExceeded

/** Is this a refusal by one of our policies? Its type keeps what is already known of the value. */
export const isRejected = <E>(u: E): u is E & Rejected => Predicate.hasProperty(u, TypeId)

const classes = { CircuitOpen, QueueFull, Shed, DeadlineExceeded, LimitExceeded, NoEndpoint, SpendExceeded }

/** The same refusal with the history of its generation. */
export const withAttempts = <E extends Rejected>(error: E, attempts: ReadonlyArray<Attempt>): E => {
  const { message, policy, policyName, retryAfter } = error
  const last = attempts.findLast((attempt) => attempt.error !== undefined)?.error
  // Its own class, by its tag.
  return new classes[error._tag]({ policy, policyName, message, retryAfter, attempts: [...attempts], last }) as E
}

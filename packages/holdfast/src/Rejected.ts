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
  new <Extra extends object = {}>(options: Options & Extra): Cause.YieldableError &
    Fields &
    Readonly<Extra> & { readonly [TypeId]: TypeId; readonly _tag: T }
}

const Tagged = <const T extends Tag>(tag: T): Base<T> =>
  class extends Data.Error<Fields> {
    readonly [TypeId]: TypeId = TypeId
    readonly _tag: T = tag
    constructor(options: Options) {
      super(fieldsOf(options))
      this.name = tag
    }
  } as Base<T>

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

/**
 * The time allowed for the whole generation ran out. `attempts` are those made by then, the one in flight included;
 * `last` is the error of the last one that ended.
 */
export class DeadlineExceeded extends Tagged("DeadlineExceeded")<{
  readonly attempts?: ReadonlyArray<Attempt> | undefined
  readonly last?: GenerationError | undefined
}> {}

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

/**
 * What a generation call can fail with: one class and one `_tag` per error class of a provider's answer.
 *
 * The classes say *what happened*; `outcome` says whether the provider may have done (and billed) the work. Policies
 * decide on both. The module is cheap to import; schemas for the same values stand in `GenerationSchema`.
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as Redact from "./Redact.js"

export const TypeId: unique symbol = Symbol.for("@holdfast/GenerationError")
export type TypeId = typeof TypeId

/**
 * Whether the provider may have done the work, and billed it.
 *
 * - `"not-started"`: the request cannot have reached a worker (no connection, no room in the pool).
 * - `"rejected"`: the provider answered that it will not, or could not, do it.
 * - `"unknown"`: the request was sent and no trustworthy answer says what became of it.
 */
export type Outcome = "not-started" | "rejected" | "unknown"

/**
 * Which wait ran out. `server` is a timeout that the far side reports (408, 504, 524); all others are our own clocks.
 */
export type TimeoutPhase =
  | "pool"
  | "connect"
  | "write"
  | "headers"
  | "body"
  | "first-chunk"
  | "idle"
  | "attempt"
  | "server"

/**
 * Why no further attempt was made.
 *
 * - `fatal`: the error's class is not worth a retry.
 * - `schedule`: the schedule ended (its attempts, its elapsed time, or a server wait longer than it accepts).
 * - `deadline`: the time left cannot fit another attempt.
 * - `unknown-outcome`: the work may have been done and billed, and the rule for such outcomes forbids another try.
 * - `committed`: output of a stream was handed out already, and a repeat would mix two answers.
 * - `budget`, `spend`: the shared retry budget, or the money for this generation, is used up.
 */
export type StoppedBy = (typeof stopReasons)[number]

/** The reasons by name. */
export const stopReasons = [
  "fatal",
  "schedule",
  "deadline",
  "unknown-outcome",
  "committed",
  "budget",
  "spend"
] as const

/** One attempt of a generation, as it is remembered. */
export interface Attempt {
  /** 1 for the first attempt of the generation. */
  readonly number: number
  readonly endpoint: string
  readonly model: string
  /** Start, in milliseconds since the epoch. */
  readonly startedAt: number
  readonly duration: Duration.Duration
  /** Absent when the attempt succeeded. */
  readonly error?: GenerationError | undefined
}

/** What every error carries. */
export interface Fields {
  /** Name of the endpoint that the attempt went to. */
  readonly endpoint: string
  readonly model: string
  readonly message: string
  /** HTTP status, where there was one. */
  readonly status?: number | undefined
  /** How long the server asks us to stay away. */
  readonly retryAfter?: Duration.Duration | undefined
  readonly outcome: Outcome
  /** The provider's own code, for example `RESOURCE_EXHAUSTED` or `insufficient_quota`. */
  readonly code?: string | undefined
  /** The provider's own reason, for example `MODEL_CAPACITY_EXHAUSTED`. */
  readonly reason?: string | undefined
  /** The underlying exception as plain data, without secrets. */
  readonly cause?: Redact.CauseData | undefined
  /** Every attempt of the generation; present once policies have given up. */
  readonly attempts?: ReadonlyArray<Attempt> | undefined
  /** Why there was no further attempt; present once policies have given up. */
  readonly stoppedBy?: StoppedBy | undefined
}

type Absent<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** What a constructor takes: only `message` is needed; `cause` may be anything and is redacted. */
export interface Options extends Absent<Omit<Fields, "message" | "cause" | "retryAfter">> {
  readonly message: string
  readonly cause?: unknown
  /** A duration, or milliseconds. */
  readonly retryAfter?: Duration.DurationInput | undefined
}

const notStarted: ReadonlySet<TimeoutPhase> = new Set(["pool", "connect", "write"])

/**
 * The outcome that holds for a class (and a timeout phase) when the payload says nothing more exact. The table in
 * `docs/errors.md` is tested against this function.
 */
export const defaultOutcome = (tag: Tag, phase?: TimeoutPhase): Outcome => {
  switch (tag) {
    case "Overloaded":
    case "RateLimited":
    case "QuotaExhausted":
    case "InvalidRequest":
    case "Unauthorized":
    case "Forbidden":
    case "ModelNotFound":
    case "ContentBlocked":
      return "rejected"
    case "Timeout":
      return phase !== undefined && notStarted.has(phase) ? "not-started" : "unknown"
    case "Transient":
    case "EmptyResult":
    case "Malformed":
      return "unknown"
  }
}

const toDuration = (input: Duration.DurationInput | undefined): Duration.Duration | undefined => {
  if (input === undefined) return undefined
  const duration = Duration.decode(input)
  return Duration.toMillis(duration) >= 0 ? duration : Duration.zero
}

/** An absent optional field is left out rather than set to `undefined`, so that equal errors look equal. */
const fieldsOf = (tag: Tag, options: Options & { readonly phase?: TimeoutPhase }): Fields => {
  const { cause, endpoint, message, model, outcome, retryAfter, ...rest } = options
  const wait = toDuration(retryAfter)
  const fields: Record<string, unknown> = {
    endpoint: endpoint ?? "unknown",
    model: model ?? "unknown",
    message: Redact.text(message),
    outcome: outcome ?? defaultOutcome(tag, options.phase)
  }
  if (wait !== undefined) fields["retryAfter"] = wait
  if (cause !== undefined) fields["cause"] = Redact.cause(cause)
  for (const [key, value] of Object.entries(rest)) if (value !== undefined) fields[key] = value
  return fields as unknown as Fields
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
      super(fieldsOf(tag, options))
      this.name = tag
    }
  } as Base<T>

/** The provider, or the relay in front of it, has no capacity. Nothing is wrong with the request or the account. */
export class Overloaded extends Tagged("Overloaded") {}

/** *Our* limit by the minute, by the second, or of concurrent calls. */
export class RateLimited extends Tagged("RateLimited") {}

/** A wait ran out; `phase` says which. */
export class Timeout extends Tagged("Timeout")<{ readonly phase: TimeoutPhase }> {}

/** A fault that is likely to pass: 500, 502, a reset connection, a failed name lookup, a stream cut short. */
export class Transient extends Tagged("Transient") {}

/**
 * A quota by the day or month, the balance, or a limit of zero: waiting a minute does not help. `resetAt` is when it
 * comes back, in milliseconds since the epoch, where the provider says.
 */
export class QuotaExhausted extends Tagged("QuotaExhausted")<{ readonly resetAt?: number | undefined }> {}

/** The provider cannot read the request, or refuses a value in it. */
export class InvalidRequest extends Tagged("InvalidRequest") {}

/** The credential is missing, wrong or expired. */
export class Unauthorized extends Tagged("Unauthorized") {}

/** The credential is good and may not do this: permission, country, a suspended account, a blocking proxy. */
export class Forbidden extends Tagged("Forbidden") {}

/** The model does not exist here, or not for this account. */
export class ModelNotFound extends Tagged("ModelNotFound") {}

/** The prompt or the result was refused by a content policy. */
export class ContentBlocked extends Tagged("ContentBlocked") {}

/** A success without the content that was asked for. */
export class EmptyResult extends Tagged("EmptyResult") {}

/** Bytes that are no answer of this dialect. */
export class Malformed extends Tagged("Malformed") {}

/** What an attempt can fail with. */
export type GenerationError =
  | Overloaded
  | RateLimited
  | Timeout
  | Transient
  | QuotaExhausted
  | InvalidRequest
  | Unauthorized
  | Forbidden
  | ModelNotFound
  | ContentBlocked
  | EmptyResult
  | Malformed

/** The error classes by name. */
export const tags = [
  "Overloaded",
  "RateLimited",
  "Timeout",
  "Transient",
  "QuotaExhausted",
  "InvalidRequest",
  "Unauthorized",
  "Forbidden",
  "ModelNotFound",
  "ContentBlocked",
  "EmptyResult",
  "Malformed"
] as const

/** The name of an error class. */
export type Tag = (typeof tags)[number]

/** The timeout phases by name. */
export const timeoutPhases: ReadonlyArray<TimeoutPhase> = [
  "pool",
  "connect",
  "write",
  "headers",
  "body",
  "first-chunk",
  "idle",
  "attempt",
  "server"
]

/** The classes that another attempt may cure. */
export type Retryable = Overloaded | RateLimited | Timeout | Transient

/** The classes that another attempt at the same endpoint does not cure. */
export type Fatal = Exclude<GenerationError, Retryable>

/** The classes that say that capacity, ours or theirs, is short. */
export type Capacity = Overloaded | RateLimited

const constructors = {
  Overloaded,
  RateLimited,
  Timeout,
  Transient,
  QuotaExhausted,
  InvalidRequest,
  Unauthorized,
  Forbidden,
  ModelNotFound,
  ContentBlocked,
  EmptyResult,
  Malformed
} as const

/** An error of the class of that name. A `Timeout` without a phase counts as one of the whole attempt. */
export const make = (
  tag: Tag,
  options: Options & { readonly phase?: TimeoutPhase | undefined; readonly resetAt?: number | undefined }
): GenerationError => {
  const { phase, resetAt, ...rest } = options
  switch (tag) {
    case "Timeout":
      return new Timeout({ ...rest, phase: phase ?? "attempt" })
    case "QuotaExhausted":
      return new QuotaExhausted({ ...rest, resetAt })
    default:
      return new constructors[tag](rest)
  }
}

const retryableTags: ReadonlySet<string> = new Set<Retryable["_tag"]>([
  "Overloaded",
  "RateLimited",
  "Timeout",
  "Transient"
])

/** Is this one of Holdfast's generation errors? Its type keeps what is already known of the value. */
export const isGenerationError = <E>(u: E): u is E & GenerationError => Predicate.hasProperty(u, TypeId)

/**
 * Can another attempt cure it? Looks at the class alone; whether an unknown outcome may be repeated is for the policy
 * to decide.
 */
export const isRetryable = <E>(u: E): u is E & Retryable => isGenerationError(u) && retryableTags.has(u._tag)

/** Is it one of our errors that another attempt does not cure? */
export const isFatal = <E>(u: E): u is E & Fatal => isGenerationError(u) && !retryableTags.has(u._tag)

/** Does it say that capacity is short, the provider's or our share of it? */
export const isCapacity = <E>(u: E): u is E & Capacity =>
  isGenerationError(u) && (u._tag === "Overloaded" || u._tag === "RateLimited")

/** May the provider have done, and billed, the work? */
export const isUnknownOutcome = (u: unknown): boolean => isGenerationError(u) && u.outcome === "unknown"

/**
 * The reason that marks an error as made on purpose, by `Chaos` or a test of one's own. Retries treat it by its class;
 * metrics, and whatever learns from an endpoint's answers, leave it out.
 */
export const injectedReason = "injected"

/** Is it one of our errors, made on purpose? */
export const isInjected = (u: unknown): boolean => isGenerationError(u) && u.reason === injectedReason

/**
 * The same error with some of its fields replaced: same class, same stack. An error value may be shared (a test's
 * script, a cache), so nothing is written to the original.
 */
export const update = <E extends GenerationError>(
  self: E,
  fields: Partial<
    Pick<Fields, "endpoint" | "model" | "retryAfter" | "outcome" | "reason" | "attempts" | "stoppedBy" | "message">
  >
): E => {
  const copy = Object.create(Object.getPrototypeOf(self) as object, Object.getOwnPropertyDescriptors(self)) as E
  for (const [key, value] of Object.entries(fields)) {
    Object.defineProperty(copy, key, { value, enumerable: true, configurable: true, writable: true })
  }
  return copy
}

/** The wait that the server asks for, in milliseconds; 0 when it says nothing. */
export const retryAfterMillis = (u: unknown): number =>
  isGenerationError(u) && u.retryAfter !== undefined ? Duration.toMillis(u.retryAfter) : 0

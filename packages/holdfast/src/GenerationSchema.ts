/**
 * Schemas for everything that is stored or sent: requests, results, stream chunks, attempts, errors and refusals.
 *
 * Encoded values are JSON-safe: they survive `JSON.stringify` and `JSON.parse`. Decoded errors are real instances of
 * their classes, with their brand, message and history. A module of its own, because `effect/Schema` takes longer to
 * load than all the rest; programs that neither store nor send anything need not import it.
 *
 * How values are written: durations as milliseconds, `"Infinity"`, or `"123ns"` where a double cannot hold them; other
 * numbers that JSON lacks as `"NaN"`, `"Infinity"`, `"-Infinity"`, `"-0"`; bytes as base64.
 */
import * as Schema from "effect/Schema"
import type * as Results from "./Generated.js"
import type { Entry } from "./GenerationCache.js"
import * as Errors from "./GenerationError.js"
import type * as Request from "./GenerationRequest.js"
import * as Codec from "./internal/schema/codec.js"
import type * as Redact from "./Redact.js"
import * as Rejections from "./Rejected.js"

// -------------------------------------------------------------------------------------------------------------------
// Result

const imageFields = { mimeType: Schema.String, bytes: Schema.Uint8ArrayFromBase64 }

/** Text of a result. */
export const TextPart = Schema.Struct({ _tag: Schema.Literal("Text"), text: Schema.String })

/** An image of a result, its bytes as base64. */
export const ImagePart = Schema.Struct({ _tag: Schema.Literal("Image"), ...imageFields })

/** Text or an image. */
export const Part = Schema.Union(TextPart, ImagePart)

/** Tokens as the provider counts them. */
export const Usage = Schema.Struct({
  inputTokens: Codec.optional(Codec.Number),
  outputTokens: Codec.optional(Codec.Number),
  thoughtTokens: Codec.optional(Codec.Number),
  totalTokens: Codec.optional(Codec.Number)
})

const finishFields = {
  finishReason: Schema.String,
  usage: Usage,
  endpoint: Schema.String,
  model: Schema.String,
  responseId: Codec.optional(Schema.String)
}

/** The last piece of a stream. */
export const Finish = Schema.Struct({ _tag: Schema.Literal("Finish"), ...finishFields })

/** One piece of a streamed generation. */
export const Chunk = Schema.Union(TextPart, ImagePart, Finish)

// -------------------------------------------------------------------------------------------------------------------
// Request

/** Which phase may take how long. What was given as a duration of any form comes back as a `Duration`. */
export const Timeouts = Schema.Struct({
  pool: Codec.optional(Codec.DurationInput),
  connect: Codec.optional(Codec.DurationInput),
  write: Codec.optional(Codec.DurationInput),
  headers: Codec.optional(Codec.DurationInput),
  body: Codec.optional(Codec.DurationInput)
})

/** What a generation can consist of. */
export const Modality = Schema.Literal("text", "image")

/** A request as it is written down; images as base64. */
export interface GenerationRequestEncoded {
  readonly prompt: string
  readonly model?: string
  readonly modalities?: ReadonlyArray<Request.Modality>
  readonly images?: ReadonlyArray<{ readonly mimeType: string; readonly bytes: string }>
  readonly system?: string
  readonly aspectRatio?: string
  readonly imageSize?: string
  readonly count?: Codec.NumberEncoded
  readonly seed?: Codec.NumberEncoded
  readonly temperature?: Codec.NumberEncoded
  readonly maxOutputTokens?: Codec.NumberEncoded
  readonly timeouts?: typeof Timeouts.Encoded
}

/** One generation as the application asks for it. */
export const GenerationRequest: Schema.Schema<Request.GenerationRequest, GenerationRequestEncoded> = Schema.Struct({
  prompt: Schema.String,
  model: Codec.optional(Schema.String),
  modalities: Codec.optional(Schema.Array(Modality)),
  images: Codec.optional(Schema.Array(Schema.Struct(imageFields))),
  system: Codec.optional(Schema.String),
  aspectRatio: Codec.optional(Schema.String),
  imageSize: Codec.optional(Schema.String),
  count: Codec.optional(Codec.Number),
  seed: Codec.optional(Codec.Number),
  temperature: Codec.optional(Codec.Number),
  maxOutputTokens: Codec.optional(Codec.Number),
  timeouts: Codec.optional(Timeouts)
})

// -------------------------------------------------------------------------------------------------------------------
// Errors

/** What is left of an exception: plain data. */
export interface CauseDataEncoded {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly cause?: CauseDataEncoded
}

/** An underlying exception as plain data. */
export const CauseData: Schema.Schema<Redact.CauseData, CauseDataEncoded> = Schema.Struct({
  name: Schema.String,
  message: Schema.String,
  code: Codec.optional(Schema.String),
  cause: Codec.optional(
    Codec.shallow(Schema.suspend((): Schema.Schema<Redact.CauseData, CauseDataEncoded> => CauseData))
  )
})

/** One attempt as it is written down. */
export interface AttemptEncoded {
  readonly number: Codec.NumberEncoded
  readonly endpoint: string
  readonly model: string
  readonly startedAt: Codec.NumberEncoded
  readonly duration: Codec.DurationEncoded
  readonly error?: GenerationErrorEncoded
}

/** One attempt of a generation. */
export const Attempt: Schema.Schema<Errors.Attempt, AttemptEncoded> = Schema.Struct({
  number: Codec.Number,
  endpoint: Schema.String,
  model: Schema.String,
  startedAt: Codec.Number,
  duration: Codec.Duration,
  error: Codec.optional(
    Schema.suspend((): Schema.Schema<Errors.GenerationError, GenerationErrorEncoded> => GenerationError)
  )
})

/** Whether the provider may have done the work. */
export const Outcome = Schema.Literal("not-started", "rejected", "unknown")

/** Which wait ran out. */
export const TimeoutPhase = Schema.Literal(...Errors.timeoutPhases)

/** Why no further attempt was made. */
export const StoppedBy = Schema.Literal(...Errors.stopReasons)

const errorFields = {
  endpoint: Schema.String,
  model: Schema.String,
  message: Schema.String,
  status: Codec.optional(Codec.Number),
  retryAfter: Codec.optional(Codec.Duration),
  outcome: Outcome,
  code: Codec.optional(Schema.String),
  reason: Codec.optional(Schema.String),
  cause: Codec.optional(CauseData),
  attempts: Codec.optional(Codec.shallow(Schema.Array(Attempt))),
  stoppedBy: Codec.optional(StoppedBy)
}

/** What an error of every class is written down as. */
export interface ErrorFieldsEncoded {
  readonly endpoint: string
  readonly model: string
  readonly message: string
  readonly status?: Codec.NumberEncoded
  readonly retryAfter?: Codec.DurationEncoded
  readonly outcome: Errors.Outcome
  readonly code?: string
  readonly reason?: string
  readonly cause?: CauseDataEncoded
  readonly attempts?: ReadonlyArray<AttemptEncoded>
  readonly stoppedBy?: Errors.StoppedBy
}

/** An error of a class without fields of its own, as it is written down. */
export interface ErrorEncoded<T extends Errors.Tag> extends ErrorFieldsEncoded {
  readonly _tag: T
}

/** A `Timeout` as it is written down. */
export interface TimeoutEncoded extends ErrorEncoded<"Timeout"> {
  readonly phase: Errors.TimeoutPhase
}

/** A `QuotaExhausted` as it is written down. */
export interface QuotaExhaustedEncoded extends ErrorEncoded<"QuotaExhausted"> {
  readonly resetAt?: Codec.NumberEncoded
}

type PlainTag = Exclude<Errors.Tag, "Timeout" | "QuotaExhausted">
type ErrorOf<T extends Errors.Tag> = Extract<Errors.GenerationError, { readonly _tag: T }>

/** An error of any class as it is written down. */
export type GenerationErrorEncoded =
  | { readonly [T in PlainTag]: ErrorEncoded<T> }[PlainTag]
  | TimeoutEncoded
  | QuotaExhaustedEncoded

/** A class as a schema, from the schema of its fields: decoding constructs an instance, encoding reads its fields. */
const instance = <A extends { readonly _tag: string }, Data, I>(
  tag: string,
  data: Schema.Schema<Data, I>,
  names: ReadonlyArray<string>,
  isInstance: (u: unknown) => boolean,
  construct: (data: Data) => A
): Schema.Schema<A, I> =>
  Schema.transform(
    data,
    Schema.declare((u: unknown): u is A => isInstance(u) && (u as A)._tag === tag, {
      identifier: tag,
      description: `an instance of ${tag}`
    }),
    {
      strict: true,
      decode: (fields) => construct(fields),
      // By name, since an error has more than its data; absent fields stay absent.
      encode: (error) => {
        const values = error as unknown as Readonly<Record<string, unknown>>
        const present = names.filter((name) => values[name] !== undefined)
        return Object.fromEntries(present.map((name) => [name, values[name]])) as Data
      }
    }
  )

const plainError = <const T extends PlainTag>(tag: T): Schema.Schema<ErrorOf<T>, ErrorEncoded<T>> => {
  const data = Schema.Struct({ _tag: Schema.Literal(tag), ...errorFields })
  return instance(
    tag,
    data as unknown as Schema.Schema<Errors.Fields & { readonly _tag: T }, ErrorEncoded<T>>,
    Object.keys(data.fields),
    Errors.isGenerationError,
    ({ _tag: _, ...fields }) => Errors.make(tag, fields) as ErrorOf<T>
  )
}

export const Overloaded = plainError("Overloaded")
export const RateLimited = plainError("RateLimited")
export const Transient = plainError("Transient")
export const InvalidRequest = plainError("InvalidRequest")
export const Unauthorized = plainError("Unauthorized")
export const Forbidden = plainError("Forbidden")
export const ModelNotFound = plainError("ModelNotFound")
export const ContentBlocked = plainError("ContentBlocked")
export const EmptyResult = plainError("EmptyResult")
export const Malformed = plainError("Malformed")

const timeoutFields = Schema.Struct({ _tag: Schema.Literal("Timeout"), ...errorFields, phase: TimeoutPhase })

export const Timeout: Schema.Schema<Errors.Timeout, TimeoutEncoded> = instance(
  "Timeout",
  timeoutFields,
  Object.keys(timeoutFields.fields),
  Errors.isGenerationError,
  ({ _tag: _, ...fields }) => new Errors.Timeout(fields)
)

const quotaExhaustedFields = Schema.Struct({
  _tag: Schema.Literal("QuotaExhausted"),
  ...errorFields,
  resetAt: Codec.optional(Codec.Number)
})

export const QuotaExhausted: Schema.Schema<Errors.QuotaExhausted, QuotaExhaustedEncoded> = instance(
  "QuotaExhausted",
  quotaExhaustedFields,
  Object.keys(quotaExhaustedFields.fields),
  Errors.isGenerationError,
  ({ _tag: _, ...fields }) => new Errors.QuotaExhausted(fields)
)

/** What an attempt can fail with. */
export const GenerationError: Schema.Schema<Errors.GenerationError, GenerationErrorEncoded> = Schema.Union(
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
)

// -------------------------------------------------------------------------------------------------------------------
// Refusals

/** A refusal as it is written down. */
export interface RefusalEncoded<T extends Rejections.Tag> {
  readonly _tag: T
  readonly policy: string
  readonly policyName: string
  readonly message: string
  readonly retryAfter?: Codec.DurationEncoded
  readonly attempts?: ReadonlyArray<AttemptEncoded>
  readonly last?: GenerationErrorEncoded
}

type RefusalOf<T extends Rejections.Tag> = Extract<Rejections.Rejected, { readonly _tag: T }>

/** Any refusal as it is written down. */
export type RejectedEncoded = { readonly [T in Rejections.Tag]: RefusalEncoded<T> }[Rejections.Tag]

const refusalFields = {
  policy: Schema.String,
  policyName: Schema.String,
  message: Schema.String,
  retryAfter: Codec.optional(Codec.Duration),
  attempts: Codec.optional(Schema.Array(Attempt)),
  last: Codec.optional(GenerationError)
}

const refusal = <const T extends Rejections.Tag>(tag: T): Schema.Schema<RefusalOf<T>, RefusalEncoded<T>> => {
  const data = Schema.Struct({ _tag: Schema.Literal(tag), ...refusalFields })
  return instance(
    tag,
    data as unknown as Schema.Schema<Rejections.Fields & { readonly _tag: T }, RefusalEncoded<T>>,
    Object.keys(data.fields),
    Rejections.isRejected,
    ({ _tag: _, ...fields }) => new Rejections[tag](fields) as RefusalOf<T>
  )
}

export const CircuitOpen = refusal("CircuitOpen")
export const QueueFull = refusal("QueueFull")
export const Shed = refusal("Shed")
export const DeadlineExceeded = refusal("DeadlineExceeded")
export const LimitExceeded = refusal("LimitExceeded")
export const NoEndpoint = refusal("NoEndpoint")
export const SpendExceeded = refusal("SpendExceeded")

/** What a policy can refuse with. */
export const Rejected: Schema.Schema<Rejections.Rejected, RejectedEncoded> = Schema.Union(
  CircuitOpen,
  QueueFull,
  Shed,
  DeadlineExceeded,
  LimitExceeded,
  NoEndpoint,
  SpendExceeded
)

/** What a generation can fail with. */
export const Failure: Schema.Schema<
  Errors.GenerationError | Rejections.Rejected,
  GenerationErrorEncoded | RejectedEncoded
> = Schema.Union(GenerationError, Rejected)

// -------------------------------------------------------------------------------------------------------------------
// Whole results

const generatedFields = Schema.Struct({
  parts: Schema.Array(Part),
  ...finishFields,
  attempts: Schema.Array(Attempt)
})

/** A result as it is written down. */
export type GeneratedEncoded = typeof generatedFields.Encoded

/** The result of a generation. */
export const Generated: Schema.Schema<Results.Generated, GeneratedEncoded> = generatedFields

/** A kept result as it is written down. */
export interface CacheEntryEncoded {
  readonly value: GeneratedEncoded
  readonly storedAt: Codec.NumberEncoded
  readonly freshUntil: Codec.NumberEncoded
  readonly staleUntil: Codec.NumberEncoded
  readonly size: Codec.NumberEncoded
}

/** A kept result with its times, as a store of `GenerationCache` may write it down. */
export const CacheEntry: Schema.Schema<Entry, CacheEntryEncoded> = Schema.Struct({
  value: Generated,
  storedAt: Codec.Number,
  freshUntil: Codec.Number,
  staleUntil: Codec.Number,
  size: Codec.Number
})

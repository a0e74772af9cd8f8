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
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as Generated_ from "./Generated.js"
import * as Errors from "./GenerationError.js"
import type * as Request from "./GenerationRequest.js"
import * as Codec from "./internal/schema/codec.js"
import type * as Redact from "./Redact.js"
import * as Rejections from "./Rejected.js"

// -------------------------------------------------------------------------------------------------------------------
// Result

const ImageFields = { mimeType: Schema.String, bytes: Schema.Uint8ArrayFromBase64 }

/** Text of a result. */
export const TextPart = Schema.TaggedStruct("Text", { text: Schema.String })

/** An image of a result, its bytes as base64. */
export const ImagePart = Schema.TaggedStruct("Image", ImageFields)

/** Text or an image. */
export const Part = Schema.Union(TextPart, ImagePart)

/** Tokens as the provider counts them. */
export const Usage = Schema.Struct({
  inputTokens: Schema.optional(Codec.Number),
  outputTokens: Schema.optional(Codec.Number),
  thoughtTokens: Schema.optional(Codec.Number),
  totalTokens: Schema.optional(Codec.Number)
})

const FinishFields = {
  finishReason: Schema.String,
  usage: Usage,
  endpoint: Schema.String,
  model: Schema.String,
  responseId: Schema.optional(Schema.String)
}

/** The last piece of a stream. */
export const Finish = Schema.TaggedStruct("Finish", FinishFields)

/** One piece of a streamed generation. */
export const Chunk = Schema.Union(TextPart, ImagePart, Finish)

// -------------------------------------------------------------------------------------------------------------------
// Request

/** Which phase may take how long. What was given as a duration of any form comes back as a `Duration`. */
export const Timeouts = Schema.Struct({
  pool: Schema.optional(Codec.DurationInput),
  connect: Schema.optional(Codec.DurationInput),
  write: Schema.optional(Codec.DurationInput),
  headers: Schema.optional(Codec.DurationInput),
  body: Schema.optional(Codec.DurationInput)
})

/** What a generation can consist of. */
export const Modality = Schema.Literal("text", "image")

const requestFields = Schema.Struct({
  prompt: Schema.String,
  model: Schema.optional(Schema.String),
  modalities: Schema.optional(Schema.Array(Modality)),
  images: Schema.optional(Schema.Array(Schema.Struct(ImageFields))),
  system: Schema.optional(Schema.String),
  aspectRatio: Schema.optional(Schema.String),
  imageSize: Schema.optional(Schema.String),
  count: Schema.optional(Codec.Number),
  seed: Schema.optional(Codec.Number),
  temperature: Schema.optional(Codec.Number),
  maxOutputTokens: Schema.optional(Codec.Number),
  timeouts: Schema.optional(Timeouts)
})

/** A request as it is written down. */
export type GenerationRequestEncoded = typeof requestFields.Encoded

/** One generation as the application asks for it. */
export const GenerationRequest: Schema.Schema<Request.GenerationRequest, GenerationRequestEncoded> = requestFields

// -------------------------------------------------------------------------------------------------------------------
// Errors

/** What is left of an exception: plain data. */
export interface CauseDataEncoded extends Redact.CauseData {
  readonly cause?: CauseDataEncoded | undefined
}

/** An underlying exception as plain data. */
export const CauseData: Schema.Schema<Redact.CauseData, CauseDataEncoded> = Schema.Struct({
  name: Schema.String,
  message: Schema.String,
  code: Schema.optional(Schema.String),
  cause: Schema.optional(Schema.suspend((): Schema.Schema<Redact.CauseData, CauseDataEncoded> => CauseData))
})

/** One attempt as it is written down. */
export interface AttemptEncoded {
  readonly number: Codec.NumberEncoded
  readonly endpoint: string
  readonly model: string
  readonly startedAt: Codec.NumberEncoded
  readonly duration: Codec.DurationEncoded
  readonly error?: GenerationErrorEncoded | undefined
}

/** One attempt of a generation. */
export const Attempt: Schema.Schema<Errors.Attempt, AttemptEncoded> = Schema.Struct({
  number: Codec.Number,
  endpoint: Schema.String,
  model: Schema.String,
  startedAt: Codec.Number,
  duration: Codec.Duration,
  error: Schema.optional(
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
  status: Schema.optional(Codec.Number),
  retryAfter: Schema.optional(Codec.Duration),
  outcome: Outcome,
  code: Schema.optional(Schema.String),
  reason: Schema.optional(Schema.String),
  cause: Schema.optional(CauseData),
  attempts: Schema.optional(Schema.Array(Attempt)),
  stoppedBy: Schema.optional(StoppedBy)
}

/** A class as a schema, from the plain data of its fields: decoding constructs, encoding reads the fields. */
const instance = <T extends Errors.Tag | Rejections.Tag, A extends { readonly _tag: T }, Data, I>(
  tag: T,
  data: Schema.Schema<Data, I>,
  is: (u: unknown) => u is { readonly _tag: string },
  construct: (data: Data) => A
): Schema.Schema<A, I> =>
  Schema.transform(
    data,
    Schema.declare((u: unknown): u is A => is(u) && u._tag === tag, {
      identifier: tag,
      description: `an instance of ${tag}`
    }),
    {
      strict: false,
      decode: construct,
      // Absent fields stay absent: an encoded value has no `undefined` in it.
      encode: (error: A) => Object.fromEntries(Object.entries(error).filter(([, value]) => value !== undefined))
    }
  )

const isError = (u: unknown): u is Errors.GenerationError => Errors.isGenerationError(u)

type PlainTag = Exclude<Errors.Tag, "Timeout" | "QuotaExhausted">
type Of<T extends Errors.Tag> = Extract<Errors.GenerationError, { readonly _tag: T }>

/** What sets one dialect apart from another, as `client.ts` needs it. */
import type * as Effect from "effect/Effect"
import type { Dialect } from "holdfast/Endpoint"
import type { GenerationError } from "holdfast/GenerationError"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import type * as Json from "./json.js"
import type * as Message from "./message.js"

/** Header fields that identify us; a 401 may be cured by newer ones. */
export interface Credentials {
  readonly current: (info: { readonly model: string }) => Effect.Effect<Fields, GenerationError>
  /** Newer ones than these, after they were refused; absent when there are none to be had. */
  readonly renew?:
    | ((refused: Fields, info: { readonly model: string }) => Effect.Effect<Fields, GenerationError>)
    | undefined
}
export type Fields = ReadonlyArray<readonly [string, string]>

export interface Codec {
  readonly dialect: Dialect
  readonly baseUrl: string
  readonly model: string
  readonly url: (model: string, streamed: boolean) => string
  readonly encode: (request: GenerationRequest, model: string, streamed: boolean) => Json.Json
  readonly decode: (value: unknown) => Message.Message
  /** What of this request the dialect cannot express, as a sentence; undefined when it can express all of it. */
  readonly unsupported?: ((request: GenerationRequest) => string | undefined) | undefined
  /** Does this reason say that a content policy refused? */
  readonly isBlock: (reason: string) => boolean
  /** Does one exchange make all the results asked for? */
  readonly makesSeveral: boolean
  /** Can it stream at all? If not, a stream is one answer in one piece. */
  readonly streams: boolean
  readonly credentials: Credentials
}

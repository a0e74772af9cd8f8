/**
 * Gives any `HttpClient` what Holdfast's own clients have: answers with a status of 400 and more, and failures of the
 * network, are classified, and a `Policy` acts on what they mean. For clients that others have built on `HttpClient`,
 * those of `@effect/ai` among them: pass `ResilientHttpClient.make(options)` as their `transformClient`.
 *
 * The error channel stays `HttpClientError`, as such clients expect: a refusal by the provider is a `ResponseError`, a
 * failure of the network or a refusal by a policy a `RequestError`, with ours as their `cause`. `generationError` and
 * `rejected` take it out again, also through the wrappers that other clients put around it.
 *
 * What begins well is not repeated: a body that breaks off later is for the caller. Errors that a provider sends under
 * status 200 are not seen here either, since the meaning of a body is the caller's. Not for Holdfast's own clients:
 * they classify by themselves, and their policies stand around the generation.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import type * as Policy from "holdfast/Policy"
import * as Rejected from "holdfast/Rejected"
import * as Classifier from "./Classifier.js"
import * as Check from "./internal/check.js"

export interface Options {
  /** What stands around each exchange. */
  readonly policy: Policy.Policy<GenerationError.GenerationError | Rejected.Rejected>
  /** Name of the endpoint in errors and for policies that keep state by endpoint. Default: the request's host. */
  readonly endpoint?: string | undefined
  /** A hint for the classifier: `"openai"`, `"gemini"`, `"anthropic"`… Default: none. */
  readonly dialect?: string | undefined
  /** The model in errors. Default `"unknown"`. */
  readonly model?: string | undefined
  /** Further values to take out of errors, such as the prompt. Credentials in header fields are always taken out. */
  readonly secrets?: ((request: HttpClientRequest.HttpClientRequest) => Iterable<string>) | undefined
  /**
   * What becomes of the last answer with a status of 400 and more: `"fail"` makes it a `ResponseError`, `"return"`
   * gives it to the caller as an answer, for clients that read statuses themselves. Default `"fail"`.
   */
  readonly onStatus?: "fail" | "return" | undefined
}

/** What holds where an option is left out. */
export const defaults = { onStatus: "fail" } as const

type HttpError = HttpClientError.HttpClientError

/** Where an error came from, for making an `HttpClientError` of it again. Kept out of sight of anything that prints. */
const origin: unique symbol = Symbol.for("@holdfast/providers/ResilientHttpClient/origin")

type Origin = HttpClientResponse.HttpClientResponse | HttpError

const withOrigin = <E extends GenerationError.GenerationError>(error: E, value: Origin): E =>
  Object.defineProperty(error, origin, { value, enumerable: false })

/** Copies of an error keep the property, so it is found on what a policy made of it. */
const originOf = (error: GenerationError.GenerationError): Origin | undefined =>
  (error as { readonly [origin]?: Origin })[origin]

const credentialName = /auth|key|token|cookie|secret|signature/i

const secretsOf = (request: HttpClientRequest.HttpClientRequest, options: Options): ReadonlyArray<string> => [
  ...Object.entries(request.headers).flatMap(([name, value]) =>
    credentialName.test(name) ? [value, value.replace(/^\w+ /, "")] : []
  ),
  ...(options.secrets?.(request) ?? [])
]

const hostOf = (request: HttpClientRequest.HttpClientRequest): string =>
  URL.canParse(request.url) ? new URL(request.url).host : "unknown"

/** As much of the body as the classifier reads; what breaks off is used as far as it came. */
const readBody = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<Uint8Array> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let length = 0
    const read = Stream.runDrain(
      Stream.takeUntil(response.stream, (chunk) => {
        chunks.push(chunk.subarray(0, Classifier.maxErrorBodyBytes - length))
        length += chunk.length
        return length >= Classifier.maxErrorBodyBytes
      })
    )
    return Effect.map(Effect.ignore(read), () => {
      const body = new Uint8Array(Math.min(length, Classifier.maxErrorBodyBytes))
      chunks.reduce((offset, chunk) => (body.set(chunk, offset), offset + chunk.length), 0)
      return body
    })
  })

/** The answer once more, with the body that was read. */
const offered = (
  response: HttpClientResponse.HttpClientResponse,
  body: Uint8Array
): HttpClientResponse.HttpClientResponse => {
  const headers = new Headers()
  for (const [name, value] of Object.entries(response.headers)) {
    // The body is decoded and may be shortened: what described it as it was sent no longer holds.
    if (!/^(?:content-encoding|content-length|transfer-encoding)$/i.test(name)) headers.set(name, value)
  }
  const status = Math.min(response.status, 599)
  return HttpClientResponse.fromWeb(response.request, new Response(body, { status, headers }))
}

const requestError = (request: HttpClientRequest.HttpClientRequest, cause: { readonly message: string }): HttpError =>
  new HttpClientError.RequestError({ request, reason: "Transport", cause, description: cause.message })

/** Puts a client under a policy. Errors that the client has of its own pass untouched. */
export const make = (options: Options) => {
  if (options.endpoint !== undefined) Check.nonEmpty("endpoint", options.endpoint)

  const attempt = <E, R>(
    exchange: Effect.Effect<HttpClientResponse.HttpClientResponse, E, R>,
    request: HttpClientRequest.HttpClientRequest
  ): Effect.Effect<HttpClientResponse.HttpClientResponse, E | GenerationError.GenerationError, R> => {
    const context: Classifier.Context = {
      endpoint: options.endpoint ?? hostOf(request),
      model: options.model,
      secrets: secretsOf(request, options)
    }
    const refuse = (response: HttpClientResponse.HttpClientResponse) =>
      Effect.gen(function*() {
        const body = yield* readBody(response)
        const { headers, status } = response
        const now = yield* Clock.currentTimeMillis
        const error = Classifier.classify({ ...context, dialect: options.dialect, status, headers, body, now })
        return yield* Effect.fail(withOrigin(error, offered(response, body)))
      })
    return Effect.matchEffect(exchange, {
      onSuccess: (response) => (response.status >= 400 ? refuse(response) : Effect.succeed(response)),
      onFailure: (error): Effect.Effect<HttpClientResponse.HttpClientResponse, E | GenerationError.GenerationError> => {
        if (!HttpClientError.isHttpClientError(error)) return Effect.fail(error)
        if (error._tag === "ResponseError") {
          return error.reason === "StatusCode" ? refuse(error.response) : Effect.fail(error)
        }
        if (error.reason !== "Transport") return Effect.fail(error)
        const found = generationError(error)
        const classified = Option.getOrElse(found, () => Classifier.fromException(error.cause ?? error, context))
        return Effect.fail(withOrigin(classified, error))
      }
    })
  }

  /** An `HttpClientError` again, or the answer itself. */
  const settle = (
    request: HttpClientRequest.HttpClientRequest,
    error: GenerationError.GenerationError | Rejected.Rejected
  ): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpError> => {
    if (Rejected.isRejected(error)) return Effect.fail(requestError(request, error))
    const from = originOf(error)
    if (from === undefined || HttpClientError.isHttpClientError(from)) return Effect.fail(requestError(request, error))
    if ((options.onStatus ?? defaults.onStatus) === "return") return Effect.succeed(from)
    return Effect.fail(
      new HttpClientError.ResponseError({
        request,
        response: from,
        reason: "StatusCode",
        description: error._tag,
        cause: error
      })
    )
  }

  return <E, R>(client: HttpClient.HttpClient.With<E, R>): HttpClient.HttpClient.With<E | HttpError, R> =>
    HttpClient.transform(client, (exchange, request) => {
      const protectedExchange = Effect.suspend(() => options.policy.apply(attempt(exchange, request)))
      return protectedExchange.pipe(
        CurrentCall.update({ endpoint: options.endpoint ?? hostOf(request) }),
        Effect.catchAll((error): Effect.Effect<HttpClientResponse.HttpClientResponse, E | HttpError> =>
          isOurs(error) ? settle(request, error) : Effect.fail(error)
        )
      )
    })
}

/** Is it one of Holdfast's, which the callers of an `HttpClient` do not know? */
const isOurs = <E>(
  error: E | GenerationError.GenerationError | Rejected.Rejected
): error is GenerationError.GenerationError | Rejected.Rejected =>
  Rejected.isRejected(error) || GenerationError.isGenerationError(error)

const maxCauseDepth = 8

const find = <A>(error: unknown, is: (candidate: unknown) => candidate is A): Option.Option<A> => {
  let current: unknown = error
  for (let depth = 0; depth < maxCauseDepth && typeof current === "object" && current !== null; depth++) {
    if (is(current)) return Option.some(current)
    current = "cause" in current ? current.cause : undefined
  }
  return Option.none()
}

const property = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && name in value ? (value as Record<string, unknown>)[name] : undefined

/**
 * The clients of `@effect/ai` drop the cause of a `ResponseError` and keep what the server said: that is classified
 * anew. Only the history of the attempts is lost.
 */
const reclassified = (error: unknown): Option.Option<GenerationError.GenerationError> => {
  const response = property(error, "response")
  const status = property(response, "status")
  if (property(error, "_tag") !== "HttpResponseError" || typeof status !== "number" || status < 400) {
    return Option.none()
  }
  const fields = Object.entries(property(response, "headers") ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string"
  )
  const url = property(property(error, "request"), "url")
  const endpoint = typeof url === "string" && URL.canParse(url) ? new URL(url).host : undefined
  return Option.some(
    Classifier.classify({ endpoint, status, headers: Object.fromEntries(fields), body: property(error, "body") ?? "" })
  )
}

/** The classified error behind an error of an `HttpClient`, or of a client built on one. */
export const generationError = (error: unknown): Option.Option<GenerationError.GenerationError> =>
  Option.orElse(
    find(error, (candidate): candidate is GenerationError.GenerationError =>
      GenerationError.isGenerationError(candidate)
    ),
    () => reclassified(error)
  )

/** The refusal by a policy behind an error of an `HttpClient`, or of a client built on one. */
export const rejected = (error: unknown): Option.Option<Rejected.Rejected> =>
  find(error, (candidate): candidate is Rejected.Rejected => Rejected.isRejected(candidate))

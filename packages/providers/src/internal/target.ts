/**
 * An endpoint and one exchange with it, and the errors that stand for what went wrong between them: each names the
 * endpoint and the model, and repeats nothing that is secret.
 */
import type * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Dialect } from "holdfast/Endpoint"
import * as GenerationError from "holdfast/GenerationError"
import type { Timeouts as RequestTimeouts } from "holdfast/GenerationRequest"
import * as Classifier from "../Classifier.js"
import type { ClientOptions } from "../ClientOptions.js"
import { defaults } from "../ClientOptions.js"
import * as Timeouts from "../Timeouts.js"
import * as Check from "./check.js"
import * as Permits from "./permits.js"

/** An endpoint as the transport sees it. */
export interface Target {
  readonly http: HttpClient.HttpClient.With<HttpClientError.HttpClientError, Scope.Scope>
  readonly dialect: Dialect
  readonly endpoint: string
  readonly permits: Permits.Permits
  readonly timeouts: RequestTimeouts | undefined
  readonly maxResponseBytes: number
  readonly tracePropagation: boolean
  readonly headers: ReadonlyArray<readonly [string, string]>
}

/** One request, and what must not be repeated of it. */
export interface Exchange {
  readonly url: string
  readonly model: string
  readonly credentials: ReadonlyArray<readonly [string, string]>
  readonly body: unknown
  readonly accept: string
  readonly timeouts: RequestTimeouts | undefined
  /** The prompt and the like; the credentials are added by the transport. */
  readonly secrets: ReadonlyArray<string>
}

export const makeTarget = (
  http: HttpClient.HttpClient,
  dialect: Dialect,
  options: ClientOptions
): Target => {
  Timeouts.resolve(options.timeouts)
  return {
    http: HttpClient.withScope(HttpClient.withTracerDisabledWhen(http, () => true)),
    dialect,
    endpoint: Check.nonEmpty("endpoint", options.endpoint ?? dialect),
    permits: Permits.make(
      Check.integer("maxConnections", options.maxConnections ?? defaults.maxConnections, 1, 100_000)
    ),
    timeouts: options.timeouts,
    maxResponseBytes: Check.integer(
      "maxResponseBytes",
      options.maxResponseBytes ?? defaults.maxResponseBytes,
      1024,
      Number.MAX_SAFE_INTEGER
    ),
    tracePropagation: options.tracePropagation ?? defaults.tracePropagation,
    headers: Object.entries(options.headers ?? {}).map(([name, value]) => [
      name.toLowerCase(),
      Check.headerValue(`headers.${name}`, Redacted.isRedacted(value) ? Redacted.value(value) : value)
    ])
  }
}

/** Everything of the exchange that is secret. */
export const secretsOf = (target: Target, exchange: Exchange): ReadonlyArray<string> => [
  ...exchange.secrets,
  ...credentialsOf(target, exchange)
]

/** The header values that are secret, with and without their scheme. */
export const credentialsOf = (target: Target, exchange: Exchange): ReadonlyArray<string> =>
  [...exchange.credentials, ...target.headers].flatMap(([, value]) => [value, value.replace(/^\w+ /, "")])

export type Failure = GenerationError.GenerationError

/** What the classifier is told besides the answer. */
const context = (target: Target, exchange: Exchange): Classifier.Context => ({
  endpoint: target.endpoint,
  model: exchange.model,
  secrets: secretsOf(target, exchange)
})

/** The error that an answer stands for. */
export const classify = (
  target: Target,
  exchange: Exchange,
  answer: {
    readonly status: number
    readonly headers: Headers.Headers
    readonly body: unknown
    readonly streamed?: boolean | undefined
  }
): Effect.Effect<Failure> =>
  Effect.map(Clock.currentTimeMillis, (now) =>
    Classifier.classify({ ...context(target, exchange), ...answer, dialect: target.dialect, now })
  )

/**
 * The error for an answer with a good status that could not be read. The classifier may know the text that stands in
 * its place; where it only sees an empty or a cut answer, the client knows better: these bytes are of no dialect.
 */
export const unreadable = (
  target: Target,
  exchange: Exchange,
  answer: Parameters<typeof classify>[2]
): Effect.Effect<Failure> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const input = { ...context(target, exchange), ...answer, dialect: target.dialect, now }
    const found = Classifier.explain(input)
    return found.evidence.source === "answer" && (found.class === "EmptyResult" || found.class === "Transient")
      ? failure(target, exchange, "Malformed", {
          status: answer.status,
          message: "The bytes that came back are no answer of this dialect"
        })
      : Classifier.classify(input)
  })

/** An error of ours about this exchange. */
export const failure = (
  target: Target,
  exchange: Exchange,
  tag: GenerationError.Tag,
  options: Parameters<typeof GenerationError.make>[1]
): Failure => GenerationError.make(tag, { endpoint: target.endpoint, model: exchange.model, ...options })

const timeoutMessages: Readonly<Record<string, string>> = {
  pool: "No connection of the endpoint became free",
  connect: "No connection was made",
  write: "The request was not sent",
  headers: "No answer began",
  body: "The answer went silent",
  "first-chunk": "The stream sent nothing",
  idle: "The stream went silent"
}

export const timeout = (
  target: Target,
  exchange: Exchange,
  phase: GenerationError.TimeoutPhase,
  millis: number
): Failure =>
  failure(target, exchange, "Timeout", {
    phase,
    message: `${timeoutMessages[phase] ?? "Nothing happened"} within ${Timeouts.format(millis)}`
  })

/** The error that a failure of the `HttpClient` stands for. `sent`: had the request left, as far as anybody knows? */
export const fromClientError = (
  target: Target,
  exchange: Exchange,
  error: HttpClientError.HttpClientError,
  sent: boolean | undefined
): Failure =>
  error._tag === "RequestError" && error.reason !== "Transport"
    ? failure(target, exchange, "InvalidRequest", {
        message: error.reason === "InvalidUrl" ? "The endpoint's URL is not valid" : "The request cannot be encoded",
        outcome: "not-started",
        cause: error.cause
      })
    : Classifier.fromException(error.cause ?? error, { ...context(target, exchange), sent })

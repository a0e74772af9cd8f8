/**
 * One HTTP exchange with one endpoint over any `HttpClient`: permits, phase clocks, size limits, classified failures.
 *
 * Nothing of the exchange is observable but its result: the inner `http.client` span is switched off (it would record
 * header fields and the URL), redirects are not followed (a key would follow them to another host), and the connection
 * is closed when the scope is, whatever the exit.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpTraceContext from "@effect/platform/HttpTraceContext"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Dialect } from "holdfast/Endpoint"
import * as GenerationError from "holdfast/GenerationError"
import type { Timeouts as RequestTimeouts } from "holdfast/GenerationRequest"
import * as Classifier from "../Classifier.js"
import type { ClientOptions } from "../ClientOptions.js"
import { defaults } from "../ClientOptions.js"
import * as Timeouts from "../Timeouts.js"
import * as Check from "./check.js"
import * as Permits from "./permits.js"
import * as Watch from "./watch.js"

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

/** A complete answer with a status of 2xx. */
export interface Answer {
  readonly status: number
  readonly headers: Headers.Headers
  readonly text: string
}

/** An error body that dribbles must not hold a verdict that the status has already given. */
const errorBodyWait = 10_000

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
export const secretsOf = (target: Target, exchange: Pick<Exchange, "credentials" | "secrets">): ReadonlyArray<string> => [
  ...exchange.secrets,
  ...[...exchange.credentials, ...target.headers].flatMap(([, value]) => [value, value.replace(/^\w+ /, "")])
]

type Failure = GenerationError.GenerationError

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

const timeout = (
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
const fromClientError = (
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

/** The fetch-based clients follow redirects by themselves unless told not to, and take the key along. */
const withoutRedirects = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.serviceOption(FetchHttpClient.RequestInit), (init) =>
    Effect.provideService(self, FetchHttpClient.RequestInit, {
      ...Option.getOrElse(init, () => ({})),
      redirect: "manual"
    })
  )

const requestOf = (target: Target, exchange: Exchange): Effect.Effect<HttpClientRequest.HttpClientRequest> =>
  Effect.gen(function*() {
    const fields: Record<string, string> = { accept: exchange.accept }
    for (const [name, value] of [...target.headers, ...exchange.credentials]) fields[name] = value
    if (target.tracePropagation) {
      const span = yield* Effect.option(Effect.currentSpan)
      if (Option.isSome(span)) Object.assign(fields, HttpTraceContext.toHeaders(span.value))
    }
    // A body declared as JSON would make the prompt part of whatever prints the request; only the field says JSON.
    const body = HttpBody.uint8Array(new TextEncoder().encode(JSON.stringify(exchange.body)))
    return HttpClientRequest.post(exchange.url).pipe(
      HttpClientRequest.setBody(body),
      HttpClientRequest.setHeaders({ ...fields, "content-type": "application/json" })
    )
  })

/** Sends the request; ends with the head of the answer, whatever its status. */
const send = (
  target: Target,
  exchange: Exchange,
  limits: Timeouts.Resolved,
  watch: Watch.Watch<GenerationError.TimeoutPhase>
): Effect.Effect<HttpClientResponse.HttpClientResponse, Failure, Scope.Scope> =>
  Effect.gen(function*() {
    yield* target.permits.take
    // Until a client that can see more speaks up, the three phases that a plain fetch hides are one.
    watch.enter("headers", limits.connect + limits.write + limits.headers)
    let announced: Timeouts.Phase | undefined
    const request = yield* requestOf(target, exchange)
    const secretNames = [...target.headers, ...exchange.credentials].map(([name]) => name)
    const head = target.http.execute(request).pipe(
      withoutRedirects,
      Effect.provideService(Timeouts.CurrentPhases, {
        limits,
        enter: (phase) => {
          announced = phase
          watch.enter(phase, limits[phase])
        }
      }),
      Effect.locallyWith(Headers.currentRedactedNames, (names) => [...names, ...secretNames])
    )
    return yield* Effect.catchAll(head, (error) =>
      error._tag === "ResponseError"
        ? Effect.succeed(error.response)
        : Effect.fail(fromClientError(target, exchange, error, announced === undefined ? undefined : announced === "headers"))
    )
  })

/** Runs the effect until the clock runs out. */
const guarded = <A, R>(
  target: Target,
  exchange: Exchange,
  watch: Watch.Watch<GenerationError.TimeoutPhase>,
  self: Effect.Effect<A, Failure, R>
): Effect.Effect<A, Failure, R> =>
  Effect.raceFirst(
    self,
    Effect.flatMap(watch.expiry, (phase) => Effect.fail(timeout(target, exchange, phase, watch.limit())))
  )

/** The pieces of a body; an empty body has none. */
const pieces = (
  target: Target,
  exchange: Exchange,
  response: HttpClientResponse.HttpClientResponse
): Stream.Stream<Uint8Array, Failure> =>
  Stream.catchAll(response.stream, (error) =>
    error.reason === "EmptyBody" ? Stream.empty : Stream.fail(fromClientError(target, exchange, error, true))
  )

const concat = (chunks: ReadonlyArray<Uint8Array>, length: number): Uint8Array => {
  const whole = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}

/** The error that an answer with a status other than 2xx stands for. What can be read of its body is read. */
const refusal = (
  target: Target,
  exchange: Exchange,
  limits: Timeouts.Resolved,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<never, Failure> =>
  Effect.suspend(() => {
    if (response.status < 400) {
      return Effect.fail(
        failure(target, exchange, "Malformed", {
          status: response.status,
          outcome: "rejected",
          message: "The endpoint redirects elsewhere; redirects are not followed with a key: correct the base URL"
        })
      )
    }
    const chunks: Array<Uint8Array> = []
    let length = 0
    const read = pieces(target, exchange, response).pipe(
      Stream.takeUntil((chunk) => {
        chunks.push(chunk.subarray(0, Classifier.maxErrorBodyBytes - length))
        length += chunk.length
        return length >= Classifier.maxErrorBodyBytes
      }),
      Stream.runDrain,
      Effect.timeoutOption(Duration.millis(Math.min(errorBodyWait, limits.body))),
      Effect.ignore
    )
    return Effect.zipRight(
      read,
      Effect.suspend(() => {
        const body = concat(chunks, Math.min(length, Classifier.maxErrorBodyBytes))
        return Effect.flip(classify(target, exchange, { status: response.status, headers: response.headers, body }))
      })
    )
  })

const isSuccess = (status: number): boolean => status >= 200 && status < 300

const limitsOf = (target: Target, exchange: Exchange): Effect.Effect<Timeouts.Resolved, Failure> =>
  Effect.try({
    try: () => Timeouts.resolve(exchange.timeouts, target.timeouts),
    catch: (cause) =>
      failure(target, exchange, "InvalidRequest", {
        message: cause instanceof RangeError ? cause.message : "The timeouts are not valid",
        outcome: "not-started"
      })
  })

const tooLong = (target: Target, exchange: Exchange, response: HttpClientResponse.HttpClientResponse): Failure =>
  failure(target, exchange, "Malformed", {
    status: response.status,
    message: `The answer is longer than ${target.maxResponseBytes} bytes`
  })

/** One exchange whose answer is read to its end. */
export const unary = (target: Target, exchange: Exchange): Effect.Effect<Answer, Failure> =>
  Effect.scoped(
    Effect.gen(function*() {
      const limits = yield* limitsOf(target, exchange)
      const watch = yield* Watch.make<GenerationError.TimeoutPhase>("pool", limits.pool)
      const response = yield* guarded(target, exchange, watch, send(target, exchange, limits, watch))
      if (!isSuccess(response.status)) return yield* refusal(target, exchange, limits, response)
      const chunks: Array<Uint8Array> = []
      let length = 0
      watch.enter("body", limits.body)
      const read = Stream.runForEachChunk(pieces(target, exchange, response), (batch) =>
        Effect.suspend(() => {
          watch.enter("body", limits.body)
          for (const chunk of batch) {
            chunks.push(chunk)
            length += chunk.length
          }
          return length > target.maxResponseBytes ? Effect.fail(tooLong(target, exchange, response)) : Effect.void
        })
      )
      yield* guarded(target, exchange, watch, read)
      const text = new TextDecoder().decode(concat(chunks, length))
      return { status: response.status, headers: response.headers, text }
    })
  )

/** What a stream's pieces belong to. */
export interface Opened {
  readonly status: number
  readonly headers: Headers.Headers
  readonly pieces: Stream.Stream<Uint8Array, Failure>
}

/**
 * One exchange whose answer is read as it comes. The idle clock runs only while a piece is awaited, so a slow consumer
 * is not taken for a silent provider. The connection lasts as long as the scope.
 */
export const open = (target: Target, exchange: Exchange): Effect.Effect<Opened, Failure, Scope.Scope> =>
  Effect.gen(function*() {
    const limits = yield* limitsOf(target, exchange)
    const watch = yield* Watch.make<GenerationError.TimeoutPhase>("pool", limits.pool)
    const response = yield* guarded(target, exchange, watch, send(target, exchange, limits, watch))
    if (!isSuccess(response.status)) return yield* refusal(target, exchange, limits, response)
    let length = 0
    let phase: GenerationError.TimeoutPhase = "first-chunk"
    const timed = Stream.timeoutFail(
      pieces(target, exchange, response),
      () => timeout(target, exchange, phase, limits.body),
      Duration.millis(limits.body)
    )
    const bounded = Stream.mapChunksEffect(timed, (batch) =>
      Effect.suspend(() => {
        phase = "idle"
        for (const chunk of batch) length += chunk.length
        return length > target.maxResponseBytes
          ? Effect.fail(tooLong(target, exchange, response))
          : Effect.succeed(batch)
      })
    )
    return { status: response.status, headers: response.headers, pieces: bounded }
  })

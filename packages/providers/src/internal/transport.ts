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
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpTraceContext from "@effect/platform/HttpTraceContext"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as GenerationError from "holdfast/GenerationError"
import * as Classifier from "../Classifier.js"
import * as Timeouts from "../Timeouts.js"
import {
  classify,
  type Exchange,
  failure,
  type Failure,
  fromClientError,
  type Target,
  timeout
} from "./target.js"
import * as Watch from "./watch.js"

/** A complete answer with a status of 2xx. */
export interface Answer {
  readonly status: number
  readonly headers: Headers.Headers
  readonly text: string
}

/** An error body that dribbles must not hold a verdict that the status has already given. */
const errorBodyWait = 10_000

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
    return yield* Effect.catchAll(head, (error) => {
      if (error._tag === "ResponseError") return Effect.succeed(error.response)
      const sent = announced === undefined ? undefined : announced === "headers"
      return Effect.fail(fromClientError(target, exchange, error, sent))
    })
  })

/** Runs the effect until the clock runs out. */
const guarded = <A, E, R>(
  target: Target,
  exchange: Exchange,
  watch: Watch.Watch<GenerationError.TimeoutPhase>,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E | Failure, R> =>
  Watch.guard(self, watch, (phase, millis) => timeout(target, exchange, phase, millis))

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
  Effect.flatMap(Watch.make("body", Math.min(errorBodyWait, limits.body)), (watch) => {
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
      Stream.runDrain
    )
    return Effect.zipRight(
      Effect.ignore(Watch.guard(read, watch, () => undefined)),
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
    const pull = yield* Stream.toPull(pieces(target, exchange, response))
    const next = Effect.suspend(() => {
      watch.enter(phase, limits.body)
      const guard = Watch.guard(pull, watch, (late, millis) => Option.some(timeout(target, exchange, late, millis)))
      return Effect.flatMap(guard, (batch) => {
        phase = "idle"
        for (const chunk of batch) length += chunk.length
        return length > target.maxResponseBytes
          ? Effect.fail(Option.some(tooLong(target, exchange, response)))
          : Effect.succeed(batch)
      })
    })
    const bounded = Stream.repeatEffectChunkOption(next)
    return { status: response.status, headers: response.headers, pieces: bounded }
  })

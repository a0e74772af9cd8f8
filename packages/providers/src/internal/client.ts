/**
 * A `GenerationClient` out of a dialect: the same exchange, the same checks and the same errors for all of them.
 *
 * One call is one exchange, unless several results are asked for of a model that makes one at a time: then it is one
 * exchange for each of them.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import { CurrentCall } from "holdfast/CurrentCall"
import type { Dialect } from "holdfast/Endpoint"
import type { Chunk, Finish, Generated, ImagePart, Part, TextPart, Usage } from "holdfast/Generated"
import type * as GenerationClient from "holdfast/GenerationClient"
import type { GenerationError } from "holdfast/GenerationError"
import { type GenerationRequest, modalities } from "holdfast/GenerationRequest"
import * as Redact from "holdfast/Redact"
import type { ClientOptions } from "../ClientOptions.js"
import * as HostedImages from "../HostedImages.js"
import * as Assemble from "./assemble.js"
import * as Json from "./json.js"
import * as Message from "./message.js"
import * as Secrets from "./secrets.js"
import * as Sse from "./sse.js"
import type { FoundPart } from "./textParts.js"
import * as Transport from "./transport.js"

/** Most results that one call may ask for: each is made and billed. */
export const maxCount = 10

/** Most exchanges of one call at a time. */
const concurrency = 4

const text = (value: string): TextPart => ({ _tag: "Text", text: value })

export const make = (
  codec: Codec,
  options: ClientOptions
): Effect.Effect<GenerationClient.Service, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (http) => {
    HostedImages.validate(options.hostedImages ?? {})
    const target = Transport.makeTarget(http, codec.dialect, options)

    const exchangeOf = (
      request: GenerationRequest,
      streamed: boolean
    ): Effect.Effect<Transport.Exchange, GenerationError> =>
      Effect.gen(function*() {
        const call = yield* CurrentCall
        const model = call.model ?? request.model ?? codec.model
        const count = request.count ?? 1
        const draft = {
          url: "",
          model,
          credentials: [],
          body: undefined,
          accept: streamed ? "text/event-stream" : "application/json",
          timeouts: request.timeouts,
          secrets: [request.prompt, request.system ?? ""].flatMap(Secrets.ofPrompt)
        }
        const isCount = Number.isInteger(count) && count >= 1 && count <= maxCount
        const problem = isCount
          ? codec.unsupported?.(request)
          : `count must be a whole number between 1 and ${maxCount}, not ${count}`
        if (problem !== undefined) {
          return yield* Effect.fail(
            Transport.failure(target, draft, "InvalidRequest", { message: problem, outcome: "not-started" })
          )
        }
        const credentials = yield* codec.credentials.current({ model })
        return { ...draft, url: codec.url(model, streamed), credentials, body: codec.encode(request, model, streamed) }
      })

    /** Once more with newer credentials when they were refused: an access token may be revoked before its time. */
    const withRenewal = <A, R>(
      exchange: Transport.Exchange,
      run: (exchange: Transport.Exchange) => Effect.Effect<A, GenerationError, R>
    ): Effect.Effect<A, GenerationError, R> => {
      const renew = codec.credentials.renew
      if (renew === undefined) return run(exchange)
      return Effect.catchTag(run(exchange), "Unauthorized", (error) =>
        error.status !== 401
          ? Effect.fail(error)
          : Effect.flatMap(renew(exchange.credentials, exchange), (credentials) =>
              JSON.stringify(credentials) === JSON.stringify(exchange.credentials)
                ? Effect.fail(error)
                : run({ ...exchange, credentials })
            )
      )
    }

    const one = (request: GenerationRequest): Effect.Effect<Generated, GenerationError> =>
      Effect.flatMap(exchangeOf(request, false), (first) =>
        withRenewal(first, (exchange) =>
          Effect.gen(function*() {
            const answer = yield* Transport.unary(target, exchange)
            const value = Json.parse(answer.text)
            const message = codec.decode(value)
            if (message.isError || !message.isAnswer) {
              const judge = message.isError ? Transport.classify : Transport.unreadable
              return yield* Effect.flip(judge(target, exchange, { ...answer, body: value ?? answer.text }))
            }
            const state = progress()
            state.message = message
            const assembler = Assemble.make({ images: modalities(request).includes("image") })
            const found = [...assembler.push(message.pieces), ...assembler.end()]
            const parts = yield* resolve(exchange, state, found)
            const error = verdict(exchange, request, state, answer.status)
            return error === undefined
              ? { parts, ...finishOf(exchange, message), attempts: [] }
              : yield* Effect.fail(error)
          })
        )
      )

    const streamOne = (request: GenerationRequest): Stream.Stream<Chunk, GenerationError> =>
      Stream.unwrapScoped(
        Effect.gen(function*() {
          const first = yield* exchangeOf(request, true)
          let exchange = first
          const opened = yield* withRenewal(first, (renewed) => {
            exchange = renewed
            return Transport.open(target, renewed)
          })
          return read(request, exchange, opened)
        })
      )

    const cut = (exchange: Transport.Exchange): GenerationError =>
      Transport.failure(target, exchange, "Transient", { message: "The stream ended before it was finished" })

    const read = (
      request: GenerationRequest,
      exchange: Transport.Exchange,
      opened: Transport.Opened
    ): Stream.Stream<Chunk, GenerationError> => {
      const decoder = Sse.make()
      const assembler = Assemble.make({ images: modalities(request).includes("image") })
      const state = progress()
      let done = false

      const error = (judge: typeof Transport.classify, body: unknown): Effect.Effect<never, GenerationError> =>
        Effect.flip(
          judge(target, exchange, { status: opened.status, headers: opened.headers, body, streamed: true })
        )

      const onEvent = (event: Sse.Event): Effect.Effect<ReadonlyArray<Part>, GenerationError> =>
        Effect.suspend(() => {
          if (done) return Effect.succeed([])
          if (event._tag === "Overflow") {
            return Effect.fail(
              Transport.failure(target, exchange, "Malformed", { message: "An event of the stream is too long" })
            )
          }
          const source = event._tag === "Raw" ? event.text : event.data
          if (source.trim() === "[DONE]") {
            done = true
            return Effect.succeed([])
          }
          if (source.trim() === "") return Effect.succeed([])
          const value = Json.parse(source)
          if (value === undefined && event._tag === "Event" && !event.complete) return Effect.fail(cut(exchange))
          const message = codec.decode(value)
          const named = event._tag === "Event" && event.event === "error"
          if (message.isError || named) return error(Transport.classify, value ?? source)
          if (value === undefined) return error(Transport.unreadable, source)
          state.message = Message.merge(state.message, { ...message, pieces: [] })
          return resolve(exchange, state, assembler.push(message.pieces))
        })

      const events = Stream.concat(
        Stream.mapConcat(opened.pieces, decoder.push),
        Stream.suspend(() => Stream.fromIterable(decoder.end()))
      ).pipe(
        // A connection that breaks may have brought the reason first; what it broke in the middle of says nothing.
        Stream.catchAll((failure) =>
          Stream.concat(
            Stream.suspend(() => Stream.fromIterable(decoder.end().filter(isWhole))),
            Stream.suspend(() => (state.message.finishReason === undefined ? Stream.fail(failure) : Stream.empty))
          )
        )
      )
      const parts = events.pipe(
        Stream.mapEffect(onEvent),
        Stream.takeUntil(() => done),
        Stream.mapConcat((found) => found)
      )
      const last = Stream.unwrap(
        Effect.gen(function*() {
          const rest = yield* resolve(exchange, state, assembler.end())
          if (!done && state.message.finishReason === undefined && state.message.blockReason === undefined) {
            return yield* Effect.fail(cut(exchange))
          }
          const failed = verdict(exchange, request, state, opened.status)
          if (failed !== undefined) return Stream.concat(Stream.fromIterable(rest), Stream.fail(failed))
          const finish: Finish = { _tag: "Finish", ...finishOf(exchange, state.message) }
          return Stream.fromIterable<Chunk>([...rest, finish])
        })
      )
      return Stream.concat(parts, last)
    }

    const exchanges = (request: GenerationRequest): number => (codec.makesSeveral ? 1 : (request.count ?? 1))

    const generate = (request: GenerationRequest): Effect.Effect<Generated, GenerationError> => {
      const wanted = exchanges(request)
      if (!(wanted > 1 && wanted <= maxCount)) return one(request)
      return Effect.flatMap(
        Effect.forEach(Array.from({ length: wanted }), () => Effect.either(one(request)), { concurrency }),
        (results) => {
          // What was made is paid for: it is handed out even when some of its siblings failed.
          const made = results.flatMap((result) => (Either.isRight(result) ? [result.right] : []))
          const [head] = made
          const [failed] = results.flatMap((result) => (Either.isLeft(result) ? [result.left] : []))
          if (head === undefined) return failed === undefined ? one(request) : Effect.fail(failed)
          return Effect.succeed({
            ...head,
            parts: made.flatMap((result) => result.parts),
            usage: made.map((result) => result.usage).reduce(addUsage)
          })
        }
      )
    }

    const stream = (request: GenerationRequest): Stream.Stream<Chunk, GenerationError> => {
      if (!codec.streams) return Stream.unwrap(Effect.map(generate(request), (result) => Stream.fromIterable(chunksOf(result))))
      const wanted = exchanges(request)
      if (!(wanted > 1 && wanted <= maxCount)) return streamOne(request)
      return Stream.suspend(() => {
        let sum: Usage = {}
        const each = (index: number) =>
          Stream.mapConcat(streamOne(request), (chunk): ReadonlyArray<Chunk> => {
            if (chunk._tag !== "Finish") return [chunk]
            sum = addUsage(sum, chunk.usage)
            return index === wanted - 1 ? [{ ...chunk, usage: sum }] : []
          })
        return Stream.flatMap(Stream.range(0, wanted - 1), each)
      })
    }

    return { generate, stream }
  })

/** Can this, which the end of a stream left over, be read? */
const isWhole = (event: Sse.Event): boolean =>
  event._tag !== "Overflow" && Json.parse(event._tag === "Raw" ? event.text : event.data) !== undefined

const chunksOf = (result: Generated): ReadonlyArray<Chunk> => {
  const { attempts: _, parts, ...rest } = result
  return [...parts, { _tag: "Finish", ...rest }]
}

const addUsage = (a: Usage, b: Usage): Usage =>
  Json.compact({
    inputTokens: add(a.inputTokens, b.inputTokens),
    outputTokens: add(a.outputTokens, b.outputTokens),
    thoughtTokens: add(a.thoughtTokens, b.thoughtTokens),
    totalTokens: add(a.totalTokens, b.totalTokens)
  })

const add = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : a + b

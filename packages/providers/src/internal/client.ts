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
import type { Chunk, Generated, Usage } from "holdfast/Generated"
import type * as GenerationClient from "holdfast/GenerationClient"
import type { GenerationError } from "holdfast/GenerationError"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import type { ClientOptions } from "../ClientOptions.js"
import * as HostedImages from "../HostedImages.js"
import type { Codec } from "./codec.js"
import * as Events from "./events.js"
import * as Json from "./json.js"
import * as Permits from "./permits.js"
import * as Reading from "./reading.js"
import * as Secrets from "./secrets.js"
import * as Target from "./target.js"
import * as Transport from "./transport.js"

/** The dialects in the words of the OpenTelemetry conventions; a relay counts as what it speaks. */
const providerNames: Readonly<Record<Codec["dialect"], string>> = {
  gemini: "gcp.gemini",
  vertex: "gcp.vertex_ai",
  openai: "openai"
}

const hostOf = (baseUrl: string): string => (URL.canParse(baseUrl) ? new URL(baseUrl).hostname : "unknown")

/** Most results that one call may ask for: each is made and billed. */
export const maxCount = 10

/** Most exchanges of one call at a time. */
const concurrency = 4

export const make = (
  codec: Codec,
  options: ClientOptions
): Effect.Effect<GenerationClient.Service, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (http) => {
    HostedImages.validate(options.hostedImages ?? {})
    const target = Target.makeTarget(http, codec.dialect, options)

    // What only a client knows of the span that stands around it.
    const provider = { "gen_ai.provider.name": providerNames[codec.dialect], "server.address": hostOf(codec.baseUrl) }

    const exchangeOf = (
      request: GenerationRequest,
      streamed: boolean
    ): Effect.Effect<Target.Exchange, GenerationError> =>
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
            Target.failure(target, draft, "InvalidRequest", { message: problem, outcome: "not-started" })
          )
        }
        yield* Effect.annotateCurrentSpan(provider)
        const credentials = yield* codec.credentials.current({ model })
        return { ...draft, url: codec.url(model, streamed), credentials, body: codec.encode(request, model, streamed) }
      })

    /** Once more with newer credentials when they were refused: an access token may be revoked before its time. */
    const withRenewal = <A, R>(
      exchange: Target.Exchange,
      run: (exchange: Target.Exchange) => Effect.Effect<A, GenerationError, R>
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

    const readingOf = (request: GenerationRequest, exchange: Target.Exchange): Reading.Reading =>
      Reading.make({ http, codec, target, exchange, request, hostedImages: options.hostedImages })

    const one = (request: GenerationRequest): Effect.Effect<Generated, GenerationError> =>
      Effect.flatMap(exchangeOf(request, false), (first) =>
        withRenewal(first, (exchange) =>
          Effect.gen(function*() {
            const answer = yield* Transport.unary(target, exchange)
            const value = Json.parse(answer.text)
            const message = codec.decode(value)
            if (message.isError || !message.isAnswer) {
              const judge = message.isError ? Target.classify : Target.unreadable
              return yield* Effect.flip(judge(target, exchange, { ...answer, body: value ?? answer.text }))
            }
            const reading = readingOf(request, exchange)
            const parts = [...(yield* reading.push(message)), ...(yield* reading.end)]
            const error = reading.verdict(answer.status)
            return error === undefined ? { parts, ...reading.finish(), attempts: [] } : yield* Effect.fail(error)
          })
        )
      )

    const streamOne = (request: GenerationRequest): Stream.Stream<Chunk, GenerationError> =>
      Stream.unwrapScoped(
        Effect.flatMap(exchangeOf(request, true), (first) =>
          withRenewal(first, (exchange) =>
            Effect.map(Transport.open(target, exchange), (opened) =>
              Events.read({ codec, target, exchange, opened, reading: readingOf(request, exchange) })
            )
          )
        )
      )

    const exchanges = (request: GenerationRequest): number => (codec.makesSeveral ? 1 : (request.count ?? 1))

    const generate = (request: GenerationRequest): Effect.Effect<Generated, GenerationError> => {
      const wanted = exchanges(request)
      if (!(wanted > 1 && wanted <= maxCount)) return one(request)
      return Effect.flatMap(
        Permits.all(Array.from({ length: wanted }, () => Effect.either(one(request))), concurrency),
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
      if (!codec.streams) return Stream.fromIterableEffect(Effect.map(generate(request), chunksOf))
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

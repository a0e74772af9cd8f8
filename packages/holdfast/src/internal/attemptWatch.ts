/** Around the client, inside all policies: each exchange is numbered, logged, reported and spanned, however it ends. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { type Call, CurrentCall } from "../CurrentCall.js"
import type { Chunk, Finish, Generated } from "../Generated.js"
import type { Service as Client } from "../GenerationClient.js"
import * as GenerationError from "../GenerationError.js"
import type { GenerationRequest } from "../GenerationRequest.js"
import type { Service as TelemetryService } from "../Telemetry.js"
import { endingOf, firstFailure } from "./ending.js"
import * as Span from "./genAiSpan.js"

type Answer = Generated | Finish | undefined

interface Started {
  readonly call: Call
  readonly generation: string
  readonly number: number
  readonly startedAt: number
  readonly endpoint: string
  readonly model: string
}

const start = (request: GenerationRequest): Effect.Effect<Started> =>
  Effect.zipWith(CurrentCall, Clock.currentTimeMillis, (call, startedAt) => {
    const number = call.log === undefined ? 1 : ++call.log.started
    const started: Started = {
      call,
      generation: call.generation ?? "none",
      number,
      startedAt,
      endpoint: call.endpoint ?? "default",
      model: call.model ?? request.model ?? "default"
    }
    call.observe({
      _tag: "AttemptStarted",
      generation: started.generation,
      at: startedAt,
      attempt: number,
      endpoint: started.endpoint,
      model: started.model
    })
    return started
  })

/** What an attempt that was interrupted, or died, is remembered by: nobody knows what the provider made of it. */
const abandoned = (started: Started, ending: string): GenerationError.GenerationError =>
  new GenerationError.Timeout({
    phase: "attempt",
    endpoint: started.endpoint,
    model: started.model,
    message: ending === "Defect" ? "the attempt ended by a defect" : "the attempt was abandoned before it ended"
  })

const end = (started: Started, exit: Exit.Exit<Answer, unknown>): Effect.Effect<void> =>
  Effect.map(Clock.currentTimeMillis, (at) => {
    const { call, number, startedAt } = started
    const duration = Duration.millis(at - startedAt)
    const ending = endingOf(exit)
    const answer = Exit.isSuccess(exit) ? exit.value : undefined
    const failure = Exit.isFailure(exit) ? firstFailure(exit.cause) : undefined
    const error = Exit.isSuccess(exit)
      ? undefined
      : GenerationError.isGenerationError(failure)
      ? failure
      : abandoned(started, ending._tag)
    const endpoint = answer?.endpoint ?? knownOr(error?.endpoint, started.endpoint)
    const model = answer?.model ?? knownOr(error?.model, started.model)
    call.log?.attempts.push({ number, endpoint, model, startedAt, duration, ...(error === undefined ? {} : { error }) })
    call.observe({
      _tag: "AttemptEnded",
      generation: started.generation,
      at,
      attempt: number,
      endpoint,
      model,
      requested: { endpoint: started.endpoint, model: started.model },
      ending,
      duration,
      status: error?.status,
      usage: answer?.usage
    })
  })

const knownOr = (name: string | undefined, fallback: string): string =>
  name === undefined || name === "unknown" ? fallback : name

/** One watched attempt of a unary generation. Start and end are a pair that interruption cannot part. */
export const effect = (
  client: Client,
  telemetry: TelemetryService,
  request: GenerationRequest
): Effect.Effect<Generated, GenerationError.GenerationError> =>
  Effect.acquireUseRelease(
    start(request),
    (started) => {
      if (!telemetry.spans) return client.generate(request)
      const { name, options } = Span.attemptSpan(request, started.number, started.endpoint, started.model)
      return client.generate(request).pipe(
        Effect.tapError(Span.annotateError),
        Effect.tap(Span.annotateAnswer),
        Effect.withSpan(name, options)
      )
    },
    end
  )

/** One watched attempt of a streamed generation; it ends when the stream does. */
export const stream = (
  client: Client,
  telemetry: TelemetryService,
  request: GenerationRequest
): Stream.Stream<Chunk, GenerationError.GenerationError> =>
  Stream.suspend(() => {
    let finish: Finish | undefined
    const begun = Stream.acquireRelease(
      start(request),
      (started, exit) => end(started, Exit.map(exit, () => finish))
    )
    return Stream.flatMap(begun, (started) => {
      const watched = client.stream(request).pipe(Stream.mapEffect((chunk): Effect.Effect<Chunk> => {
        if (chunk._tag !== "Finish") return Effect.succeed(chunk)
        finish = chunk
        return telemetry.spans ? Effect.as(Span.annotateAnswer(chunk), chunk) : Effect.succeed(chunk)
      }))
      if (!telemetry.spans) return watched
      const { name, options } = Span.attemptSpan(request, started.number, started.endpoint, started.model)
      return watched.pipe(Stream.tapError(Span.annotateError), Stream.withSpan(name, options))
    })
  })

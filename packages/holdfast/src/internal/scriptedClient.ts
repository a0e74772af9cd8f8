/** The client of `GenerationClient.layerTest`: plays outcomes in turn and remembers who asked for what. */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { CurrentCall } from "../CurrentCall.js"
import type { Chunk, Generated, Part } from "../Generated.js"
import * as GenerationError from "../GenerationError.js"
import type { GenerationRequest } from "../GenerationRequest.js"

/** What one attempt does. */
export type Outcome =
  | GenerationError.GenerationError
  | Partial<Generated>
  | string
  | { readonly _tag: "Hang" }
  | { readonly _tag: "After"; readonly delay: Duration.DurationInput; readonly outcome: Outcome }
  | { readonly _tag: "Parts"; readonly parts: ReadonlyArray<Part>; readonly error: GenerationError.GenerationError }

/** One attempt as the client saw it. */
export interface RecordedAttempt {
  readonly request: GenerationRequest
  /** Start, in milliseconds since the epoch. */
  readonly at: number
  /** The endpoint that a routing policy chose, if one did. */
  readonly endpoint: string | undefined
  /** The number that the retry gave it; 0 outside of a retry. */
  readonly attempt: number
}

/** The smallest PNG: one transparent pixel. */
const pixel = Uint8Array.from(
  [137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 31, 21, 196]
    .concat([137, 0, 0, 0, 13, 73, 68, 65, 84, 120, 156, 99, 96, 0, 2, 0, 0, 5, 0, 1, 122, 94, 171, 63, 0, 0, 0, 0, 73])
    .concat([69, 78, 68, 174, 66, 96, 130])
)

interface Planned {
  readonly delay: Duration.DurationInput | undefined
  readonly result: Generated | GenerationError.GenerationError | "hang"
  readonly parts: ReadonlyArray<Part>
}

const plan = (outcome: Outcome, request: GenerationRequest, endpoint: string | undefined): Planned => {
  if (typeof outcome === "string") return plan({ parts: [{ _tag: "Text", text: outcome }] }, request, endpoint)
  if (GenerationError.isGenerationError(outcome)) return { delay: undefined, result: outcome, parts: [] }
  if ("_tag" in outcome) {
    switch (outcome._tag) {
      case "Hang":
        return { delay: undefined, result: "hang", parts: [] }
      case "After":
        return { ...plan(outcome.outcome, request, endpoint), delay: outcome.delay }
      case "Parts":
        return { delay: undefined, result: outcome.error, parts: outcome.parts }
    }
  }
  const result: Generated = {
    parts: [{ _tag: "Image", mimeType: "image/png", bytes: pixel }],
    usage: {},
    finishReason: "STOP",
    endpoint: endpoint ?? "test",
    model: request.model ?? "test-model",
    attempts: [],
    ...outcome
  }
  return { delay: undefined, result, parts: result.parts }
}

/** A scripted client and its record. An empty script always succeeds. */
export const make = (script: ReadonlyArray<Outcome>) => {
  const recorded: Array<RecordedAttempt> = []
  const begin = (request: GenerationRequest): Effect.Effect<Planned> =>
    Effect.flatMap(CurrentCall, (call) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) => {
        const outcome = script[Math.min(recorded.length, script.length - 1)] ?? {}
        recorded.push({ request, at, endpoint: call.endpoint, attempt: call.attempt })
        const planned = plan(outcome, request, call.endpoint)
        return planned.delay === undefined ? Effect.succeed(planned) : Effect.delay(Effect.succeed(planned), planned.delay)
      }))
  return {
    recorded,
    client: {
      generate: (request: GenerationRequest): Effect.Effect<Generated, GenerationError.GenerationError> =>
        Effect.flatMap(begin(request), ({ result }) =>
          result === "hang"
            ? Effect.never
            : GenerationError.isGenerationError(result)
            ? Effect.fail(result)
            : Effect.succeed(result)),
      stream: (request: GenerationRequest): Stream.Stream<Chunk, GenerationError.GenerationError> =>
        Stream.unwrap(
          Effect.map(begin(request), ({ parts, result }) => {
            const given: Stream.Stream<Chunk> = Stream.fromIterable(parts)
            if (result === "hang") return Stream.concat(given, Stream.never)
            if (GenerationError.isGenerationError(result)) return Stream.concat(given, Stream.fail(result))
            const { endpoint, finishReason, model, responseId, usage } = result
            return Stream.concat(
              given,
              Stream.succeed<Chunk>({ _tag: "Finish", endpoint, finishReason, model, responseId, usage })
            )
          })
        )
    }
  }
}

/**
 * Spans of generations and attempts, by the OpenTelemetry semantic conventions for generative AI. The attempt is the
 * conventions' client span; the generation is its parent, and says how many attempts it took.
 */
import * as Effect from "effect/Effect"
import type { Call } from "../CurrentCall.js"
import type { Finish, Generated } from "../Generated.js"
import type { GenerationError } from "../GenerationError.js"
import * as Request from "../GenerationRequest.js"

type Attributes = Record<string, unknown>

const operation = "generate_content"

/** The attributes of a request that are neither prompt nor image. */
const requestAttributes = (request: Request.GenerationRequest, model: string): Attributes => {
  const attributes: Attributes = {
    "gen_ai.operation.name": operation,
    "gen_ai.request.model": model,
    "gen_ai.output.type": Request.asksFor(request, "image") ? "image" : "text"
  }
  if (request.seed !== undefined) attributes["gen_ai.request.seed"] = request.seed
  if (request.count !== undefined) attributes["gen_ai.request.choice.count"] = request.count
  if (request.temperature !== undefined) attributes["gen_ai.request.temperature"] = request.temperature
  if (request.maxOutputTokens !== undefined) attributes["gen_ai.request.max_tokens"] = request.maxOutputTokens
  return attributes
}

/** Name and options of the span of a whole generation. */
export const generationSpan = (request: Request.GenerationRequest, generation: string) => ({
  name: "holdfast.generation",
  options: {
    kind: "internal",
    captureStackTrace: false,
    attributes: {
      ...requestAttributes(request, request.model ?? "default"),
      "holdfast.generation.id": generation
    }
  } as const
})

/** Name and options of the span of one attempt. */
export const attemptSpan = (request: Request.GenerationRequest, attempt: number, endpoint: string, model: string) => ({
  name: `${operation} ${model}`,
  options: {
    kind: "client",
    captureStackTrace: false,
    attributes: {
      ...requestAttributes(request, model),
      "holdfast.attempt.number": attempt,
      "holdfast.endpoint": endpoint
    }
  } as const
})

/** Adds to the current span what an answer tells. */
export const annotateAnswer = (answer: Omit<Generated, "parts" | "attempts"> | Omit<Finish, "_tag">) => {
  const attributes: Attributes = {
    "gen_ai.response.model": answer.model,
    "gen_ai.response.finish_reasons": [answer.finishReason],
    "holdfast.endpoint": answer.endpoint
  }
  if (answer.responseId !== undefined) attributes["gen_ai.response.id"] = answer.responseId
  if (answer.usage.inputTokens !== undefined) attributes["gen_ai.usage.input_tokens"] = answer.usage.inputTokens
  if (answer.usage.outputTokens !== undefined) attributes["gen_ai.usage.output_tokens"] = answer.usage.outputTokens
  return Effect.annotateCurrentSpan(attributes)
}

/** Adds to the span of a generation how many attempts it took. */
export const annotateAttempts = (call: Call) =>
  Effect.suspend(() => Effect.annotateCurrentSpan("holdfast.generation.attempts", call.log?.started ?? 0))

/** Adds to the current span what an error tells. */
export const annotateError = (error: { readonly _tag: string } | GenerationError) => {
  const attributes: Attributes = { "error.type": error._tag }
  if ("status" in error && error.status !== undefined) attributes["http.response.status_code"] = error.status
  if ("outcome" in error) attributes["holdfast.outcome"] = error.outcome
  return Effect.annotateCurrentSpan(attributes)
}

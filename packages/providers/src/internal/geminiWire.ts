/**
 * The Gemini dialect, as the Developer API, Vertex AI and relays speak it: the body of a request, and what an answer
 * (or one event of a stream) says. Every field of an answer is optional here, because every one of them has been seen
 * missing; both spellings (`inlineData`, `inline_data`) are read.
 */
import type { Usage } from "holdfast/Generated"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import { modalities } from "holdfast/GenerationRequest"
import * as Base64 from "./base64.js"
import * as ImageBytes from "./imageBytes.js"
import * as Json from "./json.js"
import * as Message from "./message.js"

/** One size only: naming it is refused or, on Vertex, answered by 404. */
const withoutImageSize = /gemini-2\.5-flash-image|gemini-2\.0-flash/

/** The request's body. `role` is required on Vertex and accepted everywhere. */
export const encode = (request: GenerationRequest, model: string): Json.Json => {
  const imageSize = withoutImageSize.test(model) ? undefined : request.imageSize
  const imageConfig = Json.compact({ aspectRatio: request.aspectRatio, imageSize })
  const asked = modalities(request)
  return Json.compact({
    contents: [
      {
        role: "user",
        parts: [
          { text: request.prompt },
          ...(request.images ?? []).map((image) => ({
            inlineData: { mimeType: image.mimeType, data: Base64.encode(image.bytes) }
          }))
        ]
      }
    ],
    systemInstruction: request.system === undefined ? undefined : { parts: [{ text: request.system }] },
    generationConfig: Json.compact({
      responseModalities: asked.map((modality) => modality.toUpperCase()),
      imageConfig: Object.keys(imageConfig).length === 0 ? undefined : imageConfig,
      seed: request.seed,
      temperature: request.temperature,
      maxOutputTokens: request.maxOutputTokens
    })
  })
}

const usageOf = (value: unknown): Usage => {
  const usage = Json.record(value)
  const count = (...names: ReadonlyArray<string>) => Json.count(Json.field(usage, ...names))
  return Json.compact({
    inputTokens: count("promptTokenCount", "prompt_token_count"),
    outputTokens: count("candidatesTokenCount", "candidates_token_count"),
    thoughtTokens: count("thoughtsTokenCount", "thoughts_token_count"),
    totalTokens: count("totalTokenCount", "total_token_count")
  })
}

/** Drafts are marked as thoughts: they are no part of the answer. */
const partPieces = (value: unknown): ReadonlyArray<Message.Piece> => {
  const part = Json.record(value)
  if (part === undefined || part["thought"] === true) return []
  const inline = Json.record(Json.field(part, "inlineData", "inline_data"))
  if (inline !== undefined) {
    const data = Json.text(inline["data"])
    const image = data === undefined
      ? undefined
      : ImageBytes.fromBase64(data, Json.text(Json.field(inline, "mimeType", "mime_type")))
    return image === undefined ? [] : [image]
  }
  const file = Json.record(Json.field(part, "fileData", "file_data"))
  const url = Json.text(Json.field(file, "fileUri", "file_uri"))
  if (url !== undefined && /^https?:/i.test(url)) return [{ _tag: "Hosted", url, source: "" }]
  const text = Json.text(part["text"])
  return text === undefined ? [] : [{ _tag: "Raw", text }]
}

/** Reads one answer. Total. An array, as the endpoint gives without `alt=sse`, reads as its elements in turn. */
export const decode = (value: unknown): Message.Message => {
  if (Array.isArray(value)) return value.map(decode).reduce(Message.merge, Message.nothing)
  const outer = Json.record(value)
  // The code-assist backends wrap the answer once more.
  const body = Json.record(Json.field(outer, "response")) ?? outer
  if (body === undefined) return Message.nothing
  const candidates = Json.array(body["candidates"]).map(Json.record)
  const feedback = Json.record(Json.field(body, "promptFeedback", "prompt_feedback"))
  const blockReason = Json.text(Json.field(feedback, "blockReason", "block_reason"))
  const usage = Json.field(body, "usageMetadata", "usage_metadata")
  const finishReasons = candidates.map((candidate) => Json.text(Json.field(candidate, "finishReason", "finish_reason")))
  return {
    pieces: candidates.flatMap((candidate) =>
      Json.array(Json.field(Json.record(Json.field(candidate, "content")), "parts")).flatMap(partPieces)
    ),
    finishReason: finishReasons.find((reason) => reason !== undefined),
    blockReason: blockReason === undefined || /unspecified$/i.test(blockReason) ? undefined : blockReason,
    usage: usageOf(usage),
    model: Json.text(Json.field(body, "modelVersion", "model_version")),
    responseId: Json.text(Json.field(body, "responseId", "response_id")),
    isError: outer?.["error"] !== undefined && outer["error"] !== null,
    isAnswer: candidates.length > 0 || feedback !== undefined || usage !== undefined
  }
}

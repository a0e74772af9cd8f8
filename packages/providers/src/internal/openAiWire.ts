/**
 * The OpenAI dialect as relays speak it: chat completions that may answer with images, and image generations.
 *
 * No standard says where a chat completion puts an image, so every place that relays are known to use is read:
 * `message.images`, parts of an array under `content`, Markdown or a data URL in a text, and links. Streams bring the
 * same under `delta`.
 */
import type { Usage } from "holdfast/Generated"
import { asksFor, type GenerationRequest } from "holdfast/GenerationRequest"
import { isBlock } from "./blockReasons.js"
import * as Base64 from "./base64.js"
import * as ImageBytes from "./imageBytes.js"
import * as Json from "./json.js"
import * as Message from "./message.js"

/** The body of `chat/completions`. */
export const encodeChat = (request: GenerationRequest, model: string, streamed: boolean): Json.Json => {
  const images = request.images ?? []
  const imageConfig = Json.compact({ aspect_ratio: request.aspectRatio, image_size: request.imageSize })
  const content =
    images.length === 0
      ? request.prompt
      : [
          { type: "text", text: request.prompt },
          ...images.map((image) => ({
            type: "image_url",
            image_url: { url: `data:${image.mimeType};base64,${Base64.encode(image.bytes)}` }
          }))
        ]
  return Json.compact({
    model,
    messages: [
      ...(request.system === undefined ? [] : [{ role: "system", content: request.system }]),
      { role: "user", content }
    ],
    // Image models say something too, and some refuse to be asked for images alone.
    modalities: asksFor(request, "image") ? ["image", "text"] : undefined,
    image_config: Object.keys(imageConfig).length === 0 ? undefined : imageConfig,
    seed: request.seed,
    temperature: request.temperature,
    max_tokens: request.maxOutputTokens,
    stream: streamed ? true : undefined,
    stream_options: streamed ? { include_usage: true } : undefined
  })
}

const isGptImage = (model: string): boolean => /gpt-image/i.test(model)

/** Models with a few fixed sizes take the nearest one; others get the words of the request. */
const sizeOf = (request: GenerationRequest, model: string): Json.Json => {
  const { aspectRatio, imageSize } = request
  if (imageSize !== undefined && /^\d{2,5}x\d{2,5}$/.test(imageSize)) return { size: imageSize }
  const [width, height] = (aspectRatio ?? "").split(":").map(Number)
  const long = isGptImage(model) ? 1536 : /dall-e-3/i.test(model) ? 1792 : undefined
  if (long === undefined) return Json.compact({ size: imageSize, aspect_ratio: aspectRatio })
  if (width === undefined || height === undefined || !(width > 0) || !(height > 0)) return {}
  return { size: width === height ? "1024x1024" : width > height ? `${long}x1024` : `1024x${long}` }
}

/** The body of `images/generations`. */
export const encodeImages = (request: GenerationRequest, model: string): Json.Json =>
  Json.compact({
    model,
    prompt: request.prompt,
    n: request.count ?? 1,
    ...sizeOf(request, model),
    seed: request.seed,
    // These models always answer with bytes and refuse to be told so.
    response_format: isGptImage(model) ? undefined : "b64_json"
  })

/** A picture given as base64, as a data URL, or as a link. */
const fromText = (value: string, declared?: string): Message.Piece | undefined =>
  /^\s*https?:\/\//i.test(value)
    ? { _tag: "Hosted", url: value.trim(), source: "" }
    : ImageBytes.fromBase64(value, declared)

/** A picture in one of the shapes that objects give it. */
const fromObject = (value: unknown): Message.Piece | undefined => {
  if (typeof value === "string") return fromText(value)
  const object = Json.record(value)
  if (object === undefined) return undefined
  const declared = Json.text(Json.field(object, "mimeType", "mime_type", "media_type", "mediaType"))
  for (const name of ["b64_json", "url", "data", "result", "base64"]) {
    const text = Json.text(object[name])
    const found = text === undefined ? undefined : fromText(text, declared)
    if (found !== undefined) return found
  }
  for (const name of ["image_url", "imageUrl", "image", "inlineData", "inline_data", "source", "file"]) {
    const found = object[name] === undefined ? undefined : fromObject(object[name])
    if (found !== undefined) return found
  }
  return undefined
}

const textTypes: ReadonlySet<unknown> = new Set(["text", "output_text", undefined])

const fromContent = (value: unknown): ReadonlyArray<Message.Piece> => {
  if (typeof value === "string") return value === "" ? [] : [{ _tag: "Raw", text: value }]
  return Json.array(value).flatMap((entry): ReadonlyArray<Message.Piece> => {
    const object = Json.record(entry)
    if (typeof entry === "string") return fromContent(entry)
    if (object === undefined || object["thought"] === true) return []
    const text = Json.text(object["text"])
    if (text !== undefined && textTypes.has(object["type"])) return fromContent(text)
    const image = fromObject(object)
    return image === undefined ? [] : [image]
  })
}

const present = (piece: Message.Piece | undefined): ReadonlyArray<Message.Piece> => (piece === undefined ? [] : [piece])

const fromChoice = (choice: Json.Json | undefined): ReadonlyArray<Message.Piece> => {
  const message = Json.record(Json.field(choice, "message", "delta"))
  return [
    ...fromContent(Json.field(message, "content")),
    ...Json.array(Json.field(message, "images")).flatMap((image) => present(fromObject(image)))
  ]
}

/** An item of a Responses answer. */
const fromOutput = (value: unknown): ReadonlyArray<Message.Piece> => {
  const item = Json.record(value)
  return item?.["type"] === "image_generation_call"
    ? present(fromObject(item))
    : fromContent(Json.field(item, "content"))
}

const usageOf = (value: unknown): Usage => {
  const usage = Json.record(value)
  const details = Json.record(Json.field(usage, "completion_tokens_details", "output_tokens_details"))
  return Json.compact({
    inputTokens: Json.count(Json.field(usage, "prompt_tokens", "input_tokens")),
    outputTokens: Json.count(Json.field(usage, "completion_tokens", "output_tokens")),
    thoughtTokens: Json.count(Json.field(details, "reasoning_tokens")),
    totalTokens: Json.count(Json.field(usage, "total_tokens"))
  })
}

const describesError = (body: Json.Json): boolean =>
  (body["error"] !== undefined && body["error"] !== null && body["error"] !== false) ||
  body["type"] === "error" ||
  body["object"] === "error" ||
  body["success"] === false

/** Reads one answer, or one event of a stream. Total. */
export const decode = (value: unknown): Message.Message => {
  const body = Json.record(value)
  if (body === undefined) return Message.nothing
  const choices = Json.array(body["choices"]).map(Json.record)
  const data = Array.isArray(body["data"]) ? body["data"] : undefined
  const output = Array.isArray(body["output"]) ? body["output"] : undefined
  const isAnswer = Array.isArray(body["choices"]) || data !== undefined || output !== undefined
  const finishReason = choices
    .map((choice) => Json.text(Json.field(choice, "finish_reason")))
    .find((reason) => reason !== undefined)
  const native = choices.map((choice) => Json.text(Json.field(choice, "native_finish_reason"))).find((reason) =>
    reason !== undefined && isBlock(reason)
  )
  const refused = choices.some((choice) =>
    Json.text(Json.field(Json.record(Json.field(choice, "message", "delta")), "refusal")) !== undefined
  )
  const failed = finishReason === "error" || choices.some((choice) => Json.record(choice?.["error"]) !== undefined)
  return {
    pieces: [
      ...choices.flatMap(fromChoice),
      ...(data ?? []).flatMap((entry) => present(fromObject(entry))),
      ...(output ?? []).flatMap(fromOutput)
    ],
    finishReason: finishReason ?? (data !== undefined || output !== undefined ? "stop" : undefined),
    blockReason: native ?? (refused ? "refusal" : undefined),
    usage: usageOf(body["usage"]),
    model: Json.text(body["model"]),
    responseId: Json.text(body["id"]),
    isError: failed || describesError(body) ||
      (!isAnswer && (Json.text(body["message"]) ?? Json.text(body["detail"])) !== undefined),
    isAnswer
  }
}

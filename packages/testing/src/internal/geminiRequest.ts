/** Reads a request in the Gemini dialect, as strictly as the real API in what image clients get wrong. */
import { isRecord } from "./decoding.js"
import * as Wire from "./wire.js"

export interface Flavour {
  readonly vertex: boolean
  /** `v1` of the Developer API knows fewer fields. */
  readonly version: string
  readonly method: string
  /** `alt=sse` was asked for. */
  readonly sse: boolean
  /** `publishers/google/models/...` with what stands before, for messages. */
  readonly resource: string
}

const aspectRatios = "1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9 1:4 1:8 4:1 8:1".split(" ")
const imageSizes = ["512", "1K", "2K", "4K"]

const either = (record: Readonly<Record<string, unknown>>, camel: string, snake: string): unknown =>
  record[camel] ?? record[snake]

const topLevel = new Set([
  "contents",
  "model",
  "generationConfig",
  "generation_config",
  "safetySettings",
  "safety_settings",
  "systemInstruction",
  "system_instruction",
  "tools",
  "toolConfig",
  "tool_config",
  "cachedContent",
  "cached_content",
  "labels"
])

const refuse = (field: string, text: string): never => {
  throw new Wire.Unreadable(field, text)
}

const textOf = (contents: ReadonlyArray<unknown>, flavour: Flavour): string => {
  const texts: Array<string> = []
  contents.forEach((content, i) => {
    const at = `contents[${i}]`
    if (!isRecord(content)) return refuse(at, `Invalid value at '${at}': it must be an object.`)
    const role = content["role"]
    if (role === undefined ? flavour.vertex : role !== "user" && role !== "model" && role !== "function") {
      refuse(`${at}.role`, "Please use a valid role: user, model.")
    }
    const parts = content["parts"]
    if (!Array.isArray(parts) || parts.length === 0) {
      return refuse(`${at}.parts`, `${at}.parts must not be empty.`)
    }
    parts.forEach((part: unknown, j) => {
      if (!isRecord(part)) return refuse(`${at}.parts[${j}]`, `Invalid value at '${at}.parts[${j}]'.`)
      const data = either(part, "inlineData", "inline_data")
      const file = either(part, "fileData", "file_data")
      if (typeof part["text"] === "string") texts.push(part["text"])
      else if (data === undefined && file === undefined) {
        refuse(`${at}.parts[${j}].data`, `${at}.parts[${j}].data: the required oneof field 'data' must have one value.`)
      } else if (isRecord(data)) {
        const bytes = data["data"]
        if (typeof bytes !== "string" || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(bytes)) {
          refuse(`${at}.parts[${j}].inline_data.data`, "Invalid value: base64 decoding failed.")
        }
        if (typeof either(data, "mimeType", "mime_type") !== "string") {
          refuse(`${at}.parts[${j}].inline_data.mime_type`, "The MIME type of inline data must be given.")
        }
      }
    })
  })
  return texts.join("\n")
}

type Fields = Readonly<Record<string, unknown>>

const modalitiesOf = (config: Fields, flavour: Flavour): ReadonlyArray<string> | undefined => {
  const modalities = either(config, "responseModalities", "response_modalities")
  if (modalities === undefined) return undefined
  if (!flavour.vertex && flavour.version === "v1") {
    refuse(
      "generation_config",
      `Invalid JSON payload received. Unknown name "responseModalities" at 'generation_config': Cannot find field.`
    )
  }
  const wanted = Array.isArray(modalities) ? modalities.map((modality) => String(modality).toUpperCase()) : []
  const unknown = wanted.find((modality) => !["TEXT", "IMAGE", "AUDIO"].includes(modality))
  if (wanted.length === 0 || unknown !== undefined) {
    const field = "generation_config.response_modalities"
    refuse(field, `Invalid value at '${field}': ${JSON.stringify(unknown ?? modalities)}.`)
  }
  return wanted
}

const oneOf = (value: unknown, known: ReadonlyArray<string>, field: string): string | undefined => {
  if (value === undefined) return undefined
  return (
    known.find((candidate) => candidate === value) ??
    refuse(`generation_config.image_config.${field}`, `${field} must be one of ${known.join(", ")}.`)
  )
}

/** Reads the request as the real API does; throws `Unreadable`. */
export const read = (body: unknown, model: string, flavour: Flavour): Wire.Ask => {
  if (!isRecord(body)) return refuse("", "Invalid JSON payload received: an object is expected.")
  for (const key of Object.keys(body)) {
    if (!topLevel.has(key)) refuse(key, `Invalid JSON payload received. Unknown name "${key}": Cannot find field.`)
  }
  const contents = body["contents"]
  const list = isRecord(contents) ? [contents] : contents
  if (!Array.isArray(list) || list.length === 0) {
    return refuse("contents", "GenerateContentRequest.contents: contents is not specified.")
  }
  const prompt = textOf(list, flavour)
  const raw = either(body, "generationConfig", "generation_config")
  const config = isRecord(raw) ? raw : {}
  const wanted = modalitiesOf(config, flavour)
  const image = either(config, "imageConfig", "image_config")
  const shape = isRecord(image) ? image : {}
  const candidates = either(config, "candidateCount", "candidate_count") ?? 1
  if (typeof candidates !== "number" || !Number.isInteger(candidates) || candidates < 1 || candidates > 8) {
    return refuse("generation_config.candidate_count", "candidate_count must be in the range from 1 to 8.")
  }
  return {
    model,
    prompt,
    wantsImage: wanted?.includes("IMAGE") ?? Wire.isImageModel(model),
    wantsText: wanted?.includes("TEXT") ?? true,
    candidates,
    shape: {
      aspectRatio: oneOf(either(shape, "aspectRatio", "aspect_ratio"), aspectRatios, "aspect_ratio"),
      size: oneOf(either(shape, "imageSize", "image_size"), imageSizes, "image_size")
    },
    stream: flavour.method === "streamGenerateContent"
  }
}

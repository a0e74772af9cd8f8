/** The Gemini dialect, as the Developer API and Vertex AI speak it. */
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

const statusOf = {
  Overloaded: [503, "UNAVAILABLE"],
  Expired: [503, "UNAVAILABLE"],
  RateLimited: [429, "RESOURCE_EXHAUSTED"],
  Internal: [500, "INTERNAL"],
  GatewayTimeout: [504, "DEADLINE_EXCEEDED"],
  Unauthenticated: [401, "UNAUTHENTICATED"],
  ModelNotFound: [404, "NOT_FOUND"],
  NotFound: [404, "NOT_FOUND"],
  TooLarge: [413, "INVALID_ARGUMENT"],
  Invalid: [400, "INVALID_ARGUMENT"],
  Blocked: [400, "INVALID_ARGUMENT"]
} as const

const type = (name: string) => `type.googleapis.com/google.rpc.${name}`

const service = (flavour: Flavour) =>
  flavour.vertex ? "aiplatform.googleapis.com" : "generativelanguage.googleapis.com"

const message = (problem: Wire.Problem, model: string, flavour: Flavour): string => {
  switch (problem._tag) {
    case "Overloaded":
      return "This model is overloaded at the moment: demand exceeds its capacity. Please try again later."
    case "Expired":
      return "The deadline expired before the operation could be completed."
    case "RateLimited": {
      const wait = problem.retryAfter === undefined ? "" : ` Please retry in ${Wire.duration(problem.retryAfter)}.`
      const limit = problem.limit === undefined ? "" : `, limit: ${problem.limit}`
      return `Quota exceeded for metric: ${service(flavour)}/generate_content_requests per minute${limit}, model: ${model}.${wait}`
    }
    case "Internal":
      return "An internal error has occurred. Please retry."
    case "GatewayTimeout":
      return "The request could not be processed within its deadline."
    case "Unauthenticated":
      return flavour.vertex
        ? "The request has no valid OAuth 2 access token for this API."
        : "The API key is not valid. Please pass a valid API key."
    case "ModelNotFound":
      return flavour.vertex
        ? `Publisher Model \`${flavour.resource}\` was not found, or the project has no access to it.`
        : `models/${problem.model} is not found for API version ${flavour.version}, or is not supported for ${flavour.method}.`
    case "NotFound":
      return `Nothing is served at ${problem.path}.`
    case "TooLarge":
      return `The request payload is larger than ${problem.limit} bytes.`
    case "Invalid":
      return problem.message
    case "Blocked":
      return "The request was blocked by the content policy."
  }
}

const details = (problem: Wire.Problem, model: string, flavour: Flavour): ReadonlyArray<unknown> => {
  switch (problem._tag) {
    case "Overloaded":
    case "Expired":
      return problem.retryAfter === undefined
        ? []
        : [{ "@type": type("RetryInfo"), retryDelay: Wire.duration(problem.retryAfter) }]
    case "RateLimited":
      return [
        {
          "@type": type("QuotaFailure"),
          violations: [
            {
              quotaMetric: `${service(flavour)}/generate_content_requests`,
              quotaId: "GenerateRequestsPerMinutePerProjectPerModel",
              quotaDimensions: { location: "global", model },
              ...(problem.limit === undefined ? {} : { quotaValue: String(problem.limit) })
            }
          ]
        },
        ...(problem.retryAfter === undefined
          ? []
          : [{ "@type": type("RetryInfo"), retryDelay: Wire.duration(problem.retryAfter) }])
      ]
    case "Unauthenticated":
      return [
        {
          "@type": type("ErrorInfo"),
          reason: flavour.vertex ? "ACCESS_TOKEN_TYPE_UNSUPPORTED" : "API_KEY_INVALID",
          domain: "googleapis.com",
          metadata: { service: service(flavour) }
        }
      ]
    case "Invalid":
      return problem.field === ""
        ? []
        : [
            {
              "@type": type("BadRequest"),
              fieldViolations: [{ field: problem.field, description: problem.message }]
            }
          ]
    default:
      return []
  }
}

const errorBody = (problem: Wire.Problem, model: string, flavour: Flavour) => {
  const [code, status] = statusOf[problem._tag]
  const list = details(problem, model, flavour)
  return {
    error: { code, message: message(problem, model, flavour), status, ...(list.length === 0 ? {} : { details: list }) }
  }
}

/** The error as this API answers it; a stream without `alt=sse` wraps it in an array. */
export const error = (problem: Wire.Problem, model: string, flavour: Flavour): Wire.Reply => {
  const body = errorBody(problem, model, flavour)
  const array = flavour.method === "streamGenerateContent" && !flavour.sse
  return Wire.json(body.error.code, array ? [body] : body)
}

const aspectRatios = ["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9", "1:4", "1:8", "4:1", "8:1"]
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
  const modalities = either(config, "responseModalities", "response_modalities")
  if (modalities !== undefined && !flavour.vertex && flavour.version === "v1") {
    refuse(
      "generation_config",
      `Invalid JSON payload received. Unknown name "responseModalities" at 'generation_config': Cannot find field.`
    )
  }
  const wanted = Array.isArray(modalities) ? modalities.map((m) => String(m).toUpperCase()) : undefined
  for (const modality of wanted ?? []) {
    if (!["TEXT", "IMAGE", "AUDIO"].includes(modality)) {
      refuse("generation_config.response_modalities", `Invalid value at 'generation_config.response_modalities': "${modality}".`)
    }
  }
  const image = either(config, "imageConfig", "image_config")
  const shape = isRecord(image) ? image : {}
  const aspectRatio = either(shape, "aspectRatio", "aspect_ratio")
  const size = either(shape, "imageSize", "image_size")
  if (aspectRatio !== undefined && !aspectRatios.some((known) => known === aspectRatio)) {
    refuse("generation_config.image_config.aspect_ratio", `aspect_ratio must be one of ${aspectRatios.join(", ")}.`)
  }
  if (size !== undefined && !imageSizes.some((known) => known === size)) {
    refuse("generation_config.image_config.image_size", `image_size must be one of ${imageSizes.join(", ")}.`)
  }
  const candidates = either(config, "candidateCount", "candidate_count") ?? 1
  if (typeof candidates !== "number" || !Number.isInteger(candidates) || candidates < 1 || candidates > 8) {
    return refuse("generation_config.candidate_count", "candidate_count must be in the range from 1 to 8.")
  }
  return {
    model,
    prompt,
    wantsImage: wanted === undefined ? Wire.isImageModel(model) : wanted.includes("IMAGE"),
    wantsText: wanted === undefined || wanted.includes("TEXT"),
    candidates,
    shape: {
      aspectRatio: typeof aspectRatio === "string" ? aspectRatio : undefined,
      size: typeof size === "string" ? size : undefined
    },
    stream: flavour.method === "streamGenerateContent"
  }
}

interface Part {
  readonly [key: string]: unknown
}

const imagePart = (png: Uint8Array, style: Wire.Style): Part => {
  switch (style.placement) {
    case "markdown":
    case "markdown-url":
    case "bare-url":
      return { text: Wire.inText(png, style.placement, style) }
    default:
      return {
        inlineData: { mimeType: "image/png", data: Wire.base64(png) },
        thoughtSignature: "c2lnbmF0dXJl"
      }
  }
}

const usage = (ask: Wire.Ask, style: Wire.Style, flavour: Flavour, done: boolean) => {
  const input = Wire.textTokens(ask.prompt)
  const images = done && ask.wantsImage && style.fault !== "empty" ? ask.candidates * style.images : 0
  const text = ask.wantsText && style.fault !== "empty" ? Wire.textTokens(Wire.say(ask)) : 0
  const output = done ? images * Wire.imageTokens + text : 0
  const thoughts = style.drafts * 120
  return {
    promptTokenCount: input,
    candidatesTokenCount: output,
    totalTokenCount: input + output + thoughts,
    ...(thoughts === 0 ? {} : { thoughtsTokenCount: thoughts }),
    promptTokensDetails: [{ modality: "TEXT", tokenCount: input }],
    ...(images === 0
      ? {}
      : { candidatesTokensDetails: [{ modality: "IMAGE", tokenCount: images * Wire.imageTokens }] }),
    ...(flavour.vertex ? { trafficType: "ON_DEMAND" } : {})
  }
}

/** Answers in Gemini's form: one for a unary call, several for a stream. */
const responses = (ask: Wire.Ask, style: Wire.Style, flavour: Flavour): ReadonlyArray<unknown> => {
  const tail = (done: boolean) => ({
    usageMetadata: usage(ask, style, flavour, done),
    modelVersion: ask.model,
    ...(flavour.vertex ? { createTime: new Date(style.time * 1000).toISOString() } : {}),
    responseId: style.id
  })
  if (style.fault === "blocked") return [{ promptFeedback: { blockReason: "PROHIBITED_CONTENT" }, ...tail(false) }]
  const indices = Array.from({ length: ask.candidates }, (_, i) => i)
  const before: ReadonlyArray<Part> = [
    ...(ask.wantsText || !ask.wantsImage ? [{ text: Wire.say(ask) }] : []),
    ...Wire.drafts(ask, style).map((png) => ({
      inlineData: { mimeType: "image/png", data: Wire.base64(png) },
      thought: true
    }))
  ]
  const empty = style.fault === "empty"
  const finish = style.fault === "missing-finish-reason" ? {} : { finishReason: empty ? "NO_IMAGE" : "STOP" }
  const candidate = (index: number, parts: ReadonlyArray<Part>, end: object) => ({
    content: parts.length === 0 ? { role: "model" } : { parts, role: "model" },
    ...end,
    index
  })
  const made = (index: number) => Wire.pictures(ask, style, index).map((png) => imagePart(png, style))
  if (!ask.stream) {
    return [
      { candidates: indices.map((i) => candidate(i, empty ? [] : [...before, ...made(i)], finish)), ...tail(true) }
    ]
  }
  return [
    ...(empty ? [] : before.map((part) => ({ candidates: indices.map((i) => candidate(i, [part], {})), ...tail(false) }))),
    { candidates: indices.map((i) => candidate(i, made(i), finish)), ...tail(true) }
  ]
}

const overloaded: Wire.Problem = { _tag: "Overloaded", retryAfter: undefined }

/** A whole answer with status 200, with what the fault makes of it. */
export const answer = (ask: Wire.Ask, style: Wire.Style, flavour: Flavour): Wire.Reply => {
  const bodies = responses(ask, style, flavour).map((body) => JSON.stringify(body))
  const failure = errorBody(overloaded, ask.model, flavour)
  const broken = style.fault === "malformed-json"
  if (!ask.stream) {
    const body = bodies[0] ?? "{}"
    if (style.fault === "error-after-200") return Wire.json(200, failure)
    return { ...Wire.json(200, {}), pieces: [broken ? Wire.truncated(body) : body] }
  }
  const kept = style.fault === "error-after-200" ? bodies.slice(0, Math.max(1, bodies.length - 1)) : bodies
  if (flavour.sse) {
    const events = kept.map((body, i) => `data: ${broken && i === kept.length - 1 ? Wire.truncated(body) : body}\r\n\r\n`)
    return {
      status: 200,
      headers: { "content-type": "text/event-stream" },
      pieces: style.fault === "error-after-200" ? [...events, `${JSON.stringify(failure, null, 2)}\n`] : events,
      early: Math.min(1, events.length - 1)
    }
  }
  const items = style.fault === "error-after-200" ? [...kept, JSON.stringify(failure)] : kept
  const pieces = items.map((item, i) => `${i === 0 ? "[" : ",\r\n"}${broken && i === items.length - 1 ? Wire.truncated(item) : item}`)
  return {
    ...Wire.json(200, {}),
    pieces: broken ? pieces : [...pieces, "]"],
    early: Math.min(1, pieces.length - 1)
  }
}

/** The list of models. */
export const models = (ids: ReadonlyArray<string>): Wire.Reply =>
  Wire.json(200, {
    models: ids.map((id) => ({
      name: `models/${id}`,
      displayName: id,
      inputTokenLimit: 32768,
      outputTokenLimit: 32768,
      supportedGenerationMethods: ["generateContent"]
    }))
  })

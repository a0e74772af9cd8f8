/** The OpenAI-compatible dialect: chat completions and image generations, as relays serve them. */
import { isRecord } from "./decoding.js"
import * as Wire from "./wire.js"

export type Operation = "chat" | "images"

const parts = (problem: Wire.Problem, model: string): readonly [status: number, type: string, code: string | null, message: string] => {
  switch (problem._tag) {
    case "Overloaded":
      return [503, "service_unavailable_error", "server_is_overloaded", "The model is overloaded with other requests. Please try again later."]
    case "Expired":
      return [503, "service_unavailable_error", "server_is_overloaded", "The model is overloaded: the request waited for too long and expired."]
    case "RateLimited": {
      const limit = problem.limit === undefined ? "" : ` Limit ${problem.limit}.`
      const wait = problem.retryAfter === undefined ? "" : ` Please try again in ${Wire.duration(problem.retryAfter)}.`
      return [429, "requests", "rate_limit_exceeded", `Rate limit reached for ${model} on requests per min (RPM).${limit}${wait}`]
    }
    case "Internal":
      return [500, "server_error", null, "The server had an internal error while processing the request."]
    case "GatewayTimeout":
      return [504, "server_error", "gateway_timeout", "The upstream request timed out."]
    case "Unauthenticated":
      return [401, "invalid_request_error", "invalid_api_key", "The API key provided is incorrect."]
    case "ModelNotFound":
      return [404, "invalid_request_error", "model_not_found", `The model \`${problem.model}\` does not exist, or you have no access to it.`]
    case "NotFound":
      return [404, "invalid_request_error", "unknown_url", `Unknown request URL: ${problem.path}.`]
    case "TooLarge":
      return [413, "invalid_request_error", "request_too_large", `The request is larger than ${problem.limit} bytes.`]
    case "Invalid":
      return [400, "invalid_request_error", null, problem.message]
    case "Blocked":
      return [400, "image_generation_user_error", "moderation_blocked", "The request was rejected by the safety system."]
  }
}

const errorBody = (problem: Wire.Problem, model: string) => {
  const [, type, code, message] = parts(problem, model)
  const param = problem._tag === "Invalid" && problem.field !== "" ? problem.field : null
  return { error: { message, type, param, code } }
}

const hint = (problem: Wire.Problem): Readonly<Record<string, string>> => {
  if (!("retryAfter" in problem) || problem.retryAfter === undefined) return {}
  return {
    "retry-after": String(Math.ceil(problem.retryAfter)),
    "retry-after-ms": String(Math.ceil(problem.retryAfter * 1000))
  }
}

const limits = (problem: Wire.Problem): Readonly<Record<string, string>> =>
  problem._tag === "RateLimited" && problem.limit !== undefined
    ? {
        "x-ratelimit-limit-requests": String(problem.limit),
        "x-ratelimit-remaining-requests": "0",
        ...(problem.retryAfter === undefined ? {} : { "x-ratelimit-reset-requests": Wire.duration(problem.retryAfter) })
      }
    : {}

export const error = (problem: Wire.Problem, model: string): Wire.Reply =>
  Wire.json(parts(problem, model)[0], errorBody(problem, model), { ...hint(problem), ...limits(problem) })

const refuse = (field: string, text: string): never => {
  throw new Wire.Unreadable(field, text)
}

const amount = (value: unknown, field: string): number => {
  if (value === undefined || value === null) return 1
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 10
    ? value
    : refuse(field, `Invalid '${field}': an integer from 1 to 10 is expected.`)
}

const contentText = (content: unknown, at: string): string => {
  if (typeof content === "string") return content
  if (!Array.isArray(content)) return refuse(at, `Invalid type for '${at}': a string or an array of parts is expected.`)
  return content
    .map((part: unknown, i) => {
      if (!isRecord(part) || typeof part["type"] !== "string") {
        return refuse(`${at}[${i}].type`, `Missing required parameter: '${at}[${i}].type'.`)
      }
      if (part["type"] === "text" && typeof part["text"] !== "string") {
        return refuse(`${at}[${i}].text`, `Missing required parameter: '${at}[${i}].text'.`)
      }
      if (part["type"] === "image_url") {
        const image = part["image_url"]
        if (!isRecord(image) || typeof image["url"] !== "string" || !/^(data:image\/|https?:)/.test(image["url"])) {
          refuse(`${at}[${i}].image_url`, `Invalid '${at}[${i}].image_url': a data URL or an http(s) URL is expected.`)
        }
      }
      return typeof part["text"] === "string" ? part["text"] : ""
    })
    .filter((text) => text !== "")
    .join("\n")
}

const messagesText = (messages: unknown): string => {
  if (!Array.isArray(messages)) return refuse("messages", "Missing required parameter: 'messages'.")
  if (messages.length === 0) return refuse("messages", "Invalid 'messages': at least one message is expected.")
  return messages
    .map((entry: unknown, i) => {
      const at = `messages[${i}]`
      if (!isRecord(entry)) return refuse(at, `Invalid type for '${at}': an object is expected.`)
      if (!["system", "developer", "user", "assistant", "tool"].some((role) => role === entry["role"])) {
        return refuse(`${at}.role`, `Invalid value for '${at}.role'.`)
      }
      return contentText(entry["content"], `${at}.content`)
    })
    .join("\n")
}

/** Reads the request as the real API does; throws `Unreadable`. */
export const read = (body: unknown, operation: Operation): Wire.Ask => {
  if (!isRecord(body)) return refuse("", "The body of the request must be a JSON object.")
  const model = body["model"]
  if (typeof model !== "string" || model === "") return refuse("model", "You must provide a model parameter.")
  if (operation === "images") {
    const { prompt, size } = body
    if (typeof prompt !== "string" || prompt === "") return refuse("prompt", "Missing required parameter: 'prompt'.")
    if (size !== undefined && size !== "auto" && !(typeof size === "string" && /^\d{1,5}x\d{1,5}$|^[124]K$|^512$/.test(size))) {
      return refuse("size", "Invalid value for 'size': for example '1024x1024' is expected.")
    }
    const format = body["response_format"]
    if (format !== undefined && format !== "b64_json" && format !== "url") {
      return refuse("response_format", "Invalid value for 'response_format': 'b64_json' or 'url' is expected.")
    }
    return {
      model,
      prompt,
      wantsImage: true,
      wantsText: false,
      candidates: amount(body["n"], "n"),
      shape: { size: typeof size === "string" ? size : undefined },
      stream: false
    }
  }
  const prompt = messagesText(body["messages"])
  const modalities = body["modalities"]
  const image = isRecord(body["image_config"]) ? body["image_config"] : {}
  const [aspectRatio, size] = [image["aspect_ratio"], image["image_size"]]
  return {
    model,
    prompt,
    wantsImage: Array.isArray(modalities) ? modalities.includes("image") : Wire.isImageModel(model),
    wantsText: true,
    candidates: amount(body["n"], "n"),
    shape: {
      aspectRatio: typeof aspectRatio === "string" ? aspectRatio : undefined,
      size: typeof size === "string" ? size : undefined
    },
    stream: body["stream"] === true
  }
}

/** The whole message, and the pieces in which a stream gives it. */
const message = (ask: Wire.Ask, style: Wire.Style, index: number) => {
  const pngs = Wire.pictures(ask, style, index)
  const text = style.fault === "empty" ? "" : Wire.say(ask)
  const urls = pngs.map((png, i) => ({ type: "image_url", image_url: { url: Wire.dataUrl(png) }, index: i }))
  switch (ask.wantsImage ? style.placement : "images") {
    case "images":
      return { content: text, images: urls, deltas: [{ content: text }, ...urls.map((url) => ({ images: [url] }))] }
    case "content-image-url":
      return array([{ type: "text", text }, ...urls])
    case "content-image":
      return array([{ type: "text", text }, ...pngs.map((png) => ({ type: "image", image: Wire.dataUrl(png) }))])
    case "content-inline-data":
      return array([
        { type: "text", text },
        ...pngs.map((png) => ({ inlineData: { mimeType: "image/png", data: Wire.base64(png) } }))
      ])
    case "markdown":
    case "markdown-url": {
      const content = [text, ...pngs.map((png) => Wire.inText(png, style.placement, style))].join("\n\n")
      return { content, images: [], deltas: split(content).map((piece) => ({ content: piece })) }
    }
    case "bare-url": {
      const content = pngs.map((png) => Wire.inText(png, "bare-url", style)).join("\n")
      return { content, images: [], deltas: split(content).map((piece) => ({ content: piece })) }
    }
  }
}

const array = (content: ReadonlyArray<unknown>) => ({
  content,
  images: [],
  deltas: content.map((part) => ({ content: [part] }))
})

/** Cut without regard to what is in it, as relays do with a long data URL. */
const split = (text: string): ReadonlyArray<string> => {
  const size = Math.max(1, Math.ceil(text.length / 4))
  return Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size))
}

const usage = (ask: Wire.Ask, style: Wire.Style) => {
  const input = Wire.textTokens(ask.prompt)
  const images = ask.wantsImage && style.fault !== "empty" && style.fault !== "blocked" ? ask.candidates * style.images : 0
  const output = images * Wire.imageTokens + Wire.textTokens(Wire.say(ask))
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
}

const overloaded: Wire.Problem = { _tag: "Overloaded", retryAfter: undefined }

const finishReason = (style: Wire.Style): string | null =>
  style.fault === "missing-finish-reason" ? null : style.fault === "blocked" ? "content_filter" : "stop"

const chatUnary = (ask: Wire.Ask, style: Wire.Style): Wire.Reply => {
  const choices = Array.from({ length: ask.candidates }, (_, index) => {
    const { content, images } = message(ask, style, index)
    return {
      index,
      message:
        style.fault === "blocked"
          ? { role: "assistant", content: null, refusal: "The request was refused by the content policy." }
          : { role: "assistant", content, ...(images.length === 0 ? {} : { images }), refusal: null },
      logprobs: null,
      finish_reason: finishReason(style)
    }
  })
  return Wire.json(200, {
    id: `chatcmpl-${style.id}`,
    object: "chat.completion",
    created: Math.floor(style.time),
    model: ask.model,
    choices,
    usage: usage(ask, style)
  })
}

const chatStream = (ask: Wire.Ask, style: Wire.Style, withUsage: boolean): Wire.Reply => {
  const event = (choices: ReadonlyArray<unknown>, more: object = {}) =>
    `data: ${JSON.stringify({
      id: `chatcmpl-${style.id}`,
      object: "chat.completion.chunk",
      created: Math.floor(style.time),
      model: ask.model,
      choices,
      ...more
    })}\n\n`
  const delta = (index: number, piece: object) => event([{ index, delta: piece, finish_reason: null }])
  const indices = Array.from({ length: ask.candidates }, (_, i) => i)
  const first = [": waiting for the model\n\n", ...indices.map((i) => delta(i, { role: "assistant", content: "" }))]
  const content =
    style.fault === "blocked" ? [] : indices.flatMap((i) => message(ask, style, i).deltas.map((piece) => delta(i, piece)))
  const reason = finishReason(style)
  const end = reason === null ? [] : [event(indices.map((index) => ({ index, delta: {}, finish_reason: reason })))]
  const count = withUsage ? [event([], { usage: usage(ask, style) })] : []
  const pieces =
    style.fault === "error-after-200"
      ? [...first, ...content.slice(0, 1), `data: ${JSON.stringify(errorBody(overloaded, ask.model))}\n\n`]
      : style.fault === "malformed-json"
        ? [...first, `${Wire.truncated(content[content.length - 1] ?? "data: {}")}\n\n`]
        : [...first, ...content, ...end, ...count, "data: [DONE]\n\n"]
  return {
    status: 200,
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" },
    pieces,
    early: first.length
  }
}

const imagesAnswer = (ask: Wire.Ask, style: Wire.Style, format: "b64_json" | "url"): Wire.Reply => {
  if (style.fault === "blocked") return error({ _tag: "Blocked" }, ask.model)
  const pngs = Array.from({ length: ask.candidates }, (_, i) => Wire.pictures(ask, style, i)).flat()
  const count = usage(ask, style)
  return Wire.json(200, {
    created: Math.floor(style.time),
    data: pngs.map((png) => (format === "url" ? { url: style.host(png) } : { b64_json: Wire.base64(png) })),
    usage: {
      input_tokens: count.prompt_tokens,
      output_tokens: count.completion_tokens,
      total_tokens: count.total_tokens
    }
  })
}

/** A whole answer with status 200, with what the fault makes of it. */
export const answer = (ask: Wire.Ask, style: Wire.Style, operation: Operation, body: unknown): Wire.Reply => {
  const record = isRecord(body) ? body : {}
  if (ask.stream) {
    const options = record["stream_options"]
    return chatStream(ask, style, isRecord(options) && options["include_usage"] === true)
  }
  if (style.fault === "error-after-200") return Wire.json(200, errorBody(overloaded, ask.model))
  const reply =
    operation === "chat" ? chatUnary(ask, style) : imagesAnswer(ask, style, record["response_format"] === "url" ? "url" : "b64_json")
  return style.fault === "malformed-json" ? { ...reply, pieces: reply.pieces.map(Wire.truncated) } : reply
}

/** The list of models. */
export const models = (ids: ReadonlyArray<string>): Wire.Reply =>
  Wire.json(200, { object: "list", data: ids.map((id) => ({ id, object: "model", created: 0, owned_by: "holdfast" })) })

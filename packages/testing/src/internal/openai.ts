/** What the OpenAI-compatible dialect answers, as relays speak it: completions, streams, images and errors. */
import { isRecord } from "./decoding.js"
import type { Operation } from "./openaiRequest.js"
import * as Wire from "./wire.js"

interface Said {
  readonly status: number
  readonly type: string
  readonly code: string | null
  readonly message: string
}

const say = (status: number, type: string, code: string | null, message: string): Said => ({
  status,
  type,
  code,
  message
})

const [serverError, invalidRequest, unavailable] = [
  "server_error",
  "invalid_request_error",
  "service_unavailable_error"
] as const

const put = (problem: Wire.Problem, model: string): Said => {
  switch (problem._tag) {
    case "Overloaded": {
      const text = "The model is overloaded with other requests. Please try again later."
      return say(503, unavailable, "server_is_overloaded", text)
    }
    case "Expired": {
      const text = "The model is overloaded: the request waited for too long and expired."
      return say(503, unavailable, "server_is_overloaded", text)
    }
    case "RateLimited": {
      const limit = problem.limit === undefined ? "" : ` Limit ${problem.limit}.`
      const wait = problem.retryAfter === undefined ? "" : ` Please try again in ${Wire.duration(problem.retryAfter)}.`
      const text = `Rate limit reached for ${model} on requests per min (RPM).${limit}${wait}`
      return say(429, "requests", "rate_limit_exceeded", text)
    }
    case "Internal":
      return say(500, serverError, null, "The server had an internal error while processing the request.")
    case "GatewayTimeout":
      return say(504, serverError, "gateway_timeout", "The upstream request timed out.")
    case "Unauthenticated":
      return say(401, invalidRequest, "invalid_api_key", "The API key provided is incorrect.")
    case "ModelNotFound": {
      const text = `The model \`${problem.model}\` does not exist, or you have no access to it.`
      return say(404, invalidRequest, "model_not_found", text)
    }
    case "NotFound":
      return say(404, invalidRequest, "unknown_url", `Unknown request URL: ${problem.path}.`)
    case "TooLarge":
      return say(413, invalidRequest, "request_too_large", `The request is larger than ${problem.limit} bytes.`)
    case "Invalid":
      return say(400, invalidRequest, null, problem.message)
    case "Blocked": {
      const text = "The request was rejected by the safety system."
      return say(400, "image_generation_user_error", "moderation_blocked", text)
    }
  }
}

const errorBody = (problem: Wire.Problem, model: string) => {
  const { code, message, type } = put(problem, model)
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
  Wire.json(put(problem, model).status, errorBody(problem, model), { ...hint(problem), ...limits(problem) })

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
  const none = !ask.wantsImage || style.fault === "empty" || style.fault === "blocked"
  const images = none ? 0 : ask.candidates * style.images
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
  const content = (style.fault === "blocked" ? [] : indices).flatMap((i) =>
    message(ask, style, i).deltas.map((piece) => delta(i, piece))
  )
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
  const format = record["response_format"] === "url" ? "url" : "b64_json"
  const reply = operation === "chat" ? chatUnary(ask, style) : imagesAnswer(ask, style, format)
  return style.fault === "malformed-json" ? { ...reply, pieces: reply.pieces.map(Wire.truncated) } : reply
}

/** The list of models. */
export const models = (ids: ReadonlyArray<string>): Wire.Reply =>
  Wire.json(200, { object: "list", data: ids.map((id) => ({ id, object: "model", created: 0, owned_by: "holdfast" })) })

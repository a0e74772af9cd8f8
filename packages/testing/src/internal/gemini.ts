/** What the Gemini dialect answers, as the Developer API and Vertex AI speak it: results, streams and errors. */
import type { Flavour } from "./geminiRequest.js"
import * as Wire from "./wire.js"

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
      const metric = `${service(flavour)}/generate_content_requests`
      return `Quota exceeded for metric: ${metric} per minute${limit}, model: ${model}.${wait}`
    }
    case "Internal":
      return "An internal error has occurred. Please retry."
    case "GatewayTimeout":
      return "The request could not be processed within its deadline."
    case "Unauthenticated":
      return flavour.vertex
        ? "The request has no valid OAuth 2 access token for this API."
        : "The API key is not valid. Please pass a valid API key."
    case "ModelNotFound": {
      const { method, resource, version } = flavour
      return flavour.vertex
        ? `Publisher Model \`${resource}\` was not found, or the project has no access to it.`
        : `models/${problem.model} is not found for API version ${version}, or is not supported for ${method}.`
    }
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
    ...(empty ? [] : before).map((part) => ({
      candidates: indices.map((i) => candidate(i, [part], {})),
      ...tail(false)
    })),
    { candidates: indices.map((i) => candidate(i, made(i), finish)), ...tail(true) }
  ]
}

const overloaded: Wire.Problem = { _tag: "Overloaded", retryAfter: undefined }

/** The text of the last one ends in the middle. */
const breakLast = (texts: ReadonlyArray<string>): ReadonlyArray<string> =>
  texts.map((text, i) => (i === texts.length - 1 ? Wire.truncated(text) : text))

/** A whole answer with status 200, with what the fault makes of it. */
export const answer = (ask: Wire.Ask, style: Wire.Style, flavour: Flavour): Wire.Reply => {
  const whole = responses(ask, style, flavour).map((body) => JSON.stringify(body))
  const bodies = style.fault === "malformed-json" ? breakLast(whole) : whole
  const late = style.fault === "error-after-200"
  const failure = errorBody(overloaded, ask.model, flavour)
  if (!ask.stream) return late ? Wire.json(200, failure) : { ...Wire.json(200, {}), pieces: bodies }
  const kept = late ? bodies.slice(0, Math.max(1, bodies.length - 1)) : bodies
  if (flavour.sse) {
    const events = kept.map((body) => `data: ${body}\r\n\r\n`)
    return {
      status: 200,
      headers: { "content-type": "text/event-stream" },
      // The real one writes such an error as it would into an array: bare, and over several lines.
      pieces: late ? [...events, `${JSON.stringify(failure, null, 2)}\n`] : events,
      early: Math.min(1, events.length - 1)
    }
  }
  const items = late ? [...kept, JSON.stringify(failure)] : kept
  const pieces = items.map((item, i) => `${i === 0 ? "[" : ",\r\n"}${item}`)
  return {
    ...Wire.json(200, {}),
    pieces: style.fault === "malformed-json" ? pieces : [...pieces, "]"],
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

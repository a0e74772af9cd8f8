/** What a request says: its dialect, what it asks for or why it cannot be read, and its wishes about faults. */
import * as Either from "effect/Either"
import type { IncomingMessage } from "node:http"
import * as Faults from "../faults.js"
import * as Gemini from "../gemini.js"
import * as GeminiRequest from "../geminiRequest.js"
import * as OpenAi from "../openai.js"
import * as OpenAiRequest from "../openaiRequest.js"
import type { Target } from "../routes.js"
import * as Wire from "../wire.js"

/** Longest request body, in bytes; the real one takes about 20 MB. */
export const bodyLimit = 32 * 1024 * 1024

/** Who may call, and for which models. `undefined`: everybody, all of them. */
export interface Rules {
  readonly apiKey: string | undefined
  readonly models: ReadonlyArray<string> | undefined
}

/** The first value of a header. */
export const header = (req: IncomingMessage, name: string): string | undefined => {
  const value = req.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** The key or token, wherever one of the dialects puts it. */
export const credential = (req: IncomingMessage, url: URL): string | undefined =>
  header(req, "x-goog-api-key") ??
  url.searchParams.get("key") ??
  /^Bearer (.+)$/i.exec(header(req, "authorization") ?? "")?.[1]

const sounds = (path: string): "gemini" | "openai" =>
  /\/models\/|\/publishers\/|^\/v1(beta1?|alpha)\//.test(path) ? "gemini" : "openai"

/** A dialect, fixed to one request. */
export interface Speaker {
  /** The model's name is for the message; a Gemini request has it in its path. */
  readonly error: (problem: Wire.Problem, model: string) => Wire.Reply
  readonly read: (body: unknown) => Wire.Ask
  readonly answer: (ask: Wire.Ask, style: Wire.Style, body: unknown) => Wire.Reply
}

const unknownFlavour: GeminiRequest.Flavour = { vertex: false, version: "v1beta", method: "", sse: false, resource: "" }

export const speakerOf = ({ path, route }: Target): Speaker => {
  switch (route._tag) {
    case "Gemini":
      return {
        error: (problem) => Gemini.error(problem, route.model, route.flavour),
        read: (body) => GeminiRequest.read(body, route.model, route.flavour),
        answer: (ask, style) => Gemini.answer(ask, style, route.flavour)
      }
    case "OpenAi":
      return {
        error: OpenAi.error,
        read: (body) => OpenAiRequest.read(body, route.operation),
        answer: (ask, style, body) => OpenAi.answer(ask, style, route.operation, body)
      }
    default: {
      const error = (problem: Wire.Problem, model: string) =>
        sounds(path) === "gemini" ? Gemini.error(problem, model, unknownFlavour) : OpenAi.error(problem, model)
      return {
        error,
        read: () => {
          throw new Wire.Unreadable("", "")
        },
        answer: () => error({ _tag: "NotFound", path }, "")
      }
    }
  }
}

/** What is wrong with the request itself, or what it asks for. */
export const understand = (
  settings: Rules,
  speaker: Speaker,
  req: IncomingMessage,
  url: URL,
  target: Target,
  bytes: Buffer | undefined
): Either.Either<{ readonly ask: Wire.Ask; readonly body: unknown }, Wire.Problem> => {
  if (target.route._tag === "Unknown") return Either.left({ _tag: "NotFound", path: target.path })
  if (bytes === undefined) return Either.left({ _tag: "TooLarge", limit: bodyLimit })
  if (settings.apiKey !== undefined && credential(req, url) !== settings.apiKey) {
    return Either.left({ _tag: "Unauthenticated" })
  }
  try {
    const body: unknown = JSON.parse(bytes.toString("utf8"))
    const ask = speaker.read(body)
    return settings.models !== undefined && !settings.models.includes(ask.model)
      ? Either.left({ _tag: "ModelNotFound", model: ask.model })
      : Either.right({ ask, body })
  } catch (u) {
    if (u instanceof Wire.Unreadable) return Either.left({ _tag: "Invalid", field: u.field, message: u.message })
    if (u instanceof SyntaxError) {
      return Either.left({ _tag: "Invalid", field: "", message: "Invalid JSON payload received: it does not parse." })
    }
    throw u
  }
}

const number = (
  req: IncomingMessage,
  name: string,
  min: number,
  max: number,
  integer: boolean
): Either.Either<number | undefined, Wire.Problem> => {
  const text = header(req, name)
  if (text === undefined) return Either.right(undefined)
  const value = Number(text)
  return text.trim() !== "" && value >= min && value <= max && (!integer || Number.isInteger(value))
    ? Either.right(value)
    : Either.left({
        _tag: "Invalid",
        field: name,
        message: `Header ${name} must be ${integer ? "an integer" : "a number"} from ${min} to ${max}.`
      })
}

/** What the request's own headers say about its answer. */
export const wishes = (req: IncomingMessage) =>
  Either.gen(function*() {
    const fault = header(req, "x-holdfast-fault")
    if (fault !== undefined && !Faults.isFault(fault)) {
      const message = `Header x-holdfast-fault must be one of ${Faults.names.join(", ")}.`
      return yield* Either.left<Wire.Problem>({ _tag: "Invalid", field: "x-holdfast-fault", message })
    }
    const asked = header(req, "x-holdfast-placement")
    const placement = Wire.placements.find((known) => known === asked)
    if (asked !== undefined && placement === undefined) {
      const message = `Header x-holdfast-placement must be one of ${Wire.placements.join(", ")}.`
      return yield* Either.left<Wire.Problem>({ _tag: "Invalid", field: "x-holdfast-placement", message })
    }
    const retryAfter = yield* number(req, "x-holdfast-retry-after", 0, 1e9, false)
    const images = yield* number(req, "x-holdfast-images", 1, 16, true)
    return { fault: fault === undefined ? undefined : { fault, retryAfter }, placement, images }
  })

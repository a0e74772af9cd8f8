/** One generation request over HTTP, from its body to the last byte of its answer. */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { OverloadedModel, Refused } from "../../OverloadedModel.js"
import * as Faults from "../faults.js"
import * as Gemini from "../gemini.js"
import * as OpenAi from "../openai.js"
import { hashText } from "../random.js"
import type { Recorder } from "../recorder.js"
import { operationOf } from "../routes.js"
import type { Target } from "../routes.js"
import * as Wire from "../wire.js"
import * as Http from "./http.js"

export interface Settings {
  readonly model: OverloadedModel
  readonly recorder: Recorder
  readonly faults: Faults.Faults
  readonly apiKey: string | undefined
  readonly models: ReadonlyArray<string> | undefined
  readonly placement: Wire.Placement
  readonly images: number
  readonly drafts: number | undefined
  /** Requests per minute of the endpoint, for messages. */
  readonly limitOf: (endpoint: string) => number | undefined
  readonly nextId: () => string
  readonly host: (id: string, png: Uint8Array) => string
}

/** Longest request body, in bytes; the real one takes about 20 MB. */
export const bodyLimit = 32 * 1024 * 1024

const header = (req: IncomingMessage, name: string): string | undefined => {
  const value = req.headers[name]
  return Array.isArray(value) ? value[0] : value
}

const credential = (req: IncomingMessage, url: URL): string | undefined =>
  header(req, "x-goog-api-key") ??
  url.searchParams.get("key") ??
  /^Bearer (.+)$/i.exec(header(req, "authorization") ?? "")?.[1]

const sounds = (path: string): "gemini" | "openai" =>
  /\/models\/|\/publishers\/|^\/v1(beta1?|alpha)\//.test(path) ? "gemini" : "openai"

/** A dialect, fixed to one request. */
interface Speaker {
  /** The model's name is for the message; a Gemini request has it in its path. */
  readonly error: (problem: Wire.Problem, model: string) => Wire.Reply
  readonly read: (body: unknown) => Wire.Ask
  readonly answer: (ask: Wire.Ask, style: Wire.Style, body: unknown) => Wire.Reply
}

const unknownFlavour: Gemini.Flavour = { vertex: false, version: "v1beta", method: "", sse: false, resource: "" }

const speakerOf = ({ path, route }: Target): Speaker => {
  switch (route._tag) {
    case "Gemini":
      return {
        error: (problem) => Gemini.error(problem, route.model, route.flavour),
        read: (body) => Gemini.read(body, route.model, route.flavour),
        answer: (ask, style) => Gemini.answer(ask, style, route.flavour)
      }
    case "OpenAi":
      return {
        error: OpenAi.error,
        read: (body) => OpenAi.read(body, route.operation),
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
const understand = (
  settings: Settings,
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

const number = (req: IncomingMessage, name: string, min: number, max: number, integer: boolean): Either.Either<number | undefined, Wire.Problem> => {
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
const wishes = (req: IncomingMessage) =>
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

const problemOf = (refused: Refused, limit: number | undefined): Wire.Problem => {
  const retryAfter = refused.retryAfter === undefined ? undefined : Duration.toSeconds(refused.retryAfter)
  switch (refused.reason) {
    case "overloaded":
    case "outage":
      return { _tag: "Overloaded", retryAfter }
    case "queue-timeout":
      return { _tag: "Expired", retryAfter }
    case "rate-limited":
      return { _tag: "RateLimited", retryAfter, limit }
    case "error":
      return { _tag: "Internal" }
  }
}

/** The limit that a forced 429 names where the endpoint has none: one without a number reads as a limit of zero. */
const forcedLimit = 10

const bodyFaults: ReadonlyArray<Wire.BodyFault> = [
  "error-after-200",
  "malformed-json",
  "missing-finish-reason",
  "empty",
  "blocked"
]

const page = (title: string): string =>
  `<!DOCTYPE html>\n<html>\n<head><title>${title}</title></head>\n<body>\n<center><h1>${title}</h1></center>\n<hr><center>proxy</center>\n</body>\n</html>\n`

const html = (status: number, title: string): Wire.Reply => ({
  status,
  headers: { "content-type": "text/html" },
  pieces: [page(title)],
  early: 0
})

export const run = (
  settings: Settings,
  req: IncomingMessage,
  res: ServerResponse,
  url: URL,
  target: Target
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { model, recorder } = settings
    const requestId = header(req, "x-holdfast-request-id")
    const client = header(req, "x-holdfast-client") ?? `key ${hashText(credential(req, url) ?? "")}`
    const limit = settings.limitOf(target.endpoint)
    const entry = recorder.received(target.endpoint, operationOf(target.route), requestId)
    const speaker = speakerOf(target)
    const reply = (answer: Wire.Reply) => Http.send(res, answer, () => entry.answered(answer.status))
    const broken = () => entry.broken("fault")

    const submit = (onStart: () => void) =>
      Effect.either(model.submit({ endpoint: target.endpoint, client, requestId, onStart }))

    const refuse = (ask: Wire.Ask, refused: Refused) => reply(speaker.error(problemOf(refused, limit), ask.model))

    /** The answer, once the model has done its work. */
    const afterWork = (ask: Wire.Ask, effect: Effect.Effect<void>) =>
      Effect.flatMap(submit(() => {}), (outcome) => Either.isLeft(outcome) ? refuse(ask, outcome.left) : effect)

    const deliver = (ask: Wire.Ask, answer: Wire.Reply): Effect.Effect<void> =>
      ask.stream
        ? Http.head(res, answer).pipe(
            Effect.zipRight(Http.writeAll(res, answer.pieces)),
            Effect.zipRight(Http.end(res, () => entry.answered(answer.status)))
          )
        : reply(answer)

    /** As `deliver`, but the head and the pieces that may go out early do so as soon as a worker starts. */
    const deliverEarly = (ask: Wire.Ask, answer: Wire.Reply): Effect.Effect<void> =>
      Effect.gen(function*() {
        const started = yield* Deferred.make<void>()
        const opening = yield* Effect.fork(
          Deferred.await(started).pipe(
            Effect.zipRight(Http.head(res, answer)),
            Effect.zipRight(Http.writeAll(res, answer.pieces.slice(0, answer.early)))
          )
        )
        const outcome = yield* submit(() => Deferred.unsafeDone(started, Effect.void))
        if (Either.isLeft(outcome)) {
          yield* Fiber.interrupt(opening)
          return yield* refuse(ask, outcome.left)
        }
        yield* Fiber.join(opening)
        yield* Http.writeAll(res, answer.pieces.slice(answer.early))
        yield* Http.end(res, () => entry.answered(answer.status))
      })

    const work = (ask: Wire.Ask, answer: Wire.Reply): Effect.Effect<void> =>
      answer.early > 0 ? deliverEarly(ask, answer) : afterWork(ask, deliver(ask, answer))

    const faulty = (ask: Wire.Ask, answer: Wire.Reply, met: Faults.Met): Effect.Effect<void> => {
      const error = (problem: Wire.Problem) => reply(speaker.error(problem, ask.model))
      switch (met.fault) {
        case "503":
          return error({ _tag: "Overloaded", retryAfter: met.retryAfter })
        case "429":
          return error({ _tag: "RateLimited", retryAfter: met.retryAfter ?? 1, limit: limit ?? forcedLimit })
        case "500":
          return error({ _tag: "Internal" })
        case "504":
          return error({ _tag: "GatewayTimeout" })
        case "reset":
          return Http.reset(res, broken)
        case "stall-headers":
          return Effect.never
        case "stall":
          return Effect.zipRight(Http.head(res, answer), Effect.never)
        case "html":
          return reply(html(502, "502 Bad Gateway"))
        case "html-200":
          return reply(html(200, "The service is temporarily unavailable"))
        case "stall-body":
          return afterWork(ask, Http.stallBody(res, answer))
        case "cut-mid-chunk":
          return afterWork(ask, Http.cutMidChunk(res, answer, broken))
        case "dribble":
          return afterWork(ask, Http.dribble(res, answer, () => entry.answered(answer.status)))
        case "wrong-content-type":
          return afterWork(ask, deliver(ask, { ...answer, headers: { ...answer.headers, "content-type": "text/plain" } }))
        default:
          return work(ask, answer)
      }
    }

    const exchange = Effect.gen(function*() {
      const bytes = yield* Http.readBody(req, bodyLimit)
      const understood = understand(settings, speaker, req, url, target, bytes)
      if (Either.isLeft(understood)) return yield* reply(speaker.error(understood.left, "the model"))
      const wished = wishes(req)
      if (Either.isLeft(wished)) return yield* reply(speaker.error(wished.left, "the model"))
      const { ask, body } = understood.right
      const met = wished.right.fault ?? settings.faults.next(target.endpoint)
      if (met !== undefined) recorder.met(met.fault)
      const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      const id = settings.nextId()
      let hosted = 0
      const style: Wire.Style = {
        placement: wished.right.placement ?? settings.placement,
        images: wished.right.images ?? settings.images,
        drafts: settings.drafts ?? (Wire.isThinkingModel(ask.model) ? 2 : 0),
        fault: bodyFaults.find((fault) => fault === met?.fault),
        time: now / 1000,
        id,
        host: (png) => settings.host(`${id}-${hosted++}`, png)
      }
      const answer = speaker.answer(ask, style, body)
      return yield* met === undefined ? work(ask, answer) : faulty(ask, answer, met)
    })

    return Effect.onInterrupt(exchange, () => Effect.sync(() => entry.broken("client")))
  })

/** One generation request over HTTP, from its body to the last byte of its answer. */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { OverloadedModel, Refused } from "../../OverloadedModel.js"
import type * as Faults from "../faults.js"
import { hashText } from "../random.js"
import type { Recorder } from "../recorder.js"
import { operationOf } from "../routes.js"
import type { Target } from "../routes.js"
import * as Wire from "../wire.js"
import * as Http from "./http.js"
import { bodyLimit, credential, header, speakerOf, understand, wishes } from "./understanding.js"
import type { Rules } from "./understanding.js"

export interface Settings extends Rules {
  readonly model: OverloadedModel
  readonly recorder: Recorder
  readonly faults: Faults.Faults
  readonly placement: Wire.Placement
  readonly images: number
  readonly drafts: number | undefined
  /** Requests per minute of the endpoint, for messages. */
  readonly limitOf: (endpoint: string) => number | undefined
  readonly nextId: () => string
  readonly host: (id: string, png: Uint8Array) => string
}

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
  [
    "<!DOCTYPE html>",
    `<html><head><title>${title}</title></head>`,
    `<body><center><h1>${title}</h1></center>`,
    "<hr><center>proxy</center></body></html>",
    ""
  ].join("\n")

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
          return afterWork(ask, deliver(ask, { ...answer, headers: { "content-type": "text/plain" } }))
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

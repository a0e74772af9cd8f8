/** The server's own routes: counters, faults, reset, hosted images, the list of models. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Faults from "../faults.js"
import * as Gemini from "../gemini.js"
import * as OpenAi from "../openai.js"
import type { Route } from "../routes.js"
import * as Wire from "../wire.js"
import * as Http from "./http.js"

export interface Settings {
  readonly models: ReadonlyArray<string>
  readonly counters: Effect.Effect<unknown>
  readonly reset: Effect.Effect<void>
  readonly faults: Faults.Faults
  readonly endpoints: ReadonlyArray<string>
  readonly file: (id: string) => Uint8Array | undefined
}

/** Longest list of fault rules, in bytes. */
const bodyLimit = 64 * 1024

const parse = (text: string): Either.Either<unknown, string> =>
  Either.try({ try: () => JSON.parse(text) as unknown, catch: () => "The body must be JSON." })

export const make =
  (settings: Settings) =>
  (req: IncomingMessage, res: ServerResponse, route: Route): Effect.Effect<void> | undefined => {
    const reply = (answer: Wire.Reply) => Http.send(res, answer, () => {})
    switch (route._tag) {
      case "Counters":
        return Effect.flatMap(settings.counters, (counters) => reply(Wire.json(200, counters)))
      case "Reset":
        return Effect.zipRight(settings.reset, reply(Wire.json(200, { ok: true })))
      case "Faults":
        if (route.clear) {
          return Effect.zipRight(Effect.sync(settings.faults.clear), reply(Wire.json(200, { ok: true })))
        }
        return Effect.flatMap(Http.readBody(req, bodyLimit), (bytes) => {
          const body = parse(bytes?.toString("utf8") ?? "")
          const rules = Either.flatMap(body, (u) => Faults.decode(u, settings.endpoints))
          if (Either.isLeft(rules)) return reply(Wire.json(400, { error: { message: rules.left } }))
          settings.faults.add(rules.right)
          return reply(Wire.json(200, { ok: true, added: rules.right.length }))
        })
      case "File": {
        const png = settings.file(route.id)
        if (png === undefined) return reply(Wire.json(404, { error: { message: "No such file." } }))
        return Effect.sync(() => {
          res.writeHead(200, { "content-type": "image/png", "content-length": png.length })
          res.end(png)
        })
      }
      case "GeminiModels":
        return reply(Gemini.models(settings.models))
      case "OpenAiModels":
        return reply(OpenAi.models(settings.models))
      default:
        return undefined
    }
  }

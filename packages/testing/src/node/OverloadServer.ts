/**
 * The overloaded model behind a real HTTP server that speaks Gemini, Vertex and OpenAI-compatible dialects.
 *
 * For tests and demonstrations of HTTP clients: what they see of an overloaded provider, byte for byte, without a
 * provider. It runs on the ambient `Clock` over real sockets, so use it under the live clock (`it.live`,
 * `it.scopedLive`); in virtual time use `OverloadedModel` itself. It listens on the loopback address only, unless told
 * otherwise, and is no gateway: it knows nothing of TLS or of real credentials.
 */
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as NodeHttp from "node:http"
import type { Socket } from "node:net"
import * as Faults from "../internal/faults.js"
import * as Control from "../internal/node/control.js"
import * as Exchange from "../internal/node/exchange.js"
import { stream } from "../internal/random.js"
import * as Recorder from "../internal/recorder.js"
import * as Routes from "../internal/routes.js"
import * as Wire from "../internal/wire.js"
import * as OverloadedModel from "../OverloadedModel.js"
import * as Scenario from "../Scenario.js"

/**
 * A fault on the wire.
 *
 * | name | what the client sees |
 * | --- | --- |
 * | `503`, `429`, `500`, `504` | that error in the dialect's own form, at once |
 * | `reset` | the connection reset before any byte |
 * | `stall-headers` | no answer, ever |
 * | `stall` | the head of a 200, then silence |
 * | `stall-body` | the head of a 200 and half the body, then silence |
 * | `cut-mid-chunk` | the connection closed in the middle of a chunk |
 * | `dribble` | the right answer, a few bytes at a time |
 * | `error-after-200` | status 200, then an error: as an SSE event (OpenAI), as bare JSON after the events (Gemini) |
 * | `html`, `html-200` | a proxy's HTML page, with status 502 or 200 |
 * | `wrong-content-type` | the right body, called `text/plain` |
 * | `malformed-json` | JSON that does not parse |
 * | `missing-finish-reason` | everything but the finish reason |
 * | `empty` | a 200 without the image |
 * | `blocked` | refused by the content policy |
 */
export type Fault =
  | "503"
  | "429"
  | "500"
  | "504"
  | "reset"
  | "stall-headers"
  | "stall"
  | "stall-body"
  | "cut-mid-chunk"
  | "dribble"
  | "error-after-200"
  | "html"
  | "html-200"
  | "wrong-content-type"
  | "malformed-json"
  | "missing-finish-reason"
  | "empty"
  | "blocked"

/** A fault that the next generation requests meet. */
export interface FaultRule {
  readonly fault: Fault
  /** How many requests meet it; `Infinity` for all. Default 1. In JSON, `null` stands for `Infinity`. */
  readonly times?: number | undefined
  /** Chance that a request meets it, 0-1. Default 1. */
  readonly probability?: number | undefined
  /** Only requests to this endpoint of the scenario. Default: all. */
  readonly endpoint?: string | undefined
  /** The wait in seconds that a `503` or a `429` asks for. Default: none for `503`, 1 for `429`. */
  readonly retryAfter?: number | undefined
}

/** Where a chat completion (and, for the last four, a Gemini answer) carries its images. */
export type Placement =
  | "images"
  | "content-image-url"
  | "content-image"
  | "content-inline-data"
  | "markdown"
  | "markdown-url"
  | "bare-url"

export interface Options {
  /** 0 for any free port. Default 0. */
  readonly port?: number | undefined
  /** Default `"127.0.0.1"`. */
  readonly host?: string | undefined
  /** A scenario, or the name of a built-in one. Default `"healthy"`. */
  readonly scenario?: Scenario.Scenario | Scenario.Name | undefined
  /** Same seed, same capacity and service times. Default 1. */
  readonly seed?: number | undefined
  /** Seconds of the scenario per second of the clock, greater than 0. Default 1. A generation takes about 30 s. */
  readonly speed?: number | undefined
  /** UTC hour of the start, 0 up to 24, instead of the scenario's. */
  readonly startHour?: number | undefined
  /** The only credential accepted, in every dialect; anything else is answered 401. Default: none is asked for. */
  readonly apiKey?: string | Redacted.Redacted | undefined
  /** The models that exist; others are answered 404. Default: every name is taken. */
  readonly models?: ReadonlyArray<string> | undefined
  readonly faults?: ReadonlyArray<FaultRule> | undefined
  /** Where chat completions carry images. Default `"images"`. Per request: header `x-holdfast-placement`. */
  readonly placement?: Placement | undefined
  /** Images per answer, 1-16. Default 1. Per request: header `x-holdfast-images`, and `n` / `candidateCount`. */
  readonly images?: number | undefined
  /** Drafts before the image in the Gemini dialects, 0-4. Default 2 for models named `gemini-3...pro`, else 0. */
  readonly drafts?: number | undefined
}

/** What the server saw of one endpoint, or of all. */
export interface Tally {
  /** Generation requests received, refused ones included. */
  readonly requests: number
  /** Generations that got a worker. */
  readonly started: number
  /** Generations that the worker finished, whether or not the caller was still there. */
  readonly completed: number
  /** Answered 503 or 429. */
  readonly rejected: number
  /** Answered with any other error status. */
  readonly errors: number
  /** The client left before the answer was complete. */
  readonly abandoned: number
  /** Requests being answered now. */
  readonly inFlight: number
  /** Requests in the model's queue now. */
  readonly queued: number
}

export interface Counters extends Tally {
  readonly openSockets: number
  readonly byEndpoint: Readonly<Record<string, Tally>>
  readonly byStatus: Readonly<Record<string, number>>
  readonly byFault: Readonly<Record<string, number>>
  /** By kind of request, for example `gemini.generateContent` or `openai.chat`. */
  readonly byOperation: Readonly<Record<string, number>>
  /** Requests by the value of their header `x-holdfast-request-id`; the latest 10,000 ids. */
  readonly attempts: Readonly<Record<string, number>>
  /** Hosted images fetched from `/files`. */
  readonly files: number
}

export interface OverloadServer {
  /** For example `http://127.0.0.1:43210`, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** Base URL of one of the scenario's endpoints: `url` goes to the first. */
  readonly endpointUrl: (endpoint: string) => string
  readonly counters: Effect.Effect<Counters>
  /** Adds a fault rule, before those that are there. */
  readonly fault: (rule: FaultRule) => Effect.Effect<void>
  /** Forgets faults and counters; work under way goes on. */
  readonly reset: Effect.Effect<void>
  /** Closes all sockets and interrupts all work; done by the scope as well, and harmless twice. */
  readonly close: Effect.Effect<void>
}

/** Default options. `Infinity` stands for "none", `undefined` for what the field's text says. */
export const defaults = {
  port: 0,
  host: "127.0.0.1",
  scenario: "healthy",
  seed: 1,
  speed: 1,
  placement: "images",
  images: 1
} as const

/** Models that `GET /v1/models` names when the options name none. */
const someModels = ["gemini-2.5-flash-image", "gemini-3-pro-image-preview", "gemini-3.1-flash-image-preview"]

/** Hosted images kept; the oldest goes first. */
const hostedLimit = 100

const checked = (field: string, legal: string, ok: boolean, value: unknown): Effect.Effect<void> =>
  ok ? Effect.void : Effect.dieMessage(`OverloadServer: "${field}" must be ${legal}; got ${String(value)}`)

const between = (value: number, min: number, max: number): boolean =>
  Number.isInteger(value) && value >= min && value <= max

const check = (options: Options): Effect.Effect<void> => {
  const { drafts = 0, host = defaults.host, images = defaults.images, port = defaults.port } = options
  const placement = options.placement ?? defaults.placement
  return Effect.all(
    [
      checked("port", "an integer of 0 to 65535", between(port, 0, 65535), port),
      checked("host", "a host name that is not empty", host !== "", host),
      checked("images", "an integer of 1 to 16", between(images, 1, 16), images),
      checked("drafts", "an integer of 0 to 4", between(drafts, 0, 4), drafts),
      checked("placement", `one of ${Wire.placements.join(", ")}`, Wire.placements.includes(placement), placement)
    ],
    { discard: true }
  )
}

const scenarioOf = (given: Options["scenario"] = defaults.scenario): Effect.Effect<Scenario.Scenario> => {
  const found = typeof given === "string" ? Scenario.byName(given) : Scenario.decode(given)
  return Either.isLeft(found)
    ? Effect.dieMessage(`OverloadServer: "scenario" is illegal. ${found.left.message}`)
    : Effect.succeed(found.right)
}

const listen = (server: NodeHttp.Server, port: number, host: string) =>
  Effect.async<number, HttpServerError.ServeError>((resume) => {
    const onError = (cause: unknown): void => resume(Effect.fail(new HttpServerError.ServeError({ cause })))
    server.once("error", onError)
    server.listen(port, host, () => {
      server.off("error", onError)
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })

const stop = (server: NodeHttp.Server, sockets: ReadonlySet<Socket>): Effect.Effect<void> =>
  Effect.async((resume) => {
    let closed = false
    const check = (): void => {
      if (closed && sockets.size === 0) resume(Effect.void)
    }
    server.close(() => {
      closed = true
      check()
    })
    for (const socket of sockets) {
      socket.on("close", check)
      socket.destroy()
    }
  })

/** Starts the server; it stops with the scope. Fails when it cannot listen, for example on a port that is taken. */
export const make = (
  options: Options = {}
): Effect.Effect<OverloadServer, HttpServerError.ServeError, Scope.Scope> =>
  Effect.gen(function*() {
    yield* check(options)
    const scenario = yield* scenarioOf(options.scenario)
    const seed = options.seed ?? defaults.seed
    const model = yield* OverloadedModel.make(scenario, {
      seed,
      speed: options.speed ?? defaults.speed,
      startHour: options.startHour
    })
    const endpoints = model.endpoints
    const rules = Faults.decode(options.faults ?? [], endpoints)
    if (Either.isLeft(rules)) return yield* Effect.dieMessage(`OverloadServer: "faults" is illegal: ${rules.left}`)
    const faults = Faults.make(stream(seed, "faults"))
    faults.add(rules.right)
    const recorder = Recorder.make(endpoints)
    const hosted = new Map<string, Uint8Array>()
    const host = options.host ?? defaults.host

    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const fork = yield* Scope.extend(FiberSet.makeRuntime(), scope)
    const server = NodeHttp.createServer()
    const sockets = new Set<Socket>()
    let sequence = 0
    let baseline: OverloadedModel.Counters = yield* model.counters

    const tally = (name: string, now: OverloadedModel.Tally): Tally => {
      const { abandoned, errors, inFlight, rejected, requests } = recorder.of(name)
      const then = baseline.byEndpoint[name]
      return {
        requests,
        started: now.started - (then?.started ?? 0),
        completed: now.completed - (then?.completed ?? 0),
        rejected,
        errors,
        abandoned,
        inFlight,
        queued: now.queued
      }
    }

    const counters = Effect.map(model.counters, (seen): Counters => {
      const byEndpoint = Object.fromEntries(
        Object.entries(seen.byEndpoint).map(([name, now]) => [name, tally(name, now)])
      )
      const sum = (of: (tally: Tally) => number) => Object.values(byEndpoint).reduce((n, entry) => n + of(entry), 0)
      return {
        requests: sum((t) => t.requests),
        started: sum((t) => t.started),
        completed: sum((t) => t.completed),
        rejected: sum((t) => t.rejected),
        errors: sum((t) => t.errors),
        abandoned: sum((t) => t.abandoned),
        inFlight: sum((t) => t.inFlight),
        queued: sum((t) => t.queued),
        openSockets: sockets.size,
        byEndpoint,
        ...recorder.read()
      }
    })

    const reset = Effect.map(model.counters, (seen) => {
      baseline = seen
      recorder.reset()
      faults.clear()
    })

    const bound = yield* Scope.extend(
      Effect.acquireRelease(listen(server, options.port ?? defaults.port, host), () => stop(server, sockets)),
      scope
    )
    const url = `http://${host.includes(":") ? `[${host}]` : host}:${bound}`

    const settings: Exchange.Settings = {
      model,
      recorder,
      faults,
      apiKey: Redacted.isRedacted(options.apiKey) ? Redacted.value(options.apiKey) : options.apiKey,
      models: options.models,
      placement: options.placement ?? defaults.placement,
      images: options.images ?? defaults.images,
      drafts: options.drafts,
      limitOf: (name) => scenario.endpoints.find((endpoint) => endpoint.name === name)?.rpm,
      nextId: () => `hf-${(++sequence).toString(36)}`,
      host: (id, png) => {
        hosted.set(id, png)
        const oldest = hosted.keys().next()
        if (hosted.size > hostedLimit && oldest.done !== true) hosted.delete(oldest.value)
        return `${url}/files/${id}.png`
      }
    }

    const control = Control.make({
      models: options.models ?? someModels,
      counters,
      reset,
      faults,
      endpoints,
      file: (id) => {
        recorder.file()
        return hosted.get(id)
      }
    })

    const handle = (req: NodeHttp.IncomingMessage, res: NodeHttp.ServerResponse): Effect.Effect<void> => {
      const address = URL.canParse(req.url ?? "", url) ? new URL(req.url ?? "", url) : new URL(url)
      const googleKey = "x-goog-api-key" in req.headers || address.searchParams.has("key")
      const target = Routes.route(req.method ?? "", address, endpoints, googleKey)
      return control(req, res, target.route) ?? Exchange.run(settings, req, res, address, target)
    }

    server.on("connection", (socket) => {
      sockets.add(socket)
      socket.on("close", () => sockets.delete(socket))
    })
    server.on("request", (req, res) => {
      const fiber = fork(Effect.suspend(() => handle(req, res)))
      res.on("close", () => {
        if (!res.writableEnded) fiber.unsafeInterruptAsFork(fiber.id())
      })
    })

    return {
      url,
      port: bound,
      endpointUrl: (name) => (name === endpoints[0] ? url : `${url}/${encodeURIComponent(name)}`),
      counters,
      fault: (rule) => {
        const read = Faults.decode(rule, endpoints)
        return Either.isLeft(read)
          ? Effect.dieMessage(`OverloadServer: the fault rule is illegal: ${read.left}`)
          : Effect.sync(() => faults.add(read.right))
      },
      reset,
      close: Scope.close(scope, Exit.void)
    }
  })

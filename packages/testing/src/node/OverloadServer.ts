/**
 * The overloaded model behind a real HTTP server that speaks Gemini, Vertex and OpenAI-compatible dialects.
 *
 * For tests and demonstrations of HTTP clients: what they see of an overloaded provider, byte for byte, without a
 * provider. It runs on the ambient `Clock` over real sockets, so use it under the live clock (`it.live`,
 * `it.scopedLive`); in virtual time use `OverloadedModel` itself. It listens on the loopback address only, unless told
 * otherwise, and is no gateway: it knows nothing of TLS or of real credentials.
 */
import type * as HttpServerError from "@effect/platform/HttpServerError"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Scenario from "../Scenario.js"

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

/** Starts the server; it stops with the scope. Fails when it cannot listen, for example on a port that is taken. */
export declare const make: (
  options?: Options
) => Effect.Effect<OverloadServer, HttpServerError.ServeError, Scope.Scope>

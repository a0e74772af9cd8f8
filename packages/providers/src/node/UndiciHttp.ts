/**
 * An `HttpClient` for Node that sees what a plain `fetch` hides: undici's `fetch` on an agent of its own.
 *
 * It announces each phase of an exchange (connect, write, headers) to whoever measures it, so that Holdfast's clients
 * report which wait ran out, to the millisecond; it measures by itself for callers that do not. It refuses to connect
 * to private addresses when asked to (`HostedImages.PublicAddressesOnly`), after the name has been resolved and for
 * the very address it connects to, so a name cannot be pointed elsewhere in between.
 *
 * HTTP/1.1 only: on a shared HTTP/2 connection one stalled exchange cannot be told from a stalled connection. The
 * number of connections is not limited here; an endpoint's `maxConnections` does that, and is what the `pool` phase
 * waits for.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as GenerationError from "holdfast/GenerationError"
import type { Timeouts as RequestTimeouts } from "holdfast/GenerationRequest"
import { Agent, type Dispatcher, fetch } from "undici"
import * as HostedImages from "../HostedImages.js"
import * as Lookup from "../internal/node/lookup.js"
import * as Watch from "../internal/watch.js"
import * as Timeouts from "../Timeouts.js"

export interface Options {
  /**
   * Limits for callers that set none themselves, such as other clients built on `HttpClient`. `pool` has no meaning
   * here. The limit on the body is kept by undici's own timer, which may be a second late. Default
   * `Timeouts.defaults`.
   */
  readonly timeouts?: RequestTimeouts | undefined
  /**
   * The dispatcher to use, for example undici's `EnvHttpProxyAgent`. It stays yours to close, and its own timeouts
   * hold beside ours. Links to images do not go through it: behind a proxy no address could be checked. Default: an
   * agent of our own, closed with the layer.
   */
  readonly dispatcher?: Dispatcher | undefined
}

/** Connecting is timed by us, for each exchange on its own. */
const untimed = { timeout: 0 }

/**
 * Follows one exchange through the dispatcher. The request is on its way once the last piece of its body has been taken
 * by the operating system: undici asks for the next piece only when the one before has drained.
 */
const observed = (dispatcher: Dispatcher, listener: Timeouts.PhaseListener, bodyTimeout: number): Dispatcher =>
  dispatcher.compose((dispatch) => (options, handler) => {
    const enter = (phase: "write" | "headers") => listener.enter(phase)
    const body: unknown = options.body
    const isStreamed = typeof body === "object" && body !== null && Symbol.asyncIterator in body
    const begun = () => enter(isStreamed ? "write" : "headers")
    const watchedBody = isStreamed
      ? (async function*() {
          yield* body as AsyncIterable<Uint8Array>
          enter("headers")
        })()
      : body
    // Either generation of the handler interface may come along; the methods need their own `this`.
    const watched = new Proxy(handler, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== "function") return value
        return (...args: ReadonlyArray<unknown>): unknown => {
          if (key === "onConnect" || key === "onRequestStart") begun()
          return Reflect.apply(value, target, args) as unknown
        }
      },
      set: (target, key, value) => Reflect.set(target, key, value, target)
    })
    listener.enter("connect")
    const timed = { ...options, body: watchedBody, headersTimeout: 0, bodyTimeout } as Dispatcher.DispatchOptions
    return dispatch(timed, watched)
  })

type Exchange = Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>

/** The exchange of a caller that measures nothing: measured here. */
const selfTimed = (
  request: HttpClientRequest.HttpClientRequest,
  limits: Timeouts.Resolved,
  run: (listener: Timeouts.PhaseListener) => Exchange
): Exchange =>
  Effect.flatMap(Watch.make<"connect" | "write" | "headers">("connect", limits.connect), (watch) =>
    Watch.guard(
      run({ limits, enter: (phase) => watch.enter(phase, limits[phase]) }),
      watch,
      (phase, millis) =>
        new HttpClientError.RequestError({
          request,
          reason: "Transport",
          description: `${phase} timeout`,
          cause: new GenerationError.Timeout({
            phase,
            message: `The exchange got no further than ${phase} within ${Timeouts.format(millis)}`
          })
        })
    )
  )

const closing = (agent: Agent): Effect.Effect<void> => Effect.promise(() => agent.destroy().catch(() => {}))

/** The client, with agents that are closed with the scope: connections in flight then are aborted. */
export const make = (options: Options = {}): Effect.Effect<HttpClient.HttpClient, never, Scope.Scope> =>
  Effect.gen(function*() {
    const limits = Timeouts.resolve(options.timeouts)
    const agent = (connect: NonNullable<Agent.Options["connect"]>) =>
      Effect.acquireRelease(Effect.sync(() => new Agent({ allowH2: false, connect })), closing)
    const open = options.dispatcher ?? (yield* agent(untimed))
    const guarded = yield* agent({ ...untimed, lookup: Lookup.publicOnly })
    const base = yield* Effect.provide(HttpClient.HttpClient, FetchHttpClient.layer)

    return HttpClient.transform(base, (exchange, request) =>
      Effect.gen(function*() {
        const listener = yield* Timeouts.CurrentPhases
        const publicOnly = yield* HostedImages.PublicAddressesOnly
        const init = Option.getOrElse(yield* Effect.serviceOption(FetchHttpClient.RequestInit), () => ({}))
        const run = (by: Timeouts.PhaseListener, bodyTimeout: number) =>
          exchange.pipe(
            Effect.provideService(FetchHttpClient.RequestInit, {
              ...init,
              dispatcher: observed(publicOnly ? guarded : open, by, bodyTimeout)
            } as unknown as RequestInit),
            Effect.provideService(FetchHttpClient.Fetch, fetch as unknown as typeof globalThis.fetch)
          )
        return yield* listener.limits !== undefined
          ? run(listener, 0)
          : selfTimed(request, limits, (by) => run(by, Number.isFinite(limits.body) ? limits.body : 0))
      })
    )
  })

/** The client as a layer. */
export const layer = (options: Options = {}): Layer.Layer<HttpClient.HttpClient> =>
  Layer.scoped(HttpClient.HttpClient, make(options))

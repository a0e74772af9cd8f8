import { assert, describe, it } from "@effect/vitest"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Generated from "holdfast/Generated"
import type { Service } from "holdfast/GenerationClient"
import type * as GenerationError from "holdfast/GenerationError"
import type { GenerationRequest, Timeouts as RequestTimeouts } from "holdfast/GenerationRequest"
import type { LookupAddress } from "node:dns"
import * as Gemini from "../src/Gemini.js"
import * as HostedImages from "../src/HostedImages.js"
import * as Lookup from "../src/internal/node/lookup.js"
import * as UndiciHttp from "../src/node/UndiciHttp.js"
import * as Http from "./support/doubles.js"
import * as Live from "./support/live.js"

const apiKey = Redacted.make("test-key")
const request: GenerationRequest = { prompt: "a red square" }
const good = JSON.stringify(Http.gemini([Http.inline(Http.png)]))

/** A client on an agent that lasts as long as the test's scope. */
const client = (baseUrl: string, timeouts: RequestTimeouts = {}, options: Partial<Gemini.Options> = {}) =>
  Effect.flatMap(UndiciHttp.make(), (http) =>
    Effect.provideService(
      Gemini.make({ apiKey, baseUrl, timeouts, ...options }),
      HttpClient.HttpClient,
      http
    ))

/** The error, and the milliseconds until it came. */
const timed = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    const error = yield* Effect.flip(self)
    return { error, millis: (yield* Clock.currentTimeMillis) - start }
  })

const soon = (condition: () => boolean) =>
  Effect.repeat(Effect.sleep("5 millis"), { until: condition, times: 400 }).pipe(
    Effect.tap(() => assert.isTrue(condition(), "it never came"))
  )

/** A limit of 300 ms ran out in this phase, on time, and the server saw the connection close. */
const expires = (
  phase: GenerationError.TimeoutPhase,
  live: Live.Live,
  run: Effect.Effect<unknown, GenerationError.GenerationError>
) =>
  Effect.gen(function*() {
    const { error, millis } = yield* timed(run)
    assert.strictEqual(error._tag, "Timeout")
    assert.strictEqual(error._tag === "Timeout" && error.phase, phase)
    assert.isAtLeast(millis, 295)
    assert.isAtMost(millis, 600, "the clock is ours, not one that ticks by the second")
    yield* soon(() => live.aborted() === 1)
  })

describe("phases over real sockets", () => {
  it.scopedLive("a TLS handshake that is never answered is a connect timeout", () =>
    Effect.gen(function*() {
      const live = yield* Live.tcp(() => {})
      const service = yield* client(`https://127.0.0.1:${live.port}`, { connect: "300 millis" })
      const { error, millis } = yield* timed(service.generate(request))
      assert.strictEqual(error._tag === "Timeout" && error.phase, "connect")
      assert.strictEqual(error.outcome, "not-started")
      assert.isAtMost(millis, 600)
    }))

  it.scopedLive("a request that the server does not read is a write timeout", () =>
    Effect.gen(function*() {
      const live = yield* Live.tcp((socket) => socket.pause())
      const service = yield* client(live.url, { write: "300 millis" })
      const images = [{ mimeType: "image/png", bytes: new Uint8Array(24 * 1024 * 1024) }]
      const error = yield* Effect.flip(service.generate({ ...request, images }))
      assert.strictEqual(error._tag === "Timeout" && error.phase, "write")
      assert.strictEqual(error.outcome, "not-started")
    }))

  it.scopedLive("a large request that is read is no write timeout", () =>
    Effect.gen(function*() {
      const live = yield* Live.http((incoming, outgoing) => {
        incoming.resume()
        incoming.on("end", () => setTimeout(() => outgoing.end(good), 400))
      })
      const service = yield* client(live.url, { write: "300 millis" })
      const images = [{ mimeType: "image/png", bytes: new Uint8Array(4 * 1024 * 1024) }]
      assert.strictEqual((yield* service.generate({ ...request, images })).parts.length, 1)
    }))

  it.scopedLive("an answer that never begins is a headers timeout", () =>
    Effect.gen(function*() {
      const live = yield* Live.http((incoming) => void incoming.resume())
      const service = yield* client(live.url, { headers: "300 millis" })
      yield* expires("headers", live, service.generate(request))
    }))

  it.scopedLive("an answer that goes silent is a body timeout", () =>
    Effect.gen(function*() {
      const live = yield* Live.http((_, outgoing) => void outgoing.write("{"))
      const service = yield* client(live.url, { body: "300 millis" })
      yield* expires("body", live, service.generate(request))
    }))

  it.scopedLive("a body that dribbles more often than its limit is read to its end", () =>
    Effect.gen(function*() {
      const live = yield* Live.http((_, outgoing) => {
        const pieces = good.match(/.{1,80}/g) ?? []
        const next = () => {
          const piece = pieces.shift()
          if (piece === undefined) outgoing.end()
          else outgoing.write(piece, () => setTimeout(next, 60))
        }
        next()
      })
      const service = yield* client(live.url, { body: "300 millis" })
      assert.strictEqual((yield* service.generate(request)).parts.length, 1)
    }))

  it.scopedLive("a stream that says nothing is first-chunk, and one that goes silent is idle", () =>
    Effect.gen(function*() {
      let first = ""
      const live = yield* Live.http((_, outgoing) => {
        outgoing.writeHead(200, { "content-type": "text/event-stream" })
        outgoing.flushHeaders()
        if (first !== "") outgoing.write(first)
      })
      const service = yield* client(live.url, { body: "300 millis" })
      const silent = yield* Effect.flip(Stream.runDrain(service.stream(request)))
      assert.strictEqual(silent._tag === "Timeout" && silent.phase, "first-chunk")
      first = ": ping\n\n"
      const idle = yield* Effect.flip(Stream.runDrain(service.stream(request)))
      assert.strictEqual(idle._tag === "Timeout" && idle.phase, "idle")
      yield* soon(() => live.aborted() === 2)
    }))

  it.scopedLive("waiting for a connection of the endpoint is a pool timeout", () =>
    Effect.gen(function*() {
      const live = yield* Live.http((incoming) => void incoming.resume())
      const service = yield* client(live.url, { pool: "300 millis" }, { maxConnections: 1 })
      const running = yield* Effect.fork(service.generate(request))
      yield* soon(() => live.opened() === 1)
      const { error, millis } = yield* timed(service.generate(request))
      assert.strictEqual(error._tag === "Timeout" && error.phase, "pool")
      assert.isAtMost(millis, 600)
      yield* Fiber.interrupt(running)
    }))
})

describe("the connection", () => {
  it.scopedLive("is kept for the exchanges that follow", () =>
    Effect.gen(function*() {
      const live = yield* Live.http((incoming, outgoing) => {
        incoming.resume()
        incoming.on("end", () => outgoing.end(good))
      })
      const service = yield* client(live.url)
      for (let turn = 0; turn < 8; turn++) yield* service.generate(request)
      // Undici may open a second one while it makes sure that the first is still alive.
      assert.isAtMost(live.opened(), 2)
    }))

  const interrupted = (title: string, handler: Parameters<typeof Live.http>[0], use: (service: Service) => Effect.Effect<unknown, unknown>) =>
    it.scopedLive(title, () =>
      Effect.gen(function*() {
        let seen = 0
        const live = yield* Live.http((incoming, outgoing) => {
          seen++
          handler(incoming, outgoing)
        })
        const service = yield* client(live.url)
        const running = yield* Effect.fork(use(service))
        yield* soon(() => seen === 1)
        yield* Effect.sleep("20 millis")
        yield* Fiber.interrupt(running)
        yield* soon(() => live.aborted() === 1)
      }))

  interrupted("is closed when an attempt is interrupted before its answer", (incoming) => void incoming.resume(), (service) =>
    service.generate(request))
  interrupted("is closed when an attempt is interrupted in its answer", (_, outgoing) => void outgoing.write("{"), (service) =>
    service.generate(request))
  interrupted(
    "is closed when a stream is interrupted",
    (_, outgoing) => void outgoing.write(Http.event({ candidates: [{ content: { parts: [{ text: "Hi" }] } }] })),
    (service) => Stream.runDrain(service.stream(request))
  )

  it.scopedLive("that is refused or reset is Transient, with the outcome that fits", () =>
    Effect.gen(function*() {
      const live = yield* Live.tcp((socket) => void socket.on("data", () => socket.resetAndDestroy()))
      const service = yield* client(live.url)
      const reset = yield* Effect.flip(service.generate(request))
      assert.strictEqual(reset._tag, "Transient")
      assert.strictEqual(reset.outcome, "unknown")
      const closed = yield* Effect.scoped(Effect.map(Live.tcp(() => {}), ({ url }) => url))
      const refused = yield* Effect.flip(Effect.flatMap(client(closed), (other) => other.generate(request)))
      assert.strictEqual(refused._tag, "Transient")
      assert.strictEqual(refused.outcome, "not-started")
    }))
})

describe("a redirect", () => {
  const transports = { fetch: FetchHttpClient.layer, undici: UndiciHttp.layer() }
  for (const [name, transport] of Object.entries(transports)) {
    it.scopedLive(`is not followed with the key, over ${name}`, () =>
      Effect.gen(function*() {
        const other = yield* Live.http((_, outgoing) => void outgoing.end(good))
        const live = yield* Live.http((incoming, outgoing) => {
          incoming.resume()
          outgoing.writeHead(307, { location: other.url }).end()
        })
        const service = yield* Effect.provide(Gemini.make({ apiKey, baseUrl: live.url }), yield* Layer.build(transport))
        assert.strictEqual((yield* Effect.flip(service.generate(request)))._tag, "Malformed")
        assert.strictEqual(other.opened(), 0)
      }))
  }
})

describe("a caller that measures nothing", () => {
  const get = (url: string, timeouts: RequestTimeouts) =>
    Effect.flatMap(UndiciHttp.make({ timeouts }), (http) => {
      const run = Effect.flatMap(http.execute(HttpClientRequest.get(url)), (response) => response.text)
      return Effect.timed(Effect.either(run))
    })

  it.scopedLive("gets the limits of the client, each with its phase", () =>
    Effect.gen(function*() {
      const live = yield* Live.http((incoming) => void incoming.resume())
      const [, result] = yield* get(live.url, { headers: "300 millis" })
      const error = result._tag === "Left" ? result.left : assert.fail("it succeeded")
      assert.strictEqual((error as HttpClientError.RequestError).reason, "Transport")
      assert.deepInclude(error.cause, { _tag: "Timeout", phase: "headers" })
      yield* soon(() => live.aborted() === 1)
    }))

  it.scopedLive("gets the answer when nothing runs out", () =>
    Effect.gen(function*() {
      const live = yield* Live.http((_, outgoing) => void outgoing.end("hello"))
      const [, result] = yield* get(live.url, {})
      assert.deepInclude(result, { _tag: "Right", right: "hello" })
    }))
})

describe("links to images", () => {
  const linking = (link: string) => JSON.stringify(Http.gemini([{ text: `![it](${link})` }]))

  it.scopedLive("a name that leads to a private address is not connected to", () =>
    Effect.gen(function*() {
      const live = yield* Live.http((_, outgoing) => void outgoing.end(Buffer.from(Http.png)))
      const http = yield* UndiciHttp.make()
      const fetched = http.execute(HttpClientRequest.get(`http://localhost:${live.port}/a.png`))
      const error = yield* Effect.flip(Effect.provideService(fetched, HostedImages.PublicAddressesOnly, true))
      assert.include(JSON.stringify(causes(error)), HostedImages.privateAddressCode)
      assert.strictEqual(live.opened(), 0)
      yield* Effect.scoped(fetched)
    }))

  it.scopedLive("the endpoint's own host may serve its images from a private address", () =>
    Effect.gen(function*() {
      let url = ""
      const live = yield* Live.http((incoming, outgoing) => {
        if (incoming.method === "GET") {
          assert.notProperty(incoming.headers, "x-goog-api-key")
          outgoing.end(Buffer.from(Http.png))
        } else {
          incoming.resume()
          outgoing.end(linking(`${url}/files/a.png`))
        }
      })
      url = live.url
      const service = yield* client(live.url)
      assert.strictEqual(Generated.images(yield* service.generate(request)).length, 1)
    }))

  it.scopedLive("another port of this machine may not, unless private hosts are allowed", () =>
    Effect.gen(function*() {
      const other = yield* Live.http((_, outgoing) => void outgoing.end(Buffer.from(Http.png)))
      const live = yield* Live.http((incoming, outgoing) => {
        incoming.resume()
        outgoing.end(linking(`${other.url}/a.png`))
      })
      const service = yield* client(live.url)
      const error = yield* Effect.flip(service.generate(request))
      assert.strictEqual(error._tag, "Malformed")
      assert.strictEqual(error.outcome, "unknown")
      assert.strictEqual(other.opened(), 0)
      const trusting = yield* client(live.url, {}, { hostedImages: { allowPrivateHosts: true } })
      assert.strictEqual(Generated.images(yield* trusting.generate(request)).length, 1)
    }))

  const causes = (error: unknown): ReadonlyArray<unknown> => {
    const out: Array<unknown> = []
    for (let at: unknown = error; typeof at === "object" && at !== null && out.length < 6; at = (at as { cause?: unknown }).cause) {
      out.push((at as { code?: unknown }).code)
    }
    return out
  }

  const resolved = (addresses: ReadonlyArray<string>, all: boolean) =>
    Effect.async<unknown>((resume) => {
      const answer = addresses.map((address): LookupAddress => ({ address, family: address.includes(":") ? 6 : 4 }))
      Lookup.make((_host, _options, callback) => callback(null, answer))("name.example", { all }, (error, found) =>
        resume(Effect.succeed(error === null ? found : error.code))
      )
    })

  it.effect("of several addresses of a name only the public ones are used", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* resolved(["10.0.0.1", "8.8.8.8"], false), "8.8.8.8")
      assert.deepStrictEqual(yield* resolved(["::1", "2606:4700::1111"], true), [{ address: "2606:4700::1111", family: 6 }])
      assert.strictEqual(yield* resolved(["10.0.0.1", "::ffff:127.0.0.1"], true), HostedImages.privateAddressCode)
    }))
})

describe("the layer", () => {
  it.scopedLive("aborts what is in flight when it is closed", () =>
    Effect.gen(function*() {
      const live = yield* Live.http((incoming) => void incoming.resume())
      const program = Effect.flatMap(HttpClient.HttpClient, (http) =>
        Effect.zipRight(Effect.fork(http.execute(HttpClientRequest.get(live.url))), soon(() => live.opened() === 1))
      )
      yield* Effect.provide(program, UndiciHttp.layer() satisfies Layer.Layer<HttpClient.HttpClient>)
      yield* soon(() => live.aborted() === 1)
    }))
})

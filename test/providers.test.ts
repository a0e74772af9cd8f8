/**
 * Our clients against the overloaded model, over real sockets: every dialect, unary and streamed, over plain `fetch`
 * and over undici, in success and in every fault on the wire.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import { OverloadServer } from "@holdfast/testing/node"
import * as Clients from "@holdfast/providers/Clients"
import * as Gemini from "@holdfast/providers/Gemini"
import { UndiciHttp } from "@holdfast/providers/node"
import * as OpenAiCompatible from "@holdfast/providers/OpenAiCompatible"
import * as Vertex from "@holdfast/providers/Vertex"
import * as VertexCredentials from "@holdfast/providers/VertexCredentials"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Generated from "holdfast/Generated"
import type { Service } from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import { PNG } from "pngjs"

const key = "integration-key"
const apiKey = Redacted.make(key)
const request: GenerationRequest = { prompt: "a red square" }

/** Short enough for a test, long enough for a loaded machine. */
const timeouts = { headers: "500 millis", body: "500 millis" } as const
/** A generation of thirty seconds takes ten milliseconds. */
const speed = 3000

interface Dialect {
  readonly name: string
  readonly make: (url: string) => Effect.Effect<Service, never, HttpClient.HttpClient>
}

const dialects: ReadonlyArray<Dialect> = [
  { name: "Gemini", make: (baseUrl) => Gemini.make({ apiKey, baseUrl, timeouts }) },
  {
    name: "Vertex",
    make: (baseUrl) =>
      Effect.provide(Vertex.make({ project: "p-1", baseUrl, timeouts }), VertexCredentials.layerToken(apiKey))
  },
  {
    name: "Vertex express",
    make: (baseUrl) => Effect.provide(Vertex.make({ baseUrl, timeouts }), VertexCredentials.layerApiKey(apiKey))
  },
  { name: "OpenAI chat", make: (baseUrl) => OpenAiCompatible.make({ apiKey, baseUrl: `${baseUrl}/v1`, timeouts }) },
  {
    name: "OpenAI images",
    make: (baseUrl) => OpenAiCompatible.make({ apiKey, baseUrl: `${baseUrl}/v1`, timeouts, api: "images" })
  }
]

const transports: Record<string, Layer.Layer<HttpClient.HttpClient>> = {
  fetch: FetchHttpClient.layer,
  undici: UndiciHttp.layer()
}

/** A server that wants the key, and a client of it on a connection that lasts as long as the test. */
const setup = (
  dialect: Dialect,
  transport: Layer.Layer<HttpClient.HttpClient>,
  options: OverloadServer.Options = {}
) =>
  Effect.gen(function*() {
    const server = yield* OverloadServer.make({ speed, apiKey, ...options })
    const context = yield* Layer.build(transport)
    const service = yield* Effect.provide(dialect.make(server.url), context)
    return { server, service }
  })

const imagesIn = (chunks: Iterable<Generated.Chunk>) => [...chunks].filter((chunk) => chunk._tag === "Image")

const decodes = (images: ReadonlyArray<Generated.ImagePart>, count = 1) => {
  assert.strictEqual(images.length, count)
  for (const { bytes, mimeType } of images) {
    assert.strictEqual(mimeType, "image/png")
    assert.isAbove(PNG.sync.read(Buffer.from(bytes)).width, 0)
  }
}

const collect = (service: Service, input = request) => Stream.runCollect(service.stream(input))

/** The call in its two forms. */
const both = (service: Service): ReadonlyArray<Effect.Effect<unknown, GenerationError.GenerationError>> => [
  service.generate(request),
  collect(service)
]

for (const [name, transport] of Object.entries(transports)) {
  for (const dialect of dialects) {
    describe(`${dialect.name} over ${name}`, () => {
      it.scopedLive("makes an image that decodes, whole and as a stream", () =>
        Effect.gen(function*() {
          const { server, service } = yield* setup(dialect, transport)
          const result = yield* service.generate(request)
          decodes(Generated.images(result))
          assert.deepStrictEqual(result.attempts, [])
          const chunks = [...(yield* collect(service))]
          decodes(imagesIn(chunks))
          assert.strictEqual(chunks[chunks.length - 1]?._tag, "Finish")
          assert.strictEqual(chunks.filter((chunk) => chunk._tag === "Finish").length, 1)
          assert.strictEqual((yield* server.counters).requests, 2)
        }))

      it.scopedLive("makes several images", () =>
        Effect.gen(function*() {
          const { service } = yield* setup(dialect, transport)
          decodes(Generated.images(yield* service.generate({ ...request, count: 3 })), 3)
          decodes(imagesIn(yield* collect(service, { ...request, count: 2 })), 2)
        }))

      it.scopedLive("says Unauthorized to a wrong key and ModelNotFound to a model that is not there", () =>
        Effect.gen(function*() {
          const locked = yield* setup(dialect, transport, { apiKey: "another-key" })
          assert.strictEqual((yield* Effect.flip(locked.service.generate(request)))._tag, "Unauthorized")
          const empty = yield* setup(dialect, transport, { models: ["other-model"] })
          assert.strictEqual((yield* Effect.flip(empty.service.generate(request)))._tag, "ModelNotFound")
        }))

      it.scopedLive("leaves the server when it is interrupted", () =>
        Effect.gen(function*() {
          const { server, service } = yield* setup(dialect, transport, { speed: 1 })
          for (const run of both(service)) {
            yield* server.reset
            const fiber = yield* Effect.fork(Effect.timeoutOption(run, "1 minute"))
            yield* until(server.counters, (seen) => seen.inFlight === 1)
            yield* Fiber.interrupt(fiber)
            yield* until(server.counters, (seen) => seen.abandoned === 1 && seen.inFlight === 0)
          }
        }))

      const outcomes: ReadonlyArray<readonly [OverloadServer.Fault, GenerationError.Tag]> = [
        ["503", "Overloaded"],
        ["429", "RateLimited"],
        ["500", "Transient"],
        ["504", "Timeout"],
        ["reset", "Transient"],
        ["stall", "Timeout"],
        ["stall-body", "Timeout"],
        ["cut-mid-chunk", "Transient"],
        ["error-after-200", "Overloaded"],
        ["html", "Transient"],
        ["malformed-json", "Malformed"],
        ["empty", "EmptyResult"],
        ["blocked", "ContentBlocked"]
      ]
      // Express mode differs by its address and its credential alone.
      for (const [fault, expected] of dialect.name === "Vertex express" ? [] : outcomes) {
        it.scopedLive(`${fault} is ${expected}`, () =>
          Effect.gen(function*() {
            const { server, service } = yield* setup(dialect, transport)
            for (const run of both(service)) {
              yield* server.fault({ fault })
              const result = yield* Effect.either(run)
              if (result._tag === "Right") {
                // Its last half holds no content any more: after the finish reason the image is there, and paid for.
                assert.isTrue(dialect.name === "OpenAI chat" && ["stall-body", "cut-mid-chunk"].includes(fault))
                continue
              }
              const error = result.left
              assert.strictEqual(error._tag, expected, error.message)
              assert.notInclude(JSON.stringify(error), key)
              assert.notInclude(error.message, request.prompt)
            }
          }))
      }

      it.scopedLive("reads what dribbles, and what is called plain text", () =>
        Effect.gen(function*() {
          const { server, service } = yield* setup(dialect, transport)
          for (const fault of ["dribble", "wrong-content-type"] as const) {
            yield* server.fault({ fault, times: 2 })
            decodes(Generated.images(yield* service.generate(request)))
            decodes(imagesIn(yield* collect(service)))
          }
        }))
    })
  }
}

const until = <A>(self: Effect.Effect<A>, condition: (value: A) => boolean) =>
  Effect.repeat(Effect.delay(self, "10 millis"), { until: condition, times: 300 }).pipe(
    Effect.tap((value) => assert.isTrue(condition(value), JSON.stringify(value)))
  )

describe("faults that only some dialects or calls can show", () => {
  const [gemini, , , chat] = dialects

  it.scopedLive("a stream without its finish reason was cut; a whole answer without it was not", () =>
    Effect.gen(function*() {
      for (const dialect of [gemini, chat]) {
        if (dialect === undefined) return assert.fail()
        const { server, service } = yield* setup(dialect, FetchHttpClient.layer)
        yield* server.fault({ fault: "missing-finish-reason", times: 2 })
        decodes(Generated.images(yield* service.generate(request)))
        const result = yield* Effect.either(collect(service))
        if (result._tag === "Left") assert.strictEqual(result.left._tag, "Transient")
        else assert.strictEqual(dialect.name, "OpenAI chat", "its [DONE] ends it")
      }
    }))

  it.scopedLive("an answer that never begins is a Timeout of the headers", () =>
    Effect.gen(function*() {
      if (gemini === undefined) return assert.fail()
      const { server, service } = yield* setup(gemini, UndiciHttp.layer())
      yield* server.fault({ fault: "stall-headers" })
      const error = yield* Effect.flip(service.generate(request))
      assert.strictEqual(error._tag === "Timeout" && error.phase, "headers")
      yield* until(server.counters, (seen) => seen.inFlight === 0)
    }))

  it.scopedLive("a proxy's page under 200 is an error", () =>
    Effect.gen(function*() {
      for (const dialect of dialects) {
        const { server, service } = yield* setup(dialect, FetchHttpClient.layer)
        yield* server.fault({ fault: "html-200", times: 2 })
        for (const run of both(service)) {
          assert.include(["Malformed", "Transient"], (yield* Effect.flip(run))._tag)
        }
      }
    }))

  it.scopedLive("the wait that the server asks for arrives", () =>
    Effect.gen(function*() {
      for (const dialect of dialects) {
        const { server, service } = yield* setup(dialect, FetchHttpClient.layer)
        yield* server.fault({ fault: "429", retryAfter: 7 })
        const error = yield* Effect.flip(service.generate(request))
        assert.strictEqual(GenerationError.retryAfterMillis(error), 7000)
      }
    }))

  for (const placement of ["images", "content-image-url", "content-image", "content-inline-data", "markdown", "markdown-url", "bare-url"] as const) {
    it.scopedLive(`a relay may put the image into ${placement}`, () =>
      Effect.gen(function*() {
        const wanted = placement.startsWith("content-") || placement === "images" ? [chat] : [chat, gemini]
        for (const dialect of wanted) {
          if (dialect === undefined) return assert.fail()
          const { server, service } = yield* setup(dialect, UndiciHttp.layer(), { placement })
          decodes(Generated.images(yield* service.generate(request)))
          decodes(imagesIn(yield* collect(service)))
          assert.strictEqual((yield* server.counters).files, placement.endsWith("url") && !placement.startsWith("content") ? 2 : 0)
        }
      }))
  }
})

describe("fail-over between two endpoints", () => {
  it.scopedLive("goes where the routing policy says, with the credential of that endpoint", () =>
    Effect.gen(function*() {
      const down = yield* OverloadServer.make({ speed, faults: [{ fault: "503", times: Infinity }] })
      const up = yield* OverloadServer.make({ speed, apiKey: "second-key" })
      const http = Effect.provide(
        Effect.map(
          Effect.all({
            first: Gemini.make({ endpoint: "first", apiKey, baseUrl: down.url }),
            second: OpenAiCompatible.make({ endpoint: "second", apiKey: Redacted.make("second-key"), baseUrl: `${up.url}/v1` })
          }),
          Clients.byEndpoint
        ),
        FetchHttpClient.layer
      )
      const service = yield* http
      const to = (endpoint: string) => CurrentCall.update(service.generate(request), { endpoint })
      const result = yield* Effect.catchTag(to("first"), "Overloaded", (error) => {
        assert.strictEqual(error.endpoint, "first")
        return to("second")
      })
      assert.strictEqual(result.endpoint, "second")
      decodes(Generated.images(result))
      assert.strictEqual((yield* down.counters).requests, 1)
      assert.strictEqual((yield* up.counters).requests, 1)
    }))
})

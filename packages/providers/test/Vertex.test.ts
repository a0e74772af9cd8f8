import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { GenerationClient } from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import * as Vertex from "../src/Vertex.js"
import * as VertexCredentials from "../src/VertexCredentials.js"
import * as Http from "./support/doubles.js"
import * as Live from "./support/live.js"

const request: GenerationRequest = { prompt: "a red square", model: "gemini-3-pro-image" }
const answer = Http.gemini([Http.inline(Http.png)], { createTime: "2026-01-01T00:00:00Z" })
const token = VertexCredentials.layerToken(Redacted.make("ya-test-token"))

const generate = (
  double: Http.Double,
  options: Vertex.Options,
  credentials: Layer.Layer<VertexCredentials.VertexCredentials> = token,
  input = request
) =>
  Effect.flatMap(Vertex.make(options), (service) => service.generate(input)).pipe(
    Effect.provide(Layer.merge(double.layer, credentials))
  )

const good = () => Http.http(() => Http.json(answer))

describe("Vertex, addresses and credentials", () => {
  const address = (name: string, options: Vertex.Options, url: string, credentials = token) =>
    it.effect(name, () =>
      Effect.gen(function*() {
        const double = good()
        yield* generate(double, options, credentials)
        assert.strictEqual(double.sent[0]?.url, url)
      }))
  const tail = "publishers/google/models/gemini-3-pro-image:generateContent"
  address("global is the default location", { project: "p-1" }, `https://aiplatform.googleapis.com/v1/projects/p-1/locations/global/${tail}`)
  address("a region has its own host", { project: "p-1", location: "us-central1" }, `https://us-central1-aiplatform.googleapis.com/v1/projects/p-1/locations/us-central1/${tail}`)
  address("a multi-region has another one", { project: "p-1", location: "eu" }, `https://aiplatform.eu.rep.googleapis.com/v1/projects/p-1/locations/eu/${tail}`)
  address("express mode has no project", {}, `https://aiplatform.googleapis.com/v1/${tail}`, VertexCredentials.layerApiKey(Redacted.make("express-key")))
  address("a base URL of one's own", { project: "p-1", baseUrl: "http://127.0.0.1:9/", apiVersion: "v1beta1" }, `http://127.0.0.1:9/v1beta1/projects/p-1/locations/global/${tail}`)

  it.effect("a token is a bearer token, a key is a key, and neither is in the URL", () =>
    Effect.gen(function*() {
      const double = good()
      yield* generate(double, { project: "p-1" })
      yield* generate(double, {}, VertexCredentials.layerApiKey(Redacted.make("express-key")))
      assert.strictEqual(double.sent[0]?.headers["authorization"], "Bearer ya-test-token")
      assert.notProperty(double.sent[0]?.headers, "x-goog-api-key")
      assert.strictEqual(double.sent[1]?.headers["x-goog-api-key"], "express-key")
      assert.notProperty(double.sent[1]?.headers, "authorization")
      assert.deepInclude((double.sent[0]?.json as { contents: ReadonlyArray<object> }).contents[0], { role: "user" })
    }))

  it.effect("a token without a project is InvalidRequest that says what to set", () =>
    Effect.gen(function*() {
      const double = good()
      const error = yield* Effect.flip(generate(double, {}))
      assert.strictEqual(error._tag, "InvalidRequest")
      assert.include(error.message, "GOOGLE_CLOUD_PROJECT")
      assert.strictEqual(double.sent.length, 0)
    }))

  it.effect("names that would change the address are refused", () =>
    Effect.gen(function*() {
      for (const options of [{ project: "a/b" }, { project: "p", location: "x.evil.example/" }]) {
        const exit = yield* Effect.exit(generate(good(), options))
        assert.strictEqual(exit._tag, "Failure")
        assert.include(JSON.stringify(exit), "Die")
      }
    }))
})

describe("Vertex, a credential that is refused", () => {
  const refusing = (accepted: string) =>
    Http.http((sent) =>
      sent.headers["authorization"] === `Bearer ${accepted}`
        ? Http.json(answer)
        : Http.json({ error: { code: 401, message: "Request had invalid authentication credentials.", status: "UNAUTHENTICATED" } }, 401)
    )
  const rotating = Layer.effect(
    VertexCredentials.VertexCredentials,
    Effect.suspend(() => {
      let number = 0
      return VertexCredentials.makeCached(
        Effect.sync(() => ({ _tag: "AccessToken", token: Redacted.make(`token-${++number}`), expiresAt: undefined }))
      )
    })
  )

  it.effect("is renewed and tried once more, in generate and in stream", () =>
    Effect.gen(function*() {
      const double = refusing("token-2")
      assert.strictEqual((yield* generate(double, { project: "p" }, rotating)).parts.length, 1)
      assert.strictEqual(double.sent.length, 2)
      const streaming = Http.http((sent) =>
        sent.headers["authorization"] === "Bearer token-2"
          ? Http.pieces([Http.event(answer)])
          : Http.json({ error: { code: 401, status: "UNAUTHENTICATED", message: "no" } }, 401)
      )
      const chunks = yield* Effect.flatMap(Vertex.make({ project: "p" }), (service) => Stream.runCollect(service.stream(request)))
        .pipe(Effect.provide(Layer.merge(streaming.layer, rotating)))
      assert.strictEqual(chunks.length, 2)
    }))

  it.effect("is not renewed a second time, and not at all when there is no newer one", () =>
    Effect.gen(function*() {
      const never = refusing("token-9")
      const error = yield* Effect.flip(generate(never, { project: "p" }, rotating))
      assert.strictEqual(error._tag, "Unauthorized")
      assert.strictEqual(never.sent.length, 2)
      const fixed = refusing("other")
      yield* Effect.flip(generate(fixed, { project: "p" }))
      assert.strictEqual(fixed.sent.length, 1)
    }))
})

describe("cached tokens", () => {
  const source = (lifetime: number | undefined) => {
    const state = { fetched: 0 }
    const fetch = Effect.clockWith((clock) =>
      Effect.sync((): VertexCredentials.AccessToken => {
        state.fetched++
        const now = clock.unsafeCurrentTimeMillis()
        return {
          _tag: "AccessToken",
          token: Redacted.make(`token-${state.fetched}`),
          expiresAt: lifetime === undefined ? undefined : now + lifetime
        }
      })
    )
    return { state, fetch }
  }

  it.effect("are used until shortly before they expire", () =>
    Effect.gen(function*() {
      const { fetch, state } = source(3_600_000)
      const { token } = yield* VertexCredentials.makeCached(fetch)
      yield* token
      yield* TestClock.adjust("58 minutes")
      yield* token
      assert.strictEqual(state.fetched, 1)
      yield* TestClock.adjust("1 minutes")
      yield* token
      assert.strictEqual(state.fetched, 2)
    }))

  it.effect("without a stated end are used for five minutes", () =>
    Effect.gen(function*() {
      const { fetch, state } = source(undefined)
      const { token } = yield* VertexCredentials.makeCached(fetch)
      yield* token
      yield* TestClock.adjust("4 minutes")
      yield* token
      assert.strictEqual(state.fetched, 1)
      yield* TestClock.adjust("1 minutes")
      yield* token
      assert.strictEqual(state.fetched, 2)
    }))

  it.effect("are fetched once for all who wait, and an interrupted leader takes nobody along", () =>
    Effect.gen(function*() {
      const { fetch, state } = source(3_600_000)
      const gate = yield* Deferred.make<void>()
      const { token } = yield* VertexCredentials.makeCached(Effect.zipRight(Deferred.await(gate), fetch))
      const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.fork(token))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fibers[0]!)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(fibers[1]!)
      yield* Fiber.join(fibers[2]!)
      assert.strictEqual(state.fetched, 1)
    }))

  it.effect("a failure is not kept, and a source that hangs is a Timeout that was not started", () =>
    Effect.gen(function*() {
      let mode: "fail" | "hang" | "good" = "fail"
      const good: VertexCredentials.AccessToken = { _tag: "AccessToken", token: Redacted.make("t"), expiresAt: undefined }
      const { token } = yield* VertexCredentials.makeCached(
        Effect.suspend((): Effect.Effect<VertexCredentials.AccessToken, GenerationError.GenerationError> =>
          mode === "fail"
            ? Effect.fail(new GenerationError.Transient({ message: "down" }))
            : mode === "hang" ? Effect.never : Effect.succeed(good)
        )
      )
      assert.strictEqual((yield* Effect.flip(token))._tag, "Transient")
      mode = "hang"
      const hanging = yield* Effect.fork(Effect.flip(token))
      yield* TestClock.adjust("30 seconds")
      const error = yield* Fiber.join(hanging)
      assert.strictEqual(error._tag, "Timeout")
      assert.strictEqual(error.outcome, "not-started")
      mode = "good"
      yield* token
    }))

  it.effect("callers whose tokens were refused at the same time cause one renewal", () =>
    Effect.gen(function*() {
      const { fetch, state } = source(3_600_000)
      const { renew, token } = yield* VertexCredentials.makeCached(fetch)
      const first = yield* token
      yield* Effect.all([renew(first), renew(first), renew(first)], { concurrency: "unbounded" })
      assert.strictEqual(state.fetched, 2)
    }))
})

describe("application-default credentials", () => {
  const adc = (googleAuth: NonNullable<VertexCredentials.AdcOptions["googleAuth"]>) =>
    VertexCredentials.layerAdc({ googleAuth })

  it.effect("a token that the library gives is used until its own end", () =>
    Effect.gen(function*() {
      let made = 0
      const credentials = adc(() =>
        Promise.resolve({
          getClient: () =>
            Promise.resolve({
              getAccessToken: () => Promise.resolve({ token: `adc-${++made}` }),
              credentials: { expiry_date: 3_600_000 }
            })
        })
      )
      const double = good()
      yield* Effect.gen(function*() {
        const service = yield* Vertex.make({ project: "p" })
        yield* service.generate(request)
        yield* service.generate(request)
      }).pipe(Effect.provide(Layer.merge(double.layer, credentials)))
      assert.deepStrictEqual(double.sent.map((sent) => sent.headers["authorization"]), ["Bearer adc-1", "Bearer adc-1"])
    }))

  const failing = (name: string, cause: Error, tag: string, words: string) =>
    it.effect(`${name} is ${tag}, with the endpoint and without the library's secrets`, () =>
      Effect.gen(function*() {
        const double = good()
        const error = yield* Effect.flip(generate(double, { project: "p" }, adc(() => Promise.reject(cause))))
        assert.strictEqual(error._tag, tag)
        assert.strictEqual(error.endpoint, "vertex")
        assert.strictEqual(error.outcome, "not-started")
        assert.include(error.message, words)
        assert.notInclude(JSON.stringify(error), "refresh-secret")
        assert.strictEqual(double.sent.length, 0)
      }))
  failing("a library that is not installed", Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" }), "Unauthorized", "google-auth-library")
  failing("no credentials", new Error("Could not load the default credentials."), "Unauthorized", "gcloud auth")
  failing("a refused login", Object.assign(new Error("invalid_grant"), { code: "400", config: { data: "refresh-secret" } }), "Unauthorized", "gcloud auth")
  failing("a network that is down", Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }), "Transient", "access token")
  failing("a token service that is down", Object.assign(new Error("no"), { response: { status: 503 } }), "Transient", "access token")

  it.scopedLive("google-auth-library itself gets its token from a metadata server", () =>
    Effect.gen(function*() {
      let asked = 0
      const metadata = yield* Live.http((incoming, outgoing) => {
        outgoing.setHeader("metadata-flavor", "Google")
        outgoing.setHeader("content-type", "application/json")
        if (incoming.url?.includes("/token") === true) {
          asked++
          outgoing.end(JSON.stringify({ access_token: `metadata-token-${asked}`, expires_in: 3600, token_type: "Bearer" }))
        } else outgoing.end(JSON.stringify("universe"))
      })
      const environment: Record<string, string | undefined> = {
        GCE_METADATA_HOST: `127.0.0.1:${metadata.port}`,
        METADATA_SERVER_DETECTION: "assume-present",
        GOOGLE_CLOUD_PROJECT: "p",
        CLOUDSDK_CONFIG: "/nonexistent",
        GOOGLE_APPLICATION_CREDENTIALS: undefined
      }
      const set = (name: string, value: string | undefined) => {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
      yield* Effect.acquireRelease(
        Effect.sync(() =>
          Object.entries(environment).map(([name, value]) => {
            const before = process.env[name]
            set(name, value)
            return [name, before] as const
          })
        ),
        (before) => Effect.sync(() => before.forEach(([name, value]) => set(name, value)))
      )
      const double = good()
      const credentials = VertexCredentials.layerAdc()
      yield* Effect.gen(function*() {
        const service = yield* Vertex.make({ project: "p" })
        yield* service.generate(request)
        yield* service.generate(request)
      }).pipe(Effect.provide(Layer.merge(double.layer, credentials)))
      assert.deepStrictEqual(double.sent.map((sent) => sent.headers["authorization"]), [
        "Bearer metadata-token-1",
        "Bearer metadata-token-1"
      ])
    }))
})

describe("Vertex, configuration", () => {
  const configured = (env: Record<string, string>) =>
    Effect.gen(function*() {
      const double = good()
      yield* Effect.flatMap(GenerationClient, (service) => service.generate({ prompt: "a red square" })).pipe(
        Effect.provide(Layer.provide(Vertex.layerConfig(), double.layer)),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env))))
      )
      return double.sent[0]
    })

  it.effect("a token and a place come from the environment", () =>
    Effect.gen(function*() {
      const sent = yield* configured({
        GOOGLE_CLOUD_PROJECT: "my-project",
        GOOGLE_CLOUD_LOCATION: "us-east5",
        VERTEX_ACCESS_TOKEN: "env-token",
        VERTEX_MODEL: "nano"
      })
      assert.strictEqual(
        sent?.url,
        "https://us-east5-aiplatform.googleapis.com/v1/projects/my-project/locations/us-east5/publishers/google/models/nano:generateContent"
      )
      assert.strictEqual(sent?.headers["authorization"], "Bearer env-token")
    }))

  it.effect("an API key means express mode, whatever project is set", () =>
    Effect.gen(function*() {
      const sent = yield* configured({ VERTEX_API_KEY: "express-key", GOOGLE_CLOUD_PROJECT: "my-project" })
      assert.include(sent?.url, "googleapis.com/v1/publishers/google/models/")
      assert.strictEqual(sent?.headers["x-goog-api-key"], "express-key")
    }))

  it.effect("without key and project the configuration is refused", () =>
    Effect.gen(function*() {
      assert.include(JSON.stringify(yield* Effect.flip(configured({}))), "GOOGLE_CLOUD_PROJECT")
    }))
})

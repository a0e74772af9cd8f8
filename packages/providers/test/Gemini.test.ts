import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Generated from "holdfast/Generated"
import { GenerationClient, type Service } from "holdfast/GenerationClient"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import * as Gemini from "../src/Gemini.js"
import * as Http from "./support/doubles.js"

const key = Redacted.make("test-key-of-gemini")
const request: GenerationRequest = { prompt: "a red square" }

const client = (double: Http.Double, options: Partial<Gemini.Options> = {}): Effect.Effect<Service> =>
  Effect.provide(Gemini.make({ apiKey: key, ...options }), double.layer)

const answering = (value: unknown, status = 200) => Http.http(() => Http.json(value, status))

const generate = (double: Http.Double, input: GenerationRequest = request, options: Partial<Gemini.Options> = {}) =>
  Effect.flatMap(client(double, options), (service) => service.generate(input))

const stream = (double: Http.Double, input: GenerationRequest = request) =>
  Effect.flatMap(client(double), (service) => Stream.runCollect(service.stream(input))).pipe(
    Effect.map((chunks) => [...chunks])
  )

describe("Gemini, what is sent", () => {
  it.effect("the key goes into a header field and never into the URL", () =>
    Effect.gen(function*() {
      const double = answering(Http.gemini([Http.inline(Http.png)]))
      yield* generate(double)
      assert.strictEqual(
        double.sent[0]?.url,
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro-image-preview:generateContent"
      )
      assert.strictEqual(double.sent[0]?.headers["x-goog-api-key"], "test-key-of-gemini")
    }))

  it.effect("a relay may want the key as a bearer token, and the version is added to a bare base URL", () =>
    Effect.gen(function*() {
      const double = answering(Http.gemini([Http.inline(Http.png)]))
      yield* generate(double, request, { auth: "bearer", baseUrl: "https://relay.example/", model: "nano-banana" })
      assert.strictEqual(double.sent[0]?.url, "https://relay.example/v1beta/models/nano-banana:generateContent")
      assert.strictEqual(double.sent[0]?.headers["authorization"], "Bearer test-key-of-gemini")
      assert.notProperty(double.sent[0]?.headers, "x-goog-api-key")
    }))

  it.effect("the span around an attempt learns provider and host, and no inner span is made", () =>
    Effect.gen(function*() {
      const spans: Array<Map<string, unknown>> = []
      const watched = Effect.gen(function*() {
        const span = yield* Effect.currentSpan
        yield* generate(answering(Http.gemini([Http.inline(Http.png)])))
        spans.push(new Map(span.attributes))
      })
      yield* Effect.withSpan(watched, "attempt")
      assert.deepStrictEqual(Object.fromEntries(spans[0] ?? []), {
        "gen_ai.provider.name": "gcp.gemini",
        "server.address": "generativelanguage.googleapis.com"
      })
    }))

  it.effect("every option of the request has its place in the body", () =>
    Effect.gen(function*() {
      const double = answering(Http.gemini([{ text: "hello" }, Http.inline(Http.png)]))
      yield* generate(double, {
        prompt: "a fox",
        system: "draw well",
        modalities: ["text", "image"],
        images: [{ mimeType: "image/jpeg", bytes: Http.jpeg }],
        aspectRatio: "16:9",
        imageSize: "2K",
        seed: 7,
        temperature: 0.5,
        maxOutputTokens: 99
      })
      assert.deepStrictEqual(double.sent[0]?.json, {
        contents: [
          {
            role: "user",
            parts: [{ text: "a fox" }, { inlineData: { mimeType: "image/jpeg", data: Http.base64(Http.jpeg) } }]
          }
        ],
        systemInstruction: { parts: [{ text: "draw well" }] },
        generationConfig: {
          responseModalities: ["TEXT", "IMAGE"],
          imageConfig: { aspectRatio: "16:9", imageSize: "2K" },
          seed: 7,
          temperature: 0.5,
          maxOutputTokens: 99
        }
      })
    }))

  it.effect("the size is left out for the model that knows only one", () =>
    Effect.gen(function*() {
      const double = answering(Http.gemini([Http.inline(Http.png)]))
      yield* generate(double, { ...request, model: "gemini-2.5-flash-image", imageSize: "2K", aspectRatio: "1:1" })
      assert.deepNestedInclude(double.sent[0]?.json, { "generationConfig.imageConfig": { aspectRatio: "1:1" } })
    }))

  it.effect("the model that a routing policy chose comes before the request's and the endpoint's", () =>
    Effect.gen(function*() {
      const double = answering(Http.gemini([Http.inline(Http.png)]))
      yield* CurrentCall.update(generate(double, { ...request, model: "asked" }), { model: "routed" })
      yield* generate(double, { ...request, model: "asked" })
      assert.include(double.sent[0]?.url, "/models/routed:")
      assert.include(double.sent[1]?.url, "/models/asked:")
    }))

  it.effect("several images are several exchanges, whose usage is added up", () =>
    Effect.gen(function*() {
      const double = Http.http((_, index) =>
        Http.json(Http.gemini([Http.inline(index === 0 ? Http.png : Http.jpeg)]))
      )
      const result = yield* generate(double, { ...request, count: 2 })
      assert.strictEqual(double.sent.length, 2)
      assert.strictEqual(Generated.images(result).length, 2)
      assert.strictEqual(result.usage.totalTokens, 2604)
    }))

  it.effect("images that were made are handed out although one of them failed", () =>
    Effect.gen(function*() {
      const double = Http.http((_, index) =>
        index === 1
          ? Http.json({ error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } }, 503)
          : Http.json(Http.gemini([Http.inline(Http.png)]))
      )
      const result = yield* generate(double, { ...request, count: 3 })
      assert.strictEqual(Generated.images(result).length, 2)
    }))

  it.effect("a count that is no small whole number is refused before anything is sent", () =>
    Effect.gen(function*() {
      const double = answering(Http.gemini([Http.inline(Http.png)]))
      for (const count of [0, 11, 1.5, NaN]) {
        const error = yield* Effect.flip(generate(double, { ...request, count }))
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.strictEqual(error.outcome, "not-started")
      }
      assert.strictEqual(double.sent.length, 0)
    }))
})

describe("Gemini, what comes back", () => {
  it.effect("an answer becomes parts, usage, finish reason, model and id; its drafts are left out", () =>
    Effect.gen(function*() {
      const result = yield* generate(
        answering(Http.gemini([
          { text: "thinking", thought: true },
          { ...Http.inline(Http.jpeg, "image/jpeg"), thought: true },
          { text: "Here it is." },
          { ...Http.inline(Http.png), thoughtSignature: "abc" }
        ]))
      )
      assert.deepStrictEqual(result, {
        parts: [
          { _tag: "Text", text: "Here it is." },
          { _tag: "Image", mimeType: "image/png", bytes: Http.png }
        ],
        usage: { inputTokens: 5, outputTokens: 1290, thoughtTokens: 7, totalTokens: 1302 },
        finishReason: "STOP",
        endpoint: "gemini",
        model: "gemini-3-pro-image-preview",
        responseId: "answer-1",
        attempts: []
      })
    }))

  const sameImage = (name: string, value: unknown) =>
    it.effect(`the image is found: ${name}`, () =>
      Effect.gen(function*() {
        const result = yield* generate(answering(value))
        const [image] = Generated.images(result)
        assert.strictEqual(image?.mimeType, "image/png")
        assert.deepStrictEqual(image?.bytes, Http.png)
      }))

  const data = Http.base64(Http.png)
  sameImage("under snake_case names", {
    candidates: [{ content: { parts: [{ inline_data: { mime_type: "image/png", data } }] }, finish_reason: "STOP" }]
  })
  sameImage("declared as something else", Http.gemini([Http.inline(Http.png, "image/webp")]))
  sameImage("without a declared type", Http.gemini([{ inlineData: { data } }]))
  sameImage("with line breaks in its base64", Http.gemini([
    { inlineData: { mimeType: "image/png", data: data.replace(/(.{20})/g, "$1\r\n ") } }
  ]))
  sameImage("as a data URL in Markdown", Http.gemini([{ text: `done: ![image](data:image/png;base64,${data}) !` }]))
  sameImage("in an answer that is an array", [
    { candidates: [{ content: { parts: [{ text: "one moment" }] } }] },
    Http.gemini([Http.inline(Http.png)])
  ])
  sameImage("in the wrapped answer of code assist", { response: Http.gemini([Http.inline(Http.png)]) })

  const failing = (name: string, value: unknown, tag: string, status = 200) =>
    it.effect(`${name} is ${tag}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(generate(answering(value, status)))
        assert.strictEqual(error._tag, tag)
        assert.strictEqual(error.endpoint, "gemini")
        assert.strictEqual(error.model, "gemini-3-pro-image-preview")
      }))

  const finish = (finishReason: string, content?: unknown) => ({
    candidates: [{ finishReason, ...(content === undefined ? {} : { content }) }],
    usageMetadata: { promptTokenCount: 5, totalTokenCount: 5 }
  })
  failing("a prompt that is blocked", { promptFeedback: { blockReason: "PROHIBITED_CONTENT" } }, "ContentBlocked")
  failing("an image that is blocked", finish("IMAGE_SAFETY"), "ContentBlocked")
  failing("a block with an empty content", finish("PROHIBITED_CONTENT", { role: "model" }), "ContentBlocked")
  failing("a block with parts null", finish("SAFETY", { parts: null }), "ContentBlocked")
  failing("no image", finish("NO_IMAGE", { parts: [] }), "EmptyResult")
  failing("a finish reason nobody knows", finish("SOMETHING_NEW"), "EmptyResult")
  failing("text where an image was asked for", Http.gemini([{ text: "I cannot draw." }]), "EmptyResult")
  failing("the end of the tokens", finish("MAX_TOKENS", { role: "model" }), "EmptyResult")
  failing("JSON of another world", { hello: "world" }, "Malformed")
  failing("an error under 200", { error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } }, "Overloaded")
  failing("503", { error: { code: 503, message: "The model is overloaded. Please try again later.", status: "UNAVAILABLE" } }, "Overloaded", 503)
  failing("an error in an array", [{ error: { code: 400, message: "API key not valid. Please pass a valid API key.", status: "INVALID_ARGUMENT" } }], "Unauthorized", 400)

  it.effect("text alone satisfies a request for text, links and all", () =>
    Effect.gen(function*() {
      const words = "see ![x](https://example.com/a.png)"
      const result = yield* generate(answering(Http.gemini([{ text: words }])), { ...request, modalities: ["text"] })
      assert.strictEqual(Generated.text(result), words)
    }))

  it.effect("an HTML page under 200 is Malformed or what it says, never an answer", () =>
    Effect.gen(function*() {
      const double = Http.http(() => new Response("<html><body>Welcome</body></html>", { headers: { "content-type": "text/html" } }))
      const error = yield* Effect.flip(generate(double))
      assert.strictEqual(error._tag, "Malformed")
    }))

  it.effect("a redirect is not followed with the key", () =>
    Effect.gen(function*() {
      const double = Http.http(() => new Response(null, { status: 302, headers: { location: "https://elsewhere.example" } }))
      const error = yield* Effect.flip(generate(double))
      assert.strictEqual(error._tag, "Malformed")
      assert.strictEqual(error.outcome, "rejected")
      assert.strictEqual(double.sent.length, 1)
    }))

  it.effect("an answer longer than the limit is Malformed, and no more of it is read", () =>
    Effect.gen(function*() {
      const double = Http.http(() => Http.pieces(Array.from({ length: 100 }, () => " ".repeat(1000)), { then: "stall" }))
      const error = yield* Effect.flip(generate(double, request, { maxResponseBytes: 5000 }))
      assert.strictEqual(error._tag, "Malformed")
      assert.isTrue(double.sent[0]?.signal.aborted)
    }))
})

describe("Gemini, streams", () => {
  it.effect("text arrives as it is made, images whole, and one Finish ends it", () =>
    Effect.gen(function*() {
      const double = Http.http(() =>
        Http.pieces([
          Http.event({ candidates: [{ content: { parts: [{ text: "Here " }] } }] }),
          Http.event({ candidates: [{ content: { parts: [{ text: "it is." }, { text: "hm", thought: true }] } }] }),
          Http.event(Http.gemini([Http.inline(Http.png)]))
        ])
      )
      const chunks = yield* stream(double)
      assert.include(double.sent[0]?.url, ":streamGenerateContent?alt=sse")
      assert.deepStrictEqual(chunks, [
        { _tag: "Text", text: "Here " },
        { _tag: "Text", text: "it is." },
        { _tag: "Image", mimeType: "image/png", bytes: Http.png },
        {
          _tag: "Finish",
          finishReason: "STOP",
          usage: { inputTokens: 5, outputTokens: 1290, thoughtTokens: 7, totalTokens: 1302 },
          endpoint: "gemini",
          model: "gemini-3-pro-image-preview",
          responseId: "answer-1"
        }
      ])
    }))

  const begun = Http.event({ candidates: [{ content: { parts: [{ text: "Here " }] } }] })
  const overloaded = { error: { code: 503, message: "The model is overloaded. Please try again later.", status: "UNAVAILABLE" } }

  const failing = (name: string, reply: () => Response, tag: string, outcome?: string) =>
    it.effect(`${name} is ${tag}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(stream(Http.http(reply)))
        assert.strictEqual(error._tag, tag)
        if (outcome !== undefined) assert.strictEqual(error.outcome, outcome)
      }))
  failing("an error event after 200", () => Http.pieces([begun, Http.event(overloaded)]), "Overloaded")
  failing("raw JSON without data:", () => Http.pieces([begun, `${JSON.stringify(overloaded, null, 2)}\n`]), "Overloaded")
  failing("raw JSON and then a broken connection", () =>
    Http.pieces([begun, JSON.stringify(overloaded, null, 2)], { then: "break" }), "Overloaded")
  failing("a stream that ends without a finish reason", () => Http.pieces([begun]), "Transient", "unknown")
  failing("a stream cut inside an event", () => Http.pieces([begun, "data: {\"candidates\":[{\"content\""]), "Transient", "unknown")
  failing("a connection that breaks", () => Http.pieces([begun], { then: "break" }), "Transient", "unknown")
  failing("an event that is no JSON", () => Http.pieces([begun, "data: {nonsense\n\n"]), "Malformed")
  failing("an HTML page instead of a stream", () => Http.pieces(["<html>\n\n<body>Hello</body></html>"], { type: "text/html" }), "Malformed")
  failing("503 before the stream", () => Http.json(overloaded, 503), "Overloaded")
  failing("a blocked prompt", () => Http.pieces([Http.event({ promptFeedback: { blockReason: "SAFETY" } })]), "ContentBlocked")
  failing("a stream without the image", () => Http.pieces([Http.event(Http.gemini([{ text: "no" }]))]), "EmptyResult")

  it.effect("an answer that comes as one JSON array instead of events is read all the same", () =>
    Effect.gen(function*() {
      const value = [{ candidates: [{ content: { parts: [{ text: "Hi" }] } }] }, Http.gemini([Http.inline(Http.png)])]
      const chunks = yield* stream(Http.http(() => Http.json(value)))
      assert.deepStrictEqual(chunks.map((chunk) => chunk._tag), ["Text", "Image", "Finish"])
    }))

  it.effect("a consumer that stops early closes the connection", () =>
    Effect.gen(function*() {
      const double = Http.http(() => Http.pieces([begun], { then: "stall" }))
      const service = yield* client(double)
      yield* Stream.runCollect(Stream.take(service.stream(request), 1))
      assert.isTrue(double.sent[0]?.signal.aborted)
    }))

  it.effect("several images are streamed one after another with one Finish", () =>
    Effect.gen(function*() {
      const double = Http.http(() => Http.pieces([Http.event(Http.gemini([Http.inline(Http.png)]))]))
      const chunks = yield* stream(double, { ...request, count: 2 })
      assert.deepStrictEqual(chunks.map((chunk) => chunk._tag), ["Image", "Image", "Finish"])
    }))
})

describe("Gemini, options and configuration", () => {
  const double = answering(Http.gemini([Http.inline(Http.png)]))

  it.effect("illegal options are refused by a message that names the field and repeats no secret", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [Partial<Gemini.Options>, string]> = [
        [{ baseUrl: "https://relay.example/?key=hidden-secret" }, "baseUrl"],
        [{ baseUrl: "https://user:hidden-secret@relay.example" }, "baseUrl"],
        [{ baseUrl: "ftp://relay.example" }, "baseUrl"],
        [{ baseUrl: "hidden-secret" }, "baseUrl"],
        [{ apiKey: Redacted.make(" ") }, "apiKey"],
        [{ apiKey: Redacted.make("hidden-secret\n") }, "apiKey"],
        [{ model: "" }, "model"],
        [{ endpoint: "" }, "endpoint"],
        [{ maxConnections: 0 }, "maxConnections"],
        [{ timeouts: { headers: 0 } }, "timeouts.headers"],
        [{ hostedImages: { maxRedirects: -1 } }, "hostedImages.maxRedirects"]
      ]
      for (const [options, field] of cases) {
        const exit = yield* Effect.exit(client(double, options))
        const message = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "accepted"
        assert.include(message, field)
        assert.notInclude(message, "hidden-secret")
      }
    }))

  const configured = (entries: Record<string, string>, options: Partial<Gemini.Options> = {}) =>
    Effect.flatMap(GenerationClient, (service) => service.generate(request)).pipe(
      Effect.provide(Gemini.layerConfig(options)),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(entries))))
    )

  it.effect("the environment gives key, base URL and model; what is empty counts as not set", () =>
    Effect.gen(function*() {
      const env = {
        GEMINI_API_KEY: "",
        GOOGLE_API_KEY: "from-google",
        GEMINI_BASE_URL: "https://relay.example/v1beta",
        GEMINI_MODEL: "nano"
      }
      const recorded = answering(Http.gemini([Http.inline(Http.png)]))
      yield* Effect.provide(configured(env), recorded.layer)
      assert.strictEqual(recorded.sent[0]?.url, "https://relay.example/v1beta/models/nano:generateContent")
      assert.strictEqual(recorded.sent[0]?.headers["x-goog-api-key"], "from-google")
    }))

  it.effect("options come before the environment, and what is undefined among them does not hide it", () =>
    Effect.gen(function*() {
      const recorded = answering(Http.gemini([Http.inline(Http.png)]))
      const options = { apiKey: Redacted.make("given-key"), model: undefined, endpoint: "mine" }
      const result = yield* Effect.provide(configured({ GEMINI_MODEL: "from-env" }, options), recorded.layer)
      assert.strictEqual(recorded.sent[0]?.headers["x-goog-api-key"], "given-key")
      assert.include(recorded.sent[0]?.url, "/models/from-env:")
      assert.strictEqual(result.endpoint, "mine")
    }))

  it.effect("without a key, or with a key in the base URL, the configuration is refused", () =>
    Effect.gen(function*() {
      const missing = yield* Effect.flip(Effect.provide(configured({}), double.layer))
      assert.include(JSON.stringify(missing), "GEMINI_API_KEY")
      const wrong = yield* Effect.flip(
        Effect.provide(configured({ GEMINI_API_KEY: "abcdef", GEMINI_BASE_URL: "https://x.example?key=abcdef" }), double.layer)
      )
      assert.include(JSON.stringify(wrong), "GEMINI_BASE_URL")
      assert.notInclude(JSON.stringify(wrong), "abcdef")
    }))
})

import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Generated from "holdfast/Generated"
import { GenerationClient } from "holdfast/GenerationClient"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import * as OpenAiCompatible from "../src/OpenAiCompatible.js"
import * as Http from "./support/doubles.js"

const apiKey = Redacted.make("test-key-of-openai")
const request: GenerationRequest = { prompt: "a red square" }
const data = Http.base64(Http.png)
const dataUrl = `data:image/png;base64,${data}`

const client = (double: Http.Double, options: Partial<OpenAiCompatible.Options> = {}) =>
  Effect.provide(OpenAiCompatible.make({ apiKey, baseUrl: "https://relay.example/v1", ...options }), double.layer)

const generate = (
  double: Http.Double,
  input: GenerationRequest = request,
  options: Partial<OpenAiCompatible.Options> = {}
) => Effect.flatMap(client(double, options), (service) => service.generate(input))

const stream = (double: Http.Double, input: GenerationRequest = request) =>
  Effect.flatMap(client(double), (service) => Effect.map(Stream.runCollect(service.stream(input)), (all) => [...all]))

const chat = (message: unknown, more: Record<string, unknown> = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  model: "nano-banana-pro",
  choices: [{ index: 0, message, finish_reason: "stop", ...more }],
  usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, completion_tokens_details: { reasoning_tokens: 1 } }
})

/** Answers POST with the value, and GET with the picture. */
const answering = (value: unknown, status = 200) =>
  Http.http((sent) => (sent.method === "GET" ? new Response(Http.png) : Http.json(value, status)))

describe("chat/completions, what is sent", () => {
  it.effect("key, body and address are those of the dialect", () =>
    Effect.gen(function*() {
      const double = answering(chat({ content: dataUrl }))
      yield* generate(double, {
        prompt: "a fox",
        model: "google/nano",
        system: "draw well",
        images: [{ mimeType: "image/png", bytes: Http.png }],
        aspectRatio: "16:9",
        imageSize: "2K",
        seed: 7,
        temperature: 0.5,
        maxOutputTokens: 99
      })
      assert.strictEqual(double.sent[0]?.url, "https://relay.example/v1/chat/completions")
      assert.strictEqual(double.sent[0]?.headers["authorization"], "Bearer test-key-of-openai")
      assert.deepStrictEqual(double.sent[0]?.json, {
        model: "google/nano",
        messages: [
          { role: "system", content: "draw well" },
          {
            role: "user",
            content: [{ type: "text", text: "a fox" }, { type: "image_url", image_url: { url: dataUrl } }]
          }
        ],
        modalities: ["image", "text"],
        image_config: { aspect_ratio: "16:9", image_size: "2K" },
        seed: 7,
        temperature: 0.5,
        max_tokens: 99
      })
    }))

  it.effect("a plain prompt is a plain text, and further fields come over ours or take them out", () =>
    Effect.gen(function*() {
      const double = answering(chat({ content: dataUrl }))
      yield* generate(double, request, { body: { modalities: undefined, provider: { sort: "price" } } })
      assert.deepStrictEqual(double.sent[0]?.json, {
        model: "gemini-3-pro-image-preview",
        messages: [{ role: "user", content: "a red square" }],
        provider: { sort: "price" }
      })
    }))

  it.effect("text alone is asked for without modalities, which plain chat models refuse", () =>
    Effect.gen(function*() {
      const double = answering(chat({ content: "hello" }))
      const result = yield* generate(double, { ...request, modalities: ["text"] })
      assert.notProperty(double.sent[0]?.json, "modalities")
      assert.strictEqual(Generated.text(result), "hello")
      assert.deepStrictEqual(result.usage, { inputTokens: 3, outputTokens: 4, thoughtTokens: 1, totalTokens: 7 })
      assert.strictEqual(result.model, "nano-banana-pro")
      assert.strictEqual(result.responseId, "chatcmpl-1")
    }))
})

describe("chat/completions, where the image is", () => {
  const link = "https://cdn.example/pictures/1.png?sig=abc"
  const placement = (name: string, message: unknown, text = "") =>
    it.effect(name, () =>
      Effect.gen(function*() {
        const double = answering(chat(message))
        const result = yield* generate(double)
        const images = Generated.images(result)
        assert.strictEqual(images.length, 1)
        assert.strictEqual(images[0]?.mimeType, "image/png")
        assert.deepStrictEqual(images[0]?.bytes, Http.png)
        assert.strictEqual(Generated.text(result).trim(), text)
        for (const sent of double.sent.slice(1)) {
          assert.notProperty(sent.headers, "authorization")
          assert.strictEqual(sent.url, link)
        }
      }))

  placement("message.images with a data URL", { content: "Here.", images: [{ type: "image_url", image_url: { url: dataUrl } }] }, "Here.")
  placement("message.images with the URL as a text", { content: null, images: [{ image_url: dataUrl }] })
  placement("message.images with a link", { content: "", images: [{ type: "image_url", image_url: { url: link } }] })
  placement("message.images and the same in Markdown: one image", { content: `![i](${dataUrl})`, images: [{ image_url: { url: dataUrl } }] })
  placement("an array with image_url", { content: [{ type: "text", text: "Here." }, { type: "image_url", image_url: { url: dataUrl } }] }, "Here.")
  placement("an array with image", { content: [{ type: "image", image: data }] })
  placement("an array with image as an object", { content: [{ type: "image", image: { b64_json: data } }] })
  placement("an array with inlineData", { content: [{ inlineData: { mimeType: "image/png", data } }] })
  placement("an array with a source", { content: [{ type: "image", source: { type: "base64", media_type: "image/png", data } }] })
  placement("an array with Markdown in a text", { content: [{ type: "text", text: `![i](${dataUrl})` }] })
  placement("Markdown with a data URL", { content: `Here:\n![image](${dataUrl})\n` }, "Here:")
  placement("Markdown with a data URL full of line breaks", { content: `![image](data:image/png;base64,${data.replace(/(.{30})/g, "$1\n")})` })
  placement("a bare data URL", { content: dataUrl })
  placement("Markdown with a link", { content: `![image](${link})` })
  placement("Markdown with a link and a title", { content: `Voilà ![image](${link} "A fox") !` }, "Voilà  !")
  placement("a bare link and nothing else", { content: ` ${link}\n` })
  placement("a bare link to an image among words", { content: `See ${link} for it` }, "See  for it")
  placement("the same link twice", { content: `![a](${link}) [download](x) ${link}` }, "[download](x)")

  it.effect("a link beside an image of its own is only talked about", () =>
    Effect.gen(function*() {
      const double = answering(chat({ content: `More at ![x](${link})`, images: [{ image_url: { url: dataUrl } }] }))
      const result = yield* generate(double)
      assert.strictEqual(Generated.text(result), `More at ![x](${link})`)
      assert.strictEqual(double.sent.length, 1)
    }))

  it.effect("data that was cut off is no image", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(generate(answering(chat({ content: `![image](${dataUrl.slice(0, 60)}` }))))
      assert.strictEqual(error._tag, "EmptyResult")
    }))
})

describe("chat/completions, failures", () => {
  const failing = (name: string, value: unknown, tag: string, status = 200) =>
    it.effect(`${name} is ${tag}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(generate(answering(value, status)))
        assert.strictEqual(error._tag, tag)
        assert.strictEqual(error.endpoint, "openai")
      }))
  failing("a content filter", chat({ content: null }, { finish_reason: "content_filter" }), "ContentBlocked")
  failing("a refusal", chat({ content: null, refusal: "I will not." }), "ContentBlocked")
  failing("Google's word for a block, passed through", chat({ content: "" }, { native_finish_reason: "IMAGE_SAFETY" }), "ContentBlocked")
  failing("text alone", chat({ content: "I cannot draw." }), "EmptyResult")
  failing("no choices", { id: "x", choices: [] }, "EmptyResult")
  failing("an error under 200", { error: { message: "The model is overloaded. Please try again later.", code: 503 } }, "Overloaded")
  failing("an error inside a choice", {
    choices: [{ message: { content: "" }, finish_reason: "error", error: { code: 503, message: "Provider is overloaded" } }]
  }, "Overloaded")
  failing("a used-up balance as 429", { error: { message: "You exceeded your current quota, please check your plan and billing details.", type: "insufficient_quota", code: "insufficient_quota" } }, "QuotaExhausted", 429)
  failing("a wrong key", { error: { message: "Incorrect API key provided", type: "invalid_request_error", code: "invalid_api_key" } }, "Unauthorized", 401)
  failing("JSON of another world", { hello: "world" }, "Malformed")
})

describe("chat/completions, streams", () => {
  const delta = (content: unknown, more: Record<string, unknown> = {}) =>
    Http.event({ id: "c", model: "m", choices: [{ index: 0, delta: content, ...more }] })
  const finished = delta({}, { finish_reason: "stop" }) +
    Http.event({ id: "c", model: "m", choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } })

  it.effect("deltas, comments, usage and [DONE] become chunks and one Finish", () =>
    Effect.gen(function*() {
      const double = Http.http(() =>
        Http.pieces([
          ": OPENROUTER PROCESSING\n\n",
          delta({ role: "assistant", content: "" }),
          delta({ content: "Here " }),
          delta({ content: "it is.", images: [{ type: "image_url", image_url: { url: dataUrl } }] }),
          finished,
          "data: [DONE]\n\n"
        ], { then: "stall" })
      )
      const chunks = yield* stream(double)
      assert.deepStrictEqual(chunks, [
        { _tag: "Text", text: "Here " },
        { _tag: "Text", text: "it is." },
        { _tag: "Image", mimeType: "image/png", bytes: Http.png },
        {
          _tag: "Finish",
          finishReason: "stop",
          usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
          endpoint: "openai",
          model: "m",
          responseId: "c"
        }
      ])
      assert.include(double.sent[0]?.body, "\"stream\":true")
    }))

  it.effect("a data URL cut over many deltas is one image", () =>
    Effect.gen(function*() {
      const text = `Look: ![image](${dataUrl}) nice`
      const deltas = (text.match(/.{1,7}/g) ?? []).map((content) => delta({ content }))
      const chunks = yield* stream(Http.http(() => Http.pieces([...deltas, finished])))
      assert.strictEqual(chunks.filter((chunk) => chunk._tag === "Image").length, 1)
      const words = chunks.map((chunk) => (chunk._tag === "Text" ? chunk.text : "")).join("")
      assert.strictEqual(words, "Look:  nice")
    }))

  it.effect("a link is fetched once it is complete", () =>
    Effect.gen(function*() {
      const double = Http.http((sent) =>
        sent.method === "GET"
          ? new Response(Http.png)
          : Http.pieces([delta({ content: "![i](https://cdn.exam" }), delta({ content: "ple/a.png)" }), finished])
      )
      const chunks = yield* stream(double)
      assert.deepStrictEqual(chunks.map((chunk) => chunk._tag), ["Image", "Finish"])
    }))

  it.effect("an answer that comes whole instead of as a stream is read all the same", () =>
    Effect.gen(function*() {
      const chunks = yield* stream(answering(chat({ content: dataUrl })))
      assert.deepStrictEqual(chunks.map((chunk) => chunk._tag), ["Image", "Finish"])
    }))

  const failing = (name: string, reply: () => Response, tag: string) =>
    it.effect(`${name} is ${tag}`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* Effect.flip(stream(Http.http(reply))))._tag, tag)
      }))
  failing("an error event", () =>
    Http.pieces([delta({ content: "Hi" }), Http.event({ error: { code: 502, message: "Provider returned error: overloaded" } })]), "Overloaded")
  failing("an event named error", () =>
    Http.pieces([`event: error\n${Http.event({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } })}`]), "Overloaded")
  failing("a stream without [DONE] and finish reason", () => Http.pieces([delta({ content: "Hi" })]), "Transient")
  failing("a cut event", () => Http.pieces([delta({ content: "Hi" }), "data: {\"choices\":[{\"de"]), "Transient")
  failing("finish reason error", () =>
    Http.pieces([delta({ content: "" }, { finish_reason: "error", error: { code: 503, message: "overloaded" } })]), "Overloaded")
})

describe("images/generations", () => {
  const options = { api: "images" } as const

  it.effect("several images are asked for in one exchange", () =>
    Effect.gen(function*() {
      const double = answering({ created: 1, data: [{ b64_json: data }, { b64_json: Http.base64(Http.jpeg) }], usage: { total_tokens: 5 } })
      const result = yield* generate(double, { ...request, count: 2, imageSize: "1024x1024" }, options)
      assert.strictEqual(double.sent[0]?.url, "https://relay.example/v1/images/generations")
      assert.deepStrictEqual(double.sent[0]?.json, {
        model: "gemini-3-pro-image-preview",
        prompt: "a red square",
        n: 2,
        size: "1024x1024",
        response_format: "b64_json"
      })
      assert.deepStrictEqual(Generated.images(result).map((image) => image.mimeType), ["image/png", "image/jpeg"])
      assert.strictEqual(result.finishReason, "stop")
    }))

  it.effect("a link is fetched", () =>
    Effect.gen(function*() {
      const double = answering({ data: [{ url: "https://cdn.example/no-extension" }] })
      assert.strictEqual(Generated.images(yield* generate(double, request, options)).length, 1)
    }))

  it.effect("models with few sizes get the nearest one, and those that always answer with bytes are not told to", () =>
    Effect.gen(function*() {
      const double = answering({ data: [{ b64_json: data }] })
      yield* generate(double, { ...request, model: "gpt-image-1", aspectRatio: "16:9" }, options)
      yield* generate(double, { ...request, model: "dall-e-3", aspectRatio: "9:16" }, options)
      assert.deepInclude(double.sent[0]?.json, { size: "1536x1024" })
      assert.notProperty(double.sent[0]?.json, "response_format")
      assert.deepInclude(double.sent[1]?.json, { size: "1024x1792", response_format: "b64_json" })
    }))

  it.effect("what it cannot express is refused before anything is sent", () =>
    Effect.gen(function*() {
      const double = answering({ data: [] })
      const images = [{ mimeType: "image/png", bytes: Http.png }]
      for (const more of [{ images }, { modalities: ["text"] as const }]) {
        const error = yield* Effect.flip(generate(double, { ...request, ...more }, options))
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.strictEqual(error.outcome, "not-started")
      }
      assert.strictEqual(double.sent.length, 0)
    }))

  it.effect("a stream of it is its one answer", () =>
    Effect.gen(function*() {
      const double = answering({ data: [{ b64_json: data }] })
      const service = yield* client(double, options)
      const chunks = yield* Stream.runCollect(service.stream(request))
      assert.deepStrictEqual([...chunks].map((chunk) => chunk._tag), ["Image", "Finish"])
    }))
})

describe("configuration", () => {
  it.effect("the environment gives key, base URL and model", () =>
    Effect.gen(function*() {
      const double = answering(chat({ content: dataUrl }))
      const env = { OPENAI_API_KEY: "k-123456", OPENAI_BASE_URL: "https://relay.example/api/v1/", OPENAI_MODEL: "nano" }
      yield* Effect.flatMap(GenerationClient, (service) => service.generate(request)).pipe(
        Effect.provide(OpenAiCompatible.layerConfig()),
        Effect.provide(double.layer),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env))))
      )
      assert.strictEqual(double.sent[0]?.url, "https://relay.example/api/v1/chat/completions")
      assert.strictEqual(double.sent[0]?.headers["authorization"], "Bearer k-123456")
      assert.deepInclude(double.sent[0]?.json, { model: "nano" })
    }))
})

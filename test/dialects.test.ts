/**
 * Proof of dialect: the providers' own SDKs make images from the overloaded model's server, and raise their own errors
 * from its faults. Only the loopback address is contacted.
 */
import { describe, expect, it } from "@effect/vitest"
import { ApiError, GoogleGenAI } from "@google/genai"
import type { GenerateContentResponse } from "@google/genai"
import { OverloadServer } from "@holdfast/testing/node"
import { Effect } from "effect"
import type { AuthClient } from "google-auth-library"
import OpenAI from "openai"
import { PNG } from "pngjs"

const model = "gemini-2.5-flash-image"
const key = "test-key-of-no-value"

const serve = OverloadServer.make({ speed: 2000, seed: 1, apiKey: key })

const width = (base64: string | undefined): number => PNG.sync.read(Buffer.from(base64 ?? "", "base64")).width

const call = <A>(run: () => Promise<A>): Effect.Effect<A, unknown> => Effect.tryPromise({ try: run, catch: (u) => u })

const fault = (name: string) => ({ "x-holdfast-fault": name })

/** A credential that is there already: nothing is looked up, nobody is asked. */
const fixedToken = (token: string) =>
  ({
    getRequestHeaders: () => Promise.resolve(new Headers({ authorization: `Bearer ${token}` })),
    getAccessToken: () => Promise.resolve({ token })
  }) as unknown as AuthClient

const developer = (url: string, apiKey = key) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url } })

const vertex = (url: string, token = key) =>
  new GoogleGenAI({
    vertexai: true,
    project: "a-project",
    location: "global",
    googleAuthOptions: { authClient: fixedToken(token) },
    httpOptions: { baseUrl: url }
  })

const express = (url: string) => new GoogleGenAI({ vertexai: true, apiKey: key, httpOptions: { baseUrl: url } })

const openai = (url: string, apiKey = key) => new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 })

const imageOf = (response: GenerateContentResponse): string | undefined =>
  response.candidates?.[0]?.content?.parts?.findLast((part) => part.inlineData !== undefined && part.thought !== true)
    ?.inlineData?.data

const request = { model, contents: "a red fox", config: { responseModalities: ["TEXT", "IMAGE"] } }

for (const [name, client] of [
  ["the Gemini Developer API", developer],
  ["Vertex AI with a token", vertex],
  ["Vertex AI in express mode", express]
] as const) {
  describe(`@google/genai, as for ${name}`, () => {
    it.scopedLive("makes an image that decodes, with usage and finish reason", () =>
      Effect.gen(function*() {
        const { counters, url } = yield* serve
        const response = yield* call(() =>
          client(url).models.generateContent({
            ...request,
            config: { ...request.config, imageConfig: { aspectRatio: "16:9", imageSize: "2K" } }
          })
        )
        expect(width(imageOf(response))).toBe(192)
        expect(response.candidates?.[0]?.finishReason).toBe("STOP")
        expect(response.usageMetadata?.candidatesTokenCount).toBeGreaterThan(1000)
        expect(response.modelVersion).toBe(model)
        const kind = name.startsWith("Vertex") ? "vertex" : "gemini"
        expect((yield* counters).byOperation).toEqual({ [`${kind}.generateContent`]: 1 })
      }))

    it.scopedLive("streams an image that decodes", () =>
      Effect.gen(function*() {
        const { url } = yield* serve
        const pieces = yield* call(async () => {
          const stream = await client(url).models.generateContentStream(request)
          const pieces: Array<GenerateContentResponse> = []
          for await (const piece of stream) pieces.push(piece)
          return pieces
        })
        expect(pieces[0]?.text).toBe("Here is the picture.")
        expect(width(pieces.map(imageOf).findLast((image) => image !== undefined))).toBe(128)
        expect(pieces.at(-1)?.candidates?.[0]?.finishReason).toBe("STOP")
      }))

    it.scopedLive("raises its own ApiError for 503, 429, 500 and an unreadable prompt", () =>
      Effect.gen(function*() {
        const { url } = yield* serve
        const failing = (headers: Record<string, string>, more: object = {}) =>
          Effect.flip(
            call(() =>
              client(url).models.generateContent({
                ...request,
                ...more,
                config: { ...request.config, httpOptions: { headers } }
              })
            )
          )
        for (const status of [503, 429, 500]) {
          const error = yield* failing(fault(String(status)))
          expect(error).toBeInstanceOf(ApiError)
          expect(error).toMatchObject({ status })
        }
        expect(String(yield* failing(fault("503")))).toContain("overloaded")
        expect(String(yield* failing(fault("429")))).toContain("RetryInfo")
        expect(yield* failing({}, { contents: [{ role: "user", parts: [{}] }] })).toMatchObject({ status: 400 })
        const streamed = yield* Effect.flip(
          call(() =>
            client(url).models.generateContentStream({
              ...request,
              config: { ...request.config, httpOptions: { headers: fault("503") } }
            })
          )
        )
        expect(streamed).toMatchObject({ name: "ApiError", status: 503 })
      }))

    it.scopedLive("meets an error in the middle of a stream as an error", () =>
      Effect.gen(function*() {
        const { url } = yield* serve
        const error = yield* Effect.flip(
          call(async () => {
            const stream = await client(url).models.generateContentStream({
              ...request,
              config: { ...request.config, httpOptions: { headers: fault("error-after-200") } }
            })
            for await (const piece of stream) void piece
          })
        )
        expect(String(error)).toMatch(/UNAVAILABLE|Incomplete JSON segment/)
      }))
  })
}

describe("@google/genai", () => {
  it.scopedLive("is told about drafts: the image is the last part that is no thought", () =>
    Effect.gen(function*() {
      const { url } = yield* serve
      const response = yield* call(() =>
        developer(url).models.generateContent({ ...request, model: "gemini-3-pro-image-preview" })
      )
      const parts = response.candidates?.[0]?.content?.parts ?? []
      expect(parts.map((part) => part.thought === true)).toEqual([false, true, true, false])
      expect(width(imageOf(response))).toBe(128)
    }))

  it.scopedLive("raises 401 for a wrong key and a wrong token, and sees a blocked prompt", () =>
    Effect.gen(function*() {
      const { url } = yield* serve
      for (const client of [developer(url, "wrong-key"), vertex(url, "wrong-token")]) {
        expect(yield* Effect.flip(call(() => client.models.generateContent(request)))).toMatchObject({ status: 401 })
      }
      const blocked = yield* call(() =>
        developer(url).models.generateContent({
          ...request,
          config: { ...request.config, httpOptions: { headers: fault("blocked") } }
        })
      )
      expect(blocked.promptFeedback?.blockReason).toBe("PROHIBITED_CONTENT")
      expect(blocked.candidates).toBeUndefined()
    }))
})

describe("openai", () => {
  const chat = { model: "nano-banana", messages: [{ role: "user" as const, content: "a red fox" }] }

  /** Relays put images beside the content; the SDK hands over what it does not know. */
  interface WithImages {
    readonly images?: ReadonlyArray<{ readonly image_url: { readonly url: string } }>
  }

  const png = (message: object | undefined): string | undefined =>
    (message as WithImages | undefined)?.images?.[0]?.image_url.url.replace("data:image/png;base64,", "")

  it.scopedLive("makes images that decode by images.generate, as bytes and as URLs", () =>
    Effect.gen(function*() {
      const { url } = yield* serve
      const made = yield* call(() =>
        openai(url).images.generate({ model: "gpt-image-1", prompt: "a red fox", n: 2, size: "1024x1536" })
      )
      expect(made.data?.map((image) => width(image.b64_json))).toEqual([128, 128])
      expect(made.usage?.output_tokens).toBeGreaterThan(1000)
      const hosted = yield* call(() =>
        openai(url).images.generate({ model: "dall-e-3", prompt: "a red fox", response_format: "url" })
      )
      const address = hosted.data?.[0]?.url ?? ""
      const file = yield* call(() => fetch(address).then((response) => response.arrayBuffer()))
      expect(PNG.sync.read(Buffer.from(file)).width).toBe(128)
    }))

  it.scopedLive("makes an image that decodes by chat.completions.create, unary and streamed", () =>
    Effect.gen(function*() {
      const { url } = yield* serve
      const unary = yield* call(() => openai(url).chat.completions.create(chat))
      expect(width(png(unary.choices[0]?.message))).toBe(128)
      expect(unary.choices[0]?.finish_reason).toBe("stop")
      expect(unary.usage?.total_tokens).toBeGreaterThan(1000)
      const chunks = yield* call(async () => {
        const stream = await openai(url).chat.completions.create({
          ...chat,
          stream: true,
          stream_options: { include_usage: true }
        })
        const chunks: Array<OpenAI.ChatCompletionChunk> = []
        for await (const chunk of stream) chunks.push(chunk)
        return chunks
      })
      const images = chunks.map((chunk) => png(chunk.choices[0]?.delta)).filter((image) => image !== undefined)
      expect(images.map(width)).toEqual([128])
      expect(chunks.map((chunk) => chunk.choices[0]?.finish_reason).filter((reason) => reason)).toEqual(["stop"])
      expect(chunks.at(-1)?.usage?.completion_tokens).toBeGreaterThan(1000)
    }))

  it.scopedLive("raises its own errors for 503, 429, 500, 401, 404 and 400", () =>
    Effect.gen(function*() {
      const { url } = yield* OverloadServer.make({ speed: 2000, apiKey: key, models: ["nano-banana"] })
      const failing = (headers: Record<string, string>, more: object = {}, apiKey = key) =>
        Effect.flip(call(() => openai(url, apiKey).chat.completions.create({ ...chat, ...more }, { headers })))
      const overloaded = yield* failing({ ...fault("503"), "x-holdfast-retry-after": "3" })
      expect(overloaded).toBeInstanceOf(OpenAI.InternalServerError)
      expect(overloaded).toMatchObject({ status: 503, code: "server_is_overloaded" })
      expect((overloaded as InstanceType<typeof OpenAI.APIError>).headers?.get("retry-after")).toBe("3")
      expect(yield* failing(fault("429"))).toBeInstanceOf(OpenAI.RateLimitError)
      expect(yield* failing(fault("500"))).toBeInstanceOf(OpenAI.InternalServerError)
      expect(yield* failing({}, {}, "wrong-key")).toBeInstanceOf(OpenAI.AuthenticationError)
      expect(yield* failing({}, { model: "unheard-of" })).toBeInstanceOf(OpenAI.NotFoundError)
      expect(yield* failing({}, { messages: [] })).toBeInstanceOf(OpenAI.BadRequestError)
      expect(yield* failing(fault("reset"))).toBeInstanceOf(OpenAI.APIConnectionError)
    }))

  it.scopedLive("raises an error from a frame in the middle of a stream", () =>
    Effect.gen(function*() {
      const { url } = yield* serve
      const error = yield* Effect.flip(
        call(async () => {
          const stream = await openai(url).chat.completions.create(
            { ...chat, stream: true },
            { headers: fault("error-after-200") }
          )
          for await (const chunk of stream) void chunk
        })
      )
      expect(error).toBeInstanceOf(OpenAI.APIError)
      expect(error).toMatchObject({ code: "server_is_overloaded" })
    }))

  it.scopedLive("lists the models", () =>
    Effect.gen(function*() {
      const { url } = yield* OverloadServer.make({ models: ["nano-banana"] })
      const page = yield* call(() => openai(url).models.list())
      expect(page.data.map(({ id }) => id)).toEqual(["nano-banana"])
    }))

  it.scopedLive("by its own default sends three attempts at an overloaded model, as the server counts them", () =>
    Effect.gen(function*() {
      const { counters, url } = yield* OverloadServer.make({
        speed: 2000,
        faults: [{ fault: "503", times: Infinity, retryAfter: 0.01 }]
      })
      const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1` })
      expect(yield* Effect.flip(call(() => client.chat.completions.create(chat)))).toMatchObject({ status: 503 })
      expect(yield* counters).toMatchObject({ requests: 3, rejected: 3 })
    }))
})

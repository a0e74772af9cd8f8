import { describe, expect, it } from "@effect/vitest"
import { OverloadServer } from "@holdfast/testing/node"
import { Cause, Effect, Exit, Redacted } from "effect"
import * as NodeHttp from "node:http"
import { PNG } from "pngjs"
import type * as Scenario from "../src/Scenario.js"

/** Enough room, and answers within some ten milliseconds. */
const quick: Scenario.Scenario = {
  hours: 1,
  noise: 0,
  svc: { mean: 10, cv: 0 },
  cancel: "queued",
  endpoints: [{ name: "direct", slots: 50, queue: 10, rej: [0, 0] }, { name: "relay", slots: 50 }]
}

const serve = (options: OverloadServer.Options = {}) =>
  OverloadServer.make({ scenario: quick, speed: 1000, ...options })

type Answer = { readonly status: number; readonly type: string; readonly headers: Headers; readonly text: string }

const prompt = "a fox under the northern lights"

const gemini = {
  contents: [{ role: "user", parts: [{ text: prompt }] }],
  generationConfig: { responseModalities: ["TEXT", "IMAGE"] }
}
const chat = { model: "nano-banana", messages: [{ role: "user", content: prompt }] }
const images = { model: "nano-banana", prompt, response_format: "b64_json" }

const paths = {
  gemini: "/v1beta/models/gemini-2.5-flash-image:generateContent",
  sse: "/v1beta/models/gemini-2.5-flash-image:streamGenerateContent?alt=sse",
  array: "/v1beta/models/gemini-2.5-flash-image:streamGenerateContent",
  vertex: "/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash-image:generateContent",
  chat: "/v1/chat/completions",
  images: "/v1/images/generations"
}

const post = (
  url: string,
  body: unknown,
  options: { readonly headers?: Record<string, string>; readonly millis?: number } = {}
): Effect.Effect<Answer, { readonly stage: "headers" | "body"; readonly text: string; readonly cause: unknown }> =>
  Effect.async((resume) => {
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(new Error("gave up")), options.millis ?? 5000)
    let text = ""
    let stage: "headers" | "body" = "headers"
    const run = async (): Promise<Answer> => {
      const response = await fetch(url, {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "content-type": "application/json", ...options.headers },
        signal: controller.signal
      })
      stage = "body"
      const decoder = new TextDecoder()
      for await (const piece of response.body ?? []) text += decoder.decode(piece as Uint8Array, { stream: true })
      const { headers, status } = response
      return { status, type: headers.get("content-type") ?? "", headers, text }
    }
    run()
      .then((answer) => resume(Effect.succeed(answer)), (cause: unknown) => resume(Effect.fail({ stage, text, cause })))
      .finally(() => clearTimeout(timer))
    return Effect.sync(() => controller.abort())
  })

const parse = (answer: Answer) => JSON.parse(answer.text)
const decodes = (base64: string) => PNG.sync.read(Buffer.from(base64, "base64")).width
const fromDataUrl = (url: string) => decodes(url.replace(/^data:image\/png;base64,/, ""))
const events = (answer: Answer) => {
  const blocks = answer.text.split(/\r?\n\r?\n/)
  return blocks.filter((block) => block.startsWith("data: ")).map((block) => block.slice(6))
}

describe("OverloadServer", () => {
  it.scopedLive("answers in the Gemini dialect: unary, SSE and as an array", () =>
    Effect.gen(function*() {
      const { url } = yield* serve()
      const unary = parse(yield* post(url + paths.gemini, gemini))
      const part = unary.candidates[0].content.parts[1]
      expect(part.inlineData.mimeType).toBe("image/png")
      expect(decodes(part.inlineData.data)).toBe(128)
      expect(unary).toMatchObject({
        candidates: [{ finishReason: "STOP", index: 0, content: { role: "model" } }],
        usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 1295, totalTokenCount: 1303 },
        modelVersion: "gemini-2.5-flash-image"
      })
      const sse = yield* post(url + paths.sse, gemini)
      expect(sse.type).toBe("text/event-stream")
      const [first, last] = events(sse).map((event) => JSON.parse(event))
      const text = { parts: [{ text: "Here is the picture." }], role: "model" }
      expect(first.candidates[0]).toEqual({ content: text, index: 0 })
      expect(last.candidates[0].finishReason).toBe("STOP")
      expect(last.candidates[0].content.parts[0].inlineData.data).toBe(part.inlineData.data)
      const array = parse(yield* post(url + paths.array, gemini))
      expect(array).toHaveLength(2)
      expect(array[1].candidates[0].content.parts[0].inlineData.data).toBe(part.inlineData.data)
    }))

  it.scopedLive("shows drafts as thoughts before the image, honours shape and count, and gives text alone too", () =>
    Effect.gen(function*() {
      const { url } = yield* serve()
      const pro = parse(yield* post(`${url}/v1beta/models/gemini-3-pro-image-preview:generateContent`, {
        ...gemini,
        generationConfig: {
          responseModalities: ["IMAGE"],
          candidateCount: 2,
          imageConfig: { aspectRatio: "16:9", imageSize: "2K" }
        }
      }))
      expect(pro.candidates).toHaveLength(2)
      const parts = pro.candidates[0].content.parts
      expect(parts.map((p: { thought?: boolean }) => p.thought === true)).toEqual([true, true, false])
      expect(decodes(parts[2].inlineData.data)).toBe(192)
      expect(parts[2].inlineData.data).not.toBe(pro.candidates[1].content.parts[2].inlineData.data)
      const several = parse(yield* post(url + paths.gemini, gemini, { headers: { "x-holdfast-images": "3" } }))
      expect(several.candidates[0].content.parts.filter((p: object) => "inlineData" in p)).toHaveLength(3)
      const onlyText = { ...gemini, generationConfig: { responseModalities: ["TEXT"] } }
      const text = parse(yield* post(url + paths.gemini, onlyText))
      expect(text.candidates[0].content.parts).toEqual([{ text: expect.stringMatching(/^(\w+ ){3}\w+\.$/) }])
    }))

  it.scopedLive("answers in the Vertex dialect, and asks for a role there", () =>
    Effect.gen(function*() {
      const { url } = yield* serve()
      const answer = parse(yield* post(url + paths.vertex, gemini))
      expect(decodes(answer.candidates[0].content.parts[1].inlineData.data)).toBe(128)
      expect(answer).toMatchObject({ usageMetadata: { trafficType: "ON_DEMAND" }, createTime: expect.any(String) })
      const express = `${url}/v1beta1/publishers/google/models/gemini-2.5-flash-image:streamGenerateContent?alt=sse`
      expect(events(yield* post(express, gemini))).toHaveLength(2)
      const refused = yield* post(url + paths.vertex, { contents: [{ parts: [{ text: "x" }] }] })
      expect([refused.status, parse(refused).error.status]).toEqual([400, "INVALID_ARGUMENT"])
    }))

  it.scopedLive("answers chat completions with the image in every place where relays put it, unary and streamed", () =>
    Effect.gen(function*() {
      const { url } = yield* serve()
      const ask = (placement: string, stream: boolean) =>
        post(url + paths.chat, { ...chat, stream }, { headers: { "x-holdfast-placement": placement } })
      const message = (placement: string) => Effect.map(ask(placement, false), (a) => parse(a).choices[0].message)
      const streamed = (placement: string) =>
        Effect.map(ask(placement, true), (a) => {
          const all = events(a)
          expect(all[all.length - 1]).toBe("[DONE]")
          return all.slice(0, -1).flatMap((e) => JSON.parse(e).choices).map((c: { delta: object }) => c.delta)
        })
      const png = (yield* message("images")).images[0].image_url.url
      expect(fromDataUrl(png)).toBe(128)
      const raw = png.replace("data:image/png;base64,", "")
      expect((yield* message("content-image-url")).content[1].image_url.url).toBe(png)
      expect((yield* message("content-image")).content[1].image).toBe(png)
      expect((yield* message("content-inline-data")).content[1].inlineData.data).toBe(raw)
      expect((yield* message("markdown")).content).toContain(`![image](${png})`)
      const hosted = /^!\[image\]\((http:.*\.png)\)$/m.exec((yield* message("markdown-url")).content)?.[1] ?? ""
      const bare = (yield* message("bare-url")).content
      for (const address of [hosted, bare]) {
        const file = yield* Effect.promise(() => fetch(address).then((r) => r.arrayBuffer()))
        expect(Buffer.from(file).toString("base64")).toBe(raw)
      }
      const apart = (yield* streamed("images")).flatMap((d) => ("images" in d ? d.images : []))
      expect(apart).toMatchObject([{ image_url: { url: png } }])
      const joined = (yield* streamed("markdown")).map((d) => ("content" in d ? d.content : "")).join("")
      expect(joined).toContain(`![image](${png})`)
      expect((yield* streamed("content-image-url")).flatMap((d) => ("content" in d ? d.content : []))).toContainEqual(
        expect.objectContaining({ image_url: { url: png } })
      )
      const inText = yield* post(url + paths.gemini, gemini, { headers: { "x-holdfast-placement": "markdown" } })
      expect(parse(inText).candidates[0].content.parts[1].text).toBe(`![image](${png})`)
    }))

  it.scopedLive("answers image generations as bytes or as a hosted URL, as many as asked for", () =>
    Effect.gen(function*() {
      const { counters, url } = yield* serve()
      const made = parse(yield* post(url + paths.images, { ...images, n: 2, size: "1024x1536" }))
      expect(made.data.map((d: { b64_json: string }) => decodes(d.b64_json))).toEqual([128, 128])
      const hosted = parse(yield* post(url + paths.images, { ...images, response_format: "url" }))
      const file = yield* Effect.promise(() => fetch(hosted.data[0].url).then((r) => r.arrayBuffer()))
      expect(PNG.sync.read(Buffer.from(file)).height).toBe(128)
      expect((yield* counters).files).toBe(1)
      expect((yield* Effect.promise(() => fetch(`${url}/files/none.png`))).status).toBe(404)
    }))

  it.scopedLive("refuses what the real ones refuse, each dialect in its own words", () =>
    Effect.gen(function*() {
      const { url } = yield* serve({ models: ["gemini-2.5-flash-image", "nano-banana"] })
      const notBase64 = { inlineData: { mimeType: "image/png", data: "data:,x" } }
      const cases: ReadonlyArray<readonly [string, unknown, number, object]> = [
        [paths.gemini, {}, 400, { status: "INVALID_ARGUMENT" }],
        [paths.gemini, { contents: [] }, 400, { status: "INVALID_ARGUMENT" }],
        [paths.gemini, { contents: [{ parts: [] }] }, 400, { status: "INVALID_ARGUMENT" }],
        [paths.gemini, "{not json", 400, { status: "INVALID_ARGUMENT" }],
        [paths.gemini, { ...gemini, imageConfig: {} }, 400, { message: expect.stringContaining("imageConfig") }],
        [paths.gemini, { ...gemini, generationConfig: { imageConfig: { aspectRatio: "7:5" } } }, 400, { code: 400 }],
        [paths.gemini, { contents: [{ parts: [notBase64] }] }, 400, { message: expect.stringContaining("base64") }],
        [paths.gemini.replace("v1beta", "v1"), gemini, 400, { message: expect.stringContaining("responseModalities") }],
        ["/v1beta/models/unheard-of:generateContent", gemini, 404, { status: "NOT_FOUND" }],
        ["/v1beta/models/x:embedContent", gemini, 404, { status: "NOT_FOUND" }],
        [paths.chat, {}, 400, { type: "invalid_request_error", param: "model" }],
        [paths.chat, { model: "nano-banana" }, 400, { param: "messages" }],
        [paths.chat, { ...chat, messages: [{ role: "king", content: "x" }] }, 400, { param: "messages[0].role" }],
        [paths.chat, { ...chat, n: 0 }, 400, { param: "n" }],
        [paths.chat, { ...chat, model: "unheard-of" }, 404, { code: "model_not_found" }],
        [paths.images, { model: "nano-banana" }, 400, { param: "prompt" }],
        [paths.images, { ...images, size: "big" }, 400, { param: "size" }],
        ["/v1/audio/speech", {}, 404, { type: "invalid_request_error" }]
      ]
      for (const [path, body, status, error] of cases) {
        const answer = yield* post(url + path, body)
        expect(answer.status, `${path} ${JSON.stringify(body)}`).toBe(status)
        expect(parse(answer).error, path).toMatchObject(error)
      }
      const array = yield* post(url + paths.array, {})
      expect(parse(array)).toMatchObject([{ error: { code: 400 } }])
      const badFault = yield* post(url + paths.chat, chat, { headers: { "x-holdfast-fault": "earthquake" } })
      expect([badFault.status, parse(badFault).error.param]).toEqual([400, "x-holdfast-fault"])
    }))

  it.scopedLive("asks for its key in the header of each dialect, and shows it nowhere", () =>
    Effect.gen(function*() {
      const key = "correct-horse-battery"
      const { counters, url } = yield* serve({ apiKey: Redacted.make(key) })
      const bearer = { authorization: `Bearer ${key}` }
      const google = { "x-goog-api-key": key }
      expect((yield* post(url + paths.gemini, gemini, { headers: google })).status).toBe(200)
      expect((yield* post(`${url}${paths.gemini}?key=${key}`, gemini)).status).toBe(200)
      expect((yield* post(url + paths.vertex, gemini, { headers: bearer })).status).toBe(200)
      expect((yield* post(url + paths.chat, chat, { headers: bearer })).status).toBe(200)
      for (const [path, body, error] of [
        [paths.gemini, gemini, { status: "UNAUTHENTICATED" }],
        [paths.vertex, gemini, { status: "UNAUTHENTICATED" }],
        [paths.chat, chat, { code: "invalid_api_key" }]
      ] as const) {
        const refused = yield* post(url + path, body, { headers: { authorization: "Bearer wrong" } })
        expect(refused.status).toBe(401)
        expect(parse(refused).error).toMatchObject(error)
      }
      const seen = JSON.stringify(yield* counters)
      for (const secret of [key, prompt, "wrong"]) expect(seen).not.toContain(secret)
    }))

  it.scopedLive("lists its models in both dialects", () =>
    Effect.gen(function*() {
      const { url } = yield* serve({ models: ["m-1"] })
      const get = (path: string, headers: Record<string, string> = {}) =>
        Effect.promise(() => fetch(url + path, { headers }).then((r) => r.json()))
      expect(yield* get("/v1/models")).toMatchObject({ object: "list", data: [{ id: "m-1" }] })
      expect(yield* get("/v1beta/models")).toMatchObject({ models: [{ name: "models/m-1" }] })
      expect(yield* get("/v1/models", { "x-goog-api-key": "k" })).toMatchObject({ models: [{ name: "models/m-1" }] })
    }))

  it.scopedLive("says 503, 429, 500 and 504 in each dialect, with the wait where the dialect has a place for it", () =>
    Effect.gen(function*() {
      const { url } = yield* serve()
      const hit = (path: string, body: unknown, fault: string) =>
        post(url + path, body, { headers: { "x-holdfast-fault": fault, "x-holdfast-retry-after": "1.25" } })
      for (const [path, body] of [[paths.gemini, gemini], [paths.vertex, gemini]] as const) {
        const overloaded = yield* hit(path, body, "503")
        expect(parse(overloaded).error).toMatchObject({
          code: 503,
          status: "UNAVAILABLE",
          message: expect.stringContaining("overloaded"),
          details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "1.25s" }]
        })
        expect(overloaded.headers.get("retry-after")).toBeNull()
        expect(parse(yield* hit(path, body, "429")).error).toMatchObject({
          code: 429,
          status: "RESOURCE_EXHAUSTED",
          details: [
            { violations: [{ quotaId: expect.stringContaining("PerMinute"), quotaValue: "10" }] },
            { retryDelay: "1.25s" }
          ]
        })
        expect(parse(yield* hit(path, body, "500")).error).toMatchObject({ code: 500, status: "INTERNAL" })
        expect(parse(yield* hit(path, body, "504")).error).toMatchObject({ code: 504, status: "DEADLINE_EXCEEDED" })
      }
      const overloaded = yield* hit(paths.chat, chat, "503")
      expect(overloaded.status).toBe(503)
      expect(parse(overloaded).error.message).toContain("overloaded")
      expect([overloaded.headers.get("retry-after"), overloaded.headers.get("retry-after-ms")]).toEqual(["2", "1250"])
      const limited = yield* hit(paths.chat, chat, "429")
      expect([limited.status, parse(limited).error.code]).toEqual([429, "rate_limit_exceeded"])
      expect((yield* hit(paths.chat, chat, "500")).status).toBe(500)
      expect(parse(yield* hit(paths.array, gemini, "503"))).toMatchObject([{ error: { code: 503 } }])
    }))

  for (const [name, path, body] of [
    ["Gemini unary", paths.gemini, gemini],
    ["Gemini SSE", paths.sse, gemini],
    ["Vertex", paths.vertex, gemini],
    ["OpenAI unary", paths.chat, chat],
    ["OpenAI stream", paths.chat, { ...chat, stream: true }],
    ["OpenAI images", paths.images, images]
  ] as const) {
    const stream = name === "Gemini SSE" || name === "OpenAI stream"
    it.scopedLive(`breaks the wire in every way by name: ${name}`, () =>
      Effect.gen(function*() {
        const { counters, url } = yield* serve()
        const hit = (fault: string, millis = 3000) =>
          post(url + path, body, { headers: { "x-holdfast-fault": fault }, millis })
        const broken = (fault: string, millis = 3000) => Effect.flip(hit(fault, millis))
        const good = yield* post(url + path, body)

        expect(yield* broken("reset")).toMatchObject({ stage: "headers", cause: { cause: { code: "ECONNRESET" } } })
        const [silent, mute, stalled] = yield* Effect.all(
          [broken("stall-headers", 400), broken("stall", 400), broken("stall-body", 400)],
          { concurrency: 3 }
        )
        expect(silent).toMatchObject({ stage: "headers", cause: { message: "gave up" } })
        expect(mute).toMatchObject({ stage: "body", text: "" })
        expect(stalled.stage).toBe("body")
        expect(stalled.text.length).toBeGreaterThan(good.text.length / 4)
        expect(stalled.text.length).toBeLessThan(good.text.length)
        const cut = yield* broken("cut-mid-chunk")
        expect(cut).toMatchObject({ stage: "body", cause: { cause: { code: "UND_ERR_SOCKET" } } })

        const dribbled = yield* hit("dribble")
        expect(dribbled.text.length).toBe(good.text.length)
        const late = yield* hit("error-after-200")
        expect(late.status).toBe(200)
        expect(late.text).toContain("overloaded")
        expect(/^data: .*overloaded/m.test(late.text)).toBe(name === "OpenAI stream")
        if (name === "Gemini SSE") expect(late.text).toMatch(/\n\{\n {2}"error": \{\n/)
        if (!stream) expect(parse(late)).toHaveProperty("error")

        const html = yield* hit("html")
        expect([html.status, html.type, html.text.slice(0, 5)]).toEqual([502, "text/html", "<!DOC"])
        expect(yield* hit("html-200")).toMatchObject({ status: 200, type: "text/html" })
        const mislabelled = yield* hit("wrong-content-type")
        expect([mislabelled.type, mislabelled.text.length]).toEqual(["text/plain", good.text.length])
        const malformed = yield* hit("malformed-json")
        expect(malformed.status).toBe(200)
        const last = stream ? (events(malformed).at(-1) ?? "") : malformed.text
        expect(() => JSON.parse(last)).toThrow(SyntaxError)
        const unfinished = yield* hit("missing-finish-reason")
        expect(unfinished.text).not.toMatch(/finishReason|finish_reason":"/)
        if (name !== "OpenAI images") expect(good.text).toMatch(/finishReason|finish_reason":"/)

        const empty = yield* hit("empty")
        expect(empty.status).toBe(200)
        expect(empty.text).not.toMatch(/[A-Za-z0-9+/]{200}/)
        expect(good.text).toMatch(/[A-Za-z0-9+/]{200}/)
        const blocked = yield* hit("blocked")
        expect(blocked.text).toMatch(/PROHIBITED_CONTENT|content_filter|moderation_blocked/)

        const seen = yield* counters
        expect(Object.values(seen.byFault).every((n) => n === 1)).toBe(true)
        expect(Object.keys(seen.byFault)).toHaveLength(14)
        expect(seen.requests).toBe(15)
        expect(seen.abandoned).toBe(3)
      }))
  }

  it.scopedLive("meets requests with its fault rules: a count, a chance, an endpoint, by option and by route", () =>
    Effect.gen(function*() {
      const always = { fault: "500", times: Infinity, endpoint: "relay" } as const
      const server = yield* serve({ faults: [{ fault: "503", times: 2 }, always] })
      const status = (url = server.url) => Effect.map(post(url + paths.chat, chat), (answer) => answer.status)
      expect([yield* status(), yield* status(), yield* status()]).toEqual([503, 503, 200])
      const relay = server.endpointUrl("relay")
      expect([yield* status(relay), yield* status(relay)]).toEqual([500, 500])
      yield* server.fault({ fault: "429", retryAfter: 7 })
      const limited = yield* post(server.url + paths.chat, chat)
      expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "7"])
      expect(yield* status()).toBe(200)
      const rules = [{ fault: "503", probability: 0.5, times: null }]
      expect((yield* post(`${server.url}/faults`, rules)).status).toBe(200)
      const many = yield* Effect.forEach(Array.from({ length: 100 }), () => status(), { concurrency: 10 })
      const failed = many.filter((s) => s === 503).length
      expect(failed).toBeGreaterThan(25)
      expect(failed).toBeLessThan(75)
      yield* Effect.promise(() => fetch(`${server.url}/faults`, { method: "DELETE" }))
      expect(yield* status()).toBe(200)
      const wrong = yield* post(`${server.url}/faults`, { fault: "earthquake" })
      expect([wrong.status, parse(wrong).error.message]).toEqual([400, expect.stringContaining("cut-mid-chunk")])
      expect((yield* post(`${server.url}/faults`, { fault: "503", endpoint: "mars" })).status).toBe(400)
    }))

  it.scopedLive("counts what it saw, by endpoint, status, fault, kind and request id, until it is reset", () =>
    Effect.gen(function*() {
      const { endpointUrl, url } = yield* serve({ faults: [{ fault: "503" }] })
      const as = (id: string) => ({ headers: { "x-holdfast-request-id": id } })
      yield* post(url + paths.chat, chat, as("one"))
      yield* post(url + paths.chat, chat, as("one"))
      yield* post(url + paths.gemini, gemini, as("two"))
      yield* post(endpointUrl("relay") + paths.vertex, gemini)
      yield* post(url + paths.chat, {})
      const get = Effect.promise(() => fetch(`${url}/counters`).then((r) => r.json()))
      const seen = yield* get
      expect(seen).toMatchObject({
        requests: 5,
        started: 3,
        completed: 3,
        rejected: 1,
        errors: 1,
        abandoned: 0,
        inFlight: 0,
        queued: 0,
        byEndpoint: { direct: { requests: 4, started: 2 }, relay: { requests: 1, started: 1 } },
        byStatus: { 200: 3, 400: 1, 503: 1 },
        byFault: { 503: 1 },
        byOperation: { "openai.chat": 3, "gemini.generateContent": 1, "vertex.generateContent": 1 },
        attempts: { one: 2, two: 1 }
      })
      yield* post(`${url}/reset`, {})
      const zero = { requests: 0, started: 0, completed: 0, byStatus: {}, byFault: {}, attempts: {} }
      expect(yield* get).toMatchObject(zero)
    }))

  it.scopedLive("lets the model refuse: capacity and quota reach the wire with their hints", () =>
    Effect.gen(function*() {
      const small: Scenario.Scenario = {
        ...quick,
        endpoints: [
          { name: "full", slots: 0, rej: [0, 0], retryAfter: true },
          { name: "limited", slots: 9, rej: [0, 0], rpm: 1, rpmRA: true },
          { name: "failing", slots: 9, rej: [0, 0], err: 1 },
          { name: "late", slots: 0, queue: 1, queueTimeout: 5 }
        ]
      }
      const { endpointUrl } = yield* serve({ scenario: small, speed: 100 })
      const hit = (endpoint: string, body: unknown = gemini, path = paths.gemini) =>
        post(endpointUrl(endpoint) + path, body)
      expect(parse(yield* hit("full")).error).toMatchObject({ code: 503, details: [{ retryDelay: "0.1s" }] })
      expect((yield* hit("limited")).status).toBe(200)
      const limited = parse(yield* hit("limited"))
      expect(limited.error.code).toBe(429)
      expect(parseFloat(limited.error.details[1].retryDelay)).toBeGreaterThan(0.1)
      expect(parseFloat(limited.error.details[1].retryDelay)).toBeLessThan(0.6)
      expect((yield* hit("failing")).status).toBe(500)
      expect(parse(yield* hit("late")).error).toMatchObject({ code: 503, message: expect.stringContaining("deadline") })
      const openai = yield* hit("full", chat, paths.chat)
      expect([openai.status, openai.headers.get("retry-after-ms")]).toEqual([503, "100"])
    }))

  it.scopedLive("notices that clients leave: a queued request gives up its place, a running one keeps its worker", () =>
    Effect.gen(function*() {
      const one = { ...quick, svc: { mean: 60, cv: 0 }, endpoints: [{ name: "direct", slots: 1, queue: 5 }] }
      const { counters, url } = yield* serve({ scenario: one, speed: 100 })
      const running = Effect.exit(post(url + paths.gemini, gemini, { millis: 100 }))
      const queued = Effect.exit(Effect.delay(post(url + paths.gemini, gemini, { millis: 100 }), 20))
      const watch = Effect.delay(counters, 70)
      const [, , during] = yield* Effect.all([running, queued, watch], { concurrency: 3 })
      expect(during).toMatchObject({ inFlight: 2, started: 1, queued: 1 })
      yield* Effect.sleep(60)
      expect(yield* counters).toMatchObject({ inFlight: 0, abandoned: 2, started: 1, completed: 0, queued: 0 })
      yield* Effect.sleep(500)
      expect(yield* counters).toMatchObject({ started: 1, completed: 1 })
    }))

  it.scopedLive("sends the head and the first words of a stream while the work goes on", () =>
    Effect.gen(function*() {
      const { url } = yield* serve({ speed: 50 })
      const gaps = yield* Effect.promise(async () => {
        const response = await fetch(url + paths.sse, { method: "POST", body: JSON.stringify(gemini) })
        const arrivals: Array<number> = []
        for await (const piece of response.body ?? []) {
          if ((piece as Uint8Array).length > 0) arrivals.push(performance.now())
        }
        return (arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)
      })
      expect(gaps).toBeGreaterThan(120)
    }))

  it.live("leaves no socket and no work behind when it is closed, also in the middle of everything", () =>
    Effect.gen(function*() {
      const agent = new NodeHttp.Agent({ keepAlive: true })
      const server = yield* Effect.scoped(
        Effect.gen(function*() {
          const server = yield* serve({ speed: 1 })
          for (const fault of ["stall-headers", "stall", "none"]) {
            const headers: Record<string, string> = fault === "none" ? {} : { "x-holdfast-fault": fault }
            yield* Effect.fork(Effect.exit(post(server.url + paths.sse, gemini, { headers })))
          }
          const idle = NodeHttp.get(`${server.url}/counters`, { agent }, (res) => res.resume())
          idle.on("error", () => {})
          yield* Effect.sleep(150)
          expect((yield* server.counters).openSockets).toBe(4)
          return server
        })
      )
      agent.destroy()
      expect(yield* server.counters).toMatchObject({ openSockets: 0, inFlight: 0 })
      const refused = yield* Effect.flip(post(server.url + paths.chat, chat))
      expect(refused).toMatchObject({ stage: "headers", cause: { cause: { code: "ECONNREFUSED" } } })
      yield* server.close
    }))

  it.scopedLive("fails with a ServeError on a port that is taken, and refuses illegal options by name", () =>
    Effect.gen(function*() {
      const { port } = yield* serve()
      expect(yield* Effect.flip(serve({ port }))).toMatchObject({ _tag: "ServeError" })
      const message = (options: OverloadServer.Options) =>
        Effect.map(Effect.exit(serve(options)), (exit) => {
          return Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "fine"
        })
      expect(yield* message({ port: 70000 })).toContain(`"port" must be`)
      expect(yield* message({ speed: -1 })).toContain(`"speed" must be`)
      expect(yield* message({ images: 0 })).toContain(`"images" must be`)
      expect(yield* message({ drafts: 9 })).toContain(`"drafts" must be`)
      expect(yield* message({ faults: [{ fault: "503", times: 0 }] })).toContain(`times" must be`)
      expect(yield* message({ scenario: { hours: 1, endpoints: [] } })).toContain("endpoints")
    }))
})

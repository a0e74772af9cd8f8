/**
 * Nothing that may be watched shows a key, a prompt, or an image: spans, logs, errors in every form in which they are
 * printed, and URLs. The provider is the worst one possible: it repeats everything that it was sent.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import type { Service } from "holdfast/GenerationClient"
import type * as GenerationError from "holdfast/GenerationError"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import { inspect } from "node:util"
import * as Gemini from "../src/Gemini.js"
import * as OpenAiCompatible from "../src/OpenAiCompatible.js"
import * as Vertex from "../src/Vertex.js"
import * as VertexCredentials from "../src/VertexCredentials.js"
import * as Http from "./support/doubles.js"

const keyMark = "MARKEDKEYq7zw3"
const promptMark = "MARKEDPROMPTv5kd"
const headerMark = "MARKEDHEADERt2ju"
const imageMark = Http.base64(Uint8Array.from([...Http.png, ...Array.from({ length: 2000 }, (_, index) => (index * 7919 + (index >> 3)) & 255)]))

const request: GenerationRequest = {
  prompt: `please draw ${promptMark} "now"\nthank you`,
  system: `system ${promptMark}`,
  images: [{ mimeType: "image/png", bytes: Uint8Array.from(atob(imageMark), (char) => char.charCodeAt(0)) }]
}

/** Everything that anybody could see. */
const recorder = () => {
  const seen: Array<string> = []
  const see = (...values: ReadonlyArray<unknown>): void => {
    for (const value of values) {
      seen.push(typeof value === "string" ? value : `${JSON.stringify(value)} ${inspect(value, { depth: 12 })} ${String(value)}`)
    }
  }
  const spans: Array<string> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      spans.push(name)
      see(name)
      const attributes = new Map<string, unknown>()
      const span: Tracer.Span = {
        _tag: "Span",
        name,
        spanId: `span-${spans.length}`,
        traceId: Option.match(parent, { onNone: () => "trace", onSome: ({ traceId }) => traceId }),
        parent,
        context,
        links,
        kind,
        sampled: true,
        attributes,
        status: { _tag: "Started", startTime },
        attribute: (key, value) => {
          attributes.set(key, value)
          see(key, value)
        },
        event: (event, _, values) => see(event, values),
        addLinks: () => {},
        end: (_, exit) => see(Exit.match(exit, { onFailure: (cause) => Cause.pretty(cause), onSuccess: () => "ok" }))
      }
      return span
    },
    context: (run) => run()
  })
  const logger = Logger.make((options) => {
    see(Logger.jsonLogger.log(options), Logger.logfmtLogger.log(options))
  })
  const layer = Layer.mergeAll(
    Layer.setTracer(tracer),
    Logger.add(logger),
    Logger.minimumLogLevel(LogLevel.All)
  )
  return { seen, see, spans, layer }
}

type Reply = (sent: Http.Sent) => Http.Reply
/** Headers and body as they are, and both once more as a URL would carry them. */
const echo = (sent: Http.Sent) =>
  `${JSON.stringify(sent.headers)} ${sent.body} ${
    encodeURIComponent(JSON.stringify(sent.headers) + sent.body.replaceAll(imageMark, ""))
  }`

const failures: Record<string, Reply> = {
  "400 with an echo": (sent) => Http.json({ error: { code: 400, message: `Bad: ${echo(sent)}`, status: "INVALID_ARGUMENT" } }, 400),
  "401 with an echo": (sent) => Http.json({ error: { code: 401, message: `Wrong key ${echo(sent)}`, reason: keyMark, status: "UNAUTHENTICATED" } }, 401),
  "503 with an echo": (sent) => Http.json({ error: { code: 503, message: `The model is overloaded. ${echo(sent)}`, status: "UNAVAILABLE" } }, 503),
  "an echo as code, status and reason": () =>
    Http.json({ error: { code: keyMark, type: promptMark, status: keyMark, message: "x", details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: promptMark, metadata: { k: keyMark } }] } }, 429),
  "an echo in text": (sent) => new Response(echo(sent), { status: 500, headers: { "content-type": "text/plain", "x-echo": keyMark } }),
  "an echo in HTML": (sent) => new Response(`<html><title>${echo(sent)}</title></html>`, { status: 502, headers: { "content-type": "text/html" } }),
  "200 with an echo that is no JSON": (sent) => new Response(echo(sent)),
  "200 with an error that echoes": (sent) => Http.json({ error: { message: echo(sent) } }),
  "a redirect with an echo": () => new Response(null, { status: 307, headers: { location: `https://x.example/?key=${keyMark}&p=${promptMark}` } }),
  "a failing network with an echo": (sent) =>
    Effect.fail(Object.assign(new TypeError(`fetch failed for ${echo(sent)}`), { cause: Object.assign(new Error(echo(sent)), { code: "ECONNRESET", request: sent }) })),
  "a body that breaks": (sent) => Http.pieces([`{"echo": ${JSON.stringify(echo(sent))}`], { then: "break" }),
  "a body that stalls": (sent) => Http.pieces([`{"echo": ${JSON.stringify(echo(sent))}`], { then: "stall" }),
  "a network that never answers": () => Effect.never,
  "a finish reason with an echo": (sent) =>
    Http.json({ candidates: [{ finishReason: `BAD ${echo(sent)}` }], choices: [{ message: { content: "no" }, finish_reason: `bad ${echo(sent)}` }] }),
  "a block reason with an echo": (sent) =>
    Http.json({ promptFeedback: { blockReason: echo(sent) }, choices: [{ message: { refusal: echo(sent) }, finish_reason: "content_filter" }] }),
  "a link with an echo": () =>
    Http.json({
      ...Http.gemini([{ text: `![x](http://127.0.0.1/${keyMark}/${promptMark})` }]),
      choices: [{ message: { content: `![x](http://127.0.0.1/${keyMark}/${promptMark})` }, finish_reason: "stop" }]
    }),
  "an error event in a stream": (sent) => Http.pieces([Http.event({ error: { code: 500, message: echo(sent) } })]),
  "raw JSON in a stream": (sent) => Http.pieces([JSON.stringify({ error: { code: 503, message: echo(sent) } }, null, 2)]),
  "an unreadable event in a stream": (sent) => Http.pieces([`data: {${echo(sent)}\n\n`])
}

const success: Reply = (sent) =>
  sent.method === "GET"
    ? new Response(Http.png)
    : sent.body.includes("\"stream\":true") || sent.url.includes("alt=sse")
      ? Http.pieces([
          Http.event({ ...Http.gemini([Http.inline(Http.png)]), choices: [{ delta: { images: [{ image_url: { url: `data:image/png;base64,${Http.base64(Http.png)}` } }] }, finish_reason: "stop" }] })
        ])
      : Http.json({
          ...Http.gemini([Http.inline(Http.png)]),
          choices: [{ message: { content: "![x](https://cdn.example/a.png)" }, finish_reason: "stop" }]
        })

const more = { headers: { "x-relay-token": Redacted.make(headerMark) } }
const clients: Record<string, Effect.Effect<Service, never, HttpClient.HttpClient>> = {
  Gemini: Gemini.make({ apiKey: Redacted.make(keyMark), ...more }),
  "Gemini with a bearer token": Gemini.make({ apiKey: Redacted.make(keyMark), auth: "bearer", tracePropagation: true, ...more }),
  Vertex: Effect.provide(Vertex.make({ project: "p", ...more }), VertexCredentials.layerToken(Redacted.make(keyMark))),
  "Vertex express": Effect.provide(Vertex.make(more), VertexCredentials.layerApiKey(Redacted.make(keyMark))),
  OpenAiCompatible: OpenAiCompatible.make({ apiKey: Redacted.make(keyMark), ...more })
}

/** Runs both calls against one behaviour, watched by everything there is. */
const watched = (make: Effect.Effect<Service, never, HttpClient.HttpClient>, reply: Reply) =>
  Effect.gen(function*() {
    const { layer, see, seen, spans } = recorder()
    const double = Http.http(reply)
    // A user who logs every request of the HTTP client. (What a provider answers is the provider's to say.)
    const nosy = double.client.pipe(
      HttpClient.tapRequest((outgoing) => Effect.logDebug("request", outgoing)),
      HttpClient.tap((response) => Effect.logDebug("request", response.request))
    )
    const service = yield* Effect.provideService(make, HttpClient.HttpClient, nosy)
    const outcome = (run: Effect.Effect<unknown, GenerationError.GenerationError>) =>
      Effect.either(run).pipe(
        Effect.tap((result) =>
          Effect.sync(() => {
            if (Either.isLeft(result)) {
              const error = result.left
              see(error, error.message, error.stack ?? "", Inspectable.format(error), Cause.pretty(Cause.fail(error), { renderErrorCause: true }))
            }
          })),
        Effect.tap((result) => Either.isLeft(result) ? Effect.logError("failed", Cause.fail(result.left)) : Effect.void),
        Effect.withSpan("attempt")
      )
    const fiber = yield* Effect.fork(
      Effect.all([outcome(service.generate(request)), outcome(Stream.runDrain(service.stream(request)))]).pipe(
        Effect.provide(layer)
      )
    )
    yield* TestClock.adjust("20 minutes")
    const results = yield* Fiber.join(fiber)
    return { results, all: seen.join("\n"), spans, sent: double.sent }
  })

const clean = (all: string, sent: ReadonlyArray<Http.Sent>) => {
  for (const [name, mark] of Object.entries({ keyMark, promptMark, headerMark, image: imageMark.slice(160, 190), imageEnd: imageMark.slice(-60, -30) })) {
    const at = all.indexOf(mark)
    assert.strictEqual(at, -1, `${name} is visible: …${all.slice(Math.max(0, at - 300), at + 80)}…`)
  }
  for (const { url } of sent) assert.notInclude(url, keyMark)
}

describe("secrets are out of sight", () => {
  for (const [name, make] of Object.entries(clients)) {
    it.effect(`${name}: in success`, () =>
      Effect.gen(function*() {
        const { all, results, sent, spans } = yield* watched(make, success)
        for (const result of results) assert.isTrue(Either.isRight(result))
        clean(all, sent)
        assert.isTrue(sent.some(({ headers }) => Object.values(headers).some((value) => value.includes(keyMark))))
        assert.isTrue(spans.every((span) => span === "attempt"), "no span of the HTTP client")
        for (const link of sent.filter(({ method }) => method === "GET")) {
          assert.deepStrictEqual(Object.keys(link.headers), ["accept"])
        }
        const traced = sent.filter(({ headers, method }) => method === "POST" && "traceparent" in headers)
        assert.strictEqual(traced.length, name.includes("bearer") ? 2 : 0)
      }))

    for (const [failure, reply] of Object.entries(failures)) {
      it.effect(`${name}: in ${failure}`, () =>
        Effect.gen(function*() {
          const { all, results, sent } = yield* watched(make, reply)
          for (const result of results) assert.isTrue(Either.isLeft(result), "it was to fail")
          clean(all, sent)
        }))
    }
  }

  it("the test sees what it looks for", () => {
    assert.throws(() => clean(`x${keyMark}`, []))
  })
})

import * as AiError from "@effect/ai/AiError"
import * as LanguageModel from "@effect/ai/LanguageModel"
import * as OpenAiClient from "@effect/ai-openai/OpenAiClient"
import * as OpenAiLanguageModel from "@effect/ai-openai/OpenAiLanguageModel"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import * as Policy from "holdfast/Policy"
import * as Rejected from "holdfast/Rejected"
import * as Timeout from "holdfast/Timeout"
import * as Retry from "holdfast/Retry"
import * as Classifier from "../src/Classifier.js"
import * as ResilientHttpClient from "../src/ResilientHttpClient.js"
import * as Http from "./support/doubles.js"

const overloaded = { error: { code: 503, message: "The model is overloaded. Please try again later.", status: "UNAVAILABLE" } }
const wrongKey = { error: { message: "Incorrect API key provided: sk-secret-key-12345678", code: "invalid_api_key", type: "invalid_request_error" } }

const threeAttempts = Retry.make({ schedule: Schedule.spaced("1 second"), maxAttempts: 3 })

const run = <A, E>(self: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(self)
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

const resilient = (double: Http.Double, options: Partial<ResilientHttpClient.Options> = {}) =>
  ResilientHttpClient.make({ policy: threeAttempts, ...options })(double.client)

describe("any HttpClient under a policy", () => {
  it.effect("retries what may pass and returns the answer", () =>
    Effect.gen(function*() {
      const double = Http.http((_, index) => (index < 2 ? Http.json(overloaded, 503) : Http.json({ ok: true })))
      const response = yield* run(resilient(double).get("https://api.example/x"))
      assert.deepStrictEqual(yield* response.json, { ok: true })
      assert.strictEqual(double.sent.length, 3)
    }))

  it.effect("gives up with a ResponseError that carries the classified error, its attempts, and the body", () =>
    Effect.gen(function*() {
      const double = Http.http(() => Http.json(overloaded, 503, { "x-request-id": "r-1" }))
      const error = yield* run(Effect.flip(resilient(double).get("https://api.example/x")))
      assert.isTrue(HttpClientError.isHttpClientError(error))
      if (error._tag !== "ResponseError") return assert.fail(error._tag)
      assert.strictEqual(error.reason, "StatusCode")
      assert.strictEqual(error.response.status, 503)
      assert.strictEqual(error.response.headers["x-request-id"], "r-1")
      assert.deepStrictEqual(yield* error.response.json, overloaded)
      const found = Option.getOrThrow(ResilientHttpClient.generationError(error))
      assert.strictEqual(found._tag, "Overloaded")
      assert.strictEqual(found.stoppedBy, "schedule")
      assert.strictEqual(found.attempts?.length, 3)
      assert.strictEqual(found.endpoint, "api.example")
    }))

  it.effect("does not retry what is fatal, and keeps the key out of it", () =>
    Effect.gen(function*() {
      const double = Http.http(() => Http.json(wrongKey, 401))
      const client = HttpClient.mapRequest(resilient(double), (request) => request)
      const error = yield* run(Effect.flip(client.get("https://api.example/x", { headers: { authorization: "Bearer sk-secret-key-12345678" } })))
      const found = Option.getOrThrow(ResilientHttpClient.generationError(error))
      assert.strictEqual(found._tag, "Unauthorized")
      assert.notInclude(JSON.stringify(found), "sk-secret-key-12345678")
      assert.strictEqual(double.sent.length, 1)
    }))

  it.effect("retries failures of the network and ends as a RequestError", () =>
    Effect.gen(function*() {
      const double = Http.http(() => Effect.fail(Object.assign(new Error("connect"), { code: "ECONNREFUSED" })))
      const error = yield* run(Effect.flip(resilient(double).get("https://api.example/x")))
      assert.strictEqual(error._tag, "RequestError")
      assert.strictEqual(Option.getOrThrow(ResilientHttpClient.generationError(error))._tag, "Transient")
      assert.strictEqual(double.sent.length, 3)
    }))

  it.effect("retries what an inner filterStatusOk has made an error of", () =>
    Effect.gen(function*() {
      const double = Http.http((_, index) => (index === 0 ? Http.json(overloaded, 503) : Http.json({ ok: true })))
      const client = ResilientHttpClient.make({ policy: threeAttempts })(HttpClient.filterStatusOk(double.client))
      assert.strictEqual((yield* run(client.get("https://api.example/x"))).status, 200)
    }))

  it.effect("returns the last answer to callers who read statuses themselves", () =>
    Effect.gen(function*() {
      const double = Http.http(() => Http.json(overloaded, 503))
      const response = yield* run(resilient(double, { onStatus: "return" }).get("https://api.example/x"))
      assert.strictEqual(response.status, 503)
      assert.deepStrictEqual(yield* response.json, overloaded)
      assert.strictEqual(double.sent.length, 3)
    }))

  it.effect("turns a policy's refusal into a RequestError with the refusal as its cause", () =>
    Effect.gen(function*() {
      const refusing = Policy.make<Rejected.CircuitOpen>({
        kind: "Refusing",
        apply: () => Effect.fail(new Rejected.CircuitOpen({ policy: "CircuitBreaker", policyName: "b", message: "open" })),
        applyStream: (self) => self
      })
      const double = Http.http(() => Http.json({}))
      const error = yield* Effect.flip(resilient(double, { policy: refusing }).get("https://api.example/x"))
      assert.strictEqual(error._tag, "RequestError")
      assert.strictEqual(Option.getOrThrow(ResilientHttpClient.rejected(error))._tag, "CircuitOpen")
      assert.isTrue(Option.isNone(ResilientHttpClient.generationError(error)))
      assert.strictEqual(double.sent.length, 0)
    }))

  it.effect("takes a policy that adds a timeout, which becomes a RequestError with ours as its cause", () =>
    Effect.gen(function*() {
      const double = Http.http(() => Effect.never)
      const policy = Timeout.make({ attempt: "5 seconds" })
      const error = yield* run(Effect.flip(resilient(double, { policy }).get("https://api.example/x")))
      assert.strictEqual(error._tag, "RequestError")
      assert.strictEqual(Option.getOrThrow(ResilientHttpClient.generationError(error))._tag, "Timeout")
    }))

  it.effect("reads no more of an error's body than the classifier does", () =>
    Effect.gen(function*() {
      const piece = "x".repeat(64 * 1024)
      const double = Http.http(() => Http.pieces(Array.from({ length: 100 }, () => piece), { status: 400, then: "stall" }))
      const error = yield* Effect.flip(resilient(double, { policy: Policy.identity }).get("https://api.example/x"))
      assert.isTrue(double.sent[0]?.signal.aborted)
      if (error._tag !== "ResponseError") return assert.fail(error._tag)
      assert.strictEqual((yield* error.response.arrayBuffer).byteLength, Classifier.maxErrorBodyBytes)
    }))

  it.effect("passes answers below 400 through unread", () =>
    Effect.gen(function*() {
      const double = Http.http(() => Http.pieces(["a", "b"], { status: 200 }))
      const response = yield* resilient(double).get("https://api.example/x")
      assert.strictEqual(yield* response.text, "ab")
    }))
})

describe("a client of @effect/ai", () => {
  const answer = {
    id: "resp_1",
    object: "response",
    created_at: 1,
    status: "completed",
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: null,
    model: "gpt-x",
    parallel_tool_calls: true,
    temperature: 1,
    top_p: 1,
    tool_choice: "auto",
    tools: [],
    output: [
      {
        id: "msg_1",
        type: "message",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: "hello", annotations: [], logprobs: [] }]
      }
    ],
    usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2, input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } }
  }
  const model = (double: Http.Double) =>
    OpenAiLanguageModel.layer({ model: "gpt-x" }).pipe(
      Layer.provide(
        OpenAiClient.layer({
          apiKey: Redacted.make("sk-secret-key-12345678"),
          transformClient: ResilientHttpClient.make({ policy: threeAttempts, dialect: "openai" })
        })
      ),
      Layer.provide(double.layer)
    )
  const ask = (double: Http.Double) =>
    run(Effect.provide(LanguageModel.generateText({ prompt: "Say hello" }), model(double)))

  it.effect("gets the answer through two overloads", () =>
    Effect.gen(function*() {
      const double = Http.http((_, index) => (index < 2 ? Http.json(overloaded, 503) : Http.json(answer)))
      const response = yield* ask(double)
      assert.strictEqual(response.text, "hello")
      assert.strictEqual(double.sent.length, 3)
    }))

  it.effect("still fails with its own error, which has the classified one inside", () =>
    Effect.gen(function*() {
      const double = Http.http(() => Http.json(overloaded, 503))
      const error = yield* Effect.flip(ask(double))
      assert.isTrue(AiError.isAiError(error))
      assert.strictEqual(double.sent.length, 3)
      const found = Option.getOrThrow(ResilientHttpClient.generationError(error))
      assert.strictEqual(found._tag, "Overloaded")
      assert.strictEqual(found.endpoint, "api.openai.com")
    }))

  it.effect("keeps the history of the attempts when it was the network that failed", () =>
    Effect.gen(function*() {
      const double = Http.http(() => Effect.fail(Object.assign(new Error("connect"), { code: "ECONNREFUSED" })))
      const found = Option.getOrThrow(ResilientHttpClient.generationError(yield* Effect.flip(ask(double))))
      assert.strictEqual(found._tag, "Transient")
      assert.strictEqual(found.attempts?.length, 3)
    }))
})

/** 07. A model of `@effect/ai`: its client is built on `HttpClient`, so a policy put there holds for the model too. */
import { LanguageModel } from "@effect/ai"
import { OpenAiClient, OpenAiLanguageModel } from "@effect/ai-openai"
import { FetchHttpClient } from "@effect/platform"
import { ResilientHttpClient } from "@holdfast/providers"
import { Console, Effect, Layer, Redacted } from "effect"
import { Backoff, Deadline, Policy, Retry } from "holdfast"

const policy = Policy.compose(
  Deadline.make({ duration: "2 minutes" }),
  Retry.make({ schedule: Backoff.exponential({ base: "20 millis" }), maxAttempts: 4 })
)

const Client = OpenAiClient.layer({
  apiKey: Redacted.make("no-key-needed"),
  apiUrl: "http://127.0.0.1/v1",
  transformClient: ResilientHttpClient.make({ policy, endpoint: "openai", dialect: "openai" })
})

/** Nothing here knows of retries. */
const answer = LanguageModel.generateText({ prompt: "What floats?" }).pipe(
  Effect.map(({ text }) => text),
  // An error of `@effect/ai` keeps the status, the body and, as its description, our class of it.
  Effect.catchTag("HttpResponseError", ({ description, response }) =>
    Effect.succeed(`no answer: ${response.status} ${description}`))
)

/** The provider's part: busy twice, then an answer in the form of its Responses API, then a key that was revoked. */
const statuses = [503, 503, 200, 401]
const provider: typeof fetch = () => {
  const status = statuses.shift() ?? 500
  const text = { type: "output_text", text: "A boat.", annotations: [], logprobs: [] }
  const ok = {
    id: "resp_1", object: "response", status: "completed", created_at: 0, model: "gpt-4o", output: [
      { id: "msg_1", type: "message", role: "assistant", status: "completed", content: [text] }
    ],
    error: null, incomplete_details: null, instructions: null, metadata: {}, parallel_tool_calls: true,
    temperature: 1, top_p: 1, tools: [], tool_choice: "auto"
  }
  const refusal = { error: { message: status === 503 ? "The model is overloaded" : "Incorrect API key provided" } }
  return Promise.resolve(Response.json(status === 200 ? ok : refusal, { status }))
}

const Live = Layer.provide(OpenAiLanguageModel.layer({ model: "gpt-4o" }), Client).pipe(
  Layer.provide(FetchHttpClient.layer),
  Layer.provide(Layer.succeed(FetchHttpClient.Fetch, provider))
)

const program = Effect.gen(function*() {
  yield* Console.log(yield* answer)
  yield* Console.log(yield* answer)
  yield* Console.log(`requests left unsent: ${statuses.length}`)
})

await Effect.runPromise(Effect.provide(program, Live))

import { FetchHttpClient } from "@effect/platform"
import { GoogleGenAI } from "@google/genai"
import { Classifier, Gemini, OpenAiCompatible } from "@holdfast/providers"
import * as Cockatiel from "cockatiel"
import { Effect, Layer, Redacted } from "effect"
import { Backoff, Bulkhead, CircuitBreaker, Deadline, Generated, Generation, GenerationCache } from "holdfast"
import { Policy, Retry, Telemetry, Timeout } from "holdfast"
import OpenAI from "openai"
import pRetry from "p-retry"

const key = "not-a-key"

/** What a call of one's own throws: all that came over the wire. */
export class HttpError extends Error {
  constructor(readonly status: number, readonly headers: Record<string, string>, readonly body: string) {
    super(`HTTP ${status}`)
  }
}

/** A call of one's own: it stays as it is. */
export const draw = async (send: typeof fetch, signal?: AbortSignal): Promise<string> => {
  const response = await send("https://relay.example/v1/images/generations", {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "nano-banana-pro", prompt: "a boat" }),
    ...(signal === undefined ? {} : { signal })
  })
  const body = await response.text()
  if (!response.ok) throw new HttpError(response.status, Object.fromEntries(response.headers), body)
  return (JSON.parse(body) as { data: [{ b64_json: string }] }).data[0].b64_json
}

/** Before: the loop that people paste. */
export const byHand = async (send: typeof fetch): Promise<string> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await draw(send)
    } catch (error) {
      if (!(error instanceof HttpError) || error.status !== 503 || attempt === 5) throw error
      const seconds = 2 ** attempt + Math.random()
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    }
  }
}

/** After: the same call, and what its errors mean. `signal` ends it when nobody waits any more. */
export const drawn = (send: typeof fetch) =>
  Effect.tryPromise({
    try: (signal) => draw(send, signal),
    catch: (error) =>
      error instanceof HttpError
        ? Classifier.classify({ status: error.status, headers: error.headers, body: error.body, secrets: [key] })
        : Classifier.fromException(error, { secrets: [key] })
  })

/** Each wait here has no jitter, so that the figures of the page are exact. Leave that option out. */
const schedule = Backoff.exponential({ base: "2 seconds", jitter: "none" })

const patient = Policy.compose(
  Deadline.make({ duration: "5 minutes" }),
  Retry.make({ schedule, maxAttempts: 5 }),
  Timeout.make({ attempt: "100 seconds" })
)

export const byPolicy = (send: typeof fetch) => Policy.with(patient, drawn(send))

/** Where the callers do not use Effect: a promise in front. */
export const promised = (send: typeof fetch, signal?: AbortSignal): Promise<string> =>
  Effect.runPromise(byPolicy(send), signal === undefined ? {} : { signal })

/** Before: p-retry. */
export const byPRetry = (send: typeof fetch): Promise<string> =>
  pRetry(() => draw(send), {
    retries: 4,
    minTimeout: 2000,
    shouldRetry: ({ error }) => error instanceof HttpError && (error.status === 429 || error.status >= 500)
  })

/** Before: cockatiel. */
export const cockatiel = () => {
  const busy = Cockatiel.handleType(HttpError, ({ status }) => status === 429 || status >= 500)
  const backoff = new Cockatiel.ExponentialBackoff({
    initialDelay: 2000,
    maxDelay: 60_000,
    generator: Cockatiel.noJitterGenerator
  })
  const policy = Cockatiel.wrap(
    Cockatiel.retry(busy, { maxAttempts: 4, backoff }),
    Cockatiel.circuitBreaker(busy, { halfOpenAfter: 15_000, breaker: new Cockatiel.ConsecutiveBreaker(8) }),
    Cockatiel.bulkhead(8, 32),
    Cockatiel.timeout(100_000, Cockatiel.TimeoutStrategy.Aggressive)
  )
  return (send: typeof fetch): Promise<string> => policy.execute(({ signal }) => draw(send, signal))
}

/** After: the same parts in the same order, made once and shared. */
export const parts = Effect.gen(function*() {
  const policy = Policy.compose(
    Deadline.make({ duration: "5 minutes" }),
    Retry.make({ schedule, maxAttempts: 5 }),
    yield* CircuitBreaker.make({ consecutiveFailures: 8, openFor: "15 seconds" }),
    yield* Bulkhead.make({ limit: 8, queue: 32 }),
    Timeout.make({ attempt: "100 seconds" })
  )
  return (send: typeof fetch) => Policy.with(policy, drawn(send))
})

/** Before: what `@google/genai` can be told. */
export const byGenAi = async (send: typeof fetch): Promise<string | undefined> => {
  const client = new GoogleGenAI({
    apiKey: key,
    httpOptions: { timeout: 100_000, retryOptions: { attempts: 5, initialDelay: 2 }, fetch: send }
  })
  const answer = await client.models.generateContent({ model: "gemini-3-pro-image-preview", contents: "a boat" })
  return answer.candidates?.[0]?.content?.parts?.find(({ inlineData }) => inlineData)?.inlineData?.data
}

/** Before: what `openai` can be told. */
export const byOpenAi = async (send: typeof fetch): Promise<string | undefined> => {
  const client = new OpenAI({
    apiKey: key,
    baseURL: "https://relay.example/v1",
    maxRetries: 4,
    timeout: 100_000,
    fetch: send
  })
  const answer = await client.images.generate({ model: "nano-banana-pro", prompt: "a boat" })
  return answer.data?.[0]?.b64_json
}

/** After, keeping the SDK without its retries: what it throws tells all that came over the wire. */
export const bySdk = (send: typeof fetch) => {
  const client = new OpenAI({ apiKey: key, baseURL: "https://relay.example/v1", maxRetries: 0, fetch: send })
  const attempt = Effect.tryPromise({
    try: (signal) => client.images.generate({ model: "nano-banana-pro", prompt: "a boat" }, { signal }),
    catch: (error) => {
      if (!(error instanceof OpenAI.APIError) || error.status === undefined) return Classifier.fromException(error)
      const { error: body, headers, status } = error as InstanceType<typeof OpenAI.APIError>
      return Classifier.classify({ dialect: "openai", status, headers: Object.fromEntries(headers ?? []), body })
    }
  })
  return Effect.map(Policy.with(patient, attempt), ({ data }) => data?.[0]?.b64_json)
}

/** After: the service, over a client of ours. Policies, cache and telemetry are layers around it. */
export const service = Generation.layer({
  policy: Policy.compose(Retry.make({ schedule, maxAttempts: 5 }), Timeout.make({ attempt: "100 seconds" })),
  deadline: "5 minutes"
}).pipe(Layer.provide([GenerationCache.layerMemory(), Telemetry.layer()]))

export const google = Gemini.layer({ apiKey: Redacted.make(key), model: "gemini-3-pro-image-preview" })

export const relay = OpenAiCompatible.layer({
  apiKey: Redacted.make(key),
  baseUrl: "https://relay.example/v1",
  api: "images",
  model: "nano-banana-pro"
})

/** `FetchHttpClient.Fetch` is the `fetch` option of the SDKs; left out, it is the global one. */
export const byService = (client: typeof google | typeof relay) => (send: typeof fetch) =>
  Generation.generate({ prompt: "a boat" }).pipe(
    Effect.map((result) => Generated.images(result)[0]?.bytes),
    Effect.provide(Layer.provide(service, client)),
    Effect.provide(FetchHttpClient.layer),
    Effect.provideService(FetchHttpClient.Fetch, send)
  )

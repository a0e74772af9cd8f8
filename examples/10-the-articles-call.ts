/** 10. The call of the article that everybody copies: chat/completions, base URL from the environment, its own loop. */
import { FetchHttpClient } from "@effect/platform"
import { OpenAiCompatible } from "@holdfast/providers"
import { OverloadServer } from "@holdfast/testing/node"
import { ConfigProvider, Console, Duration, Effect, Layer } from "effect"
import { Backoff, Generated, Generation, GenerationCache, GenerationClient, GenerationError } from "holdfast"
import { Policy, Retry, Telemetry, Timeout } from "holdfast"

const request = { model: "gemini-3-pro-image-preview", prompt: "A cute cat", aspectRatio: "16:9" }

/** The article: the bare client under its loop: 5 tries, 2^n + U(0, 1) seconds between them, only when overloaded. */
const article = Effect.retry(
  Effect.flatMap(GenerationClient.GenerationClient, (client) => client.generate(request)),
  Backoff.article
)

/** Ours: the server's own time is a floor, the wait is bounded by a deadline, and the error tells what was tried. */
const schedule = Backoff.exponential({ base: "2 seconds", cap: "1 minute" })
const retry = Retry.make({ schedule, attemptTime: "20 seconds" })
const policy = Policy.compose(retry, Timeout.make({ attempt: "3 minutes" }))
const ours = Effect.provide(Generation.generate(request), Generation.layer({ policy, deadline: "10 minutes" }))

const Live = Layer.mergeAll(
  OpenAiCompatible.layerConfig({ endpoint: "relay" }), // OPENAI_BASE_URL, OPENAI_API_KEY
  GenerationCache.layerMemory(),
  Telemetry.layer()
).pipe(Layer.provide(FetchHttpClient.layer))

const report = (name: string, result: Generated.Generated) =>
  Console.log(`${name}: ${Generated.images(result).map(({ mimeType }) => mimeType).join()}`)

const program = Effect.gen(function*() {
  yield* report("the article's loop", yield* article)
  yield* report("ours", yield* ours)
  // What each would do when the model stays overloaded: seen without waiting.
  const errors = Array.from({ length: 100 }, () => new GenerationError.Overloaded({ message: "overloaded" }))
  const bounded = Backoff.withinDeadline(schedule, { attempt: "20 seconds" })
  for (const [name, each] of [["the article's loop", Backoff.article], ["ours", bounded]] as const) {
    const { retries } = yield* Backoff.preview(each, { errors, attempt: "1 second", deadline: 600_000, seed: 1 })
    const last = Duration.format(Duration.seconds(Math.round((retries.at(-1)?.at ?? 0) / 1000)))
    yield* Console.log(`${name}: ${retries.length + 1} attempts, the last one ${last} after the first failure`)
  }
}).pipe(Effect.provide(Live))

/** An example costs nobody money unasked: a base URL beyond this machine counts only with HOLDFAST_LIVE=1. */
const base = process.env["OPENAI_BASE_URL"] ?? ""
const isMeant = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/.test(base) || process.env["HOLDFAST_LIVE"] === "1"
if (base !== "" && !isMeant) console.log("OPENAI_BASE_URL is left alone: set HOLDFAST_LIVE=1 to call it")

/** Without one: an overloaded model on this machine, 200 times as fast. */
const local = Effect.flatMap(OverloadServer.make({ speed: 200, faults: [{ fault: "503" }] }), (server) =>
  Effect.withConfigProvider(
    program,
    ConfigProvider.fromMap(new Map([["OPENAI_BASE_URL", `${server.url}/v1`], ["OPENAI_API_KEY", "none-needed"]]))
  ))

await Effect.runPromise(Effect.scoped(base !== "" && isMeant ? program : local))

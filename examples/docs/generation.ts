import { Effect, Layer, Stream } from "effect"
import { Backoff, CurrentCall, Generated, Generation, GenerationCache, GenerationClient } from "holdfast"
import { Policy, Retry, Telemetry, Timeout } from "holdfast"

/** The whole assembly: a client, a cache, telemetry, and the policy between them. */
export const live = (client: Layer.Layer<GenerationClient.GenerationClient>) =>
  Generation.layer({
    policy: Policy.compose(
      Retry.make({ schedule: Backoff.exponential({ base: "2 seconds" }), maxAttempts: 6, attemptTime: "20 seconds" }),
      Timeout.make({ attempt: "2 minutes" })
    ),
    deadline: "5 minutes"
  }).pipe(Layer.provide(Layer.mergeAll(client, GenerationCache.layerMemory(), Telemetry.layer())))

/** One result. */
export const cover = Effect.gen(function*() {
  const result = yield* Generation.generate({ prompt: "a lighthouse in a storm", aspectRatio: "16:9" })
  return { images: Generated.images(result), attempts: result.attempts.length, tokens: result.usage.totalTokens }
})

/** The same, part by part: text as it comes, whole images, one `Finish` at the end. */
export const tale = Generation.stream({ prompt: "a tale of the sea", modalities: ["text"] }).pipe(
  Stream.map((chunk) => (chunk._tag === "Text" ? chunk.text : "")),
  Stream.runFold("", (told, text) => told + text)
)

/** What policies should know and no request says: how urgent it is, and whose. */
export const nightly = Generation.generate({ prompt: "tomorrow's banner" }).pipe(
  CurrentCall.update({ workClass: "batch", tenant: "marketing", priority: -1 })
)

/** A routing policy of one's own: the second attempt goes to another endpoint. */
export const failOver = Policy.make({
  kind: "FailOver",
  apply: (self) =>
    Effect.flatMap(CurrentCall.current, (call) =>
      CurrentCall.update(self, { endpoint: call.attempt > 1 ? "relay" : "direct" })),
  applyStream: (self) =>
    Stream.unwrap(Effect.map(CurrentCall.current, (call) =>
      Policy.provideStream(self, { ...call, endpoint: call.attempt > 1 ? "relay" : "direct" })))
})

/** What outlives the attempt that starts it must not inherit its deadline. */
export const warmUp = (self: Effect.Effect<void>) => Effect.forkDaemon(CurrentCall.detached(self))

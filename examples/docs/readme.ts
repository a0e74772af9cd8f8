import { FetchHttpClient } from "@effect/platform"
import { Gemini } from "@holdfast/providers"
import { Effect, Layer } from "effect"
import { Backoff, Generated, Generation, GenerationCache, Policy, Retry, Telemetry, Timeout } from "holdfast"

const policy = Policy.compose(
  Retry.make({ schedule: Backoff.exponential({ base: "2 seconds", cap: "1 minute" }), attemptTime: "20 seconds" }),
  Timeout.make({ attempt: "3 minutes" })
)

const program = Generation.generate({ prompt: "a cute cat" }).pipe(
  Effect.map((result) => `${Generated.images(result).length} image, attempt ${result.attempts.length}`),
  Effect.catchTag("Overloaded", (error) => Effect.succeed(`still overloaded after ${error.attempts?.length} attempts`))
)

const Live = Generation.layer({ policy, deadline: "10 minutes" }).pipe(
  Layer.provide([Gemini.layerConfig(), GenerationCache.layerMemory(), Telemetry.layer()]),
  Layer.provide(FetchHttpClient.layer)
)

export const main = Effect.provide(program, Live)

/** 09. For code that does not use Effect: one object with a promise in front, an `AbortSignal`, and plain errors. */
import { Effect, Layer, ManagedRuntime } from "effect"
import { Backoff, Generated, Generation, GenerationCache, GenerationClient, GenerationError, Retry } from "holdfast"
import { type GenerationRequest, Telemetry } from "holdfast"

// Written once, next to the configuration. With a key: `Gemini.layerConfig()` instead of the script.
const overloaded = new GenerationError.Overloaded({ message: "busy" })
const policy = Retry.make({ schedule: Backoff.exponential({ base: "10 millis" }), maxAttempts: 4 })
const Live = Generation.layer({ policy, deadline: "2 minutes" }).pipe(
  Layer.provide(Layer.mergeAll(
    GenerationClient.layerTest([overloaded, "a red boat", overloaded, { _tag: "Hang" }]),
    GenerationCache.layerMemory(),
    Telemetry.layer()
  ))
)

class Images {
  private readonly runtime = ManagedRuntime.make(Live)

  /** Never rejects for what a generation can fail with: `error._tag` says what happened. */
  generate(request: GenerationRequest.GenerationRequest, options?: { readonly signal?: AbortSignal }) {
    return this.runtime.runPromise(
      Generation.generate(request).pipe(
        Effect.map((result) => ({ ok: true as const, result })),
        Effect.catchAll((error) => Effect.succeed({ ok: false as const, error }))
      ),
      options
    )
  }

  /** Ends what is under way and closes the layers. */
  close(): Promise<void> {
    return this.runtime.dispose()
  }
}

// From here on: no Effect.
const images = new Images()
const answer = await images.generate({ prompt: "what is this?", modalities: ["text"] })
if (answer.ok) console.log(`${Generated.text(answer.result)}, after ${answer.result.attempts.length} attempts`)
else console.log(`failed: ${answer.error._tag}`)

const gone = new AbortController()
setTimeout(() => gone.abort(), 100)
await images.generate({ prompt: "nobody waits for this" }, { signal: gone.signal })
  .catch(() => console.log("aborted: the attempt in flight was interrupted"))
await images.close()

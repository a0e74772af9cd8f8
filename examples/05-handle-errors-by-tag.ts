/** 05. `generate` fails with exactly `GenerationError | Rejected`, so the compiler knows what is left to handle. */
import { Console, Effect, Layer } from "effect"
import {
  Generated,
  Generation,
  GenerationCache,
  GenerationClient,
  GenerationError,
  Retry,
  Telemetry
} from "holdfast"

const describe = (prompt: string) =>
  Generation.generate({ prompt, modalities: ["text"] }).pipe(
    Effect.map(Generated.text),
    Effect.catchTags({
      // Giving up fails with the last error itself, which then tells the whole story.
      Overloaded: (error) => Effect.succeed(`busy (${error.attempts?.length} attempts, stopped by ${error.stoppedBy})`),
      ContentBlocked: () => Effect.succeed("please word it differently"),
      QuotaExhausted: (error) => Effect.succeed(`no quota until ${new Date(error.resetAt ?? 0).toISOString()}`),
      Timeout: (error) => Effect.succeed(`no answer (${error.phase}); the work may have been done: ${error.outcome}`),
      DeadlineExceeded: (refusal) => Effect.succeed(refusal.message)
    }),
    // What is left by now: other errors that a new attempt may cure, fatal errors, and refusals by policies.
    Effect.catchIf(GenerationError.isRetryable, (error) => Effect.succeed(`later: ${error._tag}`)),
    Effect.catchAll((error) => Effect.succeed(`${error._tag}: ${error.message}`))
  )

const against = (outcome: GenerationClient.Outcome) =>
  Generation.layer({ policy: Retry.make({ maxAttempts: 1 }), deadline: "50 millis" }).pipe(
    Layer.provide(Layer.mergeAll(
      GenerationClient.layerTest([outcome]),
      GenerationCache.layerNoop,
      Telemetry.layerNoop
    ))
  )

const outcomes: ReadonlyArray<GenerationClient.Outcome> = [
  "a red boat",
  new GenerationError.Overloaded({ message: "The model is overloaded" }),
  new GenerationError.ContentBlocked({ message: "refused" }),
  new GenerationError.QuotaExhausted({ message: "daily limit", resetAt: Date.UTC(2030, 0, 1) }),
  new GenerationError.Timeout({ message: "no answer's head within 3m", phase: "headers" }),
  { _tag: "Hang" },
  new GenerationError.RateLimited({ message: "10 a minute", retryAfter: "20 seconds" }),
  new GenerationError.Unauthorized({ message: "the key is not valid" })
]

const program = Effect.forEach(outcomes, (outcome) =>
  describe("what is on this picture?").pipe(
    Effect.provide(against(outcome)),
    Effect.flatMap((line) => Console.log(line))
  ))

await Effect.runPromise(program)

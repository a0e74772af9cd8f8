import { Effect } from "effect"
import { Backoff, Generation, GenerationError, Policy, Retry } from "holdfast"

export const retry = Retry.make({
  schedule: Backoff.exponential({ base: "2 seconds", cap: "1 minute" }),
  maxAttempts: 6,
  attemptTime: "20 seconds"
})

/** As the policy of all generations… */
export const layer = Generation.layer({ policy: retry, deadline: "3 minutes" })

/** …or around any effect that fails with generation errors: other errors pass. */
export const guarded = <A>(upload: Effect.Effect<A, GenerationError.GenerationError | Error>) =>
  Policy.with(retry, upload)

/** Some models now and then answer without the image: worth another try, by choice. */
export const alsoEmpty = Retry.make({
  retryOn: (error) =>
    GenerationError.isRetryable(error) || (GenerationError.isGenerationError(error) && error._tag === "EmptyResult")
})

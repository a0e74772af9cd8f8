import { Effect, Layer } from "effect"
import { Backoff, Deadline, Generation, GenerationCache, GenerationClient, Policy, Retry } from "holdfast"
import { Telemetry, Timeout } from "holdfast"
import { after, measure, overloaded } from "./support.js"

export const policy = Policy.compose(
  Deadline.make({ duration: "3 minutes" }),
  Retry.make({ maxAttempts: 6, attemptTime: "20 seconds" }),
  Timeout.make({ attempt: "100 seconds" })
)

// Delays of exactly 2, 4, 8, 16… s, so that the numbers can be checked.
const schedule = Backoff.exponential({ base: "2 seconds", jitter: "none", unknownOutcome: "always" })
const retry = (maxAttempts: number) => Retry.make({ schedule, maxAttempts })
const timeout = Timeout.make({ attempt: "30 seconds" })
const deadline = Deadline.make({ duration: "60 seconds" })

const hangs: ReadonlyArray<GenerationClient.Outcome> = [{ _tag: "Hang" }]
const busy: ReadonlyArray<GenerationClient.Outcome> = [after(10, overloaded)]

/** The rows of the tables in `docs/composition.md`: each pair of policies in both orders. */
export const orders = {
  "Retry > Timeout": () => measure(Policy.compose(retry(3), timeout), hangs),
  "Timeout > Retry": () => measure(Policy.compose(timeout, retry(3)), hangs),
  "Deadline > Retry": () => measure(Policy.compose(deadline, retry(6)), busy),
  "Retry > Deadline": () => measure(Policy.compose(retry(6), deadline), busy),
  "Retry (3) > Retry (4)": () => measure(Policy.compose(retry(3), retry(4)), busy),
  "Retry (4) > Retry (3)": () => measure(Policy.compose(retry(4), retry(3)), busy)
}

/** Ten callers ask for the same picture of a model that is busy twice: how many attempts are made? */
export const attemptsOfTen = (cache: Layer.Layer<GenerationCache.GenerationCache>) =>
  Effect.gen(function*() {
    yield* Effect.all(
      Array.from({ length: 10 }, () => Generation.generate({ prompt: "a boat" })),
      { concurrency: "unbounded" }
    )
    const { attempts } = yield* GenerationClient.Recorded
    return (yield* attempts).length
  }).pipe(
    Effect.provide(
      Layer.provideMerge(
        Generation.layer({ policy: retry(3) }),
        Layer.mergeAll(GenerationClient.layerTest([after(1, {})]), cache, Telemetry.layerNoop)
      )
    )
  )

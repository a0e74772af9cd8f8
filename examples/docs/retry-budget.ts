import { Effect, Layer } from "effect"
import { Backoff, Generation, type GenerationError, Retry, RetryBudget } from "holdfast"

/** One budget for the whole program: every retry policy that is given it pays from it. */
export const policy = Effect.map(RetryBudget.make(), (budget) =>
  Retry.make({
    schedule: Backoff.exponential({ base: "2 seconds", cap: "1 minute" }),
    maxAttempts: 6,
    budget
  }))

export const layer = Generation.layer({ policy, deadline: "3 minutes" })

/** A tenth of the requests may be retries, and nothing is free. */
export const strict = RetryBudget.make({ perRequest: 0.1, perSuccess: 0, floor: 0 })

/** Anything else that sends a further copy of the same work pays too, by a price of its own. */
export const secondCopy = <A>(
  budget: RetryBudget.RetryBudget,
  first: Effect.Effect<A, GenerationError.GenerationError>,
  other: Effect.Effect<A, GenerationError.GenerationError>
) =>
  Effect.race(
    first,
    Effect.delay(
      Effect.flatMap(budget.tryWithdraw(3), (granted) => (granted ? other : Effect.never)),
      "90 seconds"
    )
  )

/** Budgets of the same name are one, wherever they are made under the same store. */
export const sharedByName = Effect.all([RetryBudget.make({ name: "images" }), RetryBudget.make({ name: "images" })])

export const withStore = Layer.provide(
  Generation.layer({ policy: Effect.map(RetryBudget.make({ name: "images" }), (budget) => Retry.make({ budget })) }),
  RetryBudget.layerStoreMemory
)

/** Beside it: half a dollar for one generation. Even work that may have been billed is repeated, while that lasts. */
export const thrifty = Retry.make({
  unknownOutcome: "always",
  spend: {
    limit: 0.5,
    nextCost: 0.134,
    costOf: ({ error }) => (error?.outcome === "unknown" ? 0.134 : 0)
  }
})

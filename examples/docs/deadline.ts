import { Duration, Effect } from "effect"
import { Deadline, Generation, Policy, Retry } from "holdfast"

/** For every generation: outside of cache and policy. */
export const layer = Generation.layer({
  policy: Retry.make({ attemptTime: "20 seconds" }),
  deadline: "3 minutes"
})

/** For one piece of work made of several generations: the earlier of the two deadlines holds. */
export const bothPages = Policy.with(
  Deadline.make({ name: "comic", duration: "5 minutes" }),
  Effect.all([Generation.generate({ prompt: "page one" }), Generation.generate({ prompt: "page two" })])
)

/** What is left of it, inside: zero when it is over, infinite without a deadline. */
export const quality = Effect.map(Deadline.remaining, (left) => Duration.greaterThan(left, "90 seconds") ? "4K" : "1K")

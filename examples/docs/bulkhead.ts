import { Effect } from "effect"
import { Bulkhead, CurrentCall, Generation, Policy, Retry, Timeout } from "holdfast"

/** Inside the retry: a generation that waits for its next attempt holds no permit. */
export const policy = Effect.map(Bulkhead.make({ limit: 8, queue: 32 }), (bulkhead) =>
  Policy.compose(Retry.make(), bulkhead, Timeout.make({ attempt: "3 minutes" })))

export const layer = Generation.layer({ policy, deadline: "10 minutes" })

/** Follows what the endpoint can take; the newest calls first, since somebody still waits for those. */
export const adaptive = Bulkhead.make({
  limit: 4,
  aimd: { min: 1, max: 32 },
  order: "lifo",
  minTime: "20 seconds",
  maxWait: "2 minutes"
})

/** Whose call it is, and how urgent. */
export const preview = <A, E, R>(user: string, work: Effect.Effect<A, E, R>) =>
  CurrentCall.update(work, { tenant: user, priority: 1 })

/** More at night, without a restart: waiting calls come in at once. */
export const atNight = (bulkhead: Bulkhead.Bulkhead) => bulkhead.resize(16)

/** One line for each endpoint. */
export const report = (bulkhead: Bulkhead.Bulkhead) =>
  Effect.map(bulkhead.states, (states) =>
    [...states].map(([key, { inFlight, limit, queued }]) => `${key}: ${inFlight} of ${limit}, ${queued} waiting`))

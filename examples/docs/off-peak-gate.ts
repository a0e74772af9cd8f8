import { Effect } from "effect"
import { Backoff, CurrentCall, Deadline, type GenerationError, LoadProfile, OffPeak, Policy, Retry } from "holdfast"

const daily = LoadProfile.nanoBanana

/** Batch calls wait for a window; a person's calls pass. */
export const policy = Policy.compose(
  Deadline.make({ duration: "20 hours" }),
  OffPeak.gate(daily, { holds: "batch", spread: "1 hour" }),
  Retry.make({ schedule: Backoff.exponential().pipe(Backoff.upToAttempts(5), OffPeak.stretch(daily)) })
)

export const batch = <A, E>(call: Effect.Effect<A, E>) =>
  Policy.with(policy, call).pipe(CurrentCall.update({ workClass: "batch" }))

export const rightNow = <A, E>(call: Effect.Effect<A, E>) => OffPeak.urgent(batch(call))

/** Says when to come back, where the next window is more than two hours away. */
export const soon = <A>(call: Effect.Effect<A, GenerationError.GenerationError>) =>
  Policy.with(OffPeak.gate(daily, { maxDeferral: "2 hours", otherwise: "fail" }), call).pipe(
    Effect.catchTag("Shed", ({ retryAfter }) => Effect.succeed(retryAfter))
  )

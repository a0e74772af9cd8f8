import { Effect, Stream } from "effect"
import { CurrentCall, Deadline, type Generated, Generation, type GenerationError, Policy, RateLimit, Retry } from "holdfast"

/** What the provider's page says of the account, and the clock by which it counts days. */
export const limits = RateLimit.make({
  requestsPerMinute: 10,
  tokensPerMinute: 250_000,
  requestsPerDay: 250,
  zone: "America/Los_Angeles"
})

export const layer = Generation.layer({
  policy: Effect.map(limits, (limit) => Policy.compose(Retry.make(), limit)),
  deadline: "5 minutes"
})

/** Ten starts a minute, six seconds apart. */
export const queue = RateLimit.make({ requestsPerMinute: 10, mode: "spaced" })

/** Tokens are counted by an estimate, which the result puts right. */
export const estimated = (prompt: string) =>
  Generation.generate({ prompt }).pipe(CurrentCall.update({ tokens: 1300 + prompt.length / 4 }))

/** Any other window: a day that rolls, twenty in ten seconds but only two at once, five dollars an hour. */
export const others = RateLimit.make({
  limits: [
    { name: "images/rolling day", limit: 500, window: "1 day" },
    { name: "images/10s", limit: 20, window: "10 seconds", mode: "bucket", burst: 2 },
    { name: "cents/hour", limit: 500, window: "1 hour", counts: (call) => (call.model === "nano-pro" ? 24 : 4) }
  ]
})

/** Work that nobody waits for may wait for tomorrow's quota; a person's calls go first. */
export const patient = RateLimit.make({
  requestsPerDay: 250,
  zone: "America/Los_Angeles",
  maxWait: "36 hours",
  order: "priority"
})

/** Around any effect or stream: the value holds the state, so share it. */
export const guarded = (
  limit: RateLimit.RateLimit,
  upload: Effect.Effect<string, GenerationError.GenerationError>,
  story: Stream.Stream<Generated.Chunk, GenerationError.GenerationError>
) => Effect.zip(Policy.with(limit, upload), Stream.runCount(Policy.withStream(limit, story)))

/** Where it stands. */
export const report = (limit: RateLimit.RateLimit) =>
  Effect.map(limit.state, (keys) =>
    keys.flatMap(({ key, limits, waiting }) =>
      limits.map(({ limit, name, used }) => `${key} ${name}: ${used} of ${limit}, ${waiting} waiting`)))

/** A refusal says when to come back. */
export const impatient = (limit: RateLimit.RateLimit) =>
  Effect.void.pipe(
    limit.apply,
    Policy.with(Deadline.make({ duration: "10 seconds" })),
    Effect.catchTag("LimitExceeded", (refusal) => Effect.succeed(refusal.retryAfter))
  )

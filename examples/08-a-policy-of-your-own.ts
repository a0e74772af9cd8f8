/** 08. A policy of one's own: an allowance of so many calls for every stretch of time. */
import { Clock, Console, Duration, Effect, Either, Layer, Stream } from "effect"
import { Backoff, Generation, GenerationCache, GenerationClient, GenerationError, Policy } from "holdfast"
import { Rejected, Retry, Telemetry } from "holdfast"

/** State lives in the value that the effect makes, so make it once and share it. */
const allowance = (limit: number, window: Duration.DurationInput) =>
  Effect.map(Clock.currentTimeMillis, (now): Policy.Policy<Rejected.LimitExceeded> => {
    const length = Duration.toMillis(window)
    let since = now
    let used = 0
    // Looking and taking are one synchronous step: nobody else can come between.
    const take = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (now - since >= length) [since, used] = [now, 0]
      return used++ < limit ? Effect.void : Effect.fail(
        new Rejected.LimitExceeded({
          policy: "Allowance",
          policyName: "allowance",
          message: `more than ${limit} calls within ${Duration.format(window)}`,
          retryAfter: since + length - now
        })
      )
    })
    return Policy.make<Rejected.LimitExceeded>({
      kind: "Allowance",
      options: { limit, window: length },
      apply: (self) => Effect.zipRight(take, self),
      applyStream: (self) => Stream.unwrap(Effect.as(take, self))
    })
  })

// Inside the retry it counts attempts; outside it would count generations.
const retry = Retry.make({ schedule: Backoff.exponential({ base: "10 millis" }), maxAttempts: 4 })
const policy = Effect.map(allowance(3, "1 minute"), (limit) => Policy.compose(retry, limit))

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const Live = Generation.layer({ policy }).pipe(
  Layer.provide(Layer.mergeAll(
    GenerationClient.layerTest([overloaded, {}, overloaded]),
    GenerationCache.layerNoop,
    Telemetry.layerNoop
  ))
)

const program = Effect.gen(function*() {
  const first = yield* Generation.generate({ prompt: "a boat" })
  yield* Console.log(`first: ${first.attempts.length} attempts`)
  const second = yield* Effect.either(Generation.generate({ prompt: "another boat" }))
  if (Either.isLeft(second)) yield* Console.log(`second: ${second.left._tag}, ${second.left.message}`)
})

await Effect.runPromise(Effect.provide(program, Live))

import { Clock, Duration, Effect, Fiber, TestClock } from "effect"
import { Backoff, CurrentCall, Generation, GenerationError, Policy, Retry, Timeout } from "holdfast"
import * as Bulkhead from "holdfast/Bulkhead"

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

const retry = Retry.make({ schedule: Backoff.constant({ base: "20 seconds", jitter: "none" }), maxAttempts: 3 })
const timeout = Timeout.make({ attempt: "25 seconds" })
const bulkhead = Bulkhead.make({ limit: 2 })

/** The rows of the table in `docs/policies/bulkhead.md`: each pair of policies in both orders. */
export const orders = {
  "Retry > Bulkhead": Effect.map(bulkhead, (one) => Policy.compose(retry, one)),
  "Bulkhead > Retry": Effect.map(bulkhead, (one) => Policy.compose(one, retry)),
  "Bulkhead > Timeout": Effect.map(bulkhead, (one) => Policy.compose(one, timeout)),
  "Timeout > Bulkhead": Effect.map(bulkhead, (one) => Policy.compose(timeout, one))
}

/** Six calls at once, of 10 s each; with `busy` the first attempt of each is refused then. Seconds until all end. */
export const six = (policy: Policy.Policy<unknown>, busy: boolean) =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    let succeeded = 0
    const call = () => {
      let attempts = 0
      const attempt = Effect.suspend(() =>
        busy && attempts++ === 0 ? Effect.fail(new GenerationError.Overloaded({ message: "busy" })) : Effect.void)
      return Effect.zipRight(Effect.sleep("10 seconds"), attempt)
    }
    const one = Effect.suspend(() =>
      Effect.matchEffect(policy.apply(call()), {
        onSuccess: () => Effect.zipRight(Effect.sync(() => void succeeded++), Clock.currentTimeMillis),
        onFailure: () => Clock.currentTimeMillis
      }))
    const fiber = yield* Effect.fork(Effect.all([one, one, one, one, one, one], { concurrency: "unbounded" }))
    yield* TestClock.adjust("1 hour")
    const ends = yield* Fiber.join(fiber)
    return { succeeded, seconds: Duration.toSeconds(Duration.millis(Math.max(...ends) - start)) }
  })

import { Clock, Effect, Layer } from "effect"
import { Admission, Backoff, Balancer, Bulkhead, CircuitBreaker, CurrentCall, Deadline, Generation } from "holdfast"
import { GenerationCache, GenerationClient, GenerationError, Hedge, LoadProfile, OffPeak, Policy, RateLimit } from "holdfast"
import { Retry, RetryBudget, Telemetry, Timeout } from "holdfast"
import { after, type Callers, crowd, measure, type Model, overloaded } from "./support.js"

export const policy = Policy.compose(
  Deadline.make({ duration: "3 minutes" }),
  Retry.make({ maxAttempts: 6, attemptTime: "20 seconds" }),
  Timeout.make({ attempt: "100 seconds" })
)

// Delays of exactly 2, 4, 8, 16… s, so that the numbers can be checked.
const schedule = Backoff.exponential({ base: "2 seconds", jitter: "none", unknownOutcome: "always" })
const retry = (maxAttempts: number, budget?: RetryBudget.RetryBudget) => Retry.make({ schedule, maxAttempts, budget })
const timeout = Timeout.make({ attempt: "30 seconds" })
const deadline = Deadline.make({ duration: "60 seconds" })

const hangs: ReadonlyArray<GenerationClient.Outcome> = [{ _tag: "Hang" }]
const busy: ReadonlyArray<GenerationClient.Outcome> = [after(10, overloaded)]

/** The rows of the first table in `docs/composition.md`: one call, each pair of policies in both orders. */
export const orders = {
  "Retry > Timeout": () => measure(Policy.compose(retry(3), timeout), hangs),
  "Timeout > Retry": () => measure(Policy.compose(timeout, retry(3)), hangs),
  "Deadline > Retry": () => measure(Policy.compose(deadline, retry(6)), busy),
  "Retry > Deadline": () => measure(Policy.compose(retry(6), deadline), busy),
  "Retry (3) > Retry (4)": () => measure(Policy.compose(retry(3), retry(4)), busy),
  "Retry (4) > Retry (3)": () => measure(Policy.compose(retry(4), retry(3)), busy)
}

/** Refuses everything at once. */
const down: Model = Effect.succeed(Effect.fail(overloaded))

/** Answers after 10 s, but refuses the first attempt of a generation then. */
const refusesOnce: Model = Effect.succeed(
  Effect.gen(function*() {
    const { attempt } = yield* CurrentCall.current
    yield* Effect.sleep("10 seconds")
    if (attempt === 1) yield* overloaded
  })
)

/** The same, for six attempts in any minute; more of them are refused at once. */
const sixAMinute: Model = Effect.map(refusesOnce, (meet) => {
  const starts: Array<number> = []
  return Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    if (starts.filter((at) => at > now - 60_000).length >= 6) {
      return yield* new GenerationError.RateLimited({ message: "6 a minute" })
    }
    starts.push(now)
    yield* meet
  })
})

/** Works on two at a time, for 30 s each, whether or not the caller still waits; the others are refused after 1 s. */
const twoAtATime: Model = Effect.sync(() => {
  const ends: Array<number> = []
  return Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    if (ends.filter((at) => at > now).length >= 2) yield* Effect.delay(overloaded, "1 second")
    ends.push(now + 30_000)
    yield* Effect.sleep("30 seconds")
  })
})

const inTurn: Callers = { calls: 10, apart: "after", model: down }
const refusedOnce: Callers = { calls: 6, apart: 0, model: refusesOnce }
const together: Callers = { calls: 6, apart: 0, model: Effect.succeed(Effect.sleep("10 seconds")) }
const limited: Callers = { calls: 6, apart: 0, model: sixAMinute }
const tooMany: Callers = { calls: 40, apart: 5, model: twoAtATime }
const hundred: Callers = { calls: 100, apart: 1, model: down }

const spaced = Retry.make({ schedule: Backoff.constant({ base: "20 seconds", jitter: "none" }), maxAttempts: 3 })
const short = Timeout.make({ attempt: "25 seconds" })
const bulkhead = Bulkhead.make({ limit: 2 })
const rateLimit = RateLimit.make({ requestsPerMinute: 6 })

const crowded = (policy: Generation.Options["policy"]) => crowd(tooMany, { policy, deadline: "150 seconds" })

/** The rows of the second table in `docs/composition.md`: many calls, by what they meet and by order. */
export const crowds = {
  "10 in turn, all refused": {
    "Retry": () => crowd(inTurn, { policy: retry(6) }),
    "Retry > CircuitBreaker": () =>
      crowd(inTurn, { policy: Effect.map(CircuitBreaker.make(), (one) => Policy.compose(retry(6), one)) }),
    "CircuitBreaker > Retry": () =>
      crowd(inTurn, { policy: Effect.map(CircuitBreaker.make(), (one) => Policy.compose(one, retry(6))) })
  },
  "6 at once, each refused once": {
    "Retry > Bulkhead": () =>
      crowd(refusedOnce, { policy: Effect.map(bulkhead, (one) => Policy.compose(spaced, one)) }),
    "Bulkhead > Retry": () =>
      crowd(refusedOnce, { policy: Effect.map(bulkhead, (one) => Policy.compose(one, spaced)) })
  },
  "6 at once": {
    "Bulkhead > Timeout": () => crowd(together, { policy: Effect.map(bulkhead, (one) => Policy.compose(one, short)) }),
    "Timeout > Bulkhead": () => crowd(together, { policy: Effect.map(bulkhead, (one) => Policy.compose(short, one)) })
  },
  "6 at once, each refused once, 6 attempts a minute": {
    "Retry > RateLimit": () => crowd(limited, { policy: Effect.map(rateLimit, (one) => Policy.compose(spaced, one)) }),
    "RateLimit > Retry": () => crowd(limited, { policy: Effect.map(rateLimit, (one) => Policy.compose(one, spaced)) })
  },
  "40, room for a third": {
    "Retry": () => crowded(retry(6)),
    "Retry > Admission": () =>
      crowded(Effect.map(Admission.make(), (one) => Policy.compose(Retry.make({ schedule: one.schedule }), one))),
    "Admission > Retry": () => crowded(Effect.map(Admission.make(), (one) => Policy.compose(one, retry(6))))
  },
  "100, all refused": {
    "Retry": () => crowd(hundred, { policy: retry(6) }),
    "Retry with RetryBudget": () => crowd(hundred, { policy: Effect.map(RetryBudget.make(), (one) => retry(6, one)) })
  }
}

/** What `explain` finds to say against a timeout around a retry. */
export const { warnings } = Policy.explain(Policy.compose(Timeout.make({ attempt: "1 minute" }), Retry.make()))

/** A policy of each kind, in the recommended order. */
export const kinds: Effect.Effect<ReadonlyArray<Policy.Policy<unknown>>> = Effect.gen(function*() {
  const learner = yield* LoadProfile.learned()
  return [
    Deadline.make({ duration: "3 minutes" }),
    OffPeak.gate(LoadProfile.nanoBanana),
    Retry.make(),
    yield* Hedge.make(),
    yield* Balancer.make({ endpoints: [{ name: "google" }, { name: "relay" }] }),
    yield* Admission.make(),
    yield* rateLimit,
    yield* CircuitBreaker.make(),
    yield* bulkhead,
    Timeout.make({ attempt: "100 seconds" }),
    OffPeak.learn(learner)
  ]
})

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

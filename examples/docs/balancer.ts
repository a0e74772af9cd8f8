import { Effect } from "effect"
import { Admission, Balancer, Bulkhead, CircuitBreaker, Generation, Policy, RateLimit, Retry, Timeout } from "holdfast"

/** Two ways to one model. The relay is cheaper, and takes four calls at a time from us. */
export const policy = Effect.gen(function*() {
  const few = yield* Bulkhead.make({ name: "relay", limit: 4, queue: 0 })
  const balancer = yield* Balancer.make({
    endpoints: [
      { name: "google", model: "gemini-3-pro-image-preview" },
      { name: "relay", model: "nano-banana-pro", price: 0.6, tier: "flex", policy: few }
    ]
  })
  return Policy.compose(Retry.make(), balancer, Timeout.make({ attempt: "3 minutes" }))
})

export const layer = Generation.layer({ policy, deadline: "10 minutes" })

/** Each endpoint with what is its own: outermost the limit, then the breaker. */
export const guarded = Effect.gen(function*() {
  const limit = yield* RateLimit.make({ name: "relay", requestsPerMinute: 10, maxQueue: 0 })
  const breaker = yield* CircuitBreaker.make({ name: "relay", consecutiveFailures: 3 })
  return yield* Balancer.make({
    endpoints: [{ name: "google", weight: 3 }, { name: "relay", weight: 1, policy: Policy.compose(limit, breaker) }]
  })
})

/** Paced at each endpoint by what it accepts; the wait for its turn counts as latency, so that a queue is avoided. */
export const paced = Effect.gen(function*() {
  const admission = yield* Admission.make()
  const balancer = yield* Balancer.make({ endpoints: [{ name: "google" }, { name: "vertex" }, { name: "relay" }] })
  return Policy.compose(Retry.make({ schedule: admission.schedule }), balancer, admission)
})

/** For a status page: one line an endpoint. */
export const report = (balancer: Balancer.Balancer<unknown>) =>
  Effect.map(balancer.state, (states) =>
    [...states].map(([name, { because, inFlight, mode, share }]) => {
      const why = because === undefined ? "" : ` (${because})`
      return `${name}: ${mode}${why}, ${inFlight} in flight, ${Math.round(share * 100)} % of calls`
    }))

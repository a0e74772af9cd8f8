import { Effect, Fiber, Layer, TestClock } from "effect"
import { CircuitBreaker, CurrentCall, Generation, GenerationCache, GenerationClient } from "holdfast"
import { GenerationError, Policy, Retry, Telemetry, Timeout } from "holdfast"
import { Chaos, OverloadedModel, Scenario } from "@holdfast/testing"
import { OverloadServer } from "@holdfast/testing/node"

const overloaded = new GenerationError.Overloaded({ message: "busy", retryAfter: "7 seconds" })

/** Attempt after attempt takes the next outcome; the last one stays. */
export const script: ReadonlyArray<GenerationClient.Outcome> = [
  overloaded,
  { _tag: "After", delay: "30 seconds", outcome: overloaded },
  { _tag: "Hang" },
  { parts: [{ _tag: "Text", text: "a boat" }], usage: { outputTokens: 12 } }
]

/** Everything around the policy under test; `Recorded` tells what the client and the telemetry saw. */
export const layer = Generation.layer({ policy: Retry.make(), deadline: "1 minute" }).pipe(
  Layer.provideMerge(Layer.mergeAll(
    GenerationClient.layerTest(script),
    GenerationCache.layerNoop,
    Telemetry.layerTest
  ))
)

/** The body of an `it.effect` of `@effect/vitest`, which brings `TestClock` along. */
export const test = Effect.gen(function*() {
  const fiber = yield* Effect.fork(Effect.flip(Generation.generate({ prompt: "a boat" })))
  yield* TestClock.adjust("1 minute")
  const error = yield* Fiber.join(fiber)
  const seen = yield* GenerationClient.Recorded
  const told = yield* Telemetry.Recorded
  return { error, attempts: yield* seen.attempts, events: yield* told.events }
})

/** Load as a provider has it, in virtual time: at three times the peak, most attempts are refused. */
export const rush = Effect.gen(function*() {
  const model = yield* OverloadedModel.make(Scenario.builtIn.peak, { seed: 1 })
  const calls = Array.from({ length: 60 }, (_, n) => Effect.either(model.submit({ requestId: n })))
  const fiber = yield* Effect.fork(Effect.all(calls, { concurrency: "unbounded" }))
  yield* TestClock.adjust("10 minutes")
  return { answers: yield* Fiber.join(fiber), counters: yield* model.counters }
})

/** One call in five is late, one in ten fails: innermost, where the provider would be at fault. */
export const drill = (enabled: Effect.Effect<boolean>) =>
  Policy.compose(
    Retry.make(),
    Timeout.make({ attempt: "30 seconds" }),
    Chaos.latency({ enabled, rate: 0.2, latency: { min: "5 seconds", max: "40 seconds" } }),
    Chaos.fault({
      enabled,
      rate: 0.1,
      fault: [
        { fault: new GenerationError.Overloaded({ message: "no room, on purpose" }), weight: 3 },
        { fault: new GenerationError.Transient({ message: "reset, on purpose" }), weight: 1 }
      ]
    })
  )

/** For one tenant's calls, and no others. */
export const drilled = drill(Effect.map(CurrentCall.current, ({ tenant }) => tenant === "staging"))

/** Answers without the image, half of the time; and something of the outside world, before every hundredth call. */
export const odd = (rotate: Effect.Effect<void>) =>
  Policy.compose(
    Chaos.outcome({ enabled: true, rate: 0.5, where: Chaos.isGenerated, patch: () => ({ parts: [] }) }),
    Chaos.behaviour({ enabled: true, rate: 0.01, behaviour: rotate })
  )

/** In a test, a breaker that takes the fault for a real one. */
export const tripped = Effect.gen(function*() {
  const breaker = yield* CircuitBreaker.make({ consecutiveFailures: 3 })
  const chaos = Chaos.fault({ enabled: true, rate: 1, fault: overloaded, mark: false })
  const policy = Policy.compose(breaker, chaos)
  for (let n = 0; n < 3; n++) yield* Effect.flip(policy.apply(Effect.void))
  return yield* breaker.state
})

/** The same model behind HTTP, for clients: over real sockets, hence under the live clock (`it.scopedLive`). */
export const server = Effect.gen(function*() {
  const { counters, url } = yield* OverloadServer.make({ speed: 500, faults: [{ fault: "503", retryAfter: 1 }] })
  const ask = () =>
    fetch(`${url}/v1/images/generations`, { method: "POST", body: JSON.stringify({ model: "any", prompt: "a boat" }) })
  const statuses = [(yield* Effect.promise(ask)).status, (yield* Effect.promise(ask)).status]
  return { statuses, requests: (yield* counters).requests }
})

/** 02. Work that can wait moves to hours with capacity: the night's low for a batch, at once for a person. */
import { Clock, Console, Effect, Fiber, Layer, TestClock, TestContext } from "effect"
import { Backoff, CurrentCall, Generation, GenerationCache, GenerationClient, LoadProfile, OffPeak } from "holdfast"
import { Policy, Retry, Telemetry } from "holdfast"

// 00-06 UTC low, 06-12 medium, 12-18 peak, 18-24 high. Your own: `LoadProfile.make`, or `LoadProfile.learned`.
const profile = LoadProfile.nanoBanana

const policy = Policy.compose(
  // Only batch work waits, and not all of it for the stroke of midnight.
  OffPeak.gate(profile, { holds: "batch", spread: "30 minutes" }),
  // Who must work at peak hours is more patient there: longer delays, more attempts.
  Retry.make({ schedule: Backoff.exponential().pipe(Backoff.upToAttempts(4), OffPeak.stretch(profile)) })
)

const Live = Generation.layer({ policy }).pipe(
  Layer.provideMerge(Layer.mergeAll(GenerationClient.layerTest(), GenerationCache.layerNoop, Telemetry.layer()))
)

const time = (at: number) => new Date(at).toISOString().slice(11, 16)
const catalogue = Array.from({ length: 200 }, (_, n) => ({ prompt: `product ${n}` }))

const program = Effect.gen(function*() {
  const batch = yield* Effect.forEach(catalogue, Generation.generate, { concurrency: "unbounded" }).pipe(
    CurrentCall.update({ workClass: "batch" }),
    Effect.fork
  )
  const visitor = yield* Effect.fork(Generation.generate({ prompt: "somebody waits for this" }))

  // A nightly job is the same under `Effect.repeat`: the first run now, then one in each low window.
  const nights: Array<string> = []
  const tidy = Effect.map(Clock.currentTimeMillis, (now) => void nights.push(new Date(now).toISOString().slice(0, 10)))
  yield* Effect.fork(Effect.repeat(tidy, OffPeak.defer(profile, { under: "repeat", spread: 0 })))

  yield* TestClock.adjust("3 days")
  yield* Fiber.join(visitor)
  yield* Fiber.join(batch)

  const { attempts } = yield* GenerationClient.Recorded
  const [first, ...rest] = (yield* attempts).map(({ at }) => at)
  const tenMinutes = [0, 10, 20].map((from) =>
    rest.filter((at) => Math.floor(new Date(at).getUTCMinutes() / 10) * 10 === from).length)
  yield* Console.log(`visitor: at ${time(first ?? 0)}`)
  yield* Console.log(`batch: from ${time(Math.min(...rest))} to ${time(Math.max(...rest))}, ${tenMinutes.join(" + ")}`)
  yield* Console.log(`tidied on ${nights.join(", ")}`)
})

// Virtual time: three days pass in a moment. A real program leaves the test context out.
const atPeak = Effect.zipRight(TestClock.setTime(Date.UTC(2026, 0, 5, 14, 5)), program)
await Effect.runPromise(atPeak.pipe(Effect.provide(Live), Effect.provide(TestContext.TestContext)))

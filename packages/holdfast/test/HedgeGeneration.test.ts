/** Hedged generations: both copies are remembered, counted and told of, the one that lost included. */
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Layer, Metric, Stream } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as Hedge from "holdfast/Hedge"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"
import * as Telemetry from "holdfast/Telemetry"
import { inTime } from "../../../test/support/copies.js"

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const after = (seconds: number, outcome: GenerationClient.Outcome): GenerationClient.Outcome => ({
  _tag: "After",
  delay: seconds * 1000,
  outcome
})

const over = (script: ReadonlyArray<GenerationClient.Outcome>, policy: Generation.Options["policy"]) =>
  Layer.provide(Generation.layer({ policy }), [GenerationClient.layerTest(script), GenerationCache.layerNoop])

const layers = (
  script: ReadonlyArray<GenerationClient.Outcome>,
  policy: Generation.Options["policy"] = Hedge.make({ delay: "10 seconds" })
) => Layer.provideMerge(over(script, policy), Telemetry.layerTest)

const events = Effect.flatMap(Telemetry.Recorded, (recorded) => recorded.events)

const twice = Retry.make({ maxAttempts: 2, schedule: Backoff.constant({ base: "2 seconds", jitter: "none" }) })

/** How attempts ended, in that order. */
const endings = (events: ReadonlyArray<Telemetry.TelemetryEvent>) =>
  events.flatMap((event) =>
    event._tag === "AttemptEnded" ? [`${event.attempt} at ${event.endpoint}: ${event.ending._tag}`] : [])

/** Sends each copy to the first endpoint that none was sent to. */
const router = Policy.make({
  kind: "Router",
  apply: (self) =>
    Effect.flatMap(CurrentCall.current, ({ taken }) => {
      const endpoint = ["relay", "direct"].find((name) => taken?.has(name) !== true)
      if (endpoint !== undefined) taken?.add(endpoint)
      return CurrentCall.update(self, { endpoint })
    }),
  applyStream: (self) => self
})

describe("a hedged generation", () => {
  it.effect("remembers both attempts, the one that lost as abandoned", () =>
    Effect.gen(function*() {
      const { exit } = yield* inTime(Generation.generate({ prompt: "a boat" }))
      const { attempts } = yield* exit
      // In the order of their ends.
      expect(attempts).toMatchObject([
        { number: 2, startedAt: 10_000, duration: Duration.seconds(5) },
        {
          number: 1,
          startedAt: 0,
          duration: Duration.seconds(15),
          error: { _tag: "Timeout", phase: "attempt", outcome: "unknown" }
        }
      ])
      expect(attempts[0]?.error).toBeUndefined()
    }).pipe(Effect.provide(layers([{ _tag: "Hang" }, after(5, {})]))))

  it.effect("tells of the copy, and of the end of each attempt", () =>
    Effect.gen(function*() {
      yield* inTime(Generation.generate({ prompt: "a boat" }))
      const seen = yield* events
      expect(seen.map(({ _tag, at }) => `${_tag} ${at}`)).toEqual([
        "GenerationStarted 0",
        "AttemptStarted 0",
        "HedgeStarted 10000",
        "AttemptStarted 10000",
        "AttemptEnded 15000",
        "AttemptEnded 15000",
        "GenerationEnded 15000"
      ])
      expect(seen[2]).toEqual({
        _tag: "HedgeStarted",
        generation: seen[0]?.generation,
        at: 10_000,
        policy: "tail",
        attempt: 2,
        endpoint: "relay",
        delay: Duration.seconds(10)
      })
      expect(seen[6]).toMatchObject({ attempts: 2, ending: { _tag: "Success" } })
      expect(endings(seen)).toEqual(["2 at direct: Success", "1 at relay: Interrupted"])
    }).pipe(
      Effect.provide(layers(
        [{ _tag: "Hang" }, after(5, { endpoint: "direct" })],
        Effect.map(Hedge.make({ name: "tail", delay: "10 seconds" }), (hedge) => Policy.compose(hedge, router))
      ))
    ))

  it.effect("is counted in the metrics: the hedge, and both attempts", () =>
    Effect.gen(function*() {
      const count = (metric: Metric.Metric.Counter<number>, labels: Readonly<Record<string, string>>) =>
        Effect.map(
          Metric.value(Object.entries(labels).reduce((tagged, [key, value]) => Metric.tagged(tagged, key, value), metric)),
          (state) => state.count
        )
      const all = Effect.all([
        count(Telemetry.metrics.hedges, { endpoint: "default" }),
        count(Telemetry.metrics.attempts, { endpoint: "default", model: "hedged", result: "interrupted" }),
        count(Telemetry.metrics.attempts, { endpoint: "test", model: "hedged", result: "success" })
      ])
      const before = yield* all
      const answer = { endpoint: "test", model: "hedged" }
      const policy = Hedge.make({ delay: "10 seconds" })
      const layer = Layer.provide(over([{ _tag: "Hang" }, after(5, answer)], policy), Telemetry.layer())
      yield* inTime(Effect.provide(Generation.generate({ prompt: "a boat", model: "hedged" }), layer))
      expect((yield* all).map((after, index) => after - before[index]!)).toEqual([1, 1, 1])
    }))

  it.effect("of which all copies fail tells all attempts, and is retried as one", () =>
    Effect.gen(function*() {
      const { exit } = yield* inTime(Effect.flip(Generation.generate({ prompt: "a boat" })))
      const error = yield* exit
      expect(error).toMatchObject({ _tag: "Overloaded", stoppedBy: "schedule" })
      const attempts = "attempts" in error ? error.attempts ?? [] : []
      // The second starts 2 s after the slower copy of the first has failed.
      expect(attempts.map(({ startedAt }) => startedAt / 1000)).toEqual([10, 0, 42, 32])
    }).pipe(
      Effect.provide(layers(
        [30, 5, 30, 5].map((seconds) => after(seconds, overloaded)),
        Effect.map(Hedge.make({ delay: "10 seconds" }), (hedge) => Policy.compose(twice, hedge))
      ))
    ))

  it.effect("as a stream hands out what one copy says, and remembers both", () =>
    Effect.gen(function*() {
      const { exit } = yield* inTime(Stream.runCollect(Generation.stream({ prompt: "a boat" })))
      const texts = [...(yield* exit)].flatMap((chunk) => (chunk._tag === "Text" ? [chunk.text] : []))
      expect(texts).toEqual(["second"])
      expect(endings(yield* events)).toEqual(["1 at default: Interrupted", "2 at test: Success"])
    }).pipe(Effect.provide(layers([{ _tag: "Hang" }, after(5, "second")]))))
})

import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Metric, TestClock } from "effect"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as Retry from "holdfast/Retry"
import * as Telemetry from "holdfast/Telemetry"
import * as Docs from "../../../examples/docs/cache.js"
import { table } from "../../../test/support/markdown.js"

const request = { prompt: "a boat" }

describe("docs/cache.md", () => {
  it("states the defaults", () => {
    const rows = table("cache.md", "option", "default", "unit and range")
    expect(rows.map((row) => [row["option"], row["default"]])).toEqual(
      Object.entries(GenerationCache.defaults).map(([name, value]) => [name, String(value)])
    )
  })

  it("sorts every class of failure", () => {
    const rows = table("cache.md", "it meets", "it does")
    const sorted = GenerationError.tags.map((tag) => {
      const matching = rows.filter((row) => row["it meets"]?.split(", ").includes(tag))
      expect([tag, matching.length]).toEqual([tag, 1])
      return [tag, matching[0]?.["it does"]?.startsWith("answers with the stale result")] as const
    })
    for (const [tag, servesStale] of sorted) {
      const error = GenerationError.make(tag, { message: "x" })
      expect([tag, servesStale]).toEqual([tag, GenerationCache.servesStale(error)])
    }
  })

  it.effect("names each metric with its type and its labels, and no other", () =>
    Effect.gen(function*() {
      const memory = GenerationCache.make({ name: "docs", maxEntries: 1 })
      const image = { _tag: "Image" as const, mimeType: "image/png", bytes: Uint8Array.of(1) }
      const value = { parts: [image], usage: {}, finishReason: "", endpoint: "", model: "", attempts: [] }
      for (const prompt of ["a", "b"]) yield* memory.getOrGenerate({ prompt }, Effect.succeed(value))
      const down = { get: () => Effect.fail("down"), set: () => Effect.void, remove: () => Effect.void }
      yield* GenerationCache.makeStore(down, { name: "docs" }).peek(request)
      const seen = new Map<string, { type: string; labels: Set<string> }>()
      for (const { metricKey } of yield* Metric.snapshot) {
        if (!metricKey.name.startsWith("holdfast_cache_")) continue
        const type = Object.getOwnPropertySymbols(metricKey.keyType)
          .map((symbol) => /(Counter|Gauge)/.exec(String(symbol))?.[1]?.toLowerCase())
          .find((name) => name !== undefined) ?? "unknown"
        const entry = seen.get(metricKey.name) ?? { type, labels: new Set() }
        for (const { key } of metricKey.tags) entry.labels.add(key)
        seen.set(metricKey.name, entry)
      }
      const shown = [...seen].map(([name, { labels, type }]) => [name, type, [...labels].sort().join(", ")])
      const stated = table("cache.md", "metric", "type", "labels").map((row) => [
        row["metric"],
        row["type"],
        row["labels"]?.split(", ").sort().join(", ")
      ])
      expect(stated.sort()).toEqual(shown.sort())
    }))
})

describe("Generation over a cache", () => {
  const generate = Effect.map(Generation.generate(request), (result) => result.attempts.length)
  const over = (script: ReadonlyArray<GenerationClient.Outcome>, options?: GenerationCache.MemoryOptions) =>
    Generation.layer({ policy: Retry.make({ maxAttempts: 2 }) }).pipe(
      Layer.provideMerge(
        Layer.mergeAll(GenerationClient.layerTest(script), GenerationCache.layerMemory(options), Telemetry.layerNoop)
      )
    )

  it.effect("counts a shared generation's attempts once, with the caller who started it", () =>
    Effect.gen(function*() {
      const overloaded = new GenerationError.Overloaded({ message: "busy" })
      const layer = over([overloaded, { _tag: "After", delay: "30 seconds", outcome: {} }])
      const program = Effect.gen(function*() {
        const counts = yield* Effect.all([generate, generate, generate], { concurrency: "unbounded" })
        expect(counts).toEqual([2, 0, 0])
        expect(yield* generate).toBe(0)
        expect(yield* GenerationCache.bypass(generate)).toBe(1)
        const { attempts } = yield* GenerationClient.Recorded
        expect(yield* attempts).toHaveLength(3)
      })
      const fiber = yield* Effect.fork(Effect.provide(program, layer))
      yield* TestClock.adjust("10 minutes")
      yield* fiber
    }))

  it.effect("gives a stale result when retries are exhausted", () =>
    Effect.gen(function*() {
      const layer = over([{}, new GenerationError.Overloaded({ message: "busy" })], { timeToLive: "1 minute" })
      const program = Effect.gen(function*() {
        yield* generate
        yield* Effect.sleep("2 minutes")
        expect(yield* generate).toBe(0)
        const { attempts } = yield* GenerationClient.Recorded
        expect(yield* attempts).toHaveLength(3)
      })
      const fiber = yield* Effect.fork(Effect.provide(program, layer))
      yield* TestClock.adjust("10 minutes")
      yield* fiber
    }))
})

describe("examples/docs/cache.ts", () => {
  const prompt = "a cover with a boat"
  const over = (
    cache: Layer.Layer<GenerationCache.GenerationCache>,
    script: ReadonlyArray<GenerationClient.Outcome> = []
  ) =>
    Generation.layer({ policy: Retry.make({ maxAttempts: 1 }), deadline: "1 minute" }).pipe(
      Layer.provideMerge(Layer.mergeAll(GenerationClient.layerTest(script), cache, Telemetry.layerNoop))
    )
  const made = Effect.flatMap(GenerationClient.Recorded, ({ attempts }) => Effect.map(attempts, ({ length }) => length))

  it.effect("variations are generated and not kept, a new picture is, and says where it comes from", () =>
    Effect.gen(function*() {
      yield* Docs.variations
      expect(yield* made).toBe(4)
      yield* Docs.redrawn
      yield* Docs.redrawn
      expect(yield* made).toBe(6)
      const never = Effect.dieMessage("must not be asked")
      expect(yield* Docs.described({ prompt }, never)).toBe("hit: 1 image")
      yield* TestClock.adjust("25 hours")
      const busy = Effect.fail(new GenerationError.Overloaded({ message: "busy" }))
      expect(yield* Docs.described({ prompt }, busy)).toBe("stale, because of Overloaded: 1 image")
    }).pipe(Effect.provide(over(Docs.cache))))

  it.effect("an old picture stands in when the deadline passes, and where there is none the refusal stays", () =>
    Effect.gen(function*() {
      yield* Generation.generate({ prompt })
      yield* TestClock.adjust("25 hours")
      const kept = yield* Effect.fork(Docs.oldRatherThanNone({ prompt }))
      const none = yield* Effect.fork(Effect.flip(Docs.oldRatherThanNone({ prompt: "another" })))
      yield* TestClock.adjust("1 minute")
      expect((yield* kept).parts).toHaveLength(1)
      expect((yield* none)._tag).toBe("DeadlineExceeded")
      expect(yield* made).toBe(3)
    }).pipe(Effect.provide(over(Docs.cache, [{}, { _tag: "Hang" }]))))

  it.effect("files serve as a store", () =>
    Effect.gen(function*() {
      const files = new Map<string, string>()
      const cache = Docs.overFiles({
        read: (name) => Effect.sync(() => files.get(name)),
        write: (name, text) => Effect.sync(() => void files.set(name, text)),
        delete: (name) => Effect.sync(() => void files.delete(name))
      })
      const once = Effect.zip(Generation.generate({ prompt }), made)
      const [first, attempts] = yield* Effect.provide(once, over(cache))
      expect([attempts, files.size]).toEqual([1, 1])
      // As after a restart: another cache over the same files.
      const [second, none] = yield* Effect.provide(once, over(cache))
      expect(none).toBe(0)
      expect(second.parts).toEqual(first.parts)
    }))
})

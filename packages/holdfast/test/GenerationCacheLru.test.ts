import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, FastCheck, TestClock, TestContext } from "effect"
import type { Generated } from "holdfast/Generated"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationError from "holdfast/GenerationError"
import * as Entry from "../src/internal/cache/entry.js"
import { Lru } from "../src/internal/cache/lru.js"

const generated = (text: string, size = 0): Generated => ({
  parts: [{ _tag: "Text", text }, { _tag: "Image", mimeType: "image/png", bytes: new Uint8Array(size) }],
  usage: {},
  finishReason: "STOP",
  endpoint: "e",
  model: "m",
  attempts: []
})

describe("the memory of a GenerationCache", () => {
  const step = FastCheck.oneof(
    { weight: 4, arbitrary: FastCheck.record({ _tag: FastCheck.constant("get" as const), key: FastCheck.nat(7) }) },
    {
      weight: 4,
      arbitrary: FastCheck.record({
        _tag: FastCheck.constant("set" as const),
        key: FastCheck.nat(7),
        size: FastCheck.nat(120),
        life: FastCheck.nat(60)
      })
    },
    { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("remove" as const), key: FastCheck.nat(7) }) },
    { weight: 2, arbitrary: FastCheck.record({ _tag: FastCheck.constant("pass" as const), time: FastCheck.nat(30) }) }
  )

  it("does what a plain list would do, within both bounds, whatever happens", () =>
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(step, { maxLength: 60 }),
        FastCheck.integer({ min: 1, max: 5 }),
        FastCheck.integer({ min: 1, max: 300 }),
        (steps, maxEntries, maxBytes) => {
          const lru = new Lru({ maxEntries, maxBytes })
          /** Least recently used first. */
          let model: Array<{ readonly key: string; readonly size: number; readonly until: number }> = []
          const total = () => model.reduce((sum, each) => sum + each.size, 0)
          const full = () => model.length > maxEntries || total() > maxBytes
          let now = 0
          for (const each of steps) {
            if (each._tag === "pass") {
              now += each.time
              continue
            }
            const key = String(each.key)
            const found = model.find((other) => other.key === key)
            model = model.filter((other) => other.key !== key)
            if (each._tag === "remove") lru.remove(key)
            if (each._tag === "get") {
              const alive = found !== undefined && now < found.until
              if (alive) model.push(found)
              expect(lru.get(key, now)?.size).toBe(alive ? found.size : undefined)
            }
            if (each._tag === "set") {
              const until = now + each.life
              const times = { storedAt: now, freshUntil: now, staleUntil: until }
              const evicted = lru.set(key, { value: generated(key), ...times, size: each.size }, now)
              let expected = 0
              if (until > now && each.size <= maxBytes) {
                model.push({ key, size: each.size, until })
                if (full()) model = model.filter((other) => now < other.until)
                while (full()) {
                  model.shift()
                  expected++
                }
              }
              expect(evicted).toBe(expected)
            }
            expect(lru.keys()).toEqual(model.map((other) => other.key))
            expect(lru.bytes).toBe(total())
            expect(lru.size).toBeLessThanOrEqual(maxEntries)
            expect(lru.bytes).toBeLessThanOrEqual(maxBytes)
          }
        }
      ),
      { numRuns: 1000 }
    ))

  it("counts the bytes of images exactly, and text and parts roughly", () => {
    expect(Entry.sizeOf(generated("", 1000)) - Entry.sizeOf(generated("", 0))).toBe(1000)
    expect(Entry.sizeOf(generated("abc", 0)) - Entry.sizeOf(generated("", 0))).toBe(6)
    expect(Entry.sizeOf({ ...generated(""), parts: [] })).toBeGreaterThan(0)
  })

  it("ends a lifetime at its end and not after", () => {
    const entry = Entry.make(generated("x"), 100, { timeToLive: 10, staleIfError: 5 })
    expect([99, 100, 109, 110, 114, 115].map((now) => Entry.freshness(entry, now))).toEqual(
      ["fresh", "fresh", "fresh", "stale", "stale", "dead"]
    )
    expect(Entry.freshness(Entry.make(generated("x"), 100, { timeToLive: 0, staleIfError: 0 }), 100)).toBe("dead")
    const eternal = Entry.make(generated("x"), 100, { timeToLive: Infinity, staleIfError: Infinity })
    expect(Entry.freshness(eternal, Number.MAX_SAFE_INTEGER)).toBe("fresh")
  })
})

describe("GenerationCache.layerMemory against a plain model", () => {
  const call = FastCheck.record({
    key: FastCheck.nat(4),
    mode: FastCheck.constantFrom<GenerationCache.Mode>("use", "use", "use", "bypass", "refresh"),
    outcome: FastCheck.constantFrom("ok", "ok", "busy", "wrong"),
    wait: FastCheck.nat(40)
  })

  it("answers every call as the model says: LRU, time to live, stale on error, bypass and refresh", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(
        FastCheck.array(call, { maxLength: 40 }),
        FastCheck.nat(30),
        FastCheck.nat(30),
        FastCheck.integer({ min: 1, max: 3 }),
        async (calls, timeToLive, staleIfError, maxEntries) => {
          const program = Effect.gen(function*() {
            const cache = GenerationCache.make({ timeToLive, staleIfError, maxEntries })
            let model: Array<{ readonly key: string; readonly text: string; readonly at: number }> = []
            let now = 0
            let serial = 0
            for (const each of calls) {
              now += each.wait
              yield* TestClock.adjust(each.wait)
              const key = `k${each.key}`
              const text = `${key}-${serial++}`
              let ran = 0
              const generate = Effect.suspend(() => {
                ran++
                return each.outcome === "ok"
                  ? Effect.succeed(generated(text, 1))
                  : Effect.fail(GenerationError.make(each.outcome === "busy" ? "Overloaded" : "InvalidRequest", {
                    message: text
                  }))
              })
              const exit = yield* cache.getOrGenerate({ prompt: key }, generate).pipe(
                GenerationCache.withMode(each.mode),
                Effect.exit
              )
              const seen = Exit.isFailure(exit) ? "failure" : `${exit.value.source} ${
                exit.value.value.parts.map((part) => (part._tag === "Text" ? part.text : "")).join("")
              }`

              const kept = model.find((other) => other.key === key)
              const age = kept === undefined ? Infinity : now - kept.at
              const living = age < timeToLive + staleIfError
              const touch = () => {
                model = model.filter((other) => other.key !== key)
                if (living && kept !== undefined) model.push(kept)
              }
              let expected = "failure"
              let runs = 1
              if (each.mode === "use") touch()
              if (each.mode === "use" && age < timeToLive) {
                expected = `hit ${kept?.text}`
                runs = 0
              } else if (each.outcome === "ok") {
                expected = `fresh ${text}`
                if (each.mode !== "bypass") {
                  model = model.filter((other) => other.key !== key)
                  if (timeToLive + staleIfError > 0) model.push({ key, text, at: now })
                  if (model.length > maxEntries) {
                    model = model.filter((other) => now - other.at < timeToLive + staleIfError)
                  }
                  while (model.length > maxEntries) model.shift()
                }
              } else if (each.mode === "use" && each.outcome === "busy" && living) {
                expected = `stale ${kept?.text}`
              }
              expect(seen).toBe(expected)
              expect(ran).toBe(runs)
              const stats = yield* cache.stats
              expect(stats.entries).toBe(model.length)
              expect(stats.flights).toBe(0)
            }
          })
          await Effect.runPromise(Effect.provide(program, TestContext.TestContext))
        }
      ),
      { numRuns: 60 }
    ), 60_000)
})

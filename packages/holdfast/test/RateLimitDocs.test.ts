import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Layer, Stream, TestClock } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as RateLimit from "holdfast/RateLimit"
import * as Telemetry from "holdfast/Telemetry"
import { readFileSync } from "node:fs"
import * as Docs from "../../../examples/docs/rate-limit.js"
import { table } from "../../../test/support/markdown.js"

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")

describe("docs/policies/rate-limit.md", () => {
  it("shows only code of the example that is compiled and run", () => {
    const example = read("examples/docs/rate-limit.ts")
    const blocks = [...read("docs/policies/rate-limit.md").matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!)
    expect(blocks.length).toBeGreaterThan(5)
    for (const block of blocks) {
      for (const part of block.trim().split("\n\n")) expect(example).toContain(part)
    }
  })

  it("states the defaults", () => {
    const rows = table("policies/rate-limit.md", "option", "default", "unit and range")
    const stated = Object.fromEntries(rows.map((row) => [row["option"], row["default"]]))
    const { actualCost, key, limits, requestsPerDay, requestsPerMinute, tokensPerMinute, ...rest } = stated
    expect(rest).toEqual(
      Object.fromEntries(Object.entries(RateLimit.defaults).map(([name, value]) => [name, String(value)]))
    )
    expect([limits, requestsPerDay, requestsPerMinute, tokensPerMinute]).toEqual(["none", "none", "none", "none"])
    expect([actualCost, key]).toEqual(["usage.totalTokens", "the call's endpoint"])
  })

  it.effect("the eleventh of ten a minute starts after 61 s", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ requestsPerMinute: 10 })
      for (let i = 0; i < 10; i++) yield* limit.apply(Effect.void)
      const refusal = yield* Effect.flip(CurrentCall.update(limit.apply(Effect.void), { deadline: 1000 }))
      expect(refusal.retryAfter).toEqual(Duration.seconds(61))
    }))

  it.effect("an order of refusals: the day's end of the call, unless the provider says another time", () =>
    Effect.gen(function*() {
      const drained = (error: GenerationError.GenerationError, options: RateLimit.MakeOptions) =>
        Effect.gen(function*() {
          const limit = yield* RateLimit.make(options)
          yield* Effect.exit(Stream.runDrain(limit.applyStream(Stream.fail(error))))
          return (yield* limit.state)[0]?.drainedUntil
        })
      const spent = (options: { readonly retryAfter?: number; readonly resetAt?: number }) =>
        GenerationError.make("QuotaExhausted", { message: "spent", ...options })
      yield* TestClock.adjust("1 second")
      expect(yield* drained(spent({ retryAfter: 5000, resetAt: 9000 }), { requestsPerDay: 5 })).toBe(9000)
      expect(yield* drained(spent({ retryAfter: 5000 }), { requestsPerDay: 5 })).toBe(6000)
      expect(yield* drained(spent({}), { requestsPerDay: 5 })).toBe(86_401_000)
      // Without a window by the day nothing says when a quota comes back.
      expect(yield* drained(spent({}), { requestsPerMinute: 5 })).toBeUndefined()
      expect(yield* drained(spent({ resetAt: 9000 }), { requestsPerMinute: 5 })).toBe(9000)
    }))

  /** When calls that come together start, in seconds. */
  const starts = (count: number, policy: RateLimit.RateLimit) =>
    Effect.gen(function*() {
      const from = yield* Clock.currentTimeMillis
      const seconds = Effect.map(Clock.currentTimeMillis, (now) => Math.round((now - from) / 1000))
      const calls = Array.from({ length: count }, () => policy.apply(seconds))
      const fiber = yield* Effect.fork(Effect.all(calls, { concurrency: "unbounded" }))
      yield* TestClock.adjust("5 minutes")
      return yield* Fiber.join(fiber)
    })

  it.effect("its queue starts a call every six seconds, and its other windows let through what they say", () =>
    Effect.gen(function*() {
      expect(yield* starts(4, yield* Docs.queue)).toEqual([0, 6, 12, 18])
      // Two at once, then what the bucket gets back: 19 more in the 10.17 s that its window counts.
      expect(yield* starts(5, yield* Docs.others)).toEqual([0, 0, 1, 1, 2])
    }))

  it.effect("says where it stands and when to come back, and waits for tomorrow where that is asked for", () =>
    Effect.gen(function*() {
      const limit = yield* Docs.limits
      for (let i = 0; i < 10; i++) yield* limit.apply(Effect.void)
      expect(yield* Docs.report(limit)).toEqual([
        "default requestsPerMinute: 10 of 10, 0 waiting",
        "default tokensPerMinute: 0 of 250000, 0 waiting",
        "default requestsPerDay: 10 of 250, 0 waiting"
      ])
      expect(yield* Docs.impatient(limit)).toEqual(Duration.seconds(61))
      const patient = yield* Docs.patient
      for (let i = 0; i < 250; i++) yield* patient.apply(Effect.void)
      const midnight = yield* Effect.fork(patient.apply(Clock.currentTimeMillis))
      yield* TestClock.adjust("1 day")
      // Midnight in Los Angeles, a second later.
      expect(yield* Fiber.join(midnight)).toBe(8 * 3_600_000 + 1000)
    }))

  it.effect("counts a generation's tokens by its estimate, and puts them right by its result", () =>
    Effect.gen(function*() {
      const usage = { totalTokens: 2000 }
      const services = Layer.mergeAll(
        GenerationClient.layerTest([{ _tag: "After", delay: "30 seconds", outcome: { usage } }]),
        GenerationCache.layerNoop,
        Telemetry.layerNoop
      )
      const limit = yield* Docs.limits
      const used = Effect.map(limit.state, ([key]) => key?.limits.find(({ name }) => name === "tokensPerMinute")?.used)
      const layer = Layer.provide(Generation.layer({ policy: limit }), services)
      const fiber = yield* Effect.fork(Effect.provide(Docs.estimated("a boat"), layer))
      yield* TestClock.adjust("1 second")
      expect(yield* used).toBe(1301.5)
      yield* TestClock.adjust("29 seconds")
      yield* Fiber.join(fiber)
      expect(yield* used).toBe(2000)
      const whole = Effect.provide(Generation.generate({ prompt: "a boat" }), Layer.provide(Docs.layer, services))
      const second = yield* Effect.fork(whole)
      yield* TestClock.adjust("30 seconds")
      expect((yield* Fiber.join(second)).usage).toEqual(usage)
      const parts = Stream.make({ _tag: "Text" as const, text: "a boat" })
      expect(yield* Docs.guarded(limit, Effect.succeed("sent"), parts)).toEqual(["sent", 1])
    }))
})

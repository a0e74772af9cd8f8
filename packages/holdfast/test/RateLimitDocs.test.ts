import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Stream, TestClock } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import * as RateLimit from "holdfast/RateLimit"
import { readFileSync } from "node:fs"

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
})

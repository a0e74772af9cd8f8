/** 100,000 virtual calls through one limiter: no grant is lost, and no limit passed. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import * as RateLimit from "holdfast/RateLimit"
import { makeServer, through } from "./support/mix.js"
import { soak, total } from "./support/soak.js"

const perMinute = 300

/** Most calls share an endpoint; some come under names that nobody has seen before. */
const isMain = (n: number): boolean => n % 10 < 8

/** The ways of call number `n`: most succeed, and say what they cost. */
const way = (n: number): Effect.Effect<object, GenerationError.GenerationError> => {
  if (n % 97 === 0) return Effect.fail(new GenerationError.RateLimited({ message: "429", retryAfter: "2 seconds" }))
  if (n % 11 === 0) return Effect.die("bug")
  if (n % 13 === 0) return Effect.fail(new GenerationError.ContentBlocked({ message: "no" }))
  return Effect.succeed({ _tag: "Finish", usage: { totalTokens: 100 + (n % 900) } })
}

describe("RateLimit, for long", () => {
  it.live("100,000 calls leave nothing behind", () =>
    soak((turn) =>
      Effect.gen(function*() {
        const limit = yield* RateLimit.make({
          requestsPerMinute: perMinute,
          tokensPerMinute: perMinute * 800,
          requestsPerDay: 1_000_000,
          order: "priority",
          maxWait: "2 minutes",
          maxQueue: 2000,
          maxKeys: 8
        })
        const server = makeServer()
        /** When calls to the main endpoint began. */
        const begun: Array<number> = []
        const work = (n: number) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            if (isMain(n)) begun.push(now)
            return Effect.delay(way(n), 1000 + (n % 60) * 1000)
          })
        return {
          call: (n) =>
            CurrentCall.update(through(limit, n, server.serve(() => work(n))), {
              tokens: 900,
              priority: Math.floor(n / 3) % 3,
              endpoint: isMain(n) ? "main" : `e${n}`
            }),
          patience: "20 seconds",
          end: "12 minutes",
          atRest: Effect.map(limit.state, (keys) => {
            expect(server.running).toBe(0)
            expect(keys.length).toBeLessThanOrEqual(9)
            for (const { inFlight, limits, waiting } of keys) {
              expect([inFlight, waiting, ...limits.map(({ held }) => held)]).toEqual([0, 0, 0, 0, 0])
            }
            for (let i = 0; i + perMinute < begun.length; i++) {
              expect(begun[i + perMinute]! - begun[i]!, `from ${begun[i]}`).toBeGreaterThanOrEqual(60_000)
            }
            begun.length = 0
          }),
          atEnd: ({ failures }) =>
            Effect.gen(function*() {
              expect(server.started).toBeGreaterThan(total / 2)
              expect(failures.get("LimitExceeded")).toBeGreaterThan(total / 20)
              // What was spent leaves every window.
              yield* turn.pass("1 day")
              for (const { limits } of yield* limit.state) expect(limits.map(({ used }) => used)).toEqual([0, 0, 0])
            })
        }
      })
    ))
})

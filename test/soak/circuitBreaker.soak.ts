/** 100,000 virtual calls through breakers of a thousand keys: nothing in flight is forgotten, and no probe is lost. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as CircuitBreaker from "holdfast/CircuitBreaker"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import { makeServer, through } from "./support/mix.js"
import { soak } from "./support/soak.js"

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const asked = new GenerationError.Overloaded({ message: "busy", retryAfter: "20 seconds" })

/** The ways of call number `n`: most succeed, in bad times most fail. */
const way = (n: number): Effect.Effect<number, GenerationError.GenerationError> => {
  const bad = Math.floor(n / 5000) % 3 === 1
  switch (n % 10) {
    case 0:
      return Effect.die("bug")
    case 1:
      return Effect.fail(new GenerationError.ContentBlocked({ message: "no" }))
    case 2:
      return Effect.never
    case 3:
      return Effect.as(Effect.sleep("4 minutes"), n)
    default:
      return bad ? Effect.fail(n % 4 === 0 ? asked : overloaded) : Effect.as(Effect.sleep("30 seconds"), n)
  }
}

describe("CircuitBreaker, for long", () => {
  it.live("100,000 calls leave nothing behind", () =>
    soak(() =>
      Effect.gen(function*() {
        const places = 16
        let changes = 0
        const breaker = yield* CircuitBreaker.make({
          maxKeys: places,
          idleTime: "30 minutes",
          onTransition: () => changes++
        })
        const server = makeServer()
        return {
          // Half of the calls go to four endpoints, the others to a thousand.
          call: (n) =>
            CurrentCall.update(through(breaker, n, server.serve(() => way(n))), {
              endpoint: `e${n % 2 === 0 ? n % 8 : n % 2000}`
            }),
          patience: "1 minute",
          end: "4 minutes",
          atRest: Effect.map(breaker.states, (states) => {
            expect(server.running).toBe(0)
            expect(states.size).toBeLessThanOrEqual(places)
            for (const state of states.values()) {
              if (state._tag === "Closed") expect(state.overdue).toBe(0)
              if (state._tag === "HalfOpen") expect(state.probes).toBe(0)
            }
          }),
          atEnd: ({ failures }) =>
            Effect.gen(function*() {
              expect(failures.get("CircuitOpen")).toBeGreaterThan(1000)
              expect(changes).toBeGreaterThan(100)
              // A breaker makes place for another one only when it is at rest and nothing is in flight.
              yield* breaker.reset
              for (let i = 0; i < places; i++) {
                yield* CurrentCall.update(breaker.apply(Effect.void), { endpoint: `last${i}` }).pipe(Effect.orDie)
              }
              const keys = [...(yield* breaker.states).keys()]
              expect(keys.filter((key) => !key.startsWith("last"))).toEqual([])
            })
        }
      })
    ))
})

/** 100,000 virtual calls through bulkheads of each order, which wait and end in every way: every permit comes home. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import * as Bulkhead from "holdfast/Bulkhead"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import { makeServer, through } from "./support/mix.js"
import { soak } from "./support/soak.js"

const overloaded = new GenerationError.Overloaded({ message: "busy" })

/** The ways of call number `n`: most succeed, some fail, die, or hang until they are interrupted. */
const way = (n: number): Effect.Effect<number, GenerationError.GenerationError> => {
  switch (n % 11) {
    case 0:
      return Effect.die("bug")
    case 1:
      return Effect.fail(new GenerationError.ContentBlocked({ message: "no" }))
    case 2:
      return Effect.zipRight(Effect.sleep("2 seconds"), Effect.fail(overloaded))
    case 3:
      return n % 121 === 3 ? Effect.never : Effect.as(Effect.sleep("4 minutes"), n)
    default:
      return Effect.as(Effect.sleep("30 seconds"), n)
  }
}

const limits = { min: 8, max: 60 }

const orders = ["fifo", "lifo", "deadline"] as const

describe("Bulkhead, for long", () => {
  it.live("100,000 calls leave nothing behind", () =>
    soak((turn) =>
      Effect.gen(function*() {
        const bulkheads = yield* Effect.forEach(orders, (order) =>
          Bulkhead.make({
            limit: 20,
            aimd: limits,
            queue: 150,
            order,
            maxWait: "3 minutes",
            maxKeys: 8,
            idleTime: "30 minutes"
          }))
        const server = makeServer()
        const allStates = Effect.map(
          Effect.forEach(bulkheads, ({ states }) => states),
          (states) => states.map((byKey) => [...byKey.values()])
        )
        return {
          call: (n) =>
            Effect.flatMap(Clock.currentTimeMillis, (now) =>
              // A thousand calls for one bulkhead, then as many for the next one.
              CurrentCall.update(through(bulkheads[Math.floor(n / 1000) % 3]!, n, server.serve(() => way(n))), {
                // Half of the calls go to two endpoints, the others to a thousand.
                endpoint: `e${n % 2 === 0 ? n % 4 : n % 2000}`,
                tenant: `t${Math.floor(n / 7) % 7}`,
                priority: Math.floor(n / 3) % 3,
                deadline: n % 5 === 0 ? Infinity : now + ((n * 7919) % 240) * 1000
              })),
          patience: "1 minute",
          end: "4 minutes",
          atRest: Effect.map(allStates, (all) => {
            expect(server.running).toBe(0)
            for (const states of all) {
              expect(states.length).toBeLessThanOrEqual(9)
              for (const state of states) expect(state).toMatchObject({ inFlight: 0, queued: 0, tenants: new Map() })
            }
          }),
          atEnd: ({ failures }) =>
            Effect.gen(function*() {
              for (const tag of ["QueueFull", "Shed", "Overloaded"]) {
                expect(failures.get(tag), tag).toBeGreaterThan(500)
              }
              // What the books say is so: as many calls as are allowed start at once, and the next one waits.
              for (const bulkhead of bulkheads) {
                yield* bulkhead.resize(limits.min)
                for (let n = 0; n <= limits.min; n++) yield* turn.start(bulkhead.apply(server.serve(() => Effect.never)))
                yield* turn.pass(0)
                expect(yield* bulkhead.state).toMatchObject({ inFlight: limits.min, queued: 1 })
              }
              expect(server.running).toBe(orders.length * limits.min)
            })
        }
      })
    ))
})

/** 100,000 virtual calls through admission at a hundred endpoints, with retries: nothing stays in flight or waiting. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Admission from "holdfast/Admission"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"
import { isNervous, makeServer, through } from "./support/mix.js"
import { soak } from "./support/soak.js"

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const asked = new GenerationError.RateLimited({ message: "slow down", retryAfter: "20 seconds" })

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
      return Effect.as(Effect.sleep("2 minutes"), n)
    default:
      return bad ? Effect.fail(n % 4 === 0 ? asked : overloaded) : Effect.as(Effect.sleep("30 seconds"), n)
  }
}

const counts = ["inFlight", "waiting", "lost"] as const

describe("Admission, for long", () => {
  it.live("100,000 calls leave nothing behind", () =>
    soak((turn) =>
      Effect.gen(function*() {
        const admission = yield* Admission.make({ maxEndpoints: 16, idle: "30 minutes" })
        const retried = Policy.compose(Retry.make({ schedule: admission.schedule }), admission)
        const inTime = Policy.compose(Deadline.make({ duration: "150 seconds" }), retried)
        const server = makeServer()
        const sums = Effect.map(admission.state, (endpoints) =>
          counts.map((count) => [...endpoints.values()].reduce((sum, endpoint) => sum + endpoint[count], 0)))
        let waited = 0
        return {
          // Half of the calls go to four endpoints, the others to a hundred.
          call: (n) =>
            // A deadline's work has a fiber of its own, and nervous callers are met only in theirs.
            CurrentCall.update(through(isNervous(n) ? retried : inTime, n, server.serve(() => way(n))), {
              endpoint: `e${n % 2 === 0 ? n % 8 : n % 200}`,
              log: CurrentCall.makeLog()
            }),
          patience: "1 minute",
          halfway: Effect.map(sums, ([, waiting]) => {
            waited += waiting!
          }),
          end: "4 minutes",
          atRest: Effect.gen(function*() {
            expect(server.running).toBe(0)
            expect((yield* admission.state).size).toBeLessThanOrEqual(17)
            expect((yield* sums).slice(0, 2)).toEqual([0, 0])
          }),
          atEnd: ({ failures }) =>
            Effect.gen(function*() {
              expect(waited).toBeGreaterThan(500)
              expect(server.started).toBeGreaterThan(30_000)
              for (const tag of ["Shed", "DeadlineExceeded", "ContentBlocked"]) {
                expect(failures.get(tag), tag).toBeGreaterThan(500)
              }
              // A call that was given up is thought to be worked on until it would have had to be done.
              yield* turn.pass("150 seconds")
              expect(yield* sums).toEqual([0, 0, 0])
            })
        }
      })
    ))
})

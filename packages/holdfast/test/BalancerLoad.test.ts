/**
 * A hundred generations at a time for two hours of virtual time, over an endpoint that is browned out, one that is
 * flaky, one that accepts and never answers, and one that is well. Attempts are counted at the endpoints.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Random } from "effect"
import * as Balancer from "holdfast/Balancer"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"
import * as Timeout from "holdfast/Timeout"
import { makeTurn } from "../../../test/support/turn.js"

const minutes = (n: number) => n * 60_000
const callers = 100
const end = minutes(120)
const names = ["brown-out", "flaky", "black-hole", "well"] as const
type Name = (typeof names)[number]

/** What an endpoint does with an attempt at a time. */
type World = (name: Name, now: number) => Effect.Effect<void, GenerationError.GenerationError>

const busy = new GenerationError.Overloaded({ message: "busy" })
const asksForLeave = new GenerationError.Overloaded({ message: "busy", retryAfter: "15 seconds" })
const fault = new GenerationError.Transient({ message: "500", outcome: "rejected" })

const answer = Effect.flatMap(Random.nextIntBetween(20_000, 40_000), (millis) => Effect.sleep(millis))

const sick: World = (name) => {
  switch (name) {
    case "brown-out":
      // Late by far, and often not at all.
      return Effect.flatMap(Random.next, (luck) =>
        luck < 0.4
          ? Effect.zipRight(Effect.sleep(3000), Effect.fail(luck < 0.2 ? busy : asksForLeave))
          : Effect.zipRight(Effect.sleep(60_000), answer))
    case "flaky":
      return Effect.flatMap(Random.next, (luck) =>
        luck < 0.7 ? Effect.zipRight(Effect.sleep(2000), Effect.fail(fault)) : answer)
    case "black-hole":
      return Effect.never
    case "well":
      return answer
  }
}

/** Runs the callers, one generation after the other each, and tells what the endpoints saw. */
const run = (world: World, seed: string) =>
  Effect.gen(function*() {
    const turn = makeTurn()
    const balancer = yield* Balancer.make({ endpoints: names.map((name) => ({ name })) })
    const policy = Policy.compose(Retry.make(), balancer, Timeout.make({ attempt: "100 seconds" }))
    const seen: Array<{ readonly name: Name; readonly at: number }> = []
    const attempt = Effect.gen(function*() {
      const { endpoint } = yield* CurrentCall.current
      const name = names.find((known) => known === endpoint)!
      const at = turn.clock.unsafeCurrentTimeMillis()
      seen.push({ name, at })
      yield* world(name, at)
    })
    let good = 0
    let all = 0
    let worst = 0
    const one = Effect.gen(function*() {
      let attempts = 0
      const exit = yield* Effect.exit(policy.apply(Effect.suspend(() => {
        attempts++
        return attempt
      })))
      all++
      worst = Math.max(worst, attempts)
      if (Exit.isSuccess(exit)) good++
    })
    const caller = Effect.whileLoop({
      while: () => turn.clock.unsafeCurrentTimeMillis() < end,
      body: () => one,
      step: () => {}
    })
    const crowd = Effect.forEach(Array.from({ length: callers }), () => caller, { concurrency: "unbounded" })
    yield* turn.start(Effect.withRandom(crowd, Random.make(seed)))
    yield* turn.pass(end + minutes(20))
    const states = yield* Effect.withClock(balancer.state, turn.clock)
    return { policy, seen, good, all, worst, states, sleeping: yield* turn.sleeping, waiting: yield* balancer.waiting }
  })


describe("a balancer over sick endpoints", () => {
  for (const seed of ["a", "b"]) {
    it.effect(`answers nearly all with one endpoint that is well, within its amplification (seed ${seed})`, () =>
      Effect.gen(function*() {
        const { all, good, policy, sleeping, states, waiting, worst } = yield* run(sick, seed)
        expect(all).toBeGreaterThan(10_000)
        expect(good / all).toBeGreaterThanOrEqual(0.98)
        expect(worst).toBeLessThanOrEqual(Policy.worstCaseAmplification(policy))
        // Nothing is left behind.
        expect([...states.values()].map(({ inFlight }) => inFlight)).toEqual([0, 0, 0, 0])
        expect([sleeping, waiting]).toEqual([0, 0])
      }), 60_000)
  }

  it.effect("starves no endpoint that has recovered", () =>
    Effect.gen(function*() {
      const healedAt = minutes(60)
      const healing: World = (name, now) => (now < healedAt ? sick(name, now) : answer)
      const { seen } = yield* run(healing, "d")
      const later = seen.filter(({ at }) => at >= healedAt + minutes(20) && at < end)
      for (const name of names) {
        const own = later.filter((attempt) => attempt.name === name)
        expect(own.length / later.length, name).toBeGreaterThan(0.1)
      }
    }), 60_000)
})

import { describe, expect, it } from "@effect/vitest"
import { Cause, Clock, Duration, Effect, Either, Exit, Fiber, Random, TestClock } from "effect"
import * as OverloadedModel from "../src/OverloadedModel.js"
import type * as Scenario from "../src/Scenario.js"

type Endpoint = Partial<Scenario.Endpoint>

/** Quiet, with service times of exactly 30 s. */
const scenario = (endpoint: Endpoint = {}, more: Partial<Scenario.Scenario> = {}): Scenario.Scenario => ({
  hours: 1,
  noise: 0,
  svc: { cv: 0 },
  endpoints: [{ name: "direct", slots: 1, rej: [0.5, 0.5], ...endpoint }],
  ...more
})

const seconds = (n: number) => Duration.seconds(n)

/** How long the effect takes on the test clock, driven until it is done. */
const timed = <A, E>(self: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const started = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
    const fiber = yield* Effect.fork(
      Effect.zip(Effect.either(self), Effect.clockWith((clock) => clock.currentTimeMillis))
    )
    yield* TestClock.adjust("2 hours")
    const [result, ended] = yield* Fiber.join(fiber)
    return [result, (ended - started) / 1000] as const
  })

const refusal = <A>(result: Either.Either<A, OverloadedModel.Refused>) =>
  Either.isLeft(result) ? [result.left.reason, result.left.status] : "completed"

describe("OverloadedModel", () => {
  it.effect("completes a generation after its service time, and a queued one after the one before it", () =>
    Effect.gen(function*() {
      const model = yield* OverloadedModel.make(scenario({ queue: 1, price: 0.8 }), { seed: 1 })
      const first = yield* Effect.fork(model.submit())
      yield* TestClock.adjust("10 seconds")
      const second = yield* Effect.fork(model.submit())
      yield* TestClock.adjust("1 hour")
      expect(yield* Fiber.join(first)).toEqual({
        _tag: "Completed",
        endpoint: "direct",
        waited: seconds(0),
        served: seconds(30),
        price: 0.8
      })
      expect(yield* Fiber.join(second)).toMatchObject({ waited: seconds(20), served: seconds(30) })
      expect(yield* model.counters).toMatchObject({ requests: 2, started: 2, completed: 2, price: 1.6 })
      expect(yield* model.counters).toMatchObject({ busy: 0, queued: 0 })
    }))

  it.effect("refuses with 503 after the stated time when slot and queue are taken", () =>
    Effect.gen(function*() {
      const model = yield* OverloadedModel.make(scenario({ rej: [0.5, 0.5] }), { seed: 1 })
      yield* Effect.fork(model.submit())
      yield* TestClock.adjust("1 second")
      const [result, took] = yield* timed(model.submit())
      expect(refusal(result)).toEqual(["overloaded", 503])
      expect(took).toBe(0.5)
    }))

  it.effect("runs faster than its clock when told so, hints and durations included", () =>
    Effect.gen(function*() {
      const outage = scenario({ retryAfter: true, events: [{ from: 100, to: 160, mode: "reject" }] })
      const model = yield* OverloadedModel.make(outage, { seed: 1, speed: 10 })
      const [done, took] = yield* timed(model.submit())
      expect(took).toBe(3)
      expect(Either.getOrThrow(done).served).toEqual(seconds(3))
      const again = yield* OverloadedModel.make(outage, { seed: 1, speed: 10 })
      yield* TestClock.adjust("12 seconds")
      const [refused] = yield* timed(again.submit())
      expect(Either.flip(refused)).toMatchObject({ right: { retryAfter: Duration.millis(3950) } })
    }))

  it.effect("answers a late 503 to whoever waited longer than the queue's timeout", () =>
    Effect.gen(function*() {
      const model = yield* OverloadedModel.make(scenario({ queue: 5, queueTimeout: 20 }), { seed: 1 })
      yield* Effect.fork(model.submit())
      yield* TestClock.adjust("1 second")
      const [result, took] = yield* timed(model.submit())
      expect(refusal(result)).toEqual(["queue-timeout", 503])
      expect(took).toBe(20)
    }))

  it.effect("rejects, hangs, slows down and fails by its events", () =>
    Effect.gen(function*() {
      const model = yield* OverloadedModel.make(
        scenario({
          slots: 10,
          events: [
            { from: 0, to: 100, mode: "reject" },
            { from: 100, to: 200, mode: "hang" },
            { from: 200, to: 300, mode: "slow", x: 2 },
            { from: 300, to: 400, mode: "flaky", p: 1 },
            { from: 400, to: 500, cap: 0 }
          ]
        }),
        { seed: 1 }
      )
      const results: Array<Fiber.RuntimeFiber<Either.Either<OverloadedModel.Completed, OverloadedModel.Refused>>> = []
      const submit = Effect.map(Effect.fork(Effect.either(model.submit())), (fiber) => results.push(fiber))
      for (let i = 0; i < 6; i++) {
        yield* submit
        yield* TestClock.adjust("100 seconds")
      }
      const [rejected, hung, slow, flaky, none, after] = results
      const read = (fiber: typeof rejected) => (fiber === undefined ? Effect.dieMessage("none") : Fiber.join(fiber))
      expect(refusal(yield* read(rejected))).toEqual(["outage", 503])
      expect(hung?.unsafePoll()).toBeNull()
      expect((yield* model.counters).hung).toBe(1)
      if (hung !== undefined) yield* Fiber.interrupt(hung)
      expect(yield* model.counters).toMatchObject({ hung: 0, abandoned: 1, busy: 0 })
      expect(Either.getOrThrow(yield* read(slow)).served).toEqual(seconds(60))
      expect(refusal(yield* read(flaky))).toEqual(["error", 500])
      expect(refusal(yield* read(none))).toEqual(["overloaded", 503])
      expect(refusal(yield* read(after))).toBe("completed")
    }))

  it.effect("limits each client by its quota, and says when the next one is admitted", () =>
    Effect.gen(function*() {
      const model = yield* OverloadedModel.make(scenario({ slots: 9, rpm: 1, rpmRA: true, rej: [1, 1] }), { seed: 1 })
      yield* Effect.fork(model.submit({ client: "a" }))
      yield* TestClock.adjust("10 seconds")
      const fibers = yield* Effect.forEach(["a", "b"], (client) => Effect.fork(Effect.either(model.submit({ client }))))
      yield* TestClock.adjust("49 seconds")
      const [a, b] = yield* Effect.forEach(fibers, Fiber.join)
      expect(a).toMatchObject({ left: { reason: "rate-limited", status: 429, retryAfter: seconds(49) } })
      expect(b?._tag).toBe("Right")
      yield* TestClock.adjust("1 second")
      const [again] = yield* timed(model.submit({ client: "a" }))
      expect(refusal(again)).toBe("completed")
    }))

  for (const [cancel, left] of [
    ["queued", { started: 1, completed: 1, wasted: 1, queued: 0 }],
    ["ignored", { started: 2, completed: 2, wasted: 2, queued: 0 }]
  ] as const) {
    const what = cancel === "queued" ? "gives up" : "keeps"
    it.effect(`works on abandoned requests, and with cancel "${cancel}" ${what} their place in the queue`, () =>
      Effect.gen(function*() {
        const model = yield* OverloadedModel.make(scenario({ queue: 5 }, { cancel }), { seed: 1 })
        const running = yield* Effect.fork(model.submit())
        yield* TestClock.adjust("1 second")
        const queued = yield* Effect.fork(model.submit())
        yield* TestClock.adjust("1 second")
        yield* Fiber.interruptAll([running, queued])
        expect(yield* model.counters).toMatchObject({ abandoned: 2, busy: 1, queued: cancel === "queued" ? 0 : 1 })
        const [next, took] = yield* timed(model.submit())
        expect(refusal(next)).toBe("completed")
        expect(took).toBe(cancel === "queued" ? 28 + 30 : 28 + 30 + 30)
        expect(yield* model.counters).toMatchObject({
          started: left.started + 1,
          completed: left.completed + 1,
          wasted: left.wasted
        })
      }))
  }

  it.effect("makes the same world for a seed, whatever the callers do", () =>
    Effect.gen(function*() {
      const world = (seed: number, pause: number) =>
        Effect.gen(function*() {
          const model = yield* OverloadedModel.make(
            { hours: 2, noise: 0.2, endpoints: [{ name: "a", slots: 40 }, { name: "b", slots: 40 }] },
            { seed }
          )
          const served: Array<number> = []
          const slots: Array<ReadonlyArray<number>> = []
          for (let i = 0; i < 10; i++) {
            const endpoint = i % 2 === pause % 2 ? "a" : "b"
            const fiber = yield* Effect.fork(model.submit({ endpoint, requestId: `r${i}` }))
            if (pause === 2) yield* Effect.fork(model.submit({ requestId: `other${i}` }))
            yield* TestClock.adjust("2 minutes")
            served.push(Duration.toSeconds((yield* Fiber.join(fiber)).served))
            slots.push((yield* model.snapshot).endpoints.map((endpoint) => endpoint.slots))
          }
          return { served, slots }
        })
      const first = yield* world(1, 1)
      expect(yield* world(1, 2)).toEqual(first)
      expect((yield* world(2, 1)).served).not.toEqual(first.served)
      expect((yield* world(2, 1)).slots).not.toEqual(first.slots)
      expect(new Set(first.served).size).toBe(10)
    }))

  it.effect("draws its seed from Random when none is given", () =>
    Effect.gen(function*() {
      const seed = (random: string) =>
        Effect.map(OverloadedModel.make(scenario()), (model) => model.seed).pipe(Effect.withRandom(Random.make(random)))
      expect(yield* seed("x")).toBe(yield* seed("x"))
      expect(yield* seed("x")).not.toBe(yield* seed("y"))
    }))

  it.effect("keeps no timer when nobody waits", () =>
    Effect.gen(function*() {
      let asleep = 0
      const clock = yield* Effect.clock
      const counting: Clock.Clock = {
        ...clock,
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis(),
        sleep: (duration) =>
          Effect.acquireUseRelease(
            Effect.sync(() => asleep++),
            () => clock.sleep(duration),
            () => Effect.sync(() => asleep--)
          )
      }
      const model = yield* Effect.withClock(OverloadedModel.make(scenario({ queue: 3 }), { seed: 1 }), counting)
      expect(asleep).toBe(0)
      const fibers = yield* Effect.replicateEffect(Effect.fork(model.submit()), 3)
      yield* TestClock.adjust("1 second")
      expect(asleep).toBe(1)
      yield* Fiber.interruptAll(fibers)
      yield* Effect.repeatN(Effect.yieldNow(), 9)
      expect(asleep).toBe(0)
      yield* TestClock.adjust("5 minutes")
      expect(yield* model.counters).toMatchObject({ completed: 3, wasted: 3, abandoned: 3 })
    }))

  it.effect("conserves its slots wherever its callers are interrupted", () =>
    Effect.gen(function*() {
      const seen = new Set<number>()
      for (let ops = 10; ops < 40; ops += 2) {
        for (let yields = 0; yields < 8; yields++) {
          const model = yield* OverloadedModel.make(scenario({ slots: 1, queue: 1 }, { cancel: "queued" }), { seed: 1 })
          // One fiber each: `Effect.all` itself makes no progress under some of these limits.
          const submit = Effect.withMaxOpsBeforeYield(model.submit(), ops)
          const fibers = yield* Effect.replicateEffect(Effect.fork(submit), 2)
          for (let i = 0; i < yields; i++) yield* Effect.yieldNow()
          yield* Fiber.interruptAll(fibers)
          const { abandoned, busy, hung, queued, requests } = yield* model.counters
          expect([busy, queued, hung]).toEqual([Math.min(requests, 1), 0, 0])
          expect(abandoned).toBe(requests)
          seen.add(requests)
          yield* TestClock.adjust("31 seconds")
          expect(yield* model.counters).toMatchObject({ busy: 0, completed: Math.min(requests, 1) })
        }
      }
      expect([...seen].sort()).toEqual([0, 2])
    }))

  it.effect("refuses illegal options and scenarios by name", () =>
    Effect.gen(function*() {
      const message = (self: Effect.Effect<unknown, unknown>) =>
        Effect.map(Effect.exit(self), (exit) => (Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "fine"))
      expect(yield* message(OverloadedModel.make(scenario(), { speed: 0 }))).toContain(`"speed" must be`)
      expect(yield* message(OverloadedModel.make(scenario(), { startHour: 25 }))).toContain(`"startHour" must be`)
      expect(yield* message(OverloadedModel.make(scenario(), { seed: 0.5 }))).toContain(`"seed" must be`)
      expect(yield* message(OverloadedModel.make(scenario({ err: 3 })))).toContain("endpoints[0].err")
      const model = yield* OverloadedModel.make(scenario())
      expect(yield* message(model.submit({ endpoint: "elsewhere" }))).toContain(`"elsewhere"`)
    }))

  it.effect("tells its time of day, its capacity and its modes", () =>
    Effect.gen(function*() {
      const model = yield* OverloadedModel.make(
        scenario({ slots: 10, queue: 4, events: [{ from: 60, to: 7200, cap: 0.5, mode: "slow", x: 2 }] }),
        { seed: 1, startHour: 23.5 }
      )
      yield* TestClock.adjust("1 hour")
      expect(yield* model.snapshot).toEqual({
        elapsed: Duration.hours(1),
        utcHour: 0.5,
        endpoints: [{ name: "direct", slots: 5, busy: 0, queued: 0, queue: 4, hung: 0, modes: ["slow"] }]
      })
    }))
})

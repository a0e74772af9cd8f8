import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import { Cause, Clock, Duration, Effect, Exit, FastCheck, Fiber, Layer, Option, Stream, TestClock } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as RateLimit from "holdfast/RateLimit"
import * as Rejected from "holdfast/Rejected"
import * as Telemetry from "holdfast/Telemetry"
import { table } from "../../../test/support/markdown.js"

const minute = 60_000
const day = 86_400_000

/** When calls start. */
const recorder = () => {
  const starts: Array<number> = []
  const call = Effect.map(Clock.currentTimeMillis, (now) => void starts.push(now))
  return { starts, call }
}

/** Asks for so many at once, each in a fiber of its own. */
const ask = <A, E, R>(count: number, effect: Effect.Effect<A, E, R>) =>
  Effect.forEach(Array.from({ length: count }), () => Effect.fork(Effect.exit(effect)))

const failure = <E>(exit: Exit.Exit<unknown, E>): E =>
  Option.getOrThrow(Exit.match(exit, { onFailure: Cause.failureOption, onSuccess: () => Option.none() }))

/** The most starts in any stretch of that length, both ends included. */
const most = (starts: ReadonlyArray<number>, length: number) =>
  Math.max(0, ...starts.map((from) => starts.filter((at) => at >= from && at <= from + length).length))

const one = (state: ReadonlyArray<RateLimit.KeyState>): RateLimit.KeyState => {
  expect(state).toHaveLength(1)
  return state[0]!
}

describe("RateLimit", () => {
  it.effect("lets the limit through at once and the rest as soon as the provider forgets", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ requestsPerMinute: 10 })
      const { call, starts } = recorder()
      yield* ask(25, limit.apply(call))
      yield* TestClock.adjust("5 minutes")
      expect(starts).toEqual([
        ...Array.from({ length: 10 }, () => 0),
        ...Array.from({ length: 10 }, () => 61_000),
        ...Array.from({ length: 5 }, () => 122_000)
      ])
    }))

  it.effect("spaced: starts are 60/rpm seconds apart, as in the article's queue", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ requestsPerMinute: 10, mode: "spaced" })
      const { call, starts } = recorder()
      yield* ask(5, limit.apply(call))
      yield* TestClock.adjust("1 minute")
      expect(starts).toEqual([0, 6000, 12_000, 18_000, 24_000])
      yield* ask(1, limit.apply(call))
      yield* TestClock.adjust(0)
      expect(starts).toHaveLength(6)
    }))

  for (const mode of ["sliding", "bucket", "spaced"] as const) {
    const gaps = FastCheck.array(FastCheck.integer({ min: 0, max: 20_000 }), { minLength: 10, maxLength: 60 })
    it.effect.prop(
      `${mode}: any sliding minute holds at most the limit, whatever the arrivals`,
      [FastCheck.integer({ min: 1, max: 12 }), gaps],
      ([requestsPerMinute, arrivals]) =>
        Effect.gen(function*() {
          const limit = yield* RateLimit.make({ requestsPerMinute, mode, maxWait: "1 hour" })
          const { call, starts } = recorder()
          for (const gap of arrivals) {
            yield* TestClock.adjust(gap % 3 === 0 ? 0 : gap)
            yield* ask(1, limit.apply(call))
          }
          yield* TestClock.adjust("2 hours")
          expect(starts).toHaveLength(arrivals.length)
          expect(most(starts, mode === "spaced" ? minute - 1 : minute)).toBeLessThanOrEqual(requestsPerMinute)
        }),
      { fastCheck: { numRuns: 4 } }
    )
  }

  it.effect("several windows hold at once, and the day begins at midnight of its zone", () =>
    Effect.gen(function*() {
      // 23:58 in Los Angeles, on the day before the clocks go forward there.
      yield* TestClock.setTime(Date.parse("2026-03-08T07:58:00Z"))
      const limit = yield* RateLimit.make({
        requestsPerMinute: 3,
        requestsPerDay: 4,
        zone: "America/Los_Angeles",
        maxWait: "2 days"
      })
      const { call, starts } = recorder()
      yield* ask(11, limit.apply(call))
      yield* TestClock.adjust("30 hours")
      expect(starts.map((at) => new Date(at).toISOString().slice(0, 19))).toEqual([
        "2026-03-08T07:58:00",
        "2026-03-08T07:58:00",
        "2026-03-08T07:58:00",
        "2026-03-08T07:59:01",
        "2026-03-08T08:00:01",
        "2026-03-08T08:00:01",
        "2026-03-08T08:00:02",
        "2026-03-08T08:01:02",
        // That day has 23 hours.
        "2026-03-09T07:00:01",
        "2026-03-09T07:00:01",
        "2026-03-09T07:00:01"
      ])
    }))

  it.effect("counts estimated tokens, and refuses at once what can never fit", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ tokensPerMinute: 1000 })
      const { call, starts } = recorder()
      const sized = (tokens: number) => CurrentCall.update(limit.apply(call), { tokens })
      yield* ask(1, sized(600))
      yield* ask(1, sized(600))
      yield* TestClock.adjust("2 minutes")
      expect(starts).toEqual([0, 61_000])
      for (const tokens of [1001, Infinity]) {
        const error = yield* Effect.flip(sized(tokens))
        expect([error._tag, error.retryAfter]).toEqual(["LimitExceeded", undefined])
        expect(error.message).toContain("can never start")
      }
      const bucket = yield* RateLimit.make({
        limits: [{ name: "burst", limit: 100, window: "1 minute", counts: "tokens", mode: "bucket", burst: 20 }]
      })
      const error = yield* Effect.flip(CurrentCall.update(bucket.apply(call), { tokens: 21 }))
      expect(error.message).toBe(
        "the call costs 21 and \"burst\" lets 20 through at most: it can never start; make it smaller, or raise the limit"
      )
    }))

  it.effect("what a call really cost replaces the estimate: less comes back, more delays later calls", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ tokensPerMinute: 1000 })
      const used = Effect.map(limit.state, (state) => one(state).limits[0]?.used)
      const generated = (totalTokens: number, tokens: number) =>
        CurrentCall.update(limit.apply(Effect.succeed({ usage: { totalTokens } })), { tokens })
      yield* generated(100, 900)
      expect(yield* used).toBe(100)
      yield* generated(2500, 500)
      expect(yield* used).toBe(2600)
      const error = yield* Effect.flip(
        CurrentCall.update(generated(1, 1), { deadline: 30_000 })
      )
      expect([error._tag, error.retryAfter]).toEqual(["LimitExceeded", Duration.seconds(61)])
      const fiber = yield* Effect.fork(generated(1, 1))
      yield* TestClock.adjust("61 seconds")
      yield* Fiber.join(fiber)
      expect(yield* used).toBe(1)
    }))

  it.effect("a stream's last piece says what it cost", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ tokensPerMinute: 1000 })
      const used = Effect.map(limit.state, (state) => one(state).limits[0]?.used)
      const finish = { _tag: "Finish", usage: { totalTokens: 40 } } as const
      const stream = limit.applyStream(Stream.rechunk(Stream.make({ _tag: "Text", text: "a" } as const, finish), 1))
      const run = <A, E>(self: Stream.Stream<A, E>) => CurrentCall.update(Stream.runDrain(self), { tokens: 300 })
      yield* run(stream)
      expect(yield* used).toBe(40)
      // Who stops before the end never hears it: the estimate stands.
      yield* run(Stream.take(stream, 1))
      expect(yield* used).toBe(340)
      const state = one(yield* limit.state)
      expect([state.inFlight, state.limits[0]?.held]).toEqual([0, 0])
    }))

  it.effect("the actual cost can be read from any exit, and nonsense leaves the estimate", () =>
    Effect.gen(function*() {
      const costs = [NaN, -1, undefined, Infinity, 7]
      const limit = yield* RateLimit.make({
        tokensPerMinute: 1000,
        actualCost: (exit) => (Exit.isFailure(exit) ? costs.shift() : undefined)
      })
      for (let i = 0; i < 5; i++) {
        yield* Effect.exit(CurrentCall.update(limit.apply(Effect.fail("x")), { tokens: 10 }))
      }
      expect(one(yield* limit.state).limits[0]?.used).toBe(47)
    }))

  it.effect("spends nothing on what never started: refused further in, never connected, interrupted in the queue", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ requestsPerMinute: 1 })
      const open = new Rejected.CircuitOpen({ policy: "CircuitBreaker", policyName: "b", message: "open" })
      const noConnection = new GenerationError.Timeout({ message: "no", phase: "connect" })
      for (const error of [open, noConnection]) {
        expect(yield* Effect.flip(limit.apply(Effect.fail(error)))).toBe(error)
        expect(one(yield* limit.state).limits[0]?.used).toBe(0)
      }
      yield* limit.apply(Effect.void)
      const [waiting] = yield* ask(1, limit.apply(Effect.void))
      yield* Effect.yieldNow()
      expect(one(yield* limit.state).waiting).toBe(1)
      yield* Fiber.interrupt(waiting!)
      expect(one(yield* limit.state)).toMatchObject({ waiting: 0, inFlight: 0, limits: [{ used: 1, held: 0 }] })
    }))

  it.effect("everything else counts: success, failure, defect, interruption on the way", () =>
    Effect.gen(function*() {
      const busy = new GenerationError.Overloaded({ message: "busy" })
      for (const inner of [Effect.void, Effect.fail(busy), Effect.die("boom"), Effect.interrupt]) {
        const limit = yield* RateLimit.make({ requestsPerMinute: 5 })
        const exits = [
          yield* Effect.exit(limit.apply(inner)),
          yield* Effect.exit(Stream.runDrain(limit.applyStream(Stream.fromEffect(inner))))
        ]
        expect(exits.map((exit) => exit._tag)).toEqual(exits.map(() => inner === Effect.void ? "Success" : "Failure"))
        expect(one(yield* limit.state)).toMatchObject({ inFlight: 0, limits: [{ used: 2, held: 0 }] })
      }
    }))

  it.effect("a 429 keeps everybody back until the server's time, or for the fallback", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ requestsPerMinute: 100 })
      const { call, starts } = recorder()
      const limited = (retryAfter?: Duration.DurationInput) =>
        Effect.exit(limit.apply(Effect.fail(new GenerationError.RateLimited({ message: "429", retryAfter }))))
      yield* limited("20 seconds")
      expect(one(yield* limit.state)).toMatchObject({ drainedUntil: 20_000, drainedBy: "RateLimited" })
      yield* ask(2, limit.apply(call))
      yield* TestClock.adjust("30 seconds")
      expect(starts).toEqual([20_000, 20_000])
      yield* limited()
      const error = yield* Effect.flip(CurrentCall.update(limit.apply(call), { deadline: 40_000 }))
      expect(error.retryAfter).toEqual(Duration.minutes(1))
      expect(error.message).toContain("the provider answered RateLimited")
      yield* limit.lift()
      yield* limit.apply(call)
      expect(starts.at(-1)).toBe(30_000)
    }))

  it.effect("what a 429 gives back lets nobody in before the server's time", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ tokensPerMinute: 100, actualCost: () => 0 })
      const { call, starts } = recorder()
      const limited = new GenerationError.RateLimited({ message: "429", retryAfter: "30 seconds" })
      const sized = <A, E>(self: Effect.Effect<A, E>) => CurrentCall.update(limit.apply(self), { tokens: 100 })
      yield* ask(1, sized(Effect.delay(Effect.fail(limited), "1 second")))
      yield* ask(1, sized(call))
      yield* TestClock.adjust("1 minute")
      expect(starts).toEqual([31_000])
    }))

  it.effect("who waits is turned away as soon as a 429 makes it too late", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ requestsPerMinute: 2, maxWait: "2 minutes" })
      const limited = new GenerationError.RateLimited({ message: "429", retryAfter: "5 minutes" })
      yield* ask(1, limit.apply(Effect.delay(Effect.fail(limited), "10 seconds")))
      yield* ask(1, limit.apply(Effect.void))
      const [waiting] = yield* ask(1, limit.apply(Effect.void))
      yield* TestClock.adjust("10 seconds")
      expect(failure(yield* Fiber.join(waiting!))).toMatchObject({
        _tag: "LimitExceeded",
        retryAfter: Duration.minutes(5)
      })
    }))

  it.effect("a used-up day is waited for until its reset, or until when the provider says", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(10 * 3_600_000)
      const limit = yield* RateLimit.make({ requestsPerDay: 100, zone: "America/Los_Angeles" })
      const exhausted = (resetAt?: number) => new GenerationError.QuotaExhausted({ message: "spent", resetAt })
      yield* Effect.exit(limit.apply(Effect.fail(exhausted())))
      // Midnight in California is 08:00 in UTC.
      expect(one(yield* limit.state)).toMatchObject({ drainedUntil: day + 8 * 3_600_000 + 1000, drainedBy: "QuotaExhausted" })
      const error = yield* Effect.flip(limit.apply(Effect.void))
      expect(error.retryAfter).toEqual(Duration.millis(22 * 3_600_000 + 1000))
      yield* limit.lift("default")
      yield* Effect.exit(limit.apply(Effect.fail(exhausted(11 * 3_600_000))))
      expect(one(yield* limit.state).drainedUntil).toBe(11 * 3_600_000)
    }))

  it.effect("an answer about yesterday's quota says nothing of today", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(day - 5000)
      const limit = yield* RateLimit.make({ requestsPerDay: 100 })
      const slow = Effect.delay(Effect.fail(new GenerationError.QuotaExhausted({ message: "spent" })), "20 seconds")
      yield* ask(1, limit.apply(slow))
      yield* TestClock.adjust("20 seconds")
      expect(one(yield* limit.state).drainedUntil).toBeUndefined()
      yield* limit.apply(Effect.void)
    }))

  it.effect("refuses at once a wait that would pass the deadline, or be longer than allowed, and says when to come back", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ requestsPerMinute: 1, maxWait: "3 minutes", attemptTime: "20 seconds" })
      yield* limit.apply(Effect.void)
      const within = (deadline: number) => CurrentCall.update(limit.apply(Effect.void), { deadline })
      expect((yield* Effect.flip(within(80_999))).retryAfter).toEqual(Duration.seconds(61))
      const [ok] = yield* ask(1, within(81_000))
      yield* ask(1, limit.apply(Effect.void))
      yield* Effect.yieldNow()
      const error = yield* Effect.flip(limit.apply(Effect.void))
      expect([error._tag, error.retryAfter]).toEqual(["LimitExceeded", Duration.seconds(183)])
      yield* TestClock.adjust("61 seconds")
      expect(yield* Fiber.join(ok!)).toEqual(Exit.void)
      expect((yield* Effect.flip(CurrentCall.update(limit.apply(Effect.void), { deadline: 1 })))._tag).toBe("LimitExceeded")
    }))

  it.effect("a full queue refuses who comes", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ requestsPerMinute: 1, maxQueue: 2 })
      yield* limit.apply(Effect.void)
      yield* ask(2, limit.apply(Effect.void))
      yield* Effect.yieldNow()
      const error = yield* Effect.flip(limit.apply(Effect.void))
      expect(error).toMatchObject({ _tag: "QueueFull", policy: "RateLimit", retryAfter: Duration.seconds(183) })
    }))

  it.effect("by priority if asked, first come first served else", () =>
    Effect.gen(function*() {
      const orders: Record<string, Array<number>> = {}
      for (const order of ["fifo", "priority"] as const) {
        const limit = yield* RateLimit.make({ requestsPerMinute: 60, mode: "spaced", order })
        const served: Array<number> = (orders[order] = [])
        for (const [index, priority] of [0, 1, 0, 5, 1].entries()) {
          const call = Effect.sync(() => void served.push(index))
          yield* Effect.fork(CurrentCall.update(limit.apply(call), { priority }))
          yield* Effect.yieldNow()
        }
        yield* TestClock.adjust("10 seconds")
      }
      expect(orders).toEqual({ fifo: [0, 1, 2, 3, 4], priority: [0, 3, 1, 4, 2] })
    }))

  it.effect("each endpoint has limits of its own; keys beyond the bound share one, and idle ones are forgotten", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ requestsPerMinute: 1, maxKeys: 2, maxWait: 0 })
      const at = (endpoint: string) => Effect.either(CurrentCall.update(limit.apply(Effect.void), { endpoint }))
      const results = yield* Effect.forEach(["a", "b", "a", "c", "d", "c"], at)
      expect(results.map((result) => result._tag)).toEqual(["Right", "Right", "Left", "Right", "Left", "Left"])
      expect((yield* limit.state).map(({ key }) => key)).toEqual(["a", "b", "*"])
      yield* TestClock.adjust("2 minutes")
      expect((yield* at("c"))._tag).toBe("Right")
      expect((yield* limit.state).map(({ key }) => key)).toEqual(["c"])
    }))

  it.effect("no fiber and one timer for all who wait", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ requestsPerMinute: 1, maxWait: "1 day" })
      yield* ask(50, limit.apply(Effect.void))
      yield* TestClock.adjust(0)
      expect(one(yield* limit.state).waiting).toBe(49)
      expect(yield* TestClock.sleeps()).toHaveLength(1)
    }))

  it.effect("within a generation a call counts from its attempt's start, not from its grant", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ requestsPerMinute: 2 })
      // Somebody further in holds calls back for 50 s: a bulkhead's queue, for example.
      const held = Policy.make({ kind: "Held", apply: Effect.delay("50 seconds"), applyStream: (self) => self })
      const live = Generation.layer({ policy: Policy.compose(limit, held) }).pipe(
        Layer.provideMerge(Layer.mergeAll(
          GenerationClient.layerTest([{ usage: { totalTokens: 5 } }]),
          GenerationCache.layerNoop,
          Telemetry.layerNoop
        ))
      )
      yield* Effect.gen(function*() {
        yield* ask(2, Generation.generate({ prompt: "a" }))
        const [third] = yield* ask(1, Generation.generate({ prompt: "b" }))
        yield* TestClock.adjust("20 seconds")
        expect(one(yield* limit.state)).toMatchObject({ inFlight: 2, waiting: 1, limits: [{ used: 2, held: 2 }] })
        yield* TestClock.adjust("10 minutes")
        yield* Fiber.join(third!)
        const { attempts } = yield* GenerationClient.Recorded
        // Granted at 50 + 61 s, sent 50 s later.
        expect((yield* attempts).map(({ at }) => at)).toEqual([50_000, 50_000, 161_000])
        // Interrupted before the client was asked: nothing was spent.
        const [stopped] = yield* ask(1, Generation.generate({ prompt: "c" }))
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.interrupt(stopped!)
        expect(one(yield* limit.state).limits[0]).toMatchObject({ used: 0, held: 0 })
      }).pipe(Effect.provide(live))
    }))

  it.effect("a burst of generations is foreseen rightly while none of them has begun", () =>
    Effect.gen(function*() {
      for (const mode of ["sliding", "bucket", "spaced"] as const) {
        const limit = yield* RateLimit.make({ requestsPerMinute: 10, mode, maxWait: "3 minutes" })
        const live = Layer.provideMerge(
          Generation.layer({ policy: limit }),
          Layer.mergeAll(GenerationClient.layerTest([{}]), GenerationCache.layerNoop, Telemetry.layerNoop)
        )
        yield* Effect.gen(function*() {
          const start = yield* Clock.currentTimeMillis
          yield* ask(25, Generation.generate({ prompt: "a" }))
          yield* TestClock.adjust("10 minutes")
          const { attempts } = yield* GenerationClient.Recorded
          const starts = (yield* attempts).map(({ at }) => (at - start) / 1000)
          expect(starts).toHaveLength(25)
          if (mode === "sliding") expect(starts.slice(9, 21)).toEqual([0, ...Array.from({ length: 10 }, () => 61), 122])
          if (mode === "spaced") expect(starts).toEqual(starts.map((_, index) => index * 6))
        }).pipe(Effect.provide(live))
      }
    }))

  it.effect("an actual cost that throws changes nothing, and the result passes", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({
        tokensPerMinute: 100,
        actualCost: () => {
          throw new Error("mine")
        }
      })
      expect(yield* CurrentCall.update(limit.apply(Effect.succeed("image")), { tokens: 9 })).toBe("image")
      expect(one(yield* limit.state)).toMatchObject({ inFlight: 0, limits: [{ used: 9, held: 0 }] })
    }))

  it("adds its own refusals and nothing else", () => {
    const wrapped = (limit: RateLimit.RateLimit, work: Effect.Effect<number, "mine", "needed">) => limit.apply(work)
    expectTypeOf(wrapped).returns.toEqualTypeOf<
      Effect.Effect<number, "mine" | Rejected.LimitExceeded | Rejected.QueueFull, "needed">
    >()
  })

  it("describes itself", () => {
    const limit = Effect.runSync(RateLimit.make({
      requestsPerMinute: 10,
      tokensPerMinute: 1000,
      requestsPerDay: 250,
      limits: [{ limit: 5, window: "10 seconds", counts: (call) => call.priority }]
    }))
    expect(limit.describe).toEqual({
      kind: "RateLimit",
      name: "RateLimit",
      amplification: 1,
      options: {
        requestsPerMinute: 10,
        tokensPerMinute: 1000,
        requestsPerDay: 250,
        "cost/10s": 5,
        mode: "sliding",
        maxQueue: 1000,
        maxWait: 300_000,
        attemptTime: 0,
        order: "fifo"
      }
    })
  })

  it("refuses illegal options by name", () => {
    const refused = (options: RateLimit.MakeOptions, message: RegExp) => {
      expect(() => RateLimit.make(options)).toThrow(RangeError)
      expect(() => RateLimit.make(options)).toThrow(message)
    }
    refused({}, /at least one of "requestsPerMinute"/)
    refused({ requestsPerMinute: 0 }, /"requestsPerMinute" must be a number of at least 1/)
    refused({ tokensPerMinute: NaN }, /"tokensPerMinute"/)
    refused({ requestsPerDay: 10, zone: "Mars/Base" }, /"zone" must be the IANA name of a time zone, not Mars\/Base/)
    refused({ requestsPerMinute: 1, mode: "fast" as "sliding" }, /"mode" must be one of sliding, bucket, spaced/)
    refused({ requestsPerMinute: 1, order: "lifo" as "fifo" }, /"order"/)
    refused({ requestsPerMinute: 1, maxQueue: -1 }, /"maxQueue"/)
    refused({ requestsPerMinute: 1, maxKeys: 0 }, /"maxKeys"/)
    refused({ requestsPerMinute: 1, maxWait: -1 }, /"maxWait"/)
    refused({ limits: [{ limit: 5, window: 0 }] }, /"window"/)
    refused({ limits: [{ limit: 5, window: 1000, mode: "bucket", burst: 6 }] }, /"burst"/)
    refused({ limits: [{ limit: 5, window: 1000, counts: "tokens", mode: "bucket", burst: 5 }] }, /"burst" must be less than/)
  })

  it("docs/policies/rate-limit.md states its defaults", () => {
    const rows = table("policies/rate-limit.md", "option", "default", "unit and range")
    const stated = Object.fromEntries(rows.map((row) => [row["option"], row["default"]]))
    for (const [name, value] of Object.entries(RateLimit.defaults)) expect([name, stated[name]]).toEqual([name, String(value)])
  })
})

describe("RateLimit under interruption", () => {
  const sweep = (run: (limit: RateLimit.RateLimit, body: Effect.Effect<void>) => Effect.Effect<unknown, unknown>) =>
    Effect.gen(function*() {
      let interrupted = 0
      for (let ops = 10; ops <= 28; ops += 3) {
        for (let point = 0; point < 14; point++) {
          const limit = yield* RateLimit.make({ requestsPerMinute: 2, tokensPerMinute: 100 })
          let started = 0
          const body = Effect.zipRight(Effect.sync(() => void started++), Effect.yieldNow())
          const fibers = yield* Effect.forEach([0, 1, 2, 3], () =>
            Effect.fork(CurrentCall.update(Effect.withMaxOpsBeforeYield(run(limit, body), ops), { tokens: 10 })))
          for (let i = 0; i < point; i++) yield* Effect.yieldNow()
          if (point % 3 === 0) yield* TestClock.adjust("61 seconds")
          const exit = yield* Fiber.interrupt(fibers[point % 4]!)
          if (Exit.isInterrupted(exit)) interrupted++
          for (const fiber of fibers) yield* Fiber.interrupt(fiber)
          const where = `ops ${ops}, point ${point}`
          const [state] = yield* limit.state
          expect(state?.inFlight ?? 0, where).toBe(0)
          expect(state?.waiting ?? 0, where).toBe(0)
          for (const { held, used } of state?.limits ?? []) {
            expect(held, where).toBe(0)
            expect(used, where).toBeLessThanOrEqual(20)
          }
          // A minute later everything is there again.
          yield* TestClock.adjust("61 seconds")
          for (let i = 0; i < 2; i++) yield* CurrentCall.update(run(limit, body), { tokens: 50, deadline: 1 + (yield* Clock.currentTimeMillis) })
          expect(yield* TestClock.sleeps(), where).toHaveLength(0)
        }
      }
      return interrupted
    })

  it.effect("loses no grant and no place", () =>
    Effect.map(sweep((limit, body) => limit.apply(body)), (interrupted) => expect(interrupted).toBeGreaterThan(25)), 30_000)

  it.effect("nor do streams", () =>
    Effect.map(sweep((limit, body) => Stream.runDrain(limit.applyStream(Stream.fromEffect(body)))), (interrupted) =>
      expect(interrupted).toBeGreaterThan(25)), 30_000)
})

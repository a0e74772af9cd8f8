import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import { Cause, Chunk, Clock, Duration, Effect, Exit, Fiber, Layer, Option, Random, Stream, TestClock } from "effect"
import * as Admission from "holdfast/Admission"
import * as Backoff from "holdfast/Backoff"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as LoadProfile from "holdfast/LoadProfile"
import * as OffPeak from "holdfast/OffPeak"
import * as Policy from "holdfast/Policy"
import { Shed } from "holdfast/Rejected"
import * as Telemetry from "holdfast/Telemetry"

const minute = 60_000
const hour = 60 * minute
const midnight = Date.parse("2026-11-26T00:00:00Z")
const noon = midnight - 12 * hour
const overloaded = new GenerationError.Overloaded({ message: "busy" })

const admitting = { interactive: Policy.interactive, persistent: Policy.persistent, batch: Policy.batch } as const

const presets = { ...admitting, article: Policy.article } as const

type Call = Partial<CurrentCall.Call>

const failure = <A, E>(exit: Exit.Exit<A, E>): E | undefined =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined

/** When a call that comes at `from` runs. The clock is moved two days on. */
const startedAt = (policy: Policy.Policy<unknown>, from: number, call: Call = {}) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(from)
    const fiber = yield* Effect.fork(policy.apply(Clock.currentTimeMillis).pipe(CurrentCall.update(call)))
    yield* TestClock.adjust("2 days")
    return yield* Fiber.join(fiber)
  })

/** The seconds at which the attempts of a call start that all fail, and how the call ends. */
const attemptsOf = (
  policy: Policy.Policy<unknown>,
  { deadline = "1 day", error = overloaded }: {
    readonly deadline?: Duration.DurationInput
    readonly error?: GenerationError.GenerationError
  } = {}
) =>
  Effect.gen(function*() {
    const seconds: Array<number> = []
    const begun = yield* Clock.currentTimeMillis
    const attempt = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      seconds.push((now - begun) / 1000)
      return Effect.fail(error)
    })
    const call = Deadline.make({ duration: deadline }).apply(policy.apply(attempt))
    const fiber = yield* Effect.fork(Effect.exit(CurrentCall.update(call, { log: CurrentCall.makeLog() })))
    yield* TestClock.adjust(deadline)
    return { seconds, error: failure(yield* Fiber.join(fiber)) }
  })

const stateOf = (preset: Policy.Preset) =>
  Effect.map(preset.admission.state, (endpoints) => endpoints.get("default"))

describe("each preset", () => {
  for (const [name, make] of Object.entries(presets)) {
    it.effect(`${name} bounds its attempts by a number, and warns of nothing in its own order`, () =>
      Effect.gen(function*() {
        const policy = yield* make()
        const explanation = Policy.explain(policy)
        expect(explanation.warnings).toEqual([])
        const parts = policy.describe.policies ?? [policy.describe]
        expect(explanation.order).toHaveLength(parts.length)
        const expected = { interactive: 100, persistent: 100, batch: 500, article: 5 }
        expect({ [name]: Policy.worstCaseAmplification(policy) }).toEqual({ [name]: expected[name as "article"] })
      }))

    it.effect(`${name} stands in a generation like any other`, () =>
      Effect.gen(function*() {
        const layer = Generation.layer({ policy: make(), deadline: "3 minutes" }).pipe(
          Layer.provide([GenerationCache.layerNoop, Telemetry.layerNoop]),
          Layer.provide(GenerationClient.layerTest([overloaded, {}]))
        )
        const both = Effect.all([
          Generation.generate({ prompt: "a boat" }),
          Stream.runCollect(Generation.stream({ prompt: "a boat" }))
        ])
        const fiber = yield* Effect.fork(Effect.provide(both, layer))
        yield* TestClock.adjust("3 minutes")
        const [drawn, streamed] = yield* Fiber.join(fiber)
        expect(drawn.attempts.map(({ error }) => error?._tag)).toEqual(["Overloaded", undefined])
        expect(Chunk.toReadonlyArray(streamed).at(-1)?._tag).toBe("Finish")
      }))
  }

  it("adds the one refusal of admission to the types, and the loop none", () => {
    expectTypeOf<Effect.Effect.Success<ReturnType<typeof Policy.interactive>>>().toMatchTypeOf<Policy.Policy<Shed>>()
    expectTypeOf(Policy.article()).toEqualTypeOf<Effect.Effect<Policy.Policy>>()
  })
})

describe("the presets with admission", () => {
  it.effect("consist of the parts that they say, by one name where one is given", () =>
    Effect.gen(function*() {
      const named = { interactive: "OffPeak > Retry > Admission", batch: "WorkClass > OffPeak > Retry > Admission" }
      expect((yield* Policy.interactive()).name).toBe(named.interactive)
      expect((yield* Policy.persistent()).name).toBe(named.interactive)
      expect((yield* Policy.batch()).name).toBe(named.batch)
      const { describe: { policies } } = yield* Policy.batch({ name: "covers" })
      expect(policies?.map(({ kind, name }) => [kind, name])).toEqual(
        ["WorkClass", "OffPeak", "Retry", "Admission"].map((kind) => [kind, "covers"])
      )
      expect(policies?.[0]?.options).toEqual({ workClass: "batch" })
      expect(policies?.[1]?.options).toMatchObject({
        atMost: "lowest in reach",
        holds: "batch",
        attempt: 2 * hour,
        spread: 15 * minute,
        maxDeferral: 36 * hour
      })
    }))

  it.effect("hand on what admission control is told", () =>
    Effect.gen(function*() {
      for (const make of Object.values(admitting)) {
        const policy = yield* make({ name: "front", admission: { seed: 0.2, name: "gate", persistent: { pers: 9 } } })
        const admission = policy.describe.policies?.at(-1)
        expect(admission).toMatchObject({ name: "gate", options: { seed: 0.2, pers: 9, fair: 0.05 } })
        expect(policy.admission.describe).toEqual(admission)
      }
    }))

  it.effect("are polite, but for the one that is not", () =>
    Effect.gen(function*() {
      const deadline = "150 seconds"
      const { error, seconds: polite } = yield* attemptsOf(yield* Policy.interactive(), { deadline })
      expect(error).toBeInstanceOf(Shed)
      const keen = yield* attemptsOf(yield* Policy.persistent(), { deadline })
      expect(polite.length).toBe(5)
      expect(keen.seconds.length).toBe(8)
      // While it is rejected, a waiting call asks every 15 seconds.
      expect(keen.seconds.slice(2).map((at, n) => Math.round(at - (keen.seconds[n + 1] ?? 0)))).toEqual(Array(6).fill(15))
      const { seconds } = yield* attemptsOf(yield* Policy.batch(), { deadline })
      expect(seconds).toEqual(polite)
      const { options } = (yield* Policy.persistent()).admission.describe
      expect(options).toMatchObject(Admission.persistent)
    }))

  it.effect("never abandon what was accepted", () =>
    Effect.gen(function*() {
      for (const make of Object.values(admitting)) {
        const policy = yield* make({ profile: LoadProfile.make({ otherwise: "low" }) })
        const fiber = yield* Effect.fork(policy.apply(Effect.delay(Effect.succeed("late"), "1 hour")))
        yield* TestClock.adjust("1 hour")
        expect(yield* Fiber.join(fiber)).toBe("late")
      }
    }))

  it.effect("let a server that stays overloaded see no more attempts than they state", () =>
    Effect.gen(function*() {
      const steep = { seed: 8, floor: 8 }
      for (const make of Object.values(admitting)) {
        for (const maxAttempts of [1, 3, 40]) {
          const policy = yield* make({ maxAttempts, admission: steep })
          const { error, seconds } = yield* attemptsOf(policy, { deadline: "90 minutes" })
          expect(seconds).toHaveLength(Policy.worstCaseAmplification(policy))
          expect(error).toMatchObject({ _tag: "Overloaded", stoppedBy: "schedule" })
        }
      }
    }))

  it("refuse illegal options by name", () => {
    for (const [name, make] of Object.entries(admitting)) {
      for (const maxAttempts of [0, 1.5, -1, NaN]) {
        expect(() => Effect.runSync(make({ maxAttempts }))).toThrow(
          `Policy.${name}: "maxAttempts" must be a whole number of at least 1, not ${maxAttempts}`
        )
      }
      expect(() => Effect.runSync(make({ admission: { seed: 0 } }))).toThrow(`Admission.make: "seed" must be`)
      const profile = "night" as unknown as LoadProfile.LoadProfile
      expect(() => Effect.runSync(make({ profile }))).toThrow(`OffPeak.gate: "profile" must be`)
    }
  })

  it.effect("leave nothing behind when calls are interrupted that wait for the pace", () =>
    Effect.gen(function*() {
      for (const make of Object.values(admitting)) {
        const policy = yield* make({ profile: LoadProfile.make({ otherwise: "low" }) })
        yield* Effect.exit(policy.admission.apply(Effect.fail(overloaded)))
        const waiting = yield* Effect.forEach([1, 2, 3], () => Effect.fork(policy.apply(Effect.never)))
        yield* TestClock.adjust("1 second")
        expect(yield* stateOf(policy)).toMatchObject({ waiting: 3, inFlight: 0 })
        for (const fiber of waiting) expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
        expect(yield* stateOf(policy)).toMatchObject({ waiting: 0, inFlight: 0, started: 1 })
        // The token that the others waited for goes to the next.
        const next = yield* Effect.fork(policy.apply(Effect.succeed("through")))
        yield* TestClock.adjust("15 seconds")
        expect((yield* Fiber.poll(next))).toEqual(Option.some(Exit.succeed("through")))
      }
    }))

  it.effect("nor calls that wait for the night", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      const policy = yield* Policy.batch()
      let attempts = 0
      const fiber = yield* Effect.fork(policy.apply(Effect.sync(() => void attempts++)))
      yield* TestClock.adjust("1 hour")
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      yield* TestClock.adjust("1 day")
      expect([attempts, yield* stateOf(policy)]).toEqual([0, undefined])
    }))
})

describe("the class of a call", () => {
  it.effect("batch work waits for the night and spreads over its first quarter of an hour; the rest passes", () =>
    Effect.gen(function*() {
      for (const make of [Policy.interactive, Policy.persistent]) {
        const policy = yield* make()
        expect(yield* startedAt(policy, noon)).toBe(noon)
        const at = yield* startedAt(policy, noon, { workClass: "batch" })
        expect(at).toBeGreaterThanOrEqual(midnight)
        expect(at).toBeLessThan(midnight + 15 * minute)
      }
      const at = yield* startedAt(yield* Policy.batch(), noon)
      expect(at).toBeGreaterThanOrEqual(midnight)
      expect(at).toBeLessThan(midnight + 15 * minute)
    }))

  it.effect("sixty jobs that waited all day do not start as one", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      const policy = yield* Policy.batch()
      const minutes = new Map<number, number>()
      const job = Effect.map(Clock.currentTimeMillis, (now) => {
        const after = Math.floor((now - midnight) / minute)
        minutes.set(after, (minutes.get(after) ?? 0) + 1)
      })
      const jobs = yield* Effect.fork(
        Effect.all(Array.from({ length: 60 }, () => policy.apply(job)), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("13 hours")
      yield* Fiber.join(jobs)
      expect([...minutes.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 15 }, (_, n) => n))
      expect(Math.max(...minutes.values())).toBeLessThanOrEqual(6)
    }))

  // By the built-in profile 12-18 is peak, 18-24 high, 00-06 low, 06-12 medium.
  const reach: ReadonlyArray<readonly [string, number, number, number]> = [
    ["waits for low load when two hours are left then", noon, midnight + 2 * hour, midnight],
    ["waits for high load when low would be too late by a moment", noon, midnight + 2 * hour - 1, noon + 6 * hour],
    ["waits for high load rather than work at peak", noon, noon + 10 * hour, noon + 6 * hour],
    ["starts at once when nothing better leaves two hours", noon, noon + 8 * hour - 1, noon],
    ["starts at once where load is as low as it will get", noon + 7 * hour, midnight + hour, noon + 7 * hour],
    ["starts at once in the low", midnight + hour, Infinity, midnight + hour],
    ["waits for the next night, not for the next best hours", midnight + 6 * hour, Infinity, midnight + 24 * hour]
  ]
  for (const [what, from, deadline, at] of reach) {
    it.effect(`batch work ${what}`, () =>
      Effect.gen(function*() {
        for (const policy of [yield* Policy.interactive(), yield* Policy.batch()]) {
          const started = yield* startedAt(policy, from, { deadline, workClass: "batch" })
          expect(started).toBeGreaterThanOrEqual(at)
          expect(started).toBeLessThanOrEqual(at === from ? at : at + 15 * minute)
        }
      }))
  }

  it.effect("batch work that is urgent passes, and a profile of one's own or a learner says what is low", () =>
    Effect.gen(function*() {
      const job = { workClass: "batch" } as const
      const policy = yield* Policy.interactive()
      expect(yield* startedAt(policy, noon, { ...job, priority: 10 })).toBe(noon)
      yield* TestClock.setTime(noon)
      expect(yield* OffPeak.urgent(policy.apply(Clock.currentTimeMillis)).pipe(CurrentCall.update(job))).toBe(noon)
      const lunch = LoadProfile.make({ windows: [{ from: "13:00", to: "14:00", level: "low" }], otherwise: "peak" })
      const learner = yield* LoadProfile.learned({ prior: lunch })
      for (const profile of [lunch, learner, Effect.succeed(lunch)]) {
        const at = yield* startedAt(yield* Policy.batch({ profile }), noon)
        expect(at).toBeGreaterThanOrEqual(noon + hour)
        expect(at).toBeLessThan(noon + hour + 15 * minute)
      }
    }))

  it.effect("streams wait and pass as effects do", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      const now = Stream.fromEffect(Effect.zip(Clock.currentTimeMillis, CurrentCall.current))
      const first = (policy: Policy.Policy<unknown>, call: Call) =>
        Effect.fork(Effect.flatten(Stream.runHead(policy.applyStream(now))).pipe(CurrentCall.update(call)))
      const interactive = yield* Policy.interactive()
      const passing = yield* first(interactive, {})
      const held = [yield* first(interactive, { workClass: "batch" }), yield* first(yield* Policy.batch(), {})]
      yield* TestClock.adjust("1 day")
      const [at, { workClass }] = yield* Fiber.join(passing)
      expect([at, workClass]).toEqual([noon, "interactive"])
      for (const fiber of held) {
        const [at, { workClass }] = yield* Fiber.join(fiber)
        expect(at).toBeGreaterThanOrEqual(midnight)
        expect(at).toBeLessThan(midnight + 15 * minute)
        expect(workClass).toBe("batch")
      }
    }))

  it.effect("once it may start, batch work goes when no interactive call can", () =>
    Effect.gen(function*() {
      const policy = yield* Policy.interactive({ admission: { seed: 1, floor: 1 } })
      yield* Effect.exit(policy.admission.apply(Effect.fail(overloaded)))
      const order: Array<string> = []
      const call = (name: string, fields: Call) =>
        policy.apply(Effect.sync(() => void order.push(name))).pipe(CurrentCall.update(fields), Effect.fork)
      yield* call("first", {})
      yield* TestClock.adjust("1 millis")
      // The test's clock starts at midnight.
      yield* call("job", { workClass: "batch", priority: 9 })
      yield* call("second", {})
      yield* TestClock.adjust("1 minute")
      expect(order).toEqual(["second", "first", "job"])
    }))

  it.effect("of a generation is what stands around it, and batch makes all of them batch work", () =>
    Effect.gen(function*() {
      const classes: Array<CurrentCall.WorkClass> = []
      const client = Layer.effect(
        GenerationClient.GenerationClient,
        Effect.map(GenerationClient.GenerationClient, ({ generate, stream }): GenerationClient.Service => ({
          generate: (request) =>
            Effect.zipRight(
              Effect.map(CurrentCall.current, ({ workClass }) => void classes.push(workClass)),
              generate(request)
            ),
          stream
        }))
      )
      const under = (policy: Effect.Effect<Policy.Policy<Shed>>) =>
        Effect.provide(
          Generation.layer({ policy }).pipe(
            Layer.provide([GenerationCache.layerNoop, Telemetry.layerNoop]),
            Layer.provide(Layer.provide(client, GenerationClient.layerTest()))
          )
        )
      const draw = Generation.generate({ prompt: "a boat" })
      yield* draw.pipe(under(Policy.interactive()))
      yield* draw.pipe(CurrentCall.update({ workClass: "batch" }), under(Policy.interactive()))
      yield* draw.pipe(under(Policy.batch()))
      expect(classes).toEqual(["interactive", "batch", "batch"])
    }))
})

describe("the article's loop", () => {
  const errors = Array.from({ length: 9 }, () => overloaded)

  it.effect("tries five times, when Backoff.article does", () =>
    Effect.gen(function*() {
      for (const seed of ["a", "b", "c"]) {
        const { retries } = yield* Backoff.preview(Backoff.article, { errors, seed })
        const random = Random.make(seed)
        const policy = yield* Policy.article()
        const { error, seconds } = yield* Effect.withRandom(attemptsOf(policy), random)
        expect(seconds).toEqual([0, ...retries.map(({ at }) => at / 1000)])
        const least = [1, 2, 4, 8]
        for (const [n, { delay }] of retries.entries()) {
          const own = Duration.toSeconds(delay) - (least[n] ?? NaN)
          expect(own).toBeGreaterThanOrEqual(0)
          expect(own).toBeLessThan(1)
        }
        expect(error).toMatchObject({ _tag: "Overloaded", stoppedBy: "schedule" })
      }
    }))

  it.effect("knows no outcomes: it repeats what may have been done as often", () =>
    Effect.gen(function*() {
      const error = new GenerationError.Overloaded({ message: "busy", outcome: "unknown" })
      expect((yield* attemptsOf(yield* Policy.article(), { error })).seconds).toHaveLength(5)
      const persistent = yield* attemptsOf(yield* Policy.persistent(), { error })
      expect(persistent.seconds).toHaveLength(2)
    }))

  it.effect("repeats nothing but Overloaded", () =>
    Effect.gen(function*() {
      for (const tag of GenerationError.tags.filter((tag) => tag !== "Overloaded")) {
        const error = GenerationError.make(tag, { message: "no", phase: "headers" })
        const { seconds } = yield* attemptsOf(yield* Policy.article({ name: "loop" }), { error })
        expect([tag, seconds]).toEqual([tag, [0]])
      }
    }))

  it.effect("makes no difference between classes and hours", () =>
    Effect.gen(function*() {
      const policy = yield* Policy.article({ name: "loop" })
      expect(policy.name).toBe("loop")
      expect(yield* startedAt(policy, noon, { workClass: "batch" })).toBe(noon)
    }))
})

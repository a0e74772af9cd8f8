import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import { Chunk, Clock, Deferred, Duration, Effect, Exit, FastCheck, Fiber, Random, Ref, Stream } from "effect"
import { TestClock, TestContext } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import * as GenerationError from "holdfast/GenerationError"
import * as LoadProfile from "holdfast/LoadProfile"
import * as OffPeak from "holdfast/OffPeak"
import * as Policy from "holdfast/Policy"
import { Shed } from "holdfast/Rejected"
import * as Retry from "holdfast/Retry"

const hour = 3_600_000
const minute = 60_000
const noon = Date.parse("2026-11-25T12:00:00Z")
const midnight = noon + 12 * hour
const profile = LoadProfile.nanoBanana
const overloaded = new GenerationError.Overloaded({ message: "busy" })

/** When an effect behind a gate ran, for a call made at `from`; the clock is moved two days on. */
const ranAt = <E>(gate: Policy.Policy<E>, from: number, call: Partial<CurrentCall.Call> = {}, urgent = false) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(from)
    const held = Policy.with(gate, Clock.currentTimeMillis).pipe(CurrentCall.update(call))
    const fiber = yield* Effect.fork(Effect.exit(urgent ? OffPeak.urgent(held) : held))
    yield* TestClock.adjust("2 days")
    return yield* Fiber.join(fiber)
  })

describe("OffPeak.gate", () => {
  it.effect("holds a call back until the next window and starts it within the spread", () =>
    Effect.gen(function*() {
      const at = yield* Effect.flatten(ranAt(OffPeak.gate(profile, { spread: "20 minutes" }), noon))
      expect(at).toBeGreaterThanOrEqual(midnight)
      expect(at).toBeLessThan(midnight + 20 * minute)
    }))

  it.effect("lets a call pass at once inside a window", () =>
    Effect.gen(function*() {
      expect(yield* ranAt(OffPeak.gate(profile), midnight)).toEqual(Exit.succeed(midnight))
      const morning = midnight + 7 * hour
      expect(yield* ranAt(OffPeak.gate(profile, { atMost: "medium" }), morning)).toEqual(Exit.succeed(morning))
    }))

  it.effect("lets urgent calls pass at once, by mark and by priority", () =>
    Effect.gen(function*() {
      const gate = OffPeak.gate(profile)
      const atOnce = Exit.succeed(noon)
      expect(yield* ranAt(gate, noon, {}, true)).toEqual(atOnce)
      expect(yield* ranAt(gate, noon, { priority: 10 })).toEqual(atOnce)
      expect(yield* ranAt(gate, noon, { priority: 9 })).not.toEqual(atOnce)
      expect(yield* ranAt(OffPeak.gate(profile, { urgentPriority: 1 }), noon, { priority: 1 })).toEqual(atOnce)
      const strict = OffPeak.gate(profile, { urgentPriority: Infinity })
      expect(yield* ranAt(strict, noon, { priority: 1e9 })).not.toEqual(atOnce)
    }))

  it.effect("told to hold batch work alone, lets interactive calls pass", () =>
    Effect.gen(function*() {
      const gate = OffPeak.gate(profile, { holds: "batch" })
      expect(yield* ranAt(gate, noon, { workClass: "interactive" })).toEqual(Exit.succeed(noon))
      expect(yield* ranAt(gate, noon, { workClass: "batch" })).not.toEqual(Exit.succeed(noon))
    }))

  it.effect("runs at once when the window is too far, or refuses when told so", () =>
    Effect.gen(function*() {
      const options = { maxDeferral: "11 hours" } as const
      expect(yield* ranAt(OffPeak.gate(profile, options), noon)).toEqual(Exit.succeed(noon))
      expect(yield* ranAt(OffPeak.gate(profile), noon, { deadline: noon + hour })).toEqual(Exit.succeed(noon))
      const refused = yield* ranAt(OffPeak.gate(profile, { ...options, otherwise: "fail", name: "nightly" }), noon)
      const error = yield* Effect.flip(refused)
      expect(error).toBeInstanceOf(Shed)
      expect(error).toMatchObject({ _tag: "Shed", policy: "OffPeak", retryAfter: Duration.hours(12) })
      expect(error.message).toContain("2026-11-26T00:00:00.000Z")
      const never = OffPeak.gate(LoadProfile.make({ otherwise: "peak" }), { otherwise: "fail" })
      expect((yield* Effect.flip(yield* ranAt(never, noon))).retryAfter).toBeUndefined()
    }))

  it("adds its refusal to the types only when it can refuse", () => {
    expectTypeOf(OffPeak.gate(profile)).toEqualTypeOf<Policy.Policy>()
    expectTypeOf(OffPeak.gate(profile, { atMost: "medium", otherwise: "run" })).toEqualTypeOf<Policy.Policy>()
    expectTypeOf(OffPeak.gate(profile, { otherwise: "fail" })).toEqualTypeOf<Policy.Policy<Shed>>()
  })

  it.effect("waits before the first attempt alone, wherever it stands", () =>
    Effect.gen(function*() {
      const retry = Retry.make({ maxAttempts: 3 })
      const outside = Policy.compose(OffPeak.gate(profile), retry)
      const inside = Policy.compose(retry, OffPeak.gate(profile, { spread: 0 }))
      for (const policy of [outside, inside]) {
        yield* TestClock.setTime(midnight - 1)
        const times = yield* Ref.make<ReadonlyArray<number>>([])
        const attempt = Effect.flatMap(Clock.currentTimeMillis, (now) => Ref.update(times, (all) => [...all, now]))
        const call = Policy.with(policy, Effect.zipRight(attempt, Effect.fail(overloaded)))
        const fiber = yield* Effect.fork(Effect.exit(call))
        yield* TestClock.adjust("2 hours")
        yield* Fiber.join(fiber)
        const seen = yield* Ref.get(times)
        expect(seen).toHaveLength(3)
        expect(seen[0]).toBeGreaterThanOrEqual(midnight)
        expect(seen[2]! - seen[0]!).toBeLessThan(minute)
      }
    }))

  it.effect("does not hold back a retry whose window has just ended", () =>
    Effect.gen(function*() {
      const end = midnight + 6 * hour
      yield* TestClock.setTime(end - 1000)
      const retry = Retry.make({ schedule: Backoff.constant({ base: "2 seconds", jitter: "none" }), maxAttempts: 2 })
      const policy = Policy.compose(retry, OffPeak.gate(profile))
      const fiber = yield* Effect.fork(Effect.exit(Policy.with(policy, Effect.fail(overloaded))))
      yield* TestClock.adjust("2 seconds")
      expect((yield* Fiber.poll(fiber))._tag).toBe("Some")
    }))

  it.effect("sees the deadline of a policy that stands around it", () =>
    Effect.gen(function*() {
      const policy = Policy.compose(Deadline.make({ duration: "1 hour" }), OffPeak.gate(profile))
      expect(yield* ranAt(policy, noon)).toEqual(Exit.succeed(noon))
    }))

  it.effect("holds streams back by the same rule", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      const stream = Stream.fromIterableEffect(Effect.map(Clock.currentTimeMillis, (now) => [now, now + 1]))
      const held = Policy.withStream(OffPeak.gate(profile, { spread: 0 }), stream)
      const fiber = yield* Effect.fork(Stream.runCollect(held))
      yield* TestClock.adjust("12 hours")
      expect(Chunk.toReadonlyArray(yield* Fiber.join(fiber))).toEqual([midnight, midnight + 1])
    }))

  it.effect("passes success, failure and defect on as they are", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(midnight)
      const gate = OffPeak.gate(profile)
      expect(yield* Effect.exit(Policy.with(gate, Effect.succeed(1)))).toEqual(Exit.succeed(1))
      expect(yield* Effect.exit(Policy.with(gate, Effect.fail("no")))).toEqual(Exit.fail("no"))
      expect(yield* Effect.exit(Policy.with(gate, Effect.die("bug")))).toEqual(Exit.die("bug"))
    }))

  it.effect("is interrupted while it waits, and then never runs", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      const ran = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(Policy.with(OffPeak.gate(profile), Deferred.succeed(ran, undefined)))
      yield* TestClock.adjust("6 hours")
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      yield* TestClock.adjust("2 days")
      expect(yield* Deferred.isDone(ran)).toBe(false)
    }))

  it.effect("releases what has gathered all day evenly over the first hour", () =>
    Effect.gen(function*() {
      const gate = OffPeak.gate(profile)
      const counts = new Array<number>(60).fill(0)
      yield* TestClock.setTime(noon)
      const call = Effect.map(Clock.currentTimeMillis, (now) => {
        counts[Math.floor((now - midnight) / minute)]!++
      })
      const calls = Array.from({ length: 600 }, () => Policy.with(gate, call))
      const fiber = yield* Effect.fork(Effect.all(calls, { concurrency: "unbounded", discard: true }))
      yield* TestClock.adjust("13 hours")
      yield* Fiber.join(fiber)
      expect(counts.reduce((sum, n) => sum + n)).toBe(600)
      expect(Math.max(...counts)).toBeLessThanOrEqual(15)
    }).pipe(Effect.withRandom(Random.make(4))))

  it("never waits longer than the longest deferral or past the deadline, whatever the options", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(
        FastCheck.nat(1440),
        FastCheck.nat(2000),
        FastCheck.nat(2000),
        FastCheck.nat(500),
        async (from, maxDeferral, deadline, spread) => {
          const start = noon + from * minute
          const gate = OffPeak.gate(profile, { maxDeferral: maxDeferral * minute, spread: spread * minute })
          const at = await Effect.runPromise(
            Effect.flatten(ranAt(gate, start, { deadline: start + deadline * minute })).pipe(
              Effect.provide(TestContext.TestContext)
            )
          )
          expect(at - start).toBeLessThanOrEqual(maxDeferral * minute)
          expect(at === start || at < start + deadline * minute).toBe(true)
          expect(at === start || LoadProfile.levelAt(profile, at) === "low").toBe(true)
        }
      ),
      { numRuns: 40 }
    ))

  it("describes itself as data", () => {
    expect(OffPeak.gate(profile, { name: "nightly", spread: "10 minutes" }).describe).toEqual({
      kind: "OffPeak",
      name: "nightly",
      amplification: 1,
      options: {
        atMost: "low",
        spread: 600_000,
        maxDeferral: 36 * hour,
        attempt: 0,
        holds: "all",
        otherwise: "run",
        urgentPriority: 10
      }
    })
  })

  it("refuses an illegal option by its name", () => {
    expect(() => OffPeak.gate(profile, { holds: "none" as "all" })).toThrow(/"holds"/)
    expect(() => OffPeak.gate(profile, { otherwise: "wait" as "run" })).toThrow(/"otherwise"/)
    expect(() => OffPeak.gate(profile, { urgentPriority: NaN })).toThrow(/"urgentPriority"/)
  })
})

describe("OffPeak.learn", () => {
  it.effect("teaches a learner from each attempt, at the time when it began", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon - minute)
      const learner = yield* LoadProfile.learned()
      const policy = Policy.compose(Retry.make({ maxAttempts: 3 }), OffPeak.learn(learner))
      const attempt = Effect.delay(Effect.fail(overloaded), "10 minutes")
      const fiber = yield* Effect.fork(Effect.exit(Policy.with(policy, attempt)))
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(fiber)
      yield* Policy.with(policy, Effect.succeed("image"))
      const saved = yield* learner.save
      const wednesday = 2 * 24
      expect(saved.failures[wednesday + 11]).toBeCloseTo(1, 2)
      expect(saved.failures[wednesday + 12]).toBeCloseTo(2, 2)
      expect(saved.calls.reduce((sum, n) => sum + n)).toBeCloseTo(4, 1)
    }))

  it.effect("learns nothing from an interruption, a defect, or a wrong request, and changes no exit", () =>
    Effect.gen(function*() {
      const learner = yield* LoadProfile.learned()
      const before = yield* learner.save
      const policy = OffPeak.learn(learner)
      const fatal = new GenerationError.InvalidRequest({ message: "no" })
      expect(yield* Effect.exit(Policy.with(policy, Effect.fail(fatal)))).toEqual(Exit.fail(fatal))
      expect(yield* Effect.exit(Policy.with(policy, Effect.die("bug")))).toEqual(Exit.die("bug"))
      const fiber = yield* Effect.fork(Policy.with(policy, Effect.never))
      yield* TestClock.adjust("1 minute")
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      expect(yield* learner.save).toEqual(before)
    }))

  it.effect("learns from streams by how they end", () =>
    Effect.gen(function*() {
      const learner = yield* LoadProfile.learned()
      const policy = OffPeak.learn(learner)
      yield* Stream.runDrain(Policy.withStream(policy, Stream.make(1, 2)))
      yield* Effect.exit(Stream.runDrain(Policy.withStream(policy, Stream.fail(overloaded))))
      const saved = yield* learner.save
      expect([saved.calls.reduce((sum, n) => sum + n), saved.failures.reduce((sum, n) => sum + n)]).toEqual([2, 1])
    }))
})

import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, FastCheck, Random, TestClock } from "effect"
import * as GenerationError from "holdfast/GenerationError"
import * as LoadProfile from "holdfast/LoadProfile"
import { CircuitOpen } from "holdfast/Rejected"

const hour = 3_600_000
const monday = Date.parse("2026-11-02T00:00Z")
const overloaded = new GenerationError.Overloaded({ message: "busy" })
const hoursOfWeek = Array.from({ length: 168 }, (_, cell) => cell)

/** Plays calls at a random rate for some hours against a hidden failure ratio of each hour of the week. */
const play = (learner: LoadProfile.Learned, hidden: (cell: number) => number, from: number, hours: number) =>
  Effect.gen(function*() {
    for (let n = 0; n < hours; n++) {
      const calls = yield* Random.nextIntBetween(20, 61)
      for (let call = 0; call < calls; call++) {
        const failed = (yield* Random.next) < hidden(n % 168)
        const at = from + n * hour + Math.floor((yield* Random.next) * hour)
        yield* learner.record(failed ? "capacity" : "success", at)
      }
    }
  })

const ratiosOf = (learner: LoadProfile.Learned) =>
  Effect.forEach(hoursOfWeek, (cell) => learner.ratioAt(monday + cell * hour))

const ranks = (values: ReadonlyArray<number>) => {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value)
  const out = values.map(() => 0)
  for (let i = 0; i < order.length;) {
    let j = i
    while (j < order.length && order[j]!.value === order[i]!.value) j++
    for (let k = i; k < j; k++) out[order[k]!.index] = (i + j - 1) / 2
    i = j
  }
  return out
}

/** Rank correlation; ties share their mean rank. */
const spearman = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) => {
  const [x, y] = [ranks(a), ranks(b)]
  const mean = (a.length - 1) / 2
  let [xy, xx, yy] = [0, 0, 0]
  x.forEach((value, index) => {
    xy += (value - mean) * (y[index]! - mean)
    xx += (value - mean) ** 2
    yy += (y[index]! - mean) ** 2
  })
  return xy / Math.sqrt(xx * yy)
}

const isWeekend = (cell: number) => cell >= 120

/** Nothing like the prior: worst at night, best in the afternoon, and half as bad at the weekend. */
const upsideDown = (cell: number) => [0.4, 0.12, 0.04, 0.22][Math.floor((cell % 24) / 6)]! * (isWeekend(cell) ? 0.5 : 1)
const office = (cell: number) =>
  isWeekend(cell) ? 0.03 + 0.1 * (cell % 24) / 24 : 0.23 - 0.2 * Math.cos(((cell % 24) - 3) / 24 * 2 * Math.PI)

describe("LoadProfile.learned", () => {
  it.effect("is its prior before it has seen anything", () =>
    Effect.gen(function*() {
      const learner = yield* LoadProfile.learned()
      const profile = yield* learner.profile
      for (const cell of hoursOfWeek) {
        const at = monday + cell * hour + 1
        expect(LoadProfile.levelAt(profile, at)).toBe(LoadProfile.levelAt(LoadProfile.nanoBanana, at))
        expect(LoadProfile.failureRatioAt(profile, at)).toBe(LoadProfile.failureRatioAt(LoadProfile.nanoBanana, at))
      }
    }))

  for (const [name, hidden] of Object.entries({ upsideDown, office })) {
    for (const seed of [1, 2, 3]) {
      it.effect(`ranks the hours of a hidden profile within two weeks (${name}, seed ${seed})`, () =>
        Effect.gen(function*() {
          const learner = yield* LoadProfile.learned()
          yield* play(learner, hidden, monday, 14 * 24)
          const learned = yield* ratiosOf(learner)
          const truth = hoursOfWeek.map(hidden)
          expect(spearman(learned, truth)).toBeGreaterThanOrEqual(0.9)
          const profile = yield* learner.profile
          const lowest = hoursOfWeek.filter((cell) => hidden(cell) <= 0.04)
          expect(lowest.length).toBeGreaterThan(5)
          const low = lowest.filter((cell) => LoadProfile.levelAt(profile, monday + cell * hour) === "low")
          expect(low.length / lowest.length).toBeGreaterThanOrEqual(0.95)
          const worst = hoursOfWeek.filter((cell) => hidden(cell) >= 0.3)
          for (const cell of worst) {
            expect(["high", "peak"]).toContain(LoadProfile.levelAt(profile, monday + cell * hour))
          }
        }).pipe(Effect.withRandom(Random.make(seed))))
    }
  }

  it.effect("follows when the load shifts", () =>
    Effect.gen(function*() {
      const learner = yield* LoadProfile.learned()
      const before = (cell: number) => ((cell % 24) < 12 ? 0.05 : 0.4)
      const after = (cell: number) => ((cell % 24) < 12 ? 0.4 : 0.05)
      yield* play(learner, before, monday, 28 * 24)
      yield* play(learner, after, monday + 28 * 24 * hour, 21 * 24)
      expect(spearman(yield* ratiosOf(learner), hoursOfWeek.map(after))).toBeGreaterThan(0.8)
    }).pipe(Effect.withRandom(Random.make(5))))

  it.effect("lends the same hour of other days to a day of which it knows nothing", () =>
    Effect.gen(function*() {
      const learner = yield* LoadProfile.learned()
      // 02:00 is always overloaded on Monday to Thursday; nothing was ever called on Friday.
      for (let day = 0; day < 4; day++) {
        for (let n = 0; n < 50; n++) yield* learner.record("capacity", monday + (day * 24 + 2) * hour)
      }
      const friday = monday + (4 * 24 + 2) * hour
      expect(yield* learner.ratioAt(friday)).toBeGreaterThan(0.8)
      expect(yield* learner.ratioAt(friday + hour)).toBe(0.04)
    }))

  it.effect("takes over a prior in another zone and keeps hours on its own clock", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(monday)
      const learner = yield* LoadProfile.learned({ zone: "Asia/Tokyo" })
      const profile = yield* learner.profile
      expect(profile.zone).toBe("Asia/Tokyo")
      expect(LoadProfile.levelAt(profile, monday + 13 * hour)).toBe("peak")
      // 22:00 in Tokyo is 13:00 in UTC.
      for (let n = 0; n < 500; n++) yield* learner.record("success", monday + 13 * hour)
      expect(LoadProfile.levelAt(yield* learner.profile, monday + 13 * hour)).toBe("low")
      const tuesday = yield* learner.ratioAt(monday + 37 * hour)
      expect(tuesday).toBeLessThan(0.1)
    }))

  it.effect("records at the clock's time when none is given", () =>
    Effect.gen(function*() {
      const learner = yield* LoadProfile.learned()
      yield* TestClock.setTime(monday + 3 * hour)
      for (let n = 0; n < 100; n++) yield* learner.record("capacity")
      expect(yield* learner.ratioAt(monday + 3 * hour)).toBeGreaterThan(0.6)
      expect(yield* learner.ratioAt(monday + 4 * hour)).toBe(0.04)
    }))

  it.effect("learns from successes and capacity failures alone", () =>
    Effect.gen(function*() {
      const learner = yield* LoadProfile.learned()
      const before = yield* learner.save
      const injected = new GenerationError.Overloaded({ message: "on purpose", reason: LoadProfile.injectedReason })
      const silent: ReadonlyArray<Exit.Exit<unknown, unknown>> = [
        Exit.interrupt((yield* Effect.fiberId)),
        Exit.failCause(Cause.sequential(Cause.fail(overloaded), Cause.interrupt(yield* Effect.fiberId))),
        Exit.die("defect"),
        Exit.fail(new GenerationError.InvalidRequest({ message: "no" })),
        Exit.fail(new GenerationError.Transient({ message: "reset" })),
        Exit.fail(new CircuitOpen({ policy: "CircuitBreaker", policyName: "x", message: "open" })),
        Exit.fail(new Error("foreign")),
        Exit.fail(injected)
      ]
      for (const exit of silent) {
        expect(LoadProfile.outcomeOf(exit)).toBeUndefined()
        yield* learner.record(exit)
      }
      expect(yield* learner.save).toEqual(before)
      yield* learner.record(Exit.fail(overloaded), monday)
      yield* learner.record(Exit.fail(new GenerationError.RateLimited({ message: "429" })), monday)
      yield* learner.record(Exit.succeed("image"), monday)
      const saved = yield* learner.save
      expect([saved.calls[0], saved.failures[0]]).toEqual([3, 2])
    }))

  it.effect("counts an outcome half after the half-life, in whatever order outcomes come", () =>
    Effect.gen(function*() {
      const learner = yield* LoadProfile.learned({ halfLife: "7 days" })
      yield* learner.record("capacity", monday + 7 * 24 * hour)
      yield* learner.record("success", monday)
      const saved = yield* learner.save
      expect(saved.at).toBe(monday + 7 * 24 * hour)
      expect(saved.calls[0]).toBeCloseTo(1.5)
      expect(saved.failures[0]).toBeCloseTo(1)
    }))

  it.effect("stays finite over centuries of outcomes", () =>
    Effect.gen(function*() {
      const learner = yield* LoadProfile.learned({ halfLife: "1 hour" })
      for (let year = 0; year < 200; year++) yield* learner.record("capacity", monday + year * 364 * 24 * hour)
      const ratio = yield* learner.ratioAt(monday)
      expect(ratio).toBeGreaterThan(0)
      expect(ratio).toBeLessThanOrEqual(1)
      expect((yield* learner.save).calls.every(Number.isFinite)).toBe(true)
    }))

  it.effect("comes back from JSON as it was", () =>
    Effect.gen(function*() {
      const learner = yield* LoadProfile.learned()
      yield* play(learner, upsideDown, monday, 5 * 24)
      const text = JSON.stringify(yield* learner.save)
      const other = yield* LoadProfile.learned()
      yield* other.restore(JSON.parse(text))
      const [one, two] = [yield* ratiosOf(learner), yield* ratiosOf(other)]
      one.forEach((ratio, cell) => expect(two[cell]).toBeCloseTo(ratio, 10))
      yield* other.record("success", monday + 6 * 24 * hour)
      expect((yield* other.save).at).toBe(monday + 6 * 24 * hour)
      const empty = yield* LoadProfile.learned()
      yield* other.restore(yield* empty.save)
      expect(yield* other.save).toEqual(yield* empty.save)
    }))

  it.effect("refuses damaged data by the name of the field and keeps what it had", () =>
    Effect.gen(function*() {
      const learner = yield* LoadProfile.learned()
      yield* learner.record("capacity", monday)
      const good = yield* learner.save
      const damage: ReadonlyArray<readonly [unknown, RegExp]> = [
        [null, /"data"/],
        ["text", /"data"/],
        [[], /"format"/],
        [{ ...good, version: 2 }, /"version" must be 1, not 2/],
        [{ ...good, zone: "Asia/Tokyo" }, /"zone" must be the learner's own, "UTC"/],
        [{ ...good, at: "today" }, /"at"/],
        [{ ...good, at: null }, /"at"/],
        [{ ...good, at: 1e300 }, /"at"/],
        [{ ...good, calls: [1] }, /"calls" must be a list of 168 counts, not "a list of 1"/],
        [{ ...good, calls: good.calls.map((n, cell) => (cell === 7 ? -1 : n)) }, /"calls\[7\]"/],
        [{ ...good, failures: good.failures.map((n, cell) => (cell === 9 ? NaN : n)) }, /"failures\[9\]"/],
        [
          { ...good, failures: good.failures.map((n, cell) => (cell === 9 ? 1 : n)) },
          /"failures\[9\]" must be at most calls\[9\]/
        ],
        [{ ...good, failures: undefined }, /"failures"/]
      ]
      for (const [data, message] of damage) {
        const error = yield* Effect.flip(learner.restore(data))
        expect(error.message).toMatch(message)
      }
      expect(yield* learner.save).toEqual(good)
    }))

  it("never throws or accepts nonsense, whatever the data", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.anything(), (data) => {
        const exit = Effect.runSyncExit(Effect.flatMap(LoadProfile.learned(), (learner) => learner.restore(data)))
        expect(Exit.isFailure(exit) && Cause.isFailure(exit.cause)).toBe(true)
      })
    )
  })

  it.effect("cuts levels at its thresholds", () =>
    Effect.gen(function*() {
      const learner = yield* LoadProfile.learned({ thresholds: { medium: 0.3, high: 0.5, peak: 0.7 } })
      expect(LoadProfile.levelAt(yield* learner.profile, monday + 13 * hour)).toBe("medium")
      const raised = yield* LoadProfile.learned({ thresholds: { medium: 0.5 } })
      expect(LoadProfile.levelAt(yield* raised.profile, monday + 13 * hour)).toBe("low")
    }))

  it("refuses an illegal option by its name", () => {
    const refused = (options: LoadProfile.LearnedOptions) => () => Effect.runSync(LoadProfile.learned(options))
    expect(refused({ zone: "Nowhere" })).toThrow(/"zone"/)
    expect(refused({ halfLife: "1 minute" })).toThrow(/"halfLife"/)
    expect(refused({ priorWeight: 0 })).toThrow(/"priorWeight"/)
    expect(refused({ thresholds: { medium: 0.3, high: 0.2 } })).toThrow(/"thresholds.high"/)
    expect(refused({ thresholds: { peak: 1.5 } })).toThrow(/"thresholds.peak"/)
  })
})

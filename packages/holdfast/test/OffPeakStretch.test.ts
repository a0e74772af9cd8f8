import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, FastCheck, Fiber, Ref, Schedule, ScheduleDecision, ScheduleIntervals } from "effect"
import { TestClock } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as GenerationError from "holdfast/GenerationError"
import * as LoadProfile from "holdfast/LoadProfile"
import * as OffPeak from "holdfast/OffPeak"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"

const hour = 3_600_000
const midnight = Date.parse("2026-11-25T00:00:00Z")
const at = {
  low: midnight + 3 * hour,
  medium: midnight + 9 * hour,
  peak: midnight + 15 * hour,
  high: midnight + 21 * hour
}
const profile = LoadProfile.nanoBanana
const overloaded = (retryAfter?: Duration.DurationInput) =>
  new GenerationError.Overloaded({ message: "busy", retryAfter })
const busy = (n: number) => Array.from({ length: n }, () => overloaded())
const late = new GenerationError.Timeout({ message: "late", phase: "headers" })

const delays = (schedule: Schedule.Schedule<unknown, unknown>, options: Backoff.PreviewOptions) =>
  Effect.runSync(Backoff.preview(schedule, options)).retries.map((retry) => Duration.toMillis(retry.delay))
const ladder = Backoff.exponential({ jitter: "none" })
const five = Backoff.upToAttempts(ladder, 5)

describe("OffPeak.stretch", () => {
  it("lengthens delays by the level at the time of the failure", () => {
    const delay = (level: LoadProfile.Level) =>
      delays(OffPeak.stretch(ladder, profile), { errors: busy(2), at: at[level] })
    expect(delay("low")).toEqual([1000, 2000])
    expect(delay("medium")).toEqual([1500, 3000])
    expect(delay("high")).toEqual([2000, 4000])
    expect(delay("peak")).toEqual([3000, 6000])
  })

  it("adds attempts by level to those of the schedule, at its last delay", () => {
    const attempts = (level: LoadProfile.Level) =>
      delays(OffPeak.stretch(five, profile), { errors: busy(50), at: at[level] }).length + 1
    expect([attempts("low"), attempts("medium"), attempts("high"), attempts("peak")]).toEqual([5, 6, 8, 10])
    const added = five.pipe(OffPeak.stretch(profile, { delays: { high: 1 } }))
    expect(delays(added, { errors: busy(50), at: at.high })).toEqual([1000, 2000, 4000, 8000, 8000, 8000, 8000])
  })

  it("takes factors and attempts of one's own", () => {
    const own = OffPeak.stretch(five, profile, { attempts: { peak: 1 }, delays: { peak: 10 }, maxDelay: "30 seconds" })
    expect(delays(own, { errors: busy(50), at: at.peak })).toEqual([10_000, 20_000, 30_000, 30_000, 30_000])
  })

  it("adds attempts to the plain schedules of Effect too", () => {
    const plain = Schedule.spaced("1 second").pipe(Schedule.intersect(Schedule.recurs(3)))
    expect(delays(OffPeak.stretch(plain, profile), { errors: busy(20), at: at.peak })).toHaveLength(3 + 5)
  })

  it("adds no attempt after a fatal error, a foreign error, or an outcome that is unknown", () => {
    const stops = [new GenerationError.InvalidRequest({ message: "no" }), new Error("x"), "text", undefined, late]
    for (const stop of stops) {
      const errors = [...busy(4), stop, ...busy(5)]
      expect(delays(OffPeak.stretch(five, profile), { errors, at: at.peak })).toHaveLength(4)
    }
    expect(delays(OffPeak.stretch(ladder, profile), { errors: [late, late], at: at.peak })).toHaveLength(1)
  })

  it("adds no attempt where the schedule ended for another reason than their number", () => {
    const options = { at: at.peak, errors: busy(20) } as const
    const errors = [...busy(2), overloaded("1 hour"), ...busy(9)]
    expect(delays(OffPeak.stretch(five, profile), { ...options, errors })).toHaveLength(2)
    const brief = Backoff.upToElapsed(ladder, "10 seconds")
    const same = OffPeak.stretch(brief, profile, { delays: { peak: 1 } })
    expect(delays(same, options)).toEqual(delays(brief, options))
    const timely = Backoff.withinDeadline(ladder).pipe(OffPeak.stretch(profile))
    const found = delays(timely, { ...options, deadline: at.peak + 20_000 })
    expect(found.reduce((sum, delay) => sum + delay, 0)).toBeLessThanOrEqual(20_000)
  })

  it("leaves a schedule of one attempt alone", () => {
    const once = OffPeak.stretch(Backoff.upToAttempts(ladder, 1), profile)
    expect(delays(once, { errors: busy(5), at: at.peak })).toEqual([])
  })

  it("keeps a delay that is longer than its limit, and one that would pass the deadline", () => {
    const slow = Backoff.constant({ base: "20 minutes", cap: "20 minutes", jitter: "none" })
    expect(delays(OffPeak.stretch(slow, profile), { errors: busy(1), at: at.peak })).toEqual([1_200_000])
    const hurried = { errors: busy(2), at: at.peak, deadline: at.peak + 5500 }
    expect(delays(OffPeak.stretch(ladder, profile), hurried)).toEqual([3000, 2000])
  })

  it("states to Retry how many attempts there can be", () => {
    const retry = Retry.make({ schedule: OffPeak.stretch(five, profile) })
    expect(Policy.worstCaseAmplification(retry)).toBe(10)
    expect(Policy.worstCaseAmplification(Retry.make({ schedule: five }))).toBe(5)
  })

  it.effect("asks a changing source at each failure", () =>
    Effect.gen(function*() {
      const flat = (level: LoadProfile.Level) => LoadProfile.make({ otherwise: level })
      const now = yield* Ref.make(flat("peak"))
      const schedule = OffPeak.stretch(ladder, Ref.get(now))
      const [state, , first] = yield* schedule.step(0, overloaded(), schedule.initial)
      yield* Ref.set(now, flat("low"))
      const [, , second] = yield* schedule.step(10_000, overloaded(), state)
      const start = (decision: ScheduleDecision.ScheduleDecision) =>
        ScheduleDecision.isContinue(decision) ? ScheduleIntervals.start(decision.intervals) : undefined
      expect([first, second].map(start)).toEqual([3000, 12_000])
    }))

  it.effect("runs under Retry and Effect.retry alike", () =>
    Effect.gen(function*() {
      for (const put of [
        <A, E>(self: Effect.Effect<A, E>) => Effect.retry(self, OffPeak.stretch(five, profile)),
        <A, E>(self: Effect.Effect<A, E>) => Policy.with(Retry.make({ schedule: OffPeak.stretch(five, profile) }), self)
      ]) {
        yield* TestClock.setTime(at.peak)
        const runs = yield* Ref.make(0)
        const attempt = Effect.zipRight(Ref.update(runs, (n) => n + 1), Effect.fail(overloaded()))
        const fiber = yield* Effect.fork(Effect.exit(put(attempt)))
        yield* TestClock.adjust("1 hour")
        yield* Fiber.join(fiber)
        expect(yield* Ref.get(runs)).toBe(10)
      }
    }))

  const kinds = ["exponential", "linear", "fibonacci", "constant", "decorrelated"] as const
  const number = (max: number) => FastCheck.double({ min: 1, max, noNaN: true })
  const shapes = FastCheck.record({
    kind: FastCheck.constantFrom(...kinds),
    factors: FastCheck.record({ low: number(100), medium: number(1e6), high: number(1e12), peak: number(1e300) }),
    extra: FastCheck.nat(10),
    attempts: FastCheck.integer({ min: 1, max: 10 }),
    from: FastCheck.integer({ min: 0, max: 7 * 24 * hour }),
    hints: FastCheck.array(FastCheck.option(FastCheck.integer({ min: 1, max: 500_000 })), {
      minLength: 1,
      maxLength: 25
    }),
    seed: FastCheck.integer()
  })

  it.prop("never breaks the server's floor, never shortens a delay, never overflows", [shapes], ([given]) => {
    const base = Backoff[given.kind]({ cap: "10 minutes" })
    const errors = given.hints.map((hint) => overloaded(hint ?? undefined))
    const options = { errors, at: midnight + given.from, seed: given.seed }
    const plain = delays(base, options)
    const { high, low, medium, peak } = given.factors
    const own = { delays: { low, medium, high, peak }, maxDelay: "20 days" } as const
    const stretched = delays(OffPeak.stretch(base, profile, own), options)
    expect(stretched).toHaveLength(plain.length)
    stretched.forEach((delay, n) => {
      expect(Number.isSafeInteger(delay)).toBe(true)
      expect(delay).toBeGreaterThanOrEqual(plain[n]!)
      expect(delay).toBeGreaterThanOrEqual(given.hints[n] ?? 0)
      expect(delay).toBeLessThan(2 ** 31)
    })
    const limited = OffPeak.stretch(Backoff.upToAttempts(base, given.attempts), profile, {
      attempts: { low: given.extra, medium: given.extra, high: given.extra, peak: given.extra }
    })
    const most = given.attempts === 1 ? 1 : given.attempts + given.extra
    expect(delays(limited, options).length + 1).toBeLessThanOrEqual(most)
    delays(limited, options).forEach((delay, n) => expect(delay).toBeGreaterThanOrEqual(given.hints[n] ?? 0))
  })

  it("refuses an illegal option by its name", () => {
    expect(() => OffPeak.stretch(ladder, profile, { delays: { peak: 0.5 } }))
      .toThrow(/"delays.peak" must be a number of at least 1/)
    expect(() => OffPeak.stretch(ladder, profile, { attempts: { low: -1 } })).toThrow(/"attempts.low"/)
    expect(() => OffPeak.stretch(ladder, profile, { maxDelay: "30 days" })).toThrow(/"maxDelay"/)
    expect(() => OffPeak.stretch(ladder, "nightly" as unknown as LoadProfile.LoadProfile)).toThrow(/"profile"/)
  })
})

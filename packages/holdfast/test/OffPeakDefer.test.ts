import { describe, expect, it } from "@effect/vitest"
import { Data, DateTime, Duration, Effect, Either, Exit, FastCheck, Fiber, Option, Random, Ref } from "effect"
import { Schedule, Stream, TestClock } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import * as LoadProfile from "holdfast/LoadProfile"
import * as OffPeak from "holdfast/OffPeak"
import * as Policy from "holdfast/Policy"
import { CircuitOpen } from "holdfast/Rejected"
import * as Retry from "holdfast/Retry"
import { runInNewContext } from "node:vm"

const hour = 3_600_000
const minute = 60_000
const day = 24 * hour
const noon = Date.parse("2026-11-25T12:00:00Z")
const midnight = noon + 12 * hour
const profile = LoadProfile.nanoBanana
const overloaded = (retryAfter?: Duration.DurationInput) =>
  new GenerationError.Overloaded({ message: "busy", retryAfter })
const busy = (n: number) => Array.from({ length: n }, () => overloaded())

const preview = (schedule: Schedule.Schedule<unknown, unknown>, options: Backoff.PreviewOptions) =>
  Effect.runSync(Backoff.preview(schedule, options))
const starts = (schedule: Schedule.Schedule<unknown, unknown>, options: Backoff.PreviewOptions) =>
  preview(schedule, options).retries.map((retry) => retry.at)

class Foreign extends Data.TaggedError("Foreign")<{}> {}
class Plain extends Error {}

const errors: ReadonlyArray<unknown> = [
  ...GenerationError.tags.filter((tag) => !GenerationError.isRetryable(GenerationError.make(tag, { message: "x" })))
    .map((tag) => GenerationError.make(tag, { message: "no" })),
  new CircuitOpen({ policy: "CircuitBreaker", policyName: "x", message: "open" }),
  new Foreign(),
  new Plain("x"),
  new TypeError("x"),
  runInNewContext("new Error('from another realm')"),
  { _tag: "NotFound" },
  { _tag: "Overloaded" }
]
const successes: ReadonlyArray<unknown> = [
  undefined,
  null,
  0,
  42,
  "an image",
  true,
  { parts: [] },
  [],
  new Uint8Array(1),
  Option.some(1),
  Option.none(),
  Either.left(new Plain("x")),
  Exit.fail("x"),
  new Date(0)
]

describe("OffPeak.defer as a schedule", () => {
  it("waits for the next window and starts within its spread", () => {
    for (let seed = 0; seed < 50; seed++) {
      const [at] = starts(OffPeak.defer(profile, { spread: "30 minutes" }), { errors: busy(1), at: noon, seed })
      expect(at).toBeGreaterThanOrEqual(midnight)
      expect(at).toBeLessThan(midnight + 30 * minute)
    }
  })

  it("retries inside a window at the pace of a backoff, neither at once for ever nor hours later", () => {
    const at = starts(OffPeak.defer(profile), { errors: busy(12), at: midnight + 2 * hour, seed: 3 })
    expect(at).toHaveLength(12)
    expect(at[0]! - (midnight + 2 * hour)).toBeLessThanOrEqual(1000)
    expect(at[11]! - at[0]!).toBeGreaterThan(minute)
    expect(at[11]! - at[0]!).toBeLessThan(hour)
  })

  it("moves a retry that would fall after the window's end into the next window", () => {
    const end = midnight + 6 * hour
    const within = Backoff.constant({ base: "10 minutes", cap: "10 minutes", jitter: "none" })
    const [at] = starts(OffPeak.defer(profile, { within }), { errors: busy(1), at: end - 5 * minute })
    expect(at).toBeGreaterThanOrEqual(midnight + day)
  })

  it("starts every attempt in a window, through several nights", () => {
    const schedule = OffPeak.defer(profile, {
      within: Backoff.constant({ base: "1 hour", cap: "1 hour" }),
      maxDeferral: "10 days"
    })
    const at = starts(schedule, { errors: busy(100), at: noon, seed: 1 })
    expect(at).toHaveLength(100)
    for (const start of at) expect(LoadProfile.levelAt(profile, start)).toBe("low")
    expect(at[99]! - noon).toBeGreaterThan(3 * day)
  })

  it("stops at errors that it cannot cure, ours and foreign ones, and at rejections", () => {
    for (const error of errors) {
      const seen = preview(OffPeak.defer(profile), { errors: [error], at: noon })
      expect(seen, String(error)).toEqual({ retries: [], stopped: true })
    }
  })

  it("goes on in the next window after a success, whatever its value", () => {
    for (const value of successes) {
      const at = starts(OffPeak.defer(profile), { errors: [value, value, value], at: noon })
      expect(at.map((start) => Math.floor((start - midnight) / day)), String(value)).toEqual([0, 1, 2])
      for (const start of at) expect(LoadProfile.levelAt(profile, start)).toBe("low")
    }
  })

  it("told that it stands under retry, it stops at whatever it does not know", () => {
    for (const input of [...errors, ...successes]) {
      expect(preview(OffPeak.defer(profile, { under: "retry" }), { errors: [input], at: noon }).stopped).toBe(true)
    }
    expect(starts(OffPeak.defer(profile, { under: "retry" }), { errors: busy(1), at: noon })).toHaveLength(1)
  })

  it("told that it stands under repeat, it goes on whatever the value", () => {
    for (const input of [...errors, ...successes, overloaded()]) {
      expect(starts(OffPeak.defer(profile, { under: "repeat" }), { errors: [input], at: noon })).toHaveLength(1)
    }
  })

  it("repeats so often inside a window as `every` says, and waits for the next one in between", () => {
    const schedule = OffPeak.defer(profile, { every: "2 hours", spread: 0 })
    const at = starts(schedule, { errors: Array(7).fill("done"), at: noon })
    expect(at.map((start) => (start - midnight) / hour)).toEqual([0, 2, 4, 24, 26, 28, 48])
  })

  it("never starts before the server's own time, inside a window or out of it", () => {
    const [inside] = starts(OffPeak.defer(profile), { errors: [overloaded("2 hours")], at: midnight + hour })
    expect(inside).toBeGreaterThanOrEqual(midnight + 3 * hour)
    expect(inside).toBeLessThan(midnight + 6 * hour)
    const [beyond] = starts(OffPeak.defer(profile), { errors: [overloaded("20 hours")], at: noon })
    expect(beyond).toBeGreaterThanOrEqual(midnight + day)
    const own = OffPeak.defer(profile, { within: Schedule.spaced("1 second") })
    expect(starts(own, { errors: [overloaded("2 hours")], at: midnight })[0]).toBe(midnight + 2 * hour)
  })

  it("repeats work whose outcome is unknown once, as any backoff", () => {
    const late = new GenerationError.Timeout({ message: "late", phase: "headers" })
    expect(starts(OffPeak.defer(profile), { errors: [late, late], at: noon })).toHaveLength(1)
  })

  it("stops when the window is farther than the longest deferral, counted from the first failure", () => {
    expect(starts(OffPeak.defer(profile, { maxDeferral: "11 hours" }), { errors: busy(1), at: noon })).toEqual([])
    const schedule = OffPeak.defer(profile, { maxDeferral: "14 hours", within: Schedule.spaced("1 hour"), spread: 0 })
    expect(starts(schedule, { errors: busy(5), at: noon }).map((at) => (at - noon) / hour)).toEqual([12, 13, 14])
  })

  it("counts the longest deferral anew after a success", () => {
    const schedule = OffPeak.defer(profile, {
      maxDeferral: "14 hours",
      within: Schedule.spaced("1 hour"),
      every: "1 hour",
      spread: 0
    })
    const at = starts(schedule, { errors: [overloaded(), "done", overloaded(), overloaded(), overloaded()], at: noon })
    expect(at.map((start) => (start - noon) / hour)).toEqual([12, 13, 14, 15, 16])
  })

  it("stops rather than start at or after the deadline, or with too little time before it", () => {
    const at = (deadline: number, attempt: Duration.DurationInput) =>
      starts(OffPeak.defer(profile, { spread: 0, attempt }), { errors: busy(1), at: noon, deadline })
    expect(at(midnight, 0)).toEqual([])
    expect(at(midnight + 1, 0)).toEqual([midnight])
    expect(at(midnight + minute, "1 minute")).toEqual([midnight])
    expect(at(midnight + minute - 1, "1 minute")).toEqual([])
  })

  it("stops where no window is ever low enough, and where the week is one window", () => {
    const never = LoadProfile.make({ otherwise: "peak" })
    expect(starts(OffPeak.defer(never), { errors: busy(1), at: noon })).toEqual([])
    const always = LoadProfile.make({ otherwise: "low" })
    expect(starts(OffPeak.defer(always), { errors: ["done"], at: noon })).toEqual([])
    expect(starts(OffPeak.defer(always, { every: "1 hour" }), { errors: ["done"], at: noon })).toEqual([noon + hour])
    expect(starts(OffPeak.defer(always), { errors: busy(1), at: noon })).toHaveLength(1)
  })

  it("takes its profile from an effect each time, or from a learner", () => {
    const quietAtNoon = LoadProfile.make({ windows: [{ from: "13:00", to: "14:00", level: "low" }], otherwise: "peak" })
    const source = Effect.succeed(quietAtNoon)
    expect(starts(OffPeak.defer(source, { spread: 0 }), { errors: busy(1), at: noon })).toEqual([noon + hour])
    const learner = Effect.runSync(LoadProfile.learned({ prior: quietAtNoon }))
    expect(starts(OffPeak.defer(learner, { spread: 0 }), { errors: busy(1), at: noon })).toEqual([noon + hour])
  })

  const perMinute = (starts: Iterable<number>) => {
    const counts = new Map<number, number>()
    for (const at of starts) {
      const key = Math.floor((at - midnight) / minute)
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    return counts
  }

  it("spreads 10,000 calls of one process evenly: no minute gets more than 1.5 times the mean", () => {
    for (const spread of [10, 60, 6 * 60]) {
      const schedule = OffPeak.defer(profile, { spread: `${spread} minutes` })
      const calls = Effect.forEach(busy(10_000), (error, n) => schedule.step(noon + n, error, schedule.initial))
      const steps = Effect.runSync(Effect.withRandom(calls, Random.make(spread)))
      const found = steps.map(([, delay], n) => noon + n + Duration.toMillis(delay))
      const counts = perMinute(found)
      expect([...counts.keys()].every((key) => key >= 0 && key < spread)).toBe(true)
      expect(counts.size).toBe(spread)
      expect(Math.max(...counts.values())).toBeLessThanOrEqual(1.5 * (10_000 / spread))
    }
  })

  it("spreads 10,000 processes with one call each evenly over an hour", () => {
    const schedule = OffPeak.defer(profile, { spread: "1 hour" })
    const first = (seed: number) => starts(schedule, { errors: busy(1), at: noon, seed })[0]!
    const counts = perMinute(Array.from({ length: 10_000 }, (_, seed) => first(seed)))
    expect(counts.size).toBe(60)
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(1.5 * (10_000 / 60))
  })

  const minutes = (max: number) => FastCheck.integer({ min: 0, max })
  it.prop(
    "whatever the options, each start lies in a window, before the longest deferral and the deadline, after the floor",
    [FastCheck.record({
      at: minutes(7 * 1440),
      spread: minutes(400),
      maxDeferral: minutes(4000),
      deadline: FastCheck.option(minutes(4000)),
      attempt: minutes(60),
      atMost: FastCheck.constantFrom<LoadProfile.Level>("low", "medium", "high"),
      zone: FastCheck.constantFrom("UTC", "America/New_York", "Asia/Kathmandu"),
      hints: FastCheck.array(FastCheck.option(minutes(600)), { minLength: 1, maxLength: 20 }),
      seed: FastCheck.integer()
    })],
    ([given]) => {
      const local = LoadProfile.make({
        zone: given.zone,
        windows: profile.windows.map((window) => ({
          ...window,
          days: window.level === "low" ? "weekdays" : "every day"
        })),
        otherwise: "peak"
      })
      const at = noon + given.at * minute
      const deadline = given.deadline === null ? Infinity : at + given.deadline * minute
      const schedule = OffPeak.defer(local, {
        atMost: given.atMost,
        spread: given.spread * minute,
        maxDeferral: given.maxDeferral * minute,
        attempt: given.attempt * minute
      })
      const found = starts(schedule, {
        errors: given.hints.map((hint) => overloaded(hint === null ? undefined : hint * minute)),
        at,
        seed: given.seed,
        deadline
      })
      let before = at
      found.forEach((start, n) => {
        expect(Number.isInteger(start)).toBe(true)
        expect(start).toBeGreaterThanOrEqual(before + (given.hints[n] ?? 0) * minute)
        expect(LoadProfile.isAtMost(LoadProfile.levelAt(local, start), given.atMost)).toBe(true)
        expect(start - at).toBeLessThanOrEqual(given.maxDeferral * minute)
        expect(start).toBeLessThan(deadline)
        expect(start + given.attempt * minute).toBeLessThanOrEqual(deadline)
        before = start
      })
    }
  )

  it.prop(
    "under repeat, each wait is bounded by the longest deferral and the deadline",
    [minutes(7 * 1440), minutes(4000), minutes(9000), FastCheck.option(minutes(200)), FastCheck.integer()],
    ([from, maxDeferral, deadline, every, seed]) => {
      const at = noon + from * minute
      const schedule = OffPeak.defer(profile, {
        maxDeferral: maxDeferral * minute,
        every: every === null ? undefined : (every + 1) * minute
      })
      let before = at
      for (const start of starts(schedule, { errors: Array(8).fill(0), at, seed, deadline: at + deadline * minute })) {
        expect(start - before).toBeLessThanOrEqual(maxDeferral * minute)
        expect(start).toBeGreaterThan(before)
        expect(start).toBeLessThan(at + deadline * minute)
        expect(LoadProfile.levelAt(profile, start)).toBe("low")
        before = start
      }
    }
  )

  it("refuses an illegal option by its name", () => {
    expect(() => OffPeak.defer(profile, { atMost: "quiet" as LoadProfile.Level })).toThrow(/"atMost"/)
    expect(() => OffPeak.defer(profile, { spread: -1 })).toThrow(/"spread"/)
    expect(() => OffPeak.defer(profile, { maxDeferral: "30 days" })).toThrow(/"maxDeferral"/)
    expect(() => OffPeak.defer(profile, { every: 0 })).toThrow(/"every"/)
    expect(() => OffPeak.defer(profile, { under: "either way" as "either" })).toThrow(/"under"/)
    expect(() => OffPeak.defer({} as LoadProfile.LoadProfile)).toThrow(/"profile"/)
  })
})

/** Times at which an effect was run. */
const recorder = Effect.map(Ref.make<ReadonlyArray<number>>([]), (times) => ({
  times: Ref.get(times),
  mark: Effect.flatMap(DateTime.now, (now) => Ref.update(times, (all) => [...all, DateTime.toEpochMillis(now)]))
}))

describe("OffPeak.defer at work", () => {
  const failingUntil = (mark: Effect.Effect<void>, until: number) =>
    Effect.zipRight(mark, Effect.flatMap(DateTime.now, (now) =>
      DateTime.toEpochMillis(now) < until ? Effect.fail(overloaded()) : Effect.succeed("image")))

  it.effect("runs under Effect.retry", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      const { mark, times } = yield* recorder
      const fiber = yield* Effect.fork(Effect.retry(failingUntil(mark, midnight), OffPeak.defer(profile)))
      yield* TestClock.adjust("12 hours")
      yield* TestClock.adjust("1 hour")
      expect(yield* Fiber.join(fiber)).toBe("image")
      expect((yield* times).length).toBe(2)
      expect((yield* times)[1]).toBeGreaterThanOrEqual(midnight)
    }))

  it.effect("stops under Effect.retry at whatever else is in the error channel", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      for (const error of errors) {
        const { mark, times } = yield* recorder
        const exit = yield* Effect.exit(Effect.retry(Effect.zipRight(mark, Effect.fail(error)), OffPeak.defer(profile)))
        expect(exit).toEqual(Exit.fail(error))
        expect((yield* times).length).toBe(1)
      }
    }))

  it.effect("runs under Effect.repeat, once a window, and ends at the deadline", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      const { mark, times } = yield* recorder
      const fiber = yield* Effect.repeat(mark, OffPeak.defer(profile)).pipe(
        CurrentCall.update({ deadline: midnight + 2 * day + 12 * hour }),
        Effect.fork
      )
      yield* TestClock.adjust("7 days")
      expect(Exit.isSuccess(yield* Fiber.await(fiber))).toBe(true)
      const seen = yield* times
      expect(seen.map((at) => Math.floor((at - midnight) / day))).toEqual([-1, 0, 1, 2])
      for (const at of seen.slice(1)) expect(LoadProfile.levelAt(profile, at)).toBe("low")
    }))

  it.effect("keeps repeating for weeks without drifting to the window's first moment", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      const { mark, times } = yield* recorder
      yield* Effect.fork(Effect.repeat(mark, OffPeak.defer(profile)))
      yield* TestClock.adjust("60 days")
      const into = (yield* times).slice(1).map((at) => (at - midnight) % day)
      expect(into).toHaveLength(60)
      const mean = into.reduce((sum, at) => sum + at, 0) / into.length
      expect(mean).toBeGreaterThan(20 * minute)
      expect(mean).toBeLessThan(40 * minute)
    }))

  it.effect("runs under Stream.retry", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      const { mark, times } = yield* recorder
      const stream = Stream.fromEffect(failingUntil(mark, midnight)).pipe(Stream.retry(OffPeak.defer(profile)))
      const fiber = yield* Effect.fork(Stream.runCollect(stream))
      yield* TestClock.adjust("13 hours")
      expect([...yield* Fiber.join(fiber)]).toEqual(["image"])
      expect((yield* times).length).toBe(2)
    }))

  it.effect("runs under Retry, within the deadline that stands around it", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      const { mark, times } = yield* recorder
      const retry = Retry.make({ schedule: OffPeak.defer(profile), maxAttempts: 10 })
      const done = yield* Effect.fork(Policy.with(retry, failingUntil(mark, midnight)))
      yield* TestClock.adjust("13 hours")
      expect(yield* Fiber.join(done)).toBe("image")
      expect((yield* times).length).toBe(2)
      yield* TestClock.setTime(noon + day)
      const hurried = yield* Policy.with(retry, Effect.fail(overloaded())).pipe(
        CurrentCall.update({ deadline: noon + day + hour }),
        Effect.flip
      )
      expect(hurried.stoppedBy).toBe("schedule")
    }))

  it.effect("stops waiting when it is interrupted", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      const { mark, times } = yield* recorder
      const fiber = yield* Effect.fork(Effect.retry(failingUntil(mark, Infinity), OffPeak.defer(profile)))
      yield* TestClock.adjust("1 hour")
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      yield* TestClock.adjust("2 days")
      expect((yield* times).length).toBe(1)
    }))

  it.effect("fibers deferred in the evening wake evenly over the first hour of the window", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(midnight - hour)
      const counts = new Array<number>(60).fill(0)
      const run = Effect.sync(() => undefined).pipe(
        Effect.zipRight(DateTime.now),
        Effect.flatMap((now) => {
          const at = DateTime.toEpochMillis(now)
          if (at < midnight) return Effect.fail(overloaded())
          counts[Math.floor((at - midnight) / minute)]!++
          return Effect.void
        }),
        Effect.retry(OffPeak.defer(profile))
      )
      const calls = Array.from({ length: 600 }, () => run)
      const fiber = yield* Effect.fork(Effect.all(calls, { concurrency: "unbounded", discard: true }))
      yield* TestClock.adjust("2 hours")
      yield* Fiber.join(fiber)
      expect(counts.reduce((sum, n) => sum + n)).toBe(600)
      expect(counts.every((n) => n > 0)).toBe(true)
      expect(Math.max(...counts)).toBeLessThanOrEqual(15)
    }).pipe(Effect.withRandom(Random.make(11))))
})

import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, FastCheck, Fiber, Random, Ref, Schedule, Stream, TestClock } from "effect"
import * as Backoff from "holdfast/Backoff"
import { CurrentCall, none } from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"

const overloaded = (retryAfter?: Duration.DurationInput) =>
  new GenerationError.Overloaded({ message: "busy", retryAfter })
const unknownTimeout = new GenerationError.Timeout({ message: "late", phase: "headers" })
const fatal = new GenerationError.InvalidRequest({ message: "no" })

const delays = (schedule: Schedule.Schedule<unknown, unknown>, errors: Iterable<unknown>, seed = 1) =>
  Effect.runSync(Backoff.preview(schedule, { errors, seed })).retries.map((retry) => Duration.toMillis(retry.delay))

const busy = (n: number) => Array.from({ length: n }, () => overloaded())

/** An effect that fails with the given errors in turn, then succeeds; counts its runs. */
const failing = <E>(errors: ReadonlyArray<E>) =>
  Effect.gen(function*() {
    const runs = yield* Ref.make(0)
    const effect = Effect.flatMap(Ref.getAndUpdate(runs, (n) => n + 1), (n) =>
      n < errors.length ? Effect.fail(errors[n]!) : Effect.succeed("image"))
    return { effect, runs: Ref.get(runs) }
  })

describe("Backoff", () => {
  it("climbs its ladder without jitter", () => {
    const none = { jitter: "none" } as const
    expect(delays(Backoff.exponential(none), busy(8))).toEqual([1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000])
    expect(delays(Backoff.linear(none), busy(4))).toEqual([1000, 2000, 3000, 4000])
    expect(delays(Backoff.fibonacci(none), busy(6))).toEqual([1000, 1000, 2000, 3000, 5000, 8000])
    expect(delays(Backoff.constant({ ...none, base: "5 seconds" }), busy(3))).toEqual([5000, 5000, 5000])
  })

  it("the article's loop makes five attempts with 2^n plus up to a second between them", () => {
    const got = delays(Backoff.article, busy(9))
    expect(got).toHaveLength(4)
    got.forEach((delay, n) => {
      expect(delay).toBeGreaterThanOrEqual(1000 * 2 ** n)
      expect(delay).toBeLessThan(1000 * 2 ** n + 1000)
    })
  })

  it("the article's loop retries nothing but overload", () => {
    expect(delays(Backoff.article, [new GenerationError.RateLimited({ message: "429" })])).toEqual([])
  })

  it("stops at a fatal error, at a foreign error, and at no error of any kind", () => {
    for (const stop of [fatal, new Error("x"), "text", undefined, null, { _tag: "Overloaded" }]) {
      expect(delays(Backoff.exponential(), [overloaded(), stop, overloaded()])).toHaveLength(1)
    }
  })

  it("waits at least as long as the server asks, and exactly so without jitter", () => {
    expect(delays(Backoff.exponential({ jitter: "none" }), [overloaded("7 seconds"), overloaded()])).toEqual([7000, 2000])
  })

  it("stops rather than come back before a server time that it will not wait for", () => {
    expect(delays(Backoff.exponential({ maxServerWait: "1 minute" }), [overloaded("61 seconds")])).toEqual([])
  })

  it("repeats an unknown outcome once unless told otherwise", () => {
    const errors = [unknownTimeout, overloaded(), unknownTimeout, overloaded()]
    expect(delays(Backoff.exponential(), errors)).toHaveLength(2)
    expect(delays(Backoff.exponential({ unknownOutcome: "never" }), errors)).toHaveLength(0)
    expect(delays(Backoff.exponential({ unknownOutcome: "always" }), errors)).toHaveLength(4)
  })

  it("refuses an illegal option by its name", () => {
    expect(() => Backoff.exponential({ factor: 0.5 })).toThrow(/"factor" must be a number of at least 1/)
    expect(() => Backoff.exponential({ base: 0 })).toThrow(/"base"/)
    expect(() => Backoff.exponential({ base: NaN })).toThrow(/"base"/)
    expect(() => Backoff.exponential({ base: "2 minutes", cap: "1 minute" })).toThrow(/"cap"/)
    expect(() => Backoff.linear({ jitter: "wild" as Backoff.Jitter })).toThrow(/"jitter"/)
    expect(() => Backoff.upToAttempts(Backoff.linear(), 0)).toThrow(/"attempts"/)
  })

  const seconds = FastCheck.integer({ min: 1, max: 100_000 })
  const schedules = FastCheck.record({
    kind: FastCheck.constantFrom<"exponential" | "linear" | "fibonacci" | "constant" | "decorrelated">(
      "exponential",
      "linear",
      "fibonacci",
      "constant",
      "decorrelated"
    ),
    base: FastCheck.integer({ min: 1, max: 100_000 }),
    more: FastCheck.integer({ min: 0, max: 1_000_000 }),
    factor: FastCheck.double({ min: 1, max: 100, noNaN: true }),
    jitter: FastCheck.constantFrom<Backoff.Jitter>("none", "full", "equal", "additive", "positive"),
    hints: FastCheck.array(FastCheck.option(seconds), { minLength: 1, maxLength: 40 }),
    seed: FastCheck.integer()
  })

  it.prop("any schedule: delays are finite, never under the server's time, never over the cap", [schedules], ([given]) => {
    const cap = given.base + given.more
    const options = { base: given.base, cap, factor: given.factor, jitter: given.jitter, maxServerWait: "3 days" } as const
    const schedule = Backoff[given.kind](options)
    const got = delays(schedule, given.hints.map((hint) => overloaded(hint ?? undefined)), given.seed)
    expect(got).toHaveLength(given.hints.length)
    got.forEach((delay, n) => {
      const hint = given.hints[n] ?? null
      expect(Number.isFinite(delay)).toBe(true)
      expect(delay).toBeGreaterThanOrEqual(hint ?? 0)
      if (hint === null) expect(delay).toBeLessThanOrEqual(cap + 1e-6)
    })
  })

  it("never overflows over thousands of failures", () => {
    const got = delays(Backoff.exponential({ cap: "1 hour", jitter: "positive" }), busy(5000))
    expect(got).toHaveLength(5000)
    expect(Math.max(...got)).toBeLessThanOrEqual(3_600_000)
    expect(Math.min(...got.slice(20))).toBeGreaterThanOrEqual(1_800_000)
  })

  it("gives the same delays for the same seed and others for another", () => {
    expect(delays(Backoff.exponential(), busy(5), 7)).toEqual(delays(Backoff.exponential(), busy(5), 7))
    expect(delays(Backoff.exponential(), busy(5), 7)).not.toEqual(delays(Backoff.exponential(), busy(5), 8))
  })

  it("spreads many callers over the whole delay", () => {
    const first = Array.from({ length: 2000 }, (_, seed) => delays(Backoff.exponential(), busy(1), seed)[0]!)
    const mean = first.reduce((sum, delay) => sum + delay, 0) / first.length
    expect(mean).toBeGreaterThan(450)
    expect(mean).toBeLessThan(550)
  })

  it.effect("works under Effect.retry whatever else is in the error channel", () =>
    Effect.gen(function*() {
      const job = yield* failing<GenerationError.GenerationError | Error>([overloaded(), overloaded("30 seconds")])
      const fiber = yield* Effect.fork(Effect.retry(job.effect, Backoff.exponential()))
      yield* TestClock.adjust("29 seconds")
      expect(yield* job.runs).toBe(2)
      yield* TestClock.adjust("20 seconds")
      expect(yield* Fiber.join(fiber)).toBe("image")

      const foreign = yield* failing<GenerationError.GenerationError | Error>([overloaded(), new Error("mine")])
      const other = yield* Effect.fork(Effect.exit(foreign.effect.pipe(Effect.retry(Backoff.exponential()))))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(other)
      expect(yield* foreign.runs).toBe(2)
    }))

  it.effect("works in Stream.retry", () =>
    Effect.gen(function*() {
      const job = yield* failing([overloaded(), overloaded()])
      const fiber = yield* Effect.fork(Stream.runCollect(Stream.fromEffect(job.effect).pipe(Stream.retry(Backoff.exponential()))))
      yield* TestClock.adjust("1 minute")
      expect([...(yield* Fiber.join(fiber))]).toEqual(["image"])
    }))

  it("narrows with whileInput and composes with intersect without breaking the floor", () => {
    const schedule = Backoff.exponential().pipe(
      Schedule.whileInput((error: unknown) => GenerationError.isCapacity(error)),
      Schedule.intersect(Schedule.recurs(2))
    )
    const got = delays(schedule, [overloaded("7 seconds"), overloaded("9 seconds"), overloaded()])
    expect(got).toHaveLength(2)
    expect(got[0]).toBeGreaterThanOrEqual(7000)
    expect(got[1]).toBeGreaterThanOrEqual(9000)
  })

  it("upToAttempts counts the first attempt, upToElapsed the time since the first failure", () => {
    const ladder = Backoff.exponential({ jitter: "none" })
    expect(delays(Backoff.upToAttempts(ladder, 3), busy(9))).toEqual([1000, 2000])
    expect(delays(ladder.pipe(Backoff.upToAttempts(1)), busy(9))).toEqual([])
    expect(delays(ladder.pipe(Backoff.upToElapsed("7 seconds")), busy(9))).toEqual([1000, 2000, 4000])
    expect(delays(ladder.pipe(Backoff.upToElapsed("6999 millis")), busy(9))).toEqual([1000, 2000])
  })

  it.effect("withinDeadline stops when an attempt could not finish in time", () =>
    Effect.gen(function*() {
      const job = yield* failing(busy(50))
      const schedule = Backoff.exponential({ jitter: "none" }).pipe(Backoff.withinDeadline({ attempt: "2 seconds" }))
      const fiber = yield* job.effect.pipe(
        Effect.retry(schedule),
        Effect.provideService(CurrentCall, { ...none, deadline: 9000 }),
        Effect.exit,
        Effect.fork
      )
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(fiber)
      expect(yield* job.runs).toBe(4)
    }))

  it("brings a foreign schedule under the same rules", () => {
    const schedule = Backoff.withServerHint(Schedule.spaced("1 second"))
    expect(delays(schedule, [overloaded("7 seconds"), overloaded(), fatal, overloaded()])).toEqual([7000, 1000])
  })

  it("previews with the time that each attempt takes, and says whether the schedule stopped", () => {
    const schedule = Backoff.upToAttempts(Backoff.constant({ jitter: "none", base: "10 seconds" }), 3)
    const at = Date.UTC(2026, 10, 23)
    const shown = Effect.runSync(Backoff.preview(schedule, { errors: busy(5), at, attempt: "1 second" }))
    expect(shown.stopped).toBe(true)
    expect(shown.retries.map((retry) => [retry.attempt, retry.at - at])).toEqual([[2, 10_000], [3, 21_000]])
    expect(Effect.runSync(Backoff.preview(schedule, { errors: busy(1) })).stopped).toBe(false)
  })

  it.effect("draws chance from the Random service alone", () =>
    Effect.gen(function*() {
      const once = Backoff.preview(Backoff.decorrelated(), { errors: busy(6), seed: "a" })
      const first = yield* once
      yield* Random.next
      expect(yield* once).toEqual(first)
    }))
})

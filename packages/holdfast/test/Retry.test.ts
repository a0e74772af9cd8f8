import { describe, expect, it } from "@effect/vitest"
import { Cause, Chunk, Duration, Effect, Exit, FastCheck, Fiber, Logger, Option, Schedule, Stream, TestClock } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"

const overloaded = (retryAfter?: Duration.DurationInput) =>
  new GenerationError.Overloaded({ message: "busy", endpoint: "direct", model: "nano", retryAfter })
const late = new GenerationError.Timeout({ message: "late", phase: "headers" })
const fatal = new GenerationError.ContentBlocked({ message: "no" })
const steady = Backoff.constant({ base: "1 second", jitter: "none", unknownOutcome: "always" })

/** Fails with the given causes in turn, then succeeds with "image". */
const scripted = <E>(errors: ReadonlyArray<E>) => {
  const calls: Array<CurrentCall.Call> = []
  const effect = Effect.flatMap(CurrentCall.current, (call): Effect.Effect<string, E> => {
    calls.push(call)
    const error = errors[calls.length - 1]
    return error === undefined ? Effect.succeed("image") : Effect.fail(error)
  })
  return { effect, calls }
}

/** Runs to the end of virtual time. */
const settle = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.exit(effect))
    yield* TestClock.adjust("30 days")
    return yield* Fiber.join(fiber)
  })

const failure = <E>(exit: Exit.Exit<unknown, E>): E =>
  Option.getOrThrow(Exit.match(exit, { onFailure: Cause.failureOption, onSuccess: () => Option.none() }))

describe("Retry", () => {
  it.effect("a first success passes untouched", () =>
    Effect.gen(function*() {
      const job = scripted([])
      expect(yield* Policy.with(Retry.make(), job.effect)).toBe("image")
      expect(job.calls.map((call) => call.attempt)).toEqual([1])
    }))

  it.effect("retries what another attempt may cure, numbering the attempts", () =>
    Effect.gen(function*() {
      const job = scripted([overloaded(), overloaded()])
      const exit = yield* settle(job.effect.pipe(Retry.make({ schedule: steady }).apply))
      expect(exit).toEqual(Exit.succeed("image"))
      expect(job.calls.map((call) => [call.attempt, call.retryOwner])).toEqual([[1, "Retry"], [2, "Retry"], [3, "Retry"]])
    }))

  it.effect("gives up with the last error itself, which carries every attempt and the reason", () =>
    Effect.gen(function*() {
      const given = [overloaded(), late, overloaded("3 seconds"), overloaded()]
      const job = scripted(given)
      const policy = Retry.make({ schedule: steady, maxAttempts: 3 })
      const error = failure(yield* settle(policy.apply(job.effect)))
      expect(error).toBeInstanceOf(GenerationError.Overloaded)
      expect(error._tag).toBe("Overloaded")
      expect(error.stoppedBy).toBe("schedule")
      expect(error.attempts?.map((attempt) => [attempt.number, attempt.error?._tag, attempt.endpoint, attempt.startedAt]))
        .toEqual([[1, "Overloaded", "direct", 0], [2, "Timeout", "unknown", 1000], [3, "Overloaded", "direct", 2000]])
      expect(given[2]?.attempts).toBeUndefined()
      expect(job.calls).toHaveLength(3)
    }))

  it.effect("a fatal error stops at once and says so", () =>
    Effect.gen(function*() {
      const job = scripted([overloaded(), fatal])
      const error = failure(yield* settle(Retry.make().apply(job.effect)))
      expect([error._tag, error.stoppedBy, error.attempts?.length]).toEqual(["ContentBlocked", "fatal", 2])
    }))

  it.effect("catchTag works behind it", () =>
    Effect.gen(function*() {
      const job = scripted(Array.from({ length: 20 }, () => overloaded()))
      const caught = job.effect.pipe(
        Retry.make().apply,
        Effect.catchTag("Overloaded", (error) => Effect.succeed(`gave up after ${error.attempts?.length}`))
      )
      expect(yield* settle(caught)).toEqual(Exit.succeed("gave up after 6"))
    }))

  it.effect("errors that are not ours pass untouched and are not retried", () =>
    Effect.gen(function*() {
      const mine = new Error("mine")
      const job = scripted<Error | GenerationError.GenerationError>([mine])
      expect(failure(yield* settle(Retry.make({ schedule: Schedule.recurs(5) }).apply(job.effect)))).toBe(mine)
      expect(job.calls).toHaveLength(1)
    }))

  it.effect("never retries a fatal error, not even under a schedule that would", () =>
    Effect.gen(function*() {
      const job = scripted([fatal])
      yield* settle(Retry.make({ schedule: Schedule.recurs(5) }).apply(job.effect))
      expect(job.calls).toHaveLength(1)
    }))

  it.effect("keeps the server's time as a floor under any schedule", () =>
    Effect.gen(function*() {
      const times: Array<number> = []
      const job = scripted([overloaded("90 seconds")])
      const effect = Effect.zipRight(Effect.clockWith((clock) =>
        Effect.map(clock.currentTimeMillis, (now) => times.push(now))), job.effect)
      yield* settle(Retry.make({ schedule: Schedule.spaced("1 second") }).apply(effect))
      expect(times).toEqual([0, 90_000])
    }))

  it.effect("repeats an unknown outcome once, never, or always, as told", () =>
    Effect.gen(function*() {
      const runs = (unknownOutcome: Backoff.UnknownOutcome) =>
        Effect.gen(function*() {
          const job = scripted([late, overloaded(), late, late])
          const exit = yield* settle(Retry.make({ schedule: steady, unknownOutcome }).apply(job.effect))
          const stoppedBy = Exit.isFailure(exit) ? failure(exit).stoppedBy : undefined
          return [job.calls.length, stoppedBy]
        })
      expect(yield* runs("once")).toEqual([3, "unknown-outcome"])
      expect(yield* runs("never")).toEqual([1, "unknown-outcome"])
      expect(yield* runs("always")).toEqual([5, undefined])
    }))

  it.effect("a rule stated on the retry overrules the schedule's, one left out does not", () =>
    Effect.gen(function*() {
      const runs = (options: Retry.MakeOptions) =>
        Effect.gen(function*() {
          const job = scripted([late, late, late])
          yield* settle(Retry.make(options).apply(job.effect))
          return job.calls.length
        })
      const schedule = Backoff.exponential()
      expect(yield* runs({ schedule, unknownOutcome: "always" })).toBe(4)
      expect(yield* runs({ schedule })).toBe(2)
      expect(yield* runs({ schedule: Backoff.exponential({ unknownOutcome: "never" }) })).toBe(1)
    }))

  it.effect("retries further classes on request", () =>
    Effect.gen(function*() {
      const empty = new GenerationError.EmptyResult({ message: "no image" })
      const retryOn = (error: unknown) =>
        GenerationError.isRetryable(error) || (GenerationError.isGenerationError(error) && error._tag === "EmptyResult")
      const job = scripted([empty, overloaded()])
      expect(yield* settle(Retry.make({ retryOn }).apply(job.effect))).toEqual(Exit.succeed("image"))
    }))

  it.effect("gives up when the time left cannot fit an attempt", () =>
    Effect.gen(function*() {
      const job = scripted(Array.from({ length: 99 }, () => overloaded()))
      const policy = Retry.make({ schedule: steady, attemptTime: "30 seconds" })
      const error = failure(
        yield* settle(policy.apply(job.effect).pipe(CurrentCall.update({ deadline: 33_000 })))
      )
      expect(error.stoppedBy).toBe("deadline")
      expect(job.calls).toHaveLength(4)
    }))

  it.effect("waits longer than timers can", () =>
    Effect.gen(function*() {
      const job = scripted([overloaded("26 days")])
      const policy = Retry.make({ schedule: Schedule.spaced("1 second") })
      const fiber = yield* Effect.fork(policy.apply(job.effect))
      yield* TestClock.adjust("25 days")
      expect(job.calls).toHaveLength(1)
      yield* TestClock.adjust("2 days")
      expect(yield* Fiber.join(fiber)).toBe("image")
    }))

  it.effect("one retry owns a generation: another inside is transparent, and says so once", () =>
    Effect.gen(function*() {
      const lines: Array<unknown> = []
      const logger = Logger.make(({ message }) => void lines.push(message))
      const inner = Retry.make({ name: "inner", schedule: steady, maxAttempts: 4 })
      const outer = Retry.make({ name: "outer", schedule: steady, maxAttempts: 3 })
      for (const through of [
        (self: Effect.Effect<string, GenerationError.GenerationError>) => self,
        (self: Effect.Effect<string, GenerationError.GenerationError>) => Effect.flatMap(Effect.fork(self), Fiber.join),
        (self: Effect.Effect<string, GenerationError.GenerationError>) => Effect.flatMap(Effect.forkDaemon(self), Fiber.join),
        (self: Effect.Effect<string, GenerationError.GenerationError>) => Effect.raceFirst(self, Effect.never)
      ]) {
        const job = scripted(Array.from({ length: 50 }, () => overloaded()))
        yield* settle(outer.apply(through(inner.apply(job.effect))).pipe(Effect.provide(Logger.add(logger))))
        expect(job.calls).toHaveLength(3)
      }
      expect(lines.flat()).toEqual([expect.stringContaining("\"inner\" stands inside \"outer\"")])
    }))

  it.effect("a cap on the cost of a generation counts the attempts that failed", () =>
    Effect.gen(function*() {
      const runs = (spend: Retry.Spend, given: ReadonlyArray<GenerationError.GenerationError>) =>
        Effect.gen(function*() {
          const job = scripted(given)
          const exit = yield* settle(Retry.make({ schedule: steady, maxAttempts: 9, spend }).apply(job.effect))
          return [job.calls.length, Exit.isFailure(exit) ? failure(exit).stoppedBy : "success"]
        })
      const busy = Array.from({ length: 9 }, () => overloaded())
      const costOf = () => 2
      // Without another word the next attempt is taken to cost as much as the dearest so far.
      expect(yield* runs({ limit: 6, costOf }, busy)).toEqual([3, "spend"])
      expect(yield* runs({ limit: 5.9, costOf }, busy)).toEqual([2, "spend"])
      expect(yield* runs({ limit: 6, costOf, nextCost: 5 }, busy)).toEqual([1, "spend"])
      expect(yield* runs({ limit: 6, costOf, nextCost: 0 }, busy)).toEqual([3, "spend"])
      expect(yield* runs({ limit: 0, costOf: () => 0 }, busy)).toEqual([1, "spend"])
      // What nobody knows the cost of must not end the retries.
      expect(yield* runs({ limit: 6, costOf: () => NaN }, busy)).toEqual([9, "schedule"])
      expect(yield* runs({ limit: 6, costOf: () => -5 }, busy.slice(3))).toEqual([7, "success"])
      const byClass = ({ error }: GenerationError.Attempt) => (error?._tag === "Timeout" ? 3 : 0)
      expect(yield* runs({ limit: 5, costOf: byClass }, [overloaded(), late, overloaded()])).toEqual([2, "spend"])
    }))

  it.effect("a fatal error, and a schedule that ends, come before the cost", () =>
    Effect.gen(function*() {
      const spend = { limit: 1, costOf: () => 1 }
      const stopped = (given: ReadonlyArray<GenerationError.GenerationError>, maxAttempts: number) =>
        Effect.map(
          settle(Retry.make({ schedule: steady, maxAttempts, spend }).apply(scripted(given).effect)),
          (exit) => failure(exit).stoppedBy
        )
      expect(yield* stopped([fatal], 5)).toBe("fatal")
      expect(yield* stopped([overloaded()], 1)).toBe("schedule")
      expect(yield* stopped([overloaded()], 2)).toBe("spend")
    }))

  it.effect("leaves defects and interruption alone", () =>
    Effect.gen(function*() {
      let runs = 0
      const counted = (effect: Effect.Effect<never>) => Effect.zipRight(Effect.sync(() => void runs++), effect)
      const died = yield* settle(Retry.make().apply(counted(Effect.die("boom"))))
      expect(Exit.isFailure(died) && Cause.isDie(died.cause)).toBe(true)
      const stopped = yield* settle(Retry.make().apply(counted(Effect.interrupt)))
      expect(Exit.isInterrupted(stopped)).toBe(true)
      expect(runs).toBe(2)
    }))

  it.effect("can be interrupted while it waits", () =>
    Effect.gen(function*() {
      const job = scripted([overloaded("5 minutes"), overloaded()])
      const fiber = yield* Effect.fork(Retry.make().apply(job.effect))
      yield* TestClock.adjust("1 minute")
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      yield* TestClock.adjust("2 hours")
      expect(job.calls).toHaveLength(1)
    }))

  it("describes itself with its worst amplification, also where the schedule sets it", () => {
    expect(Retry.make().describe).toEqual({
      kind: "Retry",
      name: "Retry",
      amplification: 6,
      options: { maxAttempts: 6, attemptTime: 0, unknownOutcome: "once" }
    })
    expect(Retry.make({ schedule: Backoff.article }).describe.amplification).toBe(5)
    expect(Retry.make({ schedule: Backoff.exponential() }).describe.amplification).toBe(Infinity)
    expect(Retry.make({ schedule: Backoff.article, maxAttempts: 3 }).describe.amplification).toBe(3)
    expect(Retry.make({ schedule: Backoff.withServerHint(Backoff.article) }).describe.amplification).toBe(5)
  })

  it("refuses illegal options by name", () => {
    expect(() => Retry.make({ maxAttempts: 0 })).toThrow(/"maxAttempts" must be a whole number of at least 1/)
    expect(() => Retry.make({ maxAttempts: 1.5 })).toThrow(/"maxAttempts"/)
    expect(() => Retry.make({ attemptTime: -5 })).toThrow(/"attemptTime"/)
    expect(() => Retry.make({ spend: { limit: -1, costOf: () => 1 } })).toThrow(/"spend.limit"/)
    expect(() => Retry.make({ spend: { limit: 1, costOf: () => 1, nextCost: NaN } })).toThrow(/"spend.nextCost"/)
    expect(() => Retry.make({ unknownOutcome: "twice" as "once" })).toThrow(/"unknownOutcome" must be one of/)
  })

  const errors = FastCheck.array(
    FastCheck.constantFrom(overloaded(), overloaded("2 seconds"), late, fatal, new GenerationError.RateLimited({ message: "429" })),
    { maxLength: 12 }
  )

  it.effect.prop(
    "attempts never exceed the description's amplification, and all are told",
    [errors, FastCheck.integer({ min: 1, max: 6 })],
    ([given, maxAttempts]) =>
      Effect.gen(function*() {
        const job = scripted(given)
        const policy = Retry.make({ schedule: steady, maxAttempts })
        const exit = yield* settle(policy.apply(job.effect))
        expect(job.calls.length).toBeLessThanOrEqual(policy.describe.amplification)
        if (Exit.isFailure(exit)) expect(failure(exit).attempts).toHaveLength(job.calls.length)
      }),
    { fastCheck: { numRuns: 60 } }
  )
})

describe("Retry of streams", () => {
  /** A stream that emits, then fails, by the script of its runs. */
  const streams = (script: ReadonlyArray<readonly [ReadonlyArray<number>, GenerationError.GenerationError?]>) => {
    let runs = 0
    const stream = Stream.suspend(() => {
      const [elements, error] = script[Math.min(runs++, script.length - 1)]!
      const given = Stream.fromIterable(elements).pipe(Stream.rechunk(1))
      return error === undefined ? given : Stream.concat(given, Stream.fail(error))
    })
    return { stream, runs: () => runs }
  }

  it.effect("retries until the first element", () =>
    Effect.gen(function*() {
      const job = streams([[[], overloaded()], [[], overloaded()], [[1, 2, 3]]])
      const exit = yield* settle(Stream.runCollect(Retry.make({ schedule: steady }).applyStream(job.stream)))
      expect(Exit.map(exit, Chunk.toReadonlyArray)).toEqual(Exit.succeed([1, 2, 3]))
      expect(job.runs()).toBe(3)
    }))

  it.effect("never retries after the first element, and says why", () =>
    Effect.gen(function*() {
      const job = streams([[[], overloaded()], [[1, 2], overloaded()], [[7, 8, 9]]])
      const seen: Array<number> = []
      const policy = Retry.make({ schedule: steady })
      const run = Stream.runForEach(policy.applyStream(job.stream), (n) => Effect.sync(() => void seen.push(n)))
      const error = failure(yield* settle(run))
      expect(seen).toEqual([1, 2])
      expect(job.runs()).toBe(2)
      expect([error._tag, error.stoppedBy, error.attempts?.length]).toEqual(["Overloaded", "committed", 2])
    }))

  it.effect("gives up with the last error and its history", () =>
    Effect.gen(function*() {
      const job = streams([[[], overloaded()]])
      const policy = Retry.make({ schedule: steady, maxAttempts: 4 })
      const error = failure(yield* settle(Stream.runDrain(policy.applyStream(job.stream))))
      expect([job.runs(), error.stoppedBy, error.attempts?.length]).toEqual([4, "schedule", 4])
    }))

  it.effect("lets its elements' effects see the attempt's call", () =>
    Effect.gen(function*() {
      const owner = Stream.fromEffect(CurrentCall.current).pipe(Stream.map((call) => [call.attempt, call.retryOwner]))
      const seen = yield* Stream.runCollect(Retry.make().applyStream(owner))
      expect([...seen]).toEqual([[1, "Retry"]])
    }))

  it.effect("releases an attempt's resources before the next attempt starts", () =>
    Effect.gen(function*() {
      const order: Array<string> = []
      let runs = 0
      const stream = Stream.unwrapScoped(Effect.gen(function*() {
        const run = ++runs
        yield* Effect.acquireRelease(
          Effect.sync(() => void order.push(`open ${run}`)),
          () => Effect.sync(() => void order.push(`close ${run}`))
        )
        return run < 3 ? Stream.fail(overloaded()) : Stream.make(run)
      }))
      yield* settle(Stream.runDrain(Retry.make({ schedule: steady }).applyStream(stream)))
      expect(order).toEqual(["open 1", "close 1", "open 2", "close 2", "open 3", "close 3"])
    }))
})

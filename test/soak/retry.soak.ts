/** 100,000 virtual generations through deadline, retry and timeout, whole and streamed, on flat memory. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Fiber, Layer, Logger, LogLevel, Stream } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import type { Generated } from "holdfast/Generated"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Rejected from "holdfast/Rejected"
import * as Retry from "holdfast/Retry"
import * as RetryBudget from "holdfast/RetryBudget"
import * as Telemetry from "holdfast/Telemetry"
import * as Timeout from "holdfast/Timeout"

const total = 100_000
const warmUp = 20_000
const size = 1000

/** Bytes in use after a collection; `undefined` when the collector is not at hand. */
const heap = (): number | undefined => {
  if (globalThis.gc === undefined) return undefined
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

const finish = { usage: {}, finishReason: "STOP", endpoint: "e", model: "m" } as const
const generated: Generated = { ...finish, parts: [{ _tag: "Text", text: "t" }], attempts: [] }

/**
 * A virtual clock that forgets sleepers that were interrupted, and wakes together those whose time is the same. The one
 * of the test kit keeps and wakes each by itself, which for a million of them takes half an hour.
 */
const virtualClock = () => {
  let now = 0
  const sleepers = new Map<number, Set<() => void>>()
  const live = Clock.make()
  const clock: Clock.Clock = {
    ...live,
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: () => BigInt(now) * 1_000_000n,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
    sleep: (duration) =>
      Effect.async<void>((resume) => {
        const at = now + Math.ceil(Duration.toMillis(duration))
        const wake = (): void => resume(Effect.void)
        const group = sleepers.get(at) ?? new Set()
        sleepers.set(at, group.add(wake))
        return Effect.sync(() => {
          group.delete(wake)
          if (group.size === 0 && sleepers.get(at) === group) sleepers.delete(at)
        })
      })
  }
  const settle = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
  const adjust = (duration: Duration.DurationInput): Effect.Effect<void> =>
    Effect.gen(function*() {
      const end = now + Duration.toMillis(duration)
      for (;;) {
        yield* settle
        yield* settle
        const next = Math.min(...sleepers.keys())
        if (next > end) break
        now = Math.max(now, next)
        const due = sleepers.get(next)!
        sleepers.delete(next)
        for (const wake of due) wake()
      }
      now = end
    })
  return { adjust, clock, sleeping: () => sleepers.size }
}

const { adjust, clock, sleeping } = virtualClock()

/** What the attempts of the server were, and how many are still running. */
const server = { started: 0, running: 0 }

/** Attempt `n`: most fail in some way, and take their time. */
const attempt = (n: number): Effect.Effect<void, GenerationError.GenerationError> => {
  switch (n % 13) {
    case 0:
      return Effect.die("bug")
    case 1:
      return Effect.fail(new GenerationError.ContentBlocked({ message: "no" }))
    case 2:
      return Effect.never
    case 3:
      return Effect.delay(Effect.fail(new GenerationError.Transient({ message: "reset" })), "20 seconds")
    case 4:
      return Effect.fail(new GenerationError.RateLimited({ message: "429", retryAfter: "10 seconds" }))
    case 5:
    case 6:
    case 7:
      return Effect.fail(new GenerationError.Overloaded({ message: "busy" }))
    default:
      return Effect.sleep(n % 2 === 0 ? "10 seconds" : "40 seconds")
  }
}

const counted = Effect.acquireUseRelease(
  Effect.sync(() => {
    server.running++
    return server.started++
  }),
  attempt,
  () => Effect.sync(() => void server.running--)
)

const client: GenerationClient.Service = {
  generate: () => Effect.as(counted, generated),
  stream: () =>
    Stream.concat(
      Stream.drain(Stream.fromEffect(counted)),
      Stream.make({ _tag: "Text" as const, text: "t" }, { _tag: "Finish" as const, ...finish })
    )
}

const policy = Effect.map(RetryBudget.make({ floor: 100_000 }), (budget) =>
  Policy.compose(
    Retry.make({
      schedule: Backoff.exponential({ base: "1 second", cap: "8 seconds", jitter: "none" }),
      maxAttempts: 4,
      budget
    }),
    Retry.make({ maxAttempts: 9 }),
    Timeout.make({ attempt: "1 minute", firstChunk: "30 seconds", idle: "30 seconds" })
  ))

const ends = { Success: 0, Failure: 0, Defect: 0, Interrupted: 0 }
const seen = { started: 0, attempts: 0, told: 0 }

/** Counts, and keeps nothing. */
const telemetry = Layer.succeed(Telemetry.Telemetry, {
  spans: false,
  observe: (event) => {
    if (event._tag === "AttemptStarted") seen.started++
    if (event._tag !== "GenerationEnded") return
    ends[event.ending._tag]++
    seen.attempts += event.attempts
  }
})

const live = Generation.layer({ policy, deadline: "2 minutes" }).pipe(
  Layer.provide(Layer.mergeAll(
    Layer.succeed(GenerationClient.GenerationClient, client),
    GenerationCache.layerNoop,
    telemetry
  ))
)

describe("Retry, Timeout and Deadline, for long", () => {
  it.live("100,000 generations leave nothing behind", () =>
    Effect.gen(function*() {
      const batch = (from: number) =>
        Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          const fibers: Array<Fiber.RuntimeFiber<unknown, GenerationError.GenerationError | Rejected.Rejected>> = []
          for (let n = from; n < from + size; n++) {
            const run = n % 3 === 0
              ? Stream.runDrain(Generation.stream({ prompt: "p" }))
              : Generation.generate({ prompt: "p" })
            // Some come under a deadline of their own, and some of those are late already.
            const deadline = n % 7 === 0 ? now + (n % 5) * 15_000 : Infinity
            const nested = n % 11 === 0 && n % 35 !== 0 ? Deadline.make({ duration: "90 seconds" }).apply(run) : run
            fibers.push(yield* Effect.fork(CurrentCall.update(nested, { deadline })))
          }
          yield* adjust("15 seconds")
          for (let i = 0; i < size; i += 17) yield* Fiber.interrupt(fibers[i]!)
          yield* adjust("3 minutes")
          for (const fiber of fibers) {
            const exit = yield* Fiber.interrupt(fiber)
            if (Exit.isFailure(exit) && exit.cause._tag === "Fail" && "attempts" in exit.cause.error) {
              seen.told += exit.cause.error.attempts?.length ?? 0
            }
          }
          yield* adjust(1)
          expect([server.running, sleeping()]).toEqual([0, 0])
        })
      let before: number | undefined
      for (let from = 0; from < total; from += size) {
        yield* batch(from)
        if (from + size === warmUp) before = heap()
      }
      const after = heap()
      expect(Object.values(ends).reduce((sum, count) => sum + count, 0)).toBe(total)
      for (const [end, count] of Object.entries(ends)) expect(count, end).toBeGreaterThan(1000)
      expect(seen.started).toBe(server.started)
      expect(seen.attempts).toBe(server.started)
      expect(seen.told).toBeGreaterThan(0)
      expect(seen.told).toBeLessThan(server.started)
      expect(server.started).toBeGreaterThan(total)
      if (before !== undefined && after !== undefined) {
        expect((after - before) / 2 ** 20, "MiB of heap").toBeLessThan(5)
      }
    }).pipe(Effect.provide(live), Effect.withClock(clock), Logger.withMinimumLogLevel(LogLevel.None)), 20 * 60_000)
})

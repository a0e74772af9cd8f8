/** 100,000 virtual generations through deadline, retry and timeout, whole and streamed: nothing goes on afterwards. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Layer, Logger, LogLevel, Stream } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import type { Generated } from "holdfast/Generated"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"
import * as RetryBudget from "holdfast/RetryBudget"
import * as Telemetry from "holdfast/Telemetry"
import * as Timeout from "holdfast/Timeout"
import { isStreamed, makeServer } from "./support/mix.js"
import { soak, total } from "./support/soak.js"

const finish = { usage: {}, finishReason: "STOP", endpoint: "e", model: "m" } as const
const generated: Generated = { ...finish, parts: [{ _tag: "Text", text: "t" }], attempts: [] }

/** Attempt `n`: most fail in some way, and take their time. */
const way = (n: number): Effect.Effect<void, GenerationError.GenerationError> => {
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

const server = makeServer()

const client: GenerationClient.Service = {
  generate: () => Effect.as(server.serve(way), generated),
  stream: () =>
    Stream.concat(
      Stream.drain(Stream.fromEffect(server.serve(way))),
      Stream.make({ _tag: "Text" as const, text: "t" }, { _tag: "Finish" as const, ...finish })
    )
}

const policy = Effect.map(RetryBudget.make({ floor: total }), (budget) =>
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
/** Events, the attempts that generations say they made, and those that their errors tell of. */
const seen = { begun: 0, started: 0, ended: 0, attempts: 0, told: 0 }

/** Counts, and keeps nothing. */
const telemetry = Layer.succeed(Telemetry.Telemetry, {
  spans: false,
  observe: (event) => {
    if (event._tag === "GenerationStarted") seen.begun++
    if (event._tag === "AttemptStarted") seen.started++
    if (event._tag === "AttemptEnded") seen.ended++
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

/** Generation number `n`. Some come under a deadline of their own, and some of those are late already. */
const generation = (n: number) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const run = isStreamed(n)
      ? Stream.runDrain(Generation.stream({ prompt: "p" }))
      : Generation.generate({ prompt: "p" })
    const nested = n % 11 === 0 && n % 5 !== 0 ? Deadline.make({ duration: "90 seconds" }).apply(run) : run
    return CurrentCall.update(nested, { deadline: n % 8 === 0 ? now + (n % 5) * 15_000 : Infinity })
  })

describe("Retry, Timeout and Deadline, for long", () => {
  it.live("100,000 generations leave nothing behind", () =>
    soak(() =>
      Effect.succeed({
        call: (n) =>
          Effect.tapError(generation(n), (error) =>
            Effect.sync(() => {
              if ("attempts" in error) seen.told += error.attempts?.length ?? 0
            })),
        patience: "15 seconds",
        end: "3 minutes",
        atRest: Effect.sync(() => {
          expect(server.running).toBe(0)
          expect(Object.values(ends).reduce((sum, count) => sum + count, 0)).toBe(seen.begun)
          expect([seen.ended, seen.attempts]).toEqual([seen.started, seen.started])
        }),
        atEnd: () =>
          Effect.sync(() => {
            for (const [end, count] of Object.entries(ends)) expect(count, end).toBeGreaterThan(1000)
            // A nervous caller may leave before its generation begins, or before its attempt reaches the server.
            for (const [all, fewer] of [[total, seen.begun], [seen.started, server.started]] as const) {
              expect(fewer).toBeLessThanOrEqual(all)
              expect(fewer).toBeGreaterThan(all - total / 100)
            }
            expect(seen.told).toBeGreaterThan(0)
            expect(seen.told).toBeLessThan(server.started)
            expect(server.started).toBeGreaterThan(total)
          })
      })
    ).pipe(Effect.provide(live), Logger.withMinimumLogLevel(LogLevel.None)))
})

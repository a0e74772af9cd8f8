/**
 * Interrupts everything at every point where a fiber can yield, and then asks whether anything was lost: a start
 * without an end, a fiber that outlives its caller, a resource that stays open.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Stream, TestClock } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as Deadline from "holdfast/Deadline"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"
import * as Telemetry from "holdfast/Telemetry"
import * as Timeout from "holdfast/Timeout"

const overloaded = new GenerationError.Overloaded({ message: "busy" })

/** Open resources and running bodies, as the client sees them. */
interface Ledger {
  open: number
  opened: number
  ended: number
}

/** A client whose first attempt fails and whose others answer, each over a resource of its own. */
const client = (ledger: Ledger): GenerationClient.Service => {
  let calls = 0
  const resource = Effect.acquireRelease(
    Effect.sync(() => {
      ledger.open++
      ledger.opened++
    }),
    () =>
      Effect.sync(() => {
        ledger.open--
        ledger.ended++
      })
  )
  const generated = { parts: [], usage: {}, finishReason: "STOP", endpoint: "e", model: "m" } as const
  return {
    generate: () =>
      Effect.scoped(
        Effect.zipRight(
          resource,
          Effect.suspend(() =>
            calls++ % 2 === 0
              ? Effect.zipRight(Effect.yieldNow(), Effect.fail(overloaded))
              : Effect.zipRight(Effect.yieldNow(), Effect.succeed({ ...generated, attempts: [] }))
          )
        )
      ),
    stream: () =>
      Stream.unwrapScoped(
        Effect.as(
          resource,
          Stream.suspend(() =>
            calls++ % 2 === 0
              ? Stream.fail(overloaded)
              : Stream.make({ _tag: "Text" as const, text: "t" }, { _tag: "Finish" as const, ...generated })
          )
        )
      )
  }
}

const policy = Policy.compose(
  Retry.make({ schedule: Backoff.constant({ base: 1, jitter: "none" }) }),
  Timeout.make({ attempt: "1 minute", firstChunk: "1 minute", idle: "1 minute" })
)

const sweep = (run: (request: { readonly prompt: string }) => Effect.Effect<unknown, unknown, Generation.Generation>) =>
  Effect.gen(function*() {
    let interrupted = 0
    for (let ops = 10; ops <= 34; ops += 3) {
      for (let point = 0; point < 40; point++) {
        const ledger: Ledger = { open: 0, opened: 0, ended: 0 }
        const live = Generation.layer({ policy, deadline: "5 minutes" }).pipe(
          Layer.provideMerge(Layer.mergeAll(
            Layer.succeed(GenerationClient.GenerationClient, client(ledger)),
            GenerationCache.layerMemory(),
            Telemetry.layerTest
          ))
        )
        yield* Effect.gen(function*() {
          const fiber = yield* Effect.fork(Effect.withMaxOpsBeforeYield(run({ prompt: "a" }), ops))
          for (let i = 0; i < point; i++) yield* Effect.yieldNow()
          if (point % 5 === 4) yield* TestClock.adjust(1)
          const exit = yield* Fiber.interrupt(fiber)
          if (Exit.isInterrupted(exit)) interrupted++
          // Let whatever should not be there any more show itself.
          yield* TestClock.adjust("10 minutes")
          const events = yield* Effect.flatMap(Telemetry.Recorded, (recorded) => recorded.events)
          const count = (tag: string) => events.filter((event) => event._tag === tag).length
          const where = `ops ${ops}, point ${point}`
          expect(ledger.open, where).toBe(0)
          expect(ledger.ended, where).toBe(ledger.opened)
          expect(count("GenerationEnded"), where).toBe(count("GenerationStarted"))
          expect(count("AttemptEnded"), where).toBe(count("AttemptStarted"))
          const cache = yield* GenerationCache.GenerationCache
          expect(yield* cache.stats, where).toMatchObject({ flights: 0, waiting: 0 })
        }).pipe(Effect.provide(live))
      }
    }
    return interrupted
  })

describe("interruption at every yield", () => {
  it.effect("loses no end, no resource and no flight of a generation", () =>
    Effect.map(sweep((request) => Generation.generate(request)), (interrupted) => {
      expect(interrupted).toBeGreaterThan(100)
    }), 60_000)

  it.effect("nor of a stream", () =>
    Effect.map(sweep((request) => Stream.runDrain(Generation.stream(request))), (interrupted) => {
      expect(interrupted).toBeGreaterThan(100)
    }), 60_000)

  it.effect("nor does a deadline that fires at the same moment", () =>
    Effect.gen(function*() {
      const deadline = Deadline.make({ duration: "10 millis" })
      for (let ops = 10; ops <= 40; ops++) {
        for (const after of [9, 10, 11]) {
          const ledger: Ledger = { open: 0, opened: 0, ended: 0 }
          const work = Effect.acquireUseRelease(
            Effect.sync(() => void ledger.open++),
            () => Effect.sleep("10 millis"),
            () => Effect.sync(() => void ledger.open--)
          )
          const fiber = yield* Effect.fork(Effect.withMaxOpsBeforeYield(Effect.exit(deadline.apply(work)), ops))
          yield* TestClock.adjust(after)
          yield* Fiber.interrupt(fiber)
          expect(ledger.open, `ops ${ops}, after ${after}`).toBe(0)
        }
      }
    }), 60_000)
})

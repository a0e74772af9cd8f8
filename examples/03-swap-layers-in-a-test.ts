/** 03. The code under test asks for `Generation`; a test gives it a script for a provider, and turns the clock. */
import { Console, Duration, Effect, Fiber, Layer, TestClock, TestContext } from "effect"
import {
  Backoff,
  Generated,
  Generation,
  GenerationCache,
  GenerationClient,
  GenerationError,
  Retry,
  Telemetry
} from "holdfast"

/** The application. It names no provider, no policy and no clock. */
const drawCover = (title: string) =>
  Generation.generate({ prompt: `cover of "${title}"`, aspectRatio: "2:3" }).pipe(
    Effect.map((result) => `${Generated.images(result).length} image in attempt ${result.attempts.length}`),
    Effect.catchTag("Overloaded", () => Effect.succeed("a plain cover"))
  )

/** The real policy over a scripted client: what is tested is how both behave together. */
const scripted = (script: ReadonlyArray<GenerationClient.Outcome>) =>
  Generation.layer({
    policy: Retry.make({ schedule: Backoff.exponential({ base: "10 seconds", jitter: "none" }), maxAttempts: 4 })
  }).pipe(
    Layer.provideMerge(Layer.mergeAll(
      GenerationClient.layerTest(script),
      GenerationCache.layerNoop,
      Telemetry.layerNoop
    ))
  )

const overloaded = new GenerationError.Overloaded({ message: "The model is overloaded" })

/** With `@effect/vitest` this is the body of an `it.effect`, which brings the test clock along. */
const test = (name: string, script: ReadonlyArray<GenerationClient.Outcome>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(drawCover("Sea Stories"))
    yield* TestClock.adjust("10 minutes")
    const cover = yield* Fiber.join(fiber)
    const { attempts } = yield* GenerationClient.Recorded
    const times = (yield* attempts).map(({ at }) => Duration.format(Duration.millis(at)))
    yield* Console.log(`${name}: ${cover}; attempts at ${times.join(", ")}`)
  }).pipe(Effect.provide(scripted(script)), Effect.provide(TestContext.TestContext))

const program = Effect.gen(function*() {
  yield* test("two failures", [overloaded, overloaded, {}])
  yield* test("a slow answer", [overloaded, { _tag: "After", delay: "90 seconds", outcome: {} }])
  yield* test("overloaded throughout", [overloaded])
})

await Effect.runPromise(program)

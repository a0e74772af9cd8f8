/** What the snippets of the docs share: a scripted model, and one call measured in virtual time. */
import { Clock, Effect, Either, Fiber, Layer, TestClock } from "effect"
import { Generation, GenerationCache, GenerationClient, GenerationError, Telemetry } from "holdfast"

export const overloaded = new GenerationError.Overloaded({ message: "The model is overloaded" })

/** An answer that takes so many seconds. */
export const after = (seconds: number, outcome: GenerationClient.Outcome): GenerationClient.Outcome => ({
  _tag: "After",
  delay: seconds * 1000,
  outcome
})

/** Everything that a generation needs, around a script. */
export const scripted = (script: ReadonlyArray<GenerationClient.Outcome>) =>
  Layer.mergeAll(GenerationClient.layerTest(script), GenerationCache.layerNoop, Telemetry.layerNoop)

/** One generation under a policy against a script: when its attempts start, when it ends, and with what. */
export const measure = (
  policy: Generation.GenerationPolicy,
  script: ReadonlyArray<GenerationClient.Outcome>
) =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    const timed = Effect.gen(function*() {
      const result = yield* Effect.either(Generation.generate({ prompt: "a boat" }))
      return { result, seconds: Math.round((yield* Clock.currentTimeMillis) - start) / 1000 }
    })
    const fiber = yield* Effect.fork(timed)
    yield* TestClock.adjust("1 hour")
    const { result, seconds } = yield* Fiber.join(fiber)
    const { attempts } = yield* GenerationClient.Recorded
    const error = Either.isLeft(result) ? result.left : undefined
    return {
      attempts: (yield* attempts).map(({ at }) => (at - start) / 1000),
      seconds,
      result: error?._tag ?? "success",
      stoppedBy: GenerationError.isGenerationError(error) ? error.stoppedBy : undefined
    }
  }).pipe(Effect.provide(Layer.provideMerge(Generation.layer({ policy }), scripted(script))))

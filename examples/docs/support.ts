/** What the snippets of the docs share: a scripted model, and one call, or a crowd of them, measured in virtual time. */
import { Clock, Effect, Either, Fiber, Layer, Stream, TestClock } from "effect"
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

/** What an attempt meets before it is answered: a wait, a refusal, both. Made anew for each crowd. */
export type Model = Effect.Effect<Effect.Effect<void, GenerationError.GenerationError>>

/** Who calls, how, and what they meet. */
export interface Callers {
  readonly calls: number
  /** Seconds between the starts of two calls; `"after"` when each waits for the end of the one before. */
  readonly apart: number | "after"
  readonly model: Model
}

/** Generations under one policy: the attempts that the model sees, the calls that it answers, and when the last ends. */
export const crowd = ({ apart, calls, model }: Callers, options: Generation.Options) =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    const meet = yield* model
    let attempts = 0
    const attempt = Effect.zipRight(Effect.sync(() => void attempts++), meet)
    const client = Layer.effect(
      GenerationClient.GenerationClient,
      Effect.map(GenerationClient.GenerationClient, ({ generate, stream }): GenerationClient.Service => ({
        generate: (request) => Effect.zipRight(attempt, generate(request)),
        stream: (request) => Stream.unwrap(Effect.as(attempt, stream(request)))
      }))
    )
    const one = Effect.exit(Generation.generate({ prompt: "a boat" }))
    const run = Effect.gen(function*() {
      const exits = apart === "after"
        ? yield* Effect.all(Array.from({ length: calls }, () => one))
        : yield* Effect.all(Array.from({ length: calls }, (_, n) => Effect.delay(one, n * apart * 1000)), {
          concurrency: "unbounded"
        })
      const seconds = Math.round(((yield* Clock.currentTimeMillis) - start) / 1000)
      return { attempts, answered: exits.filter(({ _tag }) => _tag === "Success").length, seconds }
    })
    const layer = Layer.provide(
      Generation.layer(options),
      Layer.mergeAll(Layer.provide(client, GenerationClient.layerTest()), GenerationCache.layerNoop, Telemetry.layerNoop)
    )
    const fiber = yield* Effect.fork(Effect.provide(run, layer))
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

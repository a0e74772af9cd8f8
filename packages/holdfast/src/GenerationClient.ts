/** The unprotected call: one exchange with one endpoint. Policies stand around it, never in it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import type { Chunk, Generated } from "./Generated.js"
import type { GenerationError } from "./GenerationError.js"
import type { GenerationRequest } from "./GenerationRequest.js"
import * as Scripted from "./internal/scriptedClient.js"

export type { Outcome, RecordedAttempt } from "./internal/scriptedClient.js"

export interface Service {
  /**
   * One attempt. Reads `CurrentCall` for the endpoint and the model that a routing policy chose. The result's
   * `attempts` is empty: `Generation` fills it.
   */
  readonly generate: (request: GenerationRequest) => Effect.Effect<Generated, GenerationError>
  /** One attempt whose parts arrive as they are made, ended by one `Finish`. */
  readonly stream: (request: GenerationRequest) => Stream.Stream<Chunk, GenerationError>
}

export class GenerationClient extends Context.Tag("@holdfast/GenerationClient")<GenerationClient, Service>() {}

/** The attempts that a scripted client has seen, for tests. */
export class Recorded extends Context.Tag("@holdfast/GenerationClient/Recorded")<Recorded, {
  readonly attempts: Effect.Effect<ReadonlyArray<Scripted.RecordedAttempt>>
}>() {}

/**
 * A client that plays a script instead of calling a provider: attempt after attempt takes the next outcome, and the
 * last one stays. An outcome is
 *
 * - a `GenerationError`: the attempt fails with it;
 * - a `Generated`, or a part of one: the attempt succeeds, the rest filled in (an image of one pixel);
 * - a string: the attempt succeeds with that text;
 * - `{ _tag: "Hang" }`: the attempt never answers;
 * - `{ _tag: "After", delay, outcome }`: as `outcome`, but later;
 * - `{ _tag: "Parts", parts, error }`: a stream that hands out parts and then fails; unary calls fail with `error`.
 *
 * Delays run on the `Clock`, so `TestClock` moves them. `Recorded` tells the attempts.
 */
export const layerTest = (script: ReadonlyArray<Scripted.Outcome> = []): Layer.Layer<GenerationClient | Recorded> =>
  Layer.effectContext(
    Effect.sync(() => {
      const { client, recorded } = Scripted.make(script)
      return Context.make(GenerationClient, client).pipe(
        Context.add(Recorded, { attempts: Effect.sync(() => [...recorded]) })
      )
    })
  )

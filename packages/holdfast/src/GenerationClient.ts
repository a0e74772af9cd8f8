/** The unprotected call: one exchange with one endpoint. Policies stand around it, never in it. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Chunk, Generated } from "./Generated.js"
import type { GenerationError } from "./GenerationError.js"
import type { GenerationRequest } from "./GenerationRequest.js"

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

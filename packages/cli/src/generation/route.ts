/**
 * Which endpoint each attempt goes to: the next one at every retry, leaving out those that cannot serve at all.
 *
 * Enough for one generation of a command. It weighs nothing: no latency, no breaker, no price.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Call, CurrentCall } from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"

export interface Route {
  /** Stands inside the retry, around each attempt. */
  readonly policy: Policy.Policy
  /**
   * Which errors to go on for: the retryable ones, and those that only say that this endpoint cannot serve, as long as
   * there is another. It remembers the latter.
   */
  readonly retryOn: (error: unknown) => boolean
  /** The attempts that have ended so far, however the generation ends. */
  readonly attempts: () => ReadonlyArray<GenerationError.Attempt>
}

/** The trouble is with the account or the model at this endpoint; elsewhere the same request may be served. */
const isOfEndpoint = (error: GenerationError.GenerationError): boolean => {
  switch (error._tag) {
    case "Unauthorized":
    case "Forbidden":
    case "QuotaExhausted":
    case "ModelNotFound":
      return true
    default:
      return false
  }
}

/** A route over endpoints by name and model; at least one. */
export const make = (endpoints: ReadonlyArray<{ readonly name: string; readonly model: string }>): Route => {
  const useless = new Set<string>()
  let log: Call["log"]

  const placed = (call: Call): Call => {
    log = call.log
    const usable = endpoints.filter(({ name }) => !useless.has(name))
    const turn = Math.max(0, call.attempt - 1)
    const candidates = usable.length === 0 ? endpoints : usable
    // Counted over all of them, so that losing one does not send two attempts running to another.
    const wanted = endpoints[turn % endpoints.length]
    const next = wanted !== undefined && candidates.includes(wanted) ? wanted : candidates[turn % candidates.length]
    return next === undefined ? call : { ...call, endpoint: next.name, model: next.model }
  }

  return {
    policy: Policy.make({
      kind: "Route",
      options: { endpoints: endpoints.map(({ name }) => name).join(", ") },
      apply: (self) => Effect.flatMap(CurrentCall, (call) => Effect.provideService(self, CurrentCall, placed(call))),
      applyStream: (self) => Stream.unwrap(Effect.map(CurrentCall, (call) => Policy.provideStream(self, placed(call))))
    }),
    retryOn: (error) => {
      if (!GenerationError.isGenerationError(error)) return false
      if (GenerationError.isRetryable(error)) return true
      if (!isOfEndpoint(error)) return false
      useless.add(error.endpoint)
      return useless.size < endpoints.length
    },
    attempts: () => [...(log?.attempts ?? [])]
  }
}

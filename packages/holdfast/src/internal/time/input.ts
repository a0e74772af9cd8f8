/**
 * A schedule sees an error under `retry` and a success value under `repeat`, and nothing tells it which. What follows
 * is the rule by which `OffPeak.defer` tells them apart by their looks.
 */
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as GenerationError from "../../GenerationError.js"
import * as Rejected from "../../Rejected.js"

/** Values with a tag that people get from an effect without failing. */
const isContainer = (u: unknown): boolean => Option.isOption(u) || Either.isEither(u) || Exit.isExit(u)

/**
 * Does it look like an error? True for every error of ours, for any `Error` (from another realm too), and, as foreign
 * failures are often plain tagged objects, for anything with a string `_tag` other than `Option`, `Either` and `Exit`.
 */
export const looksLikeError = (u: unknown): boolean =>
  u instanceof Error ||
  Object.prototype.toString.call(u) === "[object Error]" ||
  GenerationError.isGenerationError(u) ||
  Rejected.isRejected(u) ||
  (Predicate.hasProperty(u, "_tag") && typeof u._tag === "string" && !isContainer(u))

/** What the failures of copies of the same attempt amount to. */
import * as Cause from "effect/Cause"
import * as GenerationError from "../../GenerationError.js"
import { firstFailure } from "../ending.js"

/** Is it about the request, so that every other copy would meet it too? */
export const endsAtOnce = (error: unknown): boolean =>
  GenerationError.isGenerationError(error) && (error._tag === "ContentBlocked" || error._tag === "InvalidRequest")

/**
 * The failure of an attempt all of whose copies have failed, in the order of time: the last one that another attempt
 * may cure, if there is one, else the last. It keeps the longest time that a server asked for among those, and its
 * outcome is unknown if that of any copy is, for then the work may have been done.
 */
export const together = (
  failures: readonly [Cause.Cause<unknown>, ...Array<Cause.Cause<unknown>>]
): Cause.Cause<unknown> => {
  const retryable = failures.filter((cause) => GenerationError.isRetryable(firstFailure(cause)))
  const among = retryable.length > 0 ? retryable : failures
  const chosen = among.at(-1) ?? failures[0]
  const error = firstFailure(chosen)
  if (!GenerationError.isGenerationError(error)) return chosen
  const outcome = failures.some((cause) => GenerationError.isUnknownOutcome(firstFailure(cause)))
    ? "unknown"
    : error.outcome
  const retryAfter = among.map(firstFailure).reduce<GenerationError.Fields["retryAfter"]>(
    (longest, other) =>
      GenerationError.isGenerationError(other) &&
        GenerationError.retryAfterMillis(other) > GenerationError.retryAfterMillis({ ...error, retryAfter: longest })
        ? other.retryAfter
        : longest,
    error.retryAfter
  )
  if (outcome === error.outcome && retryAfter === error.retryAfter) return chosen
  return Cause.fail(GenerationError.update(error, retryAfter === undefined ? { outcome } : { outcome, retryAfter }))
}

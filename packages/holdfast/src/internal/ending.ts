/** How an effect ended, in the words of telemetry: the four exits by name. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as GenerationError from "../GenerationError.js"
import type { Ending } from "../TelemetryEvent.js"

/** The typed failure of a cause, if it has one. */
export const firstFailure = (cause: Cause.Cause<unknown>): unknown => Option.getOrUndefined(Cause.failureOption(cause))

const tagOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "_tag" in error && typeof error._tag === "string"
    ? error._tag
    : "Failure"

/** The ending of an exit. A cause that holds several counts by the gravest: failure, defect, interruption. */
export const endingOf = (exit: Exit.Exit<unknown, unknown>): Ending => {
  if (Exit.isSuccess(exit)) return { _tag: "Success" }
  if (Cause.isFailure(exit.cause)) {
    const error = firstFailure(exit.cause)
    const outcome = GenerationError.isGenerationError(error) ? error.outcome : undefined
    const injected = GenerationError.isInjected(error) ? { injected: true as const } : {}
    return { _tag: "Failure", error: tagOf(error), outcome, ...injected }
  }
  return Cause.isDie(exit.cause) ? { _tag: "Defect" } : { _tag: "Interrupted" }
}

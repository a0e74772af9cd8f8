/** What schedules and `Retry` share of the decision to try again: pure, and the same rule in both places. */
import * as GenerationError from "../GenerationError.js"

/** How often work that may have been done, and billed, is tried again. */
export type UnknownOutcome = "never" | "once" | "always"

export const unknownOutcomeRules: ReadonlyArray<UnknownOutcome> = ["never", "once", "always"]

/** May an error be retried, when `seen` errors with an unknown outcome were retried before? */
export const mayRepeat = (rule: UnknownOutcome, error: unknown, seen: number): boolean =>
  !GenerationError.isUnknownOutcome(error) || rule === "always" || (rule === "once" && seen === 0)

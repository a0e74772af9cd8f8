/** A schedule's attempts, as data and as a table. */
import * as Duration from "effect/Duration"
import type * as Backoff from "holdfast/Backoff"
import * as GenerationError from "holdfast/GenerationError"
import { seconds } from "../terminal/text.js"

export interface Attempt {
  /** 1 for the first. */
  readonly attempt: number
  /** When it fails or, the last one, would start: ISO 8601, UTC. */
  readonly at: string
  /** Wait before it, in milliseconds. */
  readonly delayMillis: number
  /** The class that it fails with; null when the list of errors does not say. */
  readonly error: GenerationError.Tag | null
}

/** The first attempt and every retry. */
export const attempts = (
  preview: Backoff.Preview,
  at: number,
  errors: ReadonlyArray<GenerationError.GenerationError>
): ReadonlyArray<Attempt> =>
  [{ attempt: 1, at, delay: Duration.zero }, ...preview.retries].map(({ at, attempt, delay }, index) => ({
    attempt,
    at: new Date(at).toISOString(),
    delayMillis: Duration.toMillis(delay),
    error: errors[index]?._tag ?? null
  }))

/** Why it stopped, as far as the last error tells. */
const reason = (last: GenerationError.GenerationError | undefined): string => {
  if (last === undefined) return "the schedule ends here"
  return GenerationError.isRetryable(last)
    ? `the schedule makes no attempt after this ${last._tag}`
    : `${last._tag} is fatal, and no schedule tries again`
}

/** The table, with what follows the last attempt. */
export const table = (
  rows: ReadonlyArray<Attempt>,
  stopped: boolean,
  errors: ReadonlyArray<GenerationError.GenerationError>
): string => {
  const cells = (attempt: string, at: string, wait: string, error: string) =>
    [attempt.padStart(7), at.padEnd(24), wait.padStart(10), error].join("  ").trimEnd()
  const total = rows.reduce((sum, row) => sum + row.delayMillis, 0)
  return [
    cells("ATTEMPT", "AT (UTC)", "AFTER", "FAILS WITH"),
    ...rows.map((row) =>
      cells(String(row.attempt), row.at, row.attempt === 1 ? "" : seconds(row.delayMillis), row.error ?? "(not given)")
    ),
    stopped
      ? `Stops: ${reason(errors[rows.length - 1])}. ${seconds(total)} of waiting in all.`
      : `Goes on: the list of errors ends here. ${seconds(total)} of waiting so far.`
  ].join("\n")
}

/** The policy of a generation made from the command line: patient, bounded by its deadline rather than by a count. */
import * as Backoff from "holdfast/Backoff"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"
import type { Route } from "./route.js"

/** In milliseconds, for a provider. */
export const defaults = {
  /** Wait before the first retry; it doubles from there, half of it random. */
  base: 4_000,
  /** Longest wait of our own. */
  cap: 60_000,
  /** No attempt starts with less time left than this. */
  attemptTime: 10_000,
  deadline: 300_000
} as const

/** Options of `make`. */
export interface Options {
  readonly route: Route
  /** Time for everything, in milliseconds. */
  readonly deadline: number
  /** Most attempts; without it, as many as the deadline allows. */
  readonly attempts: number | undefined
  /** How many times faster than life the endpoint is; waits shrink by it. 1 for a provider. */
  readonly speed: number
}

export const make = ({ attempts, deadline, route, speed }: Options): Policy.Policy =>
  Policy.compose(
    Retry.make({
      schedule: Backoff.exponential({
        base: defaults.base / speed,
        cap: defaults.cap / speed,
        jitter: "equal",
        // The rule for outcomes that are unknown is kept by the retry itself, and so is the deadline.
        unknownOutcome: "always",
        maxServerWait: deadline
      }),
      maxAttempts: attempts,
      attemptTime: Math.min(defaults.attemptTime / speed, deadline / 4),
      retryOn: route.retryOn
    }),
    route.policy
  )

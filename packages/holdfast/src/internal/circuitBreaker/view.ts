/** What is shown of a breaker: its state, and the changes of it. */
import type * as Core from "./state.js"

/** Why a breaker opened: a rule that tripped it when it was closed, or a probe when it was half-open. */
export type OpenCause = Core.Cause

/** What a breaker can be found in. Times in milliseconds since the epoch. */
export type State =
  | {
    readonly _tag: "Closed"
    /** Failures since the last success. */
    readonly consecutiveFailures: number
    /** Calls that ended within the window, and how many of them failed or were slow. */
    readonly calls: number
    readonly failures: number
    readonly slow: number
    /** Calls in flight for longer than `slowAfter`. */
    readonly overdue: number
  }
  | {
    readonly _tag: "Open"
    readonly cause: OpenCause
    readonly since: number
    readonly until: number
    /** Openings in a row, this one included. */
    readonly openings: number
  }
  | {
    readonly _tag: "HalfOpen"
    readonly cause: OpenCause
    readonly openings: number
    /** Probes that hold a place. */
    readonly probes: number
    readonly successes: number
  }
  | { readonly _tag: "Isolated" }

/** A change from one state to another. */
export interface Transition {
  /** Name of the policy. */
  readonly breaker: string
  readonly key: string
  readonly from: State["_tag"]
  readonly to: State["_tag"]
  /** Why it opened, where `to` is `"Open"`. */
  readonly cause?: OpenCause | undefined
  /** Milliseconds since the epoch. */
  readonly at: number
}

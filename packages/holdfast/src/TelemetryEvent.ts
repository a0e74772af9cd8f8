/** What happens in a generation, as data: counts, times, names and classes, never prompts, images or keys. */
import type * as Duration from "effect/Duration"
import type { Usage } from "./Generated.js"
import type { Outcome, StoppedBy } from "./GenerationError.js"

/** How something ended: the `_tag` of the error for `failure`. */
export type Ending =
  | { readonly _tag: "Success" }
  | {
    readonly _tag: "Failure"
    readonly error: string
    readonly outcome?: Outcome | undefined
    /** The error was made on purpose (`GenerationError.isInjected`). */
    readonly injected?: true | undefined
  }
  | { readonly _tag: "Defect" }
  | { readonly _tag: "Interrupted" }

interface Common {
  /** Identity of the generation. */
  readonly generation: string
  /** When it happened, in milliseconds since the epoch. */
  readonly at: number
}

export interface GenerationStarted extends Common {
  readonly _tag: "GenerationStarted"
  /** The model asked for; `"default"` when the request names none. */
  readonly model: string
}

export interface GenerationEnded extends Common {
  readonly _tag: "GenerationEnded"
  readonly model: string
  readonly ending: Ending
  readonly duration: Duration.Duration
  readonly attempts: number
  readonly stoppedBy?: StoppedBy | undefined
}

export interface AttemptStarted extends Common {
  readonly _tag: "AttemptStarted"
  /** 1 for the first attempt of the generation. */
  readonly attempt: number
  /** As far as it is known before the answer. */
  readonly endpoint: string
  readonly model: string
}

export interface AttemptEnded extends Common {
  readonly _tag: "AttemptEnded"
  readonly attempt: number
  /** The endpoint and model that answered. */
  readonly endpoint: string
  readonly model: string
  /** Endpoint and model as `AttemptStarted` named them. */
  readonly requested: { readonly endpoint: string; readonly model: string }
  readonly ending: Ending
  readonly duration: Duration.Duration
  readonly status?: number | undefined
  readonly usage?: Usage | undefined
}

export interface RetryScheduled extends Common {
  readonly _tag: "RetryScheduled"
  /** Name of the retry policy. */
  readonly policy: string
  /** Number of the attempt to come. */
  readonly attempt: number
  /** Class of the error that is retried. */
  readonly error: string
  readonly endpoint: string
  readonly delay: Duration.Duration
  /** That error was made on purpose. */
  readonly injected?: true | undefined
}

/** A further copy of an attempt was started, because that takes long. */
export interface HedgeStarted extends Common {
  readonly _tag: "HedgeStarted"
  /** Name of the hedge. */
  readonly policy: string
  /** Number of the attempt to come. */
  readonly attempt: number
  /** Where the copy went that takes long, as far as it is known. */
  readonly endpoint: string
  /** How long it was waited for. */
  readonly delay: Duration.Duration
}

/** A policy refused the call, or what it had begun. */
export interface CallRejected extends Common {
  readonly _tag: "CallRejected"
  readonly policy: string
  /** `_tag` of the refusal. */
  readonly reason: string
}

export interface CacheAnswered extends Common {
  readonly _tag: "CacheAnswered"
  /** `hit`, `stale`, or `shared` with a generation that was under way. */
  readonly source: string
}

export type TelemetryEvent =
  | GenerationStarted
  | GenerationEnded
  | AttemptStarted
  | AttemptEnded
  | RetryScheduled
  | HedgeStarted
  | CallRejected
  | CacheAnswered

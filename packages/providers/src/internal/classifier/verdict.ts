/** What the rules hand to each other: a verdict, and the evidence for it. */
import type { Outcome, Tag, TimeoutPhase } from "holdfast/GenerationError"

/** What decided, and how deep it was wrapped. */
export interface Evidence {
  readonly rule: string
  readonly source: "code" | "text" | "header" | "status" | "answer" | "exception" | "none"
  readonly depth: number
  readonly matched: string
}

/** A class with what goes into the error beside it. */
export interface Verdict {
  readonly tag: Tag
  readonly evidence: Evidence
  /** Where it differs from the default of the class. */
  readonly outcome?: Outcome | undefined
  readonly phase?: TimeoutPhase | undefined
  readonly retryAfterMillis?: number | undefined
  /** Milliseconds since the epoch. */
  readonly resetAt?: number | undefined
  readonly message?: string | undefined
  readonly status?: number | undefined
  readonly code?: string | undefined
  readonly reason?: string | undefined
}

/** What a generation came to, as the data that `--json` prints and the record beside the images holds. */
import * as Duration from "effect/Duration"
import * as Generated from "holdfast/Generated"
import * as GenerationError from "holdfast/GenerationError"
import type { Rejected } from "holdfast/Rejected"
import { formatDuration } from "../commandLine/values.js"
import { clean, oneLine, seconds } from "../terminal/text.js"

export interface Attempt {
  readonly endpoint: string
  /** ISO 8601, UTC. */
  readonly start: string
  readonly ms: number
  /** The error class; null for the attempt that succeeded. */
  readonly class: GenerationError.Tag | null
  /** HTTP status; null where there was none. */
  readonly status: number | null
  /** The wait that the server asked for; null when it asked for none. */
  readonly retryAfterMillis: number | null
}

export interface Failure {
  /** The error class, the name of a policy's refusal, or `Interrupted`, `FileExists`, `Output`. */
  readonly class: string
  readonly message: string
  readonly status: number | null
  readonly retryAfterMillis: number | null
  /** Whether the work may have been done, and billed. */
  readonly outcome: GenerationError.Outcome
  /** Why there was no further attempt. */
  readonly stoppedBy: string | null
  readonly advice: string
}

export interface Result {
  readonly ok: boolean
  readonly files: ReadonlyArray<string>
  readonly text: string | null
  readonly model: string | null
  readonly endpoint: string | null
  readonly usage: Generated.Usage | null
  readonly attempts: ReadonlyArray<Attempt>
  readonly error?: Failure
}

const millisOf = (wait: Duration.Duration | undefined): number | null =>
  wait === undefined ? null : Math.round(Duration.toMillis(wait))

export const attempt = ({ duration, endpoint, error, startedAt }: GenerationError.Attempt): Attempt => ({
  endpoint,
  start: new Date(startedAt).toISOString(),
  ms: Math.round(Duration.toMillis(duration)),
  class: error?._tag ?? null,
  // The clients take nothing else for a success.
  status: error === undefined ? 200 : (error.status ?? null),
  retryAfterMillis: millisOf(error?.retryAfter)
})

export const success = (generated: Generated.Generated, files: ReadonlyArray<string>): Result => {
  const text = clean(Generated.text(generated)).trim()
  return {
    ok: true,
    files,
    text: text === "" ? null : text,
    model: generated.model,
    endpoint: generated.endpoint,
    usage: generated.usage,
    attempts: generated.attempts.map(attempt)
  }
}

const elsewhere = "or name another endpoint with --endpoint"

const advices: Readonly<Record<GenerationError.Tag, string>> = {
  Overloaded: `try again later, allow more time with --deadline, ${elsewhere}`,
  RateLimited: `wait, allow more time with --deadline, ${elsewhere}`,
  Timeout: "check whether the work was billed, and try again later",
  Transient: `try again, ${elsewhere}`,
  QuotaExhausted: `wait for the quota to come back, add credit, ${elsewhere}`,
  InvalidRequest: "change the prompt or the options as the message says",
  Unauthorized: "check that the key is set, right, and of the kind that this endpoint takes",
  Forbidden: "check what the key may do, its region, and the state of the account",
  ModelNotFound: "choose another model with --model",
  ContentBlocked: "change the prompt or the reference images",
  EmptyResult: "ask for an image in so many words, or choose another model with --model",
  Malformed: "check the address and the dialect of the endpoint, and any proxy in between"
}

const withStatus = (error: GenerationError.GenerationError): string =>
  error.status === undefined ? error._tag : `${error._tag} (${error.status})`

/** The error of a generation that failed under a deadline of so many milliseconds. */
export const failureOf = (error: GenerationError.GenerationError | Rejected, deadline: number): Failure => {
  const message = oneLine(error.message)
  const retryAfterMillis = millisOf(error.retryAfter)
  if (GenerationError.isGenerationError(error)) {
    return {
      class: error._tag,
      message,
      status: error.status ?? null,
      retryAfterMillis,
      outcome: error.outcome,
      stoppedBy: error.stoppedBy ?? null,
      advice: advices[error._tag]
    }
  }
  const advice = `allow more time with --deadline, ${elsewhere}`
  const outcome = error.attempts?.at(-1)?.error?.outcome ?? "not-started"
  if (error._tag !== "DeadlineExceeded") {
    const { _tag, policy } = error
    return { class: _tag, message, status: null, retryAfterMillis, outcome, stoppedBy: policy, advice }
  }
  const last = error.last === undefined ? "" : `; the last failure was ${withStatus(error.last)}`
  return {
    class: error._tag,
    message: `no result within ${formatDuration(deadline)}${last}`,
    status: null,
    retryAfterMillis,
    outcome,
    stoppedBy: "deadline",
    advice
  }
}

/** A generation that was called off. */
export const interrupted = (attempts: ReadonlyArray<GenerationError.Attempt>): Failure => ({
  class: "Interrupted",
  message: "cancelled by a signal",
  status: null,
  retryAfterMillis: null,
  outcome: attempts.at(-1)?.error?.outcome ?? "not-started",
  stoppedBy: "signal",
  advice: "run the command again"
})

/** A failure of this machine's, before or after the provider did its part. */
export const local = (kind: "FileExists" | "Output", message: string, outcome: GenerationError.Outcome): Failure => ({
  class: kind,
  message,
  status: null,
  retryAfterMillis: null,
  outcome,
  stoppedBy: null,
  advice:
    kind === "FileExists"
      ? "pass --force to overwrite, or --out for another folder"
      : "choose another folder with --out"
})

export const failed = (error: Failure, attempts: ReadonlyArray<GenerationError.Attempt>): Result => {
  const last = attempts.at(-1)
  return {
    ok: false,
    files: [],
    text: null,
    model: last?.model ?? null,
    endpoint: last?.endpoint ?? null,
    usage: null,
    attempts: attempts.map(attempt),
    error
  }
}

const stops: Readonly<Record<string, string>> = {
  schedule: ", the last that were allowed",
  "unknown-outcome": "; the work may have been done and billed, so it is not repeated"
}

/** A failure as one sentence. */
export const sentence = (error: Failure, attempts: number): string => {
  const status = error.status === null ? "" : ` (${error.status})`
  const made = attempts === 0 ? "" : ` after ${attempts} ${attempts === 1 ? "attempt" : "attempts"}`
  const stopped =
    error.class !== "DeadlineExceeded" && error.stoppedBy === "deadline"
      ? ", because the deadline leaves no time for another"
      : (stops[error.stoppedBy ?? ""] ?? "")
  const asked = error.retryAfterMillis === null ? "" : ` (the server asks to wait ${seconds(error.retryAfterMillis)})`
  const head =
    error.class === "FileExists" || error.class === "Output" ? "" : `${error.class}${status}${made}${stopped}: `
  return `${head}${error.message.replace(/[.;\s]+$/, "")}${asked}; ${error.advice}`
}

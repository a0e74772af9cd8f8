/**
 * Turns what came over the wire into a `GenerationError`: the class, what became of the work, and how long to stay
 * away. It weighs evidence (the provider's reasons and codes, then what the text says, then the status) rather than
 * trusting the status, because payloads lie: a balance stop arrives as 429, a lack of capacity as a rate limit, a bad
 * key as 400, an error as 200.
 *
 * Pure and total: it reads no clock, never throws whatever the body is, and reads at most `maxErrorBodyBytes` of it.
 * Not for decoding answers: a client decodes first, and asks here what a failed or empty answer means.
 */
import * as GenerationError from "holdfast/GenerationError"
import * as Redact from "holdfast/Redact"
import { adviceFor } from "./internal/classifier/advice.js"
import { fromException as readException } from "./internal/classifier/exception.js"
import { judge } from "./internal/classifier/judge.js"
import { maxBytes } from "./internal/classifier/text.js"
import type { Verdict } from "./internal/classifier/verdict.js"

/** How much of an error body is read, in bytes. What follows is ignored; clients need not read further. */
export const maxErrorBodyBytes: number = maxBytes

/** Header fields by name, in any case. */
export type Headers = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

/** Where an attempt went, and what must not appear in the error. */
export interface Context {
  /** Name of the endpoint. Default `"unknown"`. */
  readonly endpoint?: string | undefined
  /** Default `"unknown"`. */
  readonly model?: string | undefined
  /** Values to take out of every text, for example the API key and the prompt. */
  readonly secrets?: Iterable<string> | undefined
  /**
   * The present, in milliseconds since the epoch, for hints that name a point in time (an HTTP date, a reset time).
   * Without it, the answer's own `Date` header is used, and without that such hints are ignored.
   */
  readonly now?: number | undefined
}

/** An answer, or what is left of one. Only `body` is needed. */
export interface WireError extends Context {
  /** `"gemini"`, `"vertex"`, `"openai"`, `"anthropic"`, `"network"`…: a hint only; any string is accepted. */
  readonly dialect?: string | undefined
  /** HTTP status; null or absent when it is not known. */
  readonly status?: number | null | undefined
  readonly headers?: Headers | undefined
  /** A JSON value, text, or bytes. */
  readonly body: unknown
  /** Did it come out of a stream of events? Then work had been started. Default false. */
  readonly streamed?: boolean | undefined
}

/** What decided. */
export interface Evidence {
  /** Name of the rule, for example `balance` or `capacity`. */
  readonly rule: string
  /** Where it was found: a machine-readable code, text, a header field, the status, the answer's shape… */
  readonly source: "code" | "text" | "header" | "status" | "answer" | "exception" | "none"
  /** How many wrappers were around it: 0 is the outermost layer. */
  readonly depth: number
  /** The words or the code that matched, at most 80 characters, redacted. */
  readonly matched: string
}

/** A verdict, and why. */
export interface Explanation {
  readonly class: GenerationError.Tag
  /** Can another attempt cure it? By class alone, as `GenerationError.isRetryable`. */
  readonly retryable: boolean
  /** How long the payload asks us to stay away; null when it says nothing. */
  readonly retryAfterMillis: number | null
  readonly outcome: GenerationError.Outcome
  /** One sentence: what to do. */
  readonly advice: string
  readonly evidence: Evidence
}

const toError = (context: Context, verdict: Verdict, cause?: unknown): GenerationError.GenerationError => {
  const secrets = context.secrets === undefined ? undefined : [...context.secrets]
  const clean = (text: string): string => Redact.text(text, { secrets })
  return GenerationError.make(verdict.tag, {
    ...(context.endpoint === undefined ? {} : { endpoint: context.endpoint }),
    ...(context.model === undefined ? {} : { model: context.model }),
    message: clean(verdict.message ?? "The call failed"),
    status: verdict.status,
    retryAfter: verdict.retryAfterMillis,
    outcome: outcomeOf(verdict),
    code: verdict.code === undefined ? undefined : clean(verdict.code),
    reason: verdict.reason === undefined ? undefined : clean(verdict.reason),
    cause: cause === undefined ? undefined : Redact.cause(cause, { secrets }),
    phase: verdict.phase,
    resetAt: verdict.resetAt
  })
}

const outcomeOf = (verdict: Verdict): GenerationError.Outcome =>
  verdict.outcome ?? GenerationError.defaultOutcome(verdict.tag, verdict.phase)

/** The verdict on an answer, with its evidence. Total. */
export const explain = (input: WireError): Explanation => {
  const verdict = judge(input)
  return {
    class: verdict.tag,
    retryable: GenerationError.isRetryable(toError(input, verdict)),
    retryAfterMillis: verdict.retryAfterMillis ?? null,
    outcome: outcomeOf(verdict),
    advice: adviceFor(verdict),
    evidence: {
      ...verdict.evidence,
      matched: Redact.text(verdict.evidence.matched, { secrets: input.secrets, maxLength: 80 })
    }
  }
}

/** The error that an answer stands for. Total. */
export const classify = (input: WireError): GenerationError.GenerationError => toError(input, judge(input))

/** What is known besides the exception. */
export interface ExceptionContext extends Context {
  /**
   * Had the whole request been written, or any of the answer been read? Then an unclear exception leaves the outcome
   * unknown even if it looks like a failure to connect. Default: judged by the exception alone.
   */
  readonly sent?: boolean | undefined
}

/** The error that an exception of the network stands for: read along `cause`, at most five levels deep. Total. */
export const fromException = (
  exception: unknown,
  context: ExceptionContext = {}
): GenerationError.GenerationError => toError(context, readException(exception, context.sent === true), exception)

/** What the end of an attempt says of the endpoint: pure, by the class of the error and never by its text. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as GenerationError from "../../GenerationError.js"
import { isRejected } from "../../Rejected.js"
import { firstFailure } from "../ending.js"
import type { Leave } from "../gate.js"

/**
 * - `Answered`: the work was done.
 * - `Rejected`: no capacity, or our limit; `quota` when it is the limit; `hint` is the server's own time in
 *   milliseconds, 0 for none.
 * - `Failed`: a fault that is likely to pass.
 * - `Lost`: nobody waits any more and the server works on.
 * - `Silent`: says nothing: the request was at fault, the caller went away in time, a defect, an injected error.
 * - `Unsent`: no attempt was made.
 */
export type Lesson =
  | { readonly _tag: "Answered" | "Failed" | "Silent" | "Unsent" }
  | { readonly _tag: "Rejected"; readonly quota: boolean; readonly hint: number }
  | { readonly _tag: "Lost"; readonly late: boolean }

const answered: Lesson = { _tag: "Answered" }
const failed: Lesson = { _tag: "Failed" }
const silent: Lesson = { _tag: "Silent" }
const unsent: Lesson = { _tag: "Unsent" }
const abandoned: Lesson = { _tag: "Lost", late: false }
const overdue: Lesson = { _tag: "Lost", late: true }

const ofError = (error: unknown): Lesson => {
  if (isRejected(error)) return error._tag === "DeadlineExceeded" ? abandoned : unsent
  // Whether an injected error came before the attempt or after it, it does not tell: its token stays spent.
  if (!GenerationError.isGenerationError(error) || GenerationError.isInjected(error)) return silent
  switch (error._tag) {
    case "Overloaded":
    case "RateLimited":
      return { _tag: "Rejected", quota: error._tag === "RateLimited", hint: GenerationError.retryAfterMillis(error) }
    case "Timeout":
      // A gateway's 504 is an answer; with our own clocks the request is out, and may be worked on.
      return error.outcome === "unknown" && error.phase !== "server" ? abandoned : failed
    case "Transient":
      return failed
    case "EmptyResult":
      return answered
    case "QuotaExhausted":
    case "InvalidRequest":
    case "Unauthorized":
    case "Forbidden":
    case "ModelNotFound":
    case "ContentBlocked":
    case "Malformed":
      return silent
  }
}

/** The lesson of an attempt that ended at `now` and was due at `deadline`, both in milliseconds since the epoch. */
export const lessonOf = (how: Leave, deadline: number, now: number): Lesson => {
  if (how === "never-started") return unsent
  if (Exit.isSuccess(how)) return answered
  if (Cause.isFailure(how.cause)) return ofError(firstFailure(how.cause))
  return Cause.isInterruptedOnly(how.cause) && now >= deadline ? overdue : silent
}

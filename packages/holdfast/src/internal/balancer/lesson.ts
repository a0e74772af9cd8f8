/** What the end of a call says of the endpoint: pure, by the class of the error and never by its text. */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as GenerationError from "../../GenerationError.js"
import { isRejected } from "../../Rejected.js"
import type { Leave } from "../gate.js"

/** How long to leave an endpoint alone. */
export type Stay =
  /** The server's own word: milliseconds from now, or an instant of the clock. */
  | { readonly _tag: "For"; readonly millis: number }
  | { readonly _tag: "Until"; readonly wall: number }
  /** The endpoint does not do this for us, whoever asks, and nobody said until when. */
  | { readonly _tag: "Aside" }

export interface Lesson {
  readonly verdict: "good" | "bad" | "nothing"
  readonly stay?: Stay | undefined
  /** The class of the error that asks for the stay. */
  readonly because?: GenerationError.Tag | undefined
}

const nothing: Lesson = { verdict: "nothing" }

const stayOf = (error: GenerationError.GenerationError): Stay | undefined => {
  switch (error._tag) {
    case "Unauthorized":
    case "Forbidden":
    case "ModelNotFound":
      return { _tag: "Aside" }
    case "QuotaExhausted":
      if (error.resetAt !== undefined && Number.isFinite(error.resetAt)) return { _tag: "Until", wall: error.resetAt }
      break
    case "Overloaded":
    case "RateLimited":
    case "Timeout":
    case "Transient":
      break
    case "InvalidRequest":
    case "ContentBlocked":
    case "EmptyResult":
    case "Malformed":
      return undefined
  }
  const millis = GenerationError.retryAfterMillis(error)
  if (millis > 0) return { _tag: "For", millis }
  return error._tag === "QuotaExhausted" ? { _tag: "Aside" } : undefined
}

/** A predicate that throws must not replace the error that it was asked about. */
const safely = (isFailure: (error: unknown) => boolean, error: unknown): boolean => {
  try {
    return isFailure(error)
  } catch {
    return false
  }
}

/** The lesson of a call. Interruption, defects, refusals, and what was injected teach nothing. */
export const lessonOf = (how: Leave, isFailure: (error: unknown) => boolean): Lesson => {
  if (how === "never-started") return nothing
  if (how._tag === "Success") return { verdict: "good" }
  let lesson = nothing
  for (const error of Chunk.toReadonlyArray(Cause.failures(how.cause))) {
    if (isRejected(error) || GenerationError.isInjected(error)) continue
    if (safely(isFailure, error)) lesson = { ...lesson, verdict: "bad" }
    const stay = GenerationError.isGenerationError(error) ? stayOf(error) : undefined
    if (stay !== undefined) lesson = { ...lesson, stay, because: (error as GenerationError.GenerationError)._tag }
  }
  return lesson
}

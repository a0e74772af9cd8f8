/** Whether an attempt may have further copies, and when. */
import type { Call } from "../../CurrentCall.js"
import * as GenerationError from "../../GenerationError.js"
import type { RetryBudget } from "../../RetryBudget.js"
import type { UnknownOutcome } from "../retryState.js"
import { nowOf } from "../timer.js"
import type { AnyFiber } from "../visit.js"
import type { Delays } from "./delays.js"

/** The options of a hedge, checked; times in milliseconds. */
export interface Settings {
  readonly name: string
  readonly maxCopies: number
  readonly unknownOutcome: UnknownOutcome
  readonly attemptTime: number | undefined
  readonly budget: RetryBudget | undefined
  readonly costOf: ((call: Call) => number) | undefined
  readonly shouldHedge: (call: Call) => boolean
  readonly keyOf: (call: Call) => string
  readonly delays: Delays
}

/** What is known of an attempt when it begins. */
export interface Plan {
  readonly call: Call
  /** Milliseconds until another copy starts; `Infinity` for none. */
  readonly delay: number
  /** Attempts of the generation so far that ended without anybody knowing whether the work was done. */
  readonly unknowns: number
  /** The attempt is answered. `byFirst` if that says how long the first copy took, or at least. */
  readonly answered: (byFirst: boolean) => void
}

export const planOf = (settings: Settings, fiber: AnyFiber, call: Call): Plan => {
  const startedAt = nowOf(fiber)
  const key = settings.keyOf(call)
  const unknowns = call.log?.attempts.filter(({ error }) => GenerationError.isUnknownOutcome(error)).length ?? 0
  const delay = settings.delays.of(key) ?? Infinity
  const latest = startedAt + delay + (settings.attemptTime ?? delay)
  const never = settings.unknownOutcome === "never" ||
    (settings.unknownOutcome === "once" && unknowns > 0) ||
    latest > call.deadline ||
    !settings.shouldHedge(call)
  return {
    call,
    delay: never ? Infinity : delay,
    unknowns,
    answered: (byFirst) => {
      if (byFirst) settings.delays.observe(key, nowOf(fiber) - startedAt)
    }
  }
}

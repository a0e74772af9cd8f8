/** The course of one generation's retries: what was tried, what it cost, and whether to try again. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import type { Call } from "../CurrentCall.js"
import * as GenerationError from "../GenerationError.js"
import type { Spend } from "../Retry.js"
import type { RetryBudget } from "../RetryBudget.js"
import { mayRepeat, type UnknownOutcome } from "./retryState.js"

/** Whether there is another attempt, and when; or why not. */
export type Verdict =
  | { readonly _tag: "Again"; readonly at: number }
  | { readonly _tag: "GiveUp"; readonly stoppedBy: GenerationError.StoppedBy }

/** The options of a retry, checked. */
export interface Settings {
  readonly name: string
  readonly schedule: Schedule.Schedule<unknown, unknown>
  readonly maxAttempts: number
  readonly attemptTime: number
  readonly unknownOutcome: UnknownOutcome
  /** Was the rule stated here, rather than left to the schedule? */
  readonly overrulesOutcome: boolean
  readonly retryOn: (error: unknown) => boolean
  readonly budget: RetryBudget | undefined
  readonly spend: Spend | undefined
}

export class Course {
  readonly attempts: Array<GenerationError.Attempt> = []
  private state: unknown
  private unknowns = 0
  private spent = 0
  private dearest = 0
  /** What the last retry took from the budget, and whether the attempt that it paid for was sent. */
  payment: { readonly tokens: number; sent: boolean } | undefined = undefined

  constructor(readonly settings: Settings, readonly outer: Call) {
    this.state = settings.schedule.initial
  }

  /** The call that the next attempt sees. */
  call(): Call {
    const call = { ...this.outer, attempt: this.attempts.length + 1, retryOwner: this.settings.name }
    const { payment } = this
    if (payment === undefined) return call
    const watched = { ...call, withdrawn: () => this.withdrawn() }
    // Within a generation the watch around the client tells when an attempt is sent.
    if (call.log === undefined) return watched
    return {
      ...watched,
      observe: (event) => {
        if (event._tag === "AttemptStarted") payment.sent = true
        call.observe(event)
      }
    }
  }

  /** The attempt takes its first step. Where nothing tells more, this is when it is sent. */
  begun(): void {
    if (this.payment !== undefined && this.outer.log === undefined) this.payment.sent = true
  }

  /** The attempt was refused, or left a queue of ours, before it was sent. */
  withdrawn(): void {
    if (this.payment !== undefined) this.payment.sent = false
  }

  record(error: GenerationError.GenerationError, startedAt: number, now: number): void {
    const attempt: GenerationError.Attempt = {
      number: this.attempts.length + 1,
      endpoint: error.endpoint,
      model: error.model,
      startedAt,
      duration: Duration.millis(now - startedAt),
      error
    }
    this.attempts.push(attempt)
    const cost = this.settings.spend?.costOf(attempt) ?? 0
    if (!(cost > 0)) return
    this.spent += cost
    this.dearest = Math.max(this.dearest, cost)
  }

  /** Could another attempt pass what the generation may cost? */
  private overspends(): boolean {
    const { spend } = this.settings
    if (spend === undefined) return false
    return this.spent >= spend.limit || this.spent + (spend.nextCost ?? this.dearest) > spend.limit
  }

  verdict(error: GenerationError.GenerationError, now: number): Effect.Effect<Verdict> {
    const { attemptTime, maxAttempts, retryOn, schedule, unknownOutcome } = this.settings
    const giveUp = (stoppedBy: GenerationError.StoppedBy) => Effect.succeed<Verdict>({ _tag: "GiveUp", stoppedBy })
    if (!retryOn(error)) return giveUp("fatal")
    if (!mayRepeat(unknownOutcome, error, this.unknowns)) return giveUp("unknown-outcome")
    if (this.attempts.length >= maxAttempts) return giveUp("schedule")
    if (this.overspends()) return giveUp("spend")
    if (GenerationError.isUnknownOutcome(error)) this.unknowns++
    return Effect.map(schedule.step(now, shown(error, this.settings), this.state), ([state, , decision]): Verdict => {
      this.state = state
      if (ScheduleDecision.isDone(decision)) return { _tag: "GiveUp", stoppedBy: "schedule" }
      const floor = now + GenerationError.retryAfterMillis(error)
      const at = Math.max(now, floor, ScheduleIntervals.start(decision.intervals))
      const inTime = at + attemptTime <= this.outer.deadline && at < this.outer.deadline
      return inTime ? { _tag: "Again", at } : { _tag: "GiveUp", stoppedBy: "deadline" }
    })
  }

  /** The last error with its history. A generation's own log is more exact: it knows hedges and fall-backs too. */
  final<E extends GenerationError.GenerationError>(error: E, stoppedBy: GenerationError.StoppedBy): E {
    const logged = this.outer.log?.attempts ?? []
    const attempts = logged.length >= this.attempts.length ? [...logged] : this.attempts
    return GenerationError.update(error, { attempts, stoppedBy })
  }

  announce(error: GenerationError.GenerationError, now: number, at: number): void {
    this.outer.observe({
      _tag: "RetryScheduled",
      generation: this.outer.generation ?? "none",
      at: now,
      policy: this.settings.name,
      attempt: this.attempts.length + 1,
      error: error._tag,
      endpoint: error.endpoint === "unknown" ? (this.outer.endpoint ?? "default") : error.endpoint,
      delay: Duration.millis(at - now),
      ...(GenerationError.isInjected(error) ? { injected: true } : {})
    })
  }
}

/**
 * What the schedule is asked about. Schedules of this library decide on class and outcome too; where `retryOn` or
 * `unknownOutcome` was given here, the decision has fallen, and the schedule is shown an error that it goes on for.
 */
const shown = (error: GenerationError.GenerationError, settings: Settings): GenerationError.GenerationError => {
  const outcome = settings.overrulesOutcome ? "rejected" : error.outcome
  if (GenerationError.isRetryable(error)) {
    return outcome === error.outcome ? error : GenerationError.update(error, { outcome })
  }
  const { endpoint, message, model, retryAfter } = error
  return new GenerationError.Transient({ message, endpoint, model, outcome, retryAfter })
}

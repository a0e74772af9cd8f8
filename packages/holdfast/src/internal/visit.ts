/**
 * One call at a gate: asking, waiting, being let in. It is all that a waiting call costs beside its fiber: the steps
 * below are the same few values for every call, and find the visit by the fiber that runs them.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Call } from "../CurrentCall.js"
import type { Entered, Gate, Refused, Visitor, Waiting } from "./gate.js"
import { clockOf } from "./timer.js"

export type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>
export type Step = Effect.Effect<unknown, unknown, unknown>
export type AnyGate = Gate<unknown, unknown>

/** What is known of tickets and refusals of a gate stays with the gate: it alone hands them out and takes them back. */
export const anyGate = <E, T>(gate: Gate<E, T>): AnyGate => gate as unknown as AnyGate

/** The latest visit of each fiber. Weak: a fiber may be interrupted before its visit begins. */
const visits = new WeakMap<AnyFiber, Visit>()

/** A fiber waits at one gate at a time. All steps but the wait run in a region without interruption. */
export abstract class Visit implements Visitor<unknown, unknown> {
  now: number
  private gate: AnyGate | undefined = undefined
  private waiting: Waiting | undefined = undefined
  private outcome: Entered<unknown> | Refused<unknown> | { readonly _tag: "GivenUp" } | undefined = undefined
  private wake: ((step: Step) => void) | undefined = undefined

  constructor(readonly fiber: AnyFiber, public call: Call, readonly interruptible: boolean) {
    this.now = clockOf(fiber).unsafeCurrentTimeMillis()
    visits.set(fiber, this)
  }

  abstract begin(): Step
  protected abstract entered(gate: AnyGate, ticket: unknown): Step
  protected abstract refused(error: unknown): Step
  protected abstract interruptedBy(cause: Cause.Cause<unknown>): Step

  protected ask(gate: AnyGate): Step {
    const decision = gate.enter(this)
    if (decision._tag === "Entered") return this.entered(gate, decision.ticket)
    if (decision._tag === "Refused") return this.refused(decision.error)
    this.gate = gate
    this.waiting = decision
    return this.interruptible ? waitInterruptibly : wait
  }

  settle(decision: Entered<unknown> | Refused<unknown>): void {
    this.outcome = decision
    this.wake?.(Effect.void)
  }

  /** Ends the wait without the gate, unless it is over. */
  protected giveUp(): void {
    if (this.outcome !== undefined) return
    this.waiting!.cancel()
    this.outcome = { _tag: "GivenUp" }
    this.wake?.(Effect.void)
  }

  /** The fiber is about to be suspended. */
  park(wake: (step: Step) => void): void {
    if (this.outcome === undefined) this.wake = wake
    else wake(Effect.void)
  }

  woken(): Step {
    const gate = this.gate!
    const outcome = this.outcome!
    this.forget()
    this.now = clockOf(this.fiber).unsafeCurrentTimeMillis()
    switch (outcome._tag) {
      case "Entered":
        return this.entered(gate, outcome.ticket)
      case "Refused":
        return this.refused(outcome.error)
      case "GivenUp":
        return this.interruptedBy(Cause.interrupt(this.fiber.id()))
    }
  }

  /** Interrupted while it waited, or after it was let in and before it woke up. */
  interrupted(cause: Cause.Cause<unknown>): Step {
    const gate = this.gate!
    const outcome = this.outcome
    if (outcome === undefined) this.waiting!.cancel()
    this.forget()
    if (outcome?._tag === "Entered") {
      gate.leave(outcome.ticket, "never-started", clockOf(this.fiber).unsafeCurrentTimeMillis())
    }
    return this.interruptedBy(cause)
  }

  /** The same visit may wait at another gate. */
  protected forget(): void {
    this.gate = undefined
    this.waiting = undefined
    this.outcome = undefined
    this.wake = undefined
  }
}

const parked: Step = Effect.async<unknown, unknown, unknown>((wake) => {
  const fiber = Option.getOrThrow(Fiber.getCurrentFiber())
  visits.get(fiber)!.park(wake)
})

const whenOver = {
  onSuccess: () => Effect.withFiberRuntime<unknown, unknown, unknown>((fiber) => visits.get(fiber)!.woken()),
  onFailure: (cause: Cause.Cause<unknown>) =>
    Effect.withFiberRuntime<unknown, unknown, unknown>((fiber) => visits.get(fiber)!.interrupted(cause))
}

const wait: Step = Effect.matchCauseEffect(parked, whenOver)
const waitInterruptibly: Step = Effect.matchCauseEffect(Effect.interruptible(parked), whenOver)

/** Begins the visit of the fiber that runs it; for regions without interruption. */
export const begin: Step = Effect.withFiberRuntime((fiber) => visits.get(fiber)!.begin())
/** The same, with such a region around it. */
export const beginMasked: Step = Effect.uninterruptible(begin)

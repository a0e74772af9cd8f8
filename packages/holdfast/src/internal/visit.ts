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
import { nowOf } from "./timer.js"

export type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>
export type Step = Effect.Effect<unknown, unknown, unknown>
export type AnyGate = Gate<unknown, unknown>

/** What is known of tickets and refusals of a gate stays with the gate: it alone hands them out and takes them back. */
export const anyGate = <E, T>(gate: Gate<E, T>): AnyGate => gate as unknown as AnyGate

/** Where a wait stands: the place in the queue, or what came of it. */
type Wait = Waiting | Entered<unknown> | Refused<unknown> | { readonly _tag: "GivenUp" }

/** The latest visit of each fiber. Weak: a fiber may be interrupted before its visit begins. */
const visits = new WeakMap<AnyFiber, Visit>()

const visitOf = (fiber: AnyFiber): Visit => visits.get(fiber)!

/**
 * A fiber waits at one gate at a time. All steps but the wait run in a region without interruption.
 *
 * Hundreds of thousands may wait: each field costs them all, so what can be told otherwise is no field.
 */
export abstract class Visit implements Visitor<unknown, unknown> {
  now: number
  private wait: Wait | undefined = undefined
  private wake: ((step: Step) => void) | undefined = undefined

  constructor(readonly fiber: AnyFiber, public call: Call) {
    this.now = nowOf(fiber)
    visits.set(fiber, this)
  }

  /** The gate that is asked. */
  protected abstract get gate(): AnyGate
  /** May the wait be interrupted? */
  protected abstract get interruptible(): boolean
  abstract begin(): Step
  protected abstract entered(ticket: unknown): Step
  protected abstract refused(error: unknown): Step
  protected abstract interruptedBy(cause: Cause.Cause<unknown>): Step

  protected ask(): Step {
    const decision = this.gate.enter(this)
    switch (decision._tag) {
      case "Entered":
        return this.entered(decision.ticket)
      case "Refused":
        return this.refused(decision.error)
      case "Waiting":
        this.wait = decision
        return this.interruptible ? waitInterruptibly : wait
    }
  }

  settle(decision: Entered<unknown> | Refused<unknown>): void {
    this.wait = decision
    this.wake?.(Effect.void)
  }

  /** Ends the wait without the gate, unless it is over. */
  protected giveUp(): void {
    if (this.wait?._tag !== "Waiting") return
    this.wait.cancel()
    this.wait = { _tag: "GivenUp" }
    this.wake?.(Effect.void)
  }

  /** The fiber is about to be suspended. */
  park(wake: (step: Step) => void): void {
    if (this.wait?._tag === "Waiting") this.wake = wake
    else wake(Effect.void)
  }

  woken(): Step {
    const over = this.over()
    this.now = nowOf(this.fiber)
    if (over?._tag === "Entered") return this.entered(over.ticket)
    if (over?._tag === "Refused") return this.refused(over.error)
    return this.interruptedBy(Cause.interrupt(this.fiber.id()))
  }

  /** Interrupted while it waited, or after it was let in and before it woke up. */
  interrupted(cause: Cause.Cause<unknown>): Step {
    const over = this.over()
    if (over?._tag === "Waiting") over.cancel()
    else if (over?._tag === "Entered") this.gate.leave(over.ticket, "never-started", nowOf(this.fiber))
    this.call.withdrawn?.()
    return this.interruptedBy(cause)
  }

  /** The wait is over; the same visit may wait at another gate. */
  protected over(): Wait | undefined {
    const { wait } = this
    this.wait = undefined
    this.wake = undefined
    return wait
  }
}

const parked: Step = Effect.async<unknown, unknown, unknown>((wake) => {
  visitOf(Option.getOrThrow(Fiber.getCurrentFiber())).park(wake)
})

const whenOver = {
  onSuccess: () => Effect.withFiberRuntime<unknown, unknown, unknown>((fiber) => visitOf(fiber).woken()),
  onFailure: (cause: Cause.Cause<unknown>) =>
    Effect.withFiberRuntime<unknown, unknown, unknown>((fiber) => visitOf(fiber).interrupted(cause))
}

const wait: Step = Effect.matchCauseEffect(parked, whenOver)
const waitInterruptibly: Step = Effect.matchCauseEffect(Effect.interruptible(parked), whenOver)

/** Begins the visit of the fiber that runs it; for regions without interruption. */
export const begin: Step = Effect.withFiberRuntime((fiber) => visitOf(fiber).begin())
/** The same, with such a region around it. */
export const beginMasked: Step = Effect.uninterruptible(begin)

/**
 * What a breaker, a bulkhead and a limiter have in common: somebody asks to come in, gets a ticket, a refusal or a
 * place in a queue, and gives the ticket back at the end, however that end comes.
 *
 * A gate is synchronous and knows nothing of effects; this module makes a policy of it. Taking a ticket and promising
 * to give it back are one step, and only the wait can be interrupted. Adjacent gates of a composition can be entered
 * one after the other in one step, which is what makes them cheap.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as Stream from "effect/Stream"
import { type Call, ofFiber } from "../CurrentCall.js"
import * as Policy from "../Policy.js"
import { clockOf } from "./timeLimit.js"

/** A ticket: the caller is in. */
export interface Entered<out T> {
  readonly _tag: "Entered"
  readonly ticket: T
}

/** The caller is turned away. */
export interface Refused<out E> {
  readonly _tag: "Refused"
  readonly error: E
}

/** The caller waits; `cancel` takes it out of the queue and is called at most once, before it was settled. */
export interface Waiting {
  readonly _tag: "Waiting"
  readonly cancel: () => void
}

/** Who asks. */
export interface Visitor<in out E, in out T> {
  readonly call: Call
  /** When it came, in milliseconds since the epoch. */
  readonly now: number
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  /** Ends a wait; called at most once, as a method, and only after `enter` returned `Waiting`. */
  settle(decision: Entered<T> | Refused<E>): void
}

/** How a visit ended: by the exit of what was inside, or before that began. */
export type Leave = Exit.Exit<unknown, unknown> | "never-started"

export interface Gate<in out E, in out T> {
  readonly enter: (visitor: Visitor<E, T>) => Entered<T> | Refused<E> | Waiting
  /** Called exactly once for each ticket that was handed out. */
  readonly leave: (ticket: T, how: Leave, now: number) => void
}

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>
type Step = Effect.Effect<unknown, unknown, unknown>

/** A visit as the steps below see it. */
interface Journey {
  enter(): Step
  /** The fiber is about to be suspended. */
  park(wake: (step: Step) => void): void
  woken(): Step
  /** Interrupted while it waited, or after it was let in and before it woke up. */
  interrupted(): void
}

/** The latest visit of each fiber. Weak: a fiber may be interrupted before its visit begins. */
const visits = new WeakMap<AnyFiber, Journey>()

/**
 * One call on its way through a gate. It is all that a waiting call costs beside its fiber: the steps below are the
 * same few values for every call, and find the visit by the fiber that runs them. A fiber waits at one gate at a time.
 */
abstract class Visit<E, T> implements Visitor<E, T>, Journey {
  readonly call: Call
  readonly now: number
  private settled: Entered<T> | Refused<E> | undefined = undefined
  private waiting: Waiting | undefined = undefined
  private wake: ((step: Step) => void) | undefined = undefined

  constructor(readonly gate: Gate<E, T>, readonly fiber: AnyFiber, readonly interruptible: boolean) {
    this.call = ofFiber(fiber)
    this.now = clockOf(fiber).unsafeCurrentTimeMillis()
    visits.set(fiber, this)
  }

  /** What the holder of a ticket does; runs uninterruptibly. */
  abstract proceed(ticket: T): Step

  enter(): Step {
    const decision = this.gate.enter(this)
    if (decision._tag !== "Waiting") return this.decided(decision)
    this.waiting = decision
    return this.interruptible ? waitInterruptibly : wait
  }

  settle(decision: Entered<T> | Refused<E>): void {
    this.settled = decision
    this.wake?.(Effect.void)
  }

  park(wake: (step: Step) => void): void {
    if (this.settled === undefined) this.wake = wake
    else wake(Effect.void)
  }

  woken(): Step {
    return this.decided(this.settled!)
  }

  interrupted(): void {
    if (this.settled === undefined) this.waiting!.cancel()
    else if (this.settled._tag === "Entered") this.leave(this.settled.ticket, "never-started")
  }

  leave(ticket: T, how: Leave): void {
    this.gate.leave(ticket, how, clockOf(this.fiber).unsafeCurrentTimeMillis())
  }

  private decided(decision: Entered<T> | Refused<E>): Step {
    return decision._tag === "Entered" ? this.proceed(decision.ticket) : Effect.fail(decision.error)
  }
}

const parked: Step = Effect.async<unknown, unknown, unknown>((wake) => {
  const fiber = Option.getOrThrow(Fiber.getCurrentFiber())
  visits.get(fiber)!.park(wake)
})

const whenOver = {
  onSuccess: () => Effect.withFiberRuntime<unknown, unknown, unknown>((fiber) => visits.get(fiber)!.woken()),
  onFailure: (cause: Cause.Cause<unknown>) =>
    Effect.withFiberRuntime<unknown, unknown, unknown>((fiber) => {
      visits.get(fiber)!.interrupted()
      return Effect.failCause(cause)
    })
}

const wait: Step = Effect.matchCauseEffect(parked, whenOver)
const waitInterruptibly: Step = Effect.matchCauseEffect(Effect.interruptible(parked), whenOver)

/** Taking a ticket and promising to give it back are one step: this one, inside a region without interruption. */
const enter: Step = Effect.withFiberRuntime((fiber) => visits.get(fiber)!.enter())
const enterMasked: Step = Effect.uninterruptible(enter)

/** Holds a ticket while an effect runs. */
class Passage<A, E1, R, E, T> extends Visit<E, T> {
  constructor(gate: Gate<E, T>, fiber: AnyFiber, interruptible: boolean, readonly inside: Effect.Effect<A, E1, R>) {
    super(gate, fiber, interruptible)
  }

  proceed(ticket: T): Step {
    return Effect.matchCauseEffect(this.interruptible ? Effect.interruptible(this.inside) : this.inside, {
      onSuccess: (value) => this.over(ticket, Exit.succeed(value)),
      onFailure: (cause) => this.over(ticket, Exit.failCause(cause))
    })
  }

  private over(ticket: T, exit: Exit.Exit<A, E1>): Exit.Exit<A, E1> {
    this.leave(ticket, exit)
    return exit
  }
}

/** Hands the ticket to somebody who has promised to give it back. */
class Acquisition<E, T> extends Visit<E, T> {
  proceed(ticket: T): Step {
    return Effect.succeed(ticket)
  }
}

/** An effect behind a gate. */
export const throughGate = <A, E1, R, E, T>(
  gate: Gate<E, T>,
  self: Effect.Effect<A, E1, R>
): Effect.Effect<A, E1 | E, R> =>
  Effect.withFiberRuntime((fiber, status) => {
    const visit = new Passage(gate, fiber, RuntimeFlags.interruptible(status.runtimeFlags), self)
    return (visit.interruptible ? enterMasked : enter) as Effect.Effect<A, E1 | E, R>
  })

/** A stream behind a gate: the ticket is held until the stream ends, in whatever way. */
export const streamThroughGate = <A, E1, R, E, T>(
  gate: Gate<E, T>,
  self: Stream.Stream<A, E1, R>
): Stream.Stream<A, E1 | E, R> =>
  Stream.flatMap(
    Stream.acquireRelease(
      Effect.withFiberRuntime<T, E>((fiber) => {
        // `acquireRelease` masks interruption; a wait must be open to it.
        new Acquisition(gate, fiber, true)
        return enter as Effect.Effect<T, E>
      }),
      (ticket, exit) =>
        Effect.withFiberRuntime<void>((fiber) =>
          Effect.sync(() => gate.leave(ticket, exit, clockOf(fiber).unsafeCurrentTimeMillis()))
        )
    ),
    () => self
  )

/** A policy out of a gate. */
export const gatePolicy = <E, T>(
  gate: Gate<E, T>,
  description: { readonly kind: string; readonly name: string; readonly options: Policy.Description["options"] }
): Policy.Policy<E> =>
  Policy.make<E>({
    ...description,
    apply: (self) => throughGate(gate, self),
    applyStream: (self) => streamThroughGate(gate, self)
  })

/**
 * What a breaker, a bulkhead and a limiter have in common: somebody asks to come in, gets a ticket, a refusal or a
 * place in a queue, and gives the ticket back at the end, however that end comes.
 *
 * A gate is synchronous and knows nothing of effects; this module makes a policy of it. Taking a ticket and promising
 * to give it back are one step, and only the wait can be interrupted. Adjacent gates of a composition can be entered
 * one after the other in one step, which is what makes them cheap.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
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
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  /** Ends a wait; called at most once, and only after `enter` returned `Waiting`. */
  readonly settle: (decision: Entered<T> | Refused<E>) => void
}

/** How a visit ended: by the exit of what was inside, or before that began. */
export type Leave = Exit.Exit<unknown, unknown> | "never-started"

export interface Gate<in out E, in out T> {
  readonly enter: (visitor: Visitor<E, T>) => Entered<T> | Refused<E> | Waiting
  /** Called exactly once for each ticket that was handed out. */
  readonly leave: (ticket: T, how: Leave, now: number) => void
}

/** Takes a ticket, waiting for it if need be. Must run inside `uninterruptibleMask`; only the wait is restored. */
const take = <E, T>(
  gate: Gate<E, T>,
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  restore: <A, E2, R>(effect: Effect.Effect<A, E2, R>) => Effect.Effect<A, E2, R>
): Effect.Effect<T, E> => {
  let settled: Entered<T> | Refused<E> | undefined
  let wake: (() => void) | undefined
  const clock = clockOf(fiber)
  const decision = gate.enter({
    call: ofFiber(fiber),
    now: clock.unsafeCurrentTimeMillis(),
    fiber,
    settle: (outcome) => {
      settled = outcome
      wake?.()
    }
  })
  if (decision._tag === "Entered") return Effect.succeed(decision.ticket)
  if (decision._tag === "Refused") return Effect.fail(decision.error)
  const wait = Effect.async<void>((resume) => {
    if (settled === undefined) wake = () => resume(Effect.void)
    else resume(Effect.void)
  })
  return Effect.matchCauseEffect(restore(wait), {
    onSuccess: () =>
      settled!._tag === "Entered" ? Effect.succeed(settled!.ticket) : Effect.fail(settled!.error),
    onFailure: (cause) => {
      // Interrupted while it waited, or after it was let in and before it woke up.
      if (settled === undefined) decision.cancel()
      else if (settled._tag === "Entered") gate.leave(settled.ticket, "never-started", clock.unsafeCurrentTimeMillis())
      return Effect.failCause(cause)
    }
  })
}

/** An effect behind a gate. */
export const throughGate = <A, E1, R, E, T>(
  gate: Gate<E, T>,
  self: Effect.Effect<A, E1, R>
): Effect.Effect<A, E1 | E, R> =>
  Effect.withFiberRuntime((fiber) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(take(gate, fiber, restore), (ticket) => {
        const leave = (exit: Exit.Exit<unknown, unknown>) =>
          gate.leave(ticket, exit, clockOf(fiber).unsafeCurrentTimeMillis())
        return Effect.matchCauseEffect(restore(self), {
          onSuccess: (value) => {
            const exit = Exit.succeed(value)
            leave(exit)
            return exit
          },
          onFailure: (cause) => {
            const exit = Exit.failCause(cause)
            leave(exit)
            return exit
          }
        })
      })
    )
  )

/** A stream behind a gate: the ticket is held until the stream ends, in whatever way. */
export const streamThroughGate = <A, E1, R, E, T>(
  gate: Gate<E, T>,
  self: Stream.Stream<A, E1, R>
): Stream.Stream<A, E1 | E, R> =>
  Stream.flatMap(
    Stream.acquireRelease(
      Effect.withFiberRuntime<T, E>((fiber) =>
        // `acquireRelease` masks interruption; a wait must be open to it.
        take(gate, fiber, Effect.interruptible)
      ),
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

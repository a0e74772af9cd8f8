/**
 * What a breaker, a bulkhead and a limiter have in common: somebody asks to come in, gets a ticket, a refusal or a
 * place in a queue, and gives the ticket back at the end, however that end comes.
 *
 * A gate is synchronous and knows nothing of effects; `pipeline.ts` and `gatedStream.ts` put effects and streams behind
 * one. Taking a ticket and promising to give it back are one step there, and only the wait can be interrupted.
 */
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { Call } from "../CurrentCall.js"

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
  /** The call that the holder of a ticket sees; the one that it came with if this is absent. */
  readonly within?: ((ticket: T, call: Call) => Call) | undefined
}

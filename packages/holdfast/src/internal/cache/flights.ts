/**
 * Single-flight: callers with the same key share one run of the work.
 *
 * The work belongs to all who wait for it and to nobody in particular. It runs in a fiber of its own, which is
 * interrupted when the last waiter leaves and not before; whoever started it may go. Every step that takes or gives
 * back a place is synchronous, so there is no point at which a key could be taken twice or left behind. (`RcMap` may
 * yield between looking a key up and taking it, and then runs the work twice.)
 *
 * What the work inherits from the caller who started it: context and fiber refs, so also its span as parent, log
 * annotations and services. What it gets anew is the call, see `callOf`.
 */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as FiberRefs from "effect/FiberRefs"
import { type Call, CurrentCall, ofFiber } from "../../CurrentCall.js"

interface Waiter {
  readonly call: Call
}

interface Flight<A, E> {
  readonly key: string
  /** The call of whoever started it, as it was then. */
  readonly call: Call
  readonly waiters: Set<Waiter>
  readonly done: Deferred.Deferred<A, E>
  fiber: Fiber.RuntimeFiber<void> | undefined
  /** Set in the step in which the work's exit is known. */
  settled: boolean
  /** A newer result for this key was kept meanwhile; this one is for its waiters only. */
  superseded: boolean
  fiberRefs: FiberRefs.FiberRefs | undefined
}

/**
 * How a caller came by the value.
 *
 * - `leader`: it started the work.
 * - `follower`: it waited for work that another had started.
 * - `late`: the work was done already, and its result not yet put away.
 */
export type Role = "leader" | "follower" | "late"

export interface Landed<A> {
  readonly value: A
  readonly role: Role
}

export interface Options<A, E, R> {
  /** Cannot be interrupted but in what it marks as `interruptible`: a result that is paid for is not to be lost. */
  readonly work: Effect.Effect<A, E, R>
  /** Puts a result away, in the time between its being known and its key being free again. Must end by itself. */
  readonly keep: (value: A) => Effect.Effect<void>
  /** Should a follower that shared this failure start over, with work on its own account? */
  readonly startOver: (error: E, shared: Call, own: Call) => Effect.Effect<boolean>
}

const latest = (waiters: ReadonlySet<Waiter>, pick: (call: Call) => number, none: number): number => {
  let result = -Infinity
  for (const { call } of waiters) result = Math.max(result, pick(call))
  return result === -Infinity ? none : result
}

/**
 * The call that the work runs under. Identity, route, tenant, attempt log and observer are those of the caller who
 * started it, whose generation it is in the books. Deadline, priority and class are the best among those who wait, read
 * at the moment of use: the work is given as long as anybody will wait. It is the first attempt of no retry's, for the
 * retry around the starter may be gone before it ends.
 */
const callOf = (call: Call, waiters: ReadonlySet<Waiter>): Call => ({
  ...call,
  attempt: 0,
  retryOwner: undefined,
  get deadline() {
    return latest(waiters, (waiting) => waiting.deadline, call.deadline)
  },
  get priority() {
    return latest(waiters, (waiting) => waiting.priority, call.priority)
  },
  get workClass() {
    for (const waiting of waiters) if (waiting.call.workClass === "interactive") return "interactive"
    return call.workClass
  }
})

export class Flights<A, E> {
  private readonly running = new Map<string, Flight<A, E>>()

  /** Keys that are taken. */
  get size(): number {
    return this.running.size
  }

  /** Callers that wait. */
  get waiting(): number {
    let sum = 0
    for (const flight of this.running.values()) sum += flight.waiters.size
    return sum
  }

  /** Keeps the result of the work that runs under this key, if any does, from being put away. */
  supersede(key: string): void {
    const flight = this.running.get(key)
    if (flight !== undefined) flight.superseded = true
  }

  /** Joins the work that runs under this key, or starts it. */
  share<R>(key: string, options: Options<A, E, R>): Effect.Effect<Landed<A>, E, R> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.withFiberRuntime<Landed<A>, E, R>((fiber) => {
        const waiter: Waiter = { call: ofFiber(fiber) }
        const found = this.running.get(key)
        if (found !== undefined) {
          const role = found.settled ? "late" : "follower"
          found.waiters.add(waiter)
          return this.wait(found, waiter, restore).pipe(
            Effect.map((value) => ({ value, role }) as const),
            Effect.catchAll((error) =>
              Effect.flatMap(options.startOver(error, found.call, waiter.call), (again) =>
                again ? restore(this.share(key, options)) : Effect.fail(error))
            )
          )
        }
        const flight: Flight<A, E> = {
          key,
          call: { ...waiter.call },
          waiters: new Set([waiter]),
          done: Deferred.unsafeMake(fiber.id()),
          fiber: undefined,
          settled: false,
          superseded: false,
          fiberRefs: undefined
        }
        this.running.set(key, flight)
        return Effect.flatMap(Effect.forkDaemon(this.run(flight, options)), (started) => {
          flight.fiber = started
          return Effect.zipLeft(
            Effect.map(this.wait(flight, waiter, restore), (value) => ({ value, role: "leader" }) as const),
            // As with `Fiber.join`: what its own effect changed in fiber refs, it sees.
            Effect.suspend(() =>
              flight.fiberRefs === undefined ? Effect.void : Effect.inheritFiberRefs(flight.fiberRefs))
          )
        })
      })
    )
  }

  /** The whole life of the fiber that does the work. */
  private run<R>(flight: Flight<A, E>, options: Options<A, E, R>): Effect.Effect<void, never, R> {
    return options.work.pipe(
      Effect.provideService(CurrentCall, callOf(flight.call, flight.waiters)),
      Effect.exit,
      Effect.zip(Effect.getFiberRefs),
      Effect.flatMap(([exit, fiberRefs]) => {
        flight.settled = true
        flight.fiberRefs = fiberRefs
        if (Exit.isSuccess(exit) && !flight.superseded) {
          Deferred.unsafeDone(flight.done, exit)
          return Effect.ensuring(Effect.suspend(() => options.keep(exit.value)), Effect.sync(() => this.free(flight)))
        }
        // In this very step: who comes after a failure must not share it.
        this.free(flight)
        Deferred.unsafeDone(flight.done, exit)
        return Effect.void
      }),
      Effect.uninterruptible
    )
  }

  private wait(
    flight: Flight<A, E>,
    waiter: Waiter,
    restore: <B, E2, R>(effect: Effect.Effect<B, E2, R>) => Effect.Effect<B, E2, R>
  ): Effect.Effect<A, E> {
    return Effect.matchCauseEffect(restore(Deferred.await(flight.done)), {
      onSuccess: (value) => {
        flight.waiters.delete(waiter)
        return Effect.succeed(value)
      },
      onFailure: (cause) => {
        flight.waiters.delete(waiter)
        const abandoned = !flight.settled && flight.waiters.size === 0
        return abandoned ? this.abandon(flight, cause) : Effect.failCause(cause)
      }
    })
  }

  /** The last one who waited has left: the key is free at once, the work is interrupted, and its end is waited for. */
  private abandon(flight: Flight<A, E>, cause: Cause.Cause<E>): Effect.Effect<never, E> {
    this.free(flight)
    const interrupted = flight.fiber === undefined ? Effect.void : Fiber.interruptFork(flight.fiber)
    return interrupted.pipe(
      Effect.zipRight(Effect.exit(Deferred.await(flight.done))),
      Effect.zipRight(Effect.failCause(cause))
    )
  }

  private free(flight: Flight<A, E>): void {
    if (this.running.get(flight.key) === flight) this.running.delete(flight.key)
  }
}

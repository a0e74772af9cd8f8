/**
 * Runs an effect for at most so long: one child fiber and one timer, a third of what a race costs.
 *
 * The child gets the caller's fiber refs, flags and context; what it changes in fiber refs comes back on success. It
 * never outlives the caller: an interrupted caller interrupts it and waits for its finalizers.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Runtime from "effect/Runtime"
import { type Call, CurrentCall } from "../CurrentCall.js"
import * as Timer from "./timer.js"

/** Brings back what the child changed in its fiber refs, but for the context, which is the child's own. */
const inherit = (before: FiberRefs.FiberRefs, after: FiberRefs.FiberRefs): Effect.Effect<void> | undefined => {
  for (const [ref, stack] of after.locals) {
    if ((ref as unknown) === FiberRef.currentContext) continue
    const previous = before.locals.get(ref)
    if (previous === undefined || previous[0][1] !== stack[0][1]) {
      return Effect.inheritFiberRefs(FiberRefs.delete(after, FiberRef.currentContext))
    }
  }
  return undefined
}

export interface Limit<E> {
  /** Milliseconds from now, read when the effect starts; `Infinity` for no limit. */
  readonly millis: number
  readonly onTimeout: () => E
  /** The call that the effect sees. Publishing it here costs a fraction of providing it. */
  readonly call: Call
}

/** The clock of a running fiber, for reading without a step of its own. */
export const clockOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Clock.Clock =>
  Context.get(fiber.currentDefaultServices, Clock.Clock)

/** Runs `self` under the limit that `decide` gives for the current fiber. */
export const timeLimit = <A, E, R, E2>(
  self: Effect.Effect<A, E, R>,
  decide: (fiber: Fiber.RuntimeFiber<unknown, unknown>) => Limit<E2>
): Effect.Effect<A, E | E2, R> =>
  Effect.withFiberRuntime<A, E | E2, R>((parent, status) => {
    // Read before the mask: the child runs with the caller's own flags.
    const refs = parent.getFiberRefs()
    return Effect.uninterruptibleMask((restore) =>
      Effect.suspend((): Effect.Effect<A, E | E2> => {
        const limit = decide(parent)
        if (!(limit.millis > 0)) return Effect.fail(limit.onTimeout())
        const runtime = Runtime.make({
          context: Context.add(parent.currentContext, CurrentCall, limit.call) as Context.Context<R>,
          runtimeFlags: status.runtimeFlags,
          fiberRefs: refs
        })
        const child = Runtime.runFork(runtime, self)
        let fired = false
        const finish = (exit: Exit.Exit<A, E>): Effect.Effect<A, E | E2> => {
          if (exit._tag === "Success") {
            const joined = inherit(refs, child.getFiberRefs())
            return joined === undefined ? exit : Effect.zipRight(joined, exit)
          }
          return fired && Cause.isInterruptedOnly(exit.cause) ? Effect.failSync(limit.onTimeout) : exit
        }
        const done = child.unsafePoll()
        if (done !== null) return finish(done)
        const cancel = Timer.schedule(parent, limit.millis, () => {
          fired = true
          child.unsafeInterruptAsFork(parent.id())
        })
        const settled = Effect.async<Exit.Exit<A, E>>((resume) => {
          child.addObserver((exit) => resume(Effect.succeed(exit)))
        }, child.id())
        return Effect.matchCauseEffect(restore(settled), {
          onSuccess: (exit) => {
            cancel()
            return finish(exit)
          },
          onFailure: (cause) => {
            cancel()
            return Effect.zipRight(Fiber.interruptAs(child, parent.id()), Effect.failCause(cause))
          }
        })
      })
    )
  })

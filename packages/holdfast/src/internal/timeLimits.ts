/**
 * The time limits around one effect: it runs in one child fiber with one timer, that of the limit that ends first. When
 * the timer fires, or the caller is interrupted, the child is interrupted, and its finalizers are waited for.
 *
 * The child gets the caller's fiber refs, flags and context; what it changes in fiber refs comes back on success. It
 * never outlives the caller.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import { type Call, CurrentCall } from "../CurrentCall.js"
import * as Timer from "./timer.js"
import type { AnyFiber, Step } from "./visit.js"

export type AnyExit = Exit.Exit<unknown, unknown>

/** A limit that runs. */
export interface Ending {
  /** In milliseconds since the epoch. */
  readonly at: number
  readonly onTimeout: () => unknown
}

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

export class TimeLimits {
  /** The limit that ends first, of those that run. */
  first: Ending | undefined = undefined
  private fired: Ending | undefined = undefined
  private stopTimer: (() => void) | undefined = undefined
  /** What interrupted the caller while the child was running. */
  private interruption: Cause.Cause<unknown> | undefined = undefined

  /** The caller's refs and flags have to be read before it masks interruption, so that the child runs as it would. */
  constructor(
    private readonly fiber: AnyFiber,
    private readonly flags: RuntimeFlags.RuntimeFlags,
    private readonly refs: FiberRefs.FiberRefs
  ) {}

  add(ending: Ending): void {
    if (this.first === undefined || ending.at < this.first.at) this.first = ending
  }

  /** Calls `stop` when the first limit ends, unless the timer is stopped before. */
  startTimer(now: number, stop: () => void): void {
    const ending = this.first
    if (ending === undefined) return
    this.stopTimer = Timer.schedule(this.fiber, ending.at - now, () => {
      this.fired = ending
      stop()
    })
  }

  clearTimer(): void {
    this.stopTimer?.()
    this.stopTimer = undefined
  }

  /** Runs something under the limits, for a caller that has masked interruption, and hands on how it ended. */
  run(inside: Step, call: Call, now: number, ended: (exit: AnyExit) => Step): Step {
    const runtime = Runtime.make({
      // The effect's requirements are the caller's, whose context this is. Publishing the call here is next to free.
      context: Context.add(this.fiber.currentContext, CurrentCall, call) as Context.Context<unknown>,
      runtimeFlags: this.flags,
      fiberRefs: this.refs
    })
    const child = Runtime.runFork(runtime, inside)
    const done = child.unsafePoll()
    if (done !== null) return this.ended(child, done, ended)
    this.startTimer(now, () => child.unsafeInterruptAsFork(this.fiber.id()))
    const settled = Effect.async<AnyExit>((resume) => {
      child.addObserver((exit) => resume(Effect.succeed(exit)))
    }, child.id())
    return Effect.matchCauseEffect(RuntimeFlags.interruptible(this.flags) ? Effect.interruptible(settled) : settled, {
      onSuccess: (exit) => this.ended(child, exit, ended),
      onFailure: (cause) => {
        this.clearTimer()
        this.fired = undefined
        this.interruption = cause
        return Effect.flatMap(Fiber.interruptAs(child, this.fiber.id()), ended)
      }
    })
  }

  private ended(child: AnyFiber, exit: AnyExit, ended: (exit: AnyExit) => Step): Step {
    this.clearTimer()
    const joined = exit._tag === "Success" ? inherit(this.refs, child.getFiberRefs()) : undefined
    return joined === undefined ? ended(exit) : Effect.flatMap(joined, () => ended(exit))
  }

  /** Is what ran inside over for good, because of the caller or of the limit given, and not by itself? */
  stoppedFor(ending: Ending | undefined): boolean {
    return this.interruption !== undefined || (this.fired !== undefined && this.fired === ending)
  }

  /** How the exit of what is inside a limit looks outside of it; `first` is that of the limits outside. */
  outsideOf(ending: Ending, exit: AnyExit, now: number): AnyExit {
    if (this.interruption !== undefined) {
      // How the child ended is of no interest outside of the limit that the caller waited at.
      const cause = this.interruption
      this.interruption = undefined
      return Exit.failCause(cause)
    }
    if (this.fired !== ending) return exit
    this.fired = undefined
    if (exit._tag === "Success" || !Cause.isInterruptedOnly(exit.cause)) return exit
    if (this.first === undefined || this.first.at > now) return Exit.fail(ending.onTimeout())
    // What ran inside took so long to stop that this one has ended too.
    this.fired = this.first
    return exit
  }
}

/**
 * Runs an effect through stages that stand directly around each other, outermost first, as one step: one region
 * without interruption, one frame to unwind, and at most one child fiber with one timer, however many of the stages
 * are limits. A fiber costs more than all the rest, so this is what makes a composition cheap.
 *
 * What each stage sees is what it would see alone: the stages are entered outside in, and left inside out with the exit
 * as it stands there. The only timer is that of the limit that ends first; when it fires, or the caller is interrupted,
 * the child is interrupted, and its finalizers are waited for. The child gets the caller's fiber refs, flags and
 * context; what it changes in fiber refs comes back on success.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import { type Call, CurrentCall, ofFiber } from "../CurrentCall.js"
import type { Owner, Stage } from "./stage.js"
import * as Timer from "./timer.js"
import { type AnyFiber, type AnyGate, begin, beginMasked, type Step, Visit } from "./visit.js"

type AnyExit = Exit.Exit<unknown, unknown>

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

/** A limit that runs. */
interface Ending {
  /** In milliseconds since the epoch. */
  readonly at: number
  readonly onTimeout: () => unknown
}

/** A stage that was entered and must be left. */
type Held =
  | { readonly _tag: "Gate"; readonly gate: AnyGate; readonly ticket: unknown }
  | { readonly _tag: "Limit"; readonly ending: Ending }
  | { readonly _tag: "Retry"; readonly owner: Owner; readonly rest: Pipeline<unknown> }

interface Frame {
  readonly held: Held
  /** The first limit to end, and the call, outside of the stage. */
  readonly first: Ending | undefined
  readonly call: Call
  readonly below: Frame | undefined
}

export class Pipeline<out E> {
  /** May any of the stages limit the time? */
  readonly limits: boolean
  private tail: Pipeline<E> | undefined = undefined

  constructor(readonly stages: ReadonlyArray<Stage<E>>) {
    this.limits = stages.some((stage) => stage._tag === "Limit")
  }

  /** The stages inside the retry that owns the generation, which is always the first one. */
  inside(retry: number): Pipeline<E> {
    this.tail = this.tail ?? new Pipeline(this.stages.slice(retry + 1))
    return this.tail
  }

  through<A, E1, R>(self: Effect.Effect<A, E1, R>): Effect.Effect<A, E | E1, R> {
    return Effect.withFiberRuntime((fiber, { runtimeFlags }) => {
      const passage = new Passage(this, fiber, runtimeFlags, self)
      return (passage.interruptible ? beginMasked : begin) as Effect.Effect<A, E | E1, R>
    })
  }
}

/** One effect on its way through the stages. */
class Passage extends Visit {
  private readonly outerCall: Call
  /** Read before the mask: a child runs with the caller's own flags. */
  private readonly refs: FiberRefs.FiberRefs | undefined
  private index = 0
  private top: Frame | undefined = undefined
  /** The first limit to end of those that were entered. */
  private first: Ending | undefined = undefined
  private fired: Ending | undefined = undefined
  private stopTimer: (() => void) | undefined = undefined
  /** What interrupted the caller while a child was running. */
  private interruption: Cause.Cause<unknown> | undefined = undefined

  constructor(
    private readonly pipeline: Pipeline<unknown>,
    fiber: AnyFiber,
    private readonly flags: RuntimeFlags.RuntimeFlags,
    private readonly self: Step
  ) {
    super(fiber, ofFiber(fiber), RuntimeFlags.interruptible(flags))
    this.outerCall = this.call
    this.refs = pipeline.limits ? fiber.getFiberRefs() : undefined
  }

  begin(): Step {
    try {
      return this.enterNext()
    } catch (defect) {
      return this.unwind(Exit.die(defect))
    }
  }

  private enterNext(): Step {
    const { stages } = this.pipeline
    while (this.index < stages.length) {
      const stage = stages[this.index++]!
      switch (stage._tag) {
        case "Gate":
          return this.ask(stage.gate)
        case "Limit": {
          const { call, millis, onTimeout } = stage.begin(this.call, this.now)
          if (!(millis > 0)) return this.refused(onTimeout())
          if (millis !== Infinity) {
            const ending = { at: this.now + millis, onTimeout }
            this.push({ _tag: "Limit", ending })
            if (this.first === undefined || ending.at < this.first.at) this.first = ending
          }
          this.call = call
          break
        }
        case "Retry": {
          const owner = stage.begin(this.call, this.now)
          if (owner === undefined) break
          if (Effect.isEffect(owner)) return this.after(owner)
          this.push({ _tag: "Retry", owner, rest: this.pipeline.inside(this.index - 1) })
          this.call = owner.call
          break
        }
      }
    }
    return this.run(this.self)
  }

  protected entered(gate: AnyGate, ticket: unknown): Step {
    this.push({ _tag: "Gate", gate, ticket })
    try {
      if (gate.within !== undefined) this.call = gate.within(ticket, this.call)
    } catch (defect) {
      return this.unwind(Exit.die(defect))
    }
    return this.begin()
  }

  protected refused(error: unknown): Step {
    return this.unwind(Exit.fail(error))
  }

  protected interruptedBy(cause: Cause.Cause<unknown>): Step {
    return this.unwind(Exit.failCause(cause))
  }

  /** A limit outside of the gate runs on while the call waits. */
  override park(wake: (step: Step) => void): void {
    super.park(wake)
    if (this.first !== undefined) this.startTimer(this.first, () => this.giveUp())
  }

  protected override forget(): void {
    super.forget()
    this.stopTimer?.()
    this.stopTimer = undefined
  }

  private push(held: Held): void {
    this.top = { held, first: this.first, call: this.call, below: this.top }
  }

  private startTimer(ending: Ending, stop: () => void): void {
    this.stopTimer = Timer.schedule(this.fiber, ending.at - this.now, () => {
      this.fired = ending
      stop()
    })
  }

  /** Goes on after something that a stage has to say. */
  private after(effect: Effect.Effect<void>): Step {
    return Effect.matchCauseEffect(effect, {
      onSuccess: () => this.begin(),
      onFailure: (cause) => this.unwind(Exit.failCause(cause))
    })
  }

  /** Runs something inside all stages that are held. */
  private run(inside: Step): Step {
    if (this.first !== undefined) return this.runInChild(inside, this.first)
    const seen = this.call === this.outerCall ? inside : Effect.provideService(inside, CurrentCall, this.call)
    return Effect.matchCauseEffect(this.interruptible ? Effect.interruptible(seen) : seen, {
      onSuccess: (value) => this.unwind(Exit.succeed(value)),
      onFailure: (cause) => this.unwind(Exit.failCause(cause))
    })
  }

  private runInChild(inside: Step, ending: Ending): Step {
    const refs = this.refs!
    const runtime = Runtime.make({
      // The effect's requirements are the caller's, whose context this is.
      context: Context.add(this.fiber.currentContext, CurrentCall, this.call) as Context.Context<unknown>,
      runtimeFlags: this.flags,
      fiberRefs: refs
    })
    const child = Runtime.runFork(runtime, inside)
    const done = child.unsafePoll()
    if (done !== null) return this.childEnded(child, done)
    this.startTimer(ending, () => child.unsafeInterruptAsFork(this.fiber.id()))
    const settled = Effect.async<AnyExit>((resume) => {
      child.addObserver((exit) => resume(Effect.succeed(exit)))
    }, child.id())
    return Effect.matchCauseEffect(this.interruptible ? Effect.interruptible(settled) : settled, {
      onSuccess: (exit) => this.childEnded(child, exit),
      onFailure: (cause) => {
        this.interruption = cause
        return Effect.flatMap(Fiber.interruptAs(child, this.fiber.id()), (exit) => {
          this.forget()
          return this.unwind(exit)
        })
      }
    })
  }

  private childEnded(child: AnyFiber, exit: AnyExit): Step {
    this.forget()
    if (exit._tag === "Failure") return this.unwind(exit)
    const joined = inherit(this.refs!, child.getFiberRefs())
    return joined === undefined ? this.unwind(exit) : Effect.flatMap(joined, () => this.unwind(exit))
  }

  /** Leaves the stages inside out, each with the exit as it stands there. */
  private unwind(ended: AnyExit): Step {
    let exit = ended
    const now = clockNow(this.fiber)
    while (this.top !== undefined) {
      const { below, call, first, held } = this.top
      this.top = below
      this.first = first
      this.call = call
      switch (held._tag) {
        case "Gate":
          exit = leave(held.gate, held.ticket, exit, now)
          break
        case "Limit":
          exit = this.outsideOf(held.ending, exit)
          break
        case "Retry": {
          if (exit._tag === "Success" || this.interruption !== undefined) break
          const error = Cause.failureOrCause(exit.cause)
          if (Either.isRight(error)) break
          // The time was up for the retry as well.
          if (this.fired !== undefined && this.fired === first) exit = Exit.interrupt(this.fiber.id())
          else {
            this.now = now
            return this.run(held.owner.failed(error.left, held.rest.through(this.self)))
          }
        }
      }
    }
    return exit
  }

  private outsideOf(ending: Ending, exit: AnyExit): AnyExit {
    if (this.interruption !== undefined) {
      // What ended the child is of no interest outside of the limit that the caller waited at.
      const cause = this.interruption
      this.interruption = undefined
      return Exit.failCause(cause)
    }
    if (this.fired !== ending) return exit
    this.fired = undefined
    return exit._tag === "Failure" && Cause.isInterruptedOnly(exit.cause) ? Exit.fail(ending.onTimeout()) : exit
  }
}

/** A gate that throws must not keep the others from being left. */
const leave = (gate: AnyGate, ticket: unknown, exit: AnyExit, now: number): AnyExit => {
  try {
    gate.leave(ticket, exit, now)
    return exit
  } catch (defect) {
    return Exit.die(defect)
  }
}

const clockNow = (fiber: AnyFiber): number => Timer.clockOf(fiber).unsafeCurrentTimeMillis()

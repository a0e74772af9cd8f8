/**
 * Runs an effect through stages that stand directly around each other, outermost first, as one step: one region
 * without interruption, one frame to unwind, and at most one child fiber with one timer, however many of the stages
 * are limits. A fiber costs more than all the rest, so this is what makes a composition cheap.
 *
 * What each stage sees is what it would see alone: the stages are entered outside in, and left inside out with the exit
 * as it stands there.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as RuntimeFlags from "effect/RuntimeFlags"
import { type Call, CurrentCall, ofFiber } from "../CurrentCall.js"
import type { GateStage, LimitStage, Owner, RetryStage, Stage } from "./stage.js"
import { type AnyExit, type Ending, TimeLimits } from "./timeLimits.js"
import { nowOf } from "./timer.js"
import { type AnyFiber, type AnyGate, begin, beginMasked, type Step, Visit } from "./visit.js"

/** A stage that was entered and must be left. */
type Held =
  | { readonly _tag: "Gate"; readonly gate: AnyGate; readonly ticket: unknown }
  | { readonly _tag: "Limit"; readonly ending: Ending }
  | { readonly _tag: "Retry"; readonly owner: Owner; readonly rest: Pipeline<unknown> }

interface Frame {
  readonly held: Held
  /** The call, and the first limit to end, outside of the stage. */
  readonly call: Call
  readonly first: Ending | undefined
  readonly below: Frame | undefined
}

export class Pipeline<out E> {
  /** Does any of the stages limit the time? */
  readonly isLimited: boolean
  private tail: Pipeline<E> | undefined = undefined

  constructor(readonly stages: ReadonlyArray<Stage<E>>) {
    this.isLimited = stages.some((stage) => stage._tag === "Limit")
  }

  /** The stages inside the retry that owns the generation, which is always the first one. */
  inside(retry: number): Pipeline<E> {
    this.tail = this.tail ?? new Pipeline(this.stages.slice(retry + 1))
    return this.tail
  }

  through<A, E1, R>(self: Effect.Effect<A, E1, R>): Effect.Effect<A, E | E1, R> {
    return Effect.withFiberRuntime((fiber, { runtimeFlags }) => {
      new Passage(this, fiber, runtimeFlags, self)
      const step = RuntimeFlags.interruptible(runtimeFlags) ? beginMasked : begin
      // The stages add `E` to what the effect ends with, and nothing else.
      return step as Effect.Effect<A, E | E1, R>
    })
  }
}

/** One effect on its way through the stages. */
class Passage extends Visit {
  /** How many stages were entered, the one that is being entered included. */
  private count = 0
  private top: Frame | undefined = undefined
  private readonly limits: TimeLimits | undefined

  constructor(
    private readonly pipeline: Pipeline<unknown>,
    fiber: AnyFiber,
    private readonly flags: RuntimeFlags.RuntimeFlags,
    private readonly self: Step
  ) {
    super(fiber, ofFiber(fiber))
    this.limits = pipeline.isLimited ? new TimeLimits(fiber, flags, fiber.getFiberRefs()) : undefined
  }

  protected get interruptible(): boolean {
    return RuntimeFlags.interruptible(this.flags)
  }

  /** Asked for only while a gate is being entered. */
  protected get gate(): AnyGate {
    return (this.pipeline.stages[this.count - 1] as GateStage).gate
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
    while (this.count < stages.length) {
      const stage = stages[this.count++]!
      const step = stage._tag === "Gate"
        ? this.ask()
        : stage._tag === "Limit"
        ? this.limitBy(stage)
        : this.retryBy(stage)
      if (step !== undefined) return step
    }
    return this.run(this.self)
  }

  private limitBy(stage: LimitStage): Step | undefined {
    const { call, millis, onTimeout } = stage.begin(this.call, this.now)
    if (!(millis > 0)) return this.refused(onTimeout())
    if (millis !== Infinity) {
      const ending = { at: this.now + millis, onTimeout }
      this.push({ _tag: "Limit", ending })
      this.limits!.add(ending)
    }
    this.call = call
    return undefined
  }

  private retryBy(stage: RetryStage): Step | undefined {
    const owner = stage.begin(this.call, this.now)
    if (owner === undefined) return undefined
    if (Effect.isEffect(owner)) return this.sayAndGoOn(owner)
    this.push({ _tag: "Retry", owner, rest: this.pipeline.inside(this.count - 1) })
    this.call = owner.call
    return undefined
  }

  private sayAndGoOn(said: Effect.Effect<void>): Step {
    return Effect.matchCauseEffect(said, {
      onSuccess: () => this.begin(),
      onFailure: (cause) => this.unwind(Exit.failCause(cause))
    })
  }

  protected entered(ticket: unknown): Step {
    const { gate } = this
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
    this.limits?.startTimer(this.now, () => this.giveUp())
  }

  protected override over() {
    this.limits?.clearTimer()
    return super.over()
  }

  private push(held: Held): void {
    this.top = { held, call: this.call, first: this.limits?.first, below: this.top }
  }

  /** Runs something inside all stages that are held. */
  private run(inside: Step): Step {
    const { limits } = this
    if (limits?.first !== undefined) return limits.run(inside, this.call, this.now, (exit) => this.unwind(exit))
    const seen = this.call === ofFiber(this.fiber) ? inside : Effect.provideService(inside, CurrentCall, this.call)
    return Effect.matchCauseEffect(this.interruptible ? Effect.interruptible(seen) : seen, {
      onSuccess: (value) => this.unwind(Exit.succeed(value)),
      onFailure: (cause) => this.unwind(Exit.failCause(cause))
    })
  }

  /** Leaves the stages inside out, each with the exit as it stands there. */
  private unwind(ended: AnyExit): Step {
    let exit = ended
    const now = nowOf(this.fiber)
    for (let frame = this.top; frame !== undefined; frame = this.top) {
      const { below, call, first, held } = frame
      this.top = below
      this.call = call
      if (this.limits !== undefined) this.limits.first = first
      switch (held._tag) {
        case "Gate":
          exit = leave(held.gate, held.ticket, exit, now)
          break
        case "Limit":
          exit = this.limits!.outsideOf(held.ending, exit, now)
          break
        case "Retry": {
          if (exit._tag === "Success") break
          const failure = Cause.failureOrCause(exit.cause)
          if (Either.isRight(failure)) break
          if (this.limits?.stoppedFor(first) === true) {
            exit = Exit.interrupt(this.fiber.id())
            break
          }
          this.now = now
          return this.run(held.owner.failed(failure.left, held.rest.through(this.self)))
        }
      }
    }
    return exit
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

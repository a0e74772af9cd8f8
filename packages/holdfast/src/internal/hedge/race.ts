/**
 * Copies of the same attempt, each in a fiber of its own: the first starts at once, others when it takes long, and the
 * first that is answered wins. All others are interrupted then, and the race is over when they have ended.
 *
 * Everything is decided in the observers of the fibers and in the timer, so that the caller has only one thing to wait
 * for. It does so in a region without interruption, of which only the wait is open; no copy outlives it.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as FiberRefs from "effect/FiberRefs"
import * as Runtime from "effect/Runtime"
import type * as RuntimeFlags from "effect/RuntimeFlags"
import { type Call, CurrentCall } from "../../CurrentCall.js"
import * as GenerationError from "../../GenerationError.js"
import { firstFailure } from "../ending.js"
import { nowOf, schedule } from "../timer.js"
import type { AnyExit } from "../timeLimits.js"
import type { AnyFiber, Step } from "../visit.js"
import { endsAtOnce, together } from "./failures.js"
import type { Plan, Settings } from "./plan.js"

export interface Copy {
  /** 0 for the first. */
  readonly index: number
  fiber: AnyFiber | undefined
  /** Did what is inside begin? Before that a copy is paid for. */
  started: boolean
  alive: boolean
  /** Did it fail in a way that leaves no doubt of what became of the work? */
  settled: boolean
  /** Tokens of the budget. */
  paid: number
}

/** Who runs a race: its refs and flags have to be read before it masks interruption, so that copies run as it would. */
export interface Caller {
  readonly fiber: AnyFiber
  readonly flags: RuntimeFlags.RuntimeFlags
  readonly refs: FiberRefs.FiberRefs
}

export class Race {
  /** The copy that was answered first. */
  winner: Copy | undefined = undefined
  private outcome: AnyExit | undefined = undefined
  private readonly copies: Array<Copy> = []
  private readonly failures: Array<Cause.Cause<unknown>> = []
  private readonly call: Call
  private readonly taken: Set<string>
  private stopTimer: (() => void) | undefined = undefined
  private wake: (() => void) | undefined = undefined

  /** `work` is what a copy runs. It may win before it ends, by `claim`. */
  constructor(
    private readonly settings: Settings,
    private readonly plan: Plan,
    private readonly caller: Caller,
    private readonly work: (copy: Copy) => Step
  ) {
    this.taken = plan.call.taken ?? new Set()
    this.call = { ...plan.call, taken: this.taken }
  }

  /** Runs the race, for a caller that has masked interruption. Ends with how it was decided. */
  run(): Effect.Effect<AnyExit> {
    this.start()
    this.startTimer()
    return Effect.matchCauseEffect(Effect.interruptible(this.over), {
      onSuccess: () => this.settleBooks(this.outcome!),
      onFailure: (cause) => {
        this.abandon(Exit.failCause(cause))
        return Effect.flatMap(this.over, () => this.settleBooks(Exit.failCause(cause)))
      }
    })
  }

  /** A copy says that it is answered, and goes on. False if another one was faster, and it is about to be stopped. */
  claim(copy: Copy): boolean {
    if (this.outcome !== undefined) return false
    this.decide(Exit.void, copy)
    this.tellIfOver()
    return true
  }

  private get isOver(): boolean {
    return this.outcome !== undefined && this.copies.every((copy) => !copy.alive || copy === this.winner)
  }

  private readonly over: Effect.Effect<void> = Effect.async<void>((resume) => {
    this.wake = () => resume(Effect.void)
    this.tellIfOver()
  })

  private tellIfOver(): void {
    if (this.isOver) this.wake?.()
  }

  private startTimer(): void {
    if (this.outcome !== undefined || this.copies.length > this.settings.maxCopies) return
    this.stopTimer = schedule(this.caller.fiber, this.plan.delay, () => {
      this.stopTimer = undefined
      if (!this.mayCopy()) return
      this.start()
      this.startTimer()
    })
  }

  /** May another copy start: in time, and without more doubt about what was done than is allowed? */
  private mayCopy(): boolean {
    const { deadline } = this.call
    const needs = this.settings.attemptTime ?? this.plan.delay
    const now = nowOf(this.caller.fiber)
    if (this.outcome !== undefined || now >= deadline || now + needs > deadline) return false
    if (this.settings.unknownOutcome === "always") return true
    const doubtful = this.copies.filter((copy) => copy.alive || (copy.started && !copy.settled)).length
    return this.plan.unknowns + doubtful <= 1
  }

  private start(): void {
    const copy: Copy = {
      index: this.copies.length,
      fiber: undefined,
      started: false,
      alive: true,
      settled: false,
      paid: 0
    }
    this.copies.push(copy)
    const { fiber, flags, refs } = this.caller
    const runtime = Runtime.make({
      // What is inside requires what the caller has, whose context this is.
      context: Context.add(fiber.currentContext, CurrentCall, this.call) as Context.Context<unknown>,
      runtimeFlags: flags,
      fiberRefs: refs
    })
    copy.fiber = Runtime.runFork(runtime, copy.index === 0 ? this.begin(copy) : this.pay(copy))
    copy.fiber.addObserver((exit) => this.ended(copy, exit))
  }

  private begin(copy: Copy): Step {
    return Effect.suspend(() => {
      if (copy.index > 0) this.announce()
      copy.started = true
      return this.work(copy)
    })
  }

  /** Pays for a copy, and begins it if there is still need for it then. */
  private pay(copy: Copy): Step {
    const { budget, costOf } = this.settings
    if (budget === undefined) return this.begin(copy)
    return Effect.uninterruptibleMask((restore) => {
      const cost = costOf?.(this.call) ?? budget.priceOf(late)
      return Effect.flatMap(budget.withdraw(cost), (grant): Step => {
        if (grant === "paid") copy.paid = cost
        const wanted = grant !== "refused" && this.copies.some((other) => other.started && other.alive)
        // If the race was decided meanwhile this copy is interrupted, before its first step.
        return wanted ? restore(this.begin(copy)) : Effect.void
      })
    })
  }

  private announce(): void {
    const { call, caller, plan, settings } = this
    call.observe({
      _tag: "HedgeStarted",
      generation: call.generation ?? "none",
      at: nowOf(caller.fiber),
      policy: settings.name,
      attempt: (call.log?.started ?? this.copies.length - 1) + 1,
      endpoint: [...this.taken].at(-1) ?? call.endpoint ?? "default",
      delay: Duration.millis(plan.delay)
    })
  }

  private ended(copy: Copy, exit: AnyExit): void {
    copy.alive = false
    if (this.outcome === undefined) this.judge(copy, exit)
    this.tellIfOver()
  }

  private judge(copy: Copy, exit: AnyExit): void {
    if (exit._tag === "Success") {
      if (copy.started) return this.decide(exit, copy)
    } else {
      if (!Cause.isFailure(exit.cause)) return this.decide(exit)
      const error = firstFailure(exit.cause)
      if (endsAtOnce(error)) return this.decide(exit)
      copy.settled = !GenerationError.isUnknownOutcome(error)
      this.failures.push(exit.cause)
    }
    const [first, ...others] = this.failures
    // A copy that never began has changed nothing; the one that it was to replace may have failed meanwhile.
    if (first === undefined || this.copies.some((other) => other.alive)) return
    this.decide(Exit.failCause(together([first, ...others])))
  }

  private decide(exit: AnyExit, winner?: Copy): void {
    this.outcome = exit
    this.winner = winner
    if (winner !== undefined) this.plan.answered(this.copies[0]!.alive || winner.index === 0)
    this.stopAll()
  }

  /** The caller is gone: nobody wins, not even who has. */
  private abandon(exit: AnyExit): void {
    this.outcome = exit
    this.winner = undefined
    this.stopAll()
  }

  private stopAll(): void {
    this.stopTimer?.()
    this.stopTimer = undefined
    for (const copy of this.copies) {
      if (copy.alive && copy !== this.winner) copy.fiber?.unsafeInterruptAsFork(this.caller.fiber.id())
    }
  }

  /** What comes back: the price of a copy that never began, and of one that was worth it. */
  private settleBooks(exit: AnyExit): Effect.Effect<AnyExit> {
    const back = this.copies.reduce(
      (sum, copy) => (copy === this.winner || !copy.started ? sum + copy.paid : sum),
      0
    )
    const { budget } = this.settings
    return budget === undefined || back === 0 ? Effect.succeed(exit) : Effect.as(budget.deposit(back), exit)
  }
}

/** What a copy is priced like: it follows work whose outcome is unknown because it takes long. */
const late = new GenerationError.Timeout({ phase: "attempt", message: "takes long" })

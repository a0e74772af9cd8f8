/**
 * One copy of a stream. It is opened, pulled and closed in a fiber of its own, one pull at a time and only when asked,
 * since what a stream forks while it is pulled belongs to the fiber that pulls it.
 */
import * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AnyExit } from "../timeLimits.js"
import type { AnyFiber, Step } from "../visit.js"

export type AnyStream = Stream.Stream<unknown, unknown, unknown>
type Elements = Chunk.Chunk<unknown>
type Pull = Effect.Effect<Elements, Option.Option<unknown>, unknown>

/** What a pull of the whole stream ends with. */
export type Pulled = Effect.Effect<Elements, Option.Option<unknown>>

/** How a stream ended, as its last pull tells it. */
export const endOf = (exit: AnyExit): Pulled =>
  exit._tag === "Success" ? Effect.fail(Option.none()) : Effect.failCause(Cause.map(exit.cause, Option.some))

export class Reader {
  private fiber: AnyFiber | undefined = undefined
  private elements: Elements | undefined = undefined
  private ended: AnyExit | undefined = undefined
  private won = false
  private asked = false
  private closedWith: Exit.Exit<unknown, unknown> | undefined = undefined
  private wakeReader: (() => void) | undefined = undefined
  private wakeConsumer: (() => void) | undefined = undefined

  /** `claim` is asked before the first element is handed out, and says whether it may be. */
  constructor(private readonly stream: AnyStream, private readonly claim: () => boolean) {}

  /** What the fiber of the copy runs. */
  readonly run: Step = Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Scope.make(), (scope) => {
      const opened = Scope.extend(Stream.toPull(this.stream), scope)
      return Effect.flatMap(Effect.exit(restore(Effect.flatMap(opened, (pull) => this.serve(pull)))), (exit) =>
        Effect.zipRight(Scope.close(scope, this.closedWith ?? exit), exit))
    })
  )

  /** The copy has won: from now on it is this one that is read. */
  attach(fiber: AnyFiber): void {
    this.fiber = fiber
    fiber.addObserver((exit) => {
      this.ended = exit
      this.wakeConsumer?.()
    })
  }

  /** Asks for more, and waits for it; for regions without interruption, of which this can be open. */
  readonly more: Effect.Effect<void> = Effect.suspend(() => {
    this.asked = true
    this.wakeReader?.()
    return this.answer
  })

  /** What has come. */
  take(): Pulled {
    const { elements } = this
    this.elements = undefined
    return elements === undefined ? endOf(this.ended!) : Effect.succeed(elements)
  }

  /** Stops it in the middle of a pull. */
  interrupt(by: FiberId.FiberId): Effect.Effect<unknown> {
    return Fiber.interruptAs(this.fiber!, by)
  }

  /** The consumer has ended: what is open is closed as if it had been the consumer's own. */
  close(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.ended !== undefined || this.fiber === undefined) return Effect.void
      this.closedWith = exit
      this.wakeReader?.()
      return Effect.asVoid(this.fiber.await)
    })
  }

  private serve(pull: Pull): Step {
    return Effect.matchCauseEffect(pull, {
      onSuccess: (elements) => (elements.length === 0 ? this.serve(pull) : this.handOut(elements, pull)),
      onFailure: (cause) => {
        const failure = Cause.failureOption(cause)
        if (Option.isSome(failure) && Option.isNone(failure.value)) return Effect.void
        return Effect.failCause(Cause.flatMap(cause, Option.match({ onNone: () => Cause.empty, onSome: Cause.fail })))
      }
    })
  }

  private handOut(elements: Elements, pull: Pull): Step {
    return Effect.suspend(() => {
      this.elements = elements
      if (!this.won && !this.claim()) {
        // Another copy was faster, and this one is about to be stopped.
        this.elements = undefined
        return Effect.never
      }
      this.won = true
      this.wakeConsumer?.()
      return Effect.flatMap(this.demand, () => (this.closedWith === undefined ? this.serve(pull) : Effect.void))
    })
  }

  private readonly demand: Effect.Effect<void> = Effect.async<void>((resume) => {
    const wake = () => {
      this.wakeReader = undefined
      this.asked = false
      resume(Effect.void)
    }
    if (this.asked || this.closedWith !== undefined) wake()
    else this.wakeReader = wake
  })

  private readonly answer: Effect.Effect<void> = Effect.async<void>((resume) => {
    const wake = () => {
      this.wakeConsumer = undefined
      resume(Effect.void)
    }
    if (this.elements !== undefined || this.ended !== undefined) wake()
    else this.wakeConsumer = wake
  })
}

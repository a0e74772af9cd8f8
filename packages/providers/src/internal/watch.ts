/**
 * One clock for one exchange: it knows the phase that the exchange is in and when that phase must be over.
 *
 * `enter` is a plain function, so a connection's callbacks can call it. A sleeper waits for the deadline that it knew
 * when it lay down: one that has moved later is noticed when it wakes, one that has moved earlier gets a new sleeper.
 *
 * `Effect.raceFirst` and `Effect.timeout` would be shorter. But run by a stream that is interrupted at an unlucky
 * moment, they wait for their loser, and that is a timer of minutes.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"

export interface Watch<Phase extends string> {
  /** Now in this phase, which may last this long, in milliseconds. Restarts the clock also for the same phase. */
  readonly enter: (phase: Phase, millis: number) => void
  readonly phase: () => Phase
  /** The limit of the present phase, in milliseconds. */
  readonly limit: () => number
  /** Calls back, once, when a phase has outlived its limit; gives a function that stops watching. */
  readonly onExpiry: (expired: () => void) => () => void
}

export const make = <Phase extends string>(phase: Phase, millis: number): Effect.Effect<Watch<Phase>> =>
  Effect.clockWith((clock) =>
    Effect.map(Effect.runtime<never>(), (runtime) => {
      const now = (): number => clock.unsafeCurrentTimeMillis()
      let current = phase
      let limit = millis
      let deadline = now() + millis
      let wakesAt = Infinity
      let listener: (() => void) | undefined
      let dismiss = (): void => {}

      const sleep = (): void => {
        dismiss()
        wakesAt = deadline
        if (listener === undefined || deadline === Infinity) return
        const sleeper = Runtime.runFork(runtime)(clock.sleep(Duration.millis(Math.max(0, deadline - now()))))
        dismiss = () => sleeper.unsafeInterruptAsFork(FiberId.none)
        sleeper.addObserver((exit) => {
          if (Exit.isSuccess(exit)) wake()
        })
      }
      const wake = (): void => {
        dismiss = () => {}
        if (now() < deadline) return sleep()
        const expired = listener
        listener = undefined
        expired?.()
      }

      return {
        enter: (next, duration) => {
          current = next
          limit = duration
          deadline = now() + duration
          if (deadline < wakesAt) sleep()
        },
        phase: () => current,
        limit: () => limit,
        onExpiry: (expired) => {
          listener = expired
          sleep()
          return () => {
            listener = undefined
            dismiss()
          }
        }
      }
    })
  )

/**
 * Runs the effect until it ends or a phase outlives its limit. What runs is then interrupted and its finalizers are
 * waited for; so it is when the caller is interrupted. Works in uninterruptible regions too.
 */
export const guard = <A, E, R, Phase extends string, E2>(
  self: Effect.Effect<A, E, R>,
  watch: Watch<Phase>,
  onExpiry: (phase: Phase, millis: number) => E2
): Effect.Effect<A, E | E2, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDaemon(Effect.interruptible(self)), (running) => {
      let stop = (): void => {}
      const first = Effect.async<Exit.Exit<A, E> | undefined>((resume) => {
        running.addObserver((exit) => resume(Effect.succeed(exit)))
        stop = watch.onExpiry(() => resume(Effect.succeed(undefined)))
      })
      return Effect.matchCauseEffect(restore(first), {
        onSuccess: (exit): Effect.Effect<A, E | E2> => {
          stop()
          if (exit !== undefined) return Exit.isSuccess(exit) ? Effect.as(Fiber.inheritAll(running), exit.value) : exit
          // The phase that ran out, before the interruption can move it.
          const error = onExpiry(watch.phase(), watch.limit())
          return Effect.zipRight(Fiber.interrupt(running), Effect.fail(error))
        },
        onFailure: (cause) => {
          stop()
          return Effect.zipRight(Fiber.interrupt(running), Effect.failCause(cause))
        }
      })
    })
  )

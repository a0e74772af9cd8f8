/**
 * One clock for one exchange: it knows the phase that the exchange is in and when that phase must be over.
 *
 * `enter` is a plain function, so a connection's callbacks can call it. The watching fiber sleeps until the deadline
 * it knew; a deadline that moved later is noticed when it wakes, one that moved earlier wakes it.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

export interface Watch<Phase extends string> {
  /** Now in this phase, which may last this long, in milliseconds. Restarts the clock also for the same phase. */
  readonly enter: (phase: Phase, millis: number) => void
  readonly phase: () => Phase
  /** The limit of the present phase, in milliseconds. */
  readonly limit: () => number
  /** Ends when a phase has outlived its limit, with that phase. */
  readonly expiry: Effect.Effect<Phase>
}

export const make = <Phase extends string>(phase: Phase, millis: number): Effect.Effect<Watch<Phase>> =>
  Effect.clockWith((clock) =>
    Effect.sync(() => {
      let current = phase
      let limit = millis
      let deadline = clock.unsafeCurrentTimeMillis() + millis
      let sleepingUntil = Infinity
      let wake = (): void => {}

      const moved = Effect.async<void>((resume) => {
        wake = () => resume(Effect.void)
      })
      const sleep = Effect.suspend(() => {
        const wait = deadline - clock.unsafeCurrentTimeMillis()
        sleepingUntil = deadline
        return deadline === Infinity ? moved : Effect.raceFirst(Clock.sleep(Duration.millis(wait)), moved)
      })
      const expiry: Effect.Effect<Phase> = Effect.suspend(() =>
        clock.unsafeCurrentTimeMillis() >= deadline ? Effect.succeed(current) : Effect.zipRight(sleep, expiry)
      )
      return {
        enter: (next, duration) => {
          current = next
          limit = duration
          deadline = clock.unsafeCurrentTimeMillis() + duration
          if (deadline < sleepingUntil) wake()
        },
        phase: () => current,
        limit: () => limit,
        expiry
      }
    })
  )

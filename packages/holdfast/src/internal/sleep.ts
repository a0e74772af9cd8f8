/** Sleeping to an instant, however far: the clock's own sleep loses waits beyond 24.8 days. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { maxTimerMillis } from "./timer.js"

/** Sleeps until the clock shows `at`, in milliseconds since the epoch. Returns at once when that has passed. */
export const until = (at: number): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const wait = at - now
    if (!(wait > 0)) return Effect.void
    const sleep = Effect.sleep(Duration.millis(Math.min(wait, maxTimerMillis)))
    return wait > maxTimerMillis ? Effect.zipRight(sleep, until(at)) : sleep
  })

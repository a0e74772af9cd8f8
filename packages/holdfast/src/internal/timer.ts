/**
 * One timer on the fiber's clock, as cheap as the clock permits. Under the live clock a plain timer costs half a
 * microsecond where a sleeping fiber costs ten; under any other clock (tests) a fiber sleeps on it, so virtual time
 * holds. The only place where real timers may be used.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"

/** The clock of a running fiber, for reading without a step of its own. */
export const clockOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Clock.Clock =>
  Context.get(fiber.currentDefaultServices, Clock.Clock)

/** What that clock shows, in milliseconds since the epoch. */
export const nowOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): number => clockOf(fiber).unsafeCurrentTimeMillis()

/** The longest wait that JavaScript timers keep, 24.8 days; a longer one would fire at once, or never. */
export const maxTimerMillis = 2 ** 31 - 1

/** Runs `task` once after `millis`, unless cancelled first. A wait beyond `maxTimerMillis` never ends. */
export const schedule = (fiber: Fiber.RuntimeFiber<unknown, unknown>, millis: number, task: () => void): () => void => {
  if (millis > maxTimerMillis) return () => {}
  const clock = clockOf(fiber)
  if (clock === Context.get(DefaultServices.liveServices, Clock.Clock)) {
    const handle = setTimeout(task, millis)
    return () => clearTimeout(handle)
  }
  const run = Runtime.runFork(
    Runtime.make({
      context: Context.empty(),
      runtimeFlags: Runtime.defaultRuntimeFlags,
      fiberRefs: fiber.getFiberRefs()
    })
  )
  const sleeper = run(Effect.map(clock.sleep(Duration.millis(millis)), task))
  return () => sleeper.unsafeInterruptAsFork(fiber.id())
}

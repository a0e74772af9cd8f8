/** An effect with further copies of it, where it takes long. */
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as RuntimeFlags from "effect/RuntimeFlags"
import { ofFiber } from "../../CurrentCall.js"
import { planOf, type Settings } from "./plan.js"
import { Race } from "./race.js"

export const hedged = <A, E, R>(settings: Settings, self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime<A, E, R>((fiber, { runtimeFlags }) => {
    const plan = planOf(settings, fiber, ofFiber(fiber))
    // Who cannot be interrupted could not stop a copy that lost.
    if (plan.delay === Infinity || !RuntimeFlags.interruptible(runtimeFlags)) {
      return Effect.map(self, (answer) => {
        plan.answered(true)
        return answer
      })
    }
    const race = new Race(settings, plan, { fiber, flags: runtimeFlags, refs: fiber.getFiberRefs() }, () => self)
    const ended = Effect.flatMap(Effect.suspend(() => race.run()), (exit) => {
      const changed = race.winner?.fiber?.getFiberRefs()
      if (changed === undefined) return exit
      // What the winner changed in its fiber refs comes back, but for the context, which is the copy's own.
      return Effect.zipRight(Effect.inheritFiberRefs(FiberRefs.delete(changed, FiberRef.currentContext)), exit)
    })
    // The race ends with what the effect ends with.
    return Effect.uninterruptible(ended) as Effect.Effect<A, E, R>
  })

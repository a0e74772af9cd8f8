/** A stream behind a gate: the ticket is held until the stream ends, in whatever way. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { CurrentCall, ofFiber } from "../CurrentCall.js"
import type { Gate } from "./gate.js"
import { provideStream } from "./provideStream.js"
import { nowOf } from "./timer.js"
import { type AnyFiber, type AnyGate, anyGate, begin, type Step, Visit } from "./visit.js"

/** Hands the ticket to somebody who has promised to give it back. */
class Acquisition extends Visit {
  constructor(protected readonly gate: AnyGate, fiber: AnyFiber) {
    super(fiber, ofFiber(fiber))
  }

  /** `acquireRelease` masks interruption; a wait must be open to it. */
  protected get interruptible(): boolean {
    return true
  }

  begin(): Step {
    return this.ask()
  }

  protected entered(ticket: unknown): Step {
    return Effect.succeed(ticket)
  }

  protected refused(error: unknown): Step {
    return Effect.fail(error)
  }

  protected interruptedBy(cause: Cause.Cause<unknown>): Step {
    return Effect.failCause(cause)
  }
}

/** A stream behind a gate. */
export const streamThroughGate = <A, E1, R, E, T>(
  gate: Gate<E, T>,
  self: Stream.Stream<A, E1, R>
): Stream.Stream<A, E1 | E, R> =>
  Stream.flatMap(
    Stream.acquireRelease(
      Effect.withFiberRuntime<T, E>((fiber) => {
        new Acquisition(anyGate(gate), fiber)
        return begin as Effect.Effect<T, E>
      }),
      (ticket, exit) =>
        Effect.withFiberRuntime<void>((fiber) =>
          Effect.sync(() => gate.leave(ticket, exit, nowOf(fiber)))
        )
    ),
    (ticket) => {
      const { within } = gate
      if (within === undefined) return self
      return Stream.unwrap(Effect.map(CurrentCall, (call) => provideStream(self, within(ticket, call))))
    }
  )

/**
 * Bounds a single attempt: its whole length, and for streams the wait for the first element and the silence between two.
 *
 * Patient by default: an accepted generation is not abandoned before the deadline, because giving up on running work
 * wastes capacity that is short, may be billed, and invites a second copy of the same work. The network's own phases
 * (connect, headers, body…) are bounded by the clients.
 */
import * as Duration from "effect/Duration"
import type { Call } from "./CurrentCall.js"
import { Timeout, type TimeoutPhase } from "./GenerationError.js"
import { limitedStream } from "./internal/limitedStream.js"
import * as Options from "./internal/options.js"
import { staged } from "./internal/policy.js"
import { type Limit, limitStage } from "./internal/stage.js"
import { maxTimerMillis } from "./internal/timer.js"
import type * as Policy from "./Policy.js"

/** Options of `make`; each duration is above 0 and at most 24 days. */
export interface MakeOptions {
  /** Default `"Timeout"`. */
  readonly name?: string | undefined
  /**
   * Longest attempt, or longest stream: `"patient"` waits until the deadline, a duration is strict and abandons what
   * takes longer. Default `"patient"`.
   */
  readonly attempt?: Duration.DurationInput | "patient" | undefined
  /** Longest wait for a stream's first element. Default none. */
  readonly firstChunk?: Duration.DurationInput | undefined
  /** Longest silence between two elements of a stream. Default none. */
  readonly idle?: Duration.DurationInput | undefined
}

/** The defaults, as the docs table states them. */
export const defaults = { name: "Timeout", attempt: "patient" } as const satisfies MakeOptions

const timedOut = (phase: TimeoutPhase, millis: number, call: Call): Timeout =>
  new Timeout({
    phase,
    endpoint: call.endpoint,
    model: call.model,
    message: `no ${phase === "attempt" ? "answer" : "output"} within ${Duration.format(Duration.millis(millis))} (${phase})`
  })

/** A policy that fails an attempt with `Timeout` (phase `attempt`, `first-chunk` or `idle`) when it takes too long. */
export const make = (options: MakeOptions = {}): Policy.Policy<Timeout> => {
  const limit = (field: string, input: Duration.DurationInput | undefined) =>
    input === undefined ? Infinity : Options.millis("Timeout.make", field, input, 0, { min: 1, max: maxTimerMillis })
  const attempt = limit("attempt", options.attempt === "patient" ? undefined : options.attempt)
  const firstChunk = limit("firstChunk", options.firstChunk)
  const idle = limit("idle", options.idle)
  const within = (millis: number, phase: TimeoutPhase, allowed: number, call: Call): Limit<Timeout> => ({
    millis,
    call,
    onTimeout: () => timedOut(phase, allowed, call)
  })
  return staged<Timeout>({
    kind: "Timeout",
    name: options.name,
    options: {
      attempt: attempt === Infinity ? "patient" : attempt,
      ...(firstChunk === Infinity ? {} : { firstChunk }),
      ...(idle === Infinity ? {} : { idle })
    },
    stage: attempt === Infinity ? undefined : limitStage((call) => within(attempt, "attempt", attempt, call)),
    applyStream: (self) =>
      Math.min(attempt, firstChunk, idle) === Infinity
        ? self
        : limitedStream(self, ({ call, emitted, now, streamStartedAt }) => {
          const [silence, phase] = emitted ? ([idle, "idle"] as const) : ([firstChunk, "first-chunk"] as const)
          const left = streamStartedAt + attempt - now
          return left < silence ? within(left, "attempt", attempt, call) : within(silence, phase, silence, call)
        })
  })
}

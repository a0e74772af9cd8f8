/**
 * Bounds a single attempt: its whole length, and for streams the wait for the first element and the silence between two.
 *
 * Patient by default: without `attempt` an accepted generation is never abandoned before the deadline, because giving
 * up on running work wastes capacity that is short, may be billed, and invites a second copy of the same work. The
 * network's own phases (connect, headers, body…) are bounded by the clients.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type Call, CurrentCall, ofFiber } from "./CurrentCall.js"
import { Timeout, type TimeoutPhase } from "./GenerationError.js"
import * as Options from "./internal/options.js"
import { timeLimit } from "./internal/timeLimit.js"
import { maxTimerMillis } from "./internal/timer.js"
import * as Policy from "./Policy.js"

/** Options of `make`; each limit is above 0 and at most 24 days. */
export interface MakeOptions {
  /** Default `"Timeout"`. */
  readonly name?: string | undefined
  /** Longest attempt, or longest stream. Default none: wait until the deadline. */
  readonly attempt?: Duration.DurationInput | undefined
  /** Longest wait for a stream's first element. Default none. */
  readonly firstChunk?: Duration.DurationInput | undefined
  /** Longest silence between two elements of a stream. Default none. */
  readonly idle?: Duration.DurationInput | undefined
}

const timedOut = (phase: TimeoutPhase, millis: number, call: Call): Timeout =>
  new Timeout({
    phase,
    endpoint: call.endpoint,
    model: call.model,
    message: `no ${phase === "attempt" ? "answer" : "output"} within ${Duration.format(Duration.millis(millis))} (${phase})`
  })

/** A policy that fails an attempt with `Timeout` (phase `attempt`, `first-chunk` or `idle`) when it takes too long. */
export const make = (options: MakeOptions = {}): Policy.Policy<Timeout> => {
  const limit = (field: "attempt" | "firstChunk" | "idle") =>
    options[field] === undefined
      ? Infinity
      : Options.millis("Timeout.make", field, options[field], 0, { min: 1, max: maxTimerMillis })
  const attempt = limit("attempt")
  const firstChunk = limit("firstChunk")
  const idle = limit("idle")
  const bounded = <A, E, R>(self: Effect.Effect<A, E, R>, millis: number, phase: TimeoutPhase) =>
    timeLimit(self, (fiber) => {
      const call = ofFiber(fiber)
      return { millis, call, onTimeout: () => timedOut(phase, millis, call) }
    })
  return Policy.make<Timeout>({
    kind: "Timeout",
    name: options.name,
    options: {
      ...(attempt === Infinity ? {} : { attempt }),
      ...(firstChunk === Infinity ? {} : { firstChunk }),
      ...(idle === Infinity ? {} : { idle })
    },
    apply: (self) => (attempt === Infinity ? self : bounded(self, attempt, "attempt")),
    applyStream: <A, E1, R>(self: Stream.Stream<A, E1, R>) => {
      const paced = firstChunk === Infinity && idle === Infinity ? self : pace(self, firstChunk, idle, bounded)
      if (attempt === Infinity) return paced
      const timesUp = Effect.flatMap(CurrentCall, (call) =>
        Effect.zipRight(
          Effect.sleep(Duration.millis(attempt)),
          Effect.failSync(() => timedOut("attempt", attempt, call))
        ))
      return Stream.interruptWhen(paced, timesUp)
    }
  })
}

/** Bounds each pull of a stream: the first by one limit, the others by another. */
const pace = <A, E, R>(
  self: Stream.Stream<A, E, R>,
  firstChunk: number,
  idle: number,
  bounded: <A2, E2, R2>(
    pull: Effect.Effect<A2, E2, R2>,
    millis: number,
    phase: TimeoutPhase
  ) => Effect.Effect<A2, E2 | Timeout, R2>
): Stream.Stream<A, E | Timeout, R> =>
  Stream.unwrapScoped(
    Effect.map(Stream.toPull(self), (pull) => {
      let started = false
      const next = Effect.suspend(() => {
        const [millis, phase] = started ? ([idle, "idle"] as const) : ([firstChunk, "first-chunk"] as const)
        return Effect.tap(
          millis === Infinity ? pull : bounded(pull, millis, phase),
          (chunk) => Effect.sync(() => {
            started = started || chunk.length > 0
          })
        )
      })
      return Stream.repeatEffectChunkOption(
        Effect.mapError(next, (error): Option.Option<E | Timeout> =>
          Option.isOption(error) ? error : Option.some(error))
      )
    })
  )

/**
 * The time allowed for a whole generation: one instant that every layer sees and none can move later.
 *
 * Retries and off-peak waits read it from `CurrentCall` and stop while there is still time to say why; the policy made
 * here is the last resort that interrupts what is still running. Use `Timeout` to bound a single attempt.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Call, CurrentCall } from "./CurrentCall.js"
import { limitedStream } from "./internal/limitedStream.js"
import * as Options from "./internal/options.js"
import { staged } from "./internal/policy.js"
import { type Limit, limitStage } from "./internal/stage.js"
import { maxTimerMillis } from "./internal/timer.js"
import type * as Policy from "./Policy.js"
import { DeadlineExceeded } from "./Rejected.js"

/** Options of `make`. */
export interface MakeOptions {
  /** Default `"Deadline"`. */
  readonly name?: string | undefined
  /** Time allowed, from the start of the call; above 0, at most 24 days. */
  readonly duration: Duration.DurationInput
}

const exceeded = (name: string, allowed: number, call: Call): DeadlineExceeded => {
  const attempts = call.log?.attempts ?? []
  const made = call.log?.started ?? 0
  const last = attempts.findLast((attempt) => attempt.error !== undefined)?.error
  const allowance = Duration.format(Duration.millis(Math.max(0, allowed)))
  return new DeadlineExceeded({
    policy: "Deadline",
    policyName: name,
    message: `no result within ${allowance}, after ${made} ${made === 1 ? "attempt" : "attempts"}: ` +
      "allow more time, or try again when the model is less loaded",
    attempts: [...attempts],
    last
  })
}

/**
 * A policy that ends the call with `DeadlineExceeded` when its time is up. Within another deadline the earlier of the
 * two holds.
 */
export const make = (options: MakeOptions): Policy.Policy<DeadlineExceeded> => {
  const name = options.name ?? "Deadline"
  const allowed = Options.millis("Deadline.make", "duration", options.duration, 0, { min: 1, max: maxTimerMillis })
  const limit = (call: Call, now: number): Limit<DeadlineExceeded> => ({
    millis: call.deadline - now,
    call,
    onTimeout: () => exceeded(name, allowed, call)
  })
  const within = (outer: Call, start: number): Call => ({ ...outer, deadline: Math.min(outer.deadline, start + allowed) })
  return staged<DeadlineExceeded>({
    kind: "Deadline",
    name,
    options: { duration: allowed },
    stage: limitStage((call, now) => limit(within(call, now), now)),
    applyStream: (self) =>
      limitedStream(self, ({ call, now, streamStartedAt }) => limit(within(call, streamStartedAt), now))
  })
}

/** When the current call must be done, in milliseconds since the epoch; `Infinity` without a deadline. */
export const current: Effect.Effect<number> = Effect.map(CurrentCall, (call) => call.deadline)

/** The time left for the current call, zero when it is over, infinite without a deadline. */
export const remaining: Effect.Effect<Duration.Duration> = Effect.zipWith(
  CurrentCall,
  Clock.currentTimeMillis,
  (call, now) => (call.deadline === Infinity ? Duration.infinity : Duration.millis(Math.max(0, call.deadline - now)))
)

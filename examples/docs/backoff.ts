import { type Duration, Effect, Schedule, Stream } from "effect"
import { Backoff, GenerationError, LoadProfile, OffPeak } from "holdfast"

// The ladder of the pages: 2, 4, 8, 16, 32, 60, 60… s, each drawn between half of it and all of it.
export const ladder = Backoff.exponential({ base: "2 seconds", cap: "1 minute", jitter: "equal" })

// Bounds come after it, in any order.
export const bounded = ladder.pipe(
  Backoff.upToAttempts(6),
  Backoff.upToElapsed("5 minutes"),
  Backoff.withinDeadline({ attempt: "20 seconds" })
)

/** The ladders of the page's table. */
export const ladders: Readonly<Record<string, Backoff.Backoff>> = {
  exponential: Backoff.exponential({ jitter: "none" }),
  linear: Backoff.linear({ jitter: "none" }),
  fibonacci: Backoff.fibonacci({ jitter: "none" }),
  constant: Backoff.constant({ jitter: "none" })
}

interface NotFound {
  readonly _tag: "NotFound"
}

/** Under Effect's own retry: other errors than ours stop it, and need no handling in the schedule. */
export const read = (file: Effect.Effect<string, GenerationError.GenerationError | NotFound>) =>
  Effect.retry(file, bounded)

/** The schedule of somebody else's making, brought under the rules of this module. */
export const foreign = Schedule.spaced("3 seconds").pipe(
  Schedule.intersect(Schedule.recurs(4)),
  Backoff.withServerHint({ maxServerWait: "2 minutes" })
)

/** What would it do? Nothing sleeps: an hour of retries is looked at in a millisecond. */
export const previewed = Backoff.preview(bounded, {
  errors: Array.from({ length: 10 }, () => new GenerationError.Overloaded({ message: "busy" })),
  at: Date.UTC(2026, 0, 5, 14, 0),
  attempt: "10 seconds",
  seed: 1
})

/** `Stream.retry` starts the schedule anew after each element, and hands out again what it has handed out before. */
export const repeats = (parts: Stream.Stream<string, GenerationError.GenerationError>) =>
  Stream.retry(parts, Backoff.upToAttempts(ladder, 3))

/** Combinators after `ladder`, by their names in the page's table. */
export const combined: Readonly<Record<string, Schedule.Schedule<unknown, unknown>>> = {
  "Backoff.upToAttempts": Backoff.upToAttempts(ladder, 5),
  "Backoff.upToElapsed": Backoff.upToElapsed(ladder, "10 minutes"),
  "Backoff.withinDeadline": Backoff.withinDeadline(ladder),
  "OffPeak.stretch": OffPeak.stretch(ladder, LoadProfile.nanoBanana),
  "Schedule.intersect": Schedule.intersect(ladder, Schedule.recurs(5)),
  "Schedule.upTo": Schedule.upTo(ladder, "10 minutes"),
  "Schedule.whileInput": Schedule.whileInput(ladder, (error: unknown) => error !== undefined),
  "Schedule.whileOutput": Schedule.whileOutput(ladder, (delay: Duration.Duration) => delay !== undefined),
  "Schedule.tapOutput": Schedule.tapOutput(ladder, () => Effect.void),
  "Schedule.map": Schedule.map(ladder, String),
  "Schedule.addDelay": Schedule.addDelay(ladder, () => "1 second"),
  "Schedule.jittered": Schedule.jittered(ladder),
  "Schedule.delayed": Schedule.delayed(ladder, () => "1 second"),
  "Schedule.modifyDelay": Schedule.modifyDelay(ladder, () => "1 second"),
  "Schedule.union": Schedule.union(ladder, Schedule.spaced("1 second")),
  "Schedule.either": Schedule.either(ladder, Schedule.spaced("1 second")),
  "Schedule.andThen": Schedule.andThen(ladder, Schedule.spaced("1 second"))
}

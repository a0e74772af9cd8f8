import { Clock, Effect, type Schedule } from "effect"
import { Backoff, GenerationError, LoadProfile, OffPeak, Policy, Retry } from "holdfast"

// The built-in table, in UTC: 00-06 low, 06-12 medium, 12-18 peak, 18-24 high.
export const daily = LoadProfile.nanoBanana

// One of your own, on the clock of a place: nights from Monday to Friday, and the whole weekend.
export const office = LoadProfile.make({
  zone: "America/New_York",
  windows: [
    { from: "21:00", to: "24:00", days: "weekdays", level: "low" },
    { from: "00:00", to: "06:00", days: "weekdays", level: "low" },
    { from: "00:00", to: "24:00", days: "weekend", level: "low", failureRatio: 0.02 },
    { from: "09:00", to: "18:00", days: "weekdays", level: "peak" }
  ],
  otherwise: "medium"
})

/** More patience while load is high: delays three times as long at peak, and five more attempts. */
export const patient = Backoff.exponential().pipe(
  Backoff.upToAttempts(5),
  OffPeak.stretch(daily)
)

/** Retried in the night's low: the failures of a whole day come back over its first two hours. */
export const nightly = OffPeak.defer(daily, { atMost: "low", spread: "2 hours", maxDeferral: "20 hours" })

export const render = (image: Effect.Effect<string, GenerationError.GenerationError>) => Effect.retry(image, nightly)

/** Once in each low window, for as long as the program runs. */
export const everyNight = (job: Effect.Effect<void>) => Effect.repeat(job, OffPeak.defer(daily))

/** One item after the other while load is low, a second apart, and on with it in the next window. */
export const workThrough = (next: Effect.Effect<{ readonly _tag: "Item"; readonly id: string }>) =>
  Effect.repeat(next, OffPeak.defer(daily, { under: "repeat", every: "1 second" }))

/** Hours learned from one's own calls: `learn` stands innermost, so that it sees each attempt. */
export const learning = Effect.gen(function*() {
  const learner = yield* LoadProfile.learned({ prior: daily, zone: "UTC" })
  const learned = Policy.compose(
    OffPeak.gate(learner, { otherwise: "fail" }),
    Retry.make({ schedule: Backoff.exponential().pipe(Backoff.upToAttempts(5), OffPeak.stretch(learner)) }),
    OffPeak.learn(learner)
  )
  // Plain JSON: keep it in any store, and give it back after a restart.
  const stored = JSON.stringify(yield* learner.save)
  yield* learner.restore(JSON.parse(stored))
  return learned
})

/** When would it try again? Nothing sleeps. */
export const previewed = (schedule: Schedule.Schedule<unknown, unknown>) =>
  Backoff.preview(schedule, {
    errors: Array.from({ length: 3 }, () => new GenerationError.Overloaded({ message: "busy" })),
    at: Date.UTC(2026, 0, 5, 14, 0)
  })

const { retries } = await Effect.runPromise(previewed(nightly))
console.log(retries.map(({ at }) => new Date(at).toISOString()))
const window = LoadProfile.nextAtMost(office, "low", await Effect.runPromise(Clock.currentTimeMillis))
console.log(window === undefined ? "never" : `the next low window begins at ${new Date(window.start).toISOString()}`)
await Effect.runPromise(learning)

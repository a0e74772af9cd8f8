import { Effect } from "effect"
import { CurrentCall, Deadline, Generation, LoadProfile, Policy, Timeout } from "holdfast"

/** Somebody waits for each picture. */
export const layer = Generation.layer({ policy: Policy.interactive(), deadline: "3 minutes" })

/** The same on a public endpoint, where most others ask again and again. */
export const crowded = Generation.layer({ policy: Policy.persistent(), deadline: "3 minutes" })

/** A process that draws in the night what is wanted in the morning, by the hours of its own provider. */
export const office = LoadProfile.make({
  zone: "America/New_York",
  windows: [{ from: "08:00", to: "19:00", days: "weekdays", level: "peak" }],
  otherwise: "low"
})

export const nightly = Generation.layer({ policy: Policy.batch({ profile: office }), deadline: "16 hours" })

/** Both kinds of work in one process share one policy. Each call brings its own deadline, the layer has none. */
export const shared = Generation.layer({ policy: Policy.interactive() })

export const portrait = (prompt: string) =>
  Policy.with(Deadline.make({ duration: "3 minutes" }), Generation.generate({ prompt }))

export const poster = (prompt: string) =>
  Policy.with(Deadline.make({ duration: "16 hours" }), Generation.generate({ prompt })).pipe(
    CurrentCall.update({ workClass: "batch" })
  )

/** What is yours stands inside: here a stream may be silent for half a minute at most. */
export const impatient = Effect.map(Policy.interactive(), (preset) =>
  Policy.compose(preset, Timeout.make({ idle: "30 seconds" })))

/** How many wait, by endpoint, beside the policy itself. */
export const watched = Effect.map(Policy.interactive(), (policy) => ({
  policy,
  waiting: Effect.map(policy.admission.state, (endpoints) =>
    [...endpoints].map(([endpoint, { waiting }]) => `${endpoint}: ${waiting}`))
}))

/** What it consists of, for a person. */
export const order = Effect.map(Policy.interactive(), (policy) => Policy.explain(policy).order)

/** To compare with, not to use. */
export const loop = Policy.article()

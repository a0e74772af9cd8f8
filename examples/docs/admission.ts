import { Effect } from "effect"
import { Admission, CurrentCall, Generation, Policy, Retry } from "holdfast"

/** Rejected calls queue again at once: the pace is the back-off. The deadline of the layer ends it. */
export const policy = Effect.map(Admission.make(), (admission) =>
  Policy.compose(Retry.make({ schedule: admission.schedule }), admission))

export const layer = Generation.layer({ policy, deadline: "150 seconds" })

/** Work that nobody waits for goes when nobody else can start; somebody who waits at a counter goes first. */
export const thumbnail = (prompt: string) =>
  Generation.generate({ prompt }).pipe(CurrentCall.update({ workClass: "batch" }))

export const urgent = (prompt: string) =>
  Generation.generate({ prompt }).pipe(CurrentCall.update({ priority: 1 }))

/** A model that answers in seconds, and callers who allow a quarter of a minute. */
export const quick = Admission.make({
  name: "text",
  service: "3 seconds",
  window: "15 seconds",
  quiet: "5 seconds"
})

/** Among careless neighbours: keeps asking while it is rejected, at up to four attempts per request. */
export const persistent = Admission.make({ persistent: Admission.persistent })

/** First only watch: nothing waits and nothing is refused, the state says what would have happened. */
export const watched = Effect.gen(function*() {
  const admission = yield* Admission.make({ dryRun: true })
  const report = Effect.map(admission.state, (endpoints) =>
    [...endpoints].map(([endpoint, { delayed, shed, started }]) =>
      `${endpoint}: of ${started} calls ${delayed} would have waited and ${shed} would have been refused`))
  return { policy: Policy.compose(Retry.make({ schedule: admission.schedule }), admission), report }
})

/** What stands on a dashboard. */
export const line = ({ inFlight, lost, mode, pace, waiting }: Admission.EndpointState): string =>
  mode === "off"
    ? `open, ${inFlight} in flight`
    : `${mode}, ${(pace * 60).toFixed(1)} a minute, ${waiting} wait, ${inFlight} in flight, ${lost} lost`

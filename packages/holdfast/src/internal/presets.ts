/** The compositions that `Policy` offers ready made. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Admission from "../Admission.js"
import * as Backoff from "../Backoff.js"
import * as CurrentCall from "../CurrentCall.js"
import * as LoadProfile from "../LoadProfile.js"
import * as OffPeak from "../OffPeak.js"
import type { ArticleOptions, Policy, Preset, PresetOptions } from "../Policy.js"
import * as Retry from "../Retry.js"
import * as Options from "./options.js"
import * as Policies from "./policy.js"
import { provideStream } from "./provideStream.js"

/**
 * The defaults, as the docs table states them.
 *
 * `maxAttempts` is a bound that can be stated, not one that is meant to be met: the deadline ends the attempts. In
 * simulated overload calls with two and a half minutes made 8 at most, 22 when persistent, and batch jobs with 12 hours
 * 45, or 116. At the lowest pace 100 attempts are two and a half hours of nothing but rejections, 500 are twelve and a
 * half.
 */
export const defaults = {
  interactive: { maxAttempts: 100 },
  persistent: { maxAttempts: 100 },
  batch: { maxAttempts: 500 },
  /** How batch work is put off. */
  offPeak: { spread: "15 minutes", maxDeferral: "36 hours", attempt: "2 hours" }
} as const

/** The levels that are worth waiting for, best first. */
const better = LoadProfile.levels.slice(0, -1)

/**
 * Batch calls wait for the lowest level in reach. Each gate holds a call only when its level comes in time, and a call
 * that has waited for a level passes the gates after it.
 */
const offPeak = (name: string | undefined, profile: LoadProfile.Source): Policy => {
  const gates = better.map((atMost) => OffPeak.gate(profile, { ...defaults.offPeak, atMost }))
  const lowest = Policies.compose(...gates)
  const isBatch = Effect.map(CurrentCall.CurrentCall, ({ workClass }) => workClass === "batch")
  return Policies.make({
    kind: "OffPeak",
    name,
    options: { ...gates[0]?.describe.options, atMost: "lowest in reach", holds: "batch" },
    apply: (self) => Effect.flatMap(isBatch, (waits) => (waits ? lowest.apply(self) : self)),
    applyStream: (self) => Stream.unwrap(Effect.map(isBatch, (waits) => (waits ? lowest.applyStream(self) : self)))
  })
}

/** Everything inside is batch work. */
const batchClass = (name: string | undefined): Policy =>
  Policies.make({
    kind: "WorkClass",
    name,
    options: { workClass: "batch" },
    apply: CurrentCall.update({ workClass: "batch" }),
    applyStream: (self) =>
      Stream.unwrap(
        Effect.map(CurrentCall.CurrentCall, (call) =>
          provideStream(self, { ...call, workClass: "batch" }))
      )
  })

const admitted = (kind: "interactive" | "persistent" | "batch", options: PresetOptions): Effect.Effect<Preset> => {
  const { name, profile = LoadProfile.nanoBanana } = options
  const persistent = options.admission?.persistent ?? (kind === "persistent" ? Admission.persistent : undefined)
  return Effect.map(Admission.make({ name, ...options.admission, persistent }), (admission) => {
    const maxAttempts = Options.count(
      `Policy.${kind}`,
      "maxAttempts",
      options.maxAttempts,
      defaults[kind].maxAttempts,
      { min: 1 }
    )
    const policy = Policies.compose(
      kind === "batch" ? batchClass(name) : Policies.identity,
      offPeak(name, profile),
      Retry.make({ name, schedule: admission.schedule, maxAttempts }),
      admission
    )
    return Object.assign(policy, { admission })
  })
}

export const interactive = (options: PresetOptions = {}): Effect.Effect<Preset> => admitted("interactive", options)

export const persistent = (options: PresetOptions = {}): Effect.Effect<Preset> => admitted("persistent", options)

export const batch = (options: PresetOptions = {}): Effect.Effect<Preset> => admitted("batch", options)

export const article = ({ name }: ArticleOptions = {}): Effect.Effect<Policy> =>
  // The loop knows no outcomes; left to itself, the retry would repeat an unknown one only once.
  Effect.sync(() => Retry.make({ name, schedule: Backoff.article, unknownOutcome: "always" }))

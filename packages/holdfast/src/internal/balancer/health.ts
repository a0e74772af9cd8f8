/**
 * Outlier ejection: an endpoint that fails much more than the others is left out for a time, for longer each time, and
 * comes back on trial. A pure function of state, event and time; ends of ejections are found when somebody looks.
 */

export interface Rules {
  /** Failures in a row that eject. */
  readonly consecutiveFailures: number
  /** Lengths in milliseconds. */
  readonly ejectFor: number
  readonly ejectFactor: number
  readonly maxEject: number
  /** The share by which an ejection may be shorter. */
  readonly jitter: number
}

/** Why an endpoint was ejected. */
export type EjectedFor = "failures" | "outlier"

interface Past {
  /** Ejections so far, those long ago forgotten. */
  readonly ejections: number
  /** When the last of them ended or will end. */
  readonly returned: number
}

export interface Fit extends Past {
  readonly _tag: "Fit"
  /** In a row. */
  readonly failures: number
}

/** Back from an ejection, and not yet successful: the next failure ejects again. */
export interface Trial extends Past {
  readonly _tag: "Trial"
}

export interface Ejected extends Past {
  readonly _tag: "Ejected"
  readonly because: EjectedFor
  readonly since: number
}

export type Health = Fit | Trial | Ejected

export const fit: Health = { _tag: "Fit", failures: 0, ejections: 0, returned: -Infinity }

/** The state as it is now: the end of an ejection is no event. */
export const at = (health: Health, now: number): Health =>
  health._tag === "Ejected" && now >= health.returned
    ? { _tag: "Trial", ejections: health.ejections, returned: health.returned }
    : health

/** An answer to a call that was sent at `sentAt`. One sent before the ejection shows nothing new. */
export const succeeded = (health: Health, sentAt: number, now: number): Health => {
  const { ejections, returned, ...state } = at(health, now)
  return state._tag === "Ejected" && sentAt < state.since
    ? health
    : { _tag: "Fit", failures: 0, ejections, returned: Math.min(returned, now) }
}

/** What a failure meets beside the endpoint's own state. */
export interface Circumstances {
  /** Is there room among the ejected? */
  readonly mayEject: boolean
  /** Does it fail far more than the others? */
  readonly isOutlier: boolean
  /** Uniform in [0, 1). */
  readonly luck: number
}

/** A failure of a call that was sent at `sentAt`. One sent before the last ejection's end was held against it then. */
export const failed = (
  health: Health,
  rules: Rules,
  sentAt: number,
  now: number,
  { isOutlier, luck, mayEject }: Circumstances
): Health => {
  const state = at(health, now)
  if (state._tag === "Ejected" || (state._tag === "Trial" && sentAt < state.returned)) return state
  const failures = state._tag === "Fit" ? state.failures + 1 : rules.consecutiveFailures
  const because = failures >= rules.consecutiveFailures ? "failures" : isOutlier ? "outlier" : undefined
  if (because !== undefined && mayEject) return ejected(state, because, rules, luck, now)
  return state._tag === "Fit" ? { ...state, failures } : state
}

const ejected = (past: Past, because: EjectedFor, rules: Rules, luck: number, now: number): Ejected => {
  const { ejectFactor, ejectFor, jitter, maxEject } = rules
  // One is forgotten for each of the longest ejections that it has stayed.
  const forgotten = past.ejections === 0 ? 0 : Math.floor((now - past.returned) / maxEject)
  const ejections = Math.max(0, past.ejections - forgotten) + 1
  const length = Math.min(maxEject, ejectFor * ejectFactor ** (ejections - 1)) * (1 - jitter * luck)
  return { _tag: "Ejected", because, ejections, since: now, returned: now + length }
}

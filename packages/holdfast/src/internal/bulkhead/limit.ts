/**
 * How many calls may be in flight: a fixed number, or one that follows what the far side can take, by additive increase
 * and multiplicative decrease (AIMD; Chiu and Jain 1989, as TCP and Netflix' concurrency-limits use it).
 */

export interface AimdRules {
  readonly min: number
  readonly max: number
  /** Added after as many successes as the limit is, in calls. */
  readonly increase: number
  /** Factor of a cut. */
  readonly decrease: number
}

export type Limit =
  | { readonly _tag: "Fixed"; readonly size: number }
  | {
    readonly _tag: "Adaptive"
    readonly rules: AimdRules
    /** With the fraction that was earned towards the next permit. */
    readonly size: number
    /** Counts the cuts. A call belongs to the flight in which it started. */
    readonly flight: number
  }

export type Lesson =
  /** A success; `full` if the limit was reached while it was in flight. */
  | { readonly _tag: "Answered"; readonly flight: number; readonly full: boolean }
  /** The far side said that capacity is short. */
  | { readonly _tag: "NoCapacity"; readonly flight: number }

export const make = (size: number, rules: AimdRules | undefined): Limit =>
  rules === undefined ? { _tag: "Fixed", size } : { _tag: "Adaptive", rules, size, flight: 0 }

/** Flights are counted in adaptive limits alone. */
export const flightOf = (limit: Limit): number => (limit._tag === "Fixed" ? 0 : limit.flight)

/** Calls that may be in flight: whole ones. */
export const permits = (limit: Limit): number => Math.floor(limit.size + 1e-9)

/**
 * Learns. What a call from before the last cut meets says nothing of the limit since: one burst of refusals is one
 * cut. A success while there was room says nothing either: the limit must not grow because nobody uses it.
 */
export const learn = (limit: Limit, lesson: Lesson): Limit => {
  if (limit._tag === "Fixed" || lesson.flight !== limit.flight) return limit
  const { decrease, increase, max, min } = limit.rules
  if (lesson._tag === "NoCapacity") {
    return { ...limit, size: Math.max(min, limit.size * decrease), flight: limit.flight + 1 }
  }
  return lesson.full ? { ...limit, size: Math.min(max, limit.size + increase / permits(limit)) } : limit
}

/** Another limit from now on, from which an adaptive one goes on learning. */
export const resize = (limit: Limit, size: number): Limit => ({ ...limit, size })

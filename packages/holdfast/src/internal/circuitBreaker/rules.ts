/** When a breaker trips, for how long, and what closes it again: the options with durations in milliseconds. */
export interface Rules {
  /** `Infinity` for off, here and in the other counts and ratios of tripping. */
  readonly consecutiveFailures: number
  readonly failureRatio: number
  readonly minimumCalls: number
  readonly slowRatio: number
  readonly slowAfter: number
  readonly slowMinimumCalls: number
  readonly window: number
  readonly openFor: number
  readonly openFactor: number
  readonly maxOpen: number
  readonly jitter: number
  readonly probes: number
  readonly successesToClose: number
  readonly acceptedAfter: number
  readonly probeTimeout: number
}

/** Can slowness alone trip it? If not, no call has to be watched while it runs. */
export const watchesSlowness = (rules: Rules): boolean =>
  rules.slowRatio <= 1 && rules.slowMinimumCalls < Infinity && rules.slowAfter < Infinity

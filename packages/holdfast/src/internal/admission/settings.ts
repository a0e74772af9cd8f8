/** The numbers that admission control works with. Times in seconds, rates per second. */

export interface Settings {
  readonly seed: number
  readonly floor: number
  readonly down: number
  readonly up: number
  readonly slowDown: number
  readonly quiet: number
  readonly doubling: number
  readonly late: number
  readonly fit: number
  readonly concurrency: number
  /** Start values of the estimates. */
  readonly service: number
  readonly window: number
  readonly maxWaiting: number
  readonly persistent: Persistence | undefined
}

/** Pace kept up while calls wait and are rejected: an attempt each `pers` seconds a waiting call, for three at most. */
export interface Persistence {
  readonly pers: number
  /** Share of accepted attempts below which persistence fades. */
  readonly fair: number
}

/**
 * What is not worth an option: the results hardly depend on these, over ranges much wider than anybody would choose.
 */
export const fixed = {
  /** Highest pace to start from, per second. */
  maxSeed: 8,
  /** Span over which answers are counted for the start pace. */
  answerSpan: 60,
  /** Span over which our own arrivals are counted. */
  arrivalSpan: 300,
  /** The pace to return to is lowered at most this often, and by this factor. */
  goodEvery: 30,
  goodDown: 0.85,
  /** After a slow cut the pace to return to is this share of the pace before it. */
  goodAfterSlow: 0.7,
  /** Slow cuts are at least this far apart, and this share of the window. */
  slowEvery: 20,
  slowWindowShare: 1 / 4,
  /** In slow mode the quiet lasts at least this many latencies. */
  quietLatencies: 1.3,
  /** Pacing ends after so long without a signal, at a pace of so many times our own arrival rate. */
  offAfter: 120,
  offAbove: 3,
  /** Added to the arrivals counted: few of them say little, and a process that calls twice an hour is not at rest. */
  arrivalDoubt: 5,
  /** A call starts only with this share of the latency left, or this share of the window. */
  latencyMargin: 1.05,
  windowShare: 0.9,
  /** The oldest call in flight stands for the latency when it is older than so many times the average. */
  ageFactor: 1.5,
  /** Weights of the newest value in the averages. */
  serviceWeight: 0.05,
  latencyWeight: 0.25,
  successWeight: 0.1,
  /**
   * Answers that took so many times the service time say something of the queue, not of the service: they raise it by
   * `serviceCreep` only, which is enough to learn of a model that always takes that long. The other way round an answer
   * that was that much faster is proof, and counts at `latencyWeight`.
   */
  serviceOutlier: 2,
  serviceCreep: 0.01,
  /** From which failure in a row on (500s and the like) a failure counts as a rejection. */
  failuresInRow: 3,
  /** A server's time is lengthened by up to this share, so that not all come back at once. */
  hintSpread: 0.1,
  /** Waiting calls that persistence counts at most. */
  persistentCalls: 3
} as const

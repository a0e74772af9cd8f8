/**
 * How good an endpoint looks: its latency, its share of successes, and the one number that they come to. Pure; times
 * are milliseconds and must not go back.
 */

/** The latency of an endpoint as of its last answer. */
export interface Latency {
  readonly millis: number
  readonly at: number
}

/** What is left of something after a time: a memory of one half-life fits calls that come once a minute as well. */
const left = (since: number, now: number, memory: number): number => Math.exp(-Math.max(0, now - since) / memory)

/**
 * The latency to reckon with. It falls while nothing new is heard, so that a slow endpoint, which is not chosen and
 * would never be heard of again, is tried again after a time.
 */
export const latencyAt = ({ at, millis }: Latency, memory: number, now: number): number => millis * left(at, now, memory)

/** Peak-EWMA: it rises to a longer time at once, and falls to shorter ones by the time that has passed. */
export const heard = (known: Latency | undefined, elapsed: number, memory: number, now: number): Latency => {
  if (known === undefined || elapsed >= known.millis) return { millis: elapsed, at: now }
  const old = left(known.at, now, memory)
  return { millis: known.millis * old + elapsed * (1 - old), at: now }
}

/** It took at least so long, and was no answer: that can only be worse than what is known. */
export const heardAtLeast = (known: Latency | undefined, elapsed: number, now: number): Latency | undefined =>
  known !== undefined && elapsed > known.millis ? { millis: elapsed, at: now } : known

/** Successes, and all calls that teach; both fade with time, and never stand for more than `most` calls. */
export interface Tally {
  readonly good: number
  readonly all: number
  readonly at: number
}

export const untold: Tally = { good: 0, all: 0, at: 0 }

export const tallyAt = ({ all, at, good }: Tally, memory: number, now: number): Tally => {
  const rest = left(at, now, memory)
  return { good: good * rest, all: all * rest, at: now }
}

export const counted = (tally: Tally, success: boolean, memory: number, most: number, now: number): Tally => {
  const before = tallyAt(tally, memory, now)
  const good = before.good + (success ? 1 : 0)
  const all = before.all + 1
  const scale = Math.min(1, most / all)
  return { good: good * scale, all: all * scale, at: now }
}

/** As if two more had succeeded: nothing is known of an endpoint that made no call, so it counts as good. */
const benefit = 2

/** The share of successes, above 0 and at most 1. */
export const successOf = ({ all, good }: Tally): number => (good + benefit) / (all + benefit)

/** What one call costs in an endpoint's own time, failures, crowd and money. */
export interface Costs {
  /** Milliseconds. */
  readonly latency: number
  readonly inFlight: number
  /** The endpoint's weight over the mean of all. */
  readonly weight: number
  readonly success: number
  /** Price over that of the cheapest. */
  readonly price: number
  /** How much the price counts, 0 to 1. */
  readonly priceWeight: number
}

/** Lower is better. */
export const score = ({ inFlight, latency, price, priceWeight, success, weight }: Costs): number =>
  (latency * (1 + inFlight / weight) / success) * (1 - priceWeight + priceWeight * price)

/**
 * The pace of one endpoint: attempts per second, learnt from what the endpoint accepts.
 *
 * Off as long as nothing speaks of overload. The first signal turns it on; rejections and slowness cut the pace, good
 * answers bring it back to the last good one and then feel for more, and in the quiet it doubles until it is several
 * times what is asked for and turns off again. Changed in place: a simulation makes millions of steps.
 */
import { fixed, type Settings } from "./settings.js"

export interface Pace {
  mode: "off" | "paced" | "slow"
  /** Attempts per second; of no meaning while off. */
  rate: number
  /** Attempts that may start now, at most `max(1, 2 rate)`. */
  tokens: number
  /** The pace to return to. */
  good: number
  /** Until when `rate` and `tokens` were brought forward. */
  at: number
  /** The last sign of overload, and the last good answer. */
  lastSignal: number
  lastGood: number
  /** What the last sign was: a rejection for want of capacity, one by our own limit, or slowness. */
  cause: "capacity" | "quota" | "slow"
  goodCutAt: number
  slowCutAt: number
}

export const make = (): Pace => ({
  mode: "off",
  rate: 0,
  tokens: 0,
  good: 0,
  at: 0,
  lastSignal: -Infinity,
  lastGood: -Infinity,
  cause: "capacity",
  goodCutAt: -Infinity,
  slowCutAt: -Infinity
})

/**
 * From when on the pace doubles. Capacity comes back at any time, so good answers are no reason to wait; a limit of our
 * own stays where it is, and as long as good answers come they alone raise the pace.
 */
const quietFrom = (self: Pace, settings: Settings, latency: number): number =>
  (self.cause === "quota" ? Math.max(self.lastSignal, self.lastGood) : self.lastSignal) +
  (self.mode === "slow" ? Math.max(settings.quiet, fixed.quietLatencies * latency) : settings.quiet)

/** The pace at a later moment, if nothing happens before. */
export const rateAt = (self: Pace, settings: Settings, latency: number, now: number): number => {
  if (self.mode === "off") return Infinity
  const quiet = now - Math.max(self.at, quietFrom(self, settings, latency))
  return quiet > 0 ? self.rate * 2 ** (quiet / settings.doubling) : self.rate
}

/** Brings pace and tokens forward to `now`: the integral of the pace, so it does not matter how often this is done. */
export const advance = (self: Pace, settings: Settings, latency: number, now: number): void => {
  if (now <= self.at) return
  if (self.mode !== "off") {
    const from = Math.max(self.at, quietFrom(self, settings, latency))
    self.tokens += self.rate * (Math.min(now, from) - self.at)
    if (now > from) {
      const before = self.rate
      self.rate *= 2 ** ((now - from) / settings.doubling)
      self.tokens += ((self.rate - before) * settings.doubling) / Math.LN2
    }
    self.tokens = Math.min(self.tokens, Math.max(1, 2 * self.rate))
  }
  self.at = now
}

/** When the next attempt may start, if nothing happens before; counted from the last `advance`. */
export const tokenAt = (self: Pace, settings: Settings, latency: number): number => {
  const missing = 1 - self.tokens
  if (self.mode === "off" || missing <= 0) return self.at
  const from = Math.max(self.at, quietFrom(self, settings, latency))
  const flat = self.rate * (from - self.at)
  if (flat >= missing) return self.at + missing / self.rate
  return from + settings.doubling * Math.log2(1 + ((missing - flat) * Math.LN2) / (self.rate * settings.doubling))
}

/** When the pace will have grown to `rate`, if nothing happens before. */
export const rateReachedAt = (self: Pace, settings: Settings, latency: number, rate: number): number =>
  rate <= self.rate
    ? self.at
    : Math.max(self.at, quietFrom(self, settings, latency)) + settings.doubling * Math.log2(rate / self.rate)

const signal = (self: Pace, now: number, cause: Pace["cause"]): void => {
  self.lastSignal = now
  self.cause = cause
}

/** The first signal: from the pace at which answers came lately. */
const turnOn = (self: Pace, settings: Settings, answersPerSecond: number, now: number): void => {
  self.mode = "paced"
  self.rate = Math.max(settings.seed, Math.min(fixed.maxSeed, answersPerSecond))
  self.tokens = 0
  self.good = self.rate
  self.at = now
}

/**
 * An early refusal; `quota` when it is our own limit rather than want of capacity. The pace must have been brought
 * forward to `now`.
 */
export const onReject = (
  self: Pace,
  settings: Settings,
  answersPerSecond: number,
  quota: boolean,
  now: number
): void => {
  if (self.mode === "off") turnOn(self, settings, answersPerSecond, now)
  if (now - self.goodCutAt >= fixed.goodEvery) {
    self.good = Math.max(self.rate, fixed.goodDown * self.good)
    self.goodCutAt = now
  }
  self.rate = Math.max(Math.min(self.rate, settings.floor), settings.down * self.rate)
  signal(self, now, quota ? "quota" : "capacity")
}

/** Work that is accepted and not done in time. The pace must have been brought forward to `now`. */
export const onSlow = (
  self: Pace,
  settings: Settings,
  answersPerSecond: number,
  window: number,
  now: number
): void => {
  if (self.mode === "off") turnOn(self, settings, answersPerSecond, now)
  self.mode = "slow"
  if (now - self.slowCutAt >= Math.max(fixed.slowEvery, fixed.slowWindowShare * window)) {
    self.good = Math.max(settings.floor, fixed.goodAfterSlow * self.rate)
    self.rate = Math.max(settings.floor, settings.slowDown * self.rate)
    self.slowCutAt = now
  }
  signal(self, now, "slow")
}

/** An answer in good time. The pace must have been brought forward to `now`. */
export const onGood = (self: Pace, settings: Settings, now: number): void => {
  if (self.mode === "off") return
  self.mode = "paced"
  self.lastGood = now
  self.rate = self.rate < self.good ? Math.min(self.good, 2 * self.rate) : settings.up * self.rate
}

/** Turns the pace off when it no longer holds anything back. Must have been brought forward to `now`. */
export const relax = (self: Pace, arrivalsPerSecond: number, now: number): void => {
  if (self.mode === "off" || now - self.lastSignal < fixed.offAfter) return
  if (self.rate > fixed.offAbove * arrivalsPerSecond) self.mode = "off"
}

/** Keeps the pace up for those who wait, as long as a fair share of the attempts is accepted. */
export const persist = (self: Pace, settings: Settings, waiting: number, success: number): void => {
  const { persistent } = settings
  if (persistent === undefined || self.mode !== "paced" || self.cause !== "capacity" || waiting === 0) return
  const fairness = Math.min(1, success / persistent.fair)
  self.rate = Math.max(self.rate, (Math.min(waiting, fixed.persistentCalls) / persistent.pers) * fairness * fairness)
}

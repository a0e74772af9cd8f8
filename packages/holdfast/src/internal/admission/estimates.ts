/** What is known of one endpoint: how long it takes, how often it accepts, what it still works on. Times in seconds. */
import { Recent } from "./recent.js"
import { fixed, type Settings } from "./settings.js"

export interface Estimates {
  readonly settings: Settings
  readonly arrivals: Recent
  readonly answers: Recent
  /** Calls in flight, and when the oldest of them started; `Infinity` without any. */
  inFlight: number
  oldestStart: number
  /** When calls were lost: their deadline passed in flight, and the server still works on them. Ascending. */
  readonly lost: Array<number>
  /** Usual service time. */
  service: number
  /** Average latency of answers. */
  latency: number
  /** Average share of attempts that end in an answer. */
  success: number
  /** Time allowed for the last call. */
  window: number
  /** Failures in a row. */
  failures: number
}

export const make = (settings: Settings): Estimates => ({
  settings,
  arrivals: new Recent(fixed.arrivalSpan),
  answers: new Recent(fixed.answerSpan),
  inFlight: 0,
  oldestStart: Infinity,
  lost: [],
  service: settings.service,
  latency: settings.service,
  success: 1,
  window: settings.window,
  failures: 0
})

/** Latency as it is now: the average, or the age of the oldest call in flight when that is well above it. */
export const latencyNow = (self: Estimates, now: number): number => {
  const age = now - self.oldestStart
  return age > fixed.ageFactor * self.latency ? age : self.latency
}

/** Time that a call must have left to start. */
export const timeNeeded = (self: Estimates, now: number): number =>
  Math.max(
    self.settings.fit * self.service,
    Math.min(fixed.latencyMargin * latencyNow(self, now), fixed.windowShare * self.window)
  )

/** Calls that the server still works on for nobody: lost within the last `window`. */
export const lostNow = (self: Estimates, now: number): number => {
  let gone = 0
  while (gone < self.lost.length && self.lost[gone]! <= now - self.window) gone++
  if (gone > 0) self.lost.splice(0, gone)
  return self.lost.length
}

export const answersPerSecond = (self: Estimates, now: number): number => self.answers.count(now) / fixed.answerSpan

export const isLate = (self: Estimates, elapsed: number): boolean => elapsed > self.settings.late * self.window

const average = (value: number, sample: number, weight: number): number => value + weight * (sample - value)

export const learnSuccess = (self: Estimates, sample: 0 | 1): void => {
  self.success = average(self.success, sample, fixed.successWeight)
}

/** A latency that is known to be at least so long. */
export const learnAtLeast = (self: Estimates, latency: number): void => {
  self.latency = average(self.latency, Math.max(self.latency, latency), fixed.latencyWeight)
}

export const learnLatency = (self: Estimates, latency: number): void => {
  self.latency = average(self.latency, latency, fixed.latencyWeight)
  if (latency < fixed.serviceOutlier * self.service) {
    const weight = latency * fixed.serviceOutlier < self.service ? fixed.latencyWeight : fixed.serviceWeight
    self.service = average(self.service, latency, weight)
  } else self.service *= 1 + fixed.serviceCreep
}

/**
 * One window of a rate limit: what it allows, how much of that is used, and when the next cost fits. Plain data and
 * pure functions: where it is kept, in memory or in a store that processes share, is not known here.
 *
 * A cost that was granted is `held` until the call really starts, and counts from then, since a provider counts
 * arrivals. For times to come, what is held counts as if it started now, so those times are lower bounds. Times are
 * milliseconds since the epoch, lengths milliseconds.
 */
import type { Zone } from "../time/zone.js"
import { nextMidnight } from "./day.js"

interface Common {
  readonly limit: number
  /** Granted and not started. */
  readonly held: number
}

/** A cost and when it was spent. */
export interface Spent {
  readonly at: number
  readonly cost: number
}

/** Any stretch of `length` holds at most `limit`. */
export interface Sliding extends Common {
  readonly _tag: "Sliding"
  readonly length: number
  /** Oldest first. */
  readonly spent: ReadonlyArray<Spent>
}

/** `burst` at once, and `perMilli` comes back each millisecond. `tokens` were there at `at`, less than 0 with a debt. */
export interface Bucket extends Common {
  readonly _tag: "Bucket"
  readonly burst: number
  readonly perMilli: number
  readonly tokens: number
  readonly at: number
}

/** One after the other, `interval` apart. */
export interface Spaced extends Common {
  readonly _tag: "Spaced"
  readonly interval: number
  readonly next: number
}

/** Empty again `margin` after each midnight of the zone, next at `until`. */
export interface Calendar extends Common {
  readonly _tag: "Calendar"
  readonly zone: Zone
  readonly margin: number
  readonly spent: number
  readonly until: number
}

export type Window = Sliding | Bucket | Spaced | Calendar

/** Entries that a sliding window keeps apart; beyond these, starts that are close to each other leave it together. */
const exactEntries = 500

/** Fractions add up with an error; no cost is that small. */
export const slack = 1e-6

export const sliding = (limit: number, length: number): Window => ({
  _tag: "Sliding",
  limit,
  length,
  held: 0,
  spent: []
})

export const bucket = (limit: number, burst: number, perMilli: number): Window => ({
  _tag: "Bucket",
  limit,
  burst,
  perMilli,
  held: 0,
  tokens: burst,
  at: -Infinity
})

export const spaced = (limit: number, interval: number): Window => ({
  _tag: "Spaced",
  limit,
  interval,
  held: 0,
  next: -Infinity
})

export const calendar = (limit: number, zone: Zone, margin: number): Window => ({
  _tag: "Calendar",
  limit,
  zone,
  margin,
  held: 0,
  spent: 0,
  until: -Infinity
})

/** When the day that `now` belongs to is over. */
export const dayEnd = (self: Calendar, now: number): number => nextMidnight(self.zone, now - self.margin) + self.margin

/** The largest cost that can ever fit. */
export const largest = (self: Window): number => (self._tag === "Bucket" ? self.burst : self.limit)

const sum = (spent: ReadonlyArray<Spent>): number => spent.reduce((total, { cost }) => total + cost, 0)

/** The window with what time has given back by `now`. A clock that was set back gives nothing back. */
export const at = <W extends Window>(self: W, now: number): W => aged(self, now) as W

const aged = (self: Window, now: number): Window => {
  switch (self._tag) {
    case "Sliding": {
      const first = self.spent.findIndex((entry) => entry.at + self.length > now)
      return first === 0 || self.spent.length === 0 ? self : { ...self, spent: first < 0 ? [] : self.spent.slice(first) }
    }
    case "Bucket": {
      if (now <= self.at) return self
      const earned = self.at === -Infinity ? 0 : (now - self.at) * self.perMilli
      return { ...self, tokens: Math.min(self.burst, self.tokens + earned), at: now }
    }
    case "Spaced":
      return self
    case "Calendar":
      return now < self.until ? self : { ...self, spent: 0, until: dayEnd(self, now) }
  }
}

/** The earliest whole millisecond from `now` at which the cost fits; the cost must not pass `largest`. */
export const earliest = (self: Window, cost: number, now: number): number => {
  if (cost === 0) return now
  const { held } = self
  switch (self._tag) {
    case "Sliding": {
      const { spent } = at(self, now)
      let total = sum(spent) + held + cost
      if (total <= self.limit + slack) return now
      for (const entry of spent) {
        total -= entry.cost
        if (total <= self.limit + slack) return Math.ceil(entry.at + self.length)
      }
      return Math.ceil(now + self.length)
    }
    case "Bucket": {
      const missing = held + cost - at(self, now).tokens
      if (missing <= slack) return now
      return Math.max(now, self.at) + Math.max(1, Math.ceil((missing - slack) / self.perMilli))
    }
    case "Spaced":
      return Math.ceil(Math.max(self.next, now) + held * self.interval)
    case "Calendar": {
      const { spent, until } = at(self, now)
      return spent + held + cost <= self.limit + slack ? now : until
    }
  }
}

/** Grants a cost: it counts as used until it is spent or let go. */
export const hold = (self: Window, cost: number): Window => (cost === 0 ? self : { ...self, held: self.held + cost })

/** Takes a grant back. */
export const letGo = (self: Window, cost: number): Window => {
  if (cost === 0) return self
  const held = self.held - cost
  // What is left of a sum of fractions is no cost.
  return { ...self, held: held > slack ? held : 0 }
}

/** Spends a cost whether it fits or not: what is beyond the limit is a debt that later calls wait for. */
export const spend = (self: Window, cost: number, now: number): Window => {
  if (cost === 0) return self
  const current = at(self, now)
  switch (current._tag) {
    case "Sliding":
      return { ...current, spent: insert(current.spent, { at: now, cost }, current.length / exactEntries) }
    case "Bucket":
      return { ...current, tokens: current.tokens - cost }
    case "Spaced":
      return { ...current, next: Math.max(current.next, now) + cost * current.interval }
    case "Calendar":
      return { ...current, spent: current.spent + cost }
  }
}

const insert = (spent: ReadonlyArray<Spent>, entry: Spent, width: number): ReadonlyArray<Spent> => {
  const last = spent.at(-1)
  if (last === undefined || last.at < entry.at) {
    const before = spent.at(-2)
    const merge = last !== undefined && before !== undefined && spent.length >= exactEntries &&
      entry.at - before.at < width
    // The later instant stands for both, so the window never empties too early.
    return merge ? spent.with(-1, { at: entry.at, cost: last.cost + entry.cost }) : [...spent, entry]
  }
  const index = spent.findIndex((other) => other.at >= entry.at)
  const found = spent[index]!
  return found.at === entry.at
    ? spent.with(index, { at: entry.at, cost: found.cost + entry.cost })
    : spent.toSpliced(index, 0, entry)
}

/** Gives back a cost that was spent at `when`, as far as the window still counts it. */
export const refund = (self: Window, cost: number, when: number, now: number): Window => {
  if (cost === 0) return self
  const current = at(self, now)
  switch (current._tag) {
    case "Sliding": {
      // Entries that were merged stand under the latest of them.
      const index = current.spent.findIndex((entry) => entry.at >= when)
      const entry = current.spent[index]
      if (entry === undefined || when + current.length <= now) return current
      const left = entry.cost - cost
      const spent = left > slack
        ? current.spent.with(index, { at: entry.at, cost: left })
        : current.spent.toSpliced(index, 1)
      return { ...current, spent }
    }
    case "Bucket":
      return { ...current, tokens: Math.min(current.burst, current.tokens + cost) }
    case "Spaced":
      // Once somebody else has started, the distance to that start is what counts.
      return current.next === when + cost * current.interval ? { ...current, next: when } : current
    case "Calendar":
      return dayEnd(current, when) === current.until
        ? { ...current, spent: Math.max(0, current.spent - cost) }
        : current
  }
}

/** What is used, grants included; more than the limit when there is a debt. */
export const used = (self: Window, now: number): number => {
  const current = at(self, now)
  switch (current._tag) {
    case "Sliding":
      return sum(current.spent) + current.held
    case "Bucket":
      return current.burst - current.tokens + current.held
    case "Spaced":
      return (current.next > now ? Math.max(1, (current.next - now) / current.interval) : 0) + current.held
    case "Calendar":
      return current.spent + current.held
  }
}

/**
 * Everything that one key of a rate limiter has used: its windows, and until when a provider's own answer has drained
 * them. A value; each function returns the next one.
 */
import * as Window from "./window.js"

/** Which answer of the provider drained the windows. */
export type DrainedBy = "RateLimited" | "QuotaExhausted"

export interface Account {
  readonly windows: ReadonlyArray<Window.Window>
  /** Nothing starts before, in milliseconds since the epoch. */
  readonly drainedUntil: number
  readonly drainedBy: DrainedBy | undefined
}

/** A cost for each window, in their order. */
export type Costs = ReadonlyArray<number>

export const make = (windows: ReadonlyArray<Window.Window>): Account => ({
  windows,
  drainedUntil: -Infinity,
  drainedBy: undefined
})

/** The first window in which the costs can never fit, by its place; -1 when there is none. */
export const impossible = (self: Account, costs: Costs): number =>
  self.windows.findIndex((window, index) => costs[index]! > Window.largest(window))

/** The earliest time from `now` at which the costs fit into every window: once one fits, time alone keeps it fitting. */
export const earliest = (self: Account, costs: Costs, now: number): number =>
  self.windows.reduce(
    (latest, window, index) => Math.max(latest, Window.earliest(window, costs[index]!, now)),
    Math.max(now, Math.ceil(self.drainedUntil))
  )

const each = (self: Account, change: (window: Window.Window, index: number) => Window.Window): Account => ({
  ...self,
  windows: self.windows.map(change)
})

/** Grants the costs. */
export const hold = (self: Account, costs: Costs): Account =>
  each(self, (window, index) => Window.hold(window, costs[index]!))

/** Takes a grant back: the call never started. */
export const letGo = (self: Account, costs: Costs): Account =>
  each(self, (window, index) => Window.letGo(window, costs[index]!))

/** Spends the costs, whether they fit or not. */
export const spend = (self: Account, costs: Costs, now: number): Account =>
  each(self, (window, index) => Window.spend(window, costs[index]!, now))

/** Gives back what was spent at `when` and turned out not to be. */
export const refund = (self: Account, costs: Costs, when: number, now: number): Account =>
  each(self, (window, index) => Window.refund(window, costs[index]!, when, now))

/** Puts what was spent at `when` right by what the call really cost: less comes back, more becomes a debt. */
export const settle = (self: Account, costs: Costs, actual: Costs, when: number, now: number): Account =>
  each(self, (window, index) => {
    const difference = actual[index]! - costs[index]!
    return difference > 0
      ? Window.spend(window, difference, now)
      : Window.refund(window, -difference, when, now)
  })

/** The provider said that there is nothing left until then. A later time stands. */
export const drain = (self: Account, until: number, by: DrainedBy): Account =>
  until > self.drainedUntil ? { ...self, drainedUntil: until, drainedBy: by } : self

/** Forgets what the provider said. */
export const lift = (self: Account): Account => ({ ...self, drainedUntil: -Infinity, drainedBy: undefined })

/** When the last of the days in which `now` lies is over; `undefined` without a day window. */
export const daysEnd = (self: Account, now: number): number | undefined => {
  const ends = self.windows.flatMap((window) => window._tag === "Calendar" ? [Window.dayEnd(window, now)] : [])
  return ends.length === 0 ? undefined : Math.max(...ends)
}

/** Does the account say no more than a new one would? */
export const isEmpty = (self: Account, now: number): boolean =>
  self.drainedUntil <= now && self.windows.every((window) => Window.used(window, now) <= Window.slack)

/**
 * Exponentially decayed counts of calls and capacity failures by hour of the week, and the failure ratio that they
 * tell.
 *
 * Decay is written forward: a new outcome weighs `2^((at - landmark) / halfLife)`, so that recording touches one cell
 * and outcomes may come out of order (Cormode et al., "Forward Decay", ICDE 2009). The ratio of a cell is shrunk to
 * the same hour on days of the same kind (Monday to Friday, Saturday and Sunday), that to the same hour on all other
 * days, and that to the prior. How strongly is read from the data: if the days of a kind differ no more than chance
 * explains, they are pooled, and if they differ a cell soon stands for itself (a method-of-moments estimate of the
 * variance between days, as in DerSimonian and Laird, 1986).
 */
import { day, hour, type Week, week } from "./week.js"
import { timeOfWeek, valueAt } from "./week.js"
import { days, refuse } from "./windows.js"
import type { Zone } from "./zone.js"

export const cells = 168
const hoursOfDay = 24

/** How many outcomes the mean of its neighbours is worth to a cell, at least, at most, and before anything is known. */
const pooling = { min: 4, max: 400, unknown: 40 } as const

/** Weights grow by the time since the landmark; beyond `2^maxExponent` the landmark moves. */
const maxExponent = 200

export interface Counts {
  /** Where an outcome weighs 1, in milliseconds since the epoch. */
  landmark: number
  /** The latest outcome; `-Infinity` before the first. */
  latest: number
  calls: Array<number>
  failures: Array<number>
}

const zeros = (): Array<number> => Array.from({ length: cells }, () => 0)

export const make = (): Counts => ({ landmark: 0, latest: -Infinity, calls: zeros(), failures: zeros() })

/** Hour of the week on the local clock: 0 is Monday 00:00 to 01:00. */
export const cellAt = (zone: Zone, millis: number): number => Math.floor(timeOfWeek(zone, millis) / hour)

const moveLandmark = (self: Counts, to: number, halfLife: number): void => {
  const factor = 2 ** ((self.landmark - to) / halfLife)
  self.calls = self.calls.map((n) => n * factor)
  self.failures = self.failures.map((n) => n * factor)
  self.landmark = to
}

export const record = (self: Counts, cell: number, failed: boolean, at: number, halfLife: number): void => {
  if (self.latest === -Infinity) self.landmark = at
  else if (at - self.landmark > maxExponent * halfLife) moveLandmark(self, at, halfLife)
  self.latest = Math.max(self.latest, at)
  const weight = 2 ** ((at - self.landmark) / halfLife)
  self.calls[cell]! += weight
  if (failed) self.failures[cell]! += weight
}

interface Tally {
  readonly calls: number
  readonly failures: number
}

const none: Tally = { calls: 0, failures: 0 }
const add = (a: Tally, b: Tally): Tally => ({ calls: a.calls + b.calls, failures: a.failures + b.failures })
const minus = (a: Tally, b: Tally): Tally => ({
  calls: Math.max(0, a.calls - b.calls),
  failures: Math.max(0, a.failures - b.failures)
})
const shrink = (own: Tally, mean: number, weight: number): number =>
  (own.failures + weight * mean) / (own.calls + weight)

/** How many outcomes the mean of a group is worth to a member: variance within members over variance between them. */
const poolingWeight = (groups: ReadonlyArray<ReadonlyArray<Tally>>): number => {
  let spread = 0
  let chance = 0
  let size = 0
  let freedom = 0
  for (const group of groups) {
    const members = group.filter((tally) => tally.calls > 0)
    const all = members.reduce(add, none)
    if (members.length < 2) continue
    const mean = all.failures / all.calls
    for (const { calls, failures } of members) spread += calls * (failures / calls - mean) ** 2
    chance += (members.length - 1) * mean * (1 - mean)
    freedom += members.length - 1
    size += all.calls - members.reduce((sum, { calls }) => sum + calls * calls, 0) / all.calls
  }
  if (freedom < hoursOfDay) return pooling.unknown
  const between = Math.max(0, spread - chance) / size
  const within = chance / freedom
  return Math.min(pooling.max, Math.max(pooling.min, within / between || pooling.max))
}

const isWeekend = (cell: number): boolean => cell >= 5 * hoursOfDay

/**
 * The expected failure ratio of each hour of the week, as of the latest outcome: while nothing is called, nothing is
 * forgotten. `priorWeight`: how many outcomes the prior is worth.
 */
export const ratios = (
  self: Counts,
  prior: ReadonlyArray<number>,
  priorWeight: number,
  halfLife: number
): ReadonlyArray<number> => {
  if (self.latest === -Infinity) return prior
  const decay = 2 ** ((self.landmark - self.latest) / halfLife)
  const own = self.calls.map((calls, cell): Tally => ({
    calls: calls * decay,
    failures: self.failures[cell]! * decay
  }))
  const weekdays = Array.from({ length: hoursOfDay }, (): Array<Tally> => [])
  const weekends = Array.from({ length: hoursOfDay }, (): Array<Tally> => [])
  own.forEach((tally, cell) => (isWeekend(cell) ? weekends : weekdays)[cell % hoursOfDay]!.push(tally))
  const kinds = [weekdays.map((group) => group.reduce(add, none)), weekends.map((group) => group.reduce(add, none))]
  const toKind = poolingWeight([...weekdays, ...weekends])
  const toAll = poolingWeight(weekdays.map((_, at) => [kinds[0]![at]!, kinds[1]![at]!]))
  return own.map((tally, cell) => {
    const at = cell % hoursOfDay
    const same = minus(kinds[isWeekend(cell) ? 1 : 0]![at]!, tally)
    const other = kinds[isWeekend(cell) ? 0 : 1]![at]!
    const anyDay = shrink(add(same, other), prior[cell]!, priorWeight)
    return shrink(tally, shrink(same, anyDay, toAll), toKind)
  })
}

/** The mean ratio of a profile in each hour of the week of another zone, over the week around an instant. */
export const sampleHours = (
  profile: Week<{ readonly failureRatio: number }>,
  zone: Zone,
  around: number
): ReadonlyArray<number> => {
  const quarter = hour / 4
  const from = Math.floor(around / quarter) * quarter - week / 2
  const sums = zeros()
  const counts = zeros()
  for (let at = from; at < from + week; at += quarter) {
    const cell = cellAt(zone, at)
    sums[cell]! += valueAt(profile, at).failureRatio
    counts[cell]! += 1
  }
  // An hour that a time change skipped in that week takes its value from the hour before.
  const ratio = sums.map((sum, cell) => sum / counts[cell]!)
  return ratio.map((value, cell) => (Number.isNaN(value) ? ratio[(cell + cells - 1) % cells]! : value))
}

/** What is stored: plain JSON. Counts are decayed to `at`, the time of the latest outcome, `null` before the first. */
export interface Saved {
  readonly format: "holdfast/LoadProfile"
  readonly version: 1
  readonly zone: string
  readonly at: number | null
  /** Decayed calls by hour of the week, Monday 00:00 first. */
  readonly calls: ReadonlyArray<number>
  /** Those of them that failed for want of capacity. */
  readonly failures: ReadonlyArray<number>
}

export const save = (self: Counts, zone: string, halfLife: number): Saved => {
  const empty = self.latest === -Infinity
  const decay = empty ? 0 : 2 ** ((self.landmark - self.latest) / halfLife)
  const scale = (counts: ReadonlyArray<number>) => counts.map((n) => n * decay)
  return {
    format: "holdfast/LoadProfile",
    version: 1,
    zone,
    at: empty ? null : self.latest,
    calls: scale(self.calls),
    failures: scale(self.failures)
  }
}

const isCount = (n: unknown): n is number => typeof n === "number" && Number.isFinite(n) && n >= 0

/** The counts in stored data. Whatever is wrong with it is thrown, by the name of the field. */
export const restore = (owner: string, data: unknown, zone: string): Counts => {
  if (typeof data !== "object" || data === null) return refuse(owner, "data", "a saved load profile", data)
  const saved = data as Readonly<Partial<Record<keyof Saved, unknown>>>
  if (saved.format !== "holdfast/LoadProfile") return refuse(owner, "format", `"holdfast/LoadProfile"`, saved.format)
  if (saved.version !== 1) return refuse(owner, "version", "1", saved.version)
  if (saved.zone !== zone) return refuse(owner, "zone", `the learner's own, "${zone}"`, saved.zone)
  const read = (field: "calls" | "failures"): Array<number> => {
    const list = saved[field]
    if (!Array.isArray(list) || list.length !== cells) {
      return refuse(owner, field, `a list of ${cells} counts`, Array.isArray(list) ? `a list of ${list.length}` : list)
    }
    list.forEach((n: unknown, cell) => {
      if (!isCount(n)) refuse(owner, `${field}[${cell}]`, "a finite number of at least 0", n)
    })
    return [...(list as ReadonlyArray<number>)]
  }
  const calls = read("calls")
  const failures = read("failures")
  // Rounding on the way through a store may leave a trace.
  failures.forEach((n, cell) => {
    if (n > calls[cell]! * (1 + 1e-9) + 1e-9) refuse(owner, `failures[${cell}]`, `at most calls[${cell}]`, n)
  })
  if (saved.at === null) {
    if (calls.some((n) => n > 0)) refuse(owner, "at", "a time, since there are counts", saved.at)
    return make()
  }
  const limit = 100_000_000 * day
  if (typeof saved.at !== "number" || !(Math.abs(saved.at) <= limit)) {
    return refuse(owner, "at", "milliseconds since the epoch, or null", saved.at)
  }
  return { landmark: saved.at, latest: saved.at, calls, failures }
}

/** One slot of an hour for each ratio. */
export const hourSlots = <A>(values: ReadonlyArray<A>) =>
  values.map((value, cell) => ({ from: cell * hour, to: (cell + 1) * hour, value }))

/** The day and the time of an hour of the week. */
export const describeCell = (cell: number) => {
  const two = (n: number) => String(n).padStart(2, "0")
  const at = cell % hoursOfDay
  return { day: days[Math.floor(cell / hoursOfDay)]!, from: `${two(at)}:00`, to: `${two(at + 1)}:00` }
}

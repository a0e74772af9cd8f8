/**
 * The offset of an IANA time zone from UTC as a function of time, cheap enough to be asked on every call. The time
 * line is cut into days; a day's offset is read from `Intl` once, and a change inside the day is found by bisection.
 */

/** A stretch of time, in milliseconds since the epoch and end-exclusive, over which the offset is constant. */
export interface Run {
  readonly start: number
  readonly end: number
  /** Local time minus UTC, in milliseconds. */
  readonly offset: number
}

export interface Zone {
  readonly name: string
  /** The run around an instant. Runs may be cut where nothing changes: two that touch can have the same offset. */
  readonly runAt: (millis: number) => Run
}

const second = 1000
const day = 86_400_000

/** Days kept: two years. A long walk over time does not fill the memory. */
const maxDays = 750

const offsetForm = /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/

const readOffset = (format: Intl.DateTimeFormat, millis: number): number => {
  const parts = format.formatToParts(millis)
  const match = offsetForm.exec(parts.find((part) => part.type === "timeZoneName")?.value ?? "")
  if (match === null) throw new RangeError(`the time zone has no offset that can be read at ${millis}`)
  const [, sign, hours = "0", minutes = "0", seconds = "0"] = match
  const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * second
  return sign === "-" ? -size : size
}

/** Names of UTC itself: they need no `Intl`, so that the built-in profiles cost nothing to load. */
const utcNames: ReadonlySet<string> = new Set(["UTC", "Etc/UTC"])
const always: Run = { start: -Infinity, end: Infinity, offset: 0 }

/** The zone of that IANA name; `undefined` when there is none. */
export const make = (name: string): Zone | undefined => {
  if (utcNames.has(name)) return { name, runAt: () => always }
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" })
  } catch {
    return undefined
  }

  /** The runs of a day. No zone has ever changed twice within 24 hours. */
  const readDay = (index: number): ReadonlyArray<Run> => {
    const start = index * day
    const end = start + day
    const before = readOffset(format, start)
    const after = readOffset(format, end)
    if (before === after) return [{ start, end, offset: before }]
    let low = start
    let high = end
    while (high - low > second) {
      const middle = low + Math.floor((high - low) / (2 * second)) * second
      if (readOffset(format, middle) === before) low = middle
      else high = middle
    }
    return [{ start, end: high, offset: before }, { start: high, end, offset: after }]
  }

  const days = new Map<number, ReadonlyArray<Run>>()
  let last: Run = { start: 0, end: 0, offset: 0 }
  return {
    name,
    runAt: (millis) => {
      if (millis >= last.start && millis < last.end) return last
      const index = Math.floor(millis / day)
      let runs = days.get(index)
      if (runs === undefined) {
        if (days.size >= maxDays) days.clear()
        runs = readDay(index)
        days.set(index, runs)
      }
      const [first, second] = runs
      last = second !== undefined && millis >= second.start ? second : first!
      return last
    }
  }
}

/** The calendar day around an instant, in a time zone, by the local date alone: it can be 23, 24 or 25 hours long. */
import type { Zone } from "../time/zone.js"

const day = 86_400_000

/** The first instant after `millis` whose local date is a later one, in milliseconds since the epoch. */
export const nextMidnight = (zone: Zone, millis: number): number => {
  const { offset } = zone.runAt(millis)
  const local = (Math.floor((millis + offset) / day) + 1) * day
  const guess = local - offset
  const run = zone.runAt(guess)
  // A change of the offset between now and then moves midnight; one at midnight can skip it.
  return Math.max(local - run.offset, run.offset === offset ? -Infinity : run.start)
}

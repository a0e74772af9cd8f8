/**
 * A local week cut into slots, and where its slots lie in real time. A slot covers the instants whose local wall clock
 * shows a time within it: what a spring change skips does not exist, and what an autumn change repeats exists twice.
 */
import type { Zone } from "./zone.js"

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour
export const week = 7 * day

/** A part of the week: `from` and `to` in milliseconds since Monday 00:00 on the local clock, end-exclusive. */
export interface Slot<out A> {
  readonly from: number
  readonly to: number
  readonly value: A
}

/** Slots in order, without gaps, from Monday 00:00 to Sunday 24:00. */
export interface Week<out A> {
  readonly zone: Zone
  readonly slots: ReadonlyArray<Slot<A>>
}

/** A stretch of real time, in milliseconds since the epoch, end-exclusive. */
export interface Stretch {
  readonly start: number
  readonly end: number
}

interface Piece<out A> extends Stretch {
  readonly value: A
}

/** 1970-01-01 was a Thursday. */
const epochOfWeek = 3 * day

/** No window is rarer than once a week; a time change can hide it a few times in a row, not for months. */
const horizon = 100 * day

/** Milliseconds since Monday 00:00 on the local clock. */
export const timeOfWeek = (zone: Zone, millis: number): number =>
  mod(millis + zone.runAt(millis).offset + epochOfWeek, week)

const mod = (a: number, b: number): number => ((a % b) + b) % b

const slotAt = <A>(slots: ReadonlyArray<Slot<A>>, at: number): Slot<A> => {
  let low = 0
  let high = slots.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (slots[middle]!.from <= at) low = middle
    else high = middle - 1
  }
  return slots[low]!
}

const instant = (millis: number): number => {
  if (!Number.isFinite(millis)) throw new RangeError(`an instant must be milliseconds since the epoch, not ${millis}`)
  return Math.floor(millis)
}

/** The value at an instant. */
export const valueAt = <A>(self: Week<A>, millis: number): A =>
  slotAt(self.slots, timeOfWeek(self.zone, instant(millis))).value

/** The longest stretch around an instant in which neither the slot nor the offset changes. */
const pieceAt = <A>(self: Week<A>, millis: number): Piece<A> => {
  const run = self.zone.runAt(millis)
  const at = mod(millis + run.offset + epochOfWeek, week)
  const slot = slotAt(self.slots, at)
  return {
    start: Math.max(run.start, millis - (at - slot.from)),
    end: Math.min(run.end, millis + (slot.to - at)),
    value: slot.value
  }
}

/** The stretch around an instant, or else the next one, whose values all pass the test; `undefined` when none does. */
export const nextWhere = <A>(self: Week<A>, millis: number, test: (value: A) => boolean): Stretch | undefined => {
  const at = instant(millis)
  const hits = self.slots.reduce((count, slot) => (test(slot.value) ? count + 1 : count), 0)
  if (hits === 0) return undefined
  if (hits === self.slots.length) return { start: -Infinity, end: Infinity }
  let piece = pieceAt(self, at)
  while (!test(piece.value)) {
    if (piece.end - at > horizon) return undefined
    piece = pieceAt(self, piece.end)
  }
  let { end, start } = piece
  // Only a stretch that holds the instant itself can have begun before its first piece.
  while (start <= at) {
    const before = pieceAt(self, start - 1)
    if (!test(before.value)) break
    start = before.start
  }
  for (let after = pieceAt(self, end); test(after.value); after = pieceAt(self, end)) end = after.end
  return { start, end }
}

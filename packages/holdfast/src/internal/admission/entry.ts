/** A call as the controller knows it, and the two orders in which calls wait. */
import type { Ranking } from "./heap.js"

/**
 * One call, from its arrival to the end of its attempt. Drivers extend it with what is theirs: hundreds of thousands
 * may wait, so it is one object and no more.
 */
export interface Entry<Self> {
  /** When the call first arrived, which is earlier than now for one that comes back after a rejection. */
  readonly born: number
  /** When it must be done; `Infinity` for never. */
  readonly deadline: number
  /** Higher goes first. */
  readonly priority: number
  /** Waits until nobody else can start. */
  readonly batch: boolean
  /** Breaks ties in favour of the later arrival. */
  order: number
  startedAt: number
  /** Places in the two heaps, `-1` for none. */
  place: number
  duePlace: number
  /** Neighbours among the calls in flight, by start. */
  older: Self | undefined
  newer: Self | undefined
}

/** What is known of a call when it arrives. */
export interface Arrival {
  readonly born: number
  readonly deadline: number
  readonly priority: number
  readonly batch: boolean
}

/** An entry that carries a value of the driver's. */
export interface Tagged<out T> extends Entry<Tagged<T>> {
  readonly tag: T
}

export const entry = <T>(tag: T, { batch, born, deadline, priority }: Arrival): Tagged<T> => ({
  tag,
  born,
  deadline,
  priority,
  batch,
  order: 0,
  startedAt: 0,
  place: -1,
  duePlace: -1,
  older: undefined,
  newer: undefined
})

/** Interactive before batch, then by priority, then the newest first. */
export const queueOrder: Ranking<Entry<unknown>> = {
  before: (a: Entry<unknown>, b: Entry<unknown>): boolean => {
    if (a.batch !== b.batch) return b.batch
    if (a.priority !== b.priority) return a.priority > b.priority
    if (a.born !== b.born) return a.born > b.born
    return a.order > b.order
  },
  placeOf: (entry: Entry<unknown>): number => entry.place,
  setPlace: (entry: Entry<unknown>, place: number): void => {
    entry.place = place
  }
}

/** Whose deadline comes first. */
export const dueOrder: Ranking<Entry<unknown>> = {
  before: (a: Entry<unknown>, b: Entry<unknown>): boolean => a.deadline < b.deadline,
  placeOf: (entry: Entry<unknown>): number => entry.duePlace,
  setPlace: (entry: Entry<unknown>, place: number): void => {
    entry.duePlace = place
  }
}

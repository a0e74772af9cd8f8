/**
 * What a retry budget earned and paid within its window. A value; each function returns the next one. Time is cut into
 * slots, a sixtieth of the window long, so that any number of calls takes the same room; an entry leaves the window
 * with its slot, at most one slot late.
 */

/** The terms of a budget: what decides whether a retry may be paid. */
export interface Terms {
  /** In milliseconds. */
  readonly window: number
  /** Retries within any window that are granted whatever they cost. */
  readonly floor: number
}

/** What happened in one slot of time. */
export interface Slot {
  readonly index: number
  /** Tokens paid in. */
  readonly earned: number
  /** Tokens paid for retries. */
  readonly paid: number
  /** Retries granted. */
  readonly retries: number
}

/** Oldest first; at most one slot an index. */
export type Ledger = ReadonlyArray<Slot>

export const slots = 60

export const empty: Ledger = []

/** The sums over the window. */
export interface Totals {
  readonly earned: number
  readonly paid: number
  readonly retries: number
}

const slotOf = (terms: Terms, now: number): number => Math.floor(now / (terms.window / slots))

/** The ledger without what has left the window. A clock that was set back keeps everything. */
const current = (self: Ledger, terms: Terms, now: number): Ledger => {
  const oldest = slotOf(terms, now) - slots
  return self.length > 0 && self[0]!.index < oldest ? self.filter((slot) => slot.index >= oldest) : self
}

export const totals = (self: Ledger, terms: Terms, now: number): Totals =>
  current(self, terms, now).reduce(
    (sum, slot) => ({
      earned: sum.earned + slot.earned,
      paid: sum.paid + slot.paid,
      retries: sum.retries + slot.retries
    }),
    { earned: 0, paid: 0, retries: 0 }
  )

const add = (self: Ledger, terms: Terms, now: number, more: Totals): Ledger => {
  const kept = current(self, terms, now)
  const last = kept.at(-1)
  // A clock that was set back writes into the newest slot.
  if (last !== undefined && last.index >= slotOf(terms, now)) {
    return kept.with(-1, {
      index: last.index,
      earned: last.earned + more.earned,
      paid: last.paid + more.paid,
      retries: last.retries + more.retries
    })
  }
  return [...kept, { index: slotOf(terms, now), ...more }]
}

/** Pays tokens in. */
export const deposit = (self: Ledger, terms: Terms, tokens: number, now: number): Ledger =>
  tokens > 0 ? add(self, terms, now, { earned: tokens, paid: 0, retries: 0 }) : self

/** How a retry was paid for: with tokens, by the floor, or not at all, and then there is to be none. */
export type Grant = "paid" | "floor" | "refused"

/** Pays for a retry: out of what was earned, or, when that is too little, by the floor, which costs nothing. */
export const withdraw = (self: Ledger, terms: Terms, cost: number, now: number): readonly [Ledger, Grant] => {
  const { earned, paid, retries } = totals(self, terms, now)
  // Tenths do not add up exactly: ten of them pay for a retry of price 1.
  if (earned - paid + 1e-9 >= cost) return [add(self, terms, now, { earned: 0, paid: cost, retries: 1 }), "paid"]
  if (retries < terms.floor) return [add(self, terms, now, { earned: 0, paid: 0, retries: 1 }), "floor"]
  return [self, "refused"]
}

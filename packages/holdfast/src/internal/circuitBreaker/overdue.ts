/**
 * Calls in flight in the order of their start, so that those which run longer than a limit can be counted without a
 * timer and without looking at the others: each call is passed over once.
 */

/** A call as it stands in the list; its places are filled in here. */
export interface Tracked {
  readonly startedAt: number
  place: "out" | "waiting" | "overdue"
  older: Tracked | undefined
  newer: Tracked | undefined
}

export class Overdue {
  private oldest: Tracked | undefined
  private newest: Tracked | undefined
  private late = 0

  /** `startedAt` must be none earlier than that of the call added last. */
  add(call: Tracked): void {
    call.place = "waiting"
    call.older = this.newest
    if (this.newest === undefined) this.oldest = call
    else this.newest.newer = call
    this.newest = call
  }

  /** How many calls that started at `limit` or before are still in flight. `limit` must not fall. */
  startedBy(limit: number): number {
    while (this.oldest !== undefined && this.oldest.startedAt <= limit) {
      const call = this.oldest
      this.unlink(call)
      call.place = "overdue"
      this.late++
    }
    return this.late
  }

  /** A call that ended, or of which something was heard. */
  remove(call: Tracked): void {
    if (call.place === "waiting") this.unlink(call)
    else if (call.place === "overdue") this.late--
    call.place = "out"
  }

  private unlink(call: Tracked): void {
    if (call.older === undefined) this.oldest = call.newer
    else call.older.newer = call.newer
    if (call.newer === undefined) this.newest = call.older
    else call.newer.older = call.older
    call.older = undefined
    call.newer = undefined
  }
}

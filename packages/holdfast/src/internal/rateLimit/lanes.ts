/** The lanes of a limiter by key. Their number is bounded, and one that has nothing to tell is forgotten. */
import type { Lane } from "./lane.js"

/** What all keys beyond the bound are counted as, together: shared, they can pass no limit. */
export const overflow = "*"

export class Lanes {
  private readonly lanes = new Map<string, Lane>()

  constructor(private readonly create: () => Lane, private readonly maxKeys: number) {}

  /** The lane of a key. */
  of(key: string, now: number): Lane {
    const found = this.lanes.get(key)
    if (found !== undefined) return found
    // An idle lane is one that a new one could stand for, so nothing is lost with it.
    for (const [other, lane] of this.lanes) if (lane.isIdle(now)) this.lanes.delete(other)
    if (this.lanes.size < this.maxKeys || key === overflow) {
      const lane = this.create()
      this.lanes.set(key, lane)
      return lane
    }
    return this.of(overflow, now)
  }

  all(): ReadonlyArray<readonly [string, Lane]> {
    return [...this.lanes]
  }
}

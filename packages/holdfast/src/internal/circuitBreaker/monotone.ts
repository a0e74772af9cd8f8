/**
 * Time that never runs backwards, out of a clock that may be set back: a step back counts as no time at all, so that
 * an opening is neither forgotten nor prolonged by it.
 */
export class Monotone {
  private last = -Infinity
  private offset = 0

  /** The time at which the clock shows `now`. */
  at(now: number): number {
    if (now < this.last) this.offset += this.last - now
    this.last = now
    return now + this.offset
  }

  /** What the clock shows at a time, as it is set now. */
  wall(time: number): number {
    return time - this.offset
  }
}

/** How long calls usually take: the median of the last successes, which one very long call does not move. */

/** Successes that are remembered: a few minutes' worth at a few calls a minute. */
const remembered = 15

/** Successes before anything is said. */
const needed = 5

export class UsualTime {
  private readonly times: Array<number> = []
  private oldest = 0
  private median: number | undefined = undefined

  add(millis: number): void {
    this.median = undefined
    if (this.times.length < remembered) {
      this.times.push(millis)
      return
    }
    this.times[this.oldest] = millis
    this.oldest = (this.oldest + 1) % remembered
  }

  /** In milliseconds; `undefined` while too few calls were seen. */
  get millis(): number | undefined {
    if (this.times.length < needed) return undefined
    this.median ??= [...this.times].sort((a, b) => a - b)[this.times.length >> 1] ?? 0
    return this.median
  }
}

/** How many things happened lately: counts in slices of a span, so that memory does not grow with the rate. */

const slices = 30

export class Recent {
  private readonly counts = new Uint32Array(slices)
  private readonly slice: number
  private newest = -Infinity
  private total = 0

  /** `span` in the unit of the times that are handed in. */
  constructor(readonly span: number) {
    this.slice = span / slices
  }

  add(now: number): void {
    this.forget(now)
    const place = this.newest % slices
    this.counts[place] = this.counts[place]! + 1
    this.total++
  }

  /** Those of the last `span`, up to one slice more or less. */
  count(now: number): number {
    this.forget(now)
    return this.total
  }

  private forget(now: number): void {
    const current = Math.max(0, Math.floor(now / this.slice))
    if (current <= this.newest) return
    if (current - this.newest >= slices) {
      this.counts.fill(0)
      this.total = 0
    } else {
      for (let k = this.newest + 1; k <= current; k++) {
        this.total -= this.counts[k % slices]!
        this.counts[k % slices] = 0
      }
    }
    this.newest = current
  }
}

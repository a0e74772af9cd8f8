/** The last few times that something took, and their quantiles. */

/** Keeps the last `size` values, in the order in which they came and in order of size. */
export class Latencies {
  private readonly ring: Array<number> = []
  private readonly sorted: Array<number> = []
  private oldest = 0

  constructor(private readonly size: number) {}

  get count(): number {
    return this.ring.length
  }

  /** A value that is no number of at least 0 is left out: it would spoil the order for good. */
  add(value: number): void {
    if (!(value >= 0)) return
    if (this.ring.length < this.size) this.ring.push(value)
    else {
      this.sorted.splice(placeOf(this.sorted, this.ring[this.oldest]!), 1)
      this.ring[this.oldest] = value
      this.oldest = (this.oldest + 1) % this.size
    }
    this.sorted.splice(placeOf(this.sorted, value), 0, value)
  }

  /** The smallest value that at least this share of the values does not exceed; `undefined` where there is none. */
  quantile(share: number): number | undefined {
    return this.sorted[Math.max(0, Math.ceil(share * this.sorted.length) - 1)]
  }
}

/** Where the first value stands that is not smaller. */
const placeOf = (sorted: ReadonlyArray<number>, value: number): number => {
  let low = 0
  for (let high = sorted.length; low < high;) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

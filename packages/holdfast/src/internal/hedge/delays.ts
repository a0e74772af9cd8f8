/** After how long another copy may start: a fixed time, or what the slowest calls of a key took of late. */
import { Latencies } from "./latencies.js"

/** A moving quantile; times in milliseconds. */
export interface Quantile {
  readonly quantile: number
  readonly warmUp: number
  readonly window: number
  readonly min: number
  readonly max: number
}

export class Delays {
  /** By key, the one used last at the end. */
  private readonly latencies = new Map<string, Latencies>()

  constructor(private readonly rule: number | Quantile, private readonly maxKeys: number) {}

  /** In milliseconds; `undefined` while too little is known. */
  of(key: string): number | undefined {
    const { rule } = this
    if (typeof rule === "number") return rule
    const known = this.latencies.get(key)
    if (known === undefined || known.count < rule.warmUp) return undefined
    const usual = known.quantile(rule.quantile)
    return usual === undefined ? undefined : Math.min(rule.max, Math.max(rule.min, usual))
  }

  /** Times that are known of a key. */
  count(key: string): number {
    return this.latencies.get(key)?.count ?? 0
  }

  /** A copy was answered after so many milliseconds, or was overtaken after them: then it would have taken longer. */
  observe(key: string, millis: number): void {
    const { rule } = this
    if (typeof rule === "number") return
    const known = this.latencies.get(key) ?? new Latencies(rule.window)
    known.add(Math.max(0, millis))
    this.latencies.delete(key)
    this.latencies.set(key, known)
    for (const oldest of this.latencies.keys()) {
      if (this.latencies.size <= this.maxKeys) return
      this.latencies.delete(oldest)
    }
  }
}

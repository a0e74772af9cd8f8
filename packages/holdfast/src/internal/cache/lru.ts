/**
 * A map bounded by count and by bytes that drops what was used least recently, the dead first. Pure state: the caller
 * brings the time.
 */
import type { Entry } from "./entry.js"

export interface Bounds {
  readonly maxEntries: number
  readonly maxBytes: number
}

export class Lru {
  /** In the order of use, the least recent first, as `Map` keeps insertion order. */
  private readonly entries = new Map<string, Entry>()
  private total = 0

  constructor(private readonly bounds: Bounds) {}

  get size(): number {
    return this.entries.size
  }

  /** The sum of the sizes of all entries, in bytes. */
  get bytes(): number {
    return this.total
  }

  /** The keys, the least recently used first. */
  keys(): ReadonlyArray<string> {
    return [...this.entries.keys()]
  }

  /** Counts as a use. A dead entry is dropped rather than returned. */
  get(key: string, now: number): Entry | undefined {
    const entry = this.entries.get(key)
    if (entry === undefined) return undefined
    this.entries.delete(key)
    if (now >= entry.staleUntil) {
      this.total -= entry.size
      return undefined
    }
    this.entries.set(key, entry)
    return entry
  }

  /**
   * Puts an entry in place of what the key had. One that is dead already, or larger than the whole cache, is not kept.
   * Returns how many living entries had to go for it.
   */
  set(key: string, entry: Entry, now: number): number {
    this.remove(key)
    if (now >= entry.staleUntil || entry.size > this.bounds.maxBytes) return 0
    this.entries.set(key, entry)
    this.total += entry.size
    if (this.fits()) return 0
    for (const [other, { staleUntil }] of this.entries) if (now >= staleUntil) this.remove(other)
    let evicted = 0
    for (const other of this.entries.keys()) {
      if (this.fits()) break
      this.remove(other)
      evicted++
    }
    return evicted
  }

  remove(key: string): void {
    const entry = this.entries.get(key)
    if (entry === undefined) return
    this.entries.delete(key)
    this.total -= entry.size
  }

  private fits(): boolean {
    return this.entries.size <= this.bounds.maxEntries && this.total <= this.bounds.maxBytes
  }
}

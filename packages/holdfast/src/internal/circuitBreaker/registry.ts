/**
 * Breakers by key, of a bounded number. The least recently used come first in the map, and go first: those that were
 * idle for long whenever a new key comes, another one that is at rest only when there is no place left.
 */
import type { Breaker } from "./breaker.js"

export interface Limits {
  readonly maxKeys: number
  /** Milliseconds. */
  readonly idleTime: number
}

/** Nothing would be lost but what it remembers of calls that went well enough. */
const atRest = (breaker: Breaker): boolean =>
  breaker.inFlight === 0 && breaker.state._tag === "Closed"

/** It refuses nobody any more and nobody has come for so long that what it knows is worth nothing. */
const forgotten = (breaker: Breaker, limits: Limits, now: number): boolean => {
  if (breaker.inFlight > 0) return false
  const { lastUsed, state } = breaker
  const since = state._tag === "Open" ? Math.max(lastUsed, state.until) : lastUsed
  return now - since >= limits.idleTime
}

export class Registry {
  private readonly breakers = new Map<string, Breaker>()
  /** The one used last. Only another key evicts it, and takes its place here too. */
  private latest: Breaker | undefined

  constructor(private readonly limits: Limits, private readonly make: (key: string) => Breaker) {}

  /** The breaker of a key, made if need be; `undefined` when there is no place for another one. */
  get(key: string, now: number): Breaker | undefined {
    if (this.latest?.key === key) return this.latest
    const known = this.breakers.get(key)
    if (known !== undefined) {
      // Last in the map is the most recently used.
      this.breakers.delete(key)
      this.breakers.set(key, known)
      this.latest = known
      return known
    }
    this.evict(now)
    if (this.breakers.size >= this.limits.maxKeys) return undefined
    const made = this.make(key)
    made.lastUsed = now
    this.breakers.set(key, made)
    this.latest = made
    return made
  }

  /** Without making one, and without counting as a use. */
  find(key: string): Breaker | undefined {
    return this.breakers.get(key)
  }

  values(): Iterable<Breaker> {
    return this.breakers.values()
  }

  private evict(now: number): void {
    for (const breaker of this.breakers.values()) {
      if (now - breaker.lastUsed < this.limits.idleTime) break
      if (forgotten(breaker, this.limits, now)) this.breakers.delete(breaker.key)
    }
    if (this.breakers.size < this.limits.maxKeys) return
    for (const breaker of this.breakers.values()) {
      if (atRest(breaker) || forgotten(breaker, this.limits, now)) {
        this.breakers.delete(breaker.key)
        return
      }
    }
  }
}

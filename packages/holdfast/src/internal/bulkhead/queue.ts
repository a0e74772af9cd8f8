/**
 * Waiting calls, in the order in which they start: higher priorities first but for a reserved share, tenants of one
 * priority in turn, and the calls of one tenant by the chosen order. Every operation is at most logarithmic.
 */
import { Chain } from "./chain.js"
import { Heap } from "./heap.js"
import { Level, type Order } from "./line.js"
import type { Waiter } from "./waiter.js"

export interface QueueRules {
  /** Most calls that may wait. */
  readonly capacity: number
  readonly order: Order
  /** Share of the starts and of the places that lower priorities keep when higher ones want all. */
  readonly reserve: number
}

// A reserve of 0.1 added up ten times is a little less than 1.
const rounding = 1e-9

/** A priority that is no number would break every comparison. */
const heightOf = ({ asker: { call } }: Waiter): number => (Number.isNaN(call.priority) ? 0 : call.priority)

export class Queue {
  size = 0
  private readonly levels = new Map<number, Level>()
  private readonly high = new Heap<"byHeight", Level>("byHeight", (a, b) => a.priority > b.priority)
  private readonly low = new Heap<"byDepth", Level>("byDepth", (a, b) => a.priority < b.priority)
  /** The level that was served longest ago comes first. */
  private readonly served = new Chain<Level>()
  private readonly release = new Heap<"byRelease", Waiter>("byRelease", (a, b) => a.releaseAt < b.releaseAt)
  /** What lower priorities have saved up by being passed over; at 1 it is their turn. */
  private credit = 0

  constructor(private readonly rules: QueueRules) {}

  /** Calls waiting by tenant. */
  *tenants(): Generator<readonly [tenant: string, queued: number]> {
    for (const level of this.served) for (const line of level.tenants) yield [line.tenant, line.size]
  }

  /** The call to be released first, if any is to be. */
  get firstRelease(): Waiter | undefined {
    return this.release.first
  }

  /**
   * Adds a call. When that is one too many the least urgent goes, and is returned: the call itself, if it is that. The
   * least urgent is, at the lowest priority, of the tenant with most calls, the last one. The reserved places of
   * lower priorities are not for higher ones.
   */
  add(waiter: Waiter): Waiter | undefined {
    const height = heightOf(waiter)
    let level = this.levels.get(height)
    if (level === undefined) {
      level = new Level(height, this.rules.order)
      this.levels.set(height, level)
      this.high.add(level)
      this.low.add(level)
      this.served.append(level)
    }
    level.add(waiter)
    this.size++
    if (waiter.releaseAt < Infinity) this.release.add(waiter)
    if (this.size <= this.rules.capacity) return undefined
    const victim = this.leastUrgent(waiter, level)
    this.remove(victim)
    return victim
  }

  /** Takes out a call, wherever it stands; one that does not wait any more is left alone. */
  remove(waiter: Waiter): void {
    const line = waiter.line
    if (line === undefined) return
    const level = line.level
    level.remove(waiter, line)
    this.release.remove(waiter)
    this.size--
    if (level.size > 0) return
    this.levels.delete(level.priority)
    this.high.remove(level)
    this.low.remove(level)
    this.served.remove(level)
  }

  /** Whose turn is next. */
  get next(): Waiter | undefined {
    return (this.reservedTurn ? this.served.first : this.high.first)?.first
  }

  /** Takes out the call whose turn it is, and counts the turn. */
  serve(waiter: Waiter): void {
    const line = waiter.line
    if (line === undefined) return
    const earned = this.credit + this.rules.reserve
    this.credit = this.high.size <= 1 ? 0 : this.reservedTurn ? Math.max(0, earned - 1) : earned
    line.level.served(line)
    this.served.moveToEnd(line.level)
    this.remove(waiter)
  }

  private get reservedTurn(): boolean {
    return this.credit + this.rules.reserve >= 1 - rounding
  }

  private leastUrgent(arrival: Waiter, level: Level): Waiter {
    const lowest = this.low.first
    const reserved = Math.floor(this.rules.reserve * this.rules.capacity)
    const spared = level === this.high.first && this.size - level.size <= reserved
    const pays = spared || lowest === undefined ? level : lowest
    return pays.last(pays === level ? arrival.line : undefined) ?? arrival
  }
}

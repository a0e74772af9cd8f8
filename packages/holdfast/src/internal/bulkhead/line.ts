/** Calls that wait for the same thing and differ in their turn alone: those of one tenant at one priority. */
import { Chain, type Link } from "./chain.js"
import { Heap, nowhere } from "./heap.js"
import type { Waiter } from "./waiter.js"

/** Whose turn is next: the oldest call, the newest, or the one with the earliest deadline. */
export type Order = (typeof orders)[number]

/** The orders by name. */
export const orders = ["fifo", "lifo", "deadline"] as const

/** The calls in their order. */
interface Waiters {
  add(waiter: Waiter): void
  remove(waiter: Waiter): void
  /** Whose turn is next. */
  readonly first: Waiter | undefined
  /** Whose turn is last. */
  readonly last: Waiter | undefined
}

class Arrivals implements Waiters {
  private readonly chain = new Chain<Waiter>()

  constructor(private readonly newestFirst: boolean) {}

  get first(): Waiter | undefined {
    return this.newestFirst ? this.chain.last : this.chain.first
  }

  get last(): Waiter | undefined {
    return this.newestFirst ? this.chain.first : this.chain.last
  }

  add(waiter: Waiter): void {
    this.chain.append(waiter)
  }

  remove(waiter: Waiter): void {
    this.chain.remove(waiter)
  }
}

const earlier = (a: Waiter, b: Waiter): boolean =>
  a.asker.call.deadline === b.asker.call.deadline
    ? a.number < b.number
    : a.asker.call.deadline < b.asker.call.deadline

class Deadlines implements Waiters {
  private readonly early = new Heap<"byDeadline", Waiter>("byDeadline", earlier)
  private readonly late = new Heap<"byLateness", Waiter>("byLateness", (a, b) => earlier(b, a))

  get first(): Waiter | undefined {
    return this.early.first
  }

  get last(): Waiter | undefined {
    return this.late.first
  }

  add(waiter: Waiter): void {
    this.early.add(waiter)
    this.late.add(waiter)
  }

  remove(waiter: Waiter): void {
    this.early.remove(waiter)
    this.late.remove(waiter)
  }
}

/** The waiting calls of one tenant at one priority. */
export class Line implements Link<Line> {
  previous: Line | undefined = undefined
  next: Line | undefined = undefined
  /** Place in the heap of the lines of its level by size. */
  bySize: number = nowhere
  size = 0
  private readonly waiters: Waiters

  constructor(readonly level: Level, readonly tenant: string, order: Order) {
    this.waiters = order === "deadline" ? new Deadlines() : new Arrivals(order === "lifo")
  }

  get first(): Waiter | undefined {
    return this.waiters.first
  }

  get last(): Waiter | undefined {
    return this.waiters.last
  }

  add(waiter: Waiter): void {
    this.waiters.add(waiter)
    waiter.line = this
    this.size++
  }

  remove(waiter: Waiter): void {
    this.waiters.remove(waiter)
    waiter.line = undefined
    this.size--
  }
}

/** The waiting calls of one priority: a line for each tenant, served in turn. */
export class Level implements Link<Level> {
  previous: Level | undefined = undefined
  next: Level | undefined = undefined
  /** Places in the heaps of levels, highest and lowest first. */
  byHeight: number = nowhere
  byDepth: number = nowhere
  size = 0
  private readonly lines = new Map<string, Line>()
  /** The line whose turn is next comes first. */
  private readonly turns = new Chain<Line>()
  private readonly longest = new Heap<"bySize", Line>("bySize", (a, b) => a.size > b.size)

  constructor(readonly priority: number, private readonly order: Order) {}

  /** The tenants with waiting calls, the next one to be served first. */
  get tenants(): Iterable<Line> {
    return this.turns
  }

  /** Whose turn is next at this priority. */
  get first(): Waiter | undefined {
    return this.turns.first?.first
  }

  /** The least urgent call: of the tenant with most calls the last one. Among equals `own` pays for itself. */
  last(own: Line | undefined): Waiter | undefined {
    const longest = this.longest.first
    const pays = own !== undefined && longest !== undefined && own.size >= longest.size ? own : longest
    return pays?.last
  }

  add(waiter: Waiter): void {
    const { tenant } = waiter.asker.call
    let line = this.lines.get(tenant)
    if (line === undefined) {
      line = new Line(this, tenant, this.order)
      this.lines.set(tenant, line)
      this.turns.append(line)
      this.longest.add(line)
    }
    line.add(waiter)
    this.longest.move(line)
    this.size++
  }

  remove(waiter: Waiter, line: Line): void {
    line.remove(waiter)
    this.size--
    if (line.size === 0) {
      this.lines.delete(line.tenant)
      this.turns.remove(line)
      this.longest.remove(line)
    } else this.longest.move(line)
  }

  /** The line had its turn. */
  served(line: Line): void {
    this.turns.moveToEnd(line)
  }
}

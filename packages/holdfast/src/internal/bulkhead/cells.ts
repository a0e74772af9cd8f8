/** The cells of a bulkhead by key: at most so many, those that nobody uses forgotten after a while. */
import { Cell, type Rules } from "./cell.js"
import { Chain } from "./chain.js"

/** Where calls go while there are too many keys in use: they share one cell. */
export const otherKey = "(other)"

export interface FamilyRules {
  readonly maxKeys: number
  /** Milliseconds after which a cell without calls is forgotten, with what it has learnt. */
  readonly idleTime: number
}

export class Cells {
  private readonly cells = new Map<string, Cell>()
  /** The cells that nobody uses, the longest unused first. */
  private readonly unused = new Chain<Cell>()

  constructor(private readonly family: FamilyRules, private rules: Rules) {}

  /** The cells in being. */
  all(now: number): ReadonlyMap<string, Cell> {
    this.forget(now)
    return this.cells
  }

  /** The cell of a key for reading: one that is not kept, if there is none. */
  read(key: string, now: number): Cell {
    this.forget(now)
    return this.cells.get(key) ?? new Cell(key, this.rules)
  }

  /** The cell of a key; a new one if need be. */
  of(key: string, now: number): Cell {
    this.forget(now)
    const known = this.cells.get(key)
    if (known !== undefined) return known
    if (key !== otherKey && this.named >= this.family.maxKeys) {
      const longestUnused = this.unused.first?.key === otherKey ? this.unused.first.next : this.unused.first
      if (longestUnused === undefined) return this.of(otherKey, now)
      this.drop(longestUnused)
    }
    const cell = new Cell(key, this.rules)
    this.cells.set(key, cell)
    this.rest(cell, now)
    return cell
  }

  /** To be called when a cell has been used: it is forgotten only after a time without calls. */
  used(cell: Cell, now: number): void {
    if (cell.idle) this.rest(cell, now)
    else this.wake(cell)
  }

  /** Another limit for all keys, those to come included. */
  resize(limit: number, now: number): void {
    this.rules = { ...this.rules, limit }
    for (const cell of this.cells.values()) cell.resize(limit, now)
  }

  /** Keys in being, without the shared one. */
  private get named(): number {
    return this.cells.size - (this.cells.has(otherKey) ? 1 : 0)
  }

  private forget(now: number): void {
    for (let cell = this.unused.first; cell !== undefined && now - cell.idleSince >= this.family.idleTime;) {
      this.drop(cell)
      cell = this.unused.first
    }
  }

  private drop(cell: Cell): void {
    this.wake(cell)
    this.cells.delete(cell.key)
  }

  private rest(cell: Cell, now: number): void {
    this.wake(cell)
    cell.idleSince = now
    cell.resting = true
    this.unused.append(cell)
  }

  private wake(cell: Cell): void {
    if (!cell.resting) return
    cell.resting = false
    this.unused.remove(cell)
  }
}

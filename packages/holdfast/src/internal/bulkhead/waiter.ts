/** A call that waits for its turn, and what it is settled with. */
import type { QueueFull, Shed } from "../../Rejected.js"
import type { Entered, Refused, Waiting } from "../gate.js"
import type { Cell } from "./cell.js"
import type { Link } from "./chain.js"
import { nowhere } from "./heap.js"
import type { Line } from "./line.js"

/** How a bulkhead turns a call away. */
export type Rejection = QueueFull | Shed

/** The right to be in flight. */
export interface Ticket {
  readonly cell: Cell
  readonly tenant: string
  readonly startedAt: number
  /** Grows from start to start. */
  readonly start: number
  /** The flight of an adaptive limit that it belongs to. */
  readonly flight: number
}

/** What counts of a call. */
export interface Ranked {
  /** When it must be done, in milliseconds since the epoch; `Infinity` for never. */
  readonly deadline: number
  /** Higher goes first. */
  readonly priority: number
  readonly tenant: string
}

/** Who asks to come in. */
export interface Asker {
  readonly call: Ranked
  /** When it came, in milliseconds since the epoch. */
  readonly now: number
  settle(decision: Entered<Ticket> | Refused<Rejection>): void
}

/** A call in the queue. The fields that can be written belong to the queue. */
export class Waiter implements Link<Waiter>, Waiting {
  previous: Waiter | undefined = undefined
  next: Waiter | undefined = undefined
  line: Line | undefined = undefined
  /** Places in the heaps by release, earliest deadline and latest deadline. */
  byRelease: number = nowhere
  byDeadline: number = nowhere
  byLateness: number = nowhere

  /**
   * @param number Grows from call to call.
   * @param releaseAt When it has waited long enough, in milliseconds since the epoch; `Infinity` for never.
   */
  constructor(
    readonly asker: Asker,
    private readonly cell: Cell,
    readonly number: number,
    readonly releaseAt: number
  ) {}

  get _tag(): "Waiting" {
    return "Waiting"
  }

  cancel(): void {
    this.cell.cancel(this)
  }
}

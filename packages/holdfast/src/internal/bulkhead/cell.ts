/**
 * One bulkhead for one key: calls in flight, calls that wait, and what is learnt of both. A state machine without
 * effects: something happens at an instant, and waiting calls are settled by it. After each step either no call waits
 * or no permit is free.
 */
import type { Entered, Refused } from "../gate.js"
import type { Link } from "./chain.js"
import * as Limit from "./limit.js"
import { Queue, type QueueRules } from "./queue.js"
import { UsualTime } from "./usualTime.js"
import { type Asker, type Ranked, type Rejection, type Ticket, Waiter } from "./waiter.js"

/** Why a call is turned away. */
export type Reason =
  /** No place to wait. */
  | { readonly _tag: "Full" }
  /** A more urgent call has taken its place. */
  | { readonly _tag: "Displaced" }
  /** Its time has run out, or what is left of it cannot fit the work. */
  | { readonly _tag: "TooLate"; readonly left: number; readonly needed: number; readonly waited: number }
  /** It has waited as long as a call may. */
  | { readonly _tag: "Waited"; readonly waited: number }

export interface Rules {
  /** Starting limit. */
  readonly limit: number
  readonly aimd: Limit.AimdRules | undefined
  readonly queue: QueueRules
  /** Milliseconds that a call needs at least. */
  readonly minTime: number
  /** Whether waiting calls must also fit the usual time of a call. */
  readonly learnTime: boolean
  /** Longest wait in milliseconds; `Infinity` for none. */
  readonly maxWait: number
  readonly refusal: (reason: Reason, state: CellState) => Rejection
  /** Told after each step which call is to be released first, if any is. */
  readonly watch: (cell: Cell, first: Waiter | undefined) => void
}

/** What can be read of a cell. */
export interface CellState {
  /** Calls that may be in flight. */
  readonly limit: number
  readonly inFlight: number
  readonly queued: number
  /** Usual time of a call in milliseconds, once known. */
  readonly usualTime: number | undefined
}

/** What the end of a call teaches. */
export type Result = "success" | "no-capacity" | "nothing"

export class Cell implements Link<Cell> {
  /** Links among the cells that nobody uses. */
  previous: Cell | undefined = undefined
  next: Cell | undefined = undefined
  resting = false
  idleSince = 0
  private limit: Limit.Limit
  private inFlight = 0
  private readonly tenants = new Map<string, number>()
  private readonly queue: Queue
  private readonly usual = new UsualTime()
  private starts = 0
  /** The last start at which the limit was reached. */
  private fullAt = 0
  private arrivals = 0

  constructor(readonly key: string, private readonly rules: Rules) {
    this.limit = Limit.make(rules.limit, rules.aimd)
    this.queue = new Queue(rules.queue)
  }

  get state(): CellState {
    return {
      limit: Limit.permits(this.limit),
      inFlight: this.inFlight,
      queued: this.queue.size,
      usualTime: this.usual.millis
    }
  }

  /** Nobody in flight; then nobody waits either. */
  get idle(): boolean {
    return this.inFlight === 0
  }

  /** Calls in flight and waiting, by tenant. */
  get byTenant(): ReadonlyMap<string, { readonly inFlight: number; readonly queued: number }> {
    const all = new Map<string, { inFlight: number; queued: number }>()
    for (const [tenant, inFlight] of this.tenants) all.set(tenant, { inFlight, queued: 0 })
    for (const [tenant, queued] of this.queue.tenants()) {
      const known = all.get(tenant)
      if (known === undefined) all.set(tenant, { inFlight: 0, queued })
      else known.queued += queued
    }
    return all
  }

  arrive(asker: Asker): Entered<Ticket> | Refused<Rejection> | Waiter {
    const { call, now } = asker
    if (this.inFlight < Limit.permits(this.limit)) {
      // With a permit at hand only the time that a call needs for sure counts: what is learnt may be out of date.
      const late = this.lateness(call, now, now, this.rules.minTime)
      return late === undefined ? { _tag: "Entered", ticket: this.start(call.tenant, now) } : this.refused(late)
    }
    const late = this.lateness(call, now, now, this.needed)
    if (late !== undefined) return this.refused(late)
    if (this.rules.queue.capacity === 0) return this.refused({ _tag: "Full" })
    const releaseAt = Math.min(call.deadline - this.rules.minTime, now + this.rules.maxWait)
    const waiter = new Waiter(asker, this, this.arrivals++, releaseAt)
    const victim = this.queue.add(waiter)
    if (victim === waiter) return this.refused({ _tag: "Full" })
    victim?.asker.settle(this.refused({ _tag: "Displaced" }))
    this.watch()
    return waiter
  }

  /** A ticket comes back; each must, exactly once. */
  leave(ticket: Ticket, result: Result, now: number): void {
    if (result === "success") {
      this.usual.add(Math.max(0, now - ticket.startedAt))
      const full = this.fullAt >= ticket.start
      this.limit = Limit.learn(this.limit, { _tag: "Answered", flight: ticket.flight, full })
    } else if (result === "no-capacity") {
      this.limit = Limit.learn(this.limit, { _tag: "NoCapacity", flight: ticket.flight })
    }
    this.inFlight--
    const others = (this.tenants.get(ticket.tenant) ?? 1) - 1
    if (others === 0) this.tenants.delete(ticket.tenant)
    else this.tenants.set(ticket.tenant, others)
    this.admit(now)
  }

  /** A waiting call goes away. */
  cancel(waiter: Waiter): void {
    this.queue.remove(waiter)
    this.watch()
  }

  /** Releases the calls that have waited long enough. */
  release(now: number): void {
    for (let first = this.queue.firstRelease; first !== undefined && first.releaseAt <= now;) {
      this.queue.remove(first)
      const { call, now: arrivedAt } = first.asker
      const late = this.lateness(call, now, arrivedAt, this.rules.minTime)
      first.asker.settle(this.refused(late ?? { _tag: "Waited", waited: now - arrivedAt }))
      first = this.queue.firstRelease
    }
    this.watch()
  }

  /** Another limit: more permits are handed out at once, fewer hold as calls come back. */
  resize(size: number, now: number): void {
    this.limit = Limit.resize(this.limit, size)
    this.admit(now)
  }

  /** What a waiting call needs, in milliseconds. */
  private get needed(): number {
    return this.rules.learnTime ? Math.max(this.rules.minTime, this.usual.millis ?? 0) : this.rules.minTime
  }

  private admit(now: number): void {
    while (this.inFlight < Limit.permits(this.limit)) {
      const waiter = this.queue.next
      if (waiter === undefined) break
      const { asker } = waiter
      const late = this.lateness(asker.call, now, asker.now, this.needed)
      if (late !== undefined) {
        // Its turn is not used up: the next of its tenant has it.
        this.queue.remove(waiter)
        asker.settle(this.refused(late))
      } else {
        this.queue.serve(waiter)
        asker.settle({ _tag: "Entered", ticket: this.start(asker.call.tenant, now) })
      }
    }
    this.watch()
  }

  private start(tenant: string, now: number): Ticket {
    this.starts++
    this.inFlight++
    this.tenants.set(tenant, (this.tenants.get(tenant) ?? 0) + 1)
    if (this.inFlight >= Limit.permits(this.limit)) this.fullAt = this.starts
    return { cell: this, tenant, startedAt: now, start: this.starts, flight: Limit.flightOf(this.limit) }
  }

  /** Why it is too late to start, if it is. */
  private lateness(call: Ranked, now: number, arrivedAt: number, needed: number): Reason | undefined {
    const left = call.deadline - now
    const waited = now - arrivedAt
    if (left <= 0 || left < needed) return { _tag: "TooLate", left, needed, waited }
    return waited > this.rules.maxWait ? { _tag: "Waited", waited } : undefined
  }

  private refused(reason: Reason): Refused<Rejection> {
    return { _tag: "Refused", error: this.rules.refusal(reason, this.state) }
  }

  private watch(): void {
    this.rules.watch(this, this.queue.firstRelease)
  }
}

/**
 * The queue of one key in front of its account. Synchronous: time comes in as a number, and one timer at most stands
 * for the head of the queue. Everybody behind the head waits for it, whatever they cost, so that nobody starves.
 *
 * Nobody waits in vain: whoever cannot start by their last moment is turned away as soon as that is known, be it on
 * arrival, or later by a debt, an answer of the provider, or somebody who goes first.
 */
import * as Account from "./account.js"
import { Outlook } from "./outlook.js"

/** What a lane keeps of a call that it let in. */
export interface Ticket {
  readonly lane: Lane
  readonly costs: Account.Costs
  readonly grantedAt: number
  /** Does somebody tell when the call really starts? If not, it counts from the grant. */
  readonly reported: boolean
  /** When it began to count; `undefined` while it is only granted. */
  startedAt: number | undefined
}

/** Somebody who asks to start. */
export interface Asker {
  readonly costs: Account.Costs
  /** The latest start that is of use, in milliseconds since the epoch. */
  readonly latest: number
  readonly priority: number
  /** Does somebody tell when the call really starts? If not, it counts from the grant. */
  readonly reported: boolean
  readonly now: () => number
  readonly schedule: (millis: number, task: () => void) => () => void
  /** Ends a wait. */
  readonly settle: (answer: Granted | Late) => void
}

export interface Granted {
  readonly _tag: "Granted"
  readonly ticket: Ticket
}

/** It could not start in time; `wait` is how long it would take from now. */
export interface Late {
  readonly _tag: "Late"
  readonly wait: number
  readonly drainedBy: Account.DrainedBy | undefined
}

/** Its cost does not fit into the window of that place, ever. */
export interface Impossible {
  readonly _tag: "Impossible"
  readonly window: number
}

/** The queue is full. */
export interface Full {
  readonly _tag: "Full"
  readonly wait: number
}

/** It is in the queue now. */
export interface Queued {
  readonly _tag: "Queued"
  readonly cancel: () => void
}

export class Lane {
  private readonly queue: Array<Asker> = []
  /** What the last in the queue leaves behind; `undefined` when it must be worked out again. */
  private tail: Outlook | undefined
  private timer: { readonly at: number; readonly cancel: () => void } | undefined
  /** Calls let in that have not ended. */
  private inFlight = 0

  constructor(private account: Account.Account, private readonly maxQueue: number) {}

  /** Asks to start. A wait ends by `settle`, never before this returned. */
  ask(asker: Asker): Granted | Late | Impossible | Full | Queued {
    const window = Account.impossible(this.account, asker.costs)
    if (window >= 0) return { _tag: "Impossible", window }
    const now = asker.now()
    // The timer may be late.
    if (this.timer !== undefined && this.timer.at <= now) this.serve(now)
    const place = this.placeOf(asker)
    if (place === 0 && now <= asker.latest && Account.earliest(this.account, asker.costs, now) <= now) {
      const ticket = this.grant(asker, now)
      if (this.queue.length > 0) this.review(now)
      return { _tag: "Granted", ticket }
    }
    const ahead = this.outlookBefore(place, now)
    const start = ahead.startOf(asker.costs, now)
    if (start > asker.latest) return this.late(start, now)
    if (this.queue.length >= this.maxQueue) return { _tag: "Full", wait: start - now }
    this.queue.splice(place, 0, asker)
    if (place === this.queue.length - 1) {
      ahead.take(asker.costs, start)
      this.tail = ahead
      this.arm(now)
    } else this.review(now)
    return { _tag: "Queued", cancel: () => this.cancel(asker) }
  }

  /** The call really starts. A second start under one ticket is a further request: it goes into debt. */
  started(ticket: Ticket, now: number): void {
    if (ticket.startedAt === undefined) {
      ticket.startedAt = now
      this.account = Account.spend(Account.letGo(this.account, ticket.costs), ticket.costs, now)
      // What starts later than it was granted stays longer in the windows than the queue was told.
      if (now > ticket.grantedAt) this.review(now)
    } else {
      this.account = Account.spend(this.account, ticket.costs, now)
      this.review(now)
    }
  }

  /** The call never started: nothing was spent. */
  unused(ticket: Ticket, now: number): void {
    this.account = ticket.startedAt === undefined
      ? Account.letGo(this.account, ticket.costs)
      : Account.refund(this.account, ticket.costs, ticket.startedAt, now)
    this.inFlight--
    this.relax(now)
  }

  /** The call is over, and cost `actual`. */
  used(ticket: Ticket, actual: Account.Costs, now: number): void {
    const { costs, startedAt } = ticket
    if (startedAt === undefined) this.started(ticket, ticket.grantedAt)
    this.inFlight--
    const more = actual.some((cost, index) => cost > costs[index]!)
    const less = actual.some((cost, index) => cost < costs[index]!)
    if (more || less) this.account = Account.settle(this.account, costs, actual, startedAt ?? ticket.grantedAt, now)
    if (more) this.review(now)
    else if (less || startedAt === undefined) this.relax(now)
  }

  /** The provider said that nothing is left until then. */
  drain(until: number, by: Account.DrainedBy, now: number): void {
    this.account = Account.drain(this.account, until, by)
    this.review(now)
  }

  /** Forgets what the provider said. */
  lift(now: number): void {
    this.account = Account.lift(this.account)
    this.relax(now)
  }

  /** When the day that an instant belongs to is over, by the windows that count days. */
  dayEnd(when: number): number | undefined {
    return Account.daysEnd(this.account, when)
  }

  /** Could a new lane stand for this one? */
  isIdle(now: number): boolean {
    return this.queue.length === 0 && this.inFlight === 0 && Account.isEmpty(this.account, now)
  }

  /** What can be seen from outside. */
  look(): { readonly account: Account.Account; readonly waiting: number; readonly inFlight: number } {
    return { account: this.account, waiting: this.queue.length, inFlight: this.inFlight }
  }

  /** After a change for the better: lets in who may start, and sets the timer. */
  private relax(now: number): void {
    if (this.queue.length === 0) return
    this.tail = undefined
    this.serve(now)
    this.arm(now)
  }

  private late(start: number, now: number): Late {
    const { drainedBy, drainedUntil } = this.account
    return { _tag: "Late", wait: start - now, drainedBy: drainedUntil > now ? drainedBy : undefined }
  }

  /** Behind everybody of the same or a higher priority. */
  private placeOf(asker: Asker): number {
    let place = this.queue.length
    while (place > 0 && this.queue[place - 1]!.priority < asker.priority) place--
    return place
  }

  private outlookBefore(place: number, now: number): Outlook {
    if (place === this.queue.length && this.tail !== undefined) return this.tail
    const outlook = new Outlook(this.account, now)
    for (const { costs } of this.queue.slice(0, place)) outlook.take(costs, outlook.startOf(costs, now))
    return outlook
  }

  private grant(asker: Asker, now: number): Ticket {
    const { costs, reported } = asker
    const ticket: Ticket = { lane: this, costs, grantedAt: now, reported, startedAt: undefined }
    this.account = Account.hold(this.account, asker.costs)
    this.inFlight++
    if (!reported) this.started(ticket, now)
    return ticket
  }

  /** Lets in whoever is at the head and may start. */
  private serve(now: number): void {
    for (let head = this.queue[0]; head !== undefined; head = this.queue[0]) {
      if (Account.earliest(this.account, head.costs, now) > now) break
      this.queue.shift()
      head.settle({ _tag: "Granted", ticket: this.grant(head, now) })
    }
    if (this.queue.length === 0) this.tail = undefined
  }

  /** Nobody waits any more. */
  private rest(): void {
    this.tail = undefined
    this.timer?.cancel()
    this.timer = undefined
  }

  /** After a change for the worse: turns away who came to be too late, beside what `relax` does. */
  private review(now: number): void {
    this.serve(now)
    const outlook = new Outlook(this.account, now)
    const late: Array<readonly [Asker, Late]> = []
    const staying = this.queue.filter((asker) => {
      const start = outlook.startOf(asker.costs, now)
      if (start > asker.latest) late.push([asker, this.late(start, now)])
      else outlook.take(asker.costs, start)
      return start <= asker.latest
    })
    if (late.length > 0) this.queue.splice(0, Infinity, ...staying)
    for (const [asker, answer] of late) asker.settle(answer)
    this.tail = this.queue.length === 0 ? undefined : outlook
    // Whoever was behind one that was turned away may be the head now, and cheap enough.
    const head = this.queue[0]
    if (head !== undefined && Account.earliest(this.account, head.costs, now) <= now) return this.review(now)
    this.arm(now)
  }

  private cancel(asker: Asker): void {
    const place = this.queue.indexOf(asker)
    if (place < 0) return
    this.queue.splice(place, 1)
    const now = asker.now()
    this.relax(now)
    if (this.queue.length === 0) this.rest()
  }

  /** Sets the timer to when the head may start, on the clock of the head. */
  private arm(now: number): void {
    const head = this.queue[0]
    const start = head === undefined ? undefined : Account.earliest(this.account, head.costs, now)
    if (this.timer?.at === start) return
    this.timer?.cancel()
    this.timer = undefined
    if (head === undefined || start === undefined) return
    this.timer = {
      at: start,
      cancel: head.schedule(start - now, () => {
        this.timer = undefined
        this.ring(head.now(), start)
      })
    }
  }

  private ring(now: number, expected: number): void {
    this.serve(now)
    const head = this.queue[0]
    // Timers may be early, which is no reason to look at everybody again.
    if (head !== undefined && Account.earliest(this.account, head.costs, now) > Math.max(expected, now)) this.review(now)
    else this.arm(now)
  }
}

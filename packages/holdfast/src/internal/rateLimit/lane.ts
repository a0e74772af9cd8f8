/**
 * The queue of one key in front of its account. Synchronous: time comes in as a number, and one timer at most stands
 * for the head of the queue. Everybody behind the head waits for it, whatever they cost, so that nobody starves.
 *
 * Nobody waits in vain: whoever cannot start by their last moment is turned away as soon as that is known, be it on
 * arrival, or later by a debt, an answer of the provider, or somebody who goes first.
 */
import * as Account from "./account.js"

/** What a lane keeps of a call that it let in. */
export interface Ticket {
  readonly lane: Lane
  readonly costs: Account.Costs
  readonly grantedAt: number
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

/** The account as it will be once everybody up to a place in the queue has started, and when that is. */
interface Outlook {
  readonly account: Account.Account
  readonly at: number
}

const after = (outlook: Outlook, costs: Account.Costs, start: number): Outlook => ({
  account: Account.spend(outlook.account, costs, start),
  at: start
})

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
    this.serve(now)
    const place = this.placeOf(asker)
    const ahead = this.outlookBefore(place, now)
    const start = Account.earliest(ahead.account, asker.costs, ahead.at)
    if (place === 0 && start <= now) {
      const ticket = this.grant(asker, now)
      if (this.queue.length > 0) this.review(now)
      return { _tag: "Granted", ticket }
    }
    if (this.queue.length >= this.maxQueue) return { _tag: "Full", wait: start - now }
    if (start > asker.latest) return this.late(start, now)
    this.queue.splice(place, 0, asker)
    if (place === this.queue.length - 1) {
      this.tail = after(ahead, asker.costs, start)
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
    this.end(now)
  }

  /** The call is over, and cost `actual`. */
  used(ticket: Ticket, actual: Account.Costs, now: number): void {
    if (ticket.startedAt === undefined) this.started(ticket, ticket.grantedAt)
    this.account = Account.settle(this.account, ticket.costs, actual, ticket.startedAt ?? now, now)
    this.end(now)
  }

  /** The provider said that nothing is left until then. */
  drain(until: number, by: Account.DrainedBy, now: number): void {
    this.account = Account.drain(this.account, until, by)
    this.review(now)
  }

  /** Forgets what the provider said. */
  lift(now: number): void {
    this.account = Account.lift(this.account)
    this.review(now)
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

  private end(now: number): void {
    this.inFlight--
    if (this.queue.length > 0) this.review(now)
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
    if (place === this.queue.length && this.tail !== undefined) {
      return this.tail.at < now ? { ...this.tail, at: now } : this.tail
    }
    let outlook: Outlook = { account: this.account, at: now }
    for (const { costs } of this.queue.slice(0, place)) {
      outlook = after(outlook, costs, Account.earliest(outlook.account, costs, outlook.at))
    }
    return outlook
  }

  private grant(asker: Asker, now: number): Ticket {
    const ticket: Ticket = { lane: this, costs: asker.costs, grantedAt: now, startedAt: undefined }
    this.account = Account.hold(this.account, asker.costs)
    this.inFlight++
    if (!asker.reported) this.started(ticket, now)
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

  /** After any change: lets in who may start, turns away who came to be too late, and sets the timer. */
  private review(now: number): void {
    this.serve(now)
    let outlook: Outlook = { account: this.account, at: now }
    for (const asker of [...this.queue]) {
      const start = Account.earliest(outlook.account, asker.costs, outlook.at)
      if (start <= asker.latest) outlook = after(outlook, asker.costs, start)
      else {
        this.queue.splice(this.queue.indexOf(asker), 1)
        asker.settle(this.late(start, now))
      }
    }
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
    this.tail = undefined
    const now = asker.now()
    if (place === 0) this.serve(now)
    this.arm(now)
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

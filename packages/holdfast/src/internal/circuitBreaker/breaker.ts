/** One breaker with what it has in flight: calls come in and go, and every step is synchronous. */
import { Overdue, type Tracked } from "./overdue.js"
import { type Rules, watchesSlowness } from "./rules.js"
import * as State from "./state.js"

export interface Ticket extends Tracked {
  readonly breaker: Breaker
  /** The epoch in which its report counts; `undefined` for a call that was let in only because nothing is refused. */
  readonly epoch: number | undefined
  readonly probe: number | undefined
  readonly chance: () => number
  readonly overdue: Overdue | undefined
  answeredAt: number | undefined
}

export interface Settings {
  readonly rules: Rules
  /** Let everything pass, and only keep the state. */
  readonly dryRun: boolean
  /** Called after each change, with the breaker in its new state. Must not throw. */
  readonly onChange: (breaker: Breaker, from: State.State, now: number) => void
}

export class Breaker {
  inFlight = 0
  lastUsed = 0
  private overdue: Overdue | undefined

  constructor(readonly key: string, private readonly settings: Settings, public state: State.State) {
    this.overdue = watchesSlowness(settings.rules) ? new Overdue() : undefined
  }

  /** A ticket, or how long to stay away. */
  enter(now: number, chance: () => number): Ticket | number {
    const { dryRun, rules } = this.settings
    this.lastUsed = now
    this.advance(now, chance)
    const { state } = this
    if (state._tag === "Closed") return this.ticket(now, chance, undefined)
    const reserved = state._tag === "HalfOpen" ? State.reserve(rules, state, now) : undefined
    if (reserved === undefined) return dryRun ? this.bystander(now, chance) : State.retryAfter(rules, state, now)
    this.state = reserved
    return this.ticket(now, chance, reserved.nextProbe - 1)
  }

  /** Something of a streamed answer has come. */
  answered(ticket: Ticket, now: number): void {
    if (ticket.answeredAt !== undefined) return
    ticket.answeredAt = now
    ticket.overdue?.remove(ticket)
    const { epoch, probe } = ticket
    if (epoch !== undefined && probe !== undefined) {
      this.change(State.answered(this.settings.rules, this.state, epoch, probe), now)
    }
  }

  /** The end of a call. */
  leave(ticket: Ticket, verdict: State.Verdict, retryAfter: number, now: number): void {
    this.inFlight--
    this.lastUsed = now
    ticket.overdue?.remove(ticket)
    const { chance, epoch, probe, startedAt } = ticket
    if (epoch === undefined) return
    const duration = now - startedAt
    const wait = (ticket.answeredAt ?? now) - startedAt
    const report: State.Report = { epoch, probe, verdict, duration, wait, retryAfter }
    const { rules } = this.settings
    this.decide(now, chance, (u) => State.settle(rules, this.state, report, now, this.overdueAt(now), u))
  }

  /** Forgets everything; what is in flight counts no more. */
  reset(now: number): void {
    this.change(State.closed(this.state.epoch + 1), now)
  }

  /** The state as it would be found by a call, without changing it. */
  peek(now: number): State.State {
    const { rules } = this.settings
    let state = this.state
    let overdue = this.overdueAt(now)
    for (;;) {
      const next = State.advance(rules, state, now, overdue, 0)
      if (next === state) return state
      state = next
      overdue = 0
    }
  }

  overdueAt(now: number): number {
    return this.overdue?.startedBy(now - this.settings.rules.slowAfter) ?? 0
  }

  private ticket(now: number, chance: () => number, probe: number | undefined): Ticket {
    const overdue = probe === undefined ? this.overdue : undefined
    const ticket = this.bystander(now, chance, this.state.epoch, probe, overdue)
    overdue?.add(ticket)
    return ticket
  }

  private bystander(
    startedAt: number,
    chance: () => number,
    epoch?: number,
    probe?: number,
    overdue?: Overdue
  ): Ticket {
    this.inFlight++
    return {
      breaker: this,
      startedAt,
      chance,
      epoch,
      probe,
      overdue,
      answeredAt: undefined,
      place: "out",
      older: undefined,
      newer: undefined
    }
  }

  private advance(now: number, chance: () => number): void {
    // By far the most frequent case, and the one where nothing can have changed.
    if (this.state._tag === "Closed" && this.overdueAt(now) === 0) return
    let before: State.State
    do {
      before = this.state
      this.decide(now, chance, (u) => State.advance(this.settings.rules, before, now, this.overdueAt(now), u))
    } while (this.state !== before)
  }

  /** Takes a step. Chance has a say only in how long an opening lasts, and is asked only when there is one. */
  private decide(now: number, chance: () => number, step: (chance: number) => State.State): void {
    const next = step(0)
    const opens = next._tag === "Open" && next.epoch !== this.state.epoch && this.settings.rules.jitter > 0
    this.change(opens ? step(chance()) : next, now)
  }

  private change(next: State.State, now: number): void {
    const from = this.state
    this.state = next
    if (next.epoch === from.epoch) return
    // What began before says nothing of the time after.
    if (this.overdue !== undefined) this.overdue = new Overdue()
    this.settings.onChange(this, from, now)
  }
}

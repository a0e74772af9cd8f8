/** What a balancer knows of one endpoint. Changed in place; times are milliseconds and must not go back. */
import type { Endpoint } from "../../Endpoint.js"
import * as Health from "./health.js"
import type { Lesson } from "./lesson.js"
import * as Scores from "./scores.js"

export interface Rules extends Health.Rules {
  readonly minimumCalls: number
  readonly outlierRatio: number
  readonly memory: number
  readonly priceWeight: number
  readonly easeIn: number
  readonly aside: number
  readonly maxCooling: number
}

/** One call at an endpoint, until it ends. */
export interface Ticket {
  readonly node: Node
  readonly sentAt: number
  /** The return that it is part of. */
  readonly easing: Easing | undefined
  readonly onTrial: boolean
  /** A stream has given its first element. */
  heard: boolean
}

/** Left alone, at the server's word or because it does not do this for us. */
export interface Cooling {
  readonly until: number
  /** The class of the error that asked for it. */
  readonly because: string
  /** Nobody said until when. */
  readonly aside: boolean
}

/** The return of an endpoint that was left alone: a call at first, and then twice as many at each step. */
export interface Easing {
  /** When the first call of it was sent. */
  since: number | undefined
  inFlight: number
}

/** More than any endpoint has in flight: from there on it takes all. */
const eased = 10

export class Node {
  health = Health.fit
  cooling: Cooling | undefined = undefined
  latency: Scores.Latency | undefined = undefined
  tally = Scores.untold
  /** In the order in which they were sent. */
  readonly inFlight = new Set<Ticket>()
  calls = 0
  private easing: Easing | undefined = undefined
  private trials = 0
  private trialFrom = 0

  constructor(
    readonly name: string,
    readonly model: string | undefined,
    readonly tier: Endpoint["tier"],
    /** As they were given. */
    readonly weight: number,
    readonly price: number,
    /** The weight over the mean of all, and the price over that of the cheapest. */
    readonly relative: { readonly weight: number; readonly price: number },
    private readonly rules: Rules
  ) {}

  coolingAt(now: number): Cooling | undefined {
    return this.cooling !== undefined && now < this.cooling.until ? this.cooling : undefined
  }

  healthAt(now: number): Health.Health {
    return (this.health = Health.at(this.health, now))
  }

  /** Is there room in the pace of its return? */
  hasRoom(now: number): boolean {
    const { easing } = this
    if (easing?.since === undefined) return true
    const doublings = this.doublings(easing.since, now)
    if (doublings < eased) return easing.inFlight < 2 ** doublings
    this.easing = undefined
    return true
  }

  /** When there will be more room, at the latest. */
  nextRoomAt(now: number): number {
    const since = this.easing?.since
    return since === undefined ? now : since + (this.doublings(since, now) + 1) * this.rules.easeIn
  }

  /** Back from an ejection it takes one call at a time; one that hangs keeps it for no longer than an ejection. */
  hasTrial(now: number): boolean {
    return this.trials === 0 || this.trials <= Math.floor((now - this.trialFrom) / this.rules.maxEject)
  }

  send(now: number): Ticket {
    const onTrial = this.healthAt(now)._tag === "Trial"
    if (onTrial && this.trials++ === 0) this.trialFrom = now
    // An easing that is over is forgotten when it is asked for. What is sent all the same while it cools is no part of it.
    this.hasRoom(now)
    const easing = this.coolingAt(now) === undefined ? this.easing : undefined
    if (easing !== undefined) {
      easing.since ??= now
      easing.inFlight++
    }
    const ticket: Ticket = { node: this, sentAt: now, easing, onTrial, heard: false }
    this.inFlight.add(ticket)
    this.calls++
    return ticket
  }

  /** The call is over, and `sent` says whether it ever left. */
  giveBack(ticket: Ticket, sent: boolean): void {
    if (!this.inFlight.delete(ticket)) return
    if (ticket.easing !== undefined) ticket.easing.inFlight--
    if (ticket.onTrial) this.trials--
    if (!sent) this.calls--
  }

  /** A stream's first element, or an answer: the wait was so long. */
  hear(ticket: Ticket, now: number): void {
    if (ticket.heard) return
    ticket.heard = true
    this.latency = Scores.heard(this.latency, now - ticket.sentAt, this.rules.memory, now)
  }

  learnGood(ticket: Ticket, now: number): void {
    this.hear(ticket, now)
    this.count(true, now)
    this.health = Health.succeeded(this.health, ticket.sentAt, now)
  }

  /** Says whether it was ejected for it. */
  learnBad(ticket: Ticket, now: number, circumstances: () => Health.Circumstances): boolean {
    if (!ticket.heard) this.latency = Scores.heardAtLeast(this.latency, now - ticket.sentAt, now)
    this.count(false, now)
    const before = this.healthAt(now)
    this.health = Health.failed(before, this.rules, ticket.sentAt, now, circumstances())
    if (before._tag === "Ejected" || this.health._tag !== "Ejected") return false
    // It is judged afresh when it comes back.
    this.tally = Scores.untold
    return true
  }

  /** Leaves it alone until then, unless it is left alone for longer already. Says whether that is news. */
  cool(until: number, because: NonNullable<Lesson["because"]>, aside: boolean, now: number): boolean {
    const end = Math.min(until, now + this.rules.maxCooling)
    const known = this.coolingAt(now)
    if (!(end > now) || (known !== undefined && known.until >= end)) return false
    this.cooling = { until: end, because, aside }
    this.easing = { since: undefined, inFlight: 0 }
    return true
  }

  /** Successes and calls as far back as is remembered. */
  tallyAt(now: number): Scores.Tally {
    return Scores.tallyAt(this.tally, this.rules.memory, now)
  }

  /**
   * The latency to reckon with: what is known of answers, or how long one has been waited for by now. At least 1 ms, so
   * that load, success and price count among endpoints that answer at once.
   */
  latencyNow(now: number, unknown: number): number {
    const [oldest] = this.inFlight
    const waited = oldest === undefined || oldest.heard ? 0 : now - oldest.sentAt
    return Math.max(1, waited, this.knownLatency(now) ?? unknown)
  }

  knownLatency(now: number): number | undefined {
    return this.latency === undefined ? undefined : Scores.latencyAt(this.latency, this.rules.memory, now)
  }

  /** Lower is better. `unknown` is the latency of an endpoint that has not answered yet. */
  scoreAt(now: number, unknown: number): number {
    return Scores.score({
      latency: this.latencyNow(now, unknown),
      inFlight: this.inFlight.size,
      weight: this.relative.weight,
      success: Scores.successOf(this.tallyAt(now)),
      price: this.relative.price,
      priceWeight: this.rules.priceWeight
    })
  }

  private doublings(since: number, now: number): number {
    return Math.floor(Math.max(0, now - since) / this.rules.easeIn)
  }

  private count(success: boolean, now: number): void {
    const most = Math.max(20, 2 * this.rules.minimumCalls)
    this.tally = Scores.counted(this.tally, success, this.rules.memory, most, now)
  }
}

/**
 * All endpoints of one balancer: who is chosen, who waits until one comes back, and what each end teaches. Synchronous;
 * there are no fibers, and one timer while somebody waits.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as GenerationError from "../../GenerationError.js"
import { NoEndpoint } from "../../Rejected.js"
import { Monotone } from "../circuitBreaker/monotone.js"
import type { Entered, Leave, Refused, Visitor, Waiting } from "../gate.js"
import * as Timer from "../timer.js"
import { choose } from "./choice.js"
import { lessonOf, type Stay } from "./lesson.js"
import type { Node, Rules, Ticket } from "./node.js"
import * as Nodes from "./nodes.js"
import { Parked } from "./parked.js"

export interface Config {
  readonly name: string
  readonly nodes: ReadonlyArray<Node>
  readonly rules: Rules
  /** At most so many are ejected at a time. */
  readonly mostEjected: number
  readonly maxWait: number
  readonly maxWaiting: number
  readonly isFailure: (error: unknown) => boolean
  /** An endpoint is left out from now on: the class of the error, or why it was ejected. */
  readonly onLeftOut: (endpoint: string, why: string) => void
}

export type Asker = Visitor<NoEndpoint, Ticket | undefined>
export type Decision = Entered<Ticket> | Refused<NoEndpoint>

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

const drawOf = (fiber: AnyFiber) => (): number =>
  Effect.runSync(Context.get(fiber.currentDefaultServices, Random.Random).next)

/** Who was tried in a visit and refused it, and what that says. */
export interface Refusals {
  readonly tried: ReadonlySet<Node>
  /** Names and refusals, for a person. */
  readonly told: string
  /** When the first of them takes calls again, as far as it is known. */
  readonly backAt: number
}

/** A call that waits for an endpoint that it has not tried. */
class Guest implements Waiting {
  readonly _tag = "Waiting"
  readonly priority: number

  constructor(
    readonly asker: Asker,
    readonly order: number,
    readonly giveUpAt: number,
    readonly line: Line,
    private readonly pool: Pool
  ) {
    this.priority = asker.call.priority
  }

  cancel(): void {
    this.pool.withdraw(this)
  }
}

/** Those who wait for the same endpoints. */
interface Line {
  readonly key: string
  readonly refusals: Refusals
  readonly parked: Parked<Guest>
}

export class Pool {
  waiting = 0
  private readonly lines = new Map<string, Line>()
  private readonly time = new Monotone()
  private guests = 0
  private timerAt = Infinity
  private stopTimer = () => {}
  /** No later than the first of those parked gives up. */
  private firstGivesUpAt = Infinity

  constructor(readonly config: Config) {}

  at(wall: number): number {
    return this.time.at(wall)
  }

  wall(time: number): number {
    return this.time.wall(time)
  }

  named(name: string): Node | undefined {
    return this.config.nodes.find((node) => node.name === name)
  }

  send(node: Node, { call }: Asker, now: number): Entered<Ticket> {
    call.taken?.add(node.name)
    return { _tag: "Entered", ticket: node.send(now) }
  }

  /** A call comes, for the first time in its visit or after others have refused it. */
  arrive(asker: Asker, refusals: Refusals): Decision | Waiting {
    const now = this.at(asker.now)
    const { maxWait, maxWaiting } = this.config
    // Those who wait are first, if one has come back at this very moment.
    this.pump(now)
    const node = this.choose(asker, refusals.tried, now)
    if (node !== undefined) return this.send(node, asker, now)
    const back = Nodes.nextReturn(this.config.nodes, refusals.tried, now)
    const giveUpAt = now + Math.min(maxWait, asker.call.deadline - asker.now)
    if (back >= giveUpAt) return this.refuse("every endpoint has asked to be left alone", refusals, now)
    if (this.waiting >= maxWaiting) return this.refuse(`${this.waiting} calls wait for an endpoint already`, refusals, now)
    const guest = new Guest(asker, this.guests++, giveUpAt, this.lineOf(refusals), this)
    guest.line.parked.add(guest)
    this.waiting++
    this.firstGivesUpAt = Math.min(this.firstGivesUpAt, giveUpAt)
    this.settleTimer(asker.fiber, now)
    return guest
  }

  /** The best endpoint that the call may go to now, of those not tried; `undefined` if it has to wait. */
  choose({ call, fiber }: Asker, tried: ReadonlySet<Node>, now: number): Node | undefined {
    const usable = Nodes.usable(this.config.nodes, tried, now)
    if (usable.length === 0) return undefined
    const fresh = usable.filter(({ name }) => call.taken?.has(name) !== true)
    const nodes = fresh.length > 0 ? fresh : usable
    const unknown = Nodes.lowestLatency(this.config.nodes, now)
    const place = choose(
      nodes.map(({ relative }) => relative.weight),
      (i) => nodes[i]!.scoreAt(now, unknown),
      drawOf(fiber)
    )
    return nodes[place]
  }

  /** A call that the endpoint's own policies refuse is none of its failures. */
  leave(ticket: Ticket, how: Leave, sent: boolean, wall: number, fiber: AnyFiber): void {
    const { node } = ticket
    const now = this.at(wall)
    const { isFailure, mostEjected, nodes, onLeftOut, rules } = this.config
    node.giveBack(ticket, sent)
    const { because, stay, verdict } = lessonOf(how, isFailure)
    if (verdict === "good") node.learnGood(ticket, now)
    if (verdict === "bad") {
      const ejected = node.learnBad(ticket, now, () => ({
        mayEject: Nodes.ejected(nodes, now) < mostEjected,
        isOutlier: Nodes.isOutlier(nodes, node, rules, now),
        luck: drawOf(fiber)()
      }))
      if (ejected && node.health._tag === "Ejected") onLeftOut(node.name, node.health.because)
    }
    if (stay !== undefined && because !== undefined) {
      const cooled = node.cool(this.endOf(stay, rules.aside, wall, now), because, stay._tag === "Aside", now)
      if (cooled) onLeftOut(node.name, because)
    }
    this.pump(now)
  }

  private endOf(stay: Stay, aside: number, wall: number, now: number): number {
    switch (stay._tag) {
      case "For":
        return now + stay.millis
      case "Until":
        return now + (stay.wall - wall)
      case "Aside":
        return now + aside
    }
  }

  /** The server's time, as far as it stands in the way of another attempt: another endpoint may be free. */
  tempered<E>(error: E, wall: number): E {
    if (!GenerationError.isRetryable(error) || GenerationError.isInjected(error)) return error
    const now = this.at(wall)
    const wait = Nodes.usable(this.config.nodes, unrefused.tried, now).length > 0 ? 0 : Math.ceil(Nodes.nextReturn(this.config.nodes, unrefused.tried, now) - now)
    return wait < GenerationError.retryAfterMillis(error)
      ? GenerationError.update(error, { retryAfter: Duration.millis(wait) })
      : error
  }

  private refuse(why: string, { backAt, told, tried }: Refusals, now: number): Refused<NoEndpoint> {
    const millis = Math.ceil(Math.max(0, Math.min(backAt, Nodes.nextReturn(this.config.nodes, tried, now)) - now))
    const known = Number.isFinite(millis)
    const said = told === "" ? why : `no endpoint takes the call (${told})`
    const when = known ? `in ${Duration.format(Duration.millis(millis))}` : "later"
    return {
      _tag: "Refused",
      error: new NoEndpoint({
        policy: "Balancer",
        policyName: this.config.name,
        message: `${said}: come back ${when}, or ask elsewhere`,
        retryAfter: known ? millis : undefined
      })
    }
  }

  private lineOf(refusals: Refusals): Line {
    const { nodes } = this.config
    const key = nodes.flatMap((node, i) => (refusals.tried.has(node) ? [i] : [])).join()
    const line = this.lines.get(key) ?? { key, refusals, parked: new Parked() }
    this.lines.set(key, line)
    return line
  }

  private remove(guest: Guest): void {
    const { key, parked } = guest.line
    parked.delete(guest)
    this.waiting--
    if (parked.size === 0) this.lines.delete(key)
  }

  /** Whose turn it is, of the lines that are not stuck. */
  private next(stuck: ReadonlySet<Line>): Guest | undefined {
    let next: Guest | undefined
    for (const line of this.lines.values()) {
      if (stuck.has(line)) continue
      const first = line.parked.first()!
      if (next === undefined || first.priority > next.priority) next = first
      else if (first.priority === next.priority && first.order < next.order) next = first
    }
    return next
  }

  /** Lets in those who wait, as far as there is room for them. */
  private pump(now: number): void {
    if (this.waiting === 0) return
    const stuck = new Set<Line>()
    for (let guest = this.next(stuck); guest !== undefined; guest = this.next(stuck)) {
      const node = this.choose(guest.asker, guest.line.refusals.tried, now)
      if (node === undefined) {
        stuck.add(guest.line)
        continue
      }
      this.remove(guest)
      guest.asker.settle(this.send(node, guest.asker, now))
    }
    this.settleTimer(undefined, now)
  }

  withdraw(guest: Guest): void {
    this.remove(guest)
    this.settleTimer(undefined, this.at(Timer.nowOf(guest.asker.fiber)))
  }

  /** Turns away those who have waited for long enough. */
  private turnAway(now: number): void {
    if (now < this.firstGivesUpAt) return
    this.firstGivesUpAt = Infinity
    for (const { parked } of [...this.lines.values()]) {
      for (const guest of [...parked.all()]) {
        if (now < guest.giveUpAt) {
          this.firstGivesUpAt = Math.min(this.firstGivesUpAt, guest.giveUpAt)
          continue
        }
        this.remove(guest)
        guest.asker.settle(this.refuse("no endpoint came back in time", guest.line.refusals, now))
      }
    }
  }

  /** One timer for all, on the clock of somebody who waits; one that rings too early only sets the next. */
  private settleTimer(waits: AnyFiber | undefined, now: number): void {
    if (this.waiting === 0) {
      this.stopTimer()
      this.timerAt = Infinity
      this.firstGivesUpAt = Infinity
      return
    }
    let next = this.firstGivesUpAt
    for (const { refusals } of this.lines.values()) next = Math.min(next, Nodes.nextReturn(this.config.nodes, refusals.tried, now))
    if (this.timerAt <= next) return
    const fiber = waits ?? this.next(new Set())!.asker.fiber
    const clock = Timer.clockOf(fiber)
    const millis = Math.min(Timer.maxTimerMillis, Math.max(1, Math.ceil(next - now)))
    this.stopTimer()
    this.timerAt = next
    this.stopTimer = Timer.schedule(fiber, millis, () => {
      this.timerAt = Infinity
      const then = this.at(clock.unsafeCurrentTimeMillis())
      this.turnAway(then)
      this.pump(then)
      this.settleTimer(undefined, then)
    })
  }
}

/** Nobody has refused the call. */
export const unrefused: Refusals = { tried: new Set(), told: "", backAt: Infinity }


/**
 * The effectful shell round the controllers: one for each endpoint, one timer for each queue, and the gate that the
 * policy is made of. A waiting call has no fiber of its own beside its caller's.
 */
import type * as Fiber from "effect/Fiber"
import type { AttemptLog, Call } from "../../CurrentCall.js"
import { Shed } from "../../Rejected.js"
import type { Entered, Gate, Refused, Visitor, Waiting } from "../gate.js"
import * as Timer from "../timer.js"
import * as Controller from "./controller.js"
import * as Estimates from "./estimates.js"
import { lessonOf } from "./lesson.js"
import type { Settings } from "./settings.js"

/** What happened at an endpoint since the policy was made. */
export interface Counts {
  started: number
  /** Had to wait before they started; in a dry run: would have had to. */
  delayed: number
  /** Were turned away; in a dry run: would have been. */
  shed: number
  answered: number
  rejected: number
}

export interface Config {
  readonly name: string
  readonly settings: Settings
  readonly dryRun: boolean
  readonly maxEndpoints: number
  /** After so many seconds without a call an endpoint may be forgotten. */
  readonly idle: number
  /** Uniform in [0, 1). */
  readonly luck: () => number
}

type Decision = Entered<Guest> | Refused<Shed>

/** The endpoint that calls without one are counted to, and the one for those beyond `maxEndpoints`. */
export const defaultKey = "default"
const overflowKey = "others"

/**
 * Seconds that never go back. When the clock does, the difference is added from then on, to deadlines too: a corrected
 * clock must not freeze the pace.
 */
class Seconds {
  private last = -Infinity
  private shift = 0

  of(millis: number): number {
    const now = millis / 1000 + this.shift
    if (now >= this.last) return (this.last = now)
    this.shift += this.last - now
    return this.last
  }

  /** Another instant on the same scale. */
  at(millis: number): number {
    return millis / 1000 + this.shift
  }
}

/** A call at an endpoint: what it waits as, its place in the queue, and the ticket that it holds afterwards. */
class Guest implements Waiting, Controller.Entry<Guest> {
  declare readonly _tag: "Waiting"
  readonly priority: number
  readonly batch: boolean
  order = 0
  startedAt = 0
  place = -1
  duePlace = -1
  older: Guest | undefined = undefined
  newer: Guest | undefined = undefined

  constructor(
    readonly endpoint: Endpoint,
    readonly visitor: Visitor<Shed, Guest>,
    readonly born: number,
    readonly deadline: number
  ) {
    this.priority = visitor.call.priority
    this.batch = visitor.call.workClass === "batch"
  }

  cancel(): void {
    this.endpoint.cancel(this)
  }
}
// The same for all: no need to keep it in each.
Object.defineProperty(Guest.prototype, "_tag", { value: "Waiting" })

/** One endpoint: a controller, its timer, and what it decided about the call that is just coming in. */
class Endpoint implements Controller.Decide<Guest> {
  readonly controller: Controller.Controller<Guest>
  readonly counts: Counts = { started: 0, delayed: 0, shed: 0, answered: 0, rejected: 0 }
  lastUsed = 0
  private timerAt = Infinity
  private stopTimer: (() => void) | undefined
  private arriving: Guest | undefined
  private decision: Decision | undefined

  constructor(readonly key: string, readonly config: Config, readonly seconds: Seconds) {
    this.controller = Controller.make<Guest>(config.settings)
  }

  get busy(): boolean {
    return this.controller.inFlight > 0 || this.controller.queue.size > 0
  }

  start(guest: Guest): void {
    this.counts.started++
    this.decide(guest, { _tag: "Entered", ticket: guest })
  }

  shed(guest: Guest, reason: Controller.ShedReason): void {
    this.counts.shed++
    this.decide(guest, { _tag: "Refused", error: this.refusal(guest, reason) })
  }

  admit(guest: Guest, fresh: boolean, now: number): Decision | Waiting {
    this.arriving = guest
    this.decision = undefined
    Controller.arrive(this.controller, guest, fresh, now, this)
    this.pump(now)
    this.arriving = undefined
    if (this.decision !== undefined) return this.decision
    this.counts.delayed++
    return guest
  }

  /** Lets the call in, and counts what would have become of it. */
  record(guest: Guest, fresh: boolean, now: number): Decision {
    this.lastUsed = now
    const verdict = Controller.observe(this.controller, guest, fresh, now)
    this.counts.started++
    if (verdict === "wait") this.counts.delayed++
    else if (verdict === "shed") this.counts.shed++
    return { _tag: "Entered", ticket: guest }
  }

  cancel(guest: Guest): void {
    Controller.cancel(this.controller, guest)
    this.settleTimer(this.seconds.of(Timer.clockOf(guest.visitor.fiber).unsafeCurrentTimeMillis()))
  }

  pump(now: number): void {
    this.lastUsed = now
    Controller.pump(this.controller, now, this)
    this.settleTimer(now)
  }

  private decide(guest: Guest, decision: Decision): void {
    if (guest === this.arriving) this.decision = decision
    else guest.visitor.settle(decision)
  }

  /** One timer for the queue, on the clock of somebody who waits. One that rings too early only sets the next. */
  private settleTimer(now: number): void {
    const first = this.controller.queue.first()
    const next = Controller.nextAt(this.controller, now)
    if (first === undefined || next === Infinity) {
      this.stopTimer?.()
      this.stopTimer = undefined
      this.timerAt = Infinity
      return
    }
    if (this.timerAt <= next) return
    this.stopTimer?.()
    this.timerAt = next
    this.stopTimer = this.ring(first.visitor.fiber, next - now)
  }

  private ring(fiber: Fiber.RuntimeFiber<unknown, unknown>, seconds: number): () => void {
    const clock = Timer.clockOf(fiber)
    const millis = Math.min(Timer.maxTimerMillis, Math.max(1, Math.ceil(seconds * 1000)))
    return Timer.schedule(fiber, millis, () => {
      this.timerAt = Infinity
      this.stopTimer = undefined
      this.pump(this.seconds.of(clock.unsafeCurrentTimeMillis()))
    })
  }

  private refusal(guest: Guest, reason: Controller.ShedReason): Shed {
    const { closedUntil, queue } = this.controller
    const now = this.lastUsed
    const where = `endpoint "${this.key}"`
    const last = guest.visitor.call.log?.attempts.findLast((attempt) => attempt.error !== undefined)?.error?._tag
    const ended = last === undefined ? "" : ` (the last attempt ended with ${last})`
    const left = Math.max(0, Math.round(guest.deadline - now))
    const needed = Math.ceil(Estimates.timeNeeded(this.controller, now))
    return new Shed({
      policy: "Admission",
      policyName: this.config.name,
      message: reason === "full"
        ? `${queue.size} calls wait for ${where} already: come back later, or ask elsewhere${ended}`
        : `${where} could not finish this call in time, ${left} s are left and about ${needed} s are needed: ` +
          `allow more time, or ask elsewhere${ended}`,
      retryAfter: closedUntil > now ? Math.ceil((closedUntil - now) * 1000) : undefined
    })
  }
}

/** All endpoints of one policy: a bounded family of controllers, and the gate in front of them. */
export class Endpoints implements Gate<Shed, Guest> {
  readonly byKey = new Map<string, Endpoint>()
  private readonly seconds = new Seconds()
  /** When generations that come back first arrived. Weak: forgotten with the generation. */
  private readonly returning = new WeakMap<AttemptLog, number>()

  constructor(readonly config: Config) {}

  /** The instant on the scale of the controllers. */
  now(millis: number): number {
    return this.seconds.at(millis)
  }

  readonly enter = (visitor: Visitor<Shed, Guest>): Decision | Waiting => {
    const { call } = visitor
    const now = this.seconds.of(visitor.now)
    const endpoint = this.of(call.endpoint ?? defaultKey, now)
    const deadline = this.seconds.at(call.deadline)
    const known = call.log === undefined ? undefined : this.returning.get(call.log)
    const fresh = known === undefined && call.attempt <= 1
    // Without a log a repeated attempt is taken for one that was allowed as long as the others.
    const born = fresh ? now : Math.min(now, known ?? deadline - endpoint.controller.window)
    const guest = new Guest(endpoint, visitor, born, deadline)
    return this.config.dryRun ? endpoint.record(guest, fresh, now) : endpoint.admit(guest, fresh, now)
  }

  readonly leave: Gate<Shed, Guest>["leave"] = (guest, how, millis) => {
    const { endpoint, visitor } = guest
    const { controller, counts } = endpoint
    const now = this.seconds.of(millis)
    const lesson = lessonOf(how, visitor.call.deadline, millis)
    switch (lesson._tag) {
      case "Answered":
        counts.answered++
        Controller.answered(controller, guest, now)
        break
      case "Rejected":
        counts.rejected++
        Controller.rejected(controller, guest, now, {
          quota: lesson.quota,
          hint: lesson.hint / 1000,
          luck: lesson.hint > 0 ? this.config.luck() : 0
        })
        break
      case "Failed":
        Controller.failed(controller, guest, now)
        break
      case "Lost":
        Controller.lost(controller, guest, now, lesson.late)
        break
      case "Silent":
        Controller.released(controller, guest, now)
        break
      case "Unsent":
        counts.started--
        Controller.withdrawn(controller, guest, now)
    }
    this.remember(visitor.call, lesson._tag, guest.born)
    endpoint.pump(now)
  }

  private remember({ log }: Call, lesson: string, born: number): void {
    if (log !== undefined && lesson !== "Answered" && lesson !== "Silent") this.returning.set(log, born)
  }

  private of(key: string, now: number): Endpoint {
    const known = this.byKey.get(key)
    if (known !== undefined) return known
    this.forget(now)
    const room = this.byKey.size < this.config.maxEndpoints
    const name = room ? key : overflowKey
    const endpoint = this.byKey.get(name) ?? new Endpoint(name, this.config, this.seconds)
    this.byKey.set(name, endpoint)
    return endpoint
  }

  /** Drops those that nobody used for long, and, when there is no room, the one unused for longest. */
  private forget(now: number): void {
    let longest: Endpoint | undefined
    for (const endpoint of this.byKey.values()) {
      if (endpoint.busy) continue
      if (now - endpoint.lastUsed >= this.config.idle) this.byKey.delete(endpoint.key)
      else if (longest === undefined || endpoint.lastUsed < longest.lastUsed) longest = endpoint
    }
    if (longest !== undefined && this.byKey.size >= this.config.maxEndpoints) this.byKey.delete(longest.key)
  }
}

export type { Endpoint }

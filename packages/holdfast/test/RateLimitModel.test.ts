/** The queue of a limiter against a model that tries every millisecond. */
import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Account from "../src/internal/rateLimit/account.js"
import { type Asker, Lane, type Ticket } from "../src/internal/rateLimit/lane.js"
import { Outlook } from "../src/internal/rateLimit/outlook.js"
import * as Window from "../src/internal/rateLimit/window.js"
import * as Zone from "../src/internal/time/zone.js"

/** A clock with timers. */
const makeHost = () => {
  const timers = new Set<{ readonly at: number; readonly task: () => void }>()
  let mostTimers = 0
  const host = {
    now: 1000,
    schedule: (millis: number, task: () => void) => {
      const timer = { at: host.now + millis, task }
      timers.add(timer)
      mostTimers = Math.max(mostTimers, timers.size)
      return () => void timers.delete(timer)
    },
    tick: () => {
      host.now++
      for (const timer of timers) {
        if (timer.at > host.now) continue
        timers.delete(timer)
        timer.task()
      }
    },
    timers: () => timers.size,
    mostTimers: () => mostTimers
  }
  return host
}

const slidingLimit = 6
const slidingLength = 40
const spacing = 4
const maxQueue = 5

type Outcome = "granted" | "late" | "full" | "impossible" | "cancelled"

/** What became of a call, and when. */
type Journal = Array<{ readonly id: number; readonly outcome: Outcome; readonly at: number }>

interface Asked {
  readonly id: number
  readonly cost: number
  readonly latest: number
  readonly priority: number
}

/** The model: a sorted queue, tried every millisecond; the future is found by living through it on a copy. */
class Model {
  spent: Array<{ at: number; cost: number }> = []
  lastStart = -Infinity
  drainedUntil = -Infinity
  queue: Array<Asked> = []
  journal: Journal = []

  constructor(public now: number) {}

  fits(cost: number): boolean {
    const total = this.spent.reduce((sum, entry) => (entry.at > this.now - slidingLength ? sum + entry.cost : sum), 0)
    return total + cost <= slidingLimit && this.now >= this.lastStart + spacing && this.now >= this.drainedUntil
  }

  private take(call: Asked): void {
    this.spent.push({ at: this.now, cost: call.cost })
    this.lastStart = this.now
    this.journal.push({ id: call.id, outcome: "granted", at: this.now })
  }

  /** Serves the head as long as it fits, then turns away who would start too late. */
  settle(): void {
    while (this.queue.length > 0 && this.fits(this.queue[0]!.cost)) this.take(this.queue.shift()!)
    for (let i = 0; i < this.queue.length;) {
      const call = this.queue[i]!
      if (this.startOf(i) <= call.latest) i++
      else {
        this.queue.splice(i, 1)
        this.journal.push({ id: call.id, outcome: "late", at: this.now })
      }
    }
    if (this.queue.length > 0 && this.fits(this.queue[0]!.cost)) this.settle()
  }

  /** When the call at that place would start, if everybody ahead of it does. */
  private startOf(place: number): number {
    const copy = new Model(this.now)
    copy.spent = [...this.spent]
    copy.lastStart = this.lastStart
    copy.drainedUntil = this.drainedUntil
    const ahead = this.queue.slice(0, place + 1)
    for (;;) {
      while (ahead.length > 0 && copy.fits(ahead[0]!.cost)) copy.take(ahead.shift()!)
      if (ahead.length === 0) return copy.now
      copy.now++
    }
  }

  ask(call: Asked): void {
    if (call.cost > slidingLimit) return void this.journal.push({ id: call.id, outcome: "impossible", at: this.now })
    let place = this.queue.length
    while (place > 0 && this.queue[place - 1]!.priority < call.priority) place--
    this.queue.splice(place, 0, call)
    const start = this.startOf(place)
    this.queue.splice(place, 1)
    const refuse = (outcome: Outcome) => void this.journal.push({ id: call.id, outcome, at: this.now })
    if (start > call.latest) return refuse("late")
    if (start > this.now && this.queue.length >= maxQueue) return refuse("full")
    this.queue.splice(place, 0, call)
    this.settle()
  }

  tick(): void {
    this.now++
    this.settle()
  }

  cancel(id: number): void {
    const place = this.queue.findIndex((call) => call.id === id)
    if (place < 0) return
    this.queue.splice(place, 1)
    this.journal.push({ id, outcome: "cancelled", at: this.now })
    this.settle()
  }

  drain(until: number): void {
    this.drainedUntil = Math.max(this.drainedUntil, until)
    this.settle()
  }

  debt(cost: number): void {
    this.spent.push({ at: this.now, cost })
    this.settle()
  }

  refund(at: number, cost: number): void {
    const entry = this.spent.find((spent) => spent.at === at)
    if (entry !== undefined) entry.cost -= cost
    this.settle()
  }
}

/** The lane under test, with the same commands. */
const makeSubject = () => {
  const host = makeHost()
  // One request a distance, and a cost a sliding window.
  const lane = new Lane(
    Account.make([Window.sliding(slidingLimit, slidingLength), Window.spaced(1, spacing)]),
    maxQueue
  )
  const journal: Journal = []
  const running: Array<{ readonly ticket: Ticket; readonly at: number; readonly cost: number }> = []
  const cancels = new Map<number, () => void>()
  const entered = (call: Asked, ticket: Ticket) => {
    journal.push({ id: call.id, outcome: "granted", at: host.now })
    running.push({ ticket, at: host.now, cost: call.cost })
  }
  return {
    host,
    lane,
    journal,
    running,
    ask: (call: Asked) => {
      const asker: Asker = {
        costs: [call.cost, 1],
        latest: call.latest,
        priority: call.priority,
        reported: false,
        now: () => host.now,
        schedule: host.schedule,
        settle: (answer) => {
          cancels.delete(call.id)
          if (answer._tag === "Granted") entered(call, answer.ticket)
          else journal.push({ id: call.id, outcome: "late", at: host.now })
        }
      }
      const answer = lane.ask(asker)
      if (answer._tag === "Granted") entered(call, answer.ticket)
      else if (answer._tag === "Queued") cancels.set(call.id, answer.cancel)
      else journal.push({ id: call.id, outcome: answer._tag.toLowerCase() as Outcome, at: host.now })
    },
    cancel: (id: number) => {
      const cancel = cancels.get(id)
      if (cancel === undefined) return
      cancels.delete(id)
      journal.push({ id, outcome: "cancelled", at: host.now })
      cancel()
    }
  }
}

type Command =
  | { readonly _tag: "Ask"; readonly cost: number; readonly patience: number; readonly priority: number }
  | { readonly _tag: "Wait"; readonly millis: number }
  /** One of the last that asked. */
  | { readonly _tag: "Cancel"; readonly of: number }
  | { readonly _tag: "Finish"; readonly extra: number }
  | { readonly _tag: "Drain"; readonly millis: number }

const ask = FastCheck.record({
  _tag: FastCheck.constant("Ask" as const),
  cost: FastCheck.integer({ min: 1, max: 7 }),
  patience: FastCheck.constantFrom(0, 5, 30, 100, 1000),
  priority: FastCheck.integer({ min: 0, max: 2 })
})
const command: FastCheck.Arbitrary<Command> = FastCheck.oneof(
  { weight: 6, arbitrary: ask },
  {
    weight: 4,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("Wait" as const),
      millis: FastCheck.constantFrom(1, 2, 5, 13, 39, 40, 41)
    })
  },
  { weight: 2, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Cancel" as const), of: FastCheck.integer({ min: 1, max: 6 }) }) },
  { weight: 2, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Finish" as const), extra: FastCheck.integer({ min: -3, max: 9 }) }) },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Drain" as const), millis: FastCheck.integer({ min: 0, max: 60 }) }) }
)

/** Within one millisecond several calls can be turned away or let in; their order there is no promise. */
const told = (journal: Journal) => journal.map(({ at, id, outcome }) => `${at} ${id} ${outcome}`).sort()

describe("the outlook of a queue", () => {
  const calls = FastCheck.array(FastCheck.tuple(FastCheck.integer({ min: 0, max: 3 }), FastCheck.integer({ min: 0, max: 30 })), {
    minLength: 1,
    maxLength: 80,
    size: "max"
  })
  const account = () =>
    Account.make([
      Window.sliding(6, 40),
      Window.bucket(20, 3, 17 / 100),
      Window.spaced(5, 2.5),
      Window.calendar(90, Zone.make("UTC")!, 5)
    ])

  it.prop("tells the times that the account itself comes to", [calls, calls, FastCheck.integer({ min: 0, max: 200 })], ([before, coming, drain]) => {
    let state = account()
    let now = 1_000_000
    for (const [cost, gap] of before) {
      now = Account.earliest(state, [cost, cost, 1, cost], now + gap)
      state = Account.spend(state, [cost, cost, 1, cost], now)
    }
    state = Account.hold(Account.drain(state, now + drain, "RateLimited"), [1, 1, 0, 2])
    const outlook = new Outlook(state, now)
    // What is held is taken to start now.
    state = Account.spend(Account.letGo(state, [1, 1, 0, 2]), [1, 1, 0, 2], now)
    let at = now
    for (const [cost] of coming) {
      const costs = [cost, cost, 1, cost]
      at = Account.earliest(state, costs, at)
      expect(outlook.startOf(costs, now)).toBe(at)
      state = Account.spend(state, costs, at)
      outlook.take(costs, at)
    }
  })

  it("keeps right over thousands of calls", () => {
    let state = Account.make([Window.sliding(600, 1000)])
    const outlook = new Outlook(state, 0)
    let at = 0
    for (let i = 0; i < 3000; i++) {
      const costs = [1 + (i % 5)]
      at = Account.earliest(state, costs, at)
      expect(outlook.startOf(costs, 0)).toBe(at)
      state = Account.spend(state, costs, at)
      outlook.take(costs, at)
    }
    expect(at).toBeGreaterThan(10_000)
  })
})

describe("the queue of a limiter", () => {
  it.prop("does what the model does", [FastCheck.array(command, { maxLength: 60, size: "max" }), FastCheck.boolean()], ([commands, byPriority]) => {
    const subject = makeSubject()
    const model = new Model(subject.host.now)
    let ids = 0
    for (const step of commands) {
      const { now } = subject.host
      switch (step._tag) {
        case "Ask": {
          const call = { id: ids++, cost: step.cost, latest: now + step.patience, priority: byPriority ? step.priority : 0 }
          subject.ask(call)
          model.ask(call)
          break
        }
        case "Wait":
          for (let i = 0; i < step.millis; i++) {
            subject.host.tick()
            model.tick()
          }
          break
        case "Cancel":
          subject.cancel(ids - step.of)
          model.cancel(ids - step.of)
          break
        case "Finish": {
          const call = subject.running.shift()
          if (call === undefined) break
          const actual = Math.max(0, call.cost + step.extra)
          subject.lane.used(call.ticket, [actual, 1], now)
          if (actual > call.cost) model.debt(actual - call.cost)
          else model.refund(call.at, call.cost - actual)
          break
        }
        case "Drain":
          subject.lane.drain(now + step.millis, "RateLimited", now)
          model.drain(now + step.millis)
      }
      expect(told(subject.journal)).toEqual(told(model.journal))
      expect(subject.lane.look().waiting).toBe(model.queue.length)
      expect(subject.host.timers()).toBe(model.queue.length === 0 ? 0 : 1)
    }
    expect(subject.host.mostTimers()).toBeLessThanOrEqual(1)
  }, { fastCheck: { numRuns: 1000 } })

  it("nobody overtakes a dear call at the head, so that it does not starve", () => {
    const subject = makeSubject()
    const at = (outcome: Outcome) => subject.journal.filter((entry) => entry.outcome === outcome)
    subject.ask({ id: 0, cost: 4, latest: Infinity, priority: 0 })
    subject.ask({ id: 1, cost: 6, latest: Infinity, priority: 0 })
    subject.ask({ id: 2, cost: 1, latest: Infinity, priority: 0 })
    for (let i = 0; i < 100; i++) subject.host.tick()
    expect(at("granted").map(({ at, id }) => [id, at])).toEqual([[0, 1000], [1, 1040], [2, 1080]])
  })

  it("a grant counts from the real start, whenever that is", () => {
    const subject = makeSubject()
    const tickets: Array<Ticket> = []
    const reported = (): void => {
      const answer = subject.lane.ask({
        costs: [6, 0],
        latest: Infinity,
        priority: 0,
        reported: true,
        now: () => subject.host.now,
        schedule: subject.host.schedule,
        settle: (answer) => void (answer._tag === "Granted" && tickets.push(answer.ticket))
      })
      if (answer._tag === "Granted") tickets.push(answer.ticket)
    }
    const pass = (millis: number) => {
      for (let i = 0; i < millis; i++) subject.host.tick()
    }
    reported()
    reported()
    // Granted at 1,000 and held up for longer than the window: nothing may start behind it.
    pass(100)
    expect(tickets).toHaveLength(1)
    subject.lane.started(tickets[0]!, subject.host.now)
    pass(39)
    expect(tickets).toHaveLength(1)
    pass(1)
    expect(tickets.map((ticket) => ticket.grantedAt)).toEqual([1000, 1140])
    // A second start under the same ticket is a further request.
    subject.lane.started(tickets[1]!, subject.host.now)
    reported()
    subject.lane.started(tickets[1]!, subject.host.now + 5)
    pass(44)
    expect(tickets).toHaveLength(2)
    pass(1)
    expect(tickets).toHaveLength(3)
    // Never started: gone at once.
    subject.lane.unused(tickets[2]!, subject.host.now)
    reported()
    expect(tickets).toHaveLength(4)
  })
})

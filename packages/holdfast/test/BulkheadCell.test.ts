/** The state machine of a bulkhead against a plain model: arrays that are filtered and sorted anew at each step. */
import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { Cell, type Reason, type Result, type Rules } from "../src/internal/bulkhead/cell.js"
import { Cells, otherKey } from "../src/internal/bulkhead/cells.js"
import { Heap } from "../src/internal/bulkhead/heap.js"
import * as Limit from "../src/internal/bulkhead/limit.js"
import { type Order, orders } from "../src/internal/bulkhead/line.js"
import { UsualTime } from "../src/internal/bulkhead/usualTime.js"
import type { Asker, Ticket, Waiter } from "../src/internal/bulkhead/waiter.js"
import { Shed } from "../src/Rejected.js"

class Refusal extends Shed {
  constructor(readonly reason: Reason["_tag"]) {
    super({ policy: "Bulkhead", policyName: "test", message: reason })
  }
}

interface Settings {
  readonly limit: number
  readonly capacity: number
  readonly order: Order
  readonly reserve: number
  readonly minTime: number
  readonly maxWait: number
  readonly aimd?: Limit.AimdRules | undefined
  readonly learnTime?: boolean | undefined
}

const rulesOf = (settings: Settings, watch: Rules["watch"] = () => {}): Rules => ({
  limit: settings.limit,
  aimd: settings.aimd,
  queue: { capacity: settings.capacity, order: settings.order, reserve: settings.reserve },
  minTime: settings.minTime,
  learnTime: settings.learnTime ?? false,
  maxWait: settings.maxWait,
  refusal: (reason) => new Refusal(reason._tag),
  watch
})

type Command =
  | { readonly _tag: "Arrive"; readonly priority: number; readonly tenant: string; readonly time: number }
  | { readonly _tag: "Leave"; readonly which: number }
  | { readonly _tag: "Cancel"; readonly which: number }
  | { readonly _tag: "Resize"; readonly limit: number }
  | { readonly _tag: "Wait"; readonly millis: number }

/** What became of a call. */
type Fate = "waiting" | "in" | "gone" | Reason["_tag"]

interface Caller {
  readonly id: number
  readonly priority: number
  readonly tenant: string
  readonly deadline: number
  readonly arrivedAt: number
}

class Model {
  now = 0
  readonly fates: Array<Fate> = []
  readonly callers: Array<Caller> = []
  limit: number
  private credit = 0
  /** Priorities with waiting calls, the one served longest ago first, each with its tenants in turn. */
  private levels: Array<{ priority: number; tenants: Array<string> }> = []

  constructor(readonly settings: Settings) {
    this.limit = settings.limit
  }

  ids(fate: Fate): Array<number> {
    return this.fates.flatMap((is, id) => (is === fate ? [id] : []))
  }

  get waiting(): Array<Caller> {
    return this.callers.filter(({ id }) => this.fates[id] === "waiting")
  }

  private sorted(callers: Array<Caller>): Array<Caller> {
    const { order } = this.settings
    return callers.sort((a, b) =>
      order === "fifo"
        ? a.id - b.id
        : order === "lifo"
        ? b.id - a.id
        : a.deadline === b.deadline ? a.id - b.id : a.deadline - b.deadline)
  }

  private line(priority: number, tenant: string): Array<Caller> {
    return this.sorted(this.waiting.filter((caller) => caller.priority === priority && caller.tenant === tenant))
  }

  private late(caller: Caller): Fate | undefined {
    const left = caller.deadline - this.now
    if (left <= 0 || left < this.settings.minTime) return "TooLate"
    return this.now - caller.arrivedAt > this.settings.maxWait ? "Waited" : undefined
  }

  /** Forgets tenants and priorities without calls. */
  private tidy(): void {
    for (const level of this.levels) {
      level.tenants = level.tenants.filter((tenant) => this.line(level.priority, tenant).length > 0)
    }
    this.levels = this.levels.filter(({ tenants }) => tenants.length > 0)
  }

  arrive(priority: number, tenant: string, time: number): void {
    const id = this.callers.length
    const caller = { id, priority, tenant, deadline: this.now + time, arrivedAt: this.now }
    this.callers.push(caller)
    this.fates[id] = "gone"
    const late = this.late(caller)
    if (late !== undefined) this.fates[id] = late
    else if (this.ids("in").length < this.limit) this.fates[id] = "in"
    else if (this.settings.capacity === 0) this.fates[id] = "Full"
    else {
      this.fates[id] = "waiting"
      let level = this.levels.find((one) => one.priority === priority)
      if (level === undefined) {
        level = { priority, tenants: [] }
        this.levels.push(level)
      }
      if (!level.tenants.includes(tenant)) level.tenants.push(tenant)
      if (this.waiting.length > this.settings.capacity) {
        const victim = this.leastUrgent(caller)
        this.fates[victim.id] = victim === caller ? "Full" : "Displaced"
      }
      this.tidy()
    }
  }

  private leastUrgent(arrival: Caller): Caller {
    const priorities = this.waiting.map(({ priority }) => priority)
    const [highest, lowest] = [Math.max(...priorities), Math.min(...priorities)]
    const below = priorities.filter((priority) => priority < highest).length
    const spared = arrival.priority === highest &&
      below <= Math.floor(this.settings.reserve * this.settings.capacity)
    const pays = spared ? highest : lowest
    const tenants = this.levels.find(({ priority }) => priority === pays)?.tenants ?? []
    const most = Math.max(...tenants.map((tenant) => this.line(pays, tenant).length))
    const own = arrival.priority === pays && this.line(pays, arrival.tenant).length === most
    // Which of several equally long lines pays is the machine's choice.
    const longest = tenants.filter((tenant) => this.line(pays, tenant).length === most)
    const tenant = own ? arrival.tenant : longest.find((one) => this.chosen === one) ?? longest[0] ?? ""
    return this.line(pays, tenant).at(-1) ?? arrival
  }

  /** The tenant that the machine made pay, if that is one of the choices. */
  chosen: string | undefined = undefined

  admit(): void {
    for (;;) {
      if (this.ids("in").length >= this.limit || this.levels.length === 0) return
      const { reserve } = this.settings
      const due = this.levels.length > 1 && this.credit + reserve >= 1 - 1e-9
      const level = due ? this.levels[0]! : this.levels.reduce((a, b) => (b.priority > a.priority ? b : a))
      const caller = this.line(level.priority, level.tenants[0]!)[0]!
      const late = this.late(caller)
      if (late !== undefined) this.fates[caller.id] = late
      else {
        this.credit = this.levels.length <= 1 ? 0 : due ? Math.max(0, this.credit + reserve - 1) : this.credit + reserve
        level.tenants.push(level.tenants.shift()!)
        this.levels = [...this.levels.filter((one) => one !== level), level]
        this.fates[caller.id] = "in"
      }
      this.tidy()
    }
  }

  leave(id: number): void {
    this.fates[id] = "gone"
    this.admit()
  }

  cancel(id: number): void {
    this.fates[id] = "gone"
    this.tidy()
  }

  resize(limit: number): void {
    this.limit = limit
    this.admit()
  }

  release(): void {
    const due = (caller: Caller) =>
      Math.min(caller.deadline - this.settings.minTime, caller.arrivedAt + this.settings.maxWait) <= this.now
    for (const caller of this.waiting.filter(due)) this.fates[caller.id] = this.late(caller) ?? "Waited"
    this.tidy()
  }
}

/** The machine under test, with the fates of its calls. */
class Machine {
  now = 0
  readonly fates: Array<Fate> = []
  readonly tickets: Array<Ticket | undefined> = []
  readonly waiters: Array<Waiter | undefined> = []
  firstRelease: Waiter | undefined = undefined
  readonly cell: Cell
  private readonly tenants: Array<string> = []
  lastDisplaced: string | undefined = undefined

  constructor(settings: Settings) {
    this.cell = new Cell("default", rulesOf(settings, (_, first) => {
      this.firstRelease = first
    }))
  }

  private settled(id: number, decision: Parameters<Asker["settle"]>[0]): void {
    expect(this.fates[id] === undefined || this.fates[id] === "waiting", "settled once").toBe(true)
    if (decision._tag === "Entered") {
      this.fates[id] = "in"
      this.tickets[id] = decision.ticket
    } else this.fates[id] = decision.error instanceof Refusal ? decision.error.reason : "gone"
    if (this.fates[id] === "Displaced") this.lastDisplaced = this.tenants[id]
  }

  arrive(priority: number, tenant: string, time: number): void {
    const id = this.tenants.length
    this.tenants.push(tenant)
    this.lastDisplaced = undefined
    const decision = this.cell.arrive({
      call: { priority, tenant, deadline: this.now + time },
      now: this.now,
      settle: (outcome) => this.settled(id, outcome)
    })
    if (decision._tag === "Waiting") {
      this.fates[id] = "waiting"
      this.waiters[id] = decision
    } else this.settled(id, decision)
  }

  leave(id: number, result: Result = "nothing"): void {
    this.fates[id] = "gone"
    this.cell.leave(this.tickets[id]!, result, this.now)
  }

  cancel(id: number): void {
    this.fates[id] = "gone"
    this.waiters[id]!.cancel()
  }
}

const time = fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 60 }))

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      _tag: fc.constant("Arrive" as const),
      priority: fc.integer({ min: -1, max: 2 }),
      tenant: fc.constantFrom("a", "b", "c"),
      time
    })
  },
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant("Leave" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Cancel" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Resize" as const), limit: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Wait" as const), millis: fc.integer({ min: 0, max: 20 }) }) }
)

const settings: fc.Arbitrary<Settings> = fc.record({
  limit: fc.integer({ min: 1, max: 3 }),
  capacity: fc.integer({ min: 0, max: 9 }),
  order: fc.constantFrom(...orders),
  reserve: fc.constantFrom(0, 0.125, 0.25, 0.5),
  minTime: fc.constantFrom(0, 5),
  maxWait: fc.constantFrom(Infinity, 12)
})

const pick = (from: ReadonlyArray<number>, which: number): number | undefined => from[which % Math.max(1, from.length)]

describe("the bulkhead's state machine", () => {
  it("does what the model does, whatever happens in whatever order", () => {
    const seen = new Map<Fate, number>()
    fc.assert(
      fc.property(settings, fc.array(command, { minLength: 20, maxLength: 60, size: "max" }), (given, commands) => {
        const model = new Model(given)
        const machine = new Machine(given)
        for (const one of commands) {
          switch (one._tag) {
            case "Arrive":
              machine.arrive(one.priority, one.tenant, one.time)
              model.chosen = machine.lastDisplaced
              model.arrive(one.priority, one.tenant, one.time)
              break
            case "Leave":
            case "Cancel": {
              const id = pick(model.ids(one._tag === "Leave" ? "in" : "waiting"), one.which)
              if (id === undefined) break
              if (one._tag === "Leave") {
                model.leave(id)
                machine.leave(id)
              } else {
                model.cancel(id)
                machine.cancel(id)
              }
              break
            }
            case "Resize":
              model.resize(one.limit)
              machine.cell.resize(one.limit, machine.now)
              break
            case "Wait":
              model.now += one.millis
              machine.now = model.now
              // Half of the time the timer is late, and calls meet their end when their turn comes.
              if (one.millis % 2 === 0) {
                model.release()
                machine.cell.release(machine.now)
              }
          }
          expect(machine.fates).toEqual(model.fates)
          const { inFlight, limit, queued } = machine.cell.state
          expect({ inFlight, limit, queued }).toEqual({
            inFlight: model.ids("in").length,
            limit: model.limit,
            queued: model.ids("waiting").length
          })
          expect(queued).toBeLessThanOrEqual(given.capacity)
          if (queued > 0) expect(inFlight).toBeGreaterThanOrEqual(limit)
          const releases = model.waiting.map((caller) =>
            Math.min(caller.deadline - given.minTime, caller.arrivedAt + given.maxWait))
          expect(machine.firstRelease?.releaseAt ?? Infinity).toBe(Math.min(Infinity, ...releases))
          const tenants = [...machine.cell.byTenant.values()]
          expect(tenants.reduce((sum, one) => sum + one.inFlight, 0)).toBe(inFlight)
          expect(tenants.reduce((sum, one) => sum + one.queued, 0)).toBe(queued)
        }
        for (const fate of machine.fates) seen.set(fate, (seen.get(fate) ?? 0) + 1)
        // Everybody goes: everything is as it was in the beginning.
        for (;;) {
          const id = machine.fates.indexOf("in")
          if (id < 0) break
          machine.leave(id)
        }
        expect(machine.cell.idle).toBe(true)
        expect(machine.cell.byTenant.size).toBe(0)
        expect(machine.cell.state.queued).toBe(0)
      }),
      { numRuns: 500 }
    )
    // The property is worth nothing if the interesting ends do not happen.
    for (const fate of ["gone", "Full", "Displaced", "TooLate", "Waited"] as const) {
      expect(seen.get(fate) ?? 0, fate).toBeGreaterThan(20)
    }
  })

  const standard: Settings = {
    limit: 1,
    capacity: 100,
    order: "fifo",
    reserve: 0.125,
    minTime: 0,
    maxWait: Infinity
  }

  /** The calls in the order in which they start, each ending when the next is to start. */
  const starts = (machine: Machine, turns: number): Array<number> =>
    Array.from({ length: turns }, () => {
      machine.leave(machine.fates.indexOf("in"))
      return machine.fates.indexOf("in")
    })

  it("gives one start in eight to lower priorities while higher ones keep coming", () => {
    const machine = new Machine(standard)
    machine.arrive(5, "a", Infinity)
    for (let i = 0; i < 30; i++) machine.arrive(5, "a", Infinity)
    machine.arrive(1, "a", Infinity)
    machine.arrive(0, "a", Infinity)
    expect(starts(machine, 16)).toEqual([1, 2, 3, 4, 5, 6, 7, 31, 8, 9, 10, 11, 12, 13, 14, 32])
  })

  it("starves nobody: each of many priorities starts within its share of the turns", () => {
    const machine = new Machine(standard)
    machine.arrive(99, "a", Infinity)
    for (let priority = 0; priority < 5; priority++) machine.arrive(priority, "a", Infinity)
    for (let turn = 0; turn < 5 * 8; turn++) {
      machine.arrive(99, "a", Infinity)
      machine.leave(machine.fates.indexOf("in"))
    }
    expect(machine.fates.slice(1, 6)).not.toContain("waiting")
  })

  it("without a reserve lower priorities wait until nobody else does", () => {
    const machine = new Machine({ ...standard, reserve: 0 })
    machine.arrive(1, "a", Infinity)
    machine.arrive(0, "a", Infinity)
    for (let i = 0; i < 40; i++) machine.arrive(1, "a", Infinity)
    expect(starts(machine, 41)).toEqual([...Array.from({ length: 40 }, (_, i) => i + 2), 1])
  })

  it("a tenant with a hundred waiting calls delays another's only one by one turn", () => {
    const machine = new Machine(standard)
    machine.arrive(0, "greedy", Infinity)
    for (let i = 0; i < 99; i++) machine.arrive(0, "greedy", Infinity)
    machine.arrive(0, "modest", Infinity)
    expect(starts(machine, 3)).toEqual([1, 100, 2])
  })

  it("a tenant cannot keep others out by filling the queue", () => {
    const machine = new Machine({ ...standard, capacity: 4 })
    for (let i = 0; i < 5; i++) machine.arrive(0, "greedy", Infinity)
    machine.arrive(0, "modest", Infinity)
    expect(machine.fates).toEqual(["in", "waiting", "waiting", "waiting", "Displaced", "waiting"])
    machine.arrive(0, "modest", Infinity)
    machine.arrive(0, "modest", Infinity)
    expect(machine.fates.slice(3)).toEqual(["Displaced", "Displaced", "waiting", "waiting", "Full"])
  })

  it("keeps reserved places for lower priorities once they have them", () => {
    const machine = new Machine({ ...standard, capacity: 8 })
    machine.arrive(0, "a", Infinity)
    machine.arrive(0, "a", Infinity)
    machine.arrive(0, "a", Infinity)
    for (let i = 0; i < 8; i++) machine.arrive(1, "a", Infinity)
    // One place in eight is reserved: of the two that waited first, one stays, and the last urgent one finds none.
    expect(machine.fates).toEqual(["in", "waiting", "Displaced", ...Array.from({ length: 7 }, () => "waiting"), "Full"])
  })

  it("keeps them from the highest priority alone: among lower ones the lowest pays", () => {
    const machine = new Machine({ ...standard, capacity: 8, reserve: 0.5 })
    for (const priority of [9, 9, 0, 0, 5, 5, 5, 5, 5]) machine.arrive(priority, "a", Infinity)
    machine.arrive(5, "a", Infinity)
    expect(machine.fates.slice(2)).toEqual(["waiting", "Displaced", ...Array.from({ length: 6 }, () => "waiting")])
  })

  it("a priority that is no number counts as 0", () => {
    const machine = new Machine(standard)
    for (const priority of [0, -1, NaN, 1]) machine.arrive(priority, "a", Infinity)
    expect(starts(machine, 3)).toEqual([3, 2, 1])
  })
})

describe("the adaptive limit", () => {
  const rules: Limit.AimdRules = { min: 2, max: 10, increase: 1, decrease: 0.5 }

  it("never leaves its bounds, and is cut once for each flight", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 10 }),
        fc.array(fc.record({ ok: fc.boolean(), full: fc.boolean(), behind: fc.integer({ min: 0, max: 2 }) })),
        (start, lessons) => {
          let limit = Limit.make(start, rules)
          for (const { behind, full, ok } of lessons) {
            const flight = Limit.flightOf(limit) - behind
            const before = limit
            limit = Limit.learn(limit, ok ? { _tag: "Answered", flight, full } : { _tag: "NoCapacity", flight })
            if (behind > 0 || (ok && !full)) expect(limit).toBe(before)
            else if (ok) expect(limit.size).toBe(Math.min(10, before.size + 1 / Limit.permits(before)))
            else {
              expect(limit.size).toBe(Math.max(2, before.size / 2))
              expect(Limit.flightOf(limit)).toBe(Limit.flightOf(before) + 1)
            }
          }
        }
      )
    )
  })

  it("grows by one after a whole flight of successes at full use", () => {
    for (let size = 2; size < 10; size++) {
      let limit = Limit.make(size, rules)
      for (let i = 0; i < size; i++) {
        expect(Limit.permits(limit)).toBe(size)
        limit = Limit.learn(limit, { _tag: "Answered", flight: 0, full: true })
      }
      expect(Limit.permits(limit)).toBe(size + 1)
    }
  })

  it("a fixed limit learns nothing", () => {
    const limit = Limit.make(4, undefined)
    expect(Limit.learn(limit, { _tag: "NoCapacity", flight: 0 })).toBe(limit)
    expect(Limit.learn(limit, { _tag: "Answered", flight: 0, full: true })).toBe(limit)
    expect(Limit.permits(Limit.resize(limit, 7))).toBe(7)
  })

  const adaptive: Settings = {
    limit: 4,
    capacity: 10,
    order: "fifo",
    reserve: 0.125,
    minTime: 0,
    maxWait: Infinity,
    aimd: rules
  }
  const enter = (machine: Machine, calls: number): void => {
    for (let i = 0; i < calls; i++) machine.arrive(0, "a", Infinity)
  }

  it("does not grow while there is room", () => {
    const machine = new Machine(adaptive)
    for (let i = 0; i < 100; i++) {
      enter(machine, 1)
      machine.leave(i, "success")
    }
    expect(machine.cell.state.limit).toBe(4)
  })

  it("grows when the limit was reached while the call was in flight, though it was not at its end", () => {
    const machine = new Machine(adaptive)
    enter(machine, 4)
    for (let id = 0; id < 4; id++) machine.leave(id, "success")
    expect(machine.cell.state.limit).toBe(5)
  })

  it("one burst of refusals is one cut", () => {
    const machine = new Machine(adaptive)
    enter(machine, 4)
    for (let id = 0; id < 4; id++) machine.leave(id, "no-capacity")
    expect(machine.cell.state.limit).toBe(2)
  })

  it("a call that teaches nothing changes nothing", () => {
    const machine = new Machine(adaptive)
    enter(machine, 4)
    for (let id = 0; id < 4; id++) machine.leave(id, "nothing")
    expect(machine.cell.state.limit).toBe(4)
    expect(machine.cell.state.usualTime).toBeUndefined()
  })
})

describe("the usual time", () => {
  it("is the median of the last 15 successes, once there are 5", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 50, size: "max" }), (times) => {
        const usual = new UsualTime()
        for (const [index, millis] of times.entries()) {
          usual.add(millis)
          const last = times.slice(Math.max(0, index - 14), index + 1).sort((a, b) => a - b)
          expect(usual.millis).toBe(last.length < 5 ? undefined : last[Math.floor(last.length / 2)])
        }
      })
    )
  })

  it("forgets what is more than 15 successes ago", () => {
    const usual = new UsualTime()
    for (let i = 0; i < 15; i++) usual.add(10)
    for (let i = 0; i < 7; i++) usual.add(90)
    expect(usual.millis).toBe(10)
    usual.add(90)
    expect(usual.millis).toBe(90)
    for (let i = 0; i < 15; i++) usual.add(i)
    expect(usual.millis).toBe(7)
  })

  it("holds back a call that waits and cannot fit it, at entry and at its turn, but none that finds a permit", () => {
    const machine = new Machine({
      limit: 1,
      capacity: 10,
      order: "fifo",
      reserve: 0,
      minTime: 0,
      maxWait: Infinity,
      learnTime: true
    })
    for (let i = 0; i < 5; i++) {
      machine.arrive(0, "a", Infinity)
      machine.now += 30
      machine.leave(i, "success")
    }
    expect(machine.cell.state.usualTime).toBe(30)
    machine.arrive(0, "a", 29)
    expect(machine.fates[5]).toBe("in")
    machine.arrive(0, "a", 29)
    machine.arrive(0, "a", 30)
    machine.arrive(0, "a", 40)
    expect(machine.fates.slice(6)).toEqual(["TooLate", "waiting", "waiting"])
    machine.now += 1
    machine.leave(5)
    expect(machine.fates.slice(7)).toEqual(["TooLate", "in"])
  })
})

describe("the heap", () => {
  it("gives the first of what is in it, whatever was taken out or moved", () => {
    const step = fc.record({
      rank: fc.integer({ min: 0, max: 9 }),
      op: fc.constantFrom("add", "remove", "move"),
      at: fc.nat()
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: "max" }), (steps) => {
        const heap = new Heap<"place", { place: number; rank: number }>("place", (a, b) => a.rank < b.rank)
        let items: Array<{ place: number; rank: number }> = []
        for (const { at, op, rank } of steps) {
          const item = items[at % Math.max(1, items.length)]
          if (op === "add") {
            const added = { place: -1, rank }
            heap.add(added)
            items.push(added)
          } else if (item !== undefined && op === "remove") {
            heap.remove(item)
            heap.remove(item)
            items = items.filter((one) => one !== item)
          } else if (item !== undefined) {
            item.rank = rank
            heap.move(item)
          }
          expect(heap.size).toBe(items.length)
          expect(heap.first?.rank).toBe(items.length === 0 ? undefined : Math.min(...items.map((one) => one.rank)))
        }
      })
    )
  })
})

describe("the family of cells", () => {
  const rules = rulesOf({ limit: 1, capacity: 1, order: "fifo", reserve: 0, minTime: 0, maxWait: Infinity })
  const enter = (cells: Cells, key: string, now: number): Ticket => {
    const cell = cells.of(key, now)
    const decision = cell.arrive({ call: { deadline: Infinity, priority: 0, tenant: "a" }, now, settle: () => {} })
    cells.used(cell, now)
    if (decision._tag !== "Entered") throw new Error(decision._tag)
    return decision.ticket
  }
  const leave = (cells: Cells, ticket: Ticket, now: number): void => {
    ticket.cell.leave(ticket, "nothing", now)
    cells.used(ticket.cell, now)
  }

  it("forgets a key after its idle time, and none that is in use", () => {
    const cells = new Cells({ maxKeys: 10, idleTime: 100 }, rules)
    const a = enter(cells, "a", 0)
    leave(cells, enter(cells, "b", 0), 50)
    expect([...cells.all(149).keys()]).toEqual(["a", "b"])
    expect([...cells.all(150).keys()]).toEqual(["a"])
    leave(cells, a, 1000)
    expect([...cells.all(1099).keys()]).toEqual(["a"])
    expect([...cells.all(1100).keys()]).toEqual([])
  })

  it("makes room for a new key by forgetting the one that was idle longest", () => {
    const cells = new Cells({ maxKeys: 2, idleTime: 100 }, rules)
    const a = enter(cells, "a", 0)
    leave(cells, enter(cells, "b", 1), 2)
    leave(cells, a, 3)
    leave(cells, enter(cells, "c", 4), 5)
    expect([...cells.all(6).keys()]).toEqual(["a", "c"])
  })

  it("lets keys beyond the bound share one cell while all others are in use", () => {
    const cells = new Cells({ maxKeys: 2, idleTime: 100 }, rules)
    const tickets = ["a", "b", "c"].map((key) => enter(cells, key, 0))
    expect([...cells.all(0).keys()]).toEqual(["a", "b", otherKey])
    expect(cells.of("d", 0)).toBe(tickets[2]!.cell)
    for (const ticket of tickets) leave(cells, ticket, 1)
    expect(cells.all(101).size).toBe(0)
  })

  it("does not count the shared cell among the keys, nor forget it to make room", () => {
    const cells = new Cells({ maxKeys: 2, idleTime: 100 }, rules)
    const [a, b, shared] = ["a", "b", "c"].map((key) => enter(cells, key, 0))
    leave(cells, shared!, 1)
    leave(cells, a!, 2)
    // The shared cell has been unused for longer than that of "a", which goes.
    const d = enter(cells, "d", 3)
    expect([...cells.all(3).keys()]).toEqual(["b", otherKey, "d"])
    leave(cells, b!, 101)
    leave(cells, d, 101)
    expect([...cells.all(101).keys()]).toEqual(["b", "d"])
  })

  it("takes another limit for the keys in being and those to come", () => {
    const cells = new Cells({ maxKeys: 3, idleTime: 100 }, rules)
    const inside = enter(cells, "a", 0)
    cells.resize(2, 0)
    expect(enter(cells, "a", 0).cell).toBe(inside.cell)
    expect([cells.of("b", 0), cells.read("c", 0)].map((cell) => cell.state.limit)).toEqual([2, 2])
    // All else is as it was: one call may wait.
    const settle = () => {}
    const again = () => inside.cell.arrive({ call: { deadline: Infinity, priority: 0, tenant: "a" }, now: 0, settle })
    expect([again()._tag, again()._tag]).toEqual(["Waiting", "Refused"])
  })

  it("is never larger than the bound and the shared cell, whatever comes and goes", () => {
    const visit = fc.record({
      key: fc.integer({ min: 0, max: 9 }),
      stays: fc.boolean(),
      wait: fc.integer({ min: 0, max: 30 })
    })
    fc.assert(
      fc.property(fc.array(visit, { maxLength: 80, size: "max" }), (visits) => {
        const cells = new Cells({ maxKeys: 3, idleTime: 100 }, rulesOf({
          limit: 100,
          capacity: 1,
          order: "fifo",
          reserve: 0,
          minTime: 0,
          maxWait: Infinity
        }))
        const inside: Array<Ticket> = []
        let now = 0
        for (const { key, stays, wait } of visits) {
          now += wait
          inside.push(enter(cells, `k${key}`, now))
          if (!stays) leave(cells, inside.splice(key % inside.length, 1)[0]!, now)
          const all = cells.all(now)
          expect([...all.keys()].filter((name) => name !== otherKey).length).toBeLessThanOrEqual(3)
          // Whoever is in flight is in a cell that is known.
          for (const { cell } of inside) expect(all.get(cell.key)).toBe(cell)
          expect([...all.values()].reduce((sum, cell) => sum + cell.state.inFlight, 0)).toBe(inside.length)
        }
      })
    )
  })

  it("reading a key that is not there makes none", () => {
    const cells = new Cells({ maxKeys: 2, idleTime: 100 }, rules)
    expect(cells.read("a", 0).state.limit).toBe(1)
    expect(cells.all(0).size).toBe(0)
  })
})

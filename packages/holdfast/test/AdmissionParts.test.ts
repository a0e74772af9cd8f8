/** The parts of admission, scene by scene, with numbers worked by hand. Times in seconds. */
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, FiberId } from "effect"
import * as GenerationError from "holdfast/GenerationError"
import * as Rejected from "holdfast/Rejected"
import * as Controller from "../src/internal/admission/controller.js"
import { dueOrder, queueOrder } from "../src/internal/admission/entry.js"
import * as Estimates from "../src/internal/admission/estimates.js"
import { Heap } from "../src/internal/admission/heap.js"
import { type Lesson, lessonOf } from "../src/internal/admission/lesson.js"
import { luck } from "../src/internal/admission/luck.js"
import * as Pace from "../src/internal/admission/pace.js"
import { Recent } from "../src/internal/admission/recent.js"
import type { Settings } from "../src/internal/admission/settings.js"

const settings: Settings = {
  seed: 0.1,
  floor: 0.01,
  down: 0.5,
  up: 1.1,
  slowDown: 0.5,
  quiet: 30,
  doubling: 100,
  late: 0.5,
  fit: 1.25,
  concurrency: 1,
  service: 20,
  window: 100,
  maxWaiting: 3,
  persistent: undefined
}

describe("what an attempt teaches", () => {
  const at = 5000
  const lesson = (how: Parameters<typeof lessonOf>[0], deadline = Infinity): Lesson => lessonOf(how, deadline, at)
  const ofError = (error: unknown) => lesson(Exit.fail(error))
  const message = "no"

  it("is told by its exit", () => {
    expect(lesson("never-started")).toEqual({ _tag: "Unsent" })
    expect(lesson(Exit.succeed("image"))).toEqual({ _tag: "Answered" })
    expect(lesson(Exit.die("bug"))).toEqual({ _tag: "Silent" })
    expect(lesson(Exit.interrupt(FiberId.none), at + 1)).toEqual({ _tag: "Silent" })
    expect(lesson(Exit.interrupt(FiberId.none), at)).toEqual({ _tag: "Lost", late: true })
    // A defect on the way out is no deadline.
    expect(lesson(Exit.failCause(Cause.parallel(Cause.die("bug"), Cause.interrupt(FiberId.none))), at)).toEqual({ _tag: "Silent" })
  })

  it("is a rejection where capacity or our own limit was short, with the server's time", () => {
    expect(ofError(new GenerationError.Overloaded({ message }))).toEqual({ _tag: "Rejected", quota: false, hint: 0 })
    expect(ofError(new GenerationError.RateLimited({ message, retryAfter: "7 seconds" })))
      .toEqual({ _tag: "Rejected", quota: true, hint: 7000 })
  })

  it("hangs on a timeout's clock: a gateway's is an answer, with our own the server works on", () => {
    const timeout = (fields: Partial<ConstructorParameters<typeof GenerationError.Timeout>[0]>) =>
      ofError(new GenerationError.Timeout({ message, phase: "headers", ...fields }))
    expect(timeout({ outcome: "unknown" })).toEqual({ _tag: "Lost", late: false })
    expect(timeout({ outcome: "unknown", phase: "server" })).toEqual({ _tag: "Failed" })
    expect(timeout({ outcome: "not-started", phase: "connect" })).toEqual({ _tag: "Failed" })
  })

  it("goes by the class of other errors", () => {
    const tags = (errors: ReadonlyArray<unknown>) => new Set(errors.map((error) => ofError(error)._tag))
    expect(tags([new GenerationError.Transient({ message })])).toEqual(new Set(["Failed"]))
    expect(tags([new GenerationError.EmptyResult({ message })])).toEqual(new Set(["Answered"]))
    expect(tags([
      new GenerationError.QuotaExhausted({ message }),
      new GenerationError.InvalidRequest({ message }),
      new GenerationError.Unauthorized({ message }),
      new GenerationError.Forbidden({ message }),
      new GenerationError.ModelNotFound({ message }),
      new GenerationError.ContentBlocked({ message }),
      new GenerationError.Malformed({ message }),
      new Error("mine"),
      "text"
    ])).toEqual(new Set(["Silent"]))
  })

  it("is none where a policy inside refused, but for a deadline that passed on the way", () => {
    const fields = { policy: "x", policyName: "x", message }
    expect(ofError(new Rejected.CircuitOpen(fields))).toEqual({ _tag: "Unsent" })
    expect(ofError(new Rejected.DeadlineExceeded(fields))).toEqual({ _tag: "Lost", late: false })
  })

  it.effect("of several causes it is the failure", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Effect.ensuring(Effect.fail(new GenerationError.Transient({ message })), Effect.die("bug")))
      expect(lesson(exit)).toEqual({ _tag: "Failed" })
    }))
})

describe("the order of waiting calls", () => {
  const entry = (given: Partial<Controller.Arrival> = {}, order = 0) => ({
    ...Controller.entry("x", { born: 0, deadline: 100, priority: 0, batch: false, ...given }),
    order
  })
  const goesBefore = (a: Controller.Tagged<string>, b: Controller.Tagged<string>) => {
    const both = [queueOrder.before(a, b), queueOrder.before(b, a)]
    expect(both[0]).not.toBe(both[1])
    return both[0]
  }

  it("is interactive before batch, then by priority, then the newest, then the last to arrive", () => {
    expect(goesBefore(entry(), entry({ batch: true, priority: 9, born: 9 }, 9))).toBe(true)
    expect(goesBefore(entry({ priority: 1 }), entry({ born: 9 }, 9))).toBe(true)
    expect(goesBefore(entry({ born: 1 }), entry({}, 9))).toBe(true)
    expect(goesBefore(entry({}, 1), entry())).toBe(true)
    expect(queueOrder.before(entry(), entry())).toBe(false)
    expect(goesBefore(entry({ batch: true, priority: 1 }), entry({ batch: true }))).toBe(true)
  })

  it("is by deadline for those who may have to go", () => {
    expect([dueOrder.before(entry(), entry({ deadline: 101 })), dueOrder.before(entry(), entry())]).toEqual([true, false])
  })

  it("begins outside of both heaps, with nobody beside it", () => {
    expect(Controller.entry("tag", { born: 1, deadline: 2, priority: 3, batch: true })).toEqual({
      tag: "tag", born: 1, deadline: 2, priority: 3, batch: true,
      order: 0, startedAt: 0, place: -1, duePlace: -1, older: undefined, newer: undefined
    })
  })
})

describe("the heap", () => {
  interface Member {
    readonly value: number
    place: number
  }
  const heapOf = (...values: ReadonlyArray<number>) => {
    const heap = new Heap<Member>({
      before: (a, b) => a.value < b.value,
      placeOf: (member) => member.place,
      setPlace: (member, place) => void (member.place = place)
    })
    const members = values.map((value): Member => ({ value, place: -1 }))
    for (const member of members) heap.push(member)
    return { heap, members }
  }
  const drain = (heap: Heap<Member>) => {
    const out: Array<number> = []
    for (let first = heap.first(); first !== undefined; first = heap.first()) {
      out.push(first.value)
      heap.remove(first)
    }
    return out
  }

  it("hands out in order, whatever member is taken out before", () => {
    const values = [5, 3, 8, 1, 9, 2, 7, 4, 6, 0]
    for (const gone of values) {
      const { heap, members } = heapOf(...values)
      const member = members.find(({ value }) => value === gone)!
      heap.remove(member)
      expect([member.place, heap.size]).toEqual([-1, 9])
      heap.remove(member)
      expect(drain(heap)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((value) => value !== gone))
    }
  })

  it("moves what fills a gap up where it belongs there", () => {
    // The last, 12, comes to the place of 50 and above its parent, 40.
    const { heap, members } = heapOf(1, 40, 10, 50, 60, 11, 12)
    heap.remove(members[3]!)
    expect(drain(heap)).toEqual([1, 10, 11, 12, 40, 60])
  })

  it("tells each member its place", () => {
    const { heap, members } = heapOf(4, 3, 2, 1)
    expect(members.map(({ place }) => place).sort()).toEqual([0, 1, 2, 3])
    expect(heap.first()?.place).toBe(0)
  })
})

describe("a count of what happened lately", () => {
  it("is of the last span, slice by slice", () => {
    const recent = new Recent(60)
    expect([recent.span, recent.count(0)]).toEqual([60, 0])
    for (const at of [100, 101.9, 102, 110]) recent.add(at)
    expect(recent.count(110)).toBe(4)
    // A slice is two seconds long.
    expect([159.9, 160, 161.9, 162, 170].map((now) => recent.count(now))).toEqual([4, 2, 2, 1, 0])
  })

  it("counts out each thing once", () => {
    const recent = new Recent(60)
    recent.add(100)
    expect([130, 159, 160, 190, 219, 220, 221].map((now) => recent.count(now))).toEqual([1, 1, 0, 0, 0, 0, 0])
  })

  it("starts anew after a long silence, and counts a time before as now", () => {
    const recent = new Recent(60)
    recent.add(10)
    recent.add(500)
    expect(recent.count(500)).toBe(1)
    recent.add(490)
    expect([recent.count(490), recent.count(559), recent.count(560)]).toEqual([2, 2, 0])
    const early = new Recent(60)
    early.add(-5)
    expect([early.count(0), early.count(59), early.count(60)]).toEqual([1, 1, 0])
    const exact = new Recent(60)
    exact.add(0)
    exact.add(58)
    expect(exact.count(60)).toBe(1)
    exact.add(118)
    expect(exact.count(118)).toBe(1)
  })
})

describe("luck", () => {
  it("is the stream of mulberry32", () => {
    const draw = luck(5)
    const draws = [draw(), draw(), draw()]
    // Computed from the published algorithm, in 64-bit integers.
    expect(draws.map((u) => Math.round(u * 2 ** 32))).toEqual(mulberry32(5n, 3))
    expect(luck(6)()).not.toBe(draws[0])
    expect(luck(2 ** 32 + 5)()).toBe(draws[0])
  })

  /** Mulberry32, written with integers of any size. */
  const mulberry32 = (seed: bigint, count: number): ReadonlyArray<number> => {
    const bits = (n: bigint) => BigInt.asUintN(32, n)
    let state = seed
    return Array.from({ length: count }, () => {
      state = bits(state + 0x6d2b79f5n)
      let t = state
      t = bits((t ^ (t >> 15n)) * (t | 1n))
      t = bits(t ^ (t + bits((t ^ (t >> 7n)) * (t | 61n))))
      return Number(t ^ (t >> 14n))
    })
  }
})

describe("estimates", () => {
  it("begin with the settings", () => {
    const self = Estimates.make(settings)
    expect([self.service, self.latency, self.success, self.window, self.failures, self.inFlight]).toEqual([20, 20, 1, 100, 0, 0])
    expect([self.oldestStart, self.lost, self.arrivals.span, self.answers.span]).toEqual([Infinity, [], 300, 60])
  })

  it("take the age of the oldest call for the latency when it is half as much again", () => {
    const self = Estimates.make(settings)
    expect(Estimates.latencyNow(self, 50)).toBe(20)
    self.oldestStart = 20
    expect([50, 50.1].map((now) => Estimates.latencyNow(self, now))).toEqual([20, 30.1])
  })

  it("want the service time and a margin, or the latency, but not the whole window", () => {
    const self = Estimates.make(settings)
    expect(Estimates.timeNeeded(self, 0)).toBe(25)
    self.latency = 60
    expect(Estimates.timeNeeded(self, 0)).toBe(63)
    self.latency = 100
    expect(Estimates.timeNeeded(self, 0)).toBe(90)
  })

  it("count what was lost until the time allowed for a call has passed", () => {
    const self = Estimates.make(settings)
    self.lost.push(10, 20, 20, 30)
    expect([109, 110, 119.9, 120, 130].map((now) => Estimates.lostNow(self, now))).toEqual([4, 3, 3, 1, 0])
    expect(self.lost).toEqual([])
  })

  it("are late after a share of the window", () => {
    const self = Estimates.make(settings)
    expect([50, 50.1].map((elapsed) => Estimates.isLate(self, elapsed))).toEqual([false, true])
    self.answers.add(100)
    self.answers.add(101)
    self.answers.add(102)
    expect(Estimates.answersPerSecond(self, 102)).toBe(0.05)
  })

  it("move towards what is seen: the share of successes, the latency", () => {
    const self = Estimates.make(settings)
    Estimates.learnSuccess(self, 0)
    expect(self.success).toBeCloseTo(0.9, 12)
    Estimates.learnSuccess(self, 1)
    expect(self.success).toBeCloseTo(0.91, 12)
    Estimates.learnAtLeast(self, 10)
    expect(self.latency).toBe(20)
    Estimates.learnAtLeast(self, 40)
    expect([self.latency, self.service]).toEqual([25, 20])
  })

  it("learn the service time slowly upwards, quickly downwards, and hardly from outliers", () => {
    const after = (latency: number) => {
      const self = Estimates.make(settings)
      Estimates.learnLatency(self, latency)
      return [self.service, self.latency]
    }
    expect(after(39)).toEqual([20 + 0.05 * 19, 20 + 0.25 * 19])
    expect(after(40)).toEqual([20 * 1.01, 25])
    expect(after(12)).toEqual([20 - 0.05 * 8, 18])
    expect(after(10)).toEqual([20 - 0.05 * 10, 17.5])
    expect(after(8)).toEqual([20 - 0.25 * 12, 17])
  })
})

describe("the pace", () => {
  const on = (fields: Partial<Pace.Pace> = {}): Pace.Pace => ({
    ...Pace.make(), mode: "paced", rate: 0.1, good: 0.1, lastSignal: 0, ...fields
  })
  const advance = (self: Pace.Pace, now: number, latency = 20) => {
    Pace.advance(self, settings, latency, now)
    return self
  }

  it("is off at first, and then holds nobody back", () => {
    const self = Pace.make()
    expect(self).toEqual({
      mode: "off", rate: 0, tokens: 0, good: 0, at: 0, lastSignal: -Infinity, lastGood: -Infinity,
      cause: "capacity", goodCutAt: -Infinity, slowCutAt: -Infinity
    })
    expect(Pace.rateAt(self, settings, 20, 50)).toBe(Infinity)
    advance(self, 50)
    expect([self.at, self.tokens, self.rate]).toEqual([50, 0, 0])
    expect(Pace.tokenAt(self, settings, 20)).toBe(50)
    Pace.onGood(self, settings, 60)
    expect([self.mode, self.rate, self.lastGood]).toEqual(["off", 0, -Infinity])
  })

  it("gives tokens as time passes, one at least and two seconds' worth at most, and never backwards", () => {
    expect(advance(on(), 5).tokens).toBeCloseTo(0.5, 12)
    expect(advance(on(), 25).tokens).toBe(1)
    expect(advance(on({ rate: 3 }), 25).tokens).toBe(6)
    const self = advance(on(), 5)
    advance(self, 3)
    expect([self.at, self.tokens]).toEqual([5, 0.5])
  })

  it("doubles in the quiet, from so long after the last signal", () => {
    expect(advance(on(), 30).rate).toBe(0.1)
    expect(advance(on(), 130).rate).toBeCloseTo(0.2, 12)
    expect([30, 130, 230].map((now) => Pace.rateAt(on(), settings, 20, now))).toEqual([0.1, 0.2, 0.4])
    expect(advance(on({ at: 80 }), 180).rate).toBeCloseTo(0.2, 12)
    expect(Pace.rateAt(on({ at: 80 }), settings, 20, 180)).toBeCloseTo(0.2, 12)
    // Tokens are the integral: 0.1 a second for 30 s, then 0.1 * 100 / ln 2 over a doubling.
    const tokens = advance(on({ tokens: -20 }), 130).tokens
    expect(tokens).toBeCloseTo(-20 + 3 + (0.1 * 100) / Math.LN2, 9)
  })

  it("waits for the end of good answers where it was our own limit, and for the latency where it was slow", () => {
    const rate = (fields: Partial<Pace.Pace>, latency: number, now: number) => Pace.rateAt(on(fields), settings, latency, now)
    expect(rate({ lastGood: 50 }, 20, 130)).toBeCloseTo(0.2, 12)
    expect(rate({ lastGood: 50, cause: "quota" }, 20, 180)).toBeCloseTo(0.2, 12)
    expect(rate({ lastGood: -50, cause: "quota" }, 20, 130)).toBeCloseTo(0.2, 12)
    expect(rate({ mode: "slow" }, 20, 130)).toBeCloseTo(0.2, 12)
    expect(rate({ mode: "slow" }, 100, 230)).toBeCloseTo(0.2, 12)
    expect(rate({ mode: "paced" }, 100, 130)).toBeCloseTo(0.2, 12)
  })

  it("knows when the next token comes, and when a pace is reached", () => {
    const token = (fields: Partial<Pace.Pace>) => Pace.tokenAt(on(fields), settings, 20)
    expect([token({}), token({ tokens: 0.5 }), token({ tokens: 1, at: 7 }), token({ tokens: -2 })]).toEqual([10, 5, 7, 30])
    const late = token({ tokens: -10 })
    expect(advance(on({ tokens: -10 }), late).tokens).toBeCloseTo(1, 9)
    expect(late).toBeGreaterThan(30)
    expect(token({ tokens: 0, at: 130 })).toBeCloseTo(130 + 100 * Math.log2(1 + Math.LN2 / 10), 9)
    const reached = (rate: number, fields: Partial<Pace.Pace> = {}) => Pace.rateReachedAt(on(fields), settings, 20, rate)
    expect([reached(0.05), reached(0.1), reached(0.2), reached(0.4), reached(0.2, { at: 80 })]).toEqual([0, 0, 130, 230, 180])
  })

  it("is turned on by the first rejection, from the pace of the answers within bounds", () => {
    const first = (answersPerSecond: number) => {
      const self = Pace.make()
      Pace.onReject(self, settings, answersPerSecond, false, 50)
      return self
    }
    expect(first(2)).toEqual({
      mode: "paced", rate: 1, tokens: 0, good: 2, at: 50, lastSignal: 50, lastGood: -Infinity,
      cause: "capacity", goodCutAt: 50, slowCutAt: -Infinity
    })
    expect([first(0).rate, first(99).rate]).toEqual([0.05, 4])
  })

  it("is cut by rejections to a floor, and lowers what it returns to now and then", () => {
    const self = on({ rate: 1, good: 4 })
    Pace.onReject(self, settings, 9, true, 100)
    expect([self.rate, self.good, self.cause, self.lastSignal]).toEqual([0.5, 3.4, "quota", 100])
    Pace.onReject(self, settings, 9, false, 129.9)
    expect([self.rate, self.good, self.cause]).toEqual([0.25, 3.4, "capacity"])
    Pace.onReject(self, settings, 9, false, 130)
    expect([self.rate, self.good]).toEqual([0.125, 3.4 * 0.85])
    for (let i = 0; i < 9; i++) Pace.onReject(self, settings, 9, false, 131)
    expect(self.rate).toBe(0.01)
    // What is below the floor already stays.
    const low = on({ rate: 0.004, good: 0.004 })
    Pace.onReject(low, settings, 9, false, 100)
    expect([low.rate, low.good]).toEqual([0.004, 0.004])
    const steady = on({ rate: 1, good: 1 })
    Pace.onReject(steady, settings, 9, false, 100)
    expect(steady.good).toBe(1)
  })

  it("is cut by slowness once in a while, with a lower pace to return to", () => {
    const self = on({ rate: 1, good: 4, tokens: 0.5 })
    Pace.onSlow(self, settings, 9, 100, 100)
    expect(self).toMatchObject({ mode: "slow", rate: 0.5, good: 0.7, slowCutAt: 100, lastSignal: 100, cause: "slow", tokens: 0.5 })
    Pace.onSlow(self, settings, 9, 100, 124)
    expect(self).toMatchObject({ rate: 0.5, slowCutAt: 100, lastSignal: 124 })
    Pace.onSlow(self, settings, 9, 100, 125)
    expect(self).toMatchObject({ rate: 0.25, good: 0.35, slowCutAt: 125 })
    Pace.onSlow(self, settings, 9, 40, 144)
    expect(self.rate).toBe(0.25)
    Pace.onSlow(self, settings, 9, 40, 145)
    expect(self.rate).toBe(0.125)
    for (let i = 1; i < 9; i++) Pace.onSlow(self, settings, 9, 40, 145 + 20 * i)
    expect([self.rate, self.good]).toEqual([0.01, 0.01])
    const first = Pace.make()
    Pace.onSlow(first, settings, 2, 100, 50)
    expect(first).toMatchObject({ mode: "slow", rate: 1, good: 1.4, at: 50, tokens: 0 })
  })

  it("comes back by good answers: quickly to the last good one, then feeling for more", () => {
    const self = on({ mode: "slow", rate: 1.5, good: 4 })
    Pace.onGood(self, settings, 100)
    expect(self).toMatchObject({ mode: "paced", rate: 3, lastGood: 100, lastSignal: 0 })
    Pace.onGood(self, settings, 101)
    expect(self.rate).toBe(4)
    Pace.onGood(self, settings, 102)
    expect(self.rate).toBeCloseTo(4.4, 12)
  })

  it("ends long after the last signal, when it is several times what is asked for", () => {
    const mode = (now: number, arrivalsPerSecond: number) => {
      const self = on({ rate: 0.6 })
      Pace.relax(self, arrivalsPerSecond, now)
      return self.mode
    }
    expect([mode(119.9, 0.1), mode(120, 0.1), mode(120, 0.2), mode(120, 0.19)]).toEqual(["paced", "off", "paced", "off"])
  })

  it("is kept up for those who wait, as long as a fair share is accepted", () => {
    const persistent = { ...settings, persistent: { pers: 10, fair: 0.2 } }
    const kept = (fields: Partial<Pace.Pace>, waiting: number, success: number, given: Settings = persistent) => {
      const self = on({ rate: 0.05, ...fields })
      Pace.persist(self, given, waiting, success)
      return self.rate
    }
    expect([kept({}, 1, 1), kept({}, 2, 0.2), kept({}, 3, 0.2), kept({}, 9, 0.2)]).toEqual([0.1, 0.2, 0.3, 0.3])
    expect([kept({}, 3, 0.1), kept({ rate: 0.1 }, 3, 0.1)]).toEqual([0.075, 0.1])
    expect([kept({}, 0, 1), kept({ mode: "slow" }, 3, 1), kept({ mode: "off" }, 3, 1), kept({ cause: "quota" }, 3, 1)])
      .toEqual([0.05, 0.05, 0.05, 0.05])
    expect(kept({}, 3, 1, { ...settings, persistent: undefined })).toBe(0.05)
  })
})

describe("the controller", () => {
  type Call = Controller.Tagged<string>
  const makeStage = (given: Partial<Settings> = {}) => {
    const self = Controller.make<Call>({ ...settings, ...given })
    const told: Array<string> = []
    const calls: Record<string, Call> = {}
    const decide = {
      start: ({ tag }: Call) => void told.push(`start ${tag}`),
      shed: ({ tag }: Call, reason: Controller.ShedReason) => void told.push(`shed ${tag}: ${reason}`)
    }
    const arrive = (tag: string, now: number, arrival: Partial<Controller.Arrival> = {}, fresh = true) => {
      const call = Controller.entry(tag, { born: now, deadline: now + 100, priority: 0, batch: false, ...arrival })
      calls[tag] = call
      Controller.arrive(self, call, fresh, now, decide)
      return call
    }
    /** What is decided at an instant. */
    const pump = (now: number) => {
      told.length = 0
      Controller.pump(self, now, decide)
      return [...told]
    }
    /** Comes and starts at once. */
    const fly = (tag: string, now: number, arrival: Partial<Controller.Arrival> = {}) => {
      const call = arrive(tag, now, arrival)
      expect(pump(now)).toEqual([`start ${tag}`])
      return call
    }
    const refusal = { hint: 0, quota: false, luck: 0 }
    const reject = (call: Call, now: number, more: Partial<Controller.Refusal> = {}) =>
      Controller.rejected(self, call, now, { ...refusal, ...more })
    return { self, told, calls, arrive, pump, fly, reject, next: (now: number) => Controller.nextAt(self, now) }
  }

  it("starts everybody at once while nothing speaks of overload", () => {
    const { arrive, next, pump, self } = makeStage()
    expect(next(5)).toBe(Infinity)
    arrive("a", 5)
    arrive("b", 5)
    expect(next(5)).toBe(5)
    expect(pump(5)).toEqual(["start b", "start a"])
    expect([self.inFlight, self.oldestStart, self.queue.size, self.due.size, self.arrivals.count(5)]).toEqual([2, 5, 0, 0, 2])
  })

  it("keeps calls in flight in the order of their start, whichever of them ends", () => {
    const { fly, self } = makeStage()
    const calls = [1, 2, 3, 4].map((at) => fly(String(at), at))
    expect([self.oldest?.tag, self.newest?.tag, self.oldestStart]).toEqual(["1", "4", 1])
    Controller.released(self, calls[1]!, 5)
    expect([calls[0]!.newer?.tag, calls[2]!.older?.tag, calls[1]!.older, calls[1]!.newer]).toEqual(["3", "1", undefined, undefined])
    Controller.released(self, calls[0]!, 5)
    expect([self.oldest?.tag, self.oldestStart, calls[2]!.older]).toEqual(["3", 3, undefined])
    Controller.released(self, calls[3]!, 5)
    expect([self.newest?.tag, calls[2]!.newer]).toEqual(["3", undefined])
    Controller.released(self, calls[2]!, 5)
    expect([self.oldest, self.newest, self.oldestStart, self.inFlight]).toEqual([undefined, undefined, Infinity, 0])
    expect([self.pace.mode, self.success]).toEqual(["off", 1])
  })

  it("learns the time allowed from interactive calls that are new and have a deadline to come", () => {
    const { arrive, self } = makeStage({ maxWaiting: 99 })
    arrive("a", 0, { deadline: 70 })
    expect(self.window).toBe(70)
    arrive("batch", 0, { deadline: 50, batch: true })
    arrive("again", 0, { deadline: 50 }, false)
    arrive("patient", 0, { deadline: Infinity })
    arrive("late", 60, { deadline: 60 })
    expect([self.window, self.arrivals.count(60)]).toEqual([70, 4])
    arrive("b", 60, { deadline: 140 })
    expect(self.window).toBe(80)
  })

  it("paces what comes after a rejection, one token at a time", () => {
    const { arrive, fly, next, pump, reject, self } = makeStage()
    reject(fly("a", 0), 1)
    expect(self.pace).toMatchObject({ mode: "paced", rate: 0.05, tokens: 0 })
    arrive("b", 1, { deadline: Infinity })
    arrive("c", 1, { deadline: Infinity })
    expect(pump(1)).toEqual([])
    expect(next(1)).toBe(21)
    expect(pump(20.9)).toEqual([])
    expect(pump(21)).toEqual(["start c"])
    expect(self.pace.tokens).toBeCloseTo(0, 9)
    expect(next(21)).toBeGreaterThan(37)
  })

  it("gives the token of an attempt back that never was", () => {
    const { arrive, calls, fly, pump, reject, self } = makeStage()
    reject(fly("a", 0), 1)
    arrive("b", 1, { deadline: Infinity })
    pump(21)
    Controller.withdrawn(self, calls["b"]!, 22)
    expect([self.pace.tokens, self.inFlight]).toEqual([1, 0])
    const off = makeStage()
    Controller.withdrawn(off.self, off.fly("a", 0), 1)
    expect([off.self.pace.tokens, off.self.inFlight]).toEqual([0, 0])
  })

  it("closes for the server's own time, and a little longer by luck", () => {
    const { arrive, fly, next, pump, reject, self } = makeStage()
    const [a, b] = [fly("a", 0), fly("b", 0)]
    reject(a, 1, { hint: 60, luck: 0.5 })
    expect(self.closedUntil).toBe(64)
    reject(b, 1, { hint: 20, luck: 0 })
    expect(self.closedUntil).toBe(64)
    arrive("c", 1, { deadline: Infinity })
    expect(next(1)).toBe(64)
    expect([pump(63.9), pump(64)]).toEqual([[], ["start c"]])
  })

  it("turns away who could not finish any more by then", () => {
    const { arrive, fly, next, pump, reject } = makeStage()
    reject(fly("a", 0), 1, { hint: 60 })
    // Twenty-five seconds are needed: those who have until 86 cannot wait until 61.
    arrive("short", 1, { deadline: 85.9 })
    arrive("long", 1, { deadline: 90 })
    expect(next(1)).toBeCloseTo(60.901, 9)
    expect(pump(1)).toEqual(["shed short: deadline"])
    expect(pump(61)).toEqual(["start long"])
  })

  it("turns away at its turn who has less time left than answers take now", () => {
    const { arrive, fly, pump, self } = makeStage({ window: 200 })
    fly("oldest", 0, { deadline: Infinity })
    // The oldest call in flight has run for sixty seconds: so long, and a margin, must be left.
    arrive("long", 60, { deadline: 123 })
    arrive("short", 60, { deadline: 122.9 })
    self.window = 200
    expect(pump(60)).toEqual(["shed short: deadline", "start long"])
  })

  it("turns a waiting call away as soon as it is hopeless", () => {
    const { arrive, fly, next, pump, reject } = makeStage({ seed: 0.001, floor: 0.001 })
    reject(fly("a", 0), 1)
    arrive("b", 1, { deadline: 61 })
    expect(next(1)).toBeCloseTo(36.001, 9)
    expect([pump(36), pump(36.001)]).toEqual([[], ["shed b: deadline"]])
  })

  it("makes room in a full queue: who is due first goes, unless the newcomer ranks lower", () => {
    const { arrive, fly, pump, reject, self, told } = makeStage({ seed: 0.001, floor: 0.001 })
    reject(fly("first", 0), 1)
    for (const [tag, deadline] of [["a", 90], ["b", 80], ["c", Infinity]] as const) arrive(tag, 1, { deadline })
    told.length = 0
    arrive("d", 2)
    expect(told).toEqual(["shed b: full"])
    arrive("batch", 2, { batch: true, deadline: Infinity })
    expect(told.slice(1)).toEqual(["shed batch: full"])
    expect([self.queue.size, self.due.size]).toEqual([3, 2])
    arrive("e", 3, { deadline: Infinity })
    arrive("f", 3, { deadline: Infinity })
    arrive("g", 3, { deadline: Infinity })
    // Nobody left in the queue is due at all.
    expect(told.slice(2)).toEqual(["shed a: full", "shed d: full", "shed g: full"])
    expect(pump(3)).toEqual([])
  })

  it("forgets a call that goes away by itself", () => {
    const { arrive, fly, next, pump, reject, self } = makeStage()
    reject(fly("a", 0), 1)
    Controller.cancel(self, arrive("b", 1))
    expect([self.queue.size, self.due.size, next(1), pump(50)]).toEqual([0, 0, Infinity, []])
  })

  it("now and then tries a call that was too short on arrival, while nothing else is in flight", () => {
    const { arrive, pump, self } = makeStage()
    arrive("a", 0, { deadline: 20 })
    expect(pump(0)).toEqual(["shed a: deadline"])
    expect(self.hopelessSince).toBe(0)
    arrive("b", 29, { deadline: 49 })
    expect(pump(29)).toEqual(["shed b: deadline"])
    arrive("c", 30, { deadline: 50 })
    expect(pump(30)).toEqual(["start c"])
    arrive("d", 60, { deadline: 80 })
    expect(pump(60)).toEqual(["shed d: deadline"])
    Controller.released(self, self.oldest!, 61)
    arrive("e", 61, { deadline: 81 })
    expect(pump(61)).toEqual(["start e"])
    // An answer shows that the estimate was right, or corrects it.
    Controller.answered(self, self.oldest!, 70)
    expect(self.hopelessSince).toBe(Infinity)
    const later = makeStage()
    for (const [at, told] of [[100, "shed"], [129, "shed"], [130, "start"]] as const) {
      later.arrive("x", at, { deadline: at + 20 })
      expect(later.pump(at)[0]).toContain(told)
    }
    const long = makeStage()
    long.fly("a", 0, { deadline: 25 })
    expect(long.self.hopelessSince).toBe(Infinity)
  })

  it("lets few be in flight where work is accepted and not done in time", () => {
    const { arrive, fly, next, pump, self } = makeStage({ seed: 0.2, floor: 0.1 })
    const [a, b] = [fly("a", 0, { deadline: Infinity }), fly("b", 0, { deadline: Infinity })]
    Controller.lost(self, a, 30, true)
    expect(self.pace).toMatchObject({ mode: "slow", rate: 0.1 })
    // Pace times service time: two at once, and what was lost is one of them.
    expect(Controller.flightLimit(self)).toBe(2)
    arrive("c", 30, { deadline: Infinity })
    expect([pump(30), pump(45)]).toEqual([[], []])
    expect(self.pace.tokens).toBe(1)
    // At 60 the pace begins to double; at 3 / 20 a third may fly.
    expect(next(45)).toBeCloseTo(60 + 100 * Math.log2(1.5), 6)
    Controller.released(self, b, 46)
    expect(next(46)).toBe(46)
    expect(pump(46)).toEqual(["start c"])
    const lone = makeStage({ seed: 0.02, floor: 0.02 })
    Controller.lost(lone.self, lone.fly("a", 0), 10, true)
    expect(Controller.flightLimit(lone.self)).toBe(1)
    expect(Controller.flightLimit(makeStage().self)).toBe(Infinity)
  })

  it("counts what was lost among those in flight until its time has passed", () => {
    const { arrive, fly, next, pump, self } = makeStage({ seed: 0.02, floor: 0.02, doubling: 1e6, window: 40 })
    Controller.lost(self, fly("a", 0, { deadline: Infinity }), 10, true)
    arrive("b", 70, { deadline: Infinity, batch: true })
    self.lost[0] = 60
    expect([pump(70), next(70)]).toEqual([[], 100])
    expect(pump(100)).toEqual(["start b"])
  })

  describe("what an end teaches", () => {
    const ends = (end: (self: Controller.Controller<Call>, call: Call, now: number) => void, now: number) => {
      const stage = makeStage()
      end(stage.self, stage.fly("a", 0), now)
      const { latency, pace, service, success } = stage.self
      return { mode: pace.mode, cause: pace.cause, success, latency, service }
    }

    it("an answer in time, and a late one", () => {
      expect(ends(Controller.answered, 20)).toMatchObject({ mode: "off", success: 1, latency: 20, service: 20 })
      expect(ends(Controller.answered, 50)).toMatchObject({ mode: "off", latency: 27.5 })
      expect(ends(Controller.answered, 60)).toMatchObject({ mode: "slow", cause: "slow", success: 1, latency: 30 })
      const { fly, reject, self } = makeStage()
      const [a, b] = [fly("a", 0), fly("b", 0)]
      reject(a, 1)
      Controller.answered(self, b, 2)
      expect([self.pace.rate, self.pace.lastGood, self.answers.count(2)]).toEqual([0.1, 2, 1])
    })

    it("by how long it took, whenever it began", () => {
      const { fly, self } = makeStage()
      Controller.answered(self, fly("a", 500), 516)
      expect([self.pace.mode, self.latency, self.service]).toEqual(["off", 19, 19.8])
    })

    it("a rejection, early or late", () => {
      const rejected = (quota: boolean) => (self: Controller.Controller<Call>, call: Call, now: number) =>
        Controller.rejected(self, call, now, { hint: 0, quota, luck: 0 })
      expect(ends(rejected(false), 5)).toEqual({ mode: "paced", cause: "capacity", success: 0.9, latency: 20, service: 20 })
      expect(ends(rejected(true), 5)).toMatchObject({ mode: "paced", cause: "quota" })
      expect(ends(rejected(true), 60)).toMatchObject({ mode: "slow", cause: "slow" })
    })

    it("failures, but only three in a row", () => {
      const { fly, reject, self } = makeStage()
      const calls = Array.from({ length: 9 }, (_, n) => fly(String(n), 0))
      Controller.failed(self, calls[0]!, 1)
      Controller.failed(self, calls[1]!, 1)
      Controller.answered(self, calls[2]!, 1)
      Controller.failed(self, calls[3]!, 1)
      Controller.failed(self, calls[4]!, 1)
      expect([self.pace.mode, self.failures]).toEqual(["off", 2])
      Controller.failed(self, calls[5]!, 1)
      expect([self.pace.mode, self.pace.cause, self.failures]).toEqual(["paced", "capacity", 3])
      reject(calls[6]!, 1)
      expect(self.failures).toBe(0)
      expect(ends(Controller.failed, 60)).toMatchObject({ mode: "slow", success: 0.9, latency: 20 })
    })

    it("a call that was lost: it took so long at least", () => {
      const lost = (late: boolean) => (self: Controller.Controller<Call>, call: Call, now: number) =>
        Controller.lost(self, call, now, late)
      expect(ends(lost(false), 10)).toEqual({ mode: "off", cause: "capacity", success: 0.9, latency: 20, service: 20 })
      expect(ends(lost(false), 40)).toMatchObject({ mode: "off", latency: 25, service: 20 })
      expect(ends(lost(false), 60)).toMatchObject({ mode: "slow" })
      expect(ends(lost(true), 10)).toMatchObject({ mode: "slow", cause: "slow" })
    })
  })

  it("stops pacing long after the last signal when it is far above what is asked for", () => {
    const { fly, pump, reject, self } = makeStage()
    reject(fly("a", 0), 1)
    pump(120)
    expect(self.pace.mode).toBe("paced")
    // Five arrivals are added in doubt to those of the last five minutes.
    pump(121)
    expect([self.pace.mode, self.pace.rate > (3 * 6) / 300]).toEqual(["off", true])
  })

  it("looks at the end of pacing now and then while somebody waits", () => {
    const { arrive, fly, next, reject, self } = makeStage({ seed: 0.0001, floor: 0.0001, doubling: 1e9 })
    reject(fly("a", 0), 1)
    arrive("b", 1, { deadline: Infinity })
    expect(next(1)).toBe(121)
    Controller.pump(self, 200, { start: () => {}, shed: () => {} })
    expect(next(200)).toBe(210)
  })

  it("in a dry run says what would have become of a call, and starts it in any case", () => {
    const { fly, reject, self } = makeStage()
    const observe = (now: number, deadline: number) =>
      Controller.observe(self, Controller.entry("x", { born: now, deadline, priority: 0, batch: false }), true, now)
    expect([observe(0, 100), observe(0, 24.9), observe(0, 25)]).toEqual(["start", "shed", "start"])
    expect([self.inFlight, self.arrivals.count(0), self.pace.tokens]).toEqual([3, 3, 0])
    const later = makeStage()
    const short = Controller.entry("x", { born: 500, deadline: 524, priority: 0, batch: false })
    expect(Controller.observe(later.self, short, true, 500)).toBe("shed")
    reject(fly("a", 0), 1)
    expect([observe(1, 200), self.inFlight]).toEqual(["wait", 4])
    self.pace.tokens = 1.5
    expect([observe(1, 10), self.pace.tokens]).toEqual(["shed", 1.5])
    expect([observe(1, 200), self.pace.tokens]).toEqual(["start", 0.5])
    expect(self.inFlight).toBe(6)
  })
})

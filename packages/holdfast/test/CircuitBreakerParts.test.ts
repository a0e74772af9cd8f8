/** The parts of a breaker, scene by scene: rules, steps between states, breakers by key, and snapshots of them. */
import { describe, expect, it } from "@effect/vitest"
import { Breaker, type Settings, type Ticket } from "../src/internal/circuitBreaker/breaker.js"
import { Monotone } from "../src/internal/circuitBreaker/monotone.js"
import { Overdue, type Tracked } from "../src/internal/circuitBreaker/overdue.js"
import { Registry } from "../src/internal/circuitBreaker/registry.js"
import { type Rules, watchesSlowness } from "../src/internal/circuitBreaker/rules.js"
import * as Snapshot from "../src/internal/circuitBreaker/snapshot.js"
import * as State from "../src/internal/circuitBreaker/state.js"
import * as Window from "../src/internal/circuitBreaker/window.js"

/** Three failures in a row open it for ten seconds; slowness does not count. */
const plain: Rules = {
  consecutiveFailures: 3,
  failureRatio: Infinity,
  minimumCalls: Infinity,
  slowRatio: Infinity,
  slowAfter: Infinity,
  slowMinimumCalls: Infinity,
  window: 10_000,
  openFor: 10_000,
  openFactor: 2,
  maxOpen: 60_000,
  jitter: 0,
  probes: 1,
  successesToClose: 1,
  acceptedAfter: Infinity,
  probeTimeout: 30_000
}
const slowness: Partial<Rules> = { slowRatio: 0.5, slowAfter: 1000, slowMinimumCalls: 4 }

const makeBreaker = (given: Partial<Rules> = {}, settings: Partial<Settings> = {}, state: State.State = State.closed(0)) => {
  const changes: Array<string> = []
  const breaker = new Breaker("k", {
    rules: { ...plain, ...given },
    dryRun: false,
    onChange: ({ state }, from, now) => void changes.push(`${from._tag} -> ${state._tag} at ${now}`),
    ...settings
  }, state)
  const draw = () => 0
  return {
    breaker,
    changes,
    enter: (now: number, chance: () => number = draw) => breaker.enter(now, chance),
    /** A call that must be let in. */
    ticket: (now: number, chance: () => number = draw): Ticket => {
      const ticket = breaker.enter(now, chance)
      if (typeof ticket === "number") throw new Error(`refused for ${ticket}`)
      return ticket
    },
    /** A call from start to end. */
    call: (startedAt: number, verdict: State.Verdict, now = startedAt, retryAfter = 0) => {
      const ticket = breaker.enter(startedAt, draw)
      if (typeof ticket === "number") return ticket
      breaker.leave(ticket, verdict, retryAfter, now)
      return breaker.state._tag
    }
  }
}

describe("rules", () => {
  it("watch calls in flight only where slowness can trip the breaker", () => {
    const watches = (rules: Partial<Rules>) => watchesSlowness({ ...plain, ...slowness, ...rules })
    expect([watches({}), watches({ slowRatio: 1 }), watches({ slowRatio: 1.01 })]).toEqual([true, true, false])
    expect([watches({ slowAfter: Infinity }), watches({ slowMinimumCalls: Infinity })]).toEqual([false, false])
  })
})

describe("a breaker", () => {
  it("opens after so many failures in a row, and says for how long", () => {
    const { breaker, call, changes, enter } = makeBreaker()
    expect(call(0, "failure")).toBe("Closed")
    expect(call(100, "failure", 300)).toBe("Closed")
    expect(call(400, "success")).toBe("Closed")
    expect(breaker.state).toMatchObject({ consecutive: 0, longestFailure: 0 })
    expect([call(500, "failure"), call(600, "failure", 900), call(1000, "failure", 1100)]).toEqual(["Closed", "Closed", "Open"])
    expect(breaker.state).toEqual({
      _tag: "Open", epoch: 1, cause: "consecutive-failures", openings: 1, longestFailure: 300, since: 1100, until: 11_100
    })
    expect([enter(1100), enter(11_099)]).toEqual([10_000, 1])
    expect(changes).toEqual(["Closed -> Open at 1100"])
    expect([breaker.inFlight, breaker.lastUsed]).toEqual([0, 11_099])
  })

  it("takes no notice of what says nothing", () => {
    const { breaker, call } = makeBreaker()
    call(0, "failure")
    const { state } = breaker
    call(1, "ignored")
    expect(breaker.state).toBe(state)
  })

  it("opens by the share of failures, once there are enough calls, and never by a success", () => {
    const { breaker, call } = makeBreaker({ consecutiveFailures: Infinity, failureRatio: 0.5, minimumCalls: 4 })
    call(0, "failure", 5)
    call(10, "failure", 12)
    expect([call(20, "success"), call(30, "success"), call(40, "success")]).toEqual(["Closed", "Closed", "Closed"])
    expect(call(50, "failure", 53)).toBe("Open")
    expect(breaker.state).toMatchObject({ cause: "failure-ratio", longestFailure: 5 })
  })

  it("stays closed below that share, and at that share before there are enough calls", () => {
    const { call } = makeBreaker({ consecutiveFailures: Infinity, failureRatio: 0.5, minimumCalls: 4 })
    const ends = ["success", "failure", "success", "success", "failure", "success", "success", "failure"] as const
    expect(ends.map((verdict, at) => call(at, verdict))).toEqual(ends.map(() => "Closed"))
    const few = makeBreaker({ consecutiveFailures: Infinity, failureRatio: 0.5, minimumCalls: 4 })
    expect([1, 2, 3, 4].map((at) => few.call(at, "failure"))).toEqual(["Closed", "Closed", "Closed", "Open"])
  })

  it("opens when too many calls are slow, those in flight included", () => {
    const { breaker, call, changes, enter, ticket } = makeBreaker({ ...slowness, consecutiveFailures: Infinity })
    call(0, "success", 1000)
    call(1000, "success", 1999)
    ticket(2000)
    const tickets = [ticket(2000), ticket(2500)]
    expect([typeof enter(2999), breaker.overdueAt(2999)]).toEqual(["object", 0])
    // One of two was slow, and two more are overdue at 3,000: three of four.
    expect(enter(3000)).toBe(10_000)
    expect(breaker.state).toMatchObject({ cause: "slow-ratio", longestFailure: Infinity, since: 3000 })
    expect(changes).toEqual(["Closed -> Open at 3000"])
    // What began before says nothing of the time after.
    expect(breaker.overdueAt(9000)).toBe(0)
    breaker.leave(tickets[0]!, "failure", 0, 9000)
    expect(breaker.state).toMatchObject({ until: 13_000 })
    expect(breaker.inFlight).toBe(3)
  })

  it("opens by slowness when a call ends, too", () => {
    const { breaker, call } = makeBreaker({ ...slowness, consecutiveFailures: Infinity })
    expect([call(0, "success", 1000), call(0, "success", 10), call(0, "success", 20)]).toEqual(["Closed", "Closed", "Closed"])
    expect(call(0, "failure", 1000)).toBe("Open")
    expect(breaker.state).toMatchObject({ cause: "slow-ratio" })
  })

  it("a streamed answer is as slow as its first part", () => {
    const { breaker, ticket } = makeBreaker({ ...slowness, slowMinimumCalls: 1 })
    const streamed = ticket(0)
    breaker.answered(streamed, 900)
    breaker.answered(streamed, 950)
    expect(streamed.answeredAt).toBe(900)
    expect(breaker.overdueAt(5000)).toBe(0)
    breaker.leave(streamed, "success", 0, 5000)
    expect(breaker.state).toMatchObject({ _tag: "Closed", window: { calls: 1, slow: 0 } })
  })

  it("heeds the server's own time, up to the longest opening", () => {
    const opened = (retryAfter: number) => {
      const { breaker, call } = makeBreaker({ consecutiveFailures: 2 })
      call(0, "failure", 100, retryAfter)
      call(200, "failure", 300)
      return breaker.state._tag === "Open" ? breaker.state.until : undefined
    }
    expect([opened(0), opened(5000), opened(10_201), opened(30_000), opened(90_000)])
      .toEqual([10_300, 10_300, 10_301, 30_100, 60_300])
  })

  it("heeds the server's own time from failures alone", () => {
    const { breaker, call } = makeBreaker({ consecutiveFailures: 2 })
    call(0, "success", 0, 50_000)
    call(10, "failure")
    expect(breaker.state).toMatchObject({ notBefore: -Infinity })
    call(20, "failure", 20, 30_000)
    expect(breaker.state).toMatchObject({ _tag: "Open", until: 30_020 })
  })

  it("a late failure of the time before prolongs an opening when the server says so, and teaches nothing else", () => {
    const { breaker, call, ticket } = makeBreaker({ consecutiveFailures: 1 })
    const before = [ticket(0), ticket(0), ticket(0), ticket(0)]
    call(100, "failure")
    const { state } = breaker
    breaker.leave(before[0]!, "success", 50_000, 200)
    breaker.leave(before[1]!, "failure", 9000, 300)
    expect(breaker.state).toBe(state)
    breaker.leave(before[2]!, "failure", 20_000, 400)
    expect(breaker.state).toEqual({ ...state, until: 20_400 })
    breaker.leave(before[3]!, "failure", 90_000, 500)
    expect(breaker.state).toEqual({ ...state, until: 60_100 })
  })

  it("lengthens openings in a row by the factor, and by chance above what the server asks", () => {
    const { breaker, call } = makeBreaker({ consecutiveFailures: 1, probes: 1 })
    call(0, "failure")
    call(10_000, "failure", 10_500)
    expect(breaker.state).toMatchObject({ _tag: "Open", cause: "probe-failed", openings: 2, since: 10_500, until: 30_500, longestFailure: 500 })
    call(30_500, "failure", 30_600)
    expect(breaker.state).toMatchObject({ openings: 3, until: 70_600, longestFailure: 500 })
    call(70_600, "failure")
    expect(breaker.state).toMatchObject({ openings: 4, until: 130_600 })
    expect(call(130_600, "success")).toBe("Closed")
    call(130_700, "failure")
    expect(breaker.state).toMatchObject({ openings: 1, until: 140_700 })
  })

  it("asks chance once, and only when it opens", () => {
    let asked = 0
    const chance = () => {
      asked++
      return 0.5
    }
    const length = (retryAfter: number, rules: Partial<Rules> = {}) => {
      const { breaker, ticket } = makeBreaker({ consecutiveFailures: 1, jitter: 0.2, ...rules })
      const ticketOf = ticket(0, chance)
      breaker.leave(ticketOf, "failure", retryAfter, 0)
      return breaker.state._tag === "Open" ? breaker.state.until : undefined
    }
    expect(length(0)).toBe(11_000)
    expect(asked).toBe(1)
    // 20 s of the server's and a tenth of our own ten.
    expect(length(20_000)).toBe(21_000)
    // 12 s of the server's: its own tenth lies within ours.
    expect(length(12_000)).toBe(13_000)
    expect(length(4000)).toBe(11_000)
    expect(length(70_000)).toBe(60_000)
    asked = 0
    expect(length(0, { jitter: 0 })).toBe(10_000)
    expect(asked).toBe(0)
    expect(length(0, { openFor: 10.4, jitter: 0 })).toBe(11)
  })

  it("in a dry run lets everybody in and keeps its state", () => {
    const { breaker, call, enter } = makeBreaker({ consecutiveFailures: 1 }, { dryRun: true })
    call(0, "failure")
    const bystander = enter(1)
    expect(bystander).toMatchObject({ epoch: undefined, probe: undefined, startedAt: 1 })
    const { state } = breaker
    expect([state._tag, breaker.inFlight]).toEqual(["Open", 1])
    if (typeof bystander !== "number") {
      breaker.answered(bystander, 2)
      breaker.leave(bystander, "failure", 50_000, 3)
    }
    expect(breaker.state).toBe(state)
    expect(breaker.inFlight).toBe(0)
    const probe = enter(10_000)
    expect(probe).toMatchObject({ epoch: 2, probe: 0 })
    expect(enter(10_000)).toMatchObject({ epoch: undefined })
  })

  it("forgets everything when it is reset", () => {
    const { breaker, call, changes, ticket } = makeBreaker({ consecutiveFailures: 1 })
    const before = ticket(0)
    call(0, "failure")
    breaker.reset(50)
    expect(breaker.state).toEqual(State.closed(2))
    breaker.leave(before, "failure", 0, 60)
    expect(breaker.state).toEqual(State.closed(2))
    expect(changes).toEqual(["Closed -> Open at 0", "Open -> Closed at 50"])
  })

  it("shows its state as a call would find it, without a step", () => {
    const { breaker, call } = makeBreaker({ consecutiveFailures: 1 })
    call(0, "failure")
    expect([breaker.peek(9999)._tag, breaker.peek(10_000)._tag, breaker.state._tag]).toEqual(["Open", "HalfOpen", "Open"])
    const slow = makeBreaker({ ...slowness, slowMinimumCalls: 1 })
    slow.ticket(0)
    expect([slow.breaker.peek(999)._tag, slow.breaker.peek(1000)._tag, slow.breaker.peek(11_000)._tag])
      .toEqual(["Closed", "Open", "Open"])
    expect(slow.breaker.state._tag).toBe("Closed")
  })
})

describe("half-open", () => {
  const halfOpen = (given: Partial<Rules> = {}, longestFailure = 100) =>
    makeBreaker(given, {}, {
      _tag: "HalfOpen", epoch: 4, cause: "probe-failed", openings: 2, longestFailure, successes: 0, probes: [], nextProbe: 0
    })

  it("lets so many probes in at once, and tells the others when to ask again", () => {
    const { breaker, enter, ticket } = halfOpen({ probes: 2 })
    const [first] = [ticket(0), ticket(5000)]
    expect(first).toMatchObject({ epoch: 4, probe: 0, overdue: undefined })
    expect(enter(6000)).toBe(24_000)
    breaker.leave(first, "ignored", 0, 7000)
    expect(ticket(7000)).toMatchObject({ probe: 2 })
    expect(enter(8000)).toBe(27_000)
  })

  it("closes after so many successes, in a new epoch", () => {
    const { breaker, call, changes } = halfOpen({ successesToClose: 2 })
    expect([call(0, "success"), call(10, "ignored"), call(20, "success")]).toEqual(["HalfOpen", "HalfOpen", "Closed"])
    expect(breaker.state).toEqual(State.closed(5))
    expect(changes).toEqual(["HalfOpen -> Closed at 20"])
  })

  it("opens again for longer when a probe fails, and heeds the server's time", () => {
    const { breaker, call } = halfOpen()
    call(0, "failure", 50)
    expect(breaker.state).toMatchObject({ _tag: "Open", epoch: 5, cause: "probe-failed", openings: 3, longestFailure: 100, until: 40_050 })
    const other = halfOpen()
    other.call(0, "failure", 200, 50_000)
    expect(other.breaker.state).toMatchObject({ longestFailure: 200, until: 50_200 })
  })

  it("takes a probe for accepted once it has run twice as long as the failures did, and for so long at least", () => {
    const { breaker, enter, ticket } = halfOpen({ acceptedAfter: 500, successesToClose: 2 }, 400)
    const first = ticket(0)
    expect(enter(799)).toBe(1)
    const second = enter(800)
    expect(second).toMatchObject({ probe: 1 })
    expect(breaker.state).toMatchObject({ successes: 1, probes: [{ id: 0, accepted: true }, { id: 1, accepted: false }] })
    // It counts once.
    breaker.leave(first, "success", 0, 900)
    expect(breaker.state).toMatchObject({ _tag: "HalfOpen", successes: 1, probes: [{ id: 1 }] })
    expect(enter(1600)).toMatchObject({ epoch: 5 })
    expect(breaker.state._tag).toBe("Closed")
    const quick = halfOpen({ acceptedAfter: 500 }, 100)
    quick.ticket(0)
    expect([quick.enter(499), typeof quick.enter(500)]).toEqual([1, "object"])
  })

  it("a probe that was accepted and then fails opens it all the same", () => {
    const { breaker, enter, ticket } = halfOpen({ acceptedAfter: 500, successesToClose: 3 }, 0)
    const first = ticket(0)
    enter(600)
    breaker.leave(first, "failure", 0, 700)
    expect(breaker.state).toMatchObject({ _tag: "Open", cause: "probe-failed", longestFailure: 700 })
  })

  it("a first part of an answer is an acceptance", () => {
    const { breaker, ticket } = halfOpen({ successesToClose: 2 })
    const first = ticket(0)
    breaker.answered(first, 10)
    expect(breaker.state).toMatchObject({ successes: 1, probes: [{ id: 0, accepted: true }] })
    breaker.answered(ticket(20), 30)
    expect(breaker.state._tag).toBe("Closed")
    const { state } = breaker
    breaker.leave(first, "failure", 0, 50)
    expect(breaker.state).toBe(state)
  })

  it("the first part of one probe says nothing of another", () => {
    const { breaker, ticket } = halfOpen({ probes: 2, successesToClose: 2 })
    const [first] = [ticket(5000), ticket(5000)]
    breaker.answered(first, 5010)
    expect(breaker.state).toMatchObject({ successes: 1, probes: [{ id: 0, accepted: true }, { id: 1, accepted: false }] })
  })

  it("a probe that starts late is given its time", () => {
    const accepted = halfOpen({ acceptedAfter: 500 })
    accepted.ticket(5000)
    expect([accepted.enter(5499), accepted.breaker.state._tag]).toEqual([1, "HalfOpen"])
    const slow = halfOpen({ ...slowness, acceptedAfter: 2000 })
    slow.ticket(5000)
    expect([slow.enter(5999), slow.breaker.state._tag]).toEqual([1, "HalfOpen"])
  })

  it("a probe that hangs gives its place up, and counts no more in any other way", () => {
    const { enter, ticket } = halfOpen()
    ticket(0)
    expect(enter(29_999)).toBe(1)
    expect(enter(30_000)).toMatchObject({ probe: 1 })
  })

  it("a slow probe opens it, in flight or at its end", () => {
    const watched = { ...slowness, acceptedAfter: 2000 }
    const flying = halfOpen(watched)
    flying.ticket(0)
    expect(flying.enter(999)).toBe(1)
    expect(flying.enter(1000)).toBe(40_000)
    expect(flying.breaker.state).toMatchObject({ cause: "probe-slow", longestFailure: Infinity, openings: 3 })
    const ended = halfOpen(watched)
    expect(ended.call(0, "success", 1000)).toBe("Open")
    expect(ended.breaker.state).toMatchObject({ cause: "probe-slow", longestFailure: Infinity, until: 41_000 })
    expect(halfOpen(watched).call(0, "success", 999)).toBe("Closed")
    // Where acceptance comes first, a slow one is accepted.
    const accepted = halfOpen({ ...slowness, acceptedAfter: 800 })
    accepted.ticket(0)
    expect(accepted.enter(1000)).toMatchObject({ epoch: 5 })
  })
})

describe("steps of a state", () => {
  const rules = { ...plain, probes: 2 }
  const half: State.HalfOpen = {
    _tag: "HalfOpen", epoch: 4, cause: "slow-ratio", openings: 1, longestFailure: 0, successes: 0, probes: [], nextProbe: 0
  }
  const report: State.Report = { epoch: 4, probe: 0, verdict: "success", duration: 5, wait: 5, retryAfter: 0 }

  it("are none where nothing has happened", () => {
    const closed = State.closed(3)
    expect(closed).toEqual({ _tag: "Closed", epoch: 3, consecutive: 0, longestFailure: 0, notBefore: -Infinity, window: undefined })
    expect(State.advance(rules, closed, 1000, 5, 0)).toBe(closed)
    expect(State.advance(rules, half, 1000, 0, 0)).toBe(half)
    const open: State.Open = { _tag: "Open", epoch: 4, cause: "slow-ratio", openings: 1, longestFailure: 0, since: 0, until: 500 }
    expect(State.advance(rules, open, 499, 0, 0)).toBe(open)
    expect(State.advance(rules, open, 500, 0, 0)).toEqual({ ...half, epoch: 5 })
    expect(State.settle(rules, open, report, 100, 0, 0)).toBe(open)
  })

  it("are none for a probe that nobody knows, or of another epoch", () => {
    const state = State.reserve(rules, half, 0)!
    expect(State.settle(rules, state, { ...report, probe: 7 }, 10, 0, 0)).toBe(state)
    expect(State.settle(rules, state, { ...report, probe: undefined }, 10, 0, 0)).toBe(state)
    expect(State.settle(rules, state, { ...report, epoch: 3, verdict: "failure", retryAfter: 9 }, 10, 0, 0)).toBe(state)
    expect([State.answered(rules, state, 4, 7), State.answered(rules, state, 3, 0)]).toEqual([state, state])
    expect(State.answered(rules, State.closed(4), 4, 0)).toEqual(State.closed(4))
  })

  it("reserve a place for a probe as long as there is one", () => {
    const one = State.reserve(rules, half, 10)!
    const two = State.reserve(rules, one, 20)!
    expect(two.probes).toEqual([{ id: 0, startedAt: 10, accepted: false }, { id: 1, startedAt: 20, accepted: false }])
    expect([State.occupied(rules, two, 20), State.occupied(rules, two, 30_010), two.nextProbe]).toEqual([2, 1, 2])
    expect(State.reserve(rules, two, 20)).toBeUndefined()
    expect(State.reserve(rules, two, 30_010)?.nextProbe).toBe(3)
  })

  it("tell how long to stay away", () => {
    const open: State.Open = { _tag: "Open", epoch: 4, cause: "slow-ratio", openings: 1, longestFailure: 0, since: 0, until: 500 }
    expect([State.retryAfter(rules, open, 99.5), State.retryAfter(rules, open, 600)]).toEqual([401, 0])
    expect(State.retryAfter(rules, State.closed(1), 5)).toBe(0)
    const two = State.reserve(rules, State.reserve(rules, half, 10)!, 20)!
    expect(State.retryAfter(rules, half, 30)).toBe(0)
    expect(State.retryAfter(rules, two, 30)).toBe(29_980)
    expect(State.retryAfter({ ...rules, acceptedAfter: 500 }, two, 30)).toBe(480)
    expect(State.retryAfter({ ...rules, ...slowness }, two, 30)).toBe(980)
  })
})

describe("the window", () => {
  const call = { failed: false, slow: false, duration: 5 }
  const counts = { calls: 1, failures: 0, slow: 0, longestFailure: 0 }

  it("counts calls by kind, in tenths of its length", () => {
    let window = Window.add(undefined, 1000, 50, call)
    window = Window.add(window, 1000, 99, { failed: true, slow: true, duration: 40 })
    window = Window.add(window, 1000, 100, { failed: true, slow: false, duration: 30 })
    window = Window.add(window, 1000, 150, { failed: false, slow: true, duration: 90 })
    expect(window).toEqual({
      index: 1, calls: 2, failures: 1, slow: 1, longestFailure: 30,
      older: { index: 0, calls: 2, failures: 1, slow: 1, longestFailure: 40, older: undefined }
    })
    expect(Window.totals(window, 1000, 999)).toEqual({ calls: 4, failures: 2, slow: 2, longestFailure: 40 })
    expect(Window.totals(window, 1000, 1000)).toEqual({ calls: 2, failures: 1, slow: 1, longestFailure: 30 })
    expect(Window.totals(window, 1000, 1100)).toEqual({ ...counts, calls: 0 })
    expect(Window.totals(undefined, 1000, 0)).toEqual({ ...counts, calls: 0 })
    expect([Window.indexOf(1000, 99), Window.indexOf(1000, 100), Window.indexOf(500, 100), Window.bucketCount]).toEqual([0, 1, 2, 10])
  })

  it("drops buckets that no total can reach", () => {
    const old = Window.put(Window.put(undefined, 0, counts), 1, counts)
    expect(Window.put(old, 9, counts).older).toEqual(old)
    expect(Window.put(old, 10, counts).older).toEqual({ ...old, older: undefined })
    expect(Window.put(old, 11, counts).older).toBeUndefined()
  })
})

describe("calls in flight by their start", () => {
  const tracked = (startedAt: number): Tracked => ({ startedAt, place: "out", older: undefined, newer: undefined })

  it("are counted once they run for too long, whichever of them ends", () => {
    const overdue = new Overdue()
    const calls = [0, 10, 10, 20, 30].map(tracked)
    for (const call of calls) overdue.add(call)
    expect(calls.map(({ place }) => place)).toEqual(Array.from({ length: 5 }, () => "waiting"))
    overdue.remove(calls[2]!)
    overdue.remove(calls[2]!)
    expect([overdue.startedBy(-1), overdue.startedBy(0), overdue.startedBy(10)]).toEqual([0, 1, 2])
    expect(calls.map(({ place }) => place)).toEqual(["overdue", "overdue", "out", "waiting", "waiting"])
    overdue.remove(calls[0]!)
    overdue.remove(calls[4]!)
    expect([overdue.startedBy(10), overdue.startedBy(30)]).toEqual([1, 2])
    overdue.add(calls[0]!)
    overdue.remove(calls[3]!)
    overdue.remove(calls[1]!)
    expect(overdue.startedBy(40)).toBe(1)
    // Nothing is kept in memory by what has ended.
    for (const { newer, older } of calls) expect([older, newer]).toEqual([undefined, undefined])
  })
})

describe("time", () => {
  it("stands still while the clock goes back, and goes on with it", () => {
    const time = new Monotone()
    expect([1000, 1500, 700, 800, 800, 100].map((now) => time.at(now))).toEqual([1000, 1500, 1500, 1600, 1600, 1600])
    // The clock has lost 800 + 700 ms.
    expect(time.wall(1600)).toBe(100)
  })
})

describe("breakers by key", () => {
  const registryOf = (maxKeys: number, idleTime = 1000) => {
    const made: Array<string> = []
    const registry = new Registry({ maxKeys, idleTime }, (key) => {
      made.push(key)
      return new Breaker(key, { rules: { ...plain, consecutiveFailures: 1 }, dryRun: false, onChange: () => {} }, State.closed(0))
    })
    const keys = () => [...registry.values()].map(({ key }) => key)
    /** Fails once, so that it opens. */
    const open = (key: string, now: number) => {
      const breaker = registry.get(key, now)!
      const ticket = breaker.enter(now, () => 0)
      if (typeof ticket !== "number") breaker.leave(ticket, "failure", 0, now)
    }
    const use = (key: string, now: number) => registry.get(key, now)!.enter(now, () => 0)
    return { registry, made, keys, open, use }
  }

  it("are made once, and found without being made", () => {
    const { keys, made, registry } = registryOf(5)
    const a = registry.get("a", 7)
    expect(a?.lastUsed).toBe(7)
    registry.get("b", 8)
    expect([registry.get("a", 9), registry.get("a", 10), registry.find("a")]).toEqual([a, a, a])
    expect(registry.find("c")).toBeUndefined()
    expect(made).toEqual(["a", "b"])
    expect(keys()).toEqual(["b", "a"])
  })

  it("make room: the one at rest that was used least recently goes, and none that guards or is busy", () => {
    const { keys, open, registry, use } = registryOf(3)
    open("open", 0)
    use("busy", 0)
    registry.get("idle", 0)
    registry.get("new", 10)
    expect(keys()).toEqual(["open", "busy", "new"])
    expect(registry.get("newer", 20)?.key).toBe("newer")
    expect(keys()).toEqual(["open", "busy", "newer"])
    use("newer", 20)
    expect(registry.get("none", 30)).toBeUndefined()
    expect(keys()).toEqual(["open", "busy", "newer"])
  })

  it("drop nobody as long as there is a free place", () => {
    const { keys, registry } = registryOf(2)
    registry.get("a", 0)
    registry.get("b", 0)
    expect(keys()).toEqual(["a", "b"])
    registry.get("c", 0)
    expect(keys()).toEqual(["b", "c"])
  })

  it("go after a time without use, an opening that is long over included, when another comes", () => {
    const { keys, open, registry, use } = registryOf(9)
    registry.get("idle", 0)
    open("open", 0)
    use("busy", 0)
    registry.get("a", 999)
    expect(keys()).toEqual(["idle", "open", "busy", "a"])
    registry.get("b", 1000)
    expect(keys()).toEqual(["open", "busy", "a", "b"])
    registry.get("a", 10_900)
    registry.get("c", 10_999)
    // The opening is over at 10,000.
    expect(keys()).toContain("open")
    registry.get("d", 11_000)
    expect(keys()).not.toContain("open")
    expect(keys()).toContain("busy")
  })

  it("an opening that is long over makes room too where there is none", () => {
    const { keys, open, registry, use } = registryOf(2)
    use("busy", 0)
    open("open", 0)
    expect(registry.get("c", 10_999)).toBeUndefined()
    expect(registry.get("c", 11_000)?.key).toBe("c")
    expect(keys()).toEqual(["busy", "c"])
  })
})

describe("snapshots", () => {
  const rules = { ...plain, ...slowness, consecutiveFailures: 9 }
  const closed = () => {
    const made = makeBreaker(rules)
    made.call(500, "success", 600)
    made.call(1500, "failure", 1700, 20_000)
    made.call(2000, "success", 3000)
    made.call(3000, "failure", 3100)
    return made.breaker
  }

  it("show a closed breaker with what its window still counts, newest first", () => {
    expect(Snapshot.save(closed(), rules, 4000)).toEqual({
      key: "k",
      state: "closed",
      consecutive: 1,
      longestFailure: 100,
      serverWait: 17_700,
      buckets: [
        { age: 1000, calls: 2, failures: 1, slow: 1, longestFailure: 100 },
        { age: 3000, calls: 1, failures: 1, slow: 0, longestFailure: 200 },
        { age: 4000, calls: 1, failures: 0, slow: 0, longestFailure: 0 }
      ]
    })
    const later = Snapshot.save(closed(), rules, 30_000)
    expect(later).toMatchObject({ serverWait: 0, buckets: [] })
    const partly = Snapshot.save(closed(), rules, 11_000)
    expect(partly.state === "closed" && partly.buckets.map(({ age }) => age)).toEqual([8000])
  })

  it("show an open breaker with what is left of its opening, a half-open one without its probes", () => {
    const { breaker, call, ticket } = makeBreaker({ consecutiveFailures: 1, successesToClose: 2 })
    call(0, "failure", 40)
    const open = { key: "k", cause: "consecutive-failures", openings: 1, longestFailure: 40, successes: 0 }
    expect(Snapshot.save(breaker, plain, 1040)).toEqual({ ...open, state: "open", remaining: 9000 })
    expect(Snapshot.save(breaker, plain, 10_040)).toEqual({ ...open, state: "half-open", remaining: 0 })
    breaker.leave(ticket(10_040), "success", 0, 10_050)
    expect(Snapshot.save(breaker, plain, 10_060)).toEqual({ ...open, state: "half-open", remaining: 0, successes: 1 })
    const slow = makeBreaker({ ...slowness, slowMinimumCalls: 1 })
    slow.ticket(0)
    slow.enter(1000)
    expect(Snapshot.save(slow.breaker, rules, 2000)).toMatchObject({ cause: "slow-ratio", longestFailure: null })
  })

  it("come back later with what the time between has left", () => {
    const saved = Snapshot.save(closed(), rules, 4000)
    const now = 1_000_000
    const restored = (elapsed: number) => Snapshot.restore(saved, rules, now, elapsed)
    expect(restored(0)).toMatchObject({ _tag: "Closed", epoch: 0, consecutive: 1, longestFailure: 100, notBefore: now + 17_700 })
    const totals = (elapsed: number) => {
      const state = restored(elapsed)
      return state._tag === "Closed" ? Window.totals(state.window, rules.window, now) : undefined
    }
    expect(totals(0)).toEqual({ calls: 4, failures: 2, slow: 1, longestFailure: 200 })
    expect(totals(6000)).toEqual({ calls: 3, failures: 2, slow: 1, longestFailure: 200 })
    expect(totals(7000)).toEqual({ calls: 2, failures: 1, slow: 1, longestFailure: 100 })
    expect(totals(9000)).toEqual({ calls: 0, failures: 0, slow: 0, longestFailure: 0 })
    const late = restored(9000)
    expect(late).toMatchObject({ notBefore: now + 8700 })
    expect(late._tag === "Closed" && late.window).toBeUndefined()
    // Buckets in any order.
    const shuffled = saved.state === "closed" ? { ...saved, buckets: [...saved.buckets].reverse() } : saved
    expect(Snapshot.restore(shuffled, rules, now, 0)).toEqual(restored(0))
  })

  it("never refuse for longer than the longest opening", () => {
    const now = 1_000_000
    const open = { key: "k", state: "open", cause: "slow-ratio", openings: 2, longestFailure: null, remaining: 90_000, successes: 0 } as const
    expect(Snapshot.restore(open, rules, now, 1000)).toEqual({
      _tag: "Open", epoch: 0, cause: "slow-ratio", openings: 2, longestFailure: Infinity, since: now, until: now + 59_000
    })
    expect(Snapshot.restore({ ...open, remaining: 5000, longestFailure: 0 }, rules, now, 1000))
      .toMatchObject({ until: now + 4000, longestFailure: 0 })
    expect(Snapshot.restore({ ...open, state: "half-open", successes: 1 }, rules, now, 1000)).toEqual({
      _tag: "HalfOpen", epoch: 0, cause: "slow-ratio", openings: 2, longestFailure: Infinity, successes: 1, probes: [], nextProbe: 0
    })
    const closed = { key: "k", state: "closed", consecutive: 0, longestFailure: 0, serverWait: 90_000, buckets: [] } as const
    expect(Snapshot.restore(closed, rules, now, 1000)).toMatchObject({ notBefore: now + 59_000 })
  })

  describe("that somebody has kept", () => {
    const shut = { key: "a", state: "closed", consecutive: 2, longestFailure: 5, serverWait: 0, buckets: [{ age: 0, calls: 3, failures: 2, slow: 3, longestFailure: 5 }] }
    const open = { key: "b", state: "open", cause: "probe-slow", openings: 1, longestFailure: null, remaining: 10.5, successes: 0 }
    const whole = { version: 1, at: 5, breakers: [shut, open, { ...open, key: "c", state: "half-open", longestFailure: 3 }] }
    const refused = (data: unknown, message: string) =>
      expect(() => Snapshot.parse(data)).toThrow(`CircuitBreaker.make: "initialState${message}`)
    const withShut = (change: object) => ({ ...whole, breakers: [{ ...shut, ...change }] })
    const withOpen = (change: object) => ({ ...whole, breakers: [shut, { ...open, ...change }] })

    it("are taken as they are", () => {
      expect(Snapshot.parse(whole)).toEqual(whole)
      for (const cause of ["consecutive-failures", "failure-ratio", "slow-ratio", "probe-failed", "probe-slow"]) {
        expect(Snapshot.parse(withOpen({ cause })).breakers[1]).toMatchObject({ cause })
      }
      expect(Snapshot.parse({ version: 1, at: 0, breakers: [] }).breakers).toEqual([])
      // What is not known is left out.
      expect(Snapshot.parse({ ...whole, more: 1, breakers: [{ ...open, more: 1 }] })).toEqual({ ...whole, breakers: [open] })
    })

    it("are refused by the name of the field, what is legal, and what was found", () => {
      for (const [data, shown] of [[null, "of type object"], [[], "of type object"], ["text", "text"], [5, "5"], [undefined, "of type undefined"]]) {
        refused(data, `" must be an object, not ${String(shown)}`)
      }
      refused({ ...whole, version: 2 }, ".version\" must be 1, not 2")
      for (const at of [-1, NaN, Infinity, "5"]) refused({ ...whole, at }, `.at" must be a number of at least 0, not ${at}`)
      refused({ ...whole, breakers: {} }, ".breakers\" must be an array, not of type object")
      refused({ ...whole, breakers: [shut, 7] }, ".breakers[1]\" must be an object, not 7")
      refused({ ...whole, breakers: [shut, open, shut] }, ".breakers[2].key\" must be the only one of its name, not a")
      refused(withShut({ key: 7 }), ".breakers[0].key\" must be a string, not 7")
      refused(withShut({ state: "ajar" }), ".breakers[0].state\" must be one of closed, open, half-open, not ajar")
    })

    it("closed ones, by each of their fields", () => {
      const amount = "must be a number of at least 0"
      const count = (min: number, max = Number.MAX_SAFE_INTEGER) => `must be a whole number between ${min} and ${max}`
      refused(withShut({ consecutive: -1 }), `.breakers[0].consecutive" ${count(0)}, not -1`)
      refused(withShut({ consecutive: 1.5 }), `.breakers[0].consecutive" ${count(0)}, not 1.5`)
      refused(withShut({ consecutive: 2 ** 53 }), `.breakers[0].consecutive" ${count(0)}`)
      refused(withShut({ longestFailure: -1 }), `.breakers[0].longestFailure" ${amount}, not -1`)
      refused(withShut({ serverWait: null }), `.breakers[0].serverWait" ${amount}, not of type object`)
      refused(withShut({ buckets: "none" }), ".breakers[0].buckets\" must be an array, not none")
      const bucket = (change: object) => withShut({ buckets: [shut.buckets[0], { ...shut.buckets[0], ...change }] })
      refused(withShut({ buckets: [[]] }), ".breakers[0].buckets[0]\" must be an object, not of type object")
      refused(bucket({ age: -5 }), `.breakers[0].buckets[1].age" ${amount}, not -5`)
      refused(bucket({ calls: -5 }), `.breakers[0].buckets[1].calls" ${count(0)}, not -5`)
      refused(bucket({ failures: 4 }), `.breakers[0].buckets[1].failures" ${count(0, 3)}, not 4`)
      refused(bucket({ slow: 4 }), `.breakers[0].buckets[1].slow" ${count(0, 3)}, not 4`)
      refused(bucket({ longestFailure: "long" }), `.breakers[0].buckets[1].longestFailure" ${amount}, not long`)
    })

    it("open ones, by each of theirs", () => {
      refused(withOpen({ cause: "boredom" }), ".breakers[1].cause\" must be one of consecutive-failures, failure-ratio, slow-ratio, probe-failed, probe-slow, not boredom")
      refused(withOpen({ openings: 0 }), `.breakers[1].openings" must be a whole number between 1 and ${Number.MAX_SAFE_INTEGER}, not 0`)
      refused(withOpen({ longestFailure: -1 }), ".breakers[1].longestFailure\" must be a number of at least 0, not -1")
      refused(withOpen({ longestFailure: undefined }), ".breakers[1].longestFailure\" must be a number of at least 0, not of type undefined")
      refused(withOpen({ remaining: -1 }), ".breakers[1].remaining\" must be a number of at least 0, not -1")
      refused(withOpen({ successes: -1 }), ".breakers[1].successes\" must be a whole number between 0")
    })
  })
})

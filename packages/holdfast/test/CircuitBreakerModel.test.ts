/** The breaker's machinery against plain models that keep the whole history and look it through each time. */
import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Breaker, type Ticket } from "../src/internal/circuitBreaker/breaker.js"
import { Monotone } from "../src/internal/circuitBreaker/monotone.js"
import { Overdue, type Tracked } from "../src/internal/circuitBreaker/overdue.js"
import type { Rules } from "../src/internal/circuitBreaker/rules.js"
import * as State from "../src/internal/circuitBreaker/state.js"
import * as Window from "../src/internal/circuitBreaker/window.js"

const rules: Rules = {
  consecutiveFailures: 3,
  failureRatio: 0.6,
  minimumCalls: 4,
  slowRatio: 0.5,
  slowAfter: 40,
  slowMinimumCalls: 3,
  window: 100,
  openFor: 20,
  openFactor: 2,
  maxOpen: 100,
  jitter: 0.5,
  probes: 2,
  successesToClose: 3,
  acceptedAfter: 15,
  probeTimeout: 30
}

interface Seen {
  readonly start: number
  /** The period in which it counts; -1 for none. */
  readonly period: number
  readonly probe: boolean
  accepted: boolean
  answered: number | undefined
  ended: boolean
}

interface Sample {
  readonly at: number
  readonly period: number
  readonly failed: boolean
  readonly slow: boolean
  readonly duration: number
}

/** Everything that ever happened, and the breaker's rules in the words of its documentation. */
class Model {
  readonly calls: Array<Seen> = []
  readonly samples: Array<Sample> = []
  readonly hints: Array<{ readonly until: number; readonly period: number }> = []
  tag: State.State["_tag"] = "Closed"
  period = 0
  openings = 0
  since = 0
  until = 0
  longest = 0
  successes = 0

  constructor(readonly rules: Rules, readonly chance: number) {}

  /** What hangs, where slowness matters at all. */
  get hang() {
    const { slowAfter, slowMinimumCalls, slowRatio } = this.rules
    return slowRatio === Infinity || slowMinimumCalls === Infinity ? Infinity : slowAfter
  }

  private go(tag: State.State["_tag"]) {
    this.tag = tag
    this.period++
  }

  private open(now: number, longest: number, until: number) {
    const { jitter, maxOpen, openFactor, openFor } = this.rules
    this.openings++
    let own = openFor * (1 + jitter * this.chance)
    for (let i = 1; i < this.openings; i++) own *= openFactor
    const hint = until - now
    const asked = hint > 0 ? hint + Math.min(hint, openFor) * jitter * this.chance : 0
    this.longest = longest
    this.since = now
    this.until = now + Math.ceil(Math.min(maxOpen, Math.max(own, asked)))
    this.go("Open")
  }

  private close() {
    this.openings = 0
    this.longest = 0
    this.go("Closed")
  }

  get current() {
    return this.calls.filter((call) => call.period === this.period && !call.ended)
  }

  overdue(now: number) {
    return this.tag !== "Closed"
      ? 0
      : this.current.filter((call) => call.answered === undefined && now - call.start >= this.hang).length
  }

  recent(now: number) {
    const bucket = (at: number) => Math.floor((at * 10) / this.rules.window)
    return this.samples.filter((one) => one.period === this.period && bucket(now) - bucket(one.at) < 10)
  }

  private tooSlow(now: number) {
    const overdue = this.overdue(now)
    const ended = this.recent(now)
    const all = ended.length + overdue
    return all >= this.rules.slowMinimumCalls &&
      (ended.filter((one) => one.slow).length + overdue) / all >= this.rules.slowRatio
  }

  private hint() {
    return Math.max(-Infinity, ...this.hints.filter((one) => one.period === this.period).map((one) => one.until))
  }

  holding(now: number) {
    return this.tag !== "HalfOpen"
      ? []
      : this.current.filter((call) => call.probe && !call.accepted && now - call.start < this.rules.probeTimeout)
  }

  private accept(calls: ReadonlyArray<Seen>) {
    for (const call of calls) call.accepted = true
    this.successes += calls.length
    if (calls.length > 0 && this.successes >= this.rules.successesToClose) this.close()
  }

  pass(now: number) {
    if (this.tag === "Closed" && this.overdue(now) > 0 && this.tooSlow(now)) this.open(now, Infinity, this.hint())
    if (this.tag === "Open" && now >= this.until) {
      this.successes = 0
      this.go("HalfOpen")
    }
    if (this.tag === "HalfOpen") {
      const needed = Math.max(this.rules.acceptedAfter, 2 * this.longest)
      const waiting = this.current.filter((call) => call.probe && !call.accepted)
      if (needed < this.hang) this.accept(waiting.filter((call) => now - call.start >= needed))
      else if (waiting.some((call) => now - call.start >= this.hang)) this.open(now, Infinity, -Infinity)
    }
  }

  /** A number to find the call by, or how long to stay away. */
  enter(now: number): { readonly call: Seen } | { readonly away: number } {
    this.pass(now)
    const held = this.holding(now)
    if (this.tag === "Open") return { away: this.until - now }
    if (this.tag === "HalfOpen" && held.length >= this.rules.probes) {
      const needed = Math.max(this.rules.acceptedAfter, 2 * this.longest)
      const turn = Math.min(needed, this.hang, this.rules.probeTimeout)
      return { away: Math.min(...held.map((call) => call.start + turn - now)) }
    }
    const call: Seen = {
      start: now,
      period: this.period,
      probe: this.tag === "HalfOpen",
      accepted: false,
      answered: undefined,
      ended: false
    }
    this.calls.push(call)
    return { call }
  }

  answer(call: Seen, now: number) {
    if (call.answered !== undefined) return
    call.answered = now
    if (call.probe && call.period === this.period && !call.accepted) this.accept([call])
  }

  end(call: Seen, verdict: State.Verdict, retryAfter: number, now: number) {
    call.ended = true
    const duration = now - call.start
    const slow = (call.answered ?? now) - call.start >= this.hang
    const failed = verdict === "failure"
    if (call.period !== this.period) {
      if (this.tag === "Open" && failed) {
        this.until = Math.max(this.until, Math.min(now + retryAfter, this.since + this.rules.maxOpen))
      }
      return
    }
    if (verdict === "ignored") return
    if (this.tag === "HalfOpen") {
      if (failed) this.open(now, Math.max(this.longest, duration), retryAfter > 0 ? now + retryAfter : -Infinity)
      else if (!call.accepted && slow) this.open(now, Infinity, -Infinity)
      else if (!call.accepted) this.accept([call])
      return
    }
    this.samples.push({ at: now, period: this.period, failed, slow, duration })
    if (failed && retryAfter > 0) this.hints.push({ until: now + retryAfter, period: this.period })
    const mine = this.samples.filter((one) => one.period === this.period)
    const run = mine.slice(mine.findLastIndex((one) => !one.failed) + 1)
    const recent = this.recent(now)
    const failures = recent.filter((one) => one.failed)
    const longest = (samples: ReadonlyArray<Sample>) => Math.max(0, ...samples.map((one) => one.duration))
    if (run.length >= this.rules.consecutiveFailures) this.open(now, longest(run), this.hint())
    else if (
      failed && recent.length >= this.rules.minimumCalls &&
      failures.length / recent.length >= this.rules.failureRatio
    ) this.open(now, longest(failures), this.hint())
    else if ((failed || slow || this.overdue(now) > 0) && this.tooSlow(now)) this.open(now, Infinity, this.hint())
  }
}

const command = FastCheck.oneof(
  { weight: 12, arbitrary: FastCheck.record({ _tag: FastCheck.constant("enter" as const) }) },
  {
    weight: 14,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("end" as const),
      which: FastCheck.nat(20),
      verdict: FastCheck.constantFrom<State.Verdict>("success", "success", "failure", "failure", "failure", "ignored"),
      retryAfter: FastCheck.constantFrom(0, 0, 0, 35, 400)
    })
  },
  { weight: 4, arbitrary: FastCheck.record({ _tag: FastCheck.constant("answer" as const), which: FastCheck.nat(20) }) },
  {
    weight: 10,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("wait" as const),
      time: FastCheck.oneof(FastCheck.nat(6), FastCheck.nat(60))
    })
  },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("reset" as const) }) }
)

const variants: ReadonlyArray<FastCheck.Arbitrary<Partial<Rules>>> = [
  FastCheck.constant({}),
  FastCheck.constant({ consecutiveFailures: Infinity }),
  FastCheck.constant({ acceptedAfter: Infinity }),
  FastCheck.constant({ slowRatio: Infinity }),
  FastCheck.constant({ slowMinimumCalls: Infinity, probes: 1, successesToClose: 1 }),
  FastCheck.constant({ failureRatio: Infinity, consecutiveFailures: Infinity, jitter: 0 }),
  FastCheck.constant({ probeTimeout: 5, slowAfter: 1000 }),
  FastCheck.constant({ acceptedAfter: 40, probeTimeout: 60 })
]

describe("the breaker against a model of its whole history", () => {
  const seen = new Map<string, number>()

  it("decides and ends in the same state, command by command", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(...variants),
        FastCheck.constantFrom(0, 0.5, 0.999),
        FastCheck.array(command, { minLength: 5, maxLength: 120, size: "max" }),
        (variant, chance, commands) => {
          const settings = { ...rules, ...variant }
          const model = new Model(settings, chance)
          const changes: Array<string> = []
          const breaker = new Breaker("k", {
            rules: settings,
            dryRun: false,
            onChange: (changed, from) => {
              const cause = changed.state._tag === "Open" ? changed.state.cause : ""
              changes.push(`${from._tag} > ${changed.state._tag} ${cause}`)
            }
          }, State.closed(0))
          let now = 0
          let draws = 0
          const draw = () => {
            draws++
            return chance
          }
          const inside: Array<{ readonly ticket: Ticket; readonly call: Seen }> = []
          for (const next of commands) {
            if (next._tag === "wait") now += next.time
            if (next._tag === "enter") {
              const ticket = breaker.enter(now, draw)
              const expected = model.enter(now)
              if (typeof ticket === "number") {
                expect(expected).toEqual({ away: ticket })
                expect(ticket).toBeGreaterThan(0)
              } else {
                if ("away" in expected) throw new Error("the model refuses")
                expect(ticket.probe !== undefined).toBe(expected.call.probe)
                inside.push({ ticket, call: expected.call })
              }
            }
            if (next._tag === "reset") {
              breaker.reset(now)
              model["close"]()
            }
            const picked = "which" in next ? inside[next.which % Math.max(1, inside.length)] : undefined
            if (next._tag === "answer" && picked !== undefined) {
              breaker.answered(picked.ticket, now)
              model.answer(picked.call, now)
            }
            if (next._tag === "end" && picked !== undefined) {
              inside.splice(inside.indexOf(picked), 1)
              breaker.leave(picked.ticket, next.verdict, next.retryAfter, now)
              model.end(picked.call, next.verdict, next.retryAfter, now)
            }
            const { state } = breaker
            expect(breaker.inFlight).toBe(inside.length)
            expect(state._tag).toBe(model.tag)
            expect(state.epoch).toBe(model.period)
            if (state._tag === "Open") expect([state.until, state.openings]).toEqual([model.until, model.openings])
            if (state._tag === "HalfOpen") {
              const held = State.occupied(settings, state, now)
              expect([held, state.successes]).toEqual([model.holding(now).length, model.successes])
              expect(held).toBeLessThanOrEqual(settings.probes)
            }
            if (state._tag === "Closed") expect(breaker.overdueAt(now)).toBe(model.overdue(now))
          }
          // Chance is asked once for each opening that has a choice, and never else.
          const openings = changes.filter((change) => change.includes("> Open")).length
          expect(draws).toBe(settings.jitter > 0 ? openings : 0)
          for (const change of changes) seen.set(change, (seen.get(change) ?? 0) + 1)
          // However it ended, it is left for good: nobody can wedge it.
          for (const { call, ticket } of inside) {
            breaker.leave(ticket, "ignored", 0, now)
            model.end(call, "ignored", 0, now)
          }
          for (let i = 0; i < 10 && breaker.state._tag !== "Closed"; i++) {
            now += settings.maxOpen
            const ticket = breaker.enter(now, draw)
            if (typeof ticket !== "number") breaker.leave(ticket, "success", 0, now)
          }
          expect(breaker.state._tag).toBe("Closed")
          expect(breaker.inFlight).toBe(0)
        }
      ),
      { numRuns: 600 }
    )
  })

  it("the commands have led through every change of state, so that the comparison means something", () => {
    expect([...seen.keys()].sort()).toEqual([
      "Closed > Closed ",
      "Closed > Open consecutive-failures",
      "Closed > Open failure-ratio",
      "Closed > Open slow-ratio",
      "HalfOpen > Closed ",
      "HalfOpen > Open probe-failed",
      "HalfOpen > Open probe-slow",
      "Open > Closed ",
      "Open > HalfOpen "
    ])
    expect(Math.min(...seen.values())).toBeGreaterThan(3)
  })
})

describe("times told to callers", () => {
  const half = (probeTimeout: number): Rules => ({
    ...rules,
    probes: 1,
    acceptedAfter: Infinity,
    slowAfter: 1000,
    probeTimeout
  })

  it("are whole milliseconds, and never too short", () => {
    const opened = State.settle(
      { ...rules, consecutiveFailures: 1, openFor: 10.25, jitter: 0 },
      State.closed(0),
      { epoch: 0, probe: undefined, verdict: "failure", duration: 1, wait: 1, retryAfter: 0 },
      0,
      0,
      0
    )
    expect(opened).toMatchObject({ _tag: "Open", until: 11 })
    expect(State.retryAfter(rules, { ...(opened as State.Open), until: 10.25 }, 0)).toBe(11)
    const probing = State.reserve(half(7.5), State.advance(rules, opened, 11, 0, 0) as State.HalfOpen, 11)!
    expect(State.retryAfter(half(7.5), probing, 11)).toBe(8)
  })

  it("are zero where a call would be let in", () => {
    expect(State.retryAfter(rules, State.closed(0), 5)).toBe(0)
    const opening = { epoch: 1, cause: "probe-failed", openings: 1, longestFailure: 0, since: 0, until: 5 } as const
    const state = State.advance(rules, { _tag: "Open", ...opening }, 5, 0, 0)
    expect(state._tag).toBe("HalfOpen")
    expect(State.retryAfter(rules, state, 5)).toBe(0)
  })
})

describe("a first element", () => {
  it("counts only for a probe of the present epoch, and once", () => {
    const probe = { id: 0, startedAt: 0, accepted: false }
    const state: State.HalfOpen = {
      _tag: "HalfOpen",
      epoch: 4,
      cause: "probe-failed",
      openings: 2,
      longestFailure: 0,
      successes: 0,
      probes: [probe],
      nextProbe: 1
    }
    expect(State.answered(rules, state, 2, 0)).toBe(state)
    expect(State.answered(rules, state, 4, 1)).toBe(state)
    const next = State.answered(rules, state, 4, 0)
    expect(next).toMatchObject({ successes: 1, probes: [{ id: 0, accepted: true }] })
    expect(State.answered(rules, next, 4, 0)).toBe(next)
    expect(State.answered(rules, State.closed(4), 4, 0)).toEqual(State.closed(4))
  })
})

describe("a probe at the limits", () => {
  it("is slow when it takes exactly as long as a slow call, and not a moment sooner", () => {
    const opening = { epoch: 4, cause: "slow-ratio", openings: 2, longestFailure: Infinity, successes: 0 } as const
    const state: State.HalfOpen = {
      _tag: "HalfOpen",
      ...opening,
      probes: [{ id: 0, startedAt: 0, accepted: false }],
      nextProbe: 1
    }
    const after = (wait: number) => {
      const report = { epoch: 4, probe: 0, verdict: "success", duration: wait, wait, retryAfter: 0 } as const
      return State.settle(rules, state, report, wait, 0, 0)
    }
    expect(after(39)).toMatchObject({ _tag: "HalfOpen", successes: 1 })
    expect(after(40)).toMatchObject({ _tag: "Open", cause: "probe-slow", openings: 3 })
    expect(State.advance(rules, state, 39, 0, 0)).toBe(state)
    expect(State.advance(rules, state, 40, 0, 0)).toMatchObject({ _tag: "Open", cause: "probe-slow" })
  })
})

describe("the window", () => {
  const calls = FastCheck.array(
    FastCheck.record({
      wait: FastCheck.oneof(FastCheck.nat(8), FastCheck.nat(150)),
      failed: FastCheck.boolean(),
      slow: FastCheck.boolean(),
      duration: FastCheck.nat(99)
    })
  )

  it.prop("counts what a list would, and keeps no more buckets than it needs", [calls], ([list]) => {
    let window: Window.Window
    let now = 0
    const kept: Array<{ at: number; failed: boolean; slow: boolean; duration: number }> = []
    for (const call of list) {
      now += call.wait
      window = Window.add(window, 100, now, call)
      kept.push({ at: now, ...call })
      const live = kept.filter(({ at }) => Math.floor(at / 10) > Math.floor(now / 10) - 10)
      expect(Window.totals(window, 100, now)).toEqual({
        calls: live.length,
        failures: live.filter(({ failed }) => failed).length,
        slow: live.filter(({ slow }) => slow).length,
        longestFailure: Math.max(0, ...live.filter(({ failed }) => failed).map(({ duration }) => duration))
      })
      let buckets = 0
      for (let bucket: Window.Window = window; bucket !== undefined; bucket = bucket.older) buckets++
      expect(buckets).toBeLessThanOrEqual(Window.bucketCount)
    }
  })

  it("keeps ten buckets when each has a call", () => {
    let window: Window.Window
    const call = { failed: true, slow: false, duration: 1 }
    for (let at = 5; at < 300; at += 10) window = Window.add(window, 100, at, call)
    let buckets = 0
    for (let bucket = window; bucket !== undefined; bucket = bucket.older) buckets++
    expect(buckets).toBe(10)
  })

  it("forgets a call within a tenth of its length", () => {
    const window = Window.add(undefined, 100, 9, { failed: true, slow: false, duration: 1 })
    expect(Window.totals(window, 100, 99).calls).toBe(1)
    expect(Window.totals(window, 100, 100).calls).toBe(0)
  })

  it("does not change the version that it was made from", () => {
    const before = Window.add(undefined, 100, 1, { failed: true, slow: false, duration: 1 })
    Window.add(before, 100, 2, { failed: true, slow: false, duration: 1 })
    expect(before.calls).toBe(1)
  })
})

describe("calls in flight", () => {
  const moves = FastCheck.array(FastCheck.record({ wait: FastCheck.nat(20), which: FastCheck.nat(12) }), {
    maxLength: 80,
    size: "max"
  })

  it.prop("are counted as a plain list counts them, in whatever order they end", [moves], ([list]) => {
    const overdue = new Overdue()
    const plain: Array<Tracked> = []
    let now = 0
    for (const { wait, which } of list) {
      now += wait
      const leaving = which < 6 ? plain[which] : undefined
      if (leaving === undefined) {
        const call: Tracked = { startedAt: now, place: "out", older: undefined, newer: undefined }
        overdue.add(call)
        plain.push(call)
      } else {
        plain.splice(which, 1)
        overdue.remove(leaving)
        overdue.remove(leaving)
        expect([leaving.older, leaving.newer, leaving.place]).toEqual([undefined, undefined, "out"])
      }
      expect(overdue.startedBy(now - 30)).toBe(plain.filter(({ startedAt }) => startedAt <= now - 30).length)
    }
  })
})

describe("time", () => {
  const clock = FastCheck.array(FastCheck.integer({ min: -50, max: 50 }))

  it.prop("never runs backwards, and runs forward as the clock does", [clock], ([steps]) => {
    const time = new Monotone()
    let wall = 1000
    let before = time.at(wall)
    for (const step of steps) {
      wall += step
      const now = time.at(wall)
      expect(now - before).toBe(Math.max(0, step))
      expect(time.wall(now)).toBe(wall)
      before = now
    }
  })
})

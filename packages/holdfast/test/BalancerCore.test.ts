/** The pure parts of the balancer: scores, the draw, ejections, lessons, the line of those who wait. */
import { describe, expect, it } from "@effect/vitest"
import { Cause, Exit, FastCheck as fc } from "effect"
import * as Balancer from "holdfast/Balancer"
import * as GenerationError from "holdfast/GenerationError"
import * as Rejected from "holdfast/Rejected"
import { choose, drawn, margin } from "../src/internal/balancer/choice.js"
import * as Health from "../src/internal/balancer/health.js"
import { lessonOf } from "../src/internal/balancer/lesson.js"
import { Parked } from "../src/internal/balancer/parked.js"
import * as Scores from "../src/internal/balancer/scores.js"
import { luck as luckOf } from "../src/internal/admission/luck.js"

const memory = 60_000
const times = fc.integer({ min: 0, max: 600_000 })

describe("latency", () => {
  it("rises at once, and falls towards what is heard by the time that has passed", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(times, times), { minLength: 1, maxLength: 30 }), (answers) => {
        let known: Scores.Latency | undefined
        let now = 0
        for (const [gap, elapsed] of answers) {
          const before = known?.millis
          now += gap
          known = Scores.heard(known, elapsed, memory, now)
          if (before === undefined || elapsed >= before) expect(known.millis).toBe(elapsed)
          else {
            const kept = Math.exp(-gap / memory)
            expect(known.millis).toBeCloseTo(before * kept + elapsed * (1 - kept), 3)
          }
          expect(Scores.latencyAt(known, memory, now)).toBe(known.millis)
          expect(Scores.latencyAt(known, memory, now + memory)).toBeCloseTo(known.millis / Math.E, 3)
        }
      })
    )
  })

  it("of what was no answer only makes it worse, and makes nothing known", () => {
    const known = { millis: 100, at: 0 }
    expect(Scores.heardAtLeast(undefined, 500, 9)).toBeUndefined()
    expect(Scores.heardAtLeast(known, 50, 9)).toBe(known)
    expect(Scores.heardAtLeast(known, 500, 9)).toEqual({ millis: 500, at: 9 })
  })
})

describe("success", () => {
  const costs = { latency: 10, inFlight: 0, weight: 1, success: 1, price: 1, priceWeight: 0.3 }

  it("stays between none and all, counts few calls at most, and is forgotten with time", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(times, fc.boolean()), { maxLength: 80 }), (ends) => {
        let tally = Scores.untold
        let now = 0
        for (const [gap, success] of ends) {
          now += gap
          const before = Scores.successOf(Scores.tallyAt(tally, memory, now))
          tally = Scores.counted(tally, success, memory, 20, now)
          const after = Scores.successOf(tally)
          expect(tally.all).toBeLessThanOrEqual(20)
          if (success) expect(after).toBeGreaterThanOrEqual(before - 1e-9)
          else expect(after).toBeLessThan(before)
          expect(after).toBeGreaterThan(0)
          expect(after).toBeLessThanOrEqual(1)
        }
        const much = Scores.tallyAt(tally, memory, now + 12 * memory)
        expect(Scores.successOf(much)).toBeGreaterThan(0.999)
      })
    )
  })

  it("makes a score with latency, load by weight, and price", () => {
    expect(Scores.score(costs)).toBe(10)
    expect(Scores.score({ ...costs, inFlight: 3, weight: 1.5 })).toBe(30)
    expect(Scores.score({ ...costs, success: 0.5 })).toBe(20)
    expect(Scores.score({ ...costs, price: 3 })).toBeCloseTo(16)
    expect(Scores.score({ ...costs, price: 3, priceWeight: 0 })).toBe(10)
  })
})

describe("the draw", () => {
  const weights = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 2, maxLength: 8 })
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

  it("never draws what is left out, and draws each by its weight", () => {
    fc.assert(
      fc.property(weights, chance, fc.nat(7), (each, u, nat) => {
        const without = nat % each.length
        const place = drawn(each, u, without)
        expect(place).not.toBe(without)
        const sum = each.reduce((total, weight, i) => total + (i === without ? 0 : weight), 0)
        const before = each.reduce((total, weight, i) => total + (i === without || i >= place ? 0 : weight), 0)
        expect(u * sum).toBeGreaterThanOrEqual(before - 1e-6)
        expect(u * sum).toBeLessThanOrEqual(before + each[place]! + 1e-6)
      })
    )
  })

  it("takes the better of two, and the first where they are about as good", () => {
    const both = (scores: ReadonlyArray<number>) => choose([1, 1], (place) => scores[place]!, () => 0)
    expect([both([10, 5]), both([5, 10]), both([10, 10]), both([10, 9.5])]).toEqual([1, 0, 0, 0])
    expect(margin).toBe(0.1)
    expect(choose([7], () => NaN, () => 0.9)).toBe(0)
  })

  it("spreads by weight over endpoints that are as good as each other", () => {
    const luck = luckOf(7)
    const counts = [0, 0, 0]
    for (let i = 0; i < 6000; i++) counts[choose([1, 2, 3], () => 1, luck)]!++
    expect(counts.map((count) => Math.round(count / 100) / 10)).toEqual([1, 2, 3])
  })
})

describe("ejection", () => {
  const rules: Health.Rules = { consecutiveFailures: 3, ejectFor: 1000, ejectFactor: 2, maxEject: 6000, jitter: 0.25 }
  const plain = { mayEject: true, isOutlier: false, luck: 0 }
  const fail = (health: Health.Health, now: number, circumstances: Partial<Health.Circumstances> = {}) =>
    Health.failed(health, rules, now, now, { ...plain, ...circumstances })

  it("goes by failures in a row, as a plain count says", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 30 }), (ends) => {
        let health: Health.Health = Health.fit
        let row = 0
        for (const good of ends) {
          health = good ? Health.succeeded(health, 0, 0) : fail(health, 0)
          row = good ? 0 : row + 1
          if (row === 3) {
            expect(health).toMatchObject({ _tag: "Ejected", because: "failures", returned: 1000 })
            break
          }
          expect(health).toEqual({ ...Health.fit, failures: row })
        }
      })
    )
  })

  it("is longer each time, up to the longest, shorter by the jitter alone", () => {
    let health: Health.Health = Health.fit
    let now = 0
    for (const [i, length] of [1000, 2000, 4000, 6000, 6000].entries()) {
      for (let n = 0; n < 3 && health._tag !== "Ejected"; n++) health = fail(health, now, { luck: i % 2 })
      expect(health).toMatchObject({ _tag: "Ejected", returned: now + length * (1 - (i % 2) * 0.25) })
      now = health.returned
      // On trial a single failure is enough.
      expect(Health.at(health, now)._tag).toBe("Trial")
      health = Health.at(health, now)
    }
    health = Health.succeeded(health, now, now)
    expect(health).toEqual({ _tag: "Fit", failures: 0, ejections: 5, returned: now })
    // Three are forgotten after three of the longest.
    const later = now + 3 * 6000
    for (let n = 0; n < 3; n++) health = fail(health, later)
    expect(health).toMatchObject({ _tag: "Ejected", ejections: 3, returned: later + 4000 })
  })

  it("comes of failing more than the others, and waits for room", () => {
    expect(fail(Health.fit, 5, { isOutlier: true })).toMatchObject({ _tag: "Ejected", because: "outlier" })
    let health: Health.Health = Health.fit
    for (let n = 0; n < 5; n++) health = fail(health, 5, { mayEject: false })
    expect(health).toEqual({ ...Health.fit, failures: 5 })
    expect(fail(health, 6)).toMatchObject({ _tag: "Ejected", since: 6 })
  })

  it("is ended by the success of a call that was sent since, and not by one sent before", () => {
    const out: Health.Health = { _tag: "Ejected", because: "failures", since: 100, ejections: 1, returned: 500 }
    expect(Health.succeeded(out, 99, 200)).toBe(out)
    expect(Health.succeeded(out, 100, 200)).toEqual({ _tag: "Fit", failures: 0, ejections: 1, returned: 200 })
    expect(fail(out, 200)).toBe(out)
    // A failure of a call from before the return is no failure of the trial.
    expect(Health.failed(out, rules, 499, 600, plain)._tag).toBe("Trial")
    expect(Health.failed(out, rules, 500, 600, plain)).toMatchObject({ _tag: "Ejected", ejections: 2 })
  })
})

describe("lessons", () => {
  const of = (error: unknown) => lessonOf(Exit.fail(error), Balancer.isFailure)
  const make = (tag: GenerationError.Tag, more: object = {}) => GenerationError.make(tag, { message: "x", ...more })

  it("are taught by classes of errors", () => {
    const taught = Object.fromEntries(GenerationError.tags.map((tag) => [tag, of(make(tag))]))
    const bad = { verdict: "bad" }
    const none = { verdict: "nothing" }
    const aside = (because: string) => ({ verdict: "nothing", stay: { _tag: "Aside" }, because })
    expect(taught).toEqual({
      Overloaded: bad,
      RateLimited: bad,
      Timeout: bad,
      Transient: bad,
      QuotaExhausted: aside("QuotaExhausted"),
      InvalidRequest: none,
      Unauthorized: aside("Unauthorized"),
      Forbidden: aside("Forbidden"),
      ModelNotFound: aside("ModelNotFound"),
      ContentBlocked: none,
      EmptyResult: none,
      Malformed: none
    })
  })

  it("hear the server's time of those that may be retried, and of a quota", () => {
    const retryAfter = "20 seconds"
    const stay = { _tag: "For", millis: 20_000 }
    for (const tag of ["Overloaded", "RateLimited", "Transient", "QuotaExhausted"] as const) {
      expect(of(make(tag, { retryAfter }))).toMatchObject({ stay, because: tag })
    }
    expect(of(make("InvalidRequest", { retryAfter }))).toEqual({ verdict: "nothing" })
    expect(of(make("QuotaExhausted", { retryAfter, resetAt: 99 }))).toMatchObject({ stay: { _tag: "Until", wall: 99 } })
    expect(of(make("QuotaExhausted", { resetAt: NaN }))).toMatchObject({ stay: { _tag: "Aside" } })
  })

  it("are none from interruption, defects, refusals, what never began, and what was injected", () => {
    const refused = new Rejected.Shed({ policy: "x", policyName: "x", message: "x", retryAfter: 5 })
    const nothing = { verdict: "nothing" }
    expect(lessonOf("never-started", Balancer.isFailure)).toEqual(nothing)
    expect(lessonOf(Exit.interrupt(undefined as never), Balancer.isFailure)).toEqual(nothing)
    expect(lessonOf(Exit.die("bug"), () => true)).toEqual(nothing)
    expect(lessonOf(Exit.fail(refused), () => true)).toEqual(nothing)
    for (const tag of ["Overloaded", "Unauthorized"] as const) {
      expect(lessonOf(Exit.fail(make(tag, { reason: GenerationError.injectedReason, retryAfter: 9 })), () => true)).toEqual(nothing)
    }
    expect(of(make("Timeout", { phase: "pool" }))).toEqual(nothing)
    expect(lessonOf(Exit.void, () => true)).toEqual({ verdict: "good" })
  })

  it("count the gravest of what ended together, and survive a predicate that throws", () => {
    const both = Cause.parallel(Cause.interrupt(undefined as never), Cause.fail(make("Overloaded", { retryAfter: 7 })))
    expect(lessonOf(Exit.failCause(both), Balancer.isFailure)).toMatchObject({ verdict: "bad", stay: { millis: 7 } })
    const throws = () => {
      throw new Error("predicate")
    }
    expect(lessonOf(Exit.fail(make("Overloaded")), throws)).toEqual({ verdict: "nothing" })
  })
})

describe("those who wait", () => {
  it("come by priority and then in the order in which they came, as a sorted list says", () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: -1, max: 2 }), fc.constant("leave" as const), fc.constant("next" as const)))
    fc.assert(
      fc.property(steps, fc.infiniteStream(fc.nat()), (all, picks) => {
        const parked = new Parked<{ readonly priority: number; readonly n: number }>()
        let list: Array<{ readonly priority: number; readonly n: number }> = []
        for (const [n, step] of all.entries()) {
          if (typeof step === "number") {
            const one = { priority: step, n }
            parked.add(one)
            list = [...list, one].sort((a, b) => b.priority - a.priority || a.n - b.n)
          } else if (list.length > 0) {
            const one = step === "next" ? list[0]! : list[picks.next().value % list.length]!
            parked.delete(one)
            parked.delete(one)
            list = list.filter((other) => other !== one)
          }
          expect(parked.first()).toBe(list[0])
          expect(parked.size).toBe(list.length)
          expect(new Set(parked.all())).toEqual(new Set(list))
        }
      })
    )
  })
})

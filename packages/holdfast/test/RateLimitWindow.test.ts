import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { nextMidnight } from "../src/internal/rateLimit/day.js"
import * as Window from "../src/internal/rateLimit/window.js"
import * as Zone from "../src/internal/time/zone.js"

const zone = (name: string): Zone.Zone => {
  const made = Zone.make(name)
  if (made === undefined) throw new Error(`no zone ${name}`)
  return made
}

describe("the end of a day", () => {
  const dateOf = (name: string) => {
    const format = new Intl.DateTimeFormat("en-CA", { timeZone: name, year: "numeric", month: "2-digit", day: "2-digit" })
    return (millis: number) => format.format(millis)
  }
  const minute = 60_000

  // Plain zones, half hours, a change of half an hour, changes at midnight itself, and a day that was left out.
  for (
    const [name, around] of [
      ["UTC", ["2026-03-01"]],
      ["America/Los_Angeles", ["2026-03-08", "2026-11-01", "2026-07-01"]],
      ["Asia/Kathmandu", ["2026-01-01"]],
      ["Australia/Lord_Howe", ["2026-04-05", "2026-10-04"]],
      ["America/Sao_Paulo", ["2018-11-04", "2019-02-17"]],
      ["Africa/Cairo", ["2024-04-26", "2024-10-31"]],
      ["America/Havana", ["2026-03-08", "2026-11-01"]],
      ["Pacific/Apia", ["2011-12-30"]]
    ] as const
  ) {
    it(`${name}: is the first instant with a later date`, () => {
      const date = dateOf(name)
      const rules = zone(name)
      for (const day of around) {
        const from = Date.parse(day) - 30 * 3_600_000
        for (let at = from; at < from + 60 * 3_600_000; at += 37 * minute) {
          const end = nextMidnight(rules, at)
          expect(end).toBeGreaterThan(at)
          expect(date(end) > date(at), `${name} ${new Date(at).toISOString()}`).toBe(true)
          for (let before = at; before < end; before += 15 * minute) {
            expect(date(before), new Date(before).toISOString()).toBe(date(at))
          }
          expect(date(end - 1)).toBe(date(at))
        }
      }
    })
  }
})

/** The most that was spent in any stretch of that length. */
const most = (starts: ReadonlyArray<readonly [at: number, cost: number]>, length: number): number =>
  Math.max(0, ...starts.map(([from]) =>
    starts.reduce((sum, [at, cost]) => (at >= from && at < from + length ? sum + cost : sum), 0)))

/** Starts each cost as early as the window allows. */
const greedy = (window: Window.Window, costs: ReadonlyArray<readonly [gap: number, cost: number]>) => {
  let state = window
  let now = 1_000_000
  const starts: Array<readonly [number, number]> = []
  for (const [gap, cost] of costs) {
    now = Window.earliest(state, cost, now + gap)
    expect(Window.earliest(state, cost, now)).toBe(now)
    state = Window.spend(state, cost, now)
    starts.push([now, cost])
  }
  return { starts, state, now }
}

describe("a window", () => {
  const gaps = FastCheck.oneof(FastCheck.constant(0), FastCheck.integer({ min: 0, max: 3000 }))
  const script = (maxCost: number) =>
    FastCheck.array(FastCheck.tuple(gaps, FastCheck.integer({ min: 1, max: maxCost })), { maxLength: 120 })

  it.prop("a sliding one never holds more than its limit in any stretch", [FastCheck.integer({ min: 3, max: 40 }), script(3)], ([limit, costs]) => {
    const { starts } = greedy(Window.sliding(limit, 1000), costs)
    expect(most(starts, 1000)).toBeLessThanOrEqual(limit)
  })

  it.prop("nor does a bucket, burst and refill together", [FastCheck.integer({ min: 4, max: 40 }), script(3)], ([limit, costs]) => {
    const burst = 3
    const { starts } = greedy(Window.bucket(limit, burst, (limit - burst) / 1000), costs)
    expect(most(starts, 1000)).toBeLessThanOrEqual(limit)
  })

  it.prop("a bucket of whole requests may refill by one more", [FastCheck.integer({ min: 1, max: 40 }), FastCheck.integer({ min: 1, max: 40 }), script(1)], ([limit, wanted, costs]) => {
    const burst = Math.min(wanted, limit)
    const { starts } = greedy(Window.bucket(limit, burst, (limit - burst + 1) / 1000), costs)
    expect(most(starts, 1000)).toBeLessThanOrEqual(limit)
  })

  it.prop("a spaced one keeps its distance", [FastCheck.integer({ min: 1, max: 40 }), script(1)], ([limit, costs]) => {
    const { starts } = greedy(Window.spaced(limit, 1000 / limit), costs)
    for (let i = 1; i < starts.length; i++) {
      expect(starts[i]![0] - starts[i - 1]![0]).toBeGreaterThanOrEqual(Math.floor(1000 / limit))
    }
    expect(most(starts, 1000)).toBeLessThanOrEqual(limit)
  })

  it.prop("the earliest time is the earliest: one millisecond before, it does not fit", [FastCheck.integer({ min: 3, max: 20 }), script(3)], ([limit, costs]) => {
    for (const window of [Window.sliding(limit, 1000), Window.bucket(limit, 3, (limit - 3 + 1) / 1000), Window.spaced(limit, 1000 / limit)]) {
      const { now, state } = greedy(window, costs)
      const next = Window.earliest(state, 3, now)
      if (next > now) expect(Window.earliest(state, 3, next - 1)).toBeGreaterThan(next - 1)
    }
  })

  it("a sliding one keeps few entries however much it counts, and errs on the safe side", () => {
    let state: Window.Window = Window.sliding(50_000, 60_000)
    const starts: Array<readonly [number, number]> = []
    let now = 0
    for (let i = 0; i < 20_000; i++) {
      now = Window.earliest(state, 7, now + 3)
      state = Window.spend(state, 7, now)
      starts.push([now, 7])
    }
    expect(state._tag === "Sliding" && state.spent.length).toBeLessThan(1100)
    // Brute force over every 50th start is enough to see a drift.
    for (let i = 0; i < starts.length; i += 50) {
      const [from] = starts[i]!
      let sum = 0
      for (let j = i; j < starts.length && starts[j]![0] < from + 60_000; j++) sum += starts[j]![1]
      expect(sum).toBeLessThanOrEqual(50_000)
    }
    // And not much is lost: 50,000 a minute.
    expect(now).toBeLessThan(((20_000 * 7) / 50_000) * 60_000 * 1.02)
  })

  it.prop("what was spent and given back leaves no trace", [script(3), FastCheck.integer({ min: 1, max: 3 })], ([costs, cost]) => {
    for (const window of [Window.sliding(20, 1000), Window.spaced(20, 50), Window.calendar(1000, zone("UTC"), 0), Window.bucket(20, 3, 0.01)]) {
      const { now, state } = greedy(window, costs)
      const at = Window.earliest(state, cost, now)
      const aged = Window.at(state, at)
      const back = Window.refund(Window.spend(aged, cost, at), cost, at, at)
      expect(Window.used(back, at)).toBeCloseTo(Window.used(aged, at), 6)
      expect(Window.earliest(back, cost, at)).toBe(Window.earliest(aged, cost, at))
      expect(Window.letGo(Window.hold(aged, cost), cost)).toEqual(aged)
    }
  })

  it("a refund after the window has passed gives nothing", () => {
    const spent = Window.spend(Window.sliding(5, 1000), 5, 0)
    expect(Window.used(Window.refund(Window.spend(spent, 2, 900), 5, 0, 1200), 1200)).toBe(2)
    const day = 86_400_000
    const monday = Window.spend(Window.calendar(5, zone("UTC"), 0), 5, day - 1)
    const tuesday = Window.spend(monday, 2, day)
    expect(Window.used(Window.refund(tuesday, 5, day - 1, day + 1), day + 1)).toBe(2)
  })

  it("a debt delays: by the window, by the refill, by the distance, until the reset", () => {
    const debt = (window: Window.Window) => Window.earliest(Window.spend(window, 25, 0), 1, 0)
    expect(debt(Window.sliding(10, 1000))).toBe(1000)
    expect(debt(Window.bucket(10, 5, 0.01))).toBe(2100)
    expect(debt(Window.spaced(10, 100))).toBe(2500)
    expect(debt(Window.calendar(10, zone("UTC"), 1000))).toBe(1000)
    expect(debt(Window.calendar(10, zone("America/Los_Angeles"), 1000))).toBe(8 * 3_600_000 + 1000)
  })

  it("a clock that is set back gives nothing back", () => {
    for (const window of [Window.sliding(2, 1000), Window.bucket(2, 1, 0.001), Window.spaced(2, 500), Window.calendar(2, zone("UTC"), 0)]) {
      const full = Window.spend(Window.spend(window, 1, 10_000_000), 1, 10_000_000)
      expect(Window.earliest(full, 1, 9_000_000)).toBeGreaterThan(10_000_000)
    }
  })
})

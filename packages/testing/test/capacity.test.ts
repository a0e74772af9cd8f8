import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Capacity from "../src/internal/capacity.js"
import { lognormal, stream } from "../src/internal/random.js"
import type { Event } from "../src/Scenario.js"

const bg = { low: 0.3, med: 0.5, peak: 0.7, high: 0.6 }

const params = (more: Partial<Capacity.Params> = {}): Capacity.Params => ({
  endpoint: "direct",
  seed: 1,
  slots: 100,
  bg,
  noise: 0,
  startHour: 0,
  events: [],
  ...more
})

describe("background load", () => {
  it("follows the UTC table and blends over the last 20 minutes of a block", () => {
    const at = (hour: number) => Capacity.background(bg, hour * 3600)
    expect([at(0), at(5), at(7), at(13), at(19)]).toEqual([0.3, 0.3, 0.5, 0.7, 0.6])
    expect(at(5 + 40 / 60)).toBeCloseTo(0.3, 10)
    expect(at(5 + 50 / 60)).toBeCloseTo(0.4, 10)
    expect(at(6 - 1e-9)).toBeCloseTo(0.5, 6)
    expect(at(24 - 10 / 60)).toBeCloseTo(0.45, 10)
    expect(at(24)).toBe(0.3)
  })
})

describe("capacity", () => {
  it("is the rounded share that other tenants leave, from the hour at which the scenario starts", () => {
    const capacity = Capacity.make(params({ startHour: 13 }))
    expect(capacity.slotsAt(0)).toBe(30)
    expect(capacity.slotsAt(6 * 3600)).toBe(40)
    expect(Capacity.make(params({ slots: 7, startHour: 13 })).slotsAt(0)).toBe(2)
  })

  it("is the same for a seed whatever was asked before, and never below 0", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer(),
        FastCheck.array(FastCheck.integer({ min: 0, max: 20_000 }), { maxLength: 20 }),
        (seed, times) => {
          const make = () => Capacity.make(params({ seed, noise: 0.4 }))
          const asked = make()
          const values = times.map((t) => asked.slotsAt(t))
          expect(values).toEqual(times.map((t) => make().slotsAt(t)))
          expect(values.every((n) => Number.isInteger(n) && n >= 0)).toBe(true)
        }
      ),
      { numRuns: 50 }
    )
  })

  it("has noise of the stated deviation and a relaxation time of ten minutes", () => {
    const half = { low: 0.5, med: 0.5, peak: 0.5, high: 0.5 }
    const capacity = Capacity.make(params({ slots: 1_000_000, bg: half, noise: 0.05 }))
    const trace = Array.from({ length: 400_000 }, (_, k) => capacity.slotsAt(k * 10) / 1_000_000 - 0.5)
    const mean = trace.reduce((a, b) => a + b, 0) / trace.length
    const covariance = (lag: number) =>
      trace.slice(lag).reduce((sum, x, i) => sum + (x - mean) * ((trace[i] ?? 0) - mean), 0) / (trace.length - lag)
    expect(Math.abs(mean)).toBeLessThan(0.003)
    expect(Math.sqrt(covariance(0))).toBeCloseTo(0.05, 2)
    expect(covariance(60) / covariance(0)).toBeGreaterThan(Math.exp(-1) - 0.06)
    expect(covariance(60) / covariance(0)).toBeLessThan(Math.exp(-1) + 0.06)
  })

  it("gives endpoints and seeds noise of their own", () => {
    const trace = (more: Partial<Capacity.Params>) => {
      const capacity = Capacity.make(params({ noise: 0.2, ...more }))
      return Array.from({ length: 50 }, (_, k) => capacity.slotsAt(k * 10))
    }
    expect(trace({})).toEqual(trace({}))
    expect(trace({})).not.toEqual(trace({ seed: 2 }))
    expect(trace({})).not.toEqual(trace({ endpoint: "relay" }))
  })

  const eventArb: FastCheck.Arbitrary<Event> = FastCheck.tuple(
    FastCheck.integer({ min: 0, max: 50 }),
    FastCheck.integer({ min: 1, max: 50 }),
    FastCheck.constantFrom<Partial<Event>>(
      { cap: 0.5 },
      { cap: 0, mode: "hang" },
      { mode: "reject" },
      { mode: "slow", x: 3 },
      { mode: "flaky", p: 0.5 }
    )
  ).map(([from, length, what]) => ({ from, to: from + length, ...what }))

  it("lays overlapping events end to end without losing any", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(eventArb, { maxLength: 6 }), (events) => {
        const capacity = Capacity.make(params({ events, bg: { low: 0, med: 0, peak: 0, high: 0 } }))
        for (let t = 0; t < 110; t++) {
          const active = events.filter((e) => e.from <= t && t < e.to)
          const segment = capacity.segmentAt(t)
          expect(segment.reject).toBe(active.some((e) => e.mode === "reject"))
          expect(segment.hang).toBe(active.some((e) => e.mode === "hang"))
          expect(segment.slow).toBe(3 ** active.filter((e) => e.mode === "slow").length)
          expect(segment.flaky).toBeCloseTo(1 - 0.5 ** active.filter((e) => e.mode === "flaky").length, 10)
          expect(capacity.slotsAt(t)).toBe(Math.round(100 * active.reduce((cap, e) => cap * (e.cap ?? 1), 1)))
          expect(capacity.changesAfter(t)).toBeGreaterThan(t)
          if (segment.reject) {
            let end = t
            const rejects = (s: number) => events.some((e) => e.mode === "reject" && e.from <= s && s < e.to)
            while (rejects(end)) end++
            expect(segment.rejectUntil).toBe(end)
          }
        }
      }),
      { numRuns: 60 }
    )
  })
})

describe("random streams", () => {
  it("make lognormal service times of the stated mean and spread, within their bounds", () => {
    const svc = { mean: 30, cv: 0.3, min: 10, max: 90 }
    const all = Array.from({ length: 40_000 }, (_, i) => lognormal(svc, stream(5, "service", i)))
    const mean = all.reduce((a, b) => a + b, 0) / all.length
    const deviation = Math.sqrt(all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length)
    expect(mean).toBeGreaterThan(29.7)
    expect(mean).toBeLessThan(30.3)
    expect(deviation / mean).toBeCloseTo(0.3, 1)
    expect(Math.min(...all)).toBeGreaterThanOrEqual(10)
    expect(Math.max(...all)).toBeLessThanOrEqual(90)
  })

  it("differ for every seed, name and key, and repeat for the same", () => {
    const first = (...args: Parameters<typeof stream>) => stream(...args)()
    const seen = new Set<number>()
    for (let seed = 0; seed < 10; seed++) {
      for (const name of ["a", "b"]) {
        for (const key of [0, 1, 2 ** 32, -1, 0.5, "0", "x"]) seen.add(first(seed, name, key))
      }
    }
    expect(seen.size).toBe(140)
    expect(first(3, "a", "x")).toBe(first(3, "a", "x"))
  })

  it("are uniform", () => {
    const uniform = stream(1, "u")
    const bins = new Array<number>(10).fill(0)
    for (let i = 0; i < 100_000; i++) {
      const bin = Math.floor(uniform() * 10)
      bins[bin] = (bins[bin] ?? 0) + 1
    }
    for (const n of bins) expect(Math.abs(n - 10_000)).toBeLessThan(400)
  })
})

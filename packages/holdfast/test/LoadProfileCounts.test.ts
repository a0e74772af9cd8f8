/** What a learned profile keeps: decayed counts by hour of the week, and the ratios that they tell, worked by hand. */
import { describe, expect, it } from "@effect/vitest"
import * as Counts from "../src/internal/time/counts.js"
import { day, hour, week } from "../src/internal/time/week.js"
import * as Zone from "../src/internal/time/zone.js"

const utc = Zone.make("UTC")!
const monday = Date.parse("2026-11-02T00:00Z")
const halfLife = 7 * day

/** Counts as of one instant, given by hour of the week as calls and failures. */
const countsOf = (given: Readonly<Record<number, readonly [calls: number, failures: number]>>): Counts.Counts => {
  const counts = Counts.make()
  counts.landmark = monday
  counts.latest = monday
  for (const [cell, [calls, failures]] of Object.entries(given)) {
    counts.calls[Number(cell)] = calls
    counts.failures[Number(cell)] = failures
  }
  return counts
}

/** The same counts at each hour of a day, for the days given. */
const daysOf = (given: Readonly<Record<number, readonly [calls: number, failures: number]>>) =>
  countsOf(Object.fromEntries(
    Object.entries(given).flatMap(([number, counts]) =>
      Array.from({ length: 24 }, (_, at) => [Number(number) * 24 + at, counts] as const))
  ))

describe("decayed counts", () => {
  const save = (counts: Counts.Counts) => Counts.save(counts, "UTC", halfLife)

  it("begin with nothing", () => {
    expect(Counts.make()).toEqual({
      landmark: 0,
      latest: -Infinity,
      calls: Array.from({ length: 168 }, () => 0),
      failures: Array.from({ length: 168 }, () => 0)
    })
    expect(save(Counts.make())).toMatchObject({ format: "holdfast/LoadProfile", version: 1, zone: "UTC", at: null })
    expect(save(Counts.make()).calls).toEqual(Counts.make().calls)
  })

  it("stand in the hour of the week on the local clock", () => {
    expect([monday, monday + hour - 1, monday + hour, monday + 25 * hour, monday - 1].map((at) => Counts.cellAt(utc, at)))
      .toEqual([0, 0, 1, 25, 167])
    expect(Counts.cellAt(Zone.make("Asia/Tokyo")!, monday)).toBe(9)
  })

  it("weigh an outcome half after each half-life, and do not decay while nothing is called", () => {
    const counts = Counts.make()
    Counts.record(counts, 3, true, monday, halfLife)
    expect(save(counts)).toMatchObject({ at: monday })
    expect([save(counts).calls[3], save(counts).failures[3]]).toEqual([1, 1])
    Counts.record(counts, 4, false, monday + halfLife, halfLife)
    expect(save(counts).at).toBe(monday + halfLife)
    expect([save(counts).calls[3], save(counts).failures[3]]).toEqual([0.5, 0.5])
    expect([save(counts).calls[4], save(counts).failures[4]]).toEqual([1, 0])
    // One that comes late weighs what it would have weighed.
    Counts.record(counts, 4, true, monday - halfLife, halfLife)
    expect(save(counts).at).toBe(monday + halfLife)
    expect([save(counts).calls[4], save(counts).failures[4]]).toEqual([1.25, 0.25])
  })

  it("move where an outcome weighs one before weights pass all bounds, and nothing else changes by it", () => {
    const counts = Counts.make()
    Counts.record(counts, 0, true, monday, halfLife)
    Counts.record(counts, 0, false, monday + 200 * halfLife, halfLife)
    expect(counts.landmark).toBe(monday)
    Counts.record(counts, 0, true, monday + 201 * halfLife, halfLife)
    expect(counts.landmark).toBe(monday + 201 * halfLife)
    expect([counts.calls[0], counts.failures[0]]).toEqual([1.5 + 2 ** -201, 1 + 2 ** -201])
    Counts.record(counts, 0, false, monday + 202 * halfLife, halfLife)
    expect(save(counts).calls[0]).toBeCloseTo(1.75, 12)
    expect(save(counts).failures[0]).toBeCloseTo(0.5, 12)
    for (let n = 1; n < 20; n++) Counts.record(counts, 0, true, monday + (202 + 150 * n) * halfLife, halfLife)
    expect([save(counts).calls[0], save(counts).failures[0]]).toEqual([1, 1])
  })
})

describe("the ratios that counts tell", () => {
  const prior = Array.from({ length: 168 }, (_, cell) => (cell < 24 ? 0.1 : 0.2))
  const ratios = (counts: Counts.Counts) => Counts.ratios(counts, prior, 20, halfLife)

  it("are the prior before the first outcome", () => {
    expect(ratios(Counts.make())).toBe(prior)
  })

  it("shrink an hour to the same hour of other days, and those to the prior", () => {
    const told = ratios(countsOf({ 5: [10, 5] }))
    // Nobody knows yet how much days differ: the mean of the others is worth 40 calls, the prior 20.
    expect(told[5]).toBeCloseTo((5 + 40 * 0.1) / 50, 12)
    const weekday = (5 + 20 * 0.2) / 30
    expect(told[29]).toBeCloseTo((5 + 40 * weekday) / 50, 12)
    expect(told[5 + 5 * 24]).toBeCloseTo(weekday, 12)
    // Other hours learn nothing from it.
    expect([told[4], told[6], told[30], told[167]]).toEqual([0.1, 0.1, 0.2, 0.2])
  })

  it("take Saturday and Sunday for one kind of day, the others for another", () => {
    const told = ratios(countsOf({ [5 * 24]: [10, 5] }))
    const any = (5 + 20 * 0.2) / 30
    expect(told[6 * 24]).toBeCloseTo((5 + 40 * any) / 50, 12)
    expect(told[4 * 24]).toBeCloseTo(any, 12)
    expect(told[0]).toBeCloseTo((5 + 20 * 0.1) / 30, 12)
  })

  it("are as of the latest outcome: old ones count for less against the prior", () => {
    const counts = Counts.make()
    for (let n = 0; n < 20; n++) Counts.record(counts, 5, true, monday, halfLife)
    Counts.record(counts, 100, false, monday + halfLife, halfLife)
    expect(ratios(counts)[5]).toBeCloseTo((10 + 40 * 0.1) / 50, 12)
  })

  // Two days that are known at all 24 hours: enough to say by how much days of a kind differ.
  const flat = Array.from({ length: 168 }, () => 0.1)
  const told = (counts: Counts.Counts, cell: number) => Counts.ratios(counts, flat, 20, halfLife)[cell]

  it("are pooled over the days of a kind that differ no more than by chance", () => {
    const counts = daysOf({ 0: [100, 50], 1: [100, 50] })
    // By chance alone the days differ: the others are worth as much as they can be, 400 calls.
    expect(told(counts, 7)).toBeCloseTo((50 + 400 * ((50 + 40 * (52 / 120)) / 140)) / 500, 12)
    // Nor do they differ where nothing ever fails, or everything does.
    expect(told(daysOf({ 0: [100, 0], 1: [100, 0] }), 7)).toBeCloseTo((400 * ((40 * (2 / 120)) / 140)) / 500, 12)
    expect(told(daysOf({ 0: [100, 100], 1: [100, 100] }), 7)).toBeCloseTo((100 + 400 * ((100 + 40 * (102 / 120)) / 140)) / 500, 12)
  })

  it("stand for themselves the sooner, the more the days of a kind differ", () => {
    // Variance within a day 0.25, between the days (48 - 6) / 2,400.
    expect(told(daysOf({ 0: [100, 60], 1: [100, 40] }), 7)).toBeCloseTo(0.573_214_285_714, 11)
    // A cell keeps a weight of four calls of the others at least.
    expect(told(daysOf({ 0: [100, 90], 1: [100, 10] }), 7)).toBeCloseTo((90 + 4 * 0.1) / 104, 12)
  })

  it("weigh days by their calls", () => {
    const counts = daysOf({ 0: [100, 60], 1: [300, 140] })
    // The others are worth 34.615 calls: 0.25 over (32 - 6) / (24 * 150).
    expect(told(counts, 7)).toBeCloseTo(0.565_021_008_403, 11)
    expect(told(counts, 31)).toBeCloseTo(0.477_996_715_928, 11)
    expect(told(counts, 55)).toBeCloseTo(0.498_268_398_268, 11)
    expect(told(counts, 127)).toBeCloseTo(0.480_952_380_952, 11)
  })

  it("learn in the same way by how much weekends differ from other days", () => {
    const counts = daysOf({ 0: [100, 60], 5: [100, 40] })
    // A Tuesday, of which nothing is known: that of its kind is worth so much against that of all days.
    const weight = 0.25 / (42 / 2400)
    expect(told(counts, 31)).toBeCloseTo((60 + weight * (102 / 220)) / (100 + weight), 11)
    // How much Mondays differ from Tuesdays is still unknown.
    expect(told(counts, 7)).toBeCloseTo((60 + 40 * (42 / 120)) / 140, 11)
  })

  it("say nothing of how much days differ until 24 hours can be compared", () => {
    const some = (hours: number) =>
      countsOf(Object.fromEntries(Array.from({ length: hours }, (_, at) => [[at, [100, 60]], [24 + at, [100, 40]]] as const).flat()))
    expect(told(some(23), 7)).toBeCloseTo((60 + 40 * ((40 + 40 * (42 / 120)) / 140)) / 140, 12)
    expect(told(some(24), 7)).toBeCloseTo(0.573_214_285_714, 11)
  })
})

describe("the hours of a profile in another zone", () => {
  const zone = (name: string) => Zone.make(name)!
  const nightly = {
    zone: utc,
    slots: Array.from({ length: 7 }, (_, n) => [
      { from: n * day, to: n * day + 6 * hour, value: { failureRatio: 0.1 } },
      { from: n * day + 6 * hour, to: (n + 1) * day, value: { failureRatio: 0.5 } }
    ]).flat()
  }

  it("are those of the same instants", () => {
    const at = (name: string, cell: number) => Counts.sampleHours(nightly, zone(name), monday)[cell]
    expect([0, 5, 6, 23].map((cell) => at("UTC", cell))).toEqual([0.1, 0.1, 0.5, 0.5])
    expect([8, 9, 14, 15].map((cell) => at("Asia/Tokyo", cell))).toEqual([0.5, 0.1, 0.1, 0.5])
    expect(Counts.sampleHours(nightly, utc, monday)).toHaveLength(168)
  })

  it("are means where a window begins within the hour", () => {
    // Kathmandu is 5 h 45 min ahead: the night of UTC begins there at 05:45 and ends at 11:45.
    const told = Counts.sampleHours(nightly, zone("Asia/Kathmandu"), monday + 7)
    expect([told[4], told[5], told[6], told[11], told[12]].map((ratio) => Math.round(ratio! * 1000) / 1000))
      .toEqual([0.5, 0.4, 0.1, 0.2, 0.5])
  })

  it("take the hour before for one that a change of the clock has skipped", () => {
    // New York had no 02:00 on Sunday, 8 March 2026; 01:00 there was 06:00 in UTC.
    const told = Counts.sampleHours(nightly, zone("America/New_York"), Date.parse("2026-03-08T12:00Z"))
    expect([0, 1, 2, 3].map((at) => told[6 * 24 + at])).toEqual([0.1, 0.5, 0.5, 0.5])
    expect(told.every(Number.isFinite)).toBe(true)
  })

  it("look at the week around the instant", () => {
    const seen: Array<number> = []
    const watched: Zone.Zone = {
      name: "watched",
      runAt: (millis) => {
        seen.push(millis)
        return utc.runAt(millis)
      }
    }
    Counts.sampleHours(nightly, watched, monday + 123)
    expect([Math.min(...seen), Math.max(...seen)]).toEqual([monday - week / 2, monday + week / 2 - hour / 4])
    expect(new Set(seen).size).toBe(168 * 4)
  })
})

describe("stored counts", () => {
  const counts = countsOf({ 3: [10, 4], 100: [2.5, 2.5] })
  const saved = Counts.save(counts, "UTC", halfLife)
  const restored = (change: object) => Counts.restore("Owner", { ...saved, ...change }, "UTC")
  const list = (length: number, change: Readonly<Record<number, unknown>> = {}) =>
    Array.from({ length }, (_, cell) => change[cell] ?? 0)

  it("come back as they were", () => {
    expect(Counts.restore("Owner", JSON.parse(JSON.stringify(saved)), "UTC")).toEqual(counts)
    const again = restored({})
    Counts.record(again, 3, true, monday, halfLife)
    // What was handed in belongs to whoever did.
    expect(saved.calls[3]).toBe(10)
    expect(Counts.restore("Owner", Counts.save(Counts.make(), "UTC", halfLife), "UTC")).toEqual(Counts.make())
    expect(restored({ at: 0 })).toMatchObject({ landmark: 0, latest: 0 })
    expect(restored({ at: -8.64e15 }).latest).toBe(-8.64e15)
  })

  it("may have been rounded on the way", () => {
    expect(restored({ calls: list(168, { 3: 10 }), failures: list(168, { 3: 10 + 1e-9 }) }).calls[3]).toBe(10)
    expect(restored({ calls: list(168, { 3: 1e6 }), failures: list(168, { 3: 1e6 + 5e-4 }) }).calls[3]).toBe(1e6)
    expect(() => restored({ calls: list(168, { 3: 10 }), failures: list(168, { 3: 10 + 1e-7 }) })).toThrow("failures[3]")
  })

  it("are refused by the name of what is wrong, the legal range, and what was found", () => {
    const refused = (change: object, message: string) => expect(() => restored(change)).toThrow(`Owner: ${message}`)
    refused({ format: "else" }, "\"format\" must be \"holdfast/LoadProfile\", not \"else\"")
    refused({ version: 2 }, "\"version\" must be 1, not 2")
    refused({ zone: "Asia/Tokyo" }, "\"zone\" must be the learner's own, \"UTC\", not \"Asia/Tokyo\"")
    refused({ calls: list(167) }, "\"calls\" must be a list of 168 counts, not \"a list of 167\"")
    refused({ failures: list(169) }, "\"failures\" must be a list of 168 counts, not \"a list of 169\"")
    refused({ calls: "many" }, "\"calls\" must be a list of 168 counts, not \"many\"")
    refused({ calls: { length: 168 } }, "\"calls\" must be a list of 168 counts, not [object Object]")
    for (const n of [-1, NaN, Infinity, "1", null]) {
      const shown = n === "1" ? "\"1\"" : String(n)
      // A list of JSON holds `null` as such.
      const calls = list(168).map((zero, cell) => (cell === 7 ? n : zero))
      refused({ calls }, `"calls[7]" must be a finite number of at least 0, not ${shown}`)
    }
    refused({ failures: list(168, { 9: 1 }) }, "\"failures[9]\" must be at most calls[9], not 1")
    refused({ at: null }, "\"at\" must be a time, since there are counts, not null")
    for (const at of ["today", 8.64e15 + 2, -8.64e15 - 2, NaN]) {
      refused({ at }, `"at" must be milliseconds since the epoch, or null, not ${typeof at === "string" ? "\"today\"" : at}`)
    }
    for (const data of [null, undefined, 5, "text"]) {
      expect(() => Counts.restore("Owner", data, "UTC")).toThrow("Owner: \"data\" must be a saved load profile")
    }
  })
})

describe("hours of the week as windows", () => {
  it("are slots of an hour each", () => {
    expect(Counts.hourSlots(["a", "b"])).toEqual([{ from: 0, to: hour, value: "a" }, { from: hour, to: 2 * hour, value: "b" }])
  })

  it("have a day and a time", () => {
    expect(Counts.describeCell(0)).toEqual({ day: "monday", from: "00:00", to: "01:00" })
    expect(Counts.describeCell(33)).toEqual({ day: "tuesday", from: "09:00", to: "10:00" })
    expect(Counts.describeCell(167)).toEqual({ day: "sunday", from: "23:00", to: "24:00" })
  })
})

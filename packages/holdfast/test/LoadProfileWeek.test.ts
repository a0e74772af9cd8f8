/** The parts of `LoadProfile`: time zones, weeks cut into slots, and windows as people write them. */
import { describe, expect, it } from "@effect/vitest"
import * as LoadProfile from "holdfast/LoadProfile"
import * as Week from "../src/internal/time/week.js"
import * as Windows from "../src/internal/time/windows.js"
import * as Zone from "../src/internal/time/zone.js"

const { day, hour, minute } = Week
const utc = (text: string) => Date.parse(text)
const zone = (name: string): Zone.Zone => {
  const made = Zone.make(name)
  if (made === undefined) throw new Error(`no zone ${name}`)
  return made
}

describe("a time zone", () => {
  const offset = (name: string, text: string) => zone(name).runAt(utc(text)).offset / minute

  it("is known by its IANA name, or not at all", () => {
    expect(zone("Asia/Tokyo").name).toBe("Asia/Tokyo")
    expect([Zone.make("Mars/Olympus"), Zone.make("")]).toEqual([undefined, undefined])
  })

  it("UTC is one run for ever, under both of its names", () => {
    for (const name of ["UTC", "Etc/UTC"]) {
      expect(zone(name)).toMatchObject({ name })
      expect(zone(name).runAt(123)).toEqual({ start: -Infinity, end: Infinity, offset: 0 })
    }
  })

  it("lies east or west of Greenwich by hours, minutes, and once by seconds", () => {
    expect(offset("Asia/Tokyo", "2026-01-01T00:00Z")).toBe(9 * 60)
    expect(offset("America/Los_Angeles", "2026-01-01T00:00Z")).toBe(-8 * 60)
    expect(offset("Asia/Kathmandu", "2026-01-01T00:00Z")).toBe(5 * 60 + 45)
    expect(offset("America/St_Johns", "2026-01-01T00:00Z")).toBe(-(3 * 60 + 30))
    expect(offset("Europe/London", "2026-01-01T00:00Z")).toBe(0)
    expect(offset("Africa/Monrovia", "1970-01-01T12:00Z")).toBe(-44.5)
  })

  it("keeps its offset for a day of UTC, unless it changes", () => {
    const tokyo = zone("Asia/Tokyo")
    const noon = utc("2026-01-01T12:00Z")
    expect(tokyo.runAt(noon)).toEqual({ start: noon - 12 * hour, end: noon + 12 * hour, offset: 9 * hour })
    expect(tokyo.runAt(noon + 12 * hour).start).toBe(noon + 12 * hour)
    expect(tokyo.runAt(noon + 12 * hour - 1).end).toBe(noon + 12 * hour)
  })

  it("changes at the second of the change", () => {
    const berlin = zone("Europe/Berlin")
    const spring = utc("2026-03-29T01:00Z")
    expect(berlin.runAt(spring - 1)).toEqual({ start: spring - hour, end: spring, offset: hour })
    expect(berlin.runAt(spring)).toEqual({ start: spring, end: spring + 23 * hour, offset: 2 * hour })
    const autumn = utc("2026-10-25T01:00Z")
    expect([autumn - 1, autumn].map((at) => berlin.runAt(at).offset / hour)).toEqual([2, 1])
    expect(berlin.runAt(autumn).start).toBe(autumn)
    const apia = zone("Pacific/Apia")
    // Samoa went from one side of the date line to the other.
    const jump = utc("2011-12-30T10:00Z")
    expect([jump - 1, jump].map((at) => apia.runAt(at).offset / hour)).toEqual([-10, 14])
  })

  it("remembers the days that it has read, of two years at most", () => {
    const tokyo = zone("Asia/Tokyo")
    const first = tokyo.runAt(0)
    for (let index = 1; index < 750; index++) tokyo.runAt(index * day)
    expect(tokyo.runAt(5)).toBe(first)
    tokyo.runAt(750 * day)
    expect(tokyo.runAt(5)).not.toBe(first)
    expect(tokyo.runAt(5)).toEqual(first)
  })
})

describe("a week of slots", () => {
  const names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
  /** One slot a day, by the local clock. */
  const week = (name: string): Week.Week<string> => ({
    zone: zone(name),
    slots: names.map((value, index) => ({ from: index * day, to: (index + 1) * day, value }))
  })
  const is = (...wanted: ReadonlyArray<string>) => (value: string) => wanted.includes(value)
  // A Monday.
  const monday = utc("2026-11-02T00:00Z")

  it("begins on Monday at midnight of the local clock", () => {
    expect(Week.timeOfWeek(zone("UTC"), monday)).toBe(0)
    expect(Week.timeOfWeek(zone("UTC"), monday - 1)).toBe(Week.week - 1)
    expect(Week.timeOfWeek(zone("UTC"), 0)).toBe(3 * day)
    expect(Week.timeOfWeek(zone("Asia/Tokyo"), monday)).toBe(9 * hour)
    expect(Week.timeOfWeek(zone("UTC"), utc("1969-12-29T00:00Z"))).toBe(0)
    expect(Week.timeOfWeek(zone("UTC"), utc("1901-01-07T01:00Z"))).toBe(hour)
    expect([Week.minute, Week.hour, Week.day, Week.week]).toEqual([60_000, 3_600_000, 86_400_000, 604_800_000])
  })

  it("tells the slot of an instant, its first one included and its end not", () => {
    const utcWeek = week("UTC")
    for (const [index, name] of names.entries()) {
      expect(Week.valueAt(utcWeek, monday + index * day)).toBe(name)
      expect(Week.valueAt(utcWeek, monday + (index + 1) * day - 1)).toBe(name)
    }
    expect(Week.valueAt(utcWeek, monday + day - 0.5)).toBe("monday")
    expect(Week.valueAt(week("Asia/Tokyo"), monday - 9 * hour)).toBe("monday")
    expect(Week.valueAt(week("Asia/Tokyo"), monday - 9 * hour - 1)).toBe("sunday")
  })

  it("refuses an instant that is none", () => {
    for (const at of [NaN, Infinity]) {
      expect(() => Week.valueAt(week("UTC"), at)).toThrow(`an instant must be milliseconds since the epoch, not ${at}`)
      expect(() => Week.nextWhere(week("UTC"), at, is("monday"))).toThrow("instant")
    }
  })

  it("finds the stretch around an instant, or the next one, whole", () => {
    const found = (at: number, ...wanted: ReadonlyArray<string>) => {
      const stretch = Week.nextWhere(week("UTC"), monday + at, is(...wanted))
      return stretch && [(stretch.start - monday) / day, (stretch.end - monday) / day]
    }
    expect(found(12 * hour, "monday")).toEqual([0, 1])
    expect(found(0, "monday")).toEqual([0, 1])
    expect(found(day, "monday")).toEqual([7, 8])
    expect(found(12 * hour, "tuesday", "wednesday")).toEqual([1, 3])
    expect(found(2 * day + hour, "tuesday", "wednesday")).toEqual([1, 3])
    expect(found(2 * day, "tuesday", "wednesday")).toEqual([1, 3])
    expect(found(3 * day, "saturday", "sunday", "monday")).toEqual([5, 8])
    expect(found(7 * day + hour, "saturday", "sunday", "monday")).toEqual([5, 8])
    expect(found(0, "someday")).toBeUndefined()
    expect(Week.nextWhere(week("UTC"), monday, () => true)).toEqual({ start: -Infinity, end: Infinity })
  })

  it("cuts a stretch short or draws it out where the clock changes", () => {
    const sunday = (at: string) => {
      const stretch = Week.nextWhere(week("Europe/Berlin"), utc(at), is("sunday"))!
      return (stretch.end - stretch.start) / hour
    }
    expect([sunday("2026-03-27T00:00Z"), sunday("2026-10-23T00:00Z"), sunday("2026-11-06T00:00Z")]).toEqual([23, 25, 24])
  })

  it("gives up on a slot that changes of the clock hide for months", () => {
    // A clock that is set back to Thursday at midnight every hour.
    const stuck: Zone.Zone = {
      name: "stuck",
      runAt: (millis) => {
        const start = Math.floor(millis / hour) * hour
        return { start, end: start + hour, offset: -start }
      }
    }
    expect(Week.nextWhere({ ...week("UTC"), zone: stuck }, monday, is("friday"))).toBeUndefined()
    expect(Week.nextWhere({ ...week("UTC"), zone: stuck }, monday + 5, (value) => value !== "friday" && value !== "thursday"))
      .toBeUndefined()
  })
})

describe("windows as people write them", () => {
  const ratios = { low: 0.01, medium: 0.1, high: 0.2, peak: 0.4 }
  const read = (input: unknown) => Windows.parseWindow("Owner", "windows[3]", input as Windows.WindowInput, ratios)
  const window = { from: "01:00", to: "02:30", level: "low" } as const

  it("are complete once they are read: every day, and the ratio of their level", () => {
    expect(read(window)).toEqual({ ...window, failureRatio: 0.01, days: Windows.days })
    expect(read({ ...window, level: "peak" }).failureRatio).toBe(0.4)
    expect(read({ ...window, failureRatio: 0 }).failureRatio).toBe(0)
    expect(read({ ...window, failureRatio: 1 }).failureRatio).toBe(1)
    expect(Windows.levels).toEqual(["low", "medium", "high", "peak"])
  })

  it("are on a day, on some days in the order of the week, or on a group of days", () => {
    const on = (days: unknown) => read({ ...window, days }).days
    expect(on("friday")).toEqual(["friday"])
    expect(on(["sunday", "monday", "sunday"])).toEqual(["monday", "sunday"])
    expect(on("every day")).toEqual(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])
    expect(on("weekdays")).toEqual(["monday", "tuesday", "wednesday", "thursday", "friday"])
    expect(on("weekend")).toEqual(["saturday", "sunday"])
  })

  it("are refused by the name of the field, the legal range, and what was given", () => {
    const refused = (input: unknown, message: string) => expect(() => read(input)).toThrow(message)
    const days = "Owner: \"windows[3].days\" must be one or more of monday, tuesday, wednesday, thursday, friday, " +
      "saturday, sunday, or one of every day, weekdays, weekend, not "
    refused({ ...window, days: "holidays" }, `${days}"holidays"`)
    refused({ ...window, days: [] }, `${days}"none"`)
    refused({ ...window, days: ["monday", 5] }, `${days}5`)
    refused({ ...window, days: ["weekend"] }, `${days}"weekend"`)
    refused({ ...window, days: "toString" }, `${days}"toString"`)
    const level = "Owner: \"windows[3].level\" must be one of low, medium, high, peak, not "
    refused({ ...window, level: "quiet" }, `${level}"quiet"`)
    for (const input of [null, undefined, "low", 5]) refused(input, `${level}undefined`)
    refused({ ...window, failureRatio: 1.01 }, "Owner: \"windows[3].failureRatio\" must be a number between 0 and 1, not 1.01")
    refused({ ...window, failureRatio: -0.01 }, "\"windows[3].failureRatio\"")
  })

  it("begin and end at a time of the day, and at two different ones", () => {
    const refused = (input: object, message: string) => expect(() => read({ ...window, ...input })).toThrow(message)
    const from = "Owner: \"windows[3].from\" must be a time of day \"HH:MM\" between \"00:00\" and \"23:59\", not "
    for (const text of ["24:00", "25:00", "23:60", "1:00", "01:000", " 01:00", "01-00", ""]) refused({ from: text }, `${from}"${text}"`)
    refused({ from: ["01:00"] }, `${from}01:00`)
    refused({ from: undefined }, `${from}undefined`)
    const to = "Owner: \"windows[3].to\" must be a time of day \"HH:MM\" between \"00:00\" and \"24:00\", not "
    for (const text of ["24:01", "02:60", "2:30"]) refused({ to: text }, `${to}"${text}"`)
    refused({ to: "01:00" }, "Owner: \"windows[3].to\" must be other than \"from\" (\"00:00\" to \"24:00\" is a whole day), not \"01:00\"")
    for (const times of [{ from: "00:00", to: "24:00" }, { from: "23:59", to: "00:00" }, { from: "22:00", to: "06:00" }]) {
      expect(read({ ...window, ...times })).toMatchObject(times)
    }
  })

  it("are laid out over the week, with what is between them", () => {
    const rest: Windows.Expectation = { level: "high", failureRatio: 0.2 }
    const slots = (windows: ReadonlyArray<object>, otherwise?: Windows.Expectation) =>
      Windows.layOut("Owner", windows.map((fields) => read({ ...window, ...fields })), otherwise)
        .map(({ from, to, value }) => [from / hour, to / hour, value.level])
    expect(slots([], rest)).toEqual([[0, 168, "high"]])
    expect(slots([{ from: "22:00", to: "06:00", days: ["sunday", "monday"] }], rest)).toEqual([
      [0, 6, "low"], [6, 22, "high"], [22, 30, "low"], [30, 166, "high"], [166, 168, "low"]
    ])
    expect(slots([{ from: "18:00", to: "00:00", days: "sunday" }, { from: "00:00", to: "00:30", days: "monday", level: "peak" }], rest))
      .toEqual([[0, 0.5, "peak"], [0.5, 162, "high"], [162, 168, "low"]])
    // What covers everything needs nothing in between.
    expect(slots([{ from: "00:00", to: "24:00", days: "weekdays" }, { from: "00:00", to: "24:00", days: "weekend", level: "peak" }]))
      .toHaveLength(7)
    expect(slots([{ from: "12:00", to: "00:00" }, { from: "00:00", to: "12:00", level: "peak" }])).toHaveLength(14)
  })

  it("are refused where two overlap, or where nothing covers a time", () => {
    const laid = (windows: ReadonlyArray<object>) => () => Windows.layOut("Owner", windows.map((fields) => read({ ...window, ...fields })), undefined)
    expect(laid([{ from: "00:00", to: "24:00" }, { days: "friday" }]))
      .toThrow("Owner: \"windows[1]\" must be clear of windows[0], not \"overlapping it on friday 01:00\"")
    const weekend = [{ days: "sunday", from: "00:00", to: "24:00" }, { days: "saturday", from: "00:00", to: "00:05" }]
    expect(laid([{ from: "00:00", to: "24:00", days: "weekdays" }, ...weekend, { days: "saturday", from: "00:05", to: "00:04" }]))
      .toThrow("\"windows[1]\" must be clear of windows[3], not \"overlapping it on sunday 00:00\"")
    expect(laid([{ from: "00:00", to: "24:00", days: "weekdays" }]))
      .toThrow("Owner: \"otherwise\" must be given, since no window covers saturday 00:00, not undefined")
    expect(laid([{ from: "00:00", to: "09:05", days: "monday" }])).toThrow("no window covers monday 09:05")
    expect(laid([{ from: "00:00", to: "23:59" }])).toThrow("no window covers monday 23:59")
  })

  it("make a profile that can be asked", () => {
    const profile = LoadProfile.make({
      zone: "Europe/Berlin",
      windows: [{ from: "22:00", to: "06:00", days: "weekdays", level: "low" }],
      otherwise: { level: "peak", failureRatio: 0.5 }
    })
    expect(LoadProfile.windowAt(profile, utc("2026-11-06T23:00Z"))).toEqual({
      start: utc("2026-11-06T21:00Z"),
      end: utc("2026-11-07T05:00Z"),
      level: "low",
      failureRatio: LoadProfile.failureRatioAt(LoadProfile.nanoBanana, utc("2026-11-06T03:00Z"))
    })
  })
})

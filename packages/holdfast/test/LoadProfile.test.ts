import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as LoadProfile from "holdfast/LoadProfile"

const utc = (text: string) => Date.parse(text)
const hour = 3_600_000
const minute = 60_000

describe("LoadProfile.nanoBanana", () => {
  const on = (time: string) => utc(`2026-11-25T${time}Z`)

  it("is the daily table in UTC, on every day", () => {
    const table = {
      "00:00": "low",
      "05:59": "low",
      "06:00": "medium",
      "11:59": "medium",
      "12:00": "peak",
      "17:59": "peak",
      "18:00": "high",
      "23:59": "high"
    }
    for (const [time, level] of Object.entries(table)) {
      for (let day = 0; day < 7; day++) {
        expect(LoadProfile.levelAt(LoadProfile.nanoBanana, on(time) + day * 24 * hour)).toBe(level)
      }
    }
  })

  it("expects up to 45 % of failures at peak and under 8 % off-peak, rising with the level", () => {
    const ratios = ["03:00", "09:00", "20:00", "15:00"].map((time) =>
      LoadProfile.failureRatioAt(LoadProfile.nanoBanana, on(time)))
    expect(ratios[0]).toBeLessThan(0.08)
    expect(ratios[3]).toBe(0.45)
    expect(ratios).toEqual([...ratios].sort((a, b) => a - b))
  })

  it("answers with the window in real time", () => {
    expect(LoadProfile.windowAt(LoadProfile.nanoBanana, on("13:30"))).toEqual({
      start: on("12:00"),
      end: on("18:00"),
      level: "peak",
      failureRatio: 0.45
    })
  })

  it("finds the present or next stretch at or under a level and merges windows that touch", () => {
    const next = (level: LoadProfile.Level, time: string) =>
      LoadProfile.nextAtMost(LoadProfile.nanoBanana, level, on(time))
    const day = 24 * hour
    expect(next("low", "13:00")).toEqual({ start: on("00:00") + day, end: on("06:00") + day })
    expect(next("low", "03:00")).toEqual({ start: on("00:00"), end: on("06:00") })
    expect(next("low", "06:00")).toEqual({ start: on("00:00") + day, end: on("06:00") + day })
    expect(next("medium", "13:00")).toEqual({ start: on("00:00") + day, end: on("12:00") + day })
    expect(next("high", "13:00")).toEqual({ start: on("18:00"), end: on("12:00") + day })
    expect(next("peak", "13:00")).toEqual({ start: -Infinity, end: Infinity })
  })

  it("reads data-first and data-last", () => {
    expect(LoadProfile.levelAt(on("13:00"))(LoadProfile.nanoBanana)).toBe("peak")
    expect(LoadProfile.nextAtMost("low", on("01:00"))(LoadProfile.nanoBanana)?.end).toBe(on("06:00"))
    expect(LoadProfile.isAtMost("low", "medium")).toBe(true)
    expect(LoadProfile.isAtMost("low")("medium")).toBe(false)
  })
})

describe("LoadProfile.make", () => {
  it("never finds a level that no window has", () => {
    const profile = LoadProfile.make({ windows: [{ from: "00:00", to: "06:00", level: "high" }], otherwise: "peak" })
    expect(LoadProfile.nextAtMost(profile, "medium", 0)).toBeUndefined()
  })

  it("gives a window across midnight to the day on which it begins, also from Sunday to Monday", () => {
    const profile = LoadProfile.make({
      windows: [{ from: "22:00", to: "06:00", days: ["friday", "sunday"], level: "low" }],
      otherwise: { level: "high", failureRatio: 0.3 }
    })
    const level = (text: string) => LoadProfile.levelAt(profile, utc(text))
    expect(level("2026-11-27T23:00Z")).toBe("low")
    expect(level("2026-11-28T05:59Z")).toBe("low")
    expect(level("2026-11-28T06:00Z")).toBe("high")
    expect(level("2026-11-28T23:00Z")).toBe("high")
    expect(level("2026-11-30T03:00Z")).toBe("low")
    expect(level("2026-11-27T03:00Z")).toBe("high")
  })

  it("ends a window at midnight whether it is written 24:00 or 00:00", () => {
    for (const to of ["24:00", "00:00"]) {
      const profile = LoadProfile.make({ windows: [{ from: "18:00", to, level: "low" }], otherwise: "peak" })
      expect(LoadProfile.nextAtMost(profile, "low", utc("2026-11-25T12:00Z"))).toEqual({
        start: utc("2026-11-25T18:00Z"),
        end: utc("2026-11-26T00:00Z")
      })
    }
  })

  it("understands groups of days", () => {
    const profile = LoadProfile.make({
      windows: [{ from: "00:00", to: "24:00", days: "weekend", level: "low" }],
      otherwise: "peak"
    })
    expect(LoadProfile.nextAtMost(profile, "low", utc("2026-11-25T12:00Z"))).toEqual({
      start: utc("2026-11-28T00:00Z"),
      end: utc("2026-11-30T00:00Z")
    })
  })

  it("refuses what it cannot use, by the name of the field", () => {
    const refused = (options: unknown) => {
      try {
        LoadProfile.make(options as LoadProfile.Options)
        return "accepted"
      } catch (error) {
        return (error as Error).message
      }
    }
    const window = { from: "01:00", to: "02:00", level: "low" }
    const one = (fields: object) => refused({ windows: [{ ...window, ...fields }], otherwise: "high" })
    expect(refused({ zone: "Mars/Olympus", otherwise: "low" }))
      .toMatch(/"zone" must be an IANA time zone.*"Mars\/Olympus"/)
    expect(refused({ zone: 5, otherwise: "low" })).toMatch(/"zone"/)
    expect(refused({ windows: "all day", otherwise: "low" })).toMatch(/"windows"/)
    expect(one({ from: "25:00" })).toMatch(/"windows\[0\].from" must be a time of day/)
    expect(one({ from: "24:00" })).toMatch(/"windows\[0\].from"/)
    expect(one({ from: "1:00" })).toMatch(/"windows\[0\].from"/)
    expect(one({ to: "02:60" })).toMatch(/"windows\[0\].to"/)
    expect(one({ to: "24:01" })).toMatch(/"windows\[0\].to"/)
    expect(one({ to: "01:00" })).toMatch(/"windows\[0\].to" must be other than "from"/)
    expect(one({ level: "quiet" })).toMatch(/"windows\[0\].level" must be one of low, medium, high, peak/)
    expect(one({ failureRatio: 1.01 })).toMatch(/"windows\[0\].failureRatio" must be a number between 0 and 1/)
    expect(one({ failureRatio: NaN })).toMatch(/"windows\[0\].failureRatio"/)
    expect(one({ days: ["mon"] })).toMatch(/"windows\[0\].days"/)
    expect(one({ days: [] })).toMatch(/"windows\[0\].days"/)
    expect(refused({ windows: [null], otherwise: "low" })).toMatch(/"windows\[0\].level"/)
    expect(refused({ otherwise: "quiet" })).toMatch(/"otherwise.level"/)
    expect(refused({ otherwise: { level: "low", failureRatio: -0.1 } })).toMatch(/"otherwise.failureRatio"/)
    expect(refused({ windows: [window] })).toMatch(/"otherwise" must be given, since no window covers monday 00:00/)
    expect(refused({ windows: [window, { ...window, from: "01:30", to: "03:00", days: "friday" }], otherwise: "low" }))
      .toMatch(/"windows\[1\]" must be clear of windows\[0\].*friday 01:30/)
    const overSunday = [{ ...window, from: "23:00", days: "sunday" }, { ...window, days: "monday" }]
    expect(refused({ windows: overSunday, otherwise: "low" }))
      .toMatch(/"windows\[1\]" must be clear of windows\[0\].*monday 01:00/)
  })

  it("refuses an instant that is none", () => {
    expect(() => LoadProfile.levelAt(LoadProfile.nanoBanana, NaN)).toThrow(/instant/)
  })
})

describe("LoadProfile over changes of the clock", () => {
  const night = (zone: string) =>
    LoadProfile.make({ zone, windows: [{ from: "02:00", to: "03:00", level: "low" }], otherwise: "peak" })

  it("a window that the spring change skips does not occur on that day", () => {
    // New York, 8 March 2026: 01:59 EST is followed by 03:00 EDT.
    expect(LoadProfile.nextAtMost(night("America/New_York"), "low", utc("2026-03-08T05:00Z"))).toEqual({
      start: utc("2026-03-09T06:00Z"),
      end: utc("2026-03-09T07:00Z")
    })
  })

  it("a window over the spring change is shorter in real time, one over the autumn change longer", () => {
    const profile = LoadProfile.make({
      zone: "Europe/Berlin",
      windows: [{ from: "01:00", to: "04:00", level: "low" }],
      otherwise: "peak"
    })
    const length = (text: string) => {
      const found = LoadProfile.nextAtMost(profile, "low", utc(text))!
      return (found.end - found.start) / hour
    }
    expect(length("2026-03-28T22:00Z")).toBe(2)
    expect(length("2026-03-29T22:00Z")).toBe(3)
    expect(length("2026-10-24T22:00Z")).toBe(4)
  })

  it("an hour that the autumn change repeats is one window of two hours", () => {
    // Berlin, 25 October 2026: 02:59 CEST is followed by 02:00 CET.
    expect(LoadProfile.windowAt(night("Europe/Berlin"), utc("2026-10-25T00:30Z"))).toMatchObject({
      start: utc("2026-10-25T00:00Z"),
      end: utc("2026-10-25T02:00Z")
    })
  })

  it("a window that ends inside the repeated hour occurs twice", () => {
    const profile = LoadProfile.make({
      zone: "Europe/Berlin",
      windows: [{ from: "01:30", to: "02:30", level: "low" }],
      otherwise: "peak"
    })
    const first = LoadProfile.nextAtMost(profile, "low", utc("2026-10-24T22:00Z"))!
    expect(first).toEqual({ start: utc("2026-10-24T23:30Z"), end: utc("2026-10-25T00:30Z") })
    expect(LoadProfile.nextAtMost(profile, "low", first.end)).toEqual({
      start: utc("2026-10-25T01:00Z"),
      end: utc("2026-10-25T01:30Z")
    })
  })

  it("a day that a zone left out has no windows", () => {
    // Samoa had no 30 December 2011, a Friday.
    const profile = LoadProfile.make({
      zone: "Pacific/Apia",
      windows: [{ from: "10:00", to: "11:00", days: "friday", level: "low" }],
      otherwise: "peak"
    })
    expect(LoadProfile.nextAtMost(profile, "low", utc("2011-12-28T00:00Z"))?.start).toBe(utc("2012-01-05T20:00Z"))
  })
})

/**
 * The plain reference: what the local clock shows at each minute, read straight from `Intl`, and windows as sets of
 * minutes of the week.
 */
const ranges = [
  ["America/New_York", "2026-03-01"],
  ["America/New_York", "2026-10-25"],
  ["Europe/Berlin", "2026-03-22"],
  ["Europe/Berlin", "2026-10-18"],
  ["Asia/Kolkata", "2026-05-04"],
  ["Asia/Kathmandu", "2026-05-04"],
  ["Australia/Lord_Howe", "2026-03-29"],
  ["Australia/Lord_Howe", "2026-09-27"],
  ["Pacific/Apia", "2011-12-23"],
  ["Pacific/Apia", "2021-03-28"],
  ["Africa/Casablanca", "2026-02-08"],
  ["Africa/Casablanca", "2026-03-15"],
  ["America/Sao_Paulo", "2018-02-11"],
  ["America/Sao_Paulo", "2018-10-28"],
  ["UTC", "2026-03-01"]
] as const
const span = 16 * 24 * 60
const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

const minutesOfWeek = (zone: string, start: number): Int32Array => {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23"
  })
  return Int32Array.from({ length: span }, (_, n) => {
    const shown = Object.fromEntries(format.formatToParts(start + n * minute).map((part) => [part.type, part.value]))
    return weekdays.indexOf(shown["weekday"]!) * 1440 + Number(shown["hour"]) * 60 + Number(shown["minute"])
  })
}

/** Windows between random cuts of the week, so that none overlap. */
const someWindows = FastCheck.record({
  cuts: FastCheck.uniqueArray(
    FastCheck.oneof(
      FastCheck.integer({ min: 0, max: 10_079 }),
      // Sunday nights, where the clock changes.
      FastCheck.integer({ min: 6 * 1440, max: 6 * 1440 + 300 })
    ),
    { minLength: 2, maxLength: 24 }
  ),
  levels: FastCheck.array(FastCheck.constantFrom(...LoadProfile.levels), { minLength: 24, maxLength: 24 }),
  skip: FastCheck.array(FastCheck.boolean(), { minLength: 24, maxLength: 24 })
}).map(({ cuts, levels, skip }) => {
  const clock = (at: number) => {
    const two = (n: number) => String(n).padStart(2, "0")
    return `${two(Math.floor((at % 1440) / 60))}:${two(at % 60)}`
  }
  const days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const
  const sorted = [...cuts].sort((a, b) => a - b)
  const expected = Array.from({ length: 10_080 }, (): LoadProfile.Level => "high")
  const windows: Array<LoadProfile.WindowInput> = []
  sorted.forEach((from, n) => {
    const to = n + 1 < sorted.length ? sorted[n + 1]! : sorted[0]! + 10_080
    if (to - from >= 1440 || skip[n]) return
    const level = levels[n]!
    windows.push({ from: clock(from), to: clock(to), days: days[Math.floor(from / 1440)]!, level })
    for (let at = from; at < to; at++) expected[at % 10_080] = level
  })
  return { windows, expected }
})

describe("LoadProfile against a minute-by-minute reference", () => {
  it.each(ranges)("%s from %s", (zone, from) => {
    const start = utc(`${from}T00:00Z`)
    const shown = minutesOfWeek(zone, start)
    FastCheck.assert(
      FastCheck.property(
        someWindows,
        FastCheck.constantFrom(...LoadProfile.levels.slice(0, 3)),
        FastCheck.integer({ min: 0, max: span - 1 }),
        ({ expected, windows }, limit, n) => {
          const profile = LoadProfile.make({ zone, windows, otherwise: "high" })
          const truth = (k: number) => expected[shown[k]!]!
          const fits = (k: number) => LoadProfile.isAtMost(truth(k), limit)
          for (let k = 0; k < span; k += 7) {
            if (LoadProfile.levelAt(profile, start + k * minute) !== truth(k)) {
              expect.fail(`at ${new Date(start + k * minute).toISOString()} the level must be ${truth(k)}`)
            }
          }
          const found = LoadProfile.nextAtMost(profile, limit, start + n * minute + 59_999)
          let first = n
          while (first < span && !fits(first)) first++
          if (first === span) return
          while (first > 0 && fits(first - 1)) first--
          let last = Math.max(first, n)
          while (last < span && fits(last)) last++
          if (first > 0) expect(found?.start).toBe(start + first * minute)
          if (last < span) expect(found?.end).toBe(start + last * minute)
          const window = LoadProfile.windowAt(profile, start + n * minute)
          expect(window.level).toBe(truth(n))
          expect(window.start).toBeLessThanOrEqual(start + n * minute)
          expect(window.end).toBeGreaterThan(start + n * minute)
        }
      ),
      { numRuns: 25 }
    )
  })
})

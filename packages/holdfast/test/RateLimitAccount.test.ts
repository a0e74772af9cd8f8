/** What a limiter keeps of a key, part by part: its limits read from options, its windows, its account, its lanes. */
import { describe, expect, it } from "@effect/vitest"
import * as CurrentCall from "holdfast/CurrentCall"
import type * as RateLimit from "holdfast/RateLimit"
import * as Account from "../src/internal/rateLimit/account.js"
import { nextMidnight } from "../src/internal/rateLimit/day.js"
import { Lane } from "../src/internal/rateLimit/lane.js"
import { Lanes, overflow } from "../src/internal/rateLimit/lanes.js"
import { metersOf } from "../src/internal/rateLimit/meters.js"
import * as Window from "../src/internal/rateLimit/window.js"
import * as Zone from "../src/internal/time/zone.js"

const utc = Zone.make("UTC")!
const day = 86_400_000

describe("the meters of a limiter", () => {
  const read = ({ mode = "sliding", zone = "UTC", ...options }: RateLimit.MakeOptions) => metersOf({ ...options, mode, zone })
  const only = (options: RateLimit.MakeOptions) => {
    const meters = read(options)
    expect(meters).toHaveLength(1)
    return meters[0]!
  }
  const one = (limit: RateLimit.Limit) => only({ limits: [limit] })
  const call = { ...CurrentCall.none, tokens: 40, tenant: "acme" }
  /** An empty day of UTC. Two zones of one name are different values. */
  const dayOf = (limit: number, margin: number) => {
    const window = Window.calendar(limit, utc, margin)
    return { ...window, zone: { name: "UTC", runAt: expect.any(Function) } }
  }

  it("stand in the order of the state: requests, tokens, the day, then others", () => {
    const meters = read({
      limits: [{ name: "own", limit: 5, window: "1 second" }],
      requestsPerDay: 1000,
      tokensPerMinute: 600,
      requestsPerMinute: 60
    })
    expect(meters.map(({ name }) => name)).toEqual(["requestsPerMinute", "tokensPerMinute", "requestsPerDay", "own"])
    expect(meters.map(({ cost }) => cost(call))).toEqual([1, 40, 1, 1])
    expect(meters.map(({ settled }) => settled)).toEqual([false, true, false, false])
    expect(meters.map(({ window }) => window)).toEqual([
      Window.sliding(60, 61_000),
      Window.sliding(600, 61_000),
      dayOf(1000, 1000),
      Window.sliding(5, 1016)
    ])
  })

  it("the mode is that of requests a minute alone", () => {
    const modes = read({ mode: "spaced", requestsPerMinute: 60, tokensPerMinute: 600, limits: [{ limit: 5, window: 1000 }] })
    expect(modes.map(({ window }) => window._tag)).toEqual(["Spaced", "Sliding", "Sliding"])
  })

  it("a limit counts what it says: requests, tokens, or anything that a call shows", () => {
    const own = one({ limit: 5, window: 1000, counts: ({ tenant }) => tenant.length })
    expect([own.cost(call), own.settled, own.name]).toEqual([4, false, "cost/1s"])
    const tokens = one({ limit: 5, window: "1 hour", counts: "tokens" })
    expect([tokens.cost(call), tokens.settled, tokens.name]).toEqual([40, true, "tokens/1h"])
    expect(one({ limit: 5, window: "1 minute" }).name).toBe("requests/1m")
    expect(one({ limit: 5, window: "calendar day" }).name).toBe("requests/day")
  })

  it("a window is longer than the provider's by its margin: a sixtieth, at most a second, unless given", () => {
    const length = (limit: Omit<RateLimit.Limit, "limit">) => one({ limit: 5, ...limit }).window
    expect(length({ window: 6000 })).toEqual(Window.sliding(5, 6100))
    expect(length({ window: 119 })).toEqual(Window.sliding(5, 120))
    expect(length({ window: "1 hour" })).toEqual(Window.sliding(5, 3_601_000))
    expect(length({ window: "1 hour", margin: 0 })).toEqual(Window.sliding(5, 3_600_000))
    expect(length({ window: "calendar day" })).toEqual(dayOf(5, 1000))
    expect(length({ window: "calendar day", margin: "5 seconds" })).toEqual(dayOf(5, 5000))
  })

  it("a spaced one spreads its limit over the window, without a margin", () => {
    expect(one({ limit: 6, window: "1 minute", mode: "spaced" }).window).toEqual(Window.spaced(6, 10_000))
  })

  it("a bucket gives back over the window what its burst leaves, and one more where each start costs one", () => {
    const bucket = (limit: Partial<RateLimit.Limit>) =>
      one({ limit: 60, window: "1 minute", mode: "bucket", margin: 0, ...limit }).window
    expect(bucket({})).toEqual(Window.bucket(60, 6, 55 / 60_000))
    expect(bucket({ limit: 15 })).toEqual(Window.bucket(15, 1, 15 / 60_000))
    expect(bucket({ limit: 5 })).toEqual(Window.bucket(5, 1, 5 / 60_000))
    expect(bucket({ burst: 60 })).toEqual(Window.bucket(60, 60, 1 / 60_000))
    expect(bucket({ burst: 10, margin: "30 seconds" })).toEqual(Window.bucket(60, 10, 51 / 90_000))
    expect(bucket({ burst: 59, counts: "tokens" })).toEqual(Window.bucket(60, 59, 1 / 60_000))
    expect(() => bucket({ burst: 60, counts: "tokens" })).toThrow(/"burst" must be less than the limit of 60/)
    expect(() => bucket({ burst: 61 })).toThrow(/RateLimit.make: "burst" must be a number between 1 and 60/)
    expect(() => bucket({ burst: 0 })).toThrow(/"burst"/)
  })

  it("a day is that of the limit's own zone, or else of the policy's", () => {
    const zoneOf = (options: RateLimit.MakeOptions) => {
      const { window } = only(options)
      return window._tag === "Calendar" ? window.zone.name : window._tag
    }
    expect(zoneOf({ requestsPerDay: 5, zone: "Asia/Tokyo" })).toBe("Asia/Tokyo")
    expect(zoneOf({ limits: [{ limit: 5, window: "calendar day" }], zone: "Asia/Tokyo" })).toBe("Asia/Tokyo")
    expect(zoneOf({ limits: [{ limit: 5, window: "calendar day", zone: "Europe/Paris" }], zone: "Asia/Tokyo" })).toBe("Europe/Paris")
  })

  it("refuses by name what makes no limit", () => {
    const refused = (options: RateLimit.MakeOptions, message: string) => expect(() => read(options)).toThrow(message)
    refused({}, "RateLimit.make: give at least one of \"requestsPerMinute\", \"tokensPerMinute\", \"requestsPerDay\" and \"limits\"")
    refused({ limits: [] }, "give at least one of")
    refused({ requestsPerMinute: 0 }, "RateLimit.make: \"requestsPerMinute\" must be a number of at least 1, not 0")
    refused({ tokensPerMinute: 0.5 }, "\"tokensPerMinute\"")
    refused({ requestsPerDay: NaN }, "\"requestsPerDay\"")
    refused({ requestsPerMinute: 1, limits: [{ limit: 1, window: 1000 }, { limit: 0, window: 1000 }] }, "\"limits[1].limit\"")
    refused({ limits: [{ limit: 1, window: 0.5 }] }, "RateLimit.make: \"window\" must be a duration of at least 1 ms")
    refused({ limits: [{ limit: 1, window: 1000, margin: -1 }] }, "\"margin\"")
    refused({ limits: [{ limit: 1, window: 1000, mode: "leaky" as "bucket" }] }, "\"mode\" must be one of sliding, bucket, spaced")
    refused({ requestsPerDay: 1, zone: "Mars/Olympus" }, "RateLimit.make: \"zone\" must be the IANA name of a time zone, not Mars/Olympus")
  })
})

describe("the end of a day", () => {
  const end = (name: string, text: string) => new Date(nextMidnight(Zone.make(name)!, Date.parse(text))).toISOString()

  it("is the next midnight of the zone, after the instant itself", () => {
    expect(end("UTC", "2026-03-01T00:00Z")).toBe("2026-03-02T00:00:00.000Z")
    expect(end("UTC", "2026-03-01T23:59:59.999Z")).toBe("2026-03-02T00:00:00.000Z")
    expect(end("America/Los_Angeles", "2026-01-15T07:59Z")).toBe("2026-01-15T08:00:00.000Z")
    expect(end("America/Los_Angeles", "2026-01-15T08:00Z")).toBe("2026-01-16T08:00:00.000Z")
    expect(end("Asia/Kathmandu", "2026-01-15T18:14Z")).toBe("2026-01-15T18:15:00.000Z")
  })

  it("moves with a change of the clock between now and then", () => {
    expect(end("America/Los_Angeles", "2026-03-08T09:00Z")).toBe("2026-03-09T07:00:00.000Z")
    expect(end("America/Los_Angeles", "2026-11-01T08:00Z")).toBe("2026-11-02T08:00:00.000Z")
  })

  it("is the change itself where that skips midnight, and the first of two where it comes twice", () => {
    // Cairo, 26 April 2024: 23:59 was followed by 01:00. Havana, 1 November 2026: 00:59 is followed by 00:00.
    expect(end("Africa/Cairo", "2024-04-25T12:00Z")).toBe("2024-04-25T22:00:00.000Z")
    expect(end("America/Havana", "2026-10-31T12:00Z")).toBe("2026-11-01T04:00:00.000Z")
    expect(end("America/Havana", "2026-11-01T04:30Z")).toBe("2026-11-02T05:00:00.000Z")
    // Samoa had no 30 December 2011.
    expect(end("Pacific/Apia", "2011-12-29T20:00Z")).toBe("2011-12-30T10:00:00.000Z")
  })
})

describe("a window, step by step", () => {
  const start = 5 * day
  const all = [Window.sliding(10, 1000), Window.bucket(10, 4, 0.01), Window.spaced(10, 100), Window.calendar(10, utc, 0)]
  const times = (windows: ReadonlyArray<Window.Window>, cost: number, now: number) =>
    windows.map((window) => Window.earliest(window, cost, now))
  const used = (windows: ReadonlyArray<Window.Window>, now: number) => windows.map((window) => Window.used(window, now))

  it("a new one is empty, and takes its whole limit at once, or a burst, or one after the other", () => {
    expect(all.map(Window.largest)).toEqual([10, 4, 10, 10])
    expect(used(all, start)).toEqual([0, 0, 0, 0])
    expect(times(all, 4, start)).toEqual([start, start, start, start])
    expect([Window.earliest(all[0]!, 10, start), Window.earliest(all[3]!, 10, start)]).toEqual([start, start])
  })

  it("what costs nothing fits always and changes nothing", () => {
    const full = all.map((window) => Window.spend(window, 25, start))
    expect(times(full, 0, start)).toEqual([start, start, start, start])
    for (const window of full) {
      expect(Window.spend(window, 0, start)).toBe(window)
      expect(Window.hold(window, 0)).toBe(window)
      expect(Window.letGo(window, 0)).toBe(window)
      expect(Window.refund(window, 0, start, start)).toBe(window)
    }
  })

  it("what is spent comes back: by its age, bit by bit, by distance, at midnight", () => {
    const spent = all.map((window) => Window.spend(window, 4, start + 100))
    expect(used(spent, start + 100)).toEqual([4, 4, 4, 4])
    expect(times(spent, 7, start + 200).filter((_, index) => index !== 1)).toEqual([start + 1100, start + 500, start + day])
    expect(Window.earliest(spent[1]!, 4, start + 200)).toBe(start + 500)
    expect(used(spent, start + 300)).toEqual([4, 2, 2, 4])
    expect(used(spent, start + 1099)).toEqual([4, 0, 0, 4])
    expect(used(spent, start + 1100)).toEqual([0, 0, 0, 4])
    expect(used(spent, start + day)).toEqual([0, 0, 0, 0])
  })

  it("until a spaced one is free again, at least one is used", () => {
    const spaced = Window.spend(Window.spaced(10, 100), 1, start)
    expect([0, 50, 99, 100].map((later) => Window.used(spaced, start + later))).toEqual([1, 1, 1, 0])
  })

  it("what is granted counts as if it started now, until it starts or is let go", () => {
    const held = all.map((window) => Window.hold(window, 3))
    expect(used(held, start)).toEqual([3, 3, 3, 3])
    // Nobody knows when it will start: these times are lower bounds.
    expect(Window.earliest(held[0]!, 7, start)).toBe(start)
    expect(Window.earliest(held[0]!, 8, start)).toBe(start + 1000)
    expect(Window.earliest(held[1]!, 1, start)).toBe(start)
    expect(Window.earliest(held[1]!, 2, start)).toBe(start + 100)
    expect(Window.earliest(held[2]!, 1, start)).toBe(start + 300)
    expect([Window.earliest(held[3]!, 7, start), Window.earliest(held[3]!, 8, start)]).toEqual([start, start + day])
    expect(used(held.map((window) => Window.letGo(window, 2)), start)).toEqual([1, 1, 1, 1])
    // What is left of a sum of fractions is no cost.
    const fractions = Window.hold(Window.hold(all[0]!, 0.1), 0.2)
    expect(Window.letGo(fractions, 0.3).held).toBe(0)
  })

  it("a sliding one lets go of the oldest first, as many as are needed", () => {
    let window = Window.sliding(10, 1000)
    for (const [at, cost] of [[0, 2], [100, 3], [250, 5]] as const) window = Window.spend(window, cost, start + at)
    expect([1, 2, 3, 5, 6, 10].map((cost) => Window.earliest(window, cost, start + 300) - start))
      .toEqual([1000, 1000, 1100, 1100, 1250, 1250])
    expect(Window.used(window, start + 1050)).toBe(8)
    expect(Window.earliest(Window.spend(window, 2, start + 1000), 5, start + 1000)).toBe(start + 1250)
  })

  it("starts at one instant are one entry, and an earlier one that is told later goes before it", () => {
    let window = Window.sliding(10, 1000)
    for (const [at, cost] of [[200, 1], [200, 2], [100, 1], [300, 1], [200, 1], [150, 1]] as const) {
      window = Window.spend(window, cost, start + at)
    }
    expect(window._tag === "Sliding" && window.spent.map(({ at, cost }) => [at - start, cost]))
      .toEqual([[100, 1], [150, 1], [200, 4], [300, 1]])
  })

  it("beyond five hundred entries starts of one moment are counted together, as the latest of them", () => {
    let window = Window.sliding(10_000, 10_000)
    for (let at = 0; at < 600; at++) window = Window.spend(window, 1, start + at)
    const entries = window._tag === "Sliding" ? window.spent.map(({ at, cost }) => [at - start, cost]) : []
    // A moment is a five-hundredth of the window: less than 20 ms after the entry before.
    const apart = Array.from({ length: 499 }, (_, at) => [at, 1])
    expect(entries).toEqual([...apart, [517, 19], [536, 19], [555, 19], [574, 19], [593, 19], [599, 6]])
    // None leaves before its time.
    expect([498, 516, 517].map((at) => Window.used(window, start + 10_000 + at))).toEqual([101, 101, 82])
    // What comes later than that stands apart.
    const later = Window.spend(window, 1, start + 700)
    expect(later._tag === "Sliding" && later.spent.at(-1)).toEqual({ at: start + 700, cost: 1 })
  })

  it("a clock that is set back gives nothing back, and takes nothing either", () => {
    for (const window of all) {
      const spent = Window.spend(window, 4, start)
      expect(Window.at(spent, start - 500)).toBe(spent)
      expect(Window.used(spent, start - 500)).toBeGreaterThanOrEqual(4)
    }
  })

  it("a bucket fills up to its burst and no further, and a debt is paid off first", () => {
    const bucket = Window.spend(Window.bucket(10, 4, 0.01), 6, start)
    expect(Window.used(bucket, start)).toBe(6)
    expect([1, 2, 4].map((cost) => Window.earliest(bucket, cost, start) - start)).toEqual([300, 400, 600])
    expect(Window.used(bucket, start + 10_000)).toBe(0)
    expect(Window.earliest(Window.spend(bucket, 4, start + 10_000), 1, start + 10_000)).toBe(start + 10_100)
    // A fraction of a millisecond is waited for in full.
    const third = Window.spend(Window.bucket(10, 1, 1 / 300), 1, start)
    expect(Window.earliest(third, 1, start)).toBe(start + 300)
    expect(Window.earliest(Window.spend(Window.bucket(10, 1, 0.3), 1, start), 1, start)).toBe(start + 4)
  })

  it("a spaced one counts its distance from the later of now and the last turn", () => {
    const spaced = Window.spend(Window.spend(Window.spaced(10, 100), 1, start), 2, start + 20)
    expect(Window.earliest(spaced, 1, start + 20)).toBe(start + 300)
    expect(Window.earliest(Window.spend(spaced, 1, start + 1000), 1, start + 1000)).toBe(start + 1100)
    expect(Window.earliest(Window.spend(Window.spaced(3, 100 / 3), 1, start), 1, start)).toBe(start + 34)
  })

  it("a day ends a margin after midnight", () => {
    const calendar = Window.spend(Window.calendar(10, utc, 5000), 8, start + 4000)
    expect(Window.earliest(calendar, 2, start + 4000)).toBe(start + 4000)
    // Still yesterday's: it is over in a second.
    expect(Window.earliest(calendar, 3, start + 4000)).toBe(start + 5000)
    expect(Window.used(calendar, start + 4999)).toBe(8)
    expect(Window.used(calendar, start + 5000)).toBe(0)
    expect(Window.earliest(Window.spend(calendar, 10, start + 5000), 1, start + 5000)).toBe(start + day + 5000)
  })

  describe("a refund", () => {
    it("gives back as much as the window still counts", () => {
      const spent = all.map((window) => Window.spend(window, 4, start))
      const back = spent.map((window) => Window.refund(window, 3, start, start))
      expect(used(back, start)).toEqual([1, 1, 4, 1])
      expect(used(spent.map((window) => Window.refund(window, 4, start, start)), start)).toEqual([0, 0, 0, 0])
      expect(Window.used(Window.refund(spent[1]!, 9, start, start), start)).toBe(0)
      expect(Window.used(Window.refund(spent[3]!, 9, start, start), start)).toBe(0)
    })

    it("goes to the start that it belongs to, or to the one that it was counted together with", () => {
      let window = Window.sliding(10, 1000)
      for (const at of [0, 100, 200]) window = Window.spend(window, 2, start + at)
      const spent = (cost: number, when: number, now: number) => {
        const back = Window.refund(window, cost, start + when, start + now)
        return back._tag === "Sliding" && back.spent.map(({ at, cost }) => [at - start, cost])
      }
      expect(spent(1, 100, 300)).toEqual([[0, 2], [100, 1], [200, 2]])
      expect(spent(2, 100, 300)).toEqual([[0, 2], [200, 2]])
      expect(spent(1, 150, 300)).toEqual([[0, 2], [100, 2], [200, 1]])
      expect(spent(1, 250, 300)).toEqual([[0, 2], [100, 2], [200, 2]])
      // Its start has left the window: what stands at the front now is somebody else's.
      expect(spent(1, 0, 999)).toEqual([[0, 1], [100, 2], [200, 2]])
      expect(spent(1, 0, 1000)).toEqual([[100, 2], [200, 2]])
    })

    it("gives a spaced turn back as long as nobody has started since", () => {
      const first = Window.spend(Window.spaced(10, 100), 2, start)
      expect(Window.earliest(Window.refund(first, 2, start, start + 10), 1, start + 10)).toBe(start + 10)
      const second = Window.spend(first, 1, start + 200)
      expect(Window.refund(second, 2, start, start + 210)).toEqual(second)
    })

    it("does not reach into another day", () => {
      const today = Window.spend(Window.calendar(10, utc, 0), 4, start)
      expect(Window.used(Window.refund(today, 3, start - 1, start), start)).toBe(4)
      expect(Window.used(Window.refund(today, 3, start + 1, start + 2), start + 2)).toBe(1)
    })
  })
})

describe("the account of a key", () => {
  const account = Account.make([Window.sliding(10, 1000), Window.spaced(2, 100)])
  const usedBy = (self: Account.Account, now: number) => self.windows.map((window) => Window.used(window, now))

  it("names the first window in which a cost can never fit", () => {
    expect([[10, 2], [10, 3], [11, 3], [1, 1]].map((costs) => Account.impossible(account, costs))).toEqual([-1, 1, 0, -1])
  })

  it("waits for the last of its windows, and for the provider", () => {
    const spent = Account.spend(account, [10, 1], 5000)
    expect(Account.earliest(spent, [1, 1], 5000)).toBe(6000)
    expect(Account.earliest(spent, [0, 1], 5000)).toBe(5100)
    expect(Account.earliest(spent, [0, 0], 5000)).toBe(5000)
    expect(Account.earliest(Account.drain(spent, 7000.5, "RateLimited"), [0, 0], 5000)).toBe(7001)
    expect(Account.earliest(Account.drain(spent, 4000, "RateLimited"), [0, 0], 5000)).toBe(5000)
  })

  it("grants, takes back, spends and gives back window by window", () => {
    const held = Account.hold(account, [3, 1])
    expect(held.windows.map((window) => window.held)).toEqual([3, 1])
    expect(Account.letGo(held, [3, 1])).toEqual(account)
    const spent = Account.spend(account, [3, 1], 5000)
    expect(usedBy(spent, 5000)).toEqual([3, 1])
    expect(usedBy(Account.refund(spent, [3, 1], 5000, 5050), 5050)).toEqual([0, 0])
  })

  it("settles: less comes back where it was spent, more is spent now", () => {
    const spent = Account.spend(account, [3, 1], 5000)
    const less = Account.settle(spent, [3, 1], [1, 1], 5000, 5500)
    expect([usedBy(less, 5500)[0], usedBy(less, 6000)[0]]).toEqual([1, 0])
    const more = Account.settle(spent, [3, 1], [5, 1], 5000, 5500)
    expect([usedBy(more, 5500)[0], usedBy(more, 6000)[0], usedBy(more, 6500)[0]]).toEqual([5, 2, 0])
    expect(Account.settle(spent, [3, 1], [3, 1], 5000, 5500)).toEqual(spent)
  })

  it("keeps the later of two answers of the provider, and who gave it, until it is lifted", () => {
    const drained = Account.drain(account, 7000, "QuotaExhausted")
    expect([drained.drainedUntil, drained.drainedBy]).toEqual([7000, "QuotaExhausted"])
    expect(Account.drain(drained, 6000, "RateLimited")).toBe(drained)
    expect(Account.drain(drained, 7000, "RateLimited")).toBe(drained)
    expect(Account.drain(drained, 7001, "RateLimited").drainedBy).toBe("RateLimited")
    expect(Account.lift(drained)).toEqual(account)
  })

  it("tells the end of the day where it counts days, of the last one where it counts in several zones", () => {
    expect(Account.daysEnd(account, 5 * day)).toBeUndefined()
    const tokyo = Zone.make("Asia/Tokyo")!
    const days = Account.make([Window.calendar(5, utc, 1000), Window.calendar(5, tokyo, 1000), Window.sliding(5, 1000)])
    expect(Account.daysEnd(days, 5 * day + 2000)).toBe(6 * day + 1000)
    expect(Account.daysEnd(days, 5 * day + 16 * 3_600_000)).toBe(6 * day + 15 * 3_600_000 + 1000)
  })

  it("is empty once it says no more than a new one", () => {
    expect(Account.isEmpty(account, 5000)).toBe(true)
    expect(Account.isEmpty(Account.hold(account, [1, 0]), 5000)).toBe(false)
    const spent = Account.spend(account, [1, 0], 5000)
    expect([5000, 5999, 6000].map((now) => Account.isEmpty(spent, now))).toEqual([false, false, true])
    const drained = Account.drain(account, 7000, "RateLimited")
    expect([6999, 7000].map((now) => Account.isEmpty(drained, now))).toEqual([false, true])
    // What was spent of a fraction too small to be a cost is nothing.
    expect(Account.isEmpty(Account.spend(account, [1e-7, 0], 5000), 5000)).toBe(true)
  })
})

describe("the lanes of a limiter", () => {
  const makeLanes = (maxKeys: number) => new Lanes(() => new Lane(Account.make([Window.sliding(10, 1000)]), 5), maxKeys)
  const keys = (lanes: Lanes) => lanes.all().map(([key]) => key)

  it("are one a key", () => {
    const lanes = makeLanes(3)
    const lane = lanes.of("a", 0)
    lane.drain(10, "RateLimited", 0)
    expect(lanes.of("b", 0)).not.toBe(lane)
    expect(lanes.of("a", 0)).toBe(lane)
    expect(lanes.all()[0]).toEqual(["a", lane])
  })

  it("share one beyond the bound, while the others have something to tell", () => {
    const lanes = makeLanes(2)
    for (const key of ["a", "b"]) lanes.of(key, 0).drain(1000, "RateLimited", 0)
    const shared = lanes.of("c", 0)
    shared.drain(1000, "RateLimited", 0)
    expect(lanes.of("d", 0)).toBe(shared)
    expect(keys(lanes)).toEqual(["a", "b", overflow])
  })

  it("are forgotten when they have nothing to tell and room is wanted", () => {
    const lanes = makeLanes(2)
    lanes.of("a", 0).drain(1000, "RateLimited", 0)
    lanes.of("b", 0)
    lanes.of("c", 0)
    expect(keys(lanes)).toEqual(["a", "c"])
    lanes.of("d", 1000)
    expect(keys(lanes)).toEqual(["d"])
  })
})

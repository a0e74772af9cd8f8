/** The limits of a limiter, read from its options and checked: what each counts, and in which window. */
import * as Duration from "effect/Duration"
import type { Call } from "../../CurrentCall.js"
import type { Limit, MakeOptions, Mode } from "../../RateLimit.js"
import * as Options from "../options.js"
import * as Zone from "../time/zone.js"
import * as Window from "./window.js"

/** What a limit counts, and the empty window that it counts in. */
export interface Meter {
  readonly name: string
  readonly cost: (call: Call) => number
  /** Is its cost an estimate that the end of the call puts right? */
  readonly settled: boolean
  readonly window: Window.Window
}

/** The modes by name. */
export const modes: ReadonlyArray<Mode> = ["sliding", "bucket", "spaced"]

const owner = "RateLimit.make"
const calendarDay = "calendar day"

/** The meters of a limiter; refuses options that make none. */
export const metersOf = (
  options: MakeOptions & { readonly mode: Mode; readonly zone: string }
): ReadonlyArray<Meter> => {
  const { limits = [], mode, requestsPerDay, requestsPerMinute, tokensPerMinute, zone } = options
  const meter = (field: string, limit: Limit) => meterOf(field, { ...limit, zone: limit.zone ?? zone })
  const meters = [
    ...(requestsPerMinute === undefined ? [] : [
      meter("requestsPerMinute", { name: "requestsPerMinute", limit: requestsPerMinute, window: "1 minute", mode })
    ]),
    ...(tokensPerMinute === undefined ? [] : [
      meter("tokensPerMinute", { name: "tokensPerMinute", limit: tokensPerMinute, window: "1 minute", counts: "tokens" })
    ]),
    ...(requestsPerDay === undefined ? [] : [
      meter("requestsPerDay", { name: "requestsPerDay", limit: requestsPerDay, window: calendarDay })
    ]),
    ...limits.map((limit, index) => meter(`limits[${index}].limit`, limit))
  ]
  if (meters.length > 0) return meters
  throw new RangeError(
    `${owner}: give at least one of "requestsPerMinute", "tokensPerMinute", "requestsPerDay" and "limits"`
  )
}

const meterOf = (field: string, options: Limit & { readonly zone: string }): Meter => {
  const { counts = "requests" } = options
  const limit = Options.number(owner, field, options.limit, 0, { min: 1 })
  const what = typeof counts === "string" ? counts : "cost"
  const calendar = options.window === calendarDay
  const length = calendar
    ? 86_400_000
    : Options.millis(owner, "window", options.window, 0, { min: 1 })
  const span = calendar ? "day" : Duration.format(Duration.millis(length))
  const margin = Options.millis(owner, "margin", options.margin, Math.min(1000, Math.floor(length / 60)))
  return {
    name: options.name ?? `${what}/${span}`,
    cost: counts === "requests" ? () => 1 : counts === "tokens" ? (call) => call.tokens : counts,
    settled: counts === "tokens",
    window: calendar
      ? Window.calendar(limit, zoneOf(options.zone), margin)
      : windowOf(options, limit, length, margin, counts === "requests")
  }
}

const zoneOf = (name: string): Zone.Zone => {
  const zone = Zone.make(name)
  if (zone === undefined) throw new RangeError(`${owner}: "zone" must be the IANA name of a time zone, not ${name}`)
  return zone
}

const windowOf = (options: Limit, limit: number, length: number, margin: number, whole: boolean): Window.Window => {
  switch (Options.oneOf(owner, "mode", options.mode, "sliding", modes)) {
    case "sliding":
      return Window.sliding(limit, length + margin)
    case "spaced":
      return Window.spaced(limit, length / limit)
    case "bucket": {
      const tenth = Math.max(1, Math.floor(limit / 10))
      const burst = Options.number(owner, "burst", options.burst, tenth, { min: 1, max: limit })
      // Any stretch of the window sees the burst and what comes back during it. Where each start costs one, the start
      // that finds the bucket just refilled falls outside, so one more may come back.
      const refill = limit - burst + (whole ? 1 : 0)
      if (refill > 0) return Window.bucket(limit, burst, refill / (length + margin))
      throw new RangeError(`${owner}: "burst" must be less than the limit of ${limit}, or nothing would ever come back`)
    }
  }
}

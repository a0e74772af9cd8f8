/**
 * The load to expect by time of day and day of week: what `OffPeak` waits for.
 *
 * A profile is a plain value: windows on the local clock of a time zone, each with a level and an expected failure
 * ratio. Windows follow the wall clock. One that a spring change skips does not occur on that day, one that an autumn
 * change repeats lasts twice as long, and all answers are in real time. `learned` makes a profile from the outcomes of
 * one's own calls.
 *
 * Not a live signal: it says what is usual at an hour, not what happens now. Breakers, admission control and the
 * status feeds do that.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as GenerationError from "./GenerationError.js"
import * as Check from "./internal/options.js"
import * as Counts from "./internal/time/counts.js"
import * as Week from "./internal/time/week.js"
import * as Windows from "./internal/time/windows.js"
import * as Zone from "./internal/time/zone.js"

export const TypeId: unique symbol = Symbol.for("@holdfast/LoadProfile")
export type TypeId = typeof TypeId

export const LearnedTypeId: unique symbol = Symbol.for("@holdfast/LoadProfile/Learned")
export type LearnedTypeId = typeof LearnedTypeId

/** How loaded the provider is expected to be, lowest first: `low`, `medium`, `high`, `peak`. */
export type Level = Windows.Level

/** The levels, lowest first. */
export const levels: ReadonlyArray<Level> = Windows.levels

/** A day on which a window begins. */
export type Day = Windows.Day

/** What to expect at a time: the level, and the share of calls that fail for want of capacity, in [0, 1]. */
export interface Expectation extends Windows.Expectation {}

/** A window on the local clock, complete. */
export interface Window extends Windows.Window {}

/** A window as it is given to `make`. */
export interface WindowInput {
  /** Local time at which it begins, `"00:00"` to `"23:59"`. */
  readonly from: string
  /** Local time at which it ends, up to `"24:00"`. Before `from` it lies on the next day. */
  readonly to: string
  /** The days on which it begins: names, or `"weekdays"`, `"weekend"`, `"every day"`. Default every day. */
  readonly days?: ReadonlyArray<Day> | Day | Windows.DayGroup | undefined
  readonly level: Level
  /** Share of calls expected to fail for want of capacity, in [0, 1]. Default by level: see `defaults`. */
  readonly failureRatio?: number | undefined
}

/** Expected load over the week. */
export interface LoadProfile {
  readonly [TypeId]: Week.Week<Expectation>
  /** The IANA name of the time zone. */
  readonly zone: string
  readonly windows: ReadonlyArray<Window>
  /** What holds outside of the windows; `undefined` when they cover the week. */
  readonly otherwise: Expectation | undefined
}

/** A stretch of real time, in milliseconds since the epoch, end-exclusive. Infinite where nothing ever changes. */
export interface Stretch extends Week.Stretch {}

/** What `make` takes. */
export interface Options {
  /** IANA name of the time zone in which the windows are written. Default `"UTC"`. */
  readonly zone?: string | undefined
  /** Windows that do not overlap. Default none. */
  readonly windows?: ReadonlyArray<WindowInput> | undefined
  /** What holds outside of the windows. May be left out when they cover the whole week. */
  readonly otherwise?: Level | { readonly level: Level; readonly failureRatio?: number | undefined } | undefined
}

/** Failure ratios from which on an hour counts as `medium`, `high` or `peak`; below all it is `low`. */
export interface Thresholds {
  readonly medium: number
  readonly high: number
  readonly peak: number
}

/** The defaults, as the docs tables state them. */
export const defaults = {
  zone: "UTC",
  /** Failure ratio of a level when a window states none. */
  failureRatio: { low: 0.04, medium: 0.12, high: 0.28, peak: 0.45 },
  halfLife: "10 days",
  priorWeight: 10,
  thresholds: { medium: 0.08, high: 0.2, peak: 0.4 }
} as const

export const isLoadProfile = (u: unknown): u is LoadProfile => Predicate.hasProperty(u, TypeId)

const zoneOf = (owner: string, name: string): Zone.Zone =>
  (typeof name === "string" ? Zone.make(name) : undefined) ??
    Windows.refuse(owner, "zone", `an IANA time zone such as "Europe/Berlin"`, name)

/** A profile from windows on the clock of a time zone. Refuses by name what it cannot use. */
export const make = (options: Options): LoadProfile => {
  const owner = "LoadProfile.make"
  const zone = zoneOf(owner, options.zone ?? defaults.zone)
  const given = options.windows ?? []
  const isList: boolean = Array.isArray(given)
  if (!isList) return Windows.refuse(owner, "windows", "a list of windows", given)
  const windows = given.map((window, index) =>
    Windows.parseWindow(owner, `windows[${index}]`, window, defaults.failureRatio)
  )
  const rest = typeof options.otherwise === "string" ? { level: options.otherwise } : options.otherwise
  const otherwise = rest && Windows.parseExpectation(owner, "otherwise.", rest, defaults.failureRatio)
  return { [TypeId]: { zone, slots: Windows.layOut(owner, windows, otherwise) }, zone: zone.name, windows, otherwise }
}

/**
 * The daily load of Gemini image models ("Nano Banana"), in UTC: 00-06 low, 06-12 medium, 12-18 peak, 18-24 high.
 *
 * The hours and two ratios, up to 45 % of calls refused with 503 at peak and under 8 % off-peak, are what users and
 * resellers of the model reported in its first months, not figures of the provider; the ratios of `medium` and `high`
 * lie between them by our own judgement. `learned` replaces all of them by what one's own calls meet.
 */
export const nanoBanana: LoadProfile = make({
  zone: "UTC",
  windows: [
    { from: "00:00", to: "06:00", level: "low" },
    { from: "06:00", to: "12:00", level: "medium" },
    { from: "12:00", to: "18:00", level: "peak" },
    { from: "18:00", to: "24:00", level: "high" }
  ]
})

/** Is a level at or under another? */
export const isAtMost: {
  (limit: Level): (level: Level) => boolean
  (level: Level, limit: Level): boolean
} = dual(2, (level: Level, limit: Level) => levels.indexOf(level) <= levels.indexOf(limit))

/** What to expect at an instant, in milliseconds since the epoch. */
export const expectationAt: {
  (millis: number): (self: LoadProfile) => Expectation
  (self: LoadProfile, millis: number): Expectation
} = dual(2, (self: LoadProfile, millis: number) => Week.valueAt(self[TypeId], millis))

/** The level at an instant, in milliseconds since the epoch. */
export const levelAt: {
  (millis: number): (self: LoadProfile) => Level
  (self: LoadProfile, millis: number): Level
} = dual(2, (self: LoadProfile, millis: number) => expectationAt(self, millis).level)

/** The share of calls expected to fail for want of capacity at an instant, in [0, 1]. */
export const failureRatioAt: {
  (millis: number): (self: LoadProfile) => number
  (self: LoadProfile, millis: number): number
} = dual(2, (self: LoadProfile, millis: number) => expectationAt(self, millis).failureRatio)

/** The window around an instant in real time, or the stretch between two windows, with what to expect there. */
export const windowAt: {
  (millis: number): (self: LoadProfile) => Stretch & Expectation
  (self: LoadProfile, millis: number): Stretch & Expectation
} = dual(2, (self: LoadProfile, millis: number): Stretch & Expectation => {
  const value = expectationAt(self, millis)
  const stretch = Week.nextWhere(self[TypeId], millis, (other) => other === value)
  return { start: millis, end: millis, ...stretch, level: value.level, failureRatio: value.failureRatio }
})

/**
 * The stretch at or under a level that holds the instant, or else the next one; `undefined` when there is none. Windows
 * that touch are one stretch, so its level may vary up to the limit. A present stretch starts before the instant.
 */
export const nextAtMost: {
  (level: Level, millis: number): (self: LoadProfile) => Stretch | undefined
  (self: LoadProfile, level: Level, millis: number): Stretch | undefined
} = dual(3, (self: LoadProfile, level: Level, millis: number): Stretch | undefined =>
  Week.nextWhere(self[TypeId], millis, (value) => isAtMost(value.level, level)))

/**
 * What an attempt teaches. `capacity`: the provider had no capacity, or not for us. Everything else than these two
 * says nothing about load and is not recorded.
 */
export type Outcome = "success" | "capacity"

/** The reason that marks a fault as made on purpose (`GenerationError.isInjected`): it teaches nothing. */
export const injectedReason = GenerationError.injectedReason

/** What an exit teaches: nothing if it was interrupted, died, failed for another reason, or failed on purpose. */
export const outcomeOf = (exit: Exit.Exit<unknown, unknown>): Outcome | undefined => {
  if (Exit.isSuccess(exit)) return "success"
  if (Cause.isInterrupted(exit.cause)) return undefined
  const error = Option.getOrUndefined(Cause.failureOption(exit.cause))
  return GenerationError.isCapacity(error) && !GenerationError.isInjected(error) ? "capacity" : undefined
}

/** What a learner stores: plain JSON, with a version. */
export interface Saved extends Counts.Saved {}

/** Options of `learned`. */
export interface LearnedOptions {
  /** Time zone of the hours. Default that of `prior`. */
  readonly zone?: string | undefined
  /** What to expect before anything was seen. Default `nanoBanana`. */
  readonly prior?: LoadProfile | undefined
  /** How many outcomes of an hour the prior is worth. Default 10; at least 0.001. */
  readonly priorWeight?: number | undefined
  /** Time after which an outcome counts half. Default 10 days; between 1 hour and 100 years. */
  readonly halfLife?: Duration.DurationInput | undefined
  /** Which ratios make which level. Default 0.08, 0.2, 0.4; rising, in [0, 1]. */
  readonly thresholds?: Partial<Thresholds> | undefined
}

/** A profile that learns from the outcomes of attempts. */
export interface Learned {
  readonly [LearnedTypeId]: LearnedTypeId
  readonly zone: string
  /**
   * Takes in the outcome of an attempt, or its exit (see `outcomeOf`). `at` is when the attempt started, in
   * milliseconds since the epoch; default now. Outcomes may come out of order.
   */
  readonly record: (outcome: Outcome | Exit.Exit<unknown, unknown>, at?: number) => Effect.Effect<void>
  /** The profile as it is known now: one window for each hour of the week. */
  readonly profile: Effect.Effect<LoadProfile>
  /** The expected failure ratio in the hour of the week around an instant, in [0, 1]. */
  readonly ratioAt: (millis: number) => Effect.Effect<number>
  /** What was learned, as plain JSON data. */
  readonly save: Effect.Effect<Saved>
  /** Replaces what was learned by saved data; fails by the name of the field if it is not such data. */
  readonly restore: (data: unknown) => Effect.Effect<void, Cause.IllegalArgumentException>
}

export const isLearned = (u: unknown): u is Learned => Predicate.hasProperty(u, LearnedTypeId)

const thresholdsOf = (owner: string, input: Partial<Thresholds> = {}): Thresholds => {
  const read = (field: keyof Thresholds, min: number) => {
    const fallback = Math.max(min, defaults.thresholds[field])
    return Check.number(owner, `thresholds.${field}`, input[field], fallback, { min, max: 1 })
  }
  const medium = read("medium", 0)
  const high = read("high", medium)
  return { medium, high, peak: read("peak", high) }
}

/**
 * A learner: keeps an exponentially decayed count of successes and capacity failures for each hour of the week.
 *
 * An hour with few outcomes leans on the same hour of other days, first of the same kind (weekdays, weekend), and then
 * on the prior; how much is read from how far days differ. Levels are ratios cut at `thresholds`. Changes of the load
 * show after about one `halfLife`.
 */
export const learned = (options: LearnedOptions = {}): Effect.Effect<Learned> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sync(() => makeLearned(options, now)))

const makeLearned = (options: LearnedOptions, madeAt: number): Learned => {
  const owner = "LoadProfile.learned"
  const prior = options.prior ?? nanoBanana
  const zone = zoneOf(owner, options.zone ?? prior.zone)
  const halfLife = Check.millis(owner, "halfLife", options.halfLife, defaults.halfLife, {
    min: 3_600_000,
    max: 3_153_600_000_000
  })
  const priorWeight = Check.number(owner, "priorWeight", options.priorWeight, defaults.priorWeight, { min: 1e-3 })
  const thresholds = thresholdsOf(owner, options.thresholds)
  const priorRatios = Counts.sampleHours(prior[TypeId], zone, madeAt)
  let counts = Counts.make()
  let snapshot: { readonly ratios: ReadonlyArray<number>; profile?: LoadProfile } | undefined

  const levelOf = (ratio: number): Level => {
    if (ratio >= thresholds.peak) return "peak"
    if (ratio >= thresholds.high) return "high"
    return ratio >= thresholds.medium ? "medium" : "low"
  }

  const current = () => (snapshot ??= { ratios: Counts.ratios(counts, priorRatios, priorWeight, halfLife) })
  const toProfile = (ratios: ReadonlyArray<number>): LoadProfile => {
    const windows = ratios.map((failureRatio, cell): Window => {
      const { day, from, to } = Counts.describeCell(cell)
      return { from, to, days: [day], level: levelOf(failureRatio), failureRatio }
    })
    return { [TypeId]: { zone, slots: Counts.hourSlots(windows) }, zone: zone.name, windows, otherwise: undefined }
  }

  return {
    [LearnedTypeId]: LearnedTypeId,
    zone: zone.name,
    record: (input, at) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const outcome = typeof input === "string"
          ? Check.oneOf("Learned.record", "outcome", input, "success", ["success", "capacity"])
          : outcomeOf(input)
        if (outcome === undefined) return
        const when = Check.number("Learned.record", "at", at, now, { min: -8.64e15, max: 8.64e15 })
        Counts.record(counts, Counts.cellAt(zone, when), outcome === "capacity", when, halfLife)
        snapshot = undefined
      }),
    profile: Effect.sync(() => {
      const found = current()
      found.profile ??= toProfile(found.ratios)
      return found.profile
    }),
    ratioAt: (millis) => Effect.sync(() => current().ratios[Counts.cellAt(zone, millis)]!),
    save: Effect.sync(() => Counts.save(counts, zone.name, halfLife)),
    restore: (data) =>
      Effect.try({
        try: () => {
          counts = Counts.restore("Learned.restore", data, zone.name)
          snapshot = undefined
        },
        catch: (error) => new Cause.IllegalArgumentException(error instanceof Error ? error.message : String(error))
      })
  }
}

/** Where a profile comes from: a fixed one, a learner, or an effect that says which holds now. */
export type Source = LoadProfile | Learned | Effect.Effect<LoadProfile>

/** The profile that a source gives now. */
export const resolve = (source: Source): Effect.Effect<LoadProfile> =>
  isLoadProfile(source) ? Effect.succeed(source) : isLearned(source) ? source.profile : source

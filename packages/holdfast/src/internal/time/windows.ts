/** Windows as people write them ("22:00" to "06:00" on Friday), checked and laid out over the week. */
import * as Options from "../options.js"
import { day, minute, type Slot, week } from "./week.js"

export const levels = ["low", "medium", "high", "peak"] as const
export type Level = (typeof levels)[number]

export const days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const
export type Day = (typeof days)[number]

const dayGroups = {
  "every day": days,
  weekdays: days.slice(0, 5),
  weekend: days.slice(5)
} as const satisfies Record<string, ReadonlyArray<Day>>
export type DayGroup = keyof typeof dayGroups

export interface Expectation {
  readonly level: Level
  readonly failureRatio: number
}

/** A window whose fields are checked and complete. */
export interface Window extends Expectation {
  readonly from: string
  readonly to: string
  readonly days: ReadonlyArray<Day>
}

export interface ExpectationInput {
  readonly level: Level
  readonly failureRatio?: number | undefined
}

export interface WindowInput extends ExpectationInput {
  readonly from: string
  readonly to: string
  readonly days?: ReadonlyArray<Day> | Day | DayGroup | undefined
}

export const refuse = (owner: string, field: string, range: string, value: unknown): never => {
  throw new RangeError(`${owner}: "${field}" must be ${range}, not ${show(value)}`)
}

const show = (value: unknown): string => (typeof value === "string" ? JSON.stringify(value) : String(value))

const clockForm = /^(\d{2}):(\d{2})$/

/** Minutes since midnight. */
const parseClock = (owner: string, field: string, text: unknown, max: "23:59" | "24:00"): number => {
  const match = typeof text === "string" ? clockForm.exec(text) : null
  const minutes = match === null ? NaN : Number(match[1]) * 60 + Number(match[2])
  const legal = match !== null && Number(match[2]) < 60 && minutes <= (max === "24:00" ? 1440 : 1439)
  return legal ? minutes : refuse(owner, field, `a time of day "HH:MM" between "00:00" and "${max}"`, text)
}

const parseDays = (owner: string, field: string, input: WindowInput["days"]): ReadonlyArray<Day> => {
  if (input === undefined) return days
  if (typeof input === "string" && Object.hasOwn(dayGroups, input)) return dayGroups[input as DayGroup]
  const names: ReadonlyArray<unknown> = Array.isArray(input) ? input : [input]
  const range = `one or more of ${days.join(", ")}, or one of ${Object.keys(dayGroups).join(", ")}`
  if (names.length === 0) return refuse(owner, field, range, "none")
  for (const name of names) if (!days.includes(name as Day)) return refuse(owner, field, range, name)
  return days.filter((name) => names.includes(name))
}

export const parseExpectation = (
  owner: string,
  field: string,
  input: ExpectationInput,
  ratios: Readonly<Record<Level, number>>
): Expectation => {
  if (typeof input !== "object" || input === null || !levels.includes(input.level)) {
    return refuse(owner, `${field}level`, `one of ${levels.join(", ")}`, (input as ExpectationInput | null)?.level)
  }
  const failureRatio = Options.number(owner, `${field}failureRatio`, input.failureRatio, ratios[input.level], {
    min: 0,
    max: 1
  })
  return { level: input.level, failureRatio }
}

export const parseWindow = (
  owner: string,
  field: string,
  input: WindowInput,
  ratios: Readonly<Record<Level, number>>
): Window => {
  const expectation = parseExpectation(owner, `${field}.`, input, ratios)
  const from = parseClock(owner, `${field}.from`, input.from, "23:59")
  const to = parseClock(owner, `${field}.to`, input.to, "24:00")
  if (from === to) refuse(owner, `${field}.to`, `other than "from" ("00:00" to "24:00" is a whole day)`, input.to)
  return { from: input.from, to: input.to, days: parseDays(owner, `${field}.days`, input.days), ...expectation }
}

const parts = (window: Window): ReadonlyArray<readonly [from: number, to: number]> => {
  const clock = (text: string) => (Number(text.slice(0, 2)) * 60 + Number(text.slice(3))) * minute
  const from = clock(window.from)
  const to = clock(window.to)
  const length = to > from ? to - from : to - from + day
  return window.days.flatMap((name) => {
    const start = days.indexOf(name) * day + from
    const end = start + length
    return end <= week ? [[start, end]] : [[start, week], [0, end - week]]
  })
}

const describeTime = (at: number): string => {
  const two = (n: number) => String(n).padStart(2, "0")
  const minutes = (at % day) / minute
  return `${days[Math.floor(at / day)]} ${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

/** The slots of a whole week. Overlaps are refused, and so are gaps when there is nothing to fill them with. */
export const layOut = (
  owner: string,
  windows: ReadonlyArray<Window>,
  otherwise: Expectation | undefined
): ReadonlyArray<Slot<Expectation>> => {
  const covered = windows
    .flatMap((window, index) => parts(window).map(([from, to]) => ({ from, to, value: window, index })))
    .sort((a, b) => a.from - b.from)
  const slots: Array<Slot<Expectation>> = []
  let end = 0
  let previous = -1
  const fill = (to: number) => {
    if (to === end) return
    if (otherwise === undefined) {
      refuse(owner, "otherwise", `given, since no window covers ${describeTime(end)}`, otherwise)
    } else slots.push({ from: end, to, value: otherwise })
  }
  for (const { from, index, to, value } of covered) {
    if (from < end) {
      refuse(owner, `windows[${index}]`, `clear of windows[${previous}]`, `overlapping it on ${describeTime(from)}`)
    }
    fill(from)
    slots.push({ from, to, value })
    end = to
    previous = index
  }
  fill(week)
  return slots
}

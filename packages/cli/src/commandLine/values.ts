/** Reads the values of flags; what cannot be used is refused by flag, legal range and what was given. */
import { usage } from "./CliError.js"
import { suggestion } from "./nearest.js"

/** What was given, short and harmless enough for a message. */
export const shown = (text: string): string => {
  const plain = text.replace(/[^\x20-\x7e\u00a1-\u024f]/g, "?")
  return `"${plain.length > 60 ? `${plain.slice(0, 59)}…` : plain}"`
}

const refuse = (flag: string, legal: string, text: string): never => {
  throw usage(`${flag} must be ${legal}, not ${shown(text)}`)
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `500ms`, `90s`, `1m30s`, `1.5h`; `undefined` for anything else. */
export const durationMillis = (text: string): number | undefined => {
  if (!/^(?:\d{1,12}(?:\.\d{1,6})?(?:ms|s|m|h|d))+$/.test(text)) return undefined
  let sum = 0
  for (const [, amount = "", unit = ""] of text.matchAll(/([\d.]+)(ms|s|m|h|d)/g))
    sum += Number(amount) * (units[unit] ?? NaN)
  return Math.round(sum)
}

/** Milliseconds as `durationMillis` reads them: the two largest units that are not zero, `1m30s`. */
export const formatDuration = (millis: number): string => {
  let rest = Math.round(millis)
  const parts: Array<string> = []
  for (const [unit, size] of Object.entries(units).reverse()) {
    const count = Math.floor(rest / size)
    if (count === 0) continue
    parts.push(`${count}${unit}`)
    rest -= count * size
  }
  return parts.length === 0 ? "0s" : parts.join("")
}

/** A duration in milliseconds within [min, max]. */
export const duration = (flag: string, text: string, range: { readonly min: number; readonly max: number }): number => {
  const millis = durationMillis(text)
  return millis !== undefined && millis >= range.min && millis <= range.max
    ? millis
    : refuse(
        flag,
        `a time such as 500ms, 90s, 3m or 1h, from ${formatDuration(range.min)} to ${formatDuration(range.max)}`,
        text
      )
}

/** A whole number within [min, max]. */
export const integer = (flag: string, text: string, range: { readonly min: number; readonly max: number }): number => {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN
  return value >= range.min && value <= range.max
    ? value
    : refuse(flag, `a whole number from ${range.min} to ${range.max}`, text)
}

/** A number within [min, max]. */
export const number = (flag: string, text: string, range: { readonly min: number; readonly max: number }): number => {
  const value = /^\d{1,12}(?:\.\d{1,12})?$/.test(text) ? Number(text) : NaN
  return value >= range.min && value <= range.max
    ? value
    : refuse(flag, `a number from ${range.min} to ${range.max}`, text)
}

/** One of the listed words. */
export const oneOf = <const T extends string>(flag: string, text: string, legal: ReadonlyArray<T>): T => {
  const found = legal.find((word) => word === text)
  if (found !== undefined) return found
  throw usage(`${flag} must be one of ${legal.join(", ")}, not ${shown(text)}${suggestion(text, legal)}`)
}

const daysIn = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate()

/**
 * An instant in milliseconds since the epoch: ISO 8601 with a zone (`Z`, `+02:00`) or, without one, in UTC. A day alone
 * is its midnight.
 */
export const instant = (flag: string, text: string): number => {
  const match =
    /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)([Zz]|[+-]\d{2}:?\d{2})?)?$/.exec(text)
  const [, year = "", month = "", day = "", time = "00:00", zone = "Z"] = match ?? []
  const isDay = match !== null && Number(day) >= 1 && Number(day) <= daysIn(Number(year), Number(month))
  const offset = zone.replace(/^([+-]\d{2})(\d{2})$/, "$1:$2").toUpperCase()
  const millis = isDay ? Date.parse(`${year}-${month}-${day}T${time}${offset}`) : NaN
  return Number.isFinite(millis) ? millis : refuse(flag, "an ISO 8601 time such as 2026-01-31T14:00:00Z", text)
}

/** The value if the flag is there. */
export const optional = <A>(text: string | undefined, read: (text: string) => A): A | undefined =>
  text === undefined ? undefined : read(text)

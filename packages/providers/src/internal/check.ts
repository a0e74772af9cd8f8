/** Refuses illegal options at construction, by a message that names the field and the legal range. */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** The whole number, or a `RangeError`. */
export const integer = (field: string, value: number, min: number, max: number): number => {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `between ${min} and ${max}`
  throw new RangeError(`${field} must be a whole number ${range}, not ${String(value)}`)
}

/** The duration in milliseconds, `Infinity` included, or a `RangeError`. */
export const positiveMillis = (field: string, value: Duration.DurationInput): number => {
  const millis = Option.match(Duration.decodeUnknown(value), { onNone: () => NaN, onSome: Duration.toMillis })
  if (millis > 0) return millis
  throw new RangeError(`${field} must be a duration longer than zero, not ${String(value)}`)
}

/** The text, or a `RangeError` when it is blank. */
export const nonEmpty = (field: string, value: string): string => {
  if (value.trim() !== "") return value
  throw new RangeError(`${field} must not be empty`)
}

/**
 * A base URL without trailing slashes. Credentials, a query or a fragment in it are refused: they would be repeated in
 * logs and errors.
 */
export const baseUrl = (field: string, value: string): string => {
  const refused = baseUrlProblem(value)
  if (refused !== undefined) throw new RangeError(`${field} ${refused}`)
  return value.trim().replace(/\/+$/, "")
}

/** What is wrong with a base URL; undefined when nothing is. Never repeats the value, which may hold a secret. */
export const baseUrlProblem = (value: string): string | undefined => {
  if (!URL.canParse(value.trim())) return "must be an absolute http or https URL"
  const url = new URL(value.trim())
  if (url.protocol !== "http:" && url.protocol !== "https:") return "must be an http or https URL"
  if (url.username !== "" || url.password !== "") return "must not contain a user name or password"
  if (url.search !== "" || url.hash !== "") return "must not contain a query or fragment; keys belong in apiKey"
  return undefined
}

/** A value that can stand in an HTTP header, or a `RangeError` that does not repeat it. */
export const headerValue = (field: string, value: string): string => {
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return value
  throw new RangeError(`${field} contains characters that cannot stand in an HTTP header`)
}

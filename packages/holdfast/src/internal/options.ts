/** Checks of option values: an illegal one is refused where the policy is made, by a message that names the field. */
import * as Duration from "effect/Duration"

/** A programmer's mistake in the options of a policy: the field, and the range that is legal. */
const refuse = (owner: string, field: string, range: string, value: unknown): never => {
  throw new RangeError(`${owner}: "${field}" must be ${range}, not ${String(value)}`)
}

/** A duration in milliseconds within [min, max]; `fallback` when absent. */
export const millis = (
  owner: string,
  field: string,
  input: Duration.DurationInput | undefined,
  fallback: Duration.DurationInput,
  limits: { readonly min?: number; readonly max?: number } = {}
): number => {
  const { max = Infinity, min = 0 } = limits
  const range = max === Infinity ? `a duration of at least ${min} ms` : `a duration between ${min} ms and ${max} ms`
  let value: number
  try {
    // `Duration.decode` takes NaN for zero; a NaN here is a mistake.
    if (typeof input === "number" && !(input >= 0)) return refuse(owner, field, range, input)
    value = Duration.toMillis(Duration.decode(input ?? fallback))
  } catch {
    return refuse(owner, field, range, input)
  }
  return value >= min && value <= max ? value : refuse(owner, field, range, `${value} ms`)
}

/** A finite number within [min, max]; `fallback` when absent. */
export const number = (
  owner: string,
  field: string,
  input: number | undefined,
  fallback: number,
  limits: { readonly min: number; readonly max?: number }
): number => {
  const value = input ?? fallback
  const { max = Infinity, min } = limits
  const range = max === Infinity ? `a number of at least ${min}` : `a number between ${min} and ${max}`
  return Number.isFinite(value) && value >= min && value <= max ? value : refuse(owner, field, range, value)
}

/** A whole number within [min, max], or `Infinity` where the maximum is `Infinity`; `fallback` when absent. */
export const count = (
  owner: string,
  field: string,
  input: number | undefined,
  fallback: number,
  limits: { readonly min: number; readonly max?: number }
): number => {
  const value = input ?? fallback
  const { max = Infinity, min } = limits
  const range = max === Infinity ? `a whole number of at least ${min}` : `a whole number between ${min} and ${max}`
  const whole = Number.isInteger(value) || (value === Infinity && max === Infinity)
  return whole && value >= min && value <= max ? value : refuse(owner, field, range, value)
}

/** One of the listed words; `fallback` when absent. */
export const oneOf = <const T extends string>(
  owner: string,
  field: string,
  input: T | undefined,
  fallback: T,
  legal: ReadonlyArray<T>
): T => {
  const value = input ?? fallback
  return legal.includes(value) ? value : refuse(owner, field, `one of ${legal.join(", ")}`, value)
}

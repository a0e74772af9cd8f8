/**
 * Reads plain data field by field, and says which field is wrong and what is legal there.
 *
 * Hand-written rather than a schema: the message for one bad number in a nested file has to be one sentence that names
 * the path and the range. Readers throw `Invalid`; `run` catches it.
 */
import * as Either from "effect/Either"

/** The first thing that is wrong with an input. */
export class Invalid extends Error {
  constructor(
    readonly path: string,
    readonly legal: string,
    readonly actual: unknown
  ) {
    super(`${path === "" ? "The input" : `"${path}"`} must be ${legal}; got ${show(actual)}`)
  }
}

export type Reader<A> = (input: unknown, path: string) => A

/** What was found, short enough for a message. */
export const show = (u: unknown): string => {
  if (u === undefined) return "nothing"
  if (typeof u === "string") return JSON.stringify(u.length > 40 ? `${u.slice(0, 40)}...` : u)
  if (Array.isArray(u)) return `an array of ${u.length}`
  return typeof u === "number" || typeof u === "boolean" || u === null ? String(u) : `a value of type ${typeof u}`
}

export const invalid = (path: string, legal: string, actual: unknown): never => {
  throw new Invalid(path, legal, actual)
}

export const run = <A>(read: () => A): Either.Either<A, Invalid> => {
  try {
    return Either.right(read())
  } catch (u) {
    if (u instanceof Invalid) return Either.left(u)
    throw u
  }
}

export interface Range {
  readonly atLeast?: number
  readonly above?: number
  readonly atMost?: number
  readonly below?: number
  readonly integer?: boolean
}

const describe = (range: Range): string => {
  const lower =
    range.atLeast !== undefined ? `at least ${range.atLeast}` : range.above !== undefined ? `above ${range.above}` : ""
  const upper =
    range.atMost !== undefined ? `at most ${range.atMost}` : range.below !== undefined ? `below ${range.below}` : ""
  const bounds = [lower, upper].filter((s) => s !== "").join(" and ")
  return `${range.integer === true ? "an integer" : "a finite number"}${bounds === "" ? "" : ` of ${bounds}`}`
}

export const number =
  (range: Range = {}): Reader<number> =>
  (input, path) => {
    const ok =
      typeof input === "number" &&
      Number.isFinite(input) &&
      (range.integer !== true || Number.isInteger(input)) &&
      (range.atLeast === undefined || input >= range.atLeast) &&
      (range.above === undefined || input > range.above) &&
      (range.atMost === undefined || input <= range.atMost) &&
      (range.below === undefined || input < range.below)
    return ok ? input : invalid(path, describe(range), input)
  }

export const boolean: Reader<boolean> = (input, path) =>
  typeof input === "boolean" ? input : invalid(path, "true or false", input)

export const name: Reader<string> = (input, path) =>
  typeof input === "string" && input.trim() !== "" ? input : invalid(path, "a string that is not empty", input)

export const literal =
  <const A extends string>(...values: ReadonlyArray<A>): Reader<A> =>
  (input, path) =>
    values.find((value) => value === input) ?? invalid(path, values.map((v) => JSON.stringify(v)).join(" or "), input)

export const array =
  <A>(read: Reader<A>, minimum = 0): Reader<ReadonlyArray<A>> =>
  (input, path) =>
    Array.isArray(input) && input.length >= minimum
      ? input.map((item, i) => read(item, `${path}[${i}]`))
      : invalid(path, minimum === 0 ? "an array" : `an array of at least ${minimum}`, input)

export const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === "object" && u !== null && !Array.isArray(u)

/** The fields of one object. Keys that begin with `_` are comments; any other key that is not listed is refused. */
export interface Fields<K extends string> {
  readonly need: <A>(key: K, read: Reader<A>) => A
  readonly maybe: <A>(key: K, read: Reader<A>) => A | undefined
  /** Says that this field is wrong. */
  readonly wrong: (key: K, legal: string) => never
}

export const fields = <const K extends string>(
  input: unknown,
  path: string,
  keys: ReadonlyArray<K>
): Fields<K> => {
  if (!isRecord(input)) return invalid(path, "an object", input)
  const at = (key: string) => (path === "" ? key : `${path}.${key}`)
  for (const key of Object.keys(input)) {
    if (!key.startsWith("_") && !keys.some((k) => k === key)) {
      invalid(at(key), `no such key here, but one of ${keys.join(", ")}`, input[key])
    }
  }
  return {
    need: (key, read) => read(Object.hasOwn(input, key) ? input[key] : undefined, at(key)),
    maybe: (key, read) =>
      Object.hasOwn(input, key) && input[key] !== undefined ? read(input[key], at(key)) : undefined,
    wrong: (key, legal) => invalid(at(key), legal, Object.hasOwn(input, key) ? input[key] : undefined)
  }
}

/** The object without the fields that are `undefined`. */
export const compact = <A extends object>(self: A): A =>
  Object.fromEntries(Object.entries(self).filter(([, value]) => value !== undefined)) as A

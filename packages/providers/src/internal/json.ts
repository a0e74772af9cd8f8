/** Reads what an answer may hold without trusting any of its shapes: every accessor is total. */

export type Json = Readonly<Record<string, unknown>>

/** The value if it is an object that is no array, else undefined. */
export const record = (value: unknown): Json | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined

/** The value if it is an array, else an empty one. */
export const array = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** The value if it is a text that is not empty. */
export const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

/** The value if it is a finite number of at least zero. */
export const count = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined

/** The first of the object's fields with one of the names that is there. */
export const field = (value: Json | undefined, ...names: ReadonlyArray<string>): unknown => {
  if (value === undefined) return undefined
  for (const name of names) if (Object.hasOwn(value, name) && value[name] !== undefined) return value[name]
  return undefined
}

/** The parsed text, or undefined when it is no JSON. */
export const parse = (input: string): unknown => {
  try {
    return JSON.parse(input) as unknown
  } catch {
    return undefined
  }
}

/** The object without the fields that are undefined. */
export const compact = (value: Readonly<Record<string, unknown>>): Json =>
  Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined))

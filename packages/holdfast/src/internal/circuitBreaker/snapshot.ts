/** The state of breakers as plain data that survives JSON, and back. What was in flight is not part of it. */
import type { Breaker } from "./breaker.js"
import type { Rules } from "./rules.js"
import * as State from "./state.js"
import * as Window from "./window.js"

/** Calls that ended in one tenth of the window. */
export interface BucketSnapshot extends Window.Totals {
  /** How long ago, in milliseconds. */
  readonly age: number
}

export type BreakerSnapshot =
  | {
    readonly key: string
    readonly state: "closed"
    readonly consecutive: number
    readonly longestFailure: number
    /** Milliseconds until the time at which the server asked to come back. */
    readonly serverWait: number
    readonly buckets: ReadonlyArray<BucketSnapshot>
  }
  | {
    readonly key: string
    readonly state: "open" | "half-open"
    readonly cause: State.Cause
    readonly openings: number
    /** `null` where slowness opened it. */
    readonly longestFailure: number | null
    /** Milliseconds until it lets the first probe through. */
    readonly remaining: number
    readonly successes: number
  }

export interface Snapshot {
  readonly version: 1
  /** When it was taken, in milliseconds since the epoch. */
  readonly at: number
  readonly breakers: ReadonlyArray<BreakerSnapshot>
}

const buckets = (window: Window.Window, rules: Rules, now: number): ReadonlyArray<BucketSnapshot> => {
  const current = Window.indexOf(rules.window, now)
  const saved: Array<BucketSnapshot> = []
  for (let bucket = window; bucket !== undefined; bucket = bucket.older) {
    const { calls, failures, index, longestFailure, slow } = bucket
    if (index <= current - Window.bucketCount) break
    saved.push({ age: ((current - index) * rules.window) / Window.bucketCount, calls, failures, slow, longestFailure })
  }
  return saved
}

/** One breaker as data; `now` in the time that the breaker lives in. */
export const save = (breaker: Breaker, rules: Rules, now: number): BreakerSnapshot => {
  const { key } = breaker
  const state = breaker.peek(now)
  if (state._tag === "Closed") {
    const { consecutive, longestFailure, notBefore, window } = state
    const serverWait = Math.max(0, notBefore - now)
    return { key, state: "closed", consecutive, longestFailure, serverWait, buckets: buckets(window, rules, now) }
  }
  const { cause, longestFailure, openings } = state
  return {
    key,
    state: state._tag === "Open" ? "open" : "half-open",
    cause,
    openings,
    longestFailure: longestFailure === Infinity ? null : longestFailure,
    remaining: state._tag === "Open" ? Math.max(0, state.until - now) : 0,
    successes: state._tag === "Open" ? 0 : state.successes
  }
}

/** A breaker's state out of data that was saved `elapsed` milliseconds before `now`. */
export const restore = (saved: BreakerSnapshot, rules: Rules, now: number, elapsed: number): State.State => {
  if (saved.state === "closed") {
    let window: Window.Window
    const current = Window.indexOf(rules.window, now)
    for (const { age, ...counts } of [...saved.buckets].sort((a, b) => b.age - a.age)) {
      const index = Window.indexOf(rules.window, now - age - elapsed)
      if (index > current - Window.bucketCount) window = Window.put(window, index, counts)
    }
    return {
      ...State.closed(0),
      consecutive: saved.consecutive,
      longestFailure: saved.longestFailure,
      notBefore: now + Math.min(saved.serverWait, rules.maxOpen) - elapsed,
      window
    }
  }
  const { cause, openings, successes } = saved
  const opening = { epoch: 0, cause, openings, longestFailure: saved.longestFailure ?? Infinity }
  if (saved.state === "half-open") return { _tag: "HalfOpen", ...opening, successes, probes: [], nextProbe: 0 }
  return { _tag: "Open", ...opening, since: now, until: now + Math.min(saved.remaining, rules.maxOpen) - elapsed }
}

const owner = "CircuitBreaker.make"

const refuse = (field: string, range: string, value: unknown): never => {
  const shown = typeof value === "number" || typeof value === "string" ? String(value) : `of type ${typeof value}`
  throw new RangeError(`${owner}: "${field}" must be ${range}, not ${shown}`)
}

type Data = Readonly<Record<string, unknown>>

const object = (value: unknown, field: string): Data =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Data)
    : refuse(field, "an object", value)

const list = (value: unknown, field: string): ReadonlyArray<unknown> =>
  Array.isArray(value) ? (value as ReadonlyArray<unknown>) : refuse(field, "an array", value)

const word = <const T extends string>(value: unknown, field: string, words: ReadonlyArray<T>): T =>
  words.find((known) => known === value) ?? refuse(field, `one of ${words.join(", ")}`, value)

const amount = (value: unknown, field: string): number =>
  typeof value === "number" && value >= 0 && value < Infinity ? value : refuse(field, "a number of at least 0", value)

const count = (value: unknown, field: string, min: number, max = Number.MAX_SAFE_INTEGER): number =>
  typeof value === "number" && Number.isInteger(value) && value >= min && value <= max
    ? value
    : refuse(field, `a whole number between ${min} and ${max}`, value)

const causes: ReadonlyArray<State.Cause> = [
  "consecutive-failures",
  "failure-ratio",
  "slow-ratio",
  "probe-failed",
  "probe-slow"
]

const parseBucket = (value: unknown, field: string): BucketSnapshot => {
  const data = object(value, field)
  const calls = count(data["calls"], `${field}.calls`, 0)
  return {
    age: amount(data["age"], `${field}.age`),
    calls,
    failures: count(data["failures"], `${field}.failures`, 0, calls),
    slow: count(data["slow"], `${field}.slow`, 0, calls),
    longestFailure: amount(data["longestFailure"], `${field}.longestFailure`)
  }
}

const parseBreaker = (value: unknown, field: string): BreakerSnapshot => {
  const data = object(value, field)
  const key = typeof data["key"] === "string" ? data["key"] : refuse(`${field}.key`, "a string", data["key"])
  const state = word(data["state"], `${field}.state`, ["closed", "open", "half-open"])
  if (state === "closed") {
    const saved = list(data["buckets"], `${field}.buckets`)
    return {
      key,
      state,
      consecutive: count(data["consecutive"], `${field}.consecutive`, 0),
      longestFailure: amount(data["longestFailure"], `${field}.longestFailure`),
      serverWait: amount(data["serverWait"], `${field}.serverWait`),
      buckets: saved.map((bucket, i) => parseBucket(bucket, `${field}.buckets[${i}]`))
    }
  }
  const longest = data["longestFailure"]
  return {
    key,
    state,
    cause: word(data["cause"], `${field}.cause`, causes),
    openings: count(data["openings"], `${field}.openings`, 1),
    longestFailure: longest === null ? null : amount(longest, `${field}.longestFailure`),
    remaining: amount(data["remaining"], `${field}.remaining`),
    successes: count(data["successes"], `${field}.successes`, 0)
  }
}

/** Checks what somebody has kept for us. Throws a `RangeError` that names the field. */
export const parse = (value: unknown): Snapshot => {
  const data = object(value, "initialState")
  if (data["version"] !== 1) return refuse("initialState.version", "1", data["version"])
  const at = amount(data["at"], "initialState.at")
  const field = "initialState.breakers"
  const breakers = list(data["breakers"], field).map((breaker, i) => parseBreaker(breaker, `${field}[${i}]`))
  const seen = new Set<string>()
  for (const [i, { key }] of breakers.entries()) {
    if (seen.has(key)) return refuse(`${field}[${i}].key`, "the only one of its name", key)
    seen.add(key)
  }
  return { version: 1, at, breakers }
}

/** What a cache keeps, and what may be done with it at a given time: plain data and pure functions. */
import type { Generated, Part } from "../../Generated.js"
import type { Failure } from "./verdict.js"

/** A kept result; all times in milliseconds since the epoch. */
export interface Entry {
  /** The result, without attempts: whoever gets it made none. */
  readonly value: Generated
  readonly storedAt: number
  /** Until then it answers like a new result. */
  readonly freshUntil: number
  /** Until then it may stand in for a result that cannot be had; at or after `freshUntil`. */
  readonly staleUntil: number
  /** What `value` takes, in bytes, by `sizeOf`. */
  readonly size: number
}

/** How long entries serve, in milliseconds; `Infinity` for ever. */
export interface Lifetimes {
  readonly timeToLive: number
  readonly staleIfError: number
}

/** What holding a part or a result costs beside its content: a rough figure, so that empty ones are not free. */
const overhead = 256

const partSize = (part: Part): number =>
  overhead + (part._tag === "Image" ? part.bytes.byteLength : part.text.length * 2)

/** What a result takes in memory, in bytes: image bytes exactly, all else roughly. */
export const sizeOf = (value: Generated): number =>
  value.parts.reduce((sum, part) => sum + partSize(part), overhead)

/**
 * A copy of an image's bytes. The original may be a view into a network buffer many times its size, and its owner may
 * change it or transfer it to a worker. (`slice` of a Node `Buffer` would be such a view again.)
 */
const own = (part: Part): Part => part._tag === "Image" ? { ...part, bytes: new Uint8Array(part.bytes) } : part

/** Wraps a result that is kept from `now` on. */
export const make = (value: Generated, now: number, lifetimes: Lifetimes): Entry => {
  const freshUntil = now + lifetimes.timeToLive
  return {
    value: { ...value, parts: value.parts.map(own), attempts: [] },
    storedAt: now,
    freshUntil,
    staleUntil: freshUntil + lifetimes.staleIfError,
    size: sizeOf(value)
  }
}

/**
 * Where an entry is in its life. Each period includes its start and excludes its end, so that a lifetime of zero means
 * none at all, even within one millisecond.
 */
export type Freshness = "fresh" | "stale" | "dead"

export const freshness = (entry: Entry, now: number): Freshness =>
  now < entry.freshUntil ? "fresh" : now < entry.staleUntil ? "stale" : "dead"

/** False when somebody who was given the value has since transferred its bytes away, which leaves them empty. */
export const isIntact = (entry: Entry): boolean => sizeOf(entry.value) === entry.size

/** What to do about a call, given what the store had. */
export type Plan =
  | { readonly _tag: "Answer"; readonly entry: Entry }
  | { readonly _tag: "Generate"; readonly fallback: Entry | undefined }

export const plan = (entry: Entry | undefined, now: number): Plan => {
  if (entry === undefined || !isIntact(entry)) return { _tag: "Generate", fallback: undefined }
  switch (freshness(entry, now)) {
    case "fresh":
      return { _tag: "Answer", entry }
    case "stale":
      return { _tag: "Generate", fallback: entry }
    case "dead":
      return { _tag: "Generate", fallback: undefined }
  }
}

/** The entry that may stand in for a failure at this time, if there is one and the failure is of that kind. */
export const standIn = (
  fallback: Entry | undefined,
  error: Failure,
  now: number,
  servesStale: (error: Failure) => boolean
): Entry | undefined =>
  fallback !== undefined && freshness(fallback, now) !== "dead" && isIntact(fallback) && servesStale(error)
    ? fallback
    : undefined

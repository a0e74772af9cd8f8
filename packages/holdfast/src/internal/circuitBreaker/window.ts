/**
 * Calls that ended within the last stretch of time, counted in ten buckets of it: a list, newest first, whose tail is
 * shared between versions. It forgets a tenth of the stretch at a time.
 */

export interface Bucket {
  /** Number of the bucket since time zero. */
  readonly index: number
  readonly calls: number
  readonly failures: number
  readonly slow: number
  /** The longest that a failed call took, in milliseconds. */
  readonly longestFailure: number
  readonly older: Window
}

export type Window = Bucket | undefined

export type Totals = Omit<Bucket, "index" | "older">

export const bucketCount = 10

const none: Totals = { calls: 0, failures: 0, slow: 0, longestFailure: 0 }

export const indexOf = (length: number, at: number): number => Math.floor((at / length) * bucketCount)

const merge = (a: Totals, b: Totals): Totals => ({
  calls: a.calls + b.calls,
  failures: a.failures + b.failures,
  slow: a.slow + b.slow,
  longestFailure: Math.max(a.longestFailure, b.longestFailure)
})

/** The part of the list that is newer than bucket `oldest`, the rest cut off. */
const prune = (window: Window, oldest: number): Window =>
  window === undefined || window.index <= oldest ? undefined : { ...window, older: prune(window.older, oldest) }

/** Counts in the bucket of that number, which must be none older than the newest. */
export const put = (window: Window, index: number, counts: Totals): Bucket => {
  const newest = window !== undefined && window.index === index
  const { calls, failures, longestFailure, slow } = newest ? merge(window, counts) : counts
  // Written out, since this is done for each call and a spread takes several times as long.
  const older = newest ? window.older : prune(window, index - bucketCount)
  return { index, calls, failures, slow, longestFailure, older }
}

/** Counts a call that ended `at`. */
export const add = (
  window: Window,
  length: number,
  at: number,
  call: { readonly failed: boolean; readonly slow: boolean; readonly duration: number }
): Bucket =>
  put(window, indexOf(length, at), {
    calls: 1,
    failures: call.failed ? 1 : 0,
    slow: call.slow ? 1 : 0,
    longestFailure: call.failed ? call.duration : 0
  })

/** Everything in the stretch that ends `at`. */
export const totals = (window: Window, length: number, at: number): Totals => {
  const oldest = indexOf(length, at) - bucketCount
  let sum = none
  for (let bucket = window; bucket !== undefined && bucket.index > oldest; bucket = bucket.older) {
    sum = merge(sum, bucket)
  }
  return sum
}

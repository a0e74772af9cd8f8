/**
 * A limit of requests in any 60 s: a sliding log of the latest admissions, one per client or one for all.
 *
 * What it refused does not count, what it admitted counts even when it failed later. A client that was idle for a
 * minute is forgotten, so the number of clients remembered is bounded by the traffic of a minute.
 */
const windowSeconds = 60
const pruneAbove = 10_000

interface Log {
  /** A ring of the latest admissions. */
  readonly times: Array<number>
  next: number
  latest: number
}

export interface Quota {
  /** 0 when admitted, else the seconds after which one more request will be. */
  readonly admit: (client: string, at: number) => number
}

export const make = (limit: number, shared: boolean): Quota => {
  const logs = new Map<string, Log>()
  let ceiling = pruneAbove

  const logOf = (key: string, at: number): Log => {
    const known = logs.get(key)
    if (known !== undefined) return known
    if (logs.size >= ceiling) {
      for (const [other, log] of logs) if (log.latest <= at - windowSeconds) logs.delete(other)
      ceiling = Math.max(pruneAbove, 2 * logs.size)
    }
    const log: Log = { times: [], next: 0, latest: -Infinity }
    logs.set(key, log)
    return log
  }

  return {
    admit: (client, at) => {
      if (limit === Infinity) return 0
      const log = logOf(shared ? "" : client, at)
      const oldest = log.times.length < limit ? -Infinity : (log.times[log.next] ?? -Infinity)
      const free = oldest + windowSeconds
      if (free > at) return free - at
      log.times[log.next] = at
      log.next = (log.next + 1) % limit
      log.latest = at
      return 0
    }
  }
}

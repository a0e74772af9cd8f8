/** What the server saw: counts by endpoint, status, fault and kind of request; never a key, never a prompt. */

export interface Counts {
  requests: number
  rejected: number
  errors: number
  abandoned: number
  inFlight: number
}

/** Ids remembered; the oldest is forgotten first. */
const idLimit = 10_000

/** Longest id kept, in characters. */
const idLength = 200

const empty = (): Counts => ({ requests: 0, rejected: 0, errors: 0, abandoned: 0, inFlight: 0 })

/** One request under way. Exactly one of its two ends is counted. */
export interface Entry {
  /** The whole answer went out. */
  readonly answered: (status: number) => void
  /** The client left, or the connection was broken on purpose, before the whole answer was out. */
  readonly broken: (by: "client" | "fault") => void
}

const bump = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

export const make = (endpoints: ReadonlyArray<string>) => {
  let generation = 0
  const byEndpoint = new Map(endpoints.map((name) => [name, empty()]))
  const byStatus = new Map<string, number>()
  const byFault = new Map<string, number>()
  const byOperation = new Map<string, number>()
  const attempts = new Map<string, number>()
  let files = 0

  const received = (endpoint: string, operation: string, requestId: string | undefined): Entry => {
    const born = generation
    const counts = byEndpoint.get(endpoint) ?? empty()
    counts.requests++
    counts.inFlight++
    bump(byOperation, operation)
    if (requestId !== undefined) {
      const id = requestId.slice(0, idLength)
      const count = (attempts.get(id) ?? 0) + 1
      attempts.delete(id)
      attempts.set(id, count)
      const oldest = attempts.keys().next()
      if (attempts.size > idLimit && oldest.done !== true) attempts.delete(oldest.value)
    }
    let over = false
    const end = (count: () => void): void => {
      if (over) return
      over = true
      counts.inFlight--
      if (born === generation) count()
    }
    return {
      answered: (status) =>
        end(() => {
          bump(byStatus, String(status))
          if (status === 503 || status === 429) counts.rejected++
          else if (status >= 400) counts.errors++
        }),
      broken: (by) =>
        end(() => {
          if (by === "client") counts.abandoned++
        })
    }
  }

  return {
    received,
    met: (fault: string) => bump(byFault, fault),
    file: () => {
      files++
    },
    reset: () => {
      generation++
      for (const counts of byEndpoint.values()) Object.assign(counts, { ...empty(), inFlight: counts.inFlight })
      for (const counts of [byStatus, byFault, byOperation, attempts]) counts.clear()
      files = 0
    },
    of: (endpoint: string): Readonly<Counts> => byEndpoint.get(endpoint) ?? empty(),
    read: () => ({
      byStatus: Object.fromEntries(byStatus),
      byFault: Object.fromEntries(byFault),
      byOperation: Object.fromEntries(byOperation),
      attempts: Object.fromEntries(attempts),
      files
    })
  }
}

export type Recorder = ReturnType<typeof make>

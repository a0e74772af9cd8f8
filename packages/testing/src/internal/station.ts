/**
 * One endpoint of the overloaded model: slots, a bounded queue, faults and a quota. Event in, state out, at once.
 *
 * It keeps no clock and no timer. The driver says what happens when (`arrive`, `leave`), asks when something is due
 * next (`nextAt`) and lets time pass (`advance`); what comes of it goes to the `sink`. A virtual-time simulation and a
 * real server drive the same machine. Times are seconds and must not go back; the state is changed in place because a
 * simulation makes millions of steps.
 *
 * At equal times: work that ends, then slots that come or go, then work that starts, then waits that run out.
 */
import * as Capacity from "./capacity.js"
import * as Heap from "./heap.js"
import * as Quota from "./quota.js"
import { stream } from "./random.js"
import type { Uniform } from "./random.js"

export interface Params extends Capacity.Params {
  readonly queue: number
  readonly err: number
  readonly rej: readonly [number, number]
  readonly slow: number
  readonly queueTimeout: number
  readonly retryAfter: boolean
  readonly rpm: number
  readonly rpmShared: boolean
  readonly rpmRA: boolean
  readonly price: number
  readonly cancel: "queued" | "ignored"
  readonly rejectCost: number
  /** Mean service time: what an honest hint is reckoned with, and a worker's share of the cost of rejections. */
  readonly meanService: number
}

/** - `overloaded`: no slot, no waiting place. - `queue-timeout`: waited too long. - `error`: a 500. */
export type Reason = "overloaded" | "outage" | "queue-timeout" | "rate-limited" | "error"

/** Where a job is. A `refused` one may still be waiting for the answer to reach it. */
export type Status = "arrived" | "queued" | "running" | "hung" | "refused" | "completed" | "cancelled"

export interface Job<T> {
  /** The driver's own. */
  readonly tag: T
  readonly client: string
  /** Seconds of work, before any slowness. */
  readonly demand: number
  readonly arrivedAt: number
  status: Status
  /** The caller has left. */
  left: boolean
  startedAt: number
  endsAt: number
}

export type Output<T> =
  | { readonly _tag: "Started"; readonly at: number; readonly job: Job<T> }
  | { readonly _tag: "Completed"; readonly at: number; readonly job: Job<T> }
  | {
    readonly _tag: "Refused"
    /** When the answer reaches the caller; the decision fell earlier. */
    readonly at: number
    readonly job: Job<T>
    readonly reason: Reason
    /** Seconds from the answer until it is worth coming back. */
    readonly retryAfter: number | undefined
  }

/** Counts since the start, and three levels: `busy`, `queued`, `hung`. */
export interface Tally {
  requests: number
  started: number
  completed: number
  /** Completed for nobody. */
  wasted: number
  /** 503 and 429. */
  rejected: number
  /** 500. */
  errors: number
  /** The caller left before the answer. */
  abandoned: number
  /** Money for what was completed. */
  price: number
  busy: number
  queued: number
  hung: number
}

export interface Station<T> {
  readonly arrive: (at: number, call: { readonly tag: T; readonly client: string; readonly demand: number }) => Job<T>
  /** The caller leaves. For a job that was answered: nothing. */
  readonly leave: (at: number, job: Job<T>) => void
  readonly advance: (to: number) => void
  /** When something is due next, or `Infinity`. */
  readonly nextAt: () => number
  readonly tally: Readonly<Tally>
  readonly slotsAt: (at: number) => number
  readonly segmentAt: (at: number) => Capacity.Segment
}

/**
 * The cost of rejections is worked off by workers as they take the next job, each at most this share of the mean
 * service time: a storm of rejections can cost a quarter of the capacity, not all of it.
 */
const costShare = 1 / 3

/** Nothing seen yet. */
export const emptyTally = (): Tally => ({
  requests: 0,
  started: 0,
  completed: 0,
  wasted: 0,
  rejected: 0,
  errors: 0,
  abandoned: 0,
  price: 0,
  busy: 0,
  queued: 0,
  hung: 0
})

/** The queue's array is cut when it holds more than this many used places, and more of them than jobs. */
const compactAbove = 64

export const make = <T>(params: Params, sink: (output: Output<T>) => void): Station<T> => {
  const capacity = Capacity.make(params)
  const quota = Quota.make(params.rpm, params.rpmShared)
  const uniform: Uniform = stream(params.seed, "front door", params.endpoint)
  const running = Heap.make<Job<T>>()
  const costPerStart = params.meanService * costShare
  const [shortest, longest] = params.rej
  let waiting: Array<Job<T>> = []
  let head = 0
  let debt = 0
  let now = 0
  const tally = emptyTally()

  /** The one that waits longest; jobs that left the queue are dropped on the way. */
  const front = (): Job<T> | undefined => {
    while (head < waiting.length && waiting[head]?.status !== "queued") head++
    const used = waiting.length - tally.queued
    if (used > compactAbove && used > tally.queued) {
      waiting = waiting.filter(({ status }) => status === "queued")
      head = 0
    }
    return waiting[head]
  }

  const start = (job: Job<T>, at: number): void => {
    const cost = Math.min(debt, costPerStart)
    debt -= cost
    if (job.status === "queued") tally.queued--
    job.status = "running"
    job.startedAt = at
    job.endsAt = at + cost + job.demand * params.slow * capacity.segmentAt(at).slow
    tally.started++
    tally.busy++
    running.push(job.endsAt, job)
    sink({ _tag: "Started", at, job })
  }

  const refuse = (job: Job<T>, at: number, delay: number, reason: Reason, hint: number | undefined): void => {
    if (job.status === "queued") tally.queued--
    job.status = "refused"
    job.endsAt = at + delay
    if (reason === "error") tally.errors++
    else tally.rejected++
    if (reason !== "error" && reason !== "rate-limited") {
      debt = Math.min(debt + params.rejectCost, params.slots * costPerStart)
    }
    sink({
      _tag: "Refused",
      at: job.endsAt,
      job,
      reason,
      retryAfter: hint === undefined ? undefined : Math.max(0, hint - delay)
    })
  }

  /** Until when the queue as it stands will be worked off. */
  const drain = (at: number): number => {
    const slow = params.slow * capacity.segmentAt(at).slow
    return ((tally.queued + 1) * params.meanService * slow) / Math.max(1, capacity.slotsAt(at))
  }

  const settle = (at: number): void => {
    while (running.first() <= at) {
      const job = running.pop()
      if (job === undefined) break
      job.status = "completed"
      tally.busy--
      tally.completed++
      tally.price += params.price
      if (job.left) tally.wasted++
      sink({ _tag: "Completed", at: job.endsAt, job })
    }
    let job = front()
    if (job === undefined) return
    const slots = capacity.slotsAt(at)
    for (; job !== undefined && tally.busy < slots; job = front()) start(job, at)
    for (; job !== undefined && job.arrivedAt + params.queueTimeout <= at; job = front()) {
      refuse(job, at, 0, "queue-timeout", params.retryAfter ? drain(at) : undefined)
    }
  }

  const nextAt = (): number => {
    const job = front()
    if (job === undefined) return running.first()
    return Math.min(running.first(), job.arrivedAt + params.queueTimeout, capacity.changesAfter(now))
  }

  const advance = (to: number): void => {
    for (let next = nextAt(); next <= to; next = nextAt()) {
      now = Math.max(now, next)
      settle(now)
    }
    now = Math.max(now, to)
  }

  const arrive: Station<T>["arrive"] = (when, call) => {
    advance(when)
    const at = now
    const job: Job<T> = {
      tag: call.tag,
      client: call.client,
      demand: call.demand,
      arrivedAt: at,
      status: "arrived",
      left: false,
      startedAt: at,
      endsAt: at
    }
    // Both are drawn at every arrival: the next caller's luck does not hang on what became of this one.
    const luck = uniform()
    const delay = shortest + (longest - shortest) * uniform()
    tally.requests++
    const wait = quota.admit(call.client, at)
    const segment = capacity.segmentAt(at)
    if (wait > 0) refuse(job, at, delay, "rate-limited", params.rpmRA ? wait : undefined)
    else if (segment.reject) {
      refuse(job, at, delay, "outage", params.retryAfter ? segment.rejectUntil - at : undefined)
    } else if (segment.hang) {
      job.status = "hung"
      tally.hung++
    } else if (luck < 1 - (1 - params.err) * (1 - segment.flaky)) refuse(job, at, delay, "error", undefined)
    else if (tally.busy < capacity.slotsAt(at)) start(job, at)
    else if (tally.queued < params.queue) {
      job.status = "queued"
      tally.queued++
      waiting.push(job)
    } else refuse(job, at, delay, "overloaded", params.retryAfter ? drain(at) : undefined)
    return job
  }

  return {
    arrive,
    leave: (when, job) => {
      advance(when)
      if (job.left || job.status === "completed" || (job.status === "refused" && job.endsAt <= now)) return
      job.left = true
      tally.abandoned++
      if (job.status === "hung") {
        job.status = "cancelled"
        tally.hung--
      } else if (job.status === "queued" && params.cancel === "queued") {
        job.status = "cancelled"
        tally.queued--
      }
    },
    advance,
    nextAt,
    tally,
    slotsAt: capacity.slotsAt,
    segmentAt: capacity.segmentAt
  }
}

/**
 * How many slots an endpoint has at each moment, and what its events do: a function of scenario, seed and time alone.
 *
 * Slots are `round(slots * cap * (1 - background - noise))`, at least 0. The background is a table by UTC block that
 * blends into the next block over its last 20 minutes; the noise is an Ornstein-Uhlenbeck process with a relaxation
 * time of 600 s, in steps of 10 s, that starts in its stationary state.
 */
import type { Background, Event } from "../Scenario.js"
import { normal, stream } from "./random.js"

export const stepSeconds = 10
const relaxation = 600
const block = 6 * 3600
const blend = 20 * 60

const mod = (a: number, b: number): number => ((a % b) + b) % b

/** Share of the slots that other tenants take at that second of the UTC day. */
export const background = (bg: Background, utcSeconds: number): number => {
  const levels = [bg.low, bg.med, bg.peak, bg.high]
  const t = mod(utcSeconds, 4 * block)
  const i = Math.min(3, Math.floor(t / block))
  const here = levels[i] ?? 0
  const next = levels[(i + 1) % 4] ?? 0
  const into = Math.max(0, t - i * block - (block - blend)) / blend
  return here + (next - here) * into
}

/** What the events say for one stretch of time. */
export interface Segment {
  readonly from: number
  /** Start of the next segment, or `Infinity`. */
  readonly to: number
  readonly cap: number
  readonly reject: boolean
  /** When the rejecting ends; meaningful only while `reject`. */
  readonly rejectUntil: number
  readonly hang: boolean
  readonly slow: number
  /** Chance of a 500. */
  readonly flaky: number
}

/** The events laid end to end. Where several overlap they all hold: factors multiply, chances combine. */
export const timeline = (events: ReadonlyArray<Event>): ReadonlyArray<Segment> => {
  const edges = [...new Set([0, ...events.flatMap(({ from, to }) => [from, to])])].sort((a, b) => a - b)
  const segments: Array<Segment> = []
  for (let i = edges.length - 1; i >= 0; i--) {
    const from = edges[i] ?? 0
    const following = segments[segments.length - 1]
    const active = events.filter((event) => event.from <= from && from < event.to)
    const reject = active.some(({ mode }) => mode === "reject")
    const to = following?.from ?? Infinity
    segments.push({
      from,
      to,
      cap: active.reduce((cap, event) => cap * (event.cap ?? 1), 1),
      reject,
      rejectUntil: !reject ? from : following?.reject === true ? following.rejectUntil : to,
      hang: active.some(({ mode }) => mode === "hang"),
      slow: active.reduce((slow, event) => slow * (event.mode === "slow" ? (event.x ?? 1) : 1), 1),
      flaky: 1 - active.reduce((ok, event) => ok * (event.mode === "flaky" ? 1 - (event.p ?? 0) : 1), 1)
    })
  }
  return segments.reverse()
}

const always: Segment = {
  from: 0,
  to: Infinity,
  cap: 1,
  reject: false,
  rejectUntil: 0,
  hang: false,
  slow: 1,
  flaky: 0
}

export interface Params {
  readonly endpoint: string
  readonly seed: number
  readonly slots: number
  readonly bg: Background
  readonly noise: number
  readonly startHour: number
  readonly events: ReadonlyArray<Event>
}

/** Answers for any time; cheap as long as the times asked for do not go back. */
export interface Capacity {
  readonly segmentAt: (seconds: number) => Segment
  readonly slotsAt: (seconds: number) => number
  /** When the slots may next be different. */
  readonly changesAfter: (seconds: number) => number
}

export const make = (params: Params): Capacity => {
  const segments = timeline(params.events)
  const keep = Math.exp(-stepSeconds / relaxation)
  const push = params.noise * Math.sqrt(1 - keep * keep)
  const start = () => stream(params.seed, "noise", params.endpoint)
  let uniform = start()
  let step = 0
  let noise = params.noise * normal(uniform)
  let segment = 0
  /** Share taken by others in step `takenAt`. */
  let taken = 0
  let takenAt = -1

  const noiseAt = (wanted: number): number => {
    if (params.noise === 0) return 0
    if (wanted < step) {
      uniform = start()
      step = 0
      noise = params.noise * normal(uniform)
    }
    for (; step < wanted; step++) noise = noise * keep + push * normal(uniform)
    return noise
  }

  const segmentAt = (seconds: number): Segment => {
    if (seconds < (segments[segment]?.from ?? 0)) segment = 0
    while (segment + 1 < segments.length && seconds >= (segments[segment]?.to ?? Infinity)) segment++
    return segments[segment] ?? always
  }

  const slotsAt = (seconds: number): number => {
    const k = Math.max(0, Math.floor(seconds / stepSeconds))
    if (k !== takenAt) {
      taken = background(params.bg, params.startHour * 3600 + k * stepSeconds) + noiseAt(k)
      takenAt = k
    }
    return Math.max(0, Math.round(params.slots * segmentAt(seconds).cap * (1 - taken)))
  }

  return {
    segmentAt,
    slotsAt,
    changesAfter: (seconds) =>
      Math.min((Math.floor(seconds / stepSeconds) + 1) * stepSeconds, segmentAt(seconds).to)
  }
}

/**
 * The state of one breaker and every way in which it changes. Pure: time comes in as milliseconds that never run
 * backwards, chance as a number in [0, 1), and what is still in flight as a count.
 *
 * Each change of state begins a new epoch. What a call reports counts in the epoch in which it was let in, and in no
 * later one.
 */
import { type Rules, watchesSlowness } from "./rules.js"
import * as Window from "./window.js"

/** Why a breaker opened. */
export type Cause = "consecutive-failures" | "failure-ratio" | "slow-ratio" | "probe-failed" | "probe-slow"

/** A call sent to find out whether the endpoint is back. */
export interface Probe {
  readonly id: number
  readonly startedAt: number
  /** It counts as a success already; its place is free again. */
  readonly accepted: boolean
}

export interface Closed {
  readonly _tag: "Closed"
  readonly epoch: number
  /** Failures since the last success. */
  readonly consecutive: number
  /** The longest that one of those took. */
  readonly longestFailure: number
  /** The latest time at which the server asked to come back. */
  readonly notBefore: number
  readonly window: Window.Window
}

interface Opening {
  readonly epoch: number
  readonly cause: Cause
  /** Openings since it was last closed. */
  readonly openings: number
  /** How long the failures took that opened it. `Infinity` when it was slowness: only an answer disproves that. */
  readonly longestFailure: number
}

export interface Open extends Opening {
  readonly _tag: "Open"
  readonly since: number
  readonly until: number
}

export interface HalfOpen extends Opening {
  readonly _tag: "HalfOpen"
  readonly successes: number
  readonly probes: ReadonlyArray<Probe>
  readonly nextProbe: number
}

export type State = Closed | Open | HalfOpen

/** What a call says about the endpoint when it ends; `ignored` says nothing. */
export type Verdict = "success" | "failure" | "ignored"

export interface Report {
  /** The epoch in which the call was let in. */
  readonly epoch: number
  /** Which probe it was, if it was one. */
  readonly probe: number | undefined
  readonly verdict: Verdict
  readonly duration: number
  /** Time to the answer, or to the first part of a streamed one. */
  readonly wait: number
  /** The wait that the server asks for; 0 for none. */
  readonly retryAfter: number
}

export const closed = (epoch: number): Closed => ({
  _tag: "Closed",
  epoch,
  consecutive: 0,
  longestFailure: 0,
  notBefore: -Infinity,
  window: undefined
})

const open = (
  rules: Rules,
  from: State,
  cause: Cause,
  longestFailure: number,
  notBefore: number,
  now: number,
  chance: number
): Open => {
  const openings = from._tag === "Closed" ? 1 : from.openings + 1
  const spread = 1 + rules.jitter * chance
  const own = rules.openFor * rules.openFactor ** (openings - 1) * spread
  const server = notBefore - now
  // Jitter lies above what the server asks for, never below.
  const asked = server > 0 ? server + Math.min(server, rules.openFor) * (spread - 1) : 0
  // Clocks count whole milliseconds: a caller who sleeps to the end of an opening must find it ended.
  const length = Math.ceil(Math.min(rules.maxOpen, Math.max(own, asked)))
  return { _tag: "Open", epoch: from.epoch + 1, cause, openings, longestFailure, since: now, until: now + length }
}

/** After this time in flight without a failure a probe counts as accepted: the refusals came sooner. */
const acceptance = (rules: Rules, state: HalfOpen): number => {
  const bar = Math.max(rules.acceptedAfter, 2 * state.longestFailure)
  return bar < slowness(rules) ? bar : Infinity
}

const slowness = (rules: Rules): number => (watchesSlowness(rules) ? rules.slowAfter : Infinity)

const tooSlow = (rules: Rules, { calls, slow }: Window.Totals, overdue: number): boolean =>
  watchesSlowness(rules) &&
  calls + overdue >= rules.slowMinimumCalls &&
  slow + overdue >= rules.slowRatio * (calls + overdue)

const closeOnEnough = (rules: Rules, state: HalfOpen): State =>
  state.successes >= rules.successesToClose ? closed(state.epoch + 1) : state

/**
 * What the passing of time alone has changed: an opening that is over, probes that were accepted or hang, calls in
 * flight that are overdue. One step at a time; when nothing changed it is the same state.
 */
export const advance = (rules: Rules, state: State, now: number, overdue: number, chance: number): State => {
  switch (state._tag) {
    case "Closed":
      return overdue > 0 && tooSlow(rules, Window.totals(state.window, rules.window, now), overdue)
        ? open(rules, state, "slow-ratio", Infinity, state.notBefore, now, chance)
        : state
    case "Open": {
      if (now < state.until) return state
      const { cause, epoch, longestFailure, openings } = state
      return {
        _tag: "HalfOpen",
        epoch: epoch + 1,
        cause,
        openings,
        longestFailure,
        successes: 0,
        probes: [],
        nextProbe: 0
      }
    }
    case "HalfOpen": {
      const bar = acceptance(rules, state)
      const limit = slowness(rules)
      const isAccepted = (probe: Probe) => !probe.accepted && now - probe.startedAt >= bar
      if (state.probes.some((probe) => !probe.accepted && now - probe.startedAt >= limit && bar === Infinity)) {
        return open(rules, state, "probe-slow", Infinity, -Infinity, now, chance)
      }
      const accepted = state.probes.filter(isAccepted).length
      if (accepted === 0) return state
      const probes = state.probes.map((probe) => (isAccepted(probe) ? { ...probe, accepted: true } : probe))
      return closeOnEnough(rules, { ...state, probes, successes: state.successes + accepted })
    }
  }
}

const occupies = (rules: Rules, probe: Probe, now: number): boolean =>
  !probe.accepted && now - probe.startedAt < rules.probeTimeout

/** Probes that hold a place. */
export const occupied = (rules: Rules, state: HalfOpen, now: number): number =>
  state.probes.filter((probe) => occupies(rules, probe, now)).length

/** Reserves a place for a probe; `undefined` when all are taken. Its number is `nextProbe` of the state before. */
export const reserve = (rules: Rules, state: HalfOpen, now: number): HalfOpen | undefined =>
  occupied(rules, state, now) < rules.probes
    ? {
      ...state,
      probes: [...state.probes, { id: state.nextProbe, startedAt: now, accepted: false }],
      nextProbe: state.nextProbe + 1
    }
    : undefined

/** How long a caller who is refused should stay away, in whole milliseconds: until the state can change by itself. */
export const retryAfter = (rules: Rules, state: State, now: number): number => {
  switch (state._tag) {
    case "Closed":
      return 0
    case "Open":
      return Math.ceil(Math.max(0, state.until - now))
    case "HalfOpen": {
      const turn = Math.min(acceptance(rules, state), slowness(rules), rules.probeTimeout)
      const held = state.probes.filter((probe) => occupies(rules, probe, now))
      return held.length === 0 ? 0 : Math.ceil(Math.min(...held.map((probe) => probe.startedAt + turn - now)))
    }
  }
}

/** A probe's first output: it was accepted, however long the rest takes. */
export const answered = (rules: Rules, state: State, epoch: number, id: number): State => {
  if (state._tag !== "HalfOpen" || state.epoch !== epoch) return state
  if (!state.probes.some((probe) => probe.id === id && !probe.accepted)) return state
  const probes = state.probes.map((probe) => (probe.id === id ? { ...probe, accepted: true } : probe))
  return closeOnEnough(rules, { ...state, probes, successes: state.successes + 1 })
}

/** The end of a call. */
export const settle = (
  rules: Rules,
  state: State,
  report: Report,
  now: number,
  overdue: number,
  chance: number
): State => {
  if (report.epoch !== state.epoch) return late(rules, state, report, now)
  switch (state._tag) {
    case "Closed":
      return settleClosed(rules, state, report, now, overdue, chance)
    case "Open":
      return state
    case "HalfOpen":
      return settleProbe(rules, state, report, now, chance)
  }
}

/** A call of an earlier epoch teaches nothing, but an open breaker still heeds when the server asks to come back. */
const late = (rules: Rules, state: State, report: Report, now: number): State => {
  if (state._tag !== "Open" || report.verdict !== "failure") return state
  const until = Math.min(now + report.retryAfter, state.since + rules.maxOpen)
  return until > state.until ? { ...state, until } : state
}

const settleClosed = (
  rules: Rules,
  state: Closed,
  report: Report,
  now: number,
  overdue: number,
  chance: number
): State => {
  if (report.verdict === "ignored") return state
  const failed = report.verdict === "failure"
  const slow = report.wait >= rules.slowAfter
  const next: Closed = {
    _tag: "Closed",
    epoch: state.epoch,
    consecutive: failed ? state.consecutive + 1 : 0,
    longestFailure: failed ? Math.max(state.longestFailure, report.duration) : 0,
    notBefore: failed && report.retryAfter > 0 ? Math.max(state.notBefore, now + report.retryAfter) : state.notBefore,
    window: Window.add(state.window, rules.window, now, { failed, slow, duration: report.duration })
  }
  const trip = (cause: Cause, longestFailure: number) =>
    open(rules, next, cause, longestFailure, next.notBefore, now, chance)
  if (next.consecutive >= rules.consecutiveFailures) return trip("consecutive-failures", next.longestFailure)
  if (!failed && !slow && overdue === 0) return next
  const totals = Window.totals(next.window, rules.window, now)
  // A success must not trip it, whatever the ratio is.
  if (failed && totals.calls >= rules.minimumCalls && totals.failures >= rules.failureRatio * totals.calls) {
    return trip("failure-ratio", totals.longestFailure)
  }
  return tooSlow(rules, totals, overdue) ? trip("slow-ratio", Infinity) : next
}

const settleProbe = (rules: Rules, state: HalfOpen, report: Report, now: number, chance: number): State => {
  const probe = state.probes.find(({ id }) => id === report.probe)
  if (probe === undefined) return state
  const rest: HalfOpen = { ...state, probes: state.probes.filter(({ id }) => id !== probe.id) }
  if (report.verdict === "failure") {
    const longest = Math.max(state.longestFailure, report.duration)
    const notBefore = report.retryAfter > 0 ? now + report.retryAfter : -Infinity
    return open(rules, state, "probe-failed", longest, notBefore, now, chance)
  }
  if (report.verdict === "ignored" || probe.accepted) return rest
  return report.wait >= slowness(rules)
    ? open(rules, state, "probe-slow", Infinity, -Infinity, now, chance)
    : closeOnEnough(rules, { ...rest, successes: rest.successes + 1 })
}

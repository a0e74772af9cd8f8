/**
 * Admission control for one endpoint: who waits, who is in flight, who may start, and what each ending teaches.
 *
 * Event in, decisions out: the driver says what happened and when (`arrive`, `answered`, `rejected`…), then lets the
 * controller decide (`pump`) and asks when to come back (`nextAt`). There is no clock and no timer in here. Times are
 * seconds and must not go back. Changed in place, at most O(log n) an event: a simulation makes millions of them.
 */
import { dueOrder, type Entry, queueOrder } from "./entry.js"
import * as Estimates from "./estimates.js"
import { Heap } from "./heap.js"
import * as Pace from "./pace.js"
import { fixed, type Settings } from "./settings.js"

export { entry } from "./entry.js"
export type { Arrival, Entry, Tagged } from "./entry.js"

/** Why a call was turned away. */
export type ShedReason = "deadline" | "full"

/** What is decided about a call. */
export interface Decide<in E> {
  readonly start: (entry: E) => void
  readonly shed: (entry: E, reason: ShedReason) => void
}

export interface Controller<E extends Entry<E>> extends Estimates.Estimates {
  readonly pace: Pace.Pace
  /** Who goes first. */
  readonly queue: Heap<E>
  /** Whose deadline comes first. */
  readonly due: Heap<E>
  /** The ends of the list of calls in flight. */
  oldest: E | undefined
  newest: E | undefined
  closedUntil: number
  /** Since when calls were turned away that could not finish even if they started on arrival. */
  hopelessSince: number
  order: number
}

export const make = <E extends Entry<E>>(settings: Settings): Controller<E> => ({
  ...Estimates.make(settings),
  pace: Pace.make(),
  queue: new Heap<E>(queueOrder),
  due: new Heap<E>(dueOrder),
  oldest: undefined,
  newest: undefined,
  closedUntil: -Infinity,
  hopelessSince: Infinity,
  order: 0
})

/** How many may be in flight; unbounded unless slow. Little's law: no more than pace times service time are needed. */
export const flightLimit = <E extends Entry<E>>(self: Controller<E>): number =>
  self.pace.mode === "slow"
    ? Math.max(1, Math.floor(self.settings.concurrency * self.pace.rate * self.service))
    : Infinity

const advance = <E extends Entry<E>>(self: Controller<E>, now: number): void => {
  Pace.advance(self.pace, self.settings, self.latency, now)
  if (self.pace.mode === "off") return
  Pace.relax(self.pace, (self.arrivals.count(now) + fixed.arrivalDoubt) / fixed.arrivalSpan, now)
}

/** May a call start, as far as the endpoint is concerned? */
const open = <E extends Entry<E>>(self: Controller<E>, now: number): boolean =>
  now >= self.closedUntil &&
  (self.pace.mode === "off" || self.pace.tokens >= 1 - 1e-9) &&
  (self.pace.mode !== "slow" || self.inFlight + Estimates.lostNow(self, now) < flightLimit(self))

/**
 * A call that could not finish even if it started on arrival. One at a time and now and then it is tried all the same:
 * else an estimate that is too long would never be corrected.
 */
const probe = <E extends Entry<E>>(self: Controller<E>, call: E, now: number): boolean => {
  if (call.deadline - call.born >= self.settings.fit * self.service) return false
  if (self.hopelessSince === Infinity) self.hopelessSince = now
  if (self.inFlight > 0 || now - self.hopelessSince < self.settings.quiet) return false
  self.hopelessSince = now
  return true
}

const fits = <E extends Entry<E>>(self: Controller<E>, call: E, now: number): boolean =>
  call.deadline - now >= Estimates.timeNeeded(self, now) || (call.deadline > now && probe(self, call, now))

const leaveQueue = <E extends Entry<E>>(self: Controller<E>, call: E): void => {
  self.queue.remove(call)
  self.due.remove(call)
}

/** Puts a call among those in flight. */
const begin = <E extends Entry<E>>(self: Controller<E>, call: E, now: number): void => {
  call.startedAt = now
  call.older = self.newest
  if (self.newest === undefined) self.oldest = call
  else self.newest.newer = call
  self.newest = call
  self.oldestStart = self.oldest!.startedAt
  self.inFlight++
}

/** Takes a call from those in flight; returns how long it was among them. */
const end = <E extends Entry<E>>(self: Controller<E>, call: E, now: number): number => {
  if (call.older === undefined) self.oldest = call.newer
  else call.older.newer = call.newer
  if (call.newer === undefined) self.newest = call.older
  else call.newer.older = call.older
  call.older = undefined
  call.newer = undefined
  self.oldestStart = self.oldest === undefined ? Infinity : self.oldest.startedAt
  self.inFlight--
  return now - call.startedAt
}

/** Counts a call that was not here before. */
const meet = <E extends Entry<E>>(self: Controller<E>, call: E, fresh: boolean, now: number): void => {
  if (!fresh) return
  self.arrivals.add(now)
  if (!call.batch && call.deadline < Infinity && call.deadline > now) self.window = call.deadline - now
}

/**
 * A call arrives, or comes back after a rejection (`fresh` is false then). It waits until `pump` starts it or turns it
 * away. When too many wait, the one whose deadline comes first makes room, unless it goes before the newcomer.
 */
export const arrive = <E extends Entry<E>>(
  self: Controller<E>,
  call: E,
  fresh: boolean,
  now: number,
  decide: Decide<E>
): void => {
  meet(self, call, fresh, now)
  call.order = self.order++
  if (self.queue.size >= self.settings.maxWaiting) {
    const first = self.due.first()
    const goes = first !== undefined && queueOrder.before(call, first) ? first : call
    leaveQueue(self, goes)
    decide.shed(goes, "full")
    if (goes === call) return
  }
  self.queue.push(call)
  if (call.deadline < Infinity) self.due.push(call)
}

/** When a call with that deadline can no longer finish, however early it starts. */
const hopelessAt = <E extends Entry<E>>(self: Controller<E>, deadline: number): number =>
  deadline - self.settings.fit * self.service + 1e-3

/** Decides about all that can be decided now. */
export const pump = <E extends Entry<E>>(self: Controller<E>, now: number, decide: Decide<E>): void => {
  advance(self, now)
  Pace.persist(self.pace, self.settings, self.queue.size, self.success)
  const earliest = Math.max(now, self.closedUntil)
  for (let call = self.due.first(); call !== undefined; call = self.due.first()) {
    if (hopelessAt(self, call.deadline) > earliest) break
    leaveQueue(self, call)
    if (open(self, now) && call.deadline > now && probe(self, call, now)) start(self, call, now, decide)
    else decide.shed(call, "deadline")
  }
  for (let call = self.queue.first(); call !== undefined && open(self, now); call = self.queue.first()) {
    leaveQueue(self, call)
    if (fits(self, call, now)) start(self, call, now, decide)
    else decide.shed(call, "deadline")
  }
}

const start = <E extends Entry<E>>(self: Controller<E>, call: E, now: number, decide: Decide<E>): void => {
  if (self.pace.mode !== "off") self.pace.tokens -= 1
  begin(self, call, now)
  decide.start(call)
}

/** In slow mode, when there is a place again: a lost call expires, or the limit grows. Ends are events of their own. */
const placeAt = <E extends Entry<E>>(self: Controller<E>, now: number): number => {
  const taken = self.inFlight + Estimates.lostNow(self, now)
  if (self.pace.mode !== "slow" || taken < flightLimit(self)) return now
  const expires = self.lost[0] === undefined ? Infinity : self.lost[0] + self.window
  const rate = (taken + 1) / (self.settings.concurrency * self.service)
  return Math.min(expires, Pace.rateReachedAt(self.pace, self.settings, self.latency, rate))
}

/** When pacing may end; from then on it hangs on our own arrivals, and is looked at now and then. */
const offAt = <E extends Entry<E>>(self: Controller<E>, now: number): number =>
  self.pace.mode === "off" ? now : Math.max(self.pace.lastSignal + fixed.offAfter, now + fixed.arrivalSpan / 30)

/** When `pump` is due again, if nothing happens before; `Infinity` when nobody waits. */
export const nextAt = <E extends Entry<E>>(self: Controller<E>, now: number): number => {
  if (self.queue.size === 0) return Infinity
  const first = self.due.first()
  const hopeless = first === undefined ? Infinity : hopelessAt(self, first.deadline)
  const token = Pace.tokenAt(self.pace, self.settings, self.latency)
  const opens = Math.max(self.closedUntil, Math.min(offAt(self, now), Math.max(token, placeAt(self, now))))
  return Math.max(now, Math.min(hopeless, opens))
}

/** What would become of a call, for a mode that only records. It starts in any case. */
export const observe = <E extends Entry<E>>(
  self: Controller<E>,
  call: E,
  fresh: boolean,
  now: number
): "start" | "wait" | "shed" => {
  meet(self, call, fresh, now)
  advance(self, now)
  const mayStart = open(self, now)
  const verdict = call.deadline - now < Estimates.timeNeeded(self, now) ? "shed" : mayStart ? "start" : "wait"
  if (verdict === "start" && self.pace.mode !== "off") self.pace.tokens -= 1
  begin(self, call, now)
  return verdict
}

/** A waiting call goes away by itself. */
export const cancel = <E extends Entry<E>>(self: Controller<E>, call: E): void => leaveQueue(self, call)

/** An attempt ended in a way that says nothing of the endpoint. */
export const released = <E extends Entry<E>>(self: Controller<E>, call: E, now: number): void => {
  end(self, call, now)
}

const slow = <E extends Entry<E>>(self: Controller<E>, now: number): void =>
  Pace.onSlow(self.pace, self.settings, Estimates.answersPerSecond(self, now), self.window, now)

const reject = <E extends Entry<E>>(self: Controller<E>, quota: boolean, now: number): void =>
  Pace.onReject(self.pace, self.settings, Estimates.answersPerSecond(self, now), quota, now)

/** The endpoint answered. */
export const answered = <E extends Entry<E>>(self: Controller<E>, call: E, now: number): void => {
  advance(self, now)
  const elapsed = end(self, call, now)
  Estimates.learnLatency(self, elapsed)
  Estimates.learnSuccess(self, 1)
  self.failures = 0
  self.hopelessSince = Infinity
  self.answers.add(now)
  if (Estimates.isLate(self, elapsed)) slow(self, now)
  else Pace.onGood(self.pace, self.settings, now)
}

/** A refusal by the endpoint. */
export interface Refusal {
  /** Our own limit, rather than want of capacity. */
  readonly quota: boolean
  /** The server's own time in seconds, 0 for none. */
  readonly hint: number
  /** Uniform in [0, 1): lengthens the server's time a little. */
  readonly luck: number
}

/** The endpoint refused. */
export const rejected = <E extends Entry<E>>(self: Controller<E>, call: E, now: number, refusal: Refusal): void => {
  advance(self, now)
  const elapsed = end(self, call, now)
  const { hint, luck, quota } = refusal
  Estimates.learnSuccess(self, 0)
  self.failures = 0
  if (hint > 0) self.closedUntil = Math.max(self.closedUntil, now + hint * (1 + fixed.hintSpread * luck))
  if (Estimates.isLate(self, elapsed)) slow(self, now)
  else reject(self, quota, now)
}

/** The attempt failed as attempts sometimes do (a 500, a reset connection): a signal only when it goes on. */
export const failed = <E extends Entry<E>>(self: Controller<E>, call: E, now: number): void => {
  advance(self, now)
  const elapsed = end(self, call, now)
  Estimates.learnSuccess(self, 0)
  self.failures++
  if (Estimates.isLate(self, elapsed)) slow(self, now)
  else if (self.failures >= fixed.failuresInRow) reject(self, false, now)
}

/**
 * The caller left and the server works on: its deadline passed in flight (`late`), or it was abandoned before. How long
 * the answer would have taken nobody knows; longer than this, so it counts as a latency when it is above the average.
 */
export const lost = <E extends Entry<E>>(self: Controller<E>, call: E, now: number, late: boolean): void => {
  advance(self, now)
  const elapsed = end(self, call, now)
  self.lost.push(now)
  Estimates.learnAtLeast(self, elapsed)
  Estimates.learnSuccess(self, 0)
  if (late || Estimates.isLate(self, elapsed)) slow(self, now)
}

/** An attempt that was let start never did: its token comes back. */
export const withdrawn = <E extends Entry<E>>(self: Controller<E>, call: E, now: number): void => {
  end(self, call, now)
  if (self.pace.mode !== "off") self.pace.tokens += 1
}

/**
 * Bounds how many calls are in flight at once, and how many wait for their turn.
 *
 * What waits is ordered (`fifo`, `lifo` or earliest deadline first), higher priorities go first without starving lower
 * ones, tenants of one priority take turns, and what can no longer finish in time is shed rather than started. The
 * limit is fixed, or follows what the endpoint can take (AIMD on capacity errors). There is one bulkhead per endpoint
 * (`CurrentCall.endpoint`), or per `key`; calls without one share the key `"default"`.
 *
 * Not for a quota of so many calls a minute: that is a rate limit. Calls in flight are counted where this policy
 * stands: inside a retry attempts, outside of it whole generations with their waits.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type Call, CurrentCall } from "./CurrentCall.js"
import * as GenerationError from "./GenerationError.js"
import type { Cell, CellState, Reason, Result, Rules } from "./internal/bulkhead/cell.js"
import { Cells } from "./internal/bulkhead/cells.js"
import type { AimdRules } from "./internal/bulkhead/limit.js"
import { type Order, orders } from "./internal/bulkhead/line.js"
import type { Rejection, Ticket, Waiter } from "./internal/bulkhead/waiter.js"
import { firstFailure } from "./internal/ending.js"
import type { Gate, Leave, Visitor } from "./internal/gate.js"
import * as Options from "./internal/options.js"
import { gated } from "./internal/policy.js"
import * as Timer from "./internal/timer.js"
import type * as Policy from "./Policy.js"
import { QueueFull, Shed } from "./Rejected.js"

export type { Order } from "./internal/bulkhead/line.js"
export { otherKey } from "./internal/bulkhead/cells.js"

/** An adaptive limit: additive increase, multiplicative decrease. All but `decrease` in calls. */
export interface AimdOptions {
  /** The limit never falls below it; at least 1. Default 1. */
  readonly min?: number | undefined
  /** The limit never grows beyond it; at least `min`. Default 64. */
  readonly max?: number | undefined
  /** Added after as many successes as the limit is, if the limit was reached meanwhile; above 0. Default 1. */
  readonly increase?: number | undefined
  /** Factor of a cut, at most one for each flight of calls; from 0.1 to 0.99. Default 0.7. */
  readonly decrease?: number | undefined
}

/** Options of `make`. */
export interface MakeOptions {
  /** Default `"Bulkhead"`. */
  readonly name?: string | undefined
  /** Calls in flight at once, for each key; at least 1. With `aimd` the limit to start from. Default 8. */
  readonly limit?: number | undefined
  /** Makes the limit follow what the endpoint can take. Default none: the limit is fixed. */
  readonly aimd?: AimdOptions | undefined
  /** Calls that may wait, for each key; 0 to 1,000,000. Default 32. */
  readonly queue?: number | undefined
  /** Which call of a tenant is next: oldest, newest, or earliest deadline first. Default `"fifo"`. */
  readonly order?: Order | undefined
  /**
   * Share of the starts, and of the places in the queue, that lower priorities keep when higher ones want all; 0 (they
   * wait until nobody else does, perhaps for ever) to 0.5. Default 0.125: one start in eight.
   */
  readonly reserve?: number | undefined
  /** How long a call needs at least: with less time than that left it is shed. Default 0. */
  readonly minTime?: Duration.DurationInput | undefined
  /**
   * Whether a call that has to wait must also fit the usual time of a call, the median of the last 15 successes once
   * there are 5. A call that finds a permit is not held to it. Default true.
   */
  readonly learnTime?: boolean | undefined
  /** Longest wait; at least 1 ms. Default none: until the deadline. */
  readonly maxWait?: Duration.DurationInput | undefined
  /** Which bulkhead a call belongs to. Default: the endpoint of the call; `"default"` without one. */
  readonly key?: ((call: Call) => string | undefined) | undefined
  /** Keys at once; when more are in use, further ones share the key `otherKey`. Default 256. */
  readonly maxKeys?: number | undefined
  /** A key without calls is forgotten after this time, with what was learnt. Default 1 hour. */
  readonly idleTime?: Duration.DurationInput | undefined
  /** Which errors cut an adaptive limit. Default `isNoCapacity`. */
  readonly isNoCapacity?: ((error: unknown) => boolean) | undefined
}

/**
 * The defaults, as the docs table states them; they suit calls of 30-100 s. 8 in flight are 5-16 calls a minute, what
 * the keys of image models allow; the last of 32 waiting behind them starts after 2 minutes at 30 s a call, about as
 * long as somebody waits. An adaptive limit gives up 30 % for each flight that meets no capacity, as a flight lasts as
 * long as a call and halving would take minutes to win back; it may fall to 1, as a single slow call is load too.
 */
export const defaults = {
  name: "Bulkhead",
  limit: 8,
  queue: 32,
  order: "fifo",
  reserve: 0.125,
  minTime: "0 millis",
  learnTime: true,
  maxKeys: 256,
  idleTime: "1 hour",
  aimd: { min: 1, max: 64, increase: 1, decrease: 0.7 }
} as const satisfies MakeOptions

/** Calls by where they are. */
export interface Counts {
  readonly inFlight: number
  readonly queued: number
}

/** One bulkhead at one instant. */
export interface State extends Counts {
  /** Calls that may be in flight. After it has shrunk there can be more, until they come back. */
  readonly limit: number
  /** The tenants that have calls. */
  readonly tenants: ReadonlyMap<string, Counts>
  /** The usual time of a call; `undefined` while too few succeeded. */
  readonly usualTime: Duration.Duration | undefined
}

/** A policy that refuses with `QueueFull` or `Shed`, its state, and its limit. */
export interface Bulkhead extends Policy.Policy<QueueFull | Shed> {
  /** The state of the bulkhead that the current call belongs to. */
  readonly state: Effect.Effect<State>
  /** The states of all bulkheads by key. */
  readonly states: Effect.Effect<ReadonlyMap<string, State>>
  /**
   * Another limit, for all keys: a higher one lets waiting calls in at once, a lower one takes hold as calls come back,
   * and interrupts none. An adaptive limit goes on from it. Throws a `RangeError` for what `make` would refuse.
   */
  readonly resize: (limit: number) => Effect.Effect<void>
}

/**
 * Does an error say that the endpoint has no capacity for what is in flight: `Overloaded`, `RateLimited`, or a timeout
 * that a gateway reports? Our own timeouts say how patient we are, and an injected error says nothing.
 */
export const isNoCapacity = (error: unknown): boolean =>
  !GenerationError.isInjected(error) &&
  (GenerationError.isCapacity(error) ||
    (GenerationError.isGenerationError(error) && error._tag === "Timeout" && error.phase === "server"))

const owner = "Bulkhead.make"

const aimdOf = (options: AimdOptions): AimdRules => {
  const min = Options.count(owner, "aimd.min", options.min, defaults.aimd.min, { min: 1, max: 1_000_000 })
  return {
    min,
    max: Options.count(owner, "aimd.max", options.max, Math.max(min, defaults.aimd.max), { min, max: 1_000_000 }),
    increase: Options.number(owner, "aimd.increase", options.increase, defaults.aimd.increase, { min: 0.001 }),
    decrease: Options.number(owner, "aimd.decrease", options.decrease, defaults.aimd.decrease, { min: 0.1, max: 0.99 })
  }
}

/** A legal limit, for a fixed or an adaptive one. */
const limitOf = (where: string, limit: number | undefined, aimd: AimdRules | undefined): number => {
  const { max, min } = aimd ?? { min: 1, max: 1_000_000 }
  return Options.count(where, "limit", limit, Math.min(max, Math.max(min, defaults.limit)), { min, max })
}

const seconds = (millis: number): string => Duration.format(Duration.millis(Math.max(0, Math.round(millis))))

const refusal = (name: string) => (reason: Reason, { inFlight, limit, queued, usualTime }: CellState): Rejection => {
  const common = { policy: "Bulkhead", policyName: name }
  const shed = (message: string) => new Shed({ ...common, message })
  switch (reason._tag) {
    case "Full":
      return new QueueFull({
        ...common,
        message: `${inFlight} calls are in flight and ${queued} wait: come back later, or ask for less at once`,
        // A place becomes free whenever a call ends.
        retryAfter: usualTime === undefined ? undefined : Math.ceil(usualTime / limit)
      })
    case "Displaced":
      return shed("a more urgent call took its place in the full queue: come back later, or allow a longer queue")
    case "TooLate":
      return shed(
        `${seconds(reason.left)} are left after waiting ${seconds(reason.waited)}, and a call needs ` +
          `${reason.needed > 0 ? seconds(reason.needed) : "more"}: allow more time, or try again when less is asked for`
      )
    case "Waited":
      return shed(
        `waited ${seconds(reason.waited)} for its turn, as long as is allowed: try again when less is asked for`
      )
  }
}

/** The releases of waiting calls: one timer for each key with calls to be released, set for the first of them. */
const releases = (): Rules["watch"] => {
  const alarms = new Map<Cell, { readonly waiter: Waiter; readonly cancel: () => void }>()
  return (cell, first) => {
    const alarm = alarms.get(cell)
    if (first === alarm?.waiter) return
    alarm?.cancel()
    if (first === undefined) {
      alarms.delete(cell)
      return
    }
    // Every asker is a visitor of the gate below.
    const { fiber } = first.asker as Visitor<Rejection, Ticket>
    const clock = Timer.clockOf(fiber)
    const millis = Math.max(0, first.releaseAt - clock.unsafeCurrentTimeMillis())
    const ring = (): void => {
      alarms.delete(cell)
      cell.release(clock.unsafeCurrentTimeMillis())
    }
    alarms.set(cell, { waiter: first, cancel: Timer.schedule(fiber, Math.min(millis, Timer.maxTimerMillis), ring) })
  }
}

const resultOf = (how: Leave, isNoCapacityError: (error: unknown) => boolean): Result => {
  if (how === "never-started") return "nothing"
  if (Exit.isSuccess(how)) return "success"
  const error = firstFailure(how.cause)
  return error !== undefined && isNoCapacityError(error) ? "no-capacity" : "nothing"
}

/**
 * A policy that refuses with `QueueFull` when there is no place to wait, and with `Shed` what waited in vain: it could
 * not finish by its deadline, waited longer than `maxWait`, or lost its place to a more urgent call. Its state lives in
 * the value: make it once, and share it. Throws a `RangeError` for an option that is out of its range.
 */
export const make = (options: MakeOptions = {}): Effect.Effect<Bulkhead> => {
  const aimd = options.aimd === undefined ? undefined : aimdOf(options.aimd)
  const name = options.name ?? defaults.name
  const rules = {
    limit: limitOf(owner, options.limit, aimd),
    minTime: Options.millis(owner, "minTime", options.minTime, defaults.minTime, { max: Timer.maxTimerMillis }),
    learnTime: options.learnTime ?? defaults.learnTime,
    maxWait: options.maxWait === undefined ? Infinity : Options.millis(owner, "maxWait", options.maxWait, 0, { min: 1 })
  }
  const queue = {
    capacity: Options.count(owner, "queue", options.queue, defaults.queue, { min: 0, max: 1_000_000 }),
    order: Options.oneOf(owner, "order", options.order, defaults.order, orders),
    reserve: Options.number(owner, "reserve", options.reserve, defaults.reserve, { min: 0, max: 0.5 })
  }
  const family = {
    maxKeys: Options.count(owner, "maxKeys", options.maxKeys, defaults.maxKeys, { min: 1, max: 1_000_000 }),
    idleTime: Options.millis(owner, "idleTime", options.idleTime, defaults.idleTime, { min: 1 })
  }
  const { capacity, ...ordering } = queue
  const { maxWait, ...always } = rules
  const described: Policy.Description["options"] = {
    ...always,
    queue: capacity,
    ...ordering,
    ...(maxWait === Infinity ? {} : { maxWait }),
    ...Object.fromEntries(Object.entries(aimd ?? {}).map(([field, value]) => [`aimd.${field}`, value as number])),
    ...family
  }
  const teaches = options.isNoCapacity ?? isNoCapacity
  const keyOf = options.key ?? ((call: Call) => call.endpoint)
  return Effect.sync(() => {
    const cells = new Cells(family, { ...rules, aimd, queue, refusal: refusal(name), watch: releases() })
    return fromCells(cells, {
      described: { kind: "Bulkhead", name, options: described },
      keyOf: (call) => keyOf(call) ?? "default",
      resultOf: (how) => resultOf(how, teaches),
      limitOf: (limit) => limitOf("Bulkhead.resize", limit, aimd)
    })
  })
}

interface Parts {
  readonly described: Parameters<typeof gated>[1]
  readonly keyOf: (call: Call) => string
  readonly resultOf: (how: Leave) => Result
  readonly limitOf: (limit: number) => number
}

const fromCells = (cells: Cells, { described, keyOf, limitOf: legal, resultOf: resultFrom }: Parts): Bulkhead => {
  const gate: Gate<Rejection, Ticket> = {
    enter: (visitor) => {
      const cell = cells.of(keyOf(visitor.call), visitor.now)
      const decision = cell.arrive(visitor)
      cells.used(cell, visitor.now)
      return decision
    },
    leave: (ticket, how, now) => {
      let result: Result = "nothing"
      try {
        result = resultFrom(how)
      } finally {
        // Whatever a caller's own predicate throws, the ticket comes back.
        ticket.cell.leave(ticket, result, now)
        cells.used(ticket.cell, now)
      }
    }
  }
  const reading = <A>(read: (now: number) => A): Effect.Effect<A> => Effect.map(Clock.currentTimeMillis, read)
  return {
    ...gated(gate, described),
    state: Effect.flatMap(CurrentCall, (call) => reading((now) => stateOf(cells.read(keyOf(call), now)))),
    states: reading((now) => new Map([...cells.all(now)].map(([key, cell]) => [key, stateOf(cell)]))),
    resize: (limit) => {
      const size = legal(limit)
      return reading((now) => cells.resize(size, now))
    }
  }
}

const stateOf = (cell: Cell): State => {
  const { inFlight, limit, queued, usualTime } = cell.state
  return {
    limit,
    inFlight,
    queued,
    tenants: cell.byTenant,
    usualTime: usualTime === undefined ? undefined : Duration.millis(usualTime)
  }
}

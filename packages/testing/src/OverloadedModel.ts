/**
 * A model that runs out of capacity: slots, a bounded queue, service times, load by other tenants, outages, quotas.
 *
 * What a policy is tested against. It runs on the ambient `Clock`, so under `TestClock` hours pass in milliseconds, and
 * capacity and service times come from the seed alone: two policies meet the same world. It takes nothing of a
 * provider's language; for that there is the server under `@holdfast/testing/node`. It is no model of any one
 * provider's scheduler, so absolute figures from it are worth less than comparisons.
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Heap from "./internal/heap.js"
import * as Stations from "./internal/stations.js"
import type * as Station from "./internal/station.js"
import * as Scenario from "./Scenario.js"

export interface Options {
  /** Same seed, same capacity and service times; an integer. Default: drawn from `Random`. */
  readonly seed?: number | undefined
  /** Seconds of the scenario per second of the clock, greater than 0. Default 1. */
  readonly speed?: number | undefined
  /** UTC hour of the start, 0 up to (not including) 24, instead of the scenario's. */
  readonly startHour?: number | undefined
}

/** Default options; the seed has none. */
export const defaults = { speed: 1 } as const

/** One attempt, as the model sees it. */
export interface Request {
  /** Name of the scenario's endpoint. Default: its first. */
  readonly endpoint?: string | undefined
  /** Whose quota it counts against. Default `"client"`. */
  readonly client?: string | undefined
  /**
   * Identity of the generation: every attempt that names the same one needs the same amount of work. Default: a new
   * one for each attempt.
   */
  readonly requestId?: string | number | undefined
  /** Called when a worker takes it. */
  readonly onStart?: (() => void) | undefined
}

/** The generation is made. Durations are of the clock, not of the scenario. */
export interface Completed {
  readonly _tag: "Completed"
  readonly endpoint: string
  /** Time in the queue. */
  readonly waited: Duration.Duration
  /** Time with a worker. */
  readonly served: Duration.Duration
  /** What it costs, in the scenario's unit. */
  readonly price: number
}

/**
 * - `overloaded`: no slot and no waiting place (503).
 * - `outage`: the endpoint turns everybody away (503).
 * - `queue-timeout`: waited in the queue for too long (a late 503).
 * - `rate-limited`: over the quota (429).
 * - `error`: an error of the endpoint's own (500).
 */
export type Reason = Station.Reason

/** The endpoint's refusal. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly endpoint: string
  readonly reason: Reason
  /** What an HTTP front door would say. */
  readonly status: 429 | 500 | 503
  /** How long the endpoint asks the caller to stay away, on the clock. */
  readonly retryAfter?: Duration.Duration | undefined
  readonly message: string
}> {}

/** What the model saw: sums since the start, and the levels `busy`, `queued`, `hung` of now. */
export interface Tally extends Readonly<Station.Tally> {}

export interface Counters extends Tally {
  readonly byEndpoint: Readonly<Record<string, Tally>>
}

export interface EndpointSnapshot {
  readonly name: string
  /** Slots left by other tenants and events. */
  readonly slots: number
  readonly busy: number
  readonly queued: number
  /** Waiting places. */
  readonly queue: number
  readonly hung: number
  readonly modes: ReadonlyArray<Scenario.Mode>
}

export interface Snapshot {
  /** Time since the start, of the scenario. */
  readonly elapsed: Duration.Duration
  /** Hour of the scenario's UTC day, 0 up to 24. */
  readonly utcHour: number
  readonly endpoints: ReadonlyArray<EndpointSnapshot>
}

export interface OverloadedModel {
  readonly scenario: Scenario.Scenario
  readonly seed: number
  readonly speed: number
  /** The names of the endpoints, in the scenario's order. */
  readonly endpoints: ReadonlyArray<string>
  /**
   * One attempt. Interrupting it means that the caller leaves: a worker goes on all the same, and a waiting place is
   * given up only if the scenario says `cancel: "queued"`. An endpoint that the scenario does not have is a defect.
   */
  readonly submit: (request?: Request) => Effect.Effect<Completed, Refused>
  readonly counters: Effect.Effect<Counters>
  readonly snapshot: Effect.Effect<Snapshot>
}

const statusOf: Readonly<Record<Reason, 429 | 500 | 503>> = {
  overloaded: 503,
  outage: 503,
  "queue-timeout": 503,
  "rate-limited": 429,
  error: 500
}

const messageOf: Readonly<Record<Reason, string>> = {
  overloaded: "The model is overloaded: no worker is free and the queue is full.",
  outage: "The model is overloaded: it takes no requests at the moment.",
  "queue-timeout": "The model is overloaded: the request waited in the queue for too long.",
  "rate-limited": "The quota of requests per minute is used up.",
  error: "The model failed with an error of its own."
}

/** One caller, waiting for its answer. */
interface Waiter {
  readonly endpoint: string
  readonly onStart: (() => void) | undefined
  answer: Effect.Effect<Completed, Refused> | undefined
  resume: ((answer: Effect.Effect<Completed, Refused>) => void) | undefined
}

const checked = (field: string, legal: string, ok: boolean, value: number): Effect.Effect<void> =>
  ok ? Effect.void : Effect.dieMessage(`OverloadedModel: "${field}" must be ${legal}; got ${value}`)

/** A timer may fire this much early, in seconds of the clock. */
const timerSlack = 0.002

/**
 * A model that starts now. Illegal options and an illegal scenario are defects that name the field.
 *
 * @example
 * import { OverloadedModel, Scenario } from "@holdfast/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const model = yield* OverloadedModel.make(Scenario.builtIn.peak, { seed: 1 })
 *   return yield* Effect.either(model.submit({ client: "a", requestId: 1 }))
 * })
 */
export const make = (scenario: Scenario.Scenario, options: Options = {}): Effect.Effect<OverloadedModel> =>
  Effect.gen(function*() {
    const valid = Scenario.decode(scenario)
    if (Either.isLeft(valid)) return yield* Effect.dieMessage(`OverloadedModel: ${valid.left.message}`)
    const speed = options.speed ?? defaults.speed
    const startHour = options.startHour ?? scenario.startHour ?? Scenario.defaults.startHour
    const seed = options.seed ?? (yield* Random.nextIntBetween(0, 2 ** 31))
    yield* checked("speed", "a finite number above 0", Number.isFinite(speed) && speed > 0, speed)
    yield* checked("startHour", "at least 0 and below 24", startHour >= 0 && startHour < 24, startHour)
    yield* checked("seed", "an integer", Number.isSafeInteger(seed), seed)

    const clock = yield* Effect.clock
    const epoch = clock.unsafeCurrentTimeMillis()
    const seconds = (): number => ((clock.unsafeCurrentTimeMillis() - epoch) / 1000) * speed
    const onClock = (modelSeconds: number): Duration.Duration => Duration.millis((modelSeconds * 1000) / speed)

    const answers = Heap.make<() => void>()
    /** How far the stations have been brought. */
    let now = 0
    let waiters = 0
    let sequence = 0
    let timer: Fiber.RuntimeFiber<void> | undefined
    let timerAt = Infinity

    const deliver = (waiter: Waiter, answer: Effect.Effect<Completed, Refused>): void => {
      if (waiter.answer !== undefined) return
      waiter.answer = answer
      waiter.resume?.(answer)
    }

    const toEffect = (output: Station.Output<Waiter>): Effect.Effect<Completed, Refused> => {
      const { arrivedAt, endsAt, startedAt, tag } = output.job
      if (output._tag === "Refused") {
        return Effect.fail(
          new Refused({
            endpoint: tag.endpoint,
            reason: output.reason,
            status: statusOf[output.reason],
            retryAfter: output.retryAfter === undefined ? undefined : onClock(output.retryAfter),
            message: messageOf[output.reason]
          })
        )
      }
      return Effect.succeed({
        _tag: "Completed",
        endpoint: tag.endpoint,
        waited: onClock(startedAt - arrivedAt),
        served: onClock(endsAt - startedAt),
        price: stations.price(tag.endpoint)
      })
    }

    const stations = Stations.make<Waiter>(scenario, { seed, startHour }, (output) => {
      const waiter = output.job.tag
      if (output._tag === "Started") return waiter.onStart?.()
      const answer = toEffect(output)
      if (output.at <= now) deliver(waiter, answer)
      else answers.push(output.at, () => deliver(waiter, answer))
    })

    const advance = (to: number): void => {
      now = Math.max(now, to)
      stations.advance(now)
      while (answers.first() <= now) answers.pop()?.()
    }

    const nextWake = (): number => (waiters === 0 ? Infinity : Math.min(answers.first(), stations.nextAt()))

    /** Sleeps from one due event to the next, for as long as somebody waits for an answer. */
    const drive: Effect.Effect<void> = Effect.suspend(() => {
      const wake = nextWake()
      timerAt = wake
      if (wake === Infinity) {
        timer = undefined
        return Effect.void
      }
      return Effect.flatMap(clock.sleep(onClock(Math.max(0, wake - seconds()))), () => {
        const late = seconds()
        advance(late >= wake - timerSlack * speed ? Math.max(late, wake) : late)
        return drive
      })
    })

    /** Makes sure that the timer fires no later than the next event, and that there is none for nobody. */
    const arm: Effect.Effect<void> = Effect.suspend(() => {
      const wake = nextWake()
      if (timer !== undefined && timerAt <= wake && wake !== Infinity) return Effect.void
      const old = timer
      timer = undefined
      const stop = old === undefined ? Effect.void : Fiber.interruptFork(old)
      if (wake === Infinity) return stop
      timerAt = wake
      return Effect.zipRight(
        stop,
        Effect.map(Effect.forkDaemon(Effect.interruptible(drive)), (fiber) => {
          if (fiber.unsafePoll() === null) timer = fiber
        })
      )
    })

    const submit = (request: Request = {}): Effect.Effect<Completed, Refused> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.suspend(() => {
          const endpoint = request.endpoint ?? stations.names[0] ?? ""
          const station = stations.get(endpoint)
          if (station === undefined) return Effect.dieMessage(`OverloadedModel: no endpoint is called "${endpoint}"`)
          const waiter: Waiter = { endpoint, onStart: request.onStart, answer: undefined, resume: undefined }
          advance(seconds())
          const demand = stations.demand(request.requestId ?? `attempt ${sequence++}`)
          const job = station.arrive(now, { tag: waiter, client: request.client ?? "client", demand })
          waiters++
          const wait = Effect.async<Completed, Refused>((resume) => {
            if (waiter.answer !== undefined) resume(waiter.answer)
            else waiter.resume = resume
          })
          const done = Effect.suspend(() => {
            waiters--
            if (waiter.answer === undefined) {
              advance(seconds())
              station.leave(now, job)
            }
            return waiters === 0 ? arm : Effect.void
          })
          return Effect.zipRight(arm, Effect.ensuring(restore(wait), done))
        })
      )

    const counters = Effect.sync((): Counters => {
      advance(seconds())
      return stations.counters()
    })

    const snapshot = Effect.sync((): Snapshot => {
      advance(seconds())
      return {
        elapsed: Duration.seconds(now),
        utcHour: (startHour + now / 3600) % 24,
        endpoints: stations.snapshot(now)
      }
    })

    return { scenario, seed, speed, endpoints: stations.names, submit, counters, snapshot }
  })

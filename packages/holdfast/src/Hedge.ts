/**
 * Sends a further copy of an attempt that takes long, and takes the answer that comes first.
 *
 * For several independent endpoints of which one is slow now and then. A hedge is for slowness: an error is the retry's
 * business. Whoever loses is interrupted, and billed for as the provider likes.
 *
 * Not against overload: a second copy asks for capacity just when it is short, and in simulations of overloaded models
 * hedges brought nothing that could be measured. There is none unless you compose one.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type Call, CurrentCall } from "./CurrentCall.js"
import { Delays, type Quantile } from "./internal/hedge/delays.js"
import { hedged } from "./internal/hedge/hedged.js"
import { hedgedStream } from "./internal/hedge/hedgedStream.js"
import type { Settings } from "./internal/hedge/plan.js"
import * as Options from "./internal/options.js"
import * as Policies from "./internal/policy.js"
import { type UnknownOutcome, unknownOutcomeRules } from "./internal/retryState.js"
import { maxTimerMillis } from "./internal/timer.js"
import type * as Policy from "./Policy.js"
import type { RetryBudget } from "./RetryBudget.js"

/** A delay that follows what calls take: the quantile of the last answers, by key. */
export interface QuantileDelay {
  /** Share of answers that come sooner. Default 0.95; from 0.5 to 0.999. */
  readonly quantile?: number | undefined
  /** Answers before the first hedge: until then nobody knows what is long. Default 20; from 1 to `window`. */
  readonly warmUp?: number | undefined
  /** Answers that are remembered. Default 100; from 1 to 10,000. */
  readonly window?: number | undefined
  /** The shortest delay. Default 5 seconds; from 1 ms to `max`. */
  readonly min?: Duration.DurationInput | undefined
  /** The longest delay. Default 10 minutes; from 1 ms to 24 days. */
  readonly max?: Duration.DurationInput | undefined
}

/** Options of `make`. */
export interface MakeOptions {
  /** Default `"Hedge"`. */
  readonly name?: string | undefined
  /**
   * How long an answer, or a stream's first element, is waited for before each further copy. A duration from 1 ms to 24
   * days, or a quantile of what is usual. Default a quantile with the defaults of each field.
   */
  readonly delay?: Duration.DurationInput | QuantileDelay | undefined
  /** Copies beside the first. Default 1; from 1 to 3. */
  readonly maxCopies?: number | undefined
  /**
   * A copy repeats work of which nobody knows whether it is done: `"never"` forbids hedges; `"once"` allows one while
   * no other attempt of the generation has such an outcome; `"always"` allows all. Default `"once"`.
   */
  readonly unknownOutcome?: UnknownOutcome | undefined
  /** How long a copy needs at least: none starts that could not end by the deadline. Default the delay. */
  readonly attemptTime?: Duration.DurationInput | undefined
  /** What copies are paid from, shared with retries. Default none: they are free. */
  readonly budget?: RetryBudget | undefined
  /** What a copy costs, in tokens of the budget. Default what a retry costs after a timeout. */
  readonly costOf?: ((call: Call) => number) | undefined
  /** Which calls may be hedged. Default all. */
  readonly shouldHedge?: ((call: Call) => boolean) | undefined
  /** Whose answers a delay is learned from. Default the endpoint of the call, `"default"` where there is none. */
  readonly key?: ((call: Call) => string) | undefined
  /** The most keys that are remembered; the one not used for longest is dropped. Default 256; from 1 to 10^6. */
  readonly maxKeys?: number | undefined
}

/**
 * The defaults, as the docs table states them. A copy of one call in twenty is what a tail may cost, and twenty answers
 * are the fewest of which one is the slowest in twenty. At a few calls a minute a hundred answers are half an hour.
 */
export const defaults = {
  name: "Hedge",
  delay: { quantile: 0.95, warmUp: 20, window: 100, min: "5 seconds", max: "10 minutes" },
  maxCopies: 1,
  unknownOutcome: "once",
  maxKeys: 256
} as const satisfies MakeOptions

/** What a hedge knows. */
export interface State {
  /** The wait before a further copy; none while too few answers are known. */
  readonly delay: Option.Option<Duration.Duration>
  /** Answers that it is learned from. */
  readonly answers: number
}

/** A policy that sends further copies. It adds nothing to the error channel. */
export interface Hedge extends Policy.Policy {
  /** What is known for the key of the current call. */
  readonly state: Effect.Effect<State>
}

const owner = "Hedge.make"

/** Durations are numbers, strings, pairs and objects of their own. */
const isQuantileDelay = (input: NonNullable<MakeOptions["delay"]>): input is QuantileDelay =>
  typeof input === "object" && !Array.isArray(input) && !Duration.isDuration(input)

const quantileOf = (given: QuantileDelay): Quantile => {
  const standard = defaults.delay
  const max = Options.millis(owner, "delay.max", given.max, standard.max, { min: 1, max: maxTimerMillis })
  const window = Options.count(owner, "delay.window", given.window, standard.window, { min: 1, max: 10_000 })
  return {
    quantile: Options.number(owner, "delay.quantile", given.quantile, standard.quantile, { min: 0.5, max: 0.999 }),
    warmUp: Options.count(owner, "delay.warmUp", given.warmUp, Math.min(window, standard.warmUp), {
      min: 1,
      max: window
    }),
    window,
    min: Options.millis(
      owner,
      "delay.min",
      given.min,
      Math.min(max, Duration.toMillis(standard.min)),
      { min: 1, max }
    ),
    max
  }
}

const ruleOf = (delay: MakeOptions["delay"]): number | Quantile =>
  delay === undefined || isQuantileDelay(delay)
    ? quantileOf(delay ?? {})
    : Options.millis(owner, "delay", delay, 0, { min: 1, max: maxTimerMillis })

const endpointOf = (call: Call): string => call.endpoint ?? "default"

/**
 * A policy that sends a further copy of what takes longer than `delay`. What it learns lives in the value: make it
 * once, and share it. Throws a `RangeError` for an option that is out of its range.
 */
export const make = (options: MakeOptions = {}): Effect.Effect<Hedge> => {
  const rule = ruleOf(options.delay)
  const maxKeys = Options.count(owner, "maxKeys", options.maxKeys, defaults.maxKeys, { min: 1, max: 1_000_000 })
  const plain = {
    name: options.name ?? defaults.name,
    maxCopies: Options.count(owner, "maxCopies", options.maxCopies, defaults.maxCopies, { min: 1, max: 3 }),
    unknownOutcome: Options.oneOf(
      owner,
      "unknownOutcome",
      options.unknownOutcome,
      defaults.unknownOutcome,
      unknownOutcomeRules
    ),
    attemptTime: options.attemptTime === undefined
      ? undefined
      : Options.millis(owner, "attemptTime", options.attemptTime, 0),
    budget: options.budget,
    costOf: options.costOf,
    shouldHedge: options.shouldHedge ?? (() => true),
    keyOf: options.key ?? endpointOf
  }
  return Effect.sync(() => fromSettings({ ...plain, delays: new Delays(rule, maxKeys) }, rule))
}

const fromSettings = (settings: Settings, rule: number | Quantile): Hedge => {
  const { attemptTime, budget, delays, maxCopies, name, unknownOutcome } = settings
  return {
    ...Policies.make<never>({
      kind: "Hedge",
      name,
      amplification: unknownOutcome === "never" ? 1 : 1 + maxCopies,
      options: {
        ...(typeof rule === "number" ? { delay: rule } : rule),
        maxCopies,
        unknownOutcome,
        ...(attemptTime === undefined ? {} : { attemptTime }),
        ...(budget === undefined ? {} : { budget: budget.name })
      },
      apply: (self) => earning(budget, hedged(settings, self)),
      applyStream: (self) => earningStream(budget, hedgedStream(settings, self))
    }),
    state: Effect.map(CurrentCall, (call) => {
      const key = settings.keyOf(call)
      return {
        delay: Option.map(Option.fromNullable(delays.of(key)), Duration.millis),
        answers: delays.count(key)
      }
    })
  }
}

/** Where a retry owns the generation, it is the one that earns; it may have been given the same budget. */
const earns = (budget: RetryBudget | undefined): Effect.Effect<RetryBudget | undefined> =>
  Effect.map(CurrentCall, (call) => (call.retryOwner === undefined ? budget : undefined))

const earning = <A, E, R>(budget: RetryBudget | undefined, self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  budget === undefined ? self : Effect.flatMap(earns(budget), (own) =>
    own === undefined ? self : Effect.zipRight(own.requested, Effect.tap(self, () => own.succeeded())))

const earningStream = <A, E, R>(
  budget: RetryBudget | undefined,
  self: Stream.Stream<A, E, R>
): Stream.Stream<A, E, R> =>
  budget === undefined ? self : Stream.unwrap(Effect.map(earns(budget), (own) =>
    own === undefined
      ? self
      : Stream.flatMap(Stream.fromEffect(own.requested), () => Stream.concat(self, Stream.execute(own.succeeded())))))

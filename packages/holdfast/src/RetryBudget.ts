/**
 * Bounds how much load retries may add, over all generations that share the budget: retries are paid with tokens that
 * requests and successes earn, so that they run dry when the model is down rather than multiply the load.
 *
 * Everything is counted over a window of minutes, since a generation takes that long: budgets by the second, or by
 * what is in flight, mean nothing to a few long calls. Dear failures cost more than cheap ones, a retry that succeeds
 * earns its price back, and a floor lets processes that make few calls retry at all.
 *
 * Not a limit on the retries of one generation (`Retry` has `maxAttempts`), nor on money (`spend` there).
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as GenerationError from "./GenerationError.js"
import * as Options from "./internal/options.js"
import * as Ledger from "./internal/retryBudget/ledger.js"

/** What a retry after an error costs, in tokens; each at least 0. */
export interface Prices {
  readonly overloaded: number
  readonly rateLimited: number
  readonly transient: number
  readonly timeout: number
  /** Everything else that somebody chooses to retry. */
  readonly other: number
}

/** Options of `make`. */
export interface MakeOptions {
  /** What a shared store knows the budget by. Default `"RetryBudget"`. */
  readonly name?: string | undefined
  /** How far back everything counts; at least 1 second. Default 10 minutes. */
  readonly window?: Duration.DurationInput | undefined
  /** Tokens that each generation earns when it is asked for; at least 0. Default 0.1. */
  readonly perRequest?: number | undefined
  /** Tokens that each generation earns when it succeeds; at least 0. Default 0.1. */
  readonly perSuccess?: number | undefined
  /** Retries within any window that are granted whatever was earned; whole, at least 0. Default 10. */
  readonly floor?: number | undefined
  /** Prices other than the defaults. */
  readonly prices?: Partial<Prices> | undefined
}

/**
 * The defaults, as the docs table states them.
 *
 * - `window`: several times the length of a generation under load (100 s) with its retries, so that what a generation
 *   earned is still there when it needs it.
 * - `perRequest`, `perSuccess`: together a fifth of a retry of price 1 for each generation while all is well, the share
 *   that most budgets allow. Half of it is earned by success alone, so that it shrinks when nothing succeeds.
 * - `floor`: one retry a minute. A process with one call a minute earns two retries in ten minutes; without a floor it
 *   would lose against every neighbour that just tries again.
 * - `prices`: an overload or a rate limit is refused at once, costs the provider little and is not billed: 1. After a
 *   transient fault or a timeout the work may have been done, and billed, so that a retry is a second copy of it: 3,
 *   about the ratio of 14 to 5 between transient and throttling errors in the 2026 retries of the AWS SDKs.
 */
export const defaults = {
  name: "RetryBudget",
  window: "10 minutes",
  perRequest: 0.1,
  perSuccess: 0.1,
  floor: 10,
  prices: { overloaded: 1, rateLimited: 1, transient: 3, timeout: 3, other: 3 }
} as const satisfies MakeOptions

/** What identifies a budget in a store, and decides whether a retry may be paid. */
export interface Terms {
  readonly name: string
  /** In milliseconds. */
  readonly window: number
  /** Retries within any window that are granted whatever was earned. */
  readonly floor: number
}

/** What a budget has now; all over its window. */
export interface State {
  /** Tokens paid in. */
  readonly earned: number
  /** Tokens paid for retries. */
  readonly paid: number
  /** Retries granted, those of the floor included. */
  readonly retries: number
  /** `earned - paid`, at least 0. */
  readonly balance: number
  /** Retries that the floor would still grant. */
  readonly floorLeft: number
}

/** How a retry was paid for: with tokens, by the floor, or not at all, and then there is to be none. */
export type Grant = "paid" | "floor" | "refused"

/** Where budgets are kept. Each operation is atomic; one over a network decides itself what to answer without it. */
export interface Service {
  /**
   * Pays for a retry out of the tokens of the window; when they do not suffice, grants it without pay while fewer than
   * `floor` retries were granted in the window; else refuses and changes nothing.
   */
  readonly withdraw: (terms: Terms, cost: number) => Effect.Effect<Grant>
  /** Pays tokens in. */
  readonly deposit: (terms: Terms, tokens: number) => Effect.Effect<void>
  readonly read: (terms: Terms) => Effect.Effect<State>
}

/** Where budgets are kept that processes share. Without it each budget is kept in its own value. */
export class Store extends Context.Tag("@holdfast/RetryBudget/Store")<Store, Service>() {}

/** A store in memory: budgets of the same name are the same budget. */
export const makeStoreMemory: Effect.Effect<Service> = Effect.sync(() => {
  const ledgers = new Map<string, Ledger.Ledger>()
  const ledgerOf = (terms: Terms) => ledgers.get(terms.name) ?? Ledger.empty
  return {
    withdraw: (terms, cost) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const [ledger, grant] = Ledger.withdraw(ledgerOf(terms), terms, cost, now)
        ledgers.set(terms.name, ledger)
        return grant
      }),
    deposit: (terms, tokens) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        ledgers.set(terms.name, Ledger.deposit(ledgerOf(terms), terms, tokens, now))
      }),
    read: (terms) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const { earned, paid, retries } = Ledger.totals(ledgerOf(terms), terms, now)
        return {
          earned,
          paid,
          retries,
          balance: Math.max(0, earned - paid),
          floorLeft: Math.max(0, terms.floor - retries)
        }
      })
  }
})

/** `makeStoreMemory` as a layer. */
export const layerStoreMemory: Layer.Layer<Store> = Layer.effect(Store, makeStoreMemory)

/** A budget. Whoever sends a further copy of a generation, retry or hedge, withdraws first. */
export interface RetryBudget {
  readonly name: string
  /** What a retry after this error costs. */
  readonly priceOf: (error: unknown) => number
  /** May there be a further attempt? If so it is paid for: by the error that it follows, or by a cost in tokens. */
  readonly tryWithdraw: (errorOrCost: unknown) => Effect.Effect<boolean>
  /** The same, telling how it was paid: only what was `"paid"` may come back. */
  readonly withdraw: (errorOrCost: unknown) => Effect.Effect<Grant>
  /** Pays tokens in: for example what was paid for an attempt that never started. */
  readonly deposit: (tokens: number) => Effect.Effect<void>
  /** A generation was asked for. */
  readonly requested: Effect.Effect<void>
  /** A generation succeeded; `paid` is what its last retry cost, and comes back. */
  readonly succeeded: (paid?: number) => Effect.Effect<void>
  readonly state: Effect.Effect<State>
}

const owner = "RetryBudget.make"

const pricesOf = (given: Partial<Prices> = {}): Prices => {
  const price = (field: keyof Prices) =>
    Options.number(owner, `prices.${field}`, given[field], defaults.prices[field], { min: 0 })
  return {
    overloaded: price("overloaded"),
    rateLimited: price("rateLimited"),
    transient: price("transient"),
    timeout: price("timeout"),
    other: price("other")
  }
}

const priceIn = (prices: Prices, error: unknown): number => {
  if (!GenerationError.isGenerationError(error)) return prices.other
  switch (error._tag) {
    case "Overloaded":
      return prices.overloaded
    case "RateLimited":
      return prices.rateLimited
    case "Transient":
      return prices.transient
    case "Timeout":
      return prices.timeout
    default:
      return prices.other
  }
}

/** A cost or a deposit that is none would void the books for good. */
const tokensOf = (tokens: number): number => (tokens > 0 && tokens < Infinity ? tokens : 0)

/** A budget, kept in the `Store` of the context where there is one, else in the value. */
export const make = (options: MakeOptions = {}): Effect.Effect<RetryBudget> => {
  const perRequest = Options.number(owner, "perRequest", options.perRequest, defaults.perRequest, { min: 0 })
  const perSuccess = Options.number(owner, "perSuccess", options.perSuccess, defaults.perSuccess, { min: 0 })
  const prices = pricesOf(options.prices)
  const name = options.name ?? defaults.name
  const terms: Terms = {
    name,
    window: Options.millis(owner, "window", options.window, defaults.window, { min: 1000 }),
    floor: Options.count(owner, "floor", options.floor, defaults.floor, { min: 0 })
  }
  const priceOf = (error: unknown) => priceIn(prices, error)
  const costOf = (it: unknown) => (typeof it === "number" ? asCost(it) : priceOf(it))
  return Effect.map(
    Effect.flatMap(
      Effect.serviceOption(Store),
      Option.match({ onNone: () => makeStoreMemory, onSome: Effect.succeed })
    ),
    (store): RetryBudget => ({
      name,
      priceOf,
      tryWithdraw: (it) => Effect.map(store.withdraw(terms, costOf(it)), (grant) => grant !== "refused"),
      withdraw: (it) => store.withdraw(terms, costOf(it)),
      deposit: (tokens) => store.deposit(terms, tokensOf(tokens)),
      requested: store.deposit(terms, perRequest),
      succeeded: (paid = 0) => store.deposit(terms, perSuccess + tokensOf(paid)),
      state: store.read(terms)
    })
  )
}

/** A cost that is no number cannot be paid. */
const asCost = (cost: number): number => (Number.isNaN(cost) ? Infinity : Math.max(0, cost))

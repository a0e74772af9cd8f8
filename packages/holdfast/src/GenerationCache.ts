/**
 * Keeps results by request, so that the same request is paid for once: a result that is fresh answers at once, callers
 * who ask for the same thing at the same time share one generation, and when no new result is to be had an old one may
 * stand in, marked as stale. It protects a short model from repeated work.
 *
 * Not for requests whose point is variety: those pass it by `bypass`. Not across tenants who must not see each other's
 * results: give each a cache of its own, or a `namespace`.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { type Call, detached } from "./CurrentCall.js"
import type { Generated } from "./Generated.js"
import { asksFor, type GenerationRequest, type Modality } from "./GenerationRequest.js"
import * as Entry from "./internal/cache/entry.js"
import { Flights, type Role } from "./internal/cache/flights.js"
import * as Key from "./internal/cache/key.js"
import { Lru } from "./internal/cache/lru.js"
import * as Storage from "./internal/cache/storage.js"
import * as Verdict from "./internal/cache/verdict.js"
import * as Options from "./internal/options.js"

/** What a generation can fail with. */
export type Failure = Verdict.Failure

/**
 * How a call uses the cache.
 *
 * - `use`: takes what is fresh, shares what is under way, keeps what is new.
 * - `bypass`: as if there were no cache: neither reads, nor keeps, nor shares.
 * - `refresh`: does not read, and keeps the new result in place of the old. Refreshes of one request share.
 */
export type Mode = "use" | "bypass" | "refresh"

/** How the calls of a fiber use the cache; see `bypass` and `refresh`. */
export class CacheMode extends Context.Reference<CacheMode>()("@holdfast/CacheMode", {
  defaultValue: (): Mode => "use"
}) {}

/**
 * Where a result comes from.
 *
 * - `fresh`: this call generated it.
 * - `shared`: another call was generating it, and this one waited.
 * - `hit`: it was kept, and is within its time to live.
 * - `stale`: it was kept and its time to live is over, and a new one could not be had.
 */
export type Source = "fresh" | "shared" | "hit" | "stale"

export interface Lookup {
  /**
   * The result. `attempts` is empty for `hit` and `stale`. Image bytes may be shared with others who asked: read them,
   * copy them, do not change them.
   */
  readonly value: Generated
  readonly source: Source
  /** When it was generated, in milliseconds since the epoch. */
  readonly generatedAt: number
  /** For `stale`: why there is no new one. */
  readonly failure?: Failure | undefined
}

/** A kept result with its times and size: what a store keeps. */
export type { Entry } from "./internal/cache/entry.js"

/** Where entries lie: `get`, `set` and `remove` by key. A store may fail or forget; the cache carries on without it. */
export type { Store } from "./internal/cache/storage.js"

/** What a cache is doing now. */
export interface Stats {
  /** Requests that are being looked up or generated. */
  readonly flights: number
  /** Callers that wait for them. */
  readonly waiting: number
  /** Results kept; absent where the store does not count. */
  readonly entries?: number | undefined
  /** What they take, in bytes; absent where the store does not count. */
  readonly bytes?: number | undefined
}

export interface Service {
  /**
   * The result for this request, from the cache or by `generate`, in the `CacheMode` of the current fiber. Fails as
   * `generate` does, and is never worse for the cache: a store that fails or hangs counts as empty.
   *
   * `generate` runs in a fiber of its own, with the context and fiber refs of the caller who starts it, for as long as
   * any caller waits for it. It sees a `CurrentCall` with the starter's identity, route and log, with the latest
   * deadline, the highest priority and the most urgent class among those who wait, and with no attempt made. Each
   * waiter leaves on its own interruption or deadline. A waiter starts over when what it shared failed for want of the
   * starter's time, or was refused for whose it was.
   */
  readonly getOrGenerate: <R>(
    request: GenerationRequest,
    generate: Effect.Effect<Generated, Failure, R>
  ) => Effect.Effect<Lookup, Failure, R>
  /** What is kept for this request, `hit` or `stale`, without generating: the stale rung of a fallback. */
  readonly peek: (request: GenerationRequest) => Effect.Effect<Lookup | undefined>
  /** Forgets what is kept for this request. A generation under way goes on, and is not kept. */
  readonly invalidate: (request: GenerationRequest) => Effect.Effect<void>
  readonly stats: Effect.Effect<Stats>
}

export class GenerationCache extends Context.Tag("@holdfast/GenerationCache")<GenerationCache, Service>() {}

/** Options of every cache. */
export interface CacheOptions {
  /** Name in metrics and logs. Default `"default"`. */
  readonly name?: string | undefined
  /** Separates results that share a store: same request, other namespace, other entry. Default `""`. */
  readonly namespace?: string | undefined
  /** How long a result answers like a new one. At least 0 (never), may be infinite. Default 1 hour. */
  readonly timeToLive?: Duration.DurationInput | undefined
  /**
   * How long after `timeToLive` a result may stand in when a new one cannot be had. At least 0 (never), may be
   * infinite. Default 24 hours.
   */
  readonly staleIfError?: Duration.DurationInput | undefined
  /**
   * For which failures a stale result may stand in. Default: `servesStale`, failures that say "not now" and nothing
   * about the request.
   */
  readonly isStaleServed?: ((failure: Failure) => boolean) | undefined
  /** Which results are kept. Default: `isComplete`, those with every modality asked for. */
  readonly isKept?: ((value: Generated, request: GenerationRequest) => boolean) | undefined
}

/** Options of `layerMemory`. */
export interface MemoryOptions extends CacheOptions {
  /** Most results kept; at least 1. Default 256. */
  readonly maxEntries?: number | undefined
  /** Most bytes that kept results may take; at least 1. Default 268,435,456 (256 MiB), some 100 images of 2K. */
  readonly maxBytes?: number | undefined
}

/** Options of `layerStore`. */
export interface StoreOptions extends CacheOptions {
  /** Longest wait for the store in one step, more than 0. Default 2 seconds. */
  readonly storeTimeout?: Duration.DurationInput | undefined
}

/** The defaults; sizes in bytes. */
export const defaults = {
  name: "default",
  namespace: "",
  timeToLive: "1 hour",
  staleIfError: "24 hours",
  maxEntries: 256,
  maxBytes: 256 * 1024 * 1024,
  storeTimeout: "2 seconds"
} as const

/**
 * Does the failure say "not now" and nothing about the request? True for `Overloaded`, `RateLimited`, `Timeout`,
 * `Transient`, `QuotaExhausted`, `Malformed` and every `Rejected`; false for `InvalidRequest`, `Unauthorized`,
 * `Forbidden`, `ModelNotFound`, `ContentBlocked` and `EmptyResult`.
 */
export const servesStale: (failure: Failure) => boolean = Verdict.servesStale

const holds = (value: Generated, modality: Modality): boolean =>
  value.parts.some((part) =>
    modality === "image" ? part._tag === "Image" && part.bytes.byteLength > 0 : part._tag === "Text" && part.text !== ""
  )

/** Does the result contain every modality that the request asks for, and anything at all? */
export const isComplete = (value: Generated, request: GenerationRequest): boolean =>
  value.parts.length > 0 &&
  (["text", "image"] as const).every((modality) => !asksFor(request, modality) || holds(value, modality))

/**
 * The key of a request: a versioned SHA-256, in letters, digits and dashes, that shows nothing of the prompt. (It is no
 * secret either: who can read it can test a guess.)
 *
 * All that may change the result counts: prompt, system, modalities, images with type and order, aspect ratio, size,
 * count, seed, temperature, limits, and the model if the request names one. `timeouts` do not count. An absent field
 * equals an undefined one and one with its default.
 */
export const key = (
  request: GenerationRequest,
  options?: { readonly namespace?: string | undefined }
): Effect.Effect<string> => Key.make(options?.namespace ?? defaults.namespace, request)

/** Results handed out, by `source` and `cache` (its name). */
export const lookups = Metric.counter("holdfast_cache_lookups_total", {
  description: "Results handed out by a cache. Labels: source (fresh, shared, hit, stale), cache",
  incremental: true
})

/** Results dropped before their time because the cache was full, by `cache`. */
export const evictions = Metric.counter("holdfast_cache_evictions_total", {
  description: "Results dropped because the cache was full. Labels: cache",
  incremental: true
})

/** Steps of a store that failed or took too long, by `operation`, `reason` (`failure` or `timeout`) and `cache`. */
export const storeFailures = Metric.counter("holdfast_cache_store_failures_total", {
  description: "Steps of a cache's store that did not succeed. Labels: operation, reason (failure, timeout), cache",
  incremental: true
})

/** Bytes that the results kept in memory take, by `cache`. */
export const bytes = Metric.gauge("holdfast_cache_bytes", {
  description: "Bytes kept in memory by a cache. Labels: cache"
})

/** Results kept in memory, by `cache`. */
export const entries = Metric.gauge("holdfast_cache_entries", {
  description: "Results kept in memory by a cache. Labels: cache"
})

interface Found extends Lookup {
  readonly source: "fresh" | "hit" | "stale"
}

const sourceFor = (found: Found, role: Role): Source => {
  if (found.source !== "fresh" || role === "leader") return found.source
  return role === "follower" ? "shared" : "hit"
}

/** Refreshes of a request share among themselves, and not with calls that may be answered from the cache. */
const refreshOf = (id: string): string => `refresh-${id}`

const build = (
  owner: string,
  options: CacheOptions,
  store: Storage.Store,
  size: () => Pick<Stats, "entries" | "bytes">
): Service => {
  const namespace = options.namespace ?? defaults.namespace
  const lifetimes: Entry.Lifetimes = {
    timeToLive: Options.millis(owner, "timeToLive", options.timeToLive, defaults.timeToLive),
    staleIfError: Options.millis(owner, "staleIfError", options.staleIfError, defaults.staleIfError)
  }
  const isStaleServed = options.isStaleServed ?? servesStale
  const isKept = options.isKept ?? isComplete
  const flights = new Flights<Found, Failure>()

  const named = Metric.tagged(lookups, "cache", options.name ?? defaults.name)
  const counters = {
    fresh: Metric.tagged(named, "source", "fresh"),
    shared: Metric.tagged(named, "source", "shared"),
    hit: Metric.tagged(named, "source", "hit"),
    stale: Metric.tagged(named, "source", "stale")
  }
  const counted = (lookup: Lookup): Effect.Effect<Lookup> =>
    Effect.as(Metric.increment(counters[lookup.source]), lookup)

  const answer = (entry: Entry.Entry, source: "hit" | "stale"): Found => ({
    value: entry.value,
    source,
    generatedAt: entry.storedAt
  })
  const made = <R>(generate: Effect.Effect<Generated, Failure, R>) =>
    Effect.zipWith(generate, Clock.currentTimeMillis, (value, now): Found => ({
      value,
      source: "fresh",
      generatedAt: now
    }))

  const lookUp = <R>(id: string, generate: Effect.Effect<Generated, Failure, R>): Effect.Effect<Found, Failure, R> =>
    Effect.flatMap(Effect.zip(Effect.interruptible(store.get(id)), Clock.currentTimeMillis), ([entry, now]) => {
      const plan = Entry.plan(entry, now)
      if (plan._tag === "Answer") return Effect.succeed(answer(plan.entry, "hit"))
      const attempt = made(Effect.interruptible(generate))
      if (plan.fallback === undefined) return attempt
      return Effect.catchAll(attempt, (failure) =>
        Effect.flatMap(Clock.currentTimeMillis, (failedAt): Effect.Effect<Found, Failure> => {
          const standIn = Entry.standIn(plan.fallback, failure, failedAt, isStaleServed)
          return standIn === undefined ? Effect.fail(failure) : Effect.succeed({ ...answer(standIn, "stale"), failure })
        }))
    })

  const keep = (id: string, request: GenerationRequest) => (found: Found): Effect.Effect<void> =>
    found.source === "fresh" && isKept(found.value, request)
      ? detached(store.set(id, Entry.make(found.value, found.generatedAt, lifetimes)))
      : Effect.void

  const startOver = (failure: Failure, shared: Call, own: Call): Effect.Effect<boolean> =>
    Effect.map(Clock.currentTimeMillis, (now) => Verdict.mayFareBetter(failure, shared, own, now))

  return {
    getOrGenerate: (request, generate) =>
      Effect.flatMap(CacheMode, (mode) => {
        if (mode === "bypass") return Effect.flatMap(made(generate), counted)
        return Effect.flatMap(Key.make(namespace, request), (id) => {
          const share = { keep: keep(id, request), startOver }
          const landed = mode === "use"
            ? flights.share(id, { ...share, work: lookUp(id, generate) })
            : flights.share(refreshOf(id), {
              ...share,
              // What was begun before is older than this, and must not replace it.
              work: Effect.tap(made(Effect.interruptible(generate)), () => Effect.sync(() => flights.supersede(id)))
            })
          return Effect.flatMap(landed, ({ role, value }) => counted({ ...value, source: sourceFor(value, role) }))
        })
      }),
    peek: (request) =>
      Effect.flatMap(Key.make(namespace, request), (id) =>
        Effect.zipWith(store.get(id), Clock.currentTimeMillis, (entry, now): Lookup | undefined => {
          const plan = Entry.plan(entry, now)
          if (plan._tag === "Answer") return answer(plan.entry, "hit")
          return plan.fallback === undefined ? undefined : answer(plan.fallback, "stale")
        })),
    invalidate: (request) =>
      Effect.flatMap(Key.make(namespace, request), (id) => {
        flights.supersede(id)
        flights.supersede(refreshOf(id))
        return store.remove(id)
      }),
    stats: Effect.sync(() => ({ flights: flights.size, waiting: flights.waiting, ...size() }))
  }
}

/** A cache in memory, for one process. Refuses illegal options with a `RangeError` that names the field. */
export const make = (options: MemoryOptions = {}): Service => {
  const owner = "GenerationCache.layerMemory"
  const lru = new Lru({
    maxEntries: Options.count(owner, "maxEntries", options.maxEntries, defaults.maxEntries, { min: 1 }),
    maxBytes: Options.count(owner, "maxBytes", options.maxBytes, defaults.maxBytes, { min: 1 })
  })
  const tagged = <Type, In, Out>(metric: Metric.Metric<Type, In, Out>) =>
    Metric.tagged(metric, "cache", options.name ?? defaults.name)
  const evicted = tagged(evictions)
  const byteGauge = tagged(bytes)
  const entryGauge = tagged(entries)
  const measured = Effect.suspend(() =>
    Effect.zipRight(Metric.set(byteGauge, lru.bytes), Metric.set(entryGauge, lru.size)))
  return build(
    owner,
    options,
    {
      get: (id) => Effect.map(Clock.currentTimeMillis, (now) => lru.get(id, now)),
      set: (id, entry) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const count = lru.set(id, entry, now)
          return count === 0 ? measured : Effect.zipRight(Metric.incrementBy(evicted, count), measured)
        }),
      remove: (id) => Effect.zipRight(Effect.sync(() => lru.remove(id)), measured)
    },
    () => ({ entries: lru.size, bytes: lru.bytes })
  )
}

/**
 * A cache over a store of one's own. What the store fails at, or does not do within `storeTimeout`, counts as nothing
 * found, and is logged at debug level and counted in `holdfast_cache_store_failures_total`.
 */
export const makeStore = <E>(store: Storage.Store<E>, options: StoreOptions = {}): Service => {
  const owner = "GenerationCache.layerStore"
  const name = options.name ?? defaults.name
  const timeout = Options.millis(owner, "storeTimeout", options.storeTimeout, defaults.storeTimeout, { min: 1 })
  const failures = Metric.tagged(storeFailures, "cache", name)
  const report = (operation: Storage.Operation, reason: string): Effect.Effect<void> =>
    Metric.increment(Metric.tagged(Metric.tagged(failures, "operation", operation), "reason", reason)).pipe(
      Effect.zipRight(Effect.logDebug(`The store of the cache "${name}" is passed over: ${operation}, ${reason}`))
    )
  return build(owner, options, Storage.guard(store, timeout, report), () => ({}))
}

/** A cache in memory, for one process. Throws a `RangeError` that names the field for illegal options. */
export const layerMemory = (options: MemoryOptions = {}): Layer.Layer<GenerationCache> => {
  // Made once here so that a mistake in the options shows where they stand.
  make(options)
  return Layer.sync(GenerationCache, () => make(options))
}

/** A cache over a store of one's own. Throws a `RangeError` that names the field for illegal options. */
export const layerStore = <E>(store: Storage.Store<E>, options: StoreOptions = {}): Layer.Layer<GenerationCache> =>
  Layer.succeed(GenerationCache, makeStore(store, options))

/** No cache: every call generates, alone. */
export const layerNoop: Layer.Layer<GenerationCache> = Layer.succeed(GenerationCache, {
  getOrGenerate: (_request, generate) =>
    Effect.zipWith(generate, Clock.currentTimeMillis, (value, now) => ({ value, source: "fresh", generatedAt: now })),
  peek: () => Effect.succeed(undefined),
  invalidate: () => Effect.void,
  stats: Effect.succeed({ flights: 0, waiting: 0, entries: 0, bytes: 0 })
})

/** Runs the effect with every generation in it passing by the cache. */
export const bypass = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => withMode(self, "bypass")

/** Runs the effect with every generation in it made anew, and kept in place of the old result. */
export const refresh = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => withMode(self, "refresh")

/** Runs the effect with every generation in it using the cache in this mode. */
export const withMode: {
  (mode: Mode): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, mode: Mode): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, mode: Mode): Effect.Effect<A, E, R> =>
    Effect.provideService(self, CacheMode, mode)
)

/** The result for this request, from the cache in the context or by `generate`, in the mode of the current fiber. */
export const getOrGenerate = <R>(
  request: GenerationRequest,
  generate: Effect.Effect<Generated, Failure, R>
): Effect.Effect<Lookup, Failure, R | GenerationCache> =>
  Effect.flatMap(GenerationCache, (cache) => cache.getOrGenerate(request, generate))

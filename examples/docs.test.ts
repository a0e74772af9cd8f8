/** Runs the code that README and docs show, and holds their figures against what it does. */
import { FetchHttpClient, HttpClient, HttpClientResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Chaos } from "@holdfast/testing"
import { OverloadServer } from "@holdfast/testing/node"
import { ConfigProvider, Context, Duration, Effect, Exit, Fiber, Layer, Logger, Option, Random, Stream, TestClock, Tracer } from "effect"
import { Backoff, CurrentCall, Deadline, Generation, GenerationCache, GenerationClient } from "holdfast"
import { GenerationError, Policy, Rejected, Retry, Timeout } from "holdfast"
import { readdirSync, readFileSync } from "node:fs"
import { type Row, table } from "../test/support/markdown.js"
import * as BackoffDocs from "./docs/backoff.js"
import * as CompositionDocs from "./docs/composition.js"
import * as DeadlineDocs from "./docs/deadline.js"
import * as ErrorsDocs from "./docs/errors.js"
import * as GenerationDocs from "./docs/generation.js"
import * as ProvidersDocs from "./docs/providers.js"
import * as ReadmeDocs from "./docs/readme.js"
import * as RetryDocs from "./docs/retry.js"
import { after, measure, overloaded, scripted } from "./docs/support.js"
import * as TelemetryDocs from "./docs/telemetry.js"
import * as TestingDocs from "./docs/testing.js"
import * as TimeoutDocs from "./docs/timeout.js"

const unknown = new GenerationError.Timeout({ message: "no answer", phase: "headers" })
const fatal = new GenerationError.InvalidRequest({ message: "no" })
const always = (count: number, error: unknown = overloaded) => Array.from({ length: count }, () => error)

/** The result of a program after an hour of virtual time. */
const inTime = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(self)
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

/** A generation's service over a script, under a policy. */
const under = (policy: Generation.GenerationPolicy, script: ReadonlyArray<GenerationClient.Outcome>) =>
  Layer.provideMerge(Generation.layer({ policy }), scripted(script))

const seconds = (schedule: Backoff.Backoff, errors: ReadonlyArray<unknown>, options: { readonly seed?: number } = {}) =>
  Effect.map(Backoff.preview(schedule, { errors, ...options }), ({ retries }) =>
    retries.map(({ delay }) => Duration.toSeconds(delay)))

const page = (path: string): string => readFileSync(new URL(`../docs/${path}`, import.meta.url), "utf8")

const byName = (rows: ReadonlyArray<Row>, column: string) => new Map(rows.map((row) => [row[column] ?? "", row]))

describe("README.md", () => {
  it.scopedLive("the twenty lines make an image of an overloaded model", () =>
    Effect.gen(function*() {
      const server = yield* OverloadServer.make({ speed: 500, faults: [{ fault: "503" }] })
      const provider = ConfigProvider.fromMap(
        new Map([["GEMINI_API_KEY", "not-a-key"], ["GEMINI_BASE_URL", server.url]])
      )
      const line = yield* ReadmeDocs.main.pipe(Effect.withConfigProvider(provider), Effect.withRandomFixed([0.01]))
      expect(line).toBe("1 image, attempt 2")
      expect((yield* server.counters).byOperation).toEqual({ "gemini.generateContent": 2 })
    }))
})

describe("docs/composition.md", () => {
  const rows = byName(
    table("composition.md", "order", "the model", "attempts at (s)", "over after (s)", "ends with", "stoppedBy"),
    "order"
  )

  it("the table has each measured order", () => {
    expect([...rows.keys()]).toEqual(Object.keys(CompositionDocs.orders))
  })

  for (const [order, run] of Object.entries(CompositionDocs.orders)) {
    it.effect(`${order} does what its row says`, () =>
      Effect.gen(function*() {
        const { attempts, result, seconds, stoppedBy } = yield* run()
        expect({
          "attempts at (s)": attempts.join(", "),
          "over after (s)": String(seconds),
          "ends with": result,
          stoppedBy
        }).toEqual({
          "attempts at (s)": rows.get(order)?.["attempts at (s)"],
          "over after (s)": rows.get(order)?.["over after (s)"],
          "ends with": rows.get(order)?.["ends with"],
          stoppedBy: rows.get(order)?.["stoppedBy"]
        })
      }))
  }

  const crowds = table("composition.md", "calls", "order", "attempts", "answered", "over after (s)")

  it("the table of many calls has each measured order", () => {
    expect(crowds.map((row) => [row["calls"], row["order"]])).toEqual(
      Object.entries(CompositionDocs.crowds).flatMap(([calls, rows]) => Object.keys(rows).map((order) => [calls, order]))
    )
  })

  for (const [calls, runs] of Object.entries(CompositionDocs.crowds)) {
    for (const [order, run] of Object.entries(runs)) {
      it.effect(`${calls}: ${order} does what its row says`, () =>
        Effect.gen(function*() {
          const { answered, attempts, seconds } = yield* run()
          expect(crowds.find((row) => row["calls"] === calls && row["order"] === order)).toEqual({
            calls,
            order,
            attempts: String(attempts),
            answered: String(answered),
            "over after (s)": String(seconds)
          })
        }))
    }
  }

  it.effect("the table of warnings has each pair of policies that is warned of, and no other", () =>
    Effect.gen(function*() {
      const kinds = yield* CompositionDocs.kinds
      const harmful = kinds.flatMap((outer) => {
        const inner = kinds.filter((part) => Policy.explain(Policy.compose(outer, part)).warnings.length > 0)
        return inner.length === 0 ? [] : [[outer.describe.kind, inner.map(({ describe }) => describe.kind).join(", ")]]
      })
      expect(table("composition.md", "outside", "does harm around").map(Object.values)).toEqual(harmful)
      expect(page("composition.md")).toContain(`\n> ${CompositionDocs.warnings.join("\n> ")}\n`)
    }))

  it.effect("there is no warning of the recommended order, which the list tells", () =>
    Effect.gen(function*() {
      const kinds = yield* CompositionDocs.kinds
      const recommended = Policy.compose(...kinds)
      expect(Policy.explain(recommended).warnings).toEqual([])
      const listed = [...page("composition.md").matchAll(/^\d+\. \*\*(.+)\*\*/gm)].map(([, name = ""]) => name.toLowerCase())
      // The cache and the client are no policies, and your own limits are not known here.
      const named = listed.filter((name) => !["cache", "limits of your own", "client"].includes(name))
      const words: Readonly<Record<string, string>> = {
        OffPeak: "off-peak gate",
        RateLimit: "rate limit",
        CircuitBreaker: "circuit breaker"
      }
      const innermost = kinds.filter(({ describe }) => describe.kind !== "Learn")
      expect(named).toEqual(innermost.map(({ describe: { kind } }) => words[kind] ?? kind.toLowerCase()))
    }))

  it.effect("ten callers make ten attempts without a cache, and one with it", () =>
    Effect.gen(function*() {
      expect(yield* inTime(CompositionDocs.attemptsOfTen(GenerationCache.layerNoop))).toBe(10)
      expect(yield* inTime(CompositionDocs.attemptsOfTen(GenerationCache.layerMemory()))).toBe(1)
    }))

  it("the policy of the page amplifies six times at worst", () => {
    expect(CompositionDocs.policy.describe).toMatchObject({ name: "Deadline > Retry > Timeout", amplification: 6 })
    expect(Policy.worstCaseAmplification(Policy.compose())).toBe(1)
  })
})

describe("docs/backoff.md", () => {
  const hint = new GenerationError.RateLimited({ message: "10 a minute", retryAfter: "30 seconds" })

  it.effect("the ladders climb as the table says", () =>
    Effect.gen(function*() {
      const column = "delay before retry 1, 2, 3…, with its defaults and no jitter (s)"
      const shown = byName(table("backoff.md", "constructor", column), "constructor")
      for (const [name, ladder] of Object.entries(BackoffDocs.ladders)) {
        const delays = yield* seconds(ladder, always(8))
        expect(shown.get(name)?.[column]?.split(":")[0], name).toBe(delays.join(", "))
      }
      expect([...shown.keys()].filter((name) => !(name in Backoff))).toEqual([])
    }))

  const combinators = byName(
    table("backoff.md", "applied afterwards", "keeps the server's time", "stops at a fatal error"),
    "applied afterwards"
  )

  it("the table of combinators has each that is tried", () => {
    expect([...combinators.keys()]).toEqual(Object.keys(BackoffDocs.combined))
  })

  for (const [name, schedule] of Object.entries(BackoffDocs.combined)) {
    const row = combinators.get(name)
    it.effect(`${name}: keeps the server's time ${row?.["keeps the server's time"]}`, () =>
      Effect.gen(function*() {
        let shortest = Infinity
        for (let seed = 0; seed < 200; seed++) {
          const { retries } = yield* Backoff.preview(schedule, { errors: [hint], seed })
          for (const { delay } of retries) shortest = Math.min(shortest, Duration.toSeconds(delay))
          expect(retries).toHaveLength(1)
        }
        const { retries } = yield* Backoff.preview(schedule, { errors: [fatal] })
        expect(row?.["keeps the server's time"]?.slice(0, 2)).toBe(shortest >= 30 ? "ye" : "no")
        expect(row?.["stops at a fatal error"]?.slice(0, 2)).toBe(retries.length === 0 ? "ye" : "no")
        if (name === "Schedule.jittered") expect(Math.floor(shortest)).toBe(24)
      }))
  }

  it.effect("inputs are handled as the table says", () =>
    Effect.gen(function*() {
      const { ladder } = BackoffDocs
      expect(yield* seconds(ladder, always(9))).toHaveLength(9)
      expect(yield* seconds(ladder, always(3, unknown))).toHaveLength(1)
      const long = new GenerationError.Overloaded({ message: "busy", retryAfter: "11 minutes" })
      const shed = new Rejected.Shed({ policy: "x", policyName: "x", message: "x" })
      for (const stop of [long, fatal, shed, new Error("x"), "x", undefined]) {
        expect(yield* seconds(ladder, [stop])).toEqual([])
      }
    }))

  it("an illegal option is refused in the words of the page", () => {
    expect(() => Backoff.exponential({ base: "2 minutes", cap: "1 minute" })).toThrow(
      "Backoff.exponential: \"cap\" must be a duration of at least 120000 ms, not 60000 ms"
    )
  })

  it.effect("its schedules run: previewed, under Effect.retry, and around a foreign one", () =>
    Effect.gen(function*() {
      const { retries, stopped } = yield* BackoffDocs.previewed
      expect([retries.length, stopped]).toEqual([5, true])
      const found = yield* Effect.flip(BackoffDocs.read(Effect.fail({ _tag: "NotFound" as const })))
      expect(found).toEqual({ _tag: "NotFound" })
      const failed = yield* inTime(Effect.flip(BackoffDocs.read(Effect.fail(overloaded))))
      expect(failed).toBe(overloaded)
      const foreign = yield* Backoff.preview(BackoffDocs.foreign, { errors: [hint, overloaded, fatal] })
      expect(foreign.retries.map(({ delay }) => Duration.toSeconds(delay))).toEqual([30, 3])
      expect(foreign.stopped).toBe(true)
    }))

  it.effect("the article's loop gives up within 19 s", () =>
    Effect.gen(function*() {
      for (let seed = 0; seed < 100; seed++) {
        const delays = yield* seconds(Backoff.article, always(9), { seed })
        expect(delays.reduce((sum, delay) => sum + delay, 0)).toBeLessThan(19)
      }
    }))

  it.effect("Stream.retry hands out again what it has handed out, without end", () =>
    Effect.gen(function*() {
      const cut = Stream.concat(Stream.make("a", "b"), Stream.fail(overloaded))
      const parts = yield* inTime(Stream.runCollect(Stream.take(BackoffDocs.repeats(cut), 20)))
      expect([...parts].join("")).toBe("ab".repeat(10))
    }))
})

describe("docs/errors.md", () => {
  const handle = (outcome: GenerationClient.Outcome) =>
    Effect.provide(ErrorsDocs.handled, under(Retry.make({ maxAttempts: 1 }), [outcome]))

  it.effect("the handlers answer", () =>
    Effect.gen(function*() {
      expect(yield* handle({})).toBe("an image")
      expect(yield* handle(new GenerationError.ContentBlocked({ message: "no" }))).toBe("please word it differently")
      expect(yield* handle(ErrorsDocs.overloaded)).toBe("again in 20s")
      expect(yield* handle(overloaded)).toBe("again in a while")
      expect(yield* handle(fatal)).toBe("a placeholder")
    }))

  it("an error of one's own is complete, and its cause plain", () => {
    expect(ErrorsDocs.overloaded).toMatchObject({
      _tag: "Overloaded",
      endpoint: "relay",
      status: 503,
      outcome: "rejected",
      retryAfter: Duration.seconds(20),
      cause: { name: "Error", message: "socket hang up" }
    })
    expect("code" in ErrorsDocs.overloaded).toBe(false)
    expect(overloaded.endpoint).toBe("unknown")
  })

  it.effect("an error's history is told line by line", () =>
    Effect.gen(function*() {
      const policy = Retry.make({ schedule: Backoff.constant({ jitter: "none" }), maxAttempts: 2 })
      const call = Effect.flip(Generation.generate({ prompt: "a boat" }))
      const error = yield* inTime(Effect.provide(call, under(policy, [after(3, ErrorsDocs.overloaded)])))
      expect(GenerationError.isGenerationError(error) ? ErrorsDocs.history(error) : []).toEqual([
        "1. relay: Overloaded after 3s",
        "2. relay: Overloaded after 3s"
      ])
    }))

  const stops: Readonly<Record<string, [Generation.GenerationPolicy, ReadonlyArray<GenerationClient.Outcome>]>> = {
    fatal: [Retry.make(), [fatal]],
    schedule: [Retry.make(), [overloaded]],
    deadline: [Policy.compose(Deadline.make({ duration: "10 seconds" }), Retry.make()), [overloaded]],
    "unknown-outcome": [Retry.make(), [unknown]]
  }
  for (const [stoppedBy, [policy, script]] of Object.entries(stops)) {
    it.effect(`stoppedBy: ${stoppedBy}`, () =>
      Effect.gen(function*() {
        expect((yield* measure(policy, script)).stoppedBy).toBe(stoppedBy)
      }))
  }

  it.effect("stoppedBy: schedule, when no policy retries", () =>
    Effect.gen(function*() {
      expect((yield* measure(Policy.identity, [overloaded])).stoppedBy).toBe("schedule")
    }))

  it.effect("stoppedBy: committed, once part of a stream was handed out", () =>
    Effect.gen(function*() {
      const script = [{ _tag: "Parts" as const, parts: [{ _tag: "Text" as const, text: "a" }], error: overloaded }]
      const call = Effect.flip(Stream.runDrain(Generation.stream({ prompt: "a boat" })))
      expect(yield* inTime(Effect.provide(call, under(Retry.make(), script)))).toMatchObject({ stoppedBy: "committed" })
    }))
})

describe("docs/policies/retry.md", () => {
  it.effect("its policies do what the page says", () =>
    Effect.gen(function*() {
      expect((yield* measure(RetryDocs.retry, [overloaded])).attempts).toHaveLength(6)
      const empty = new GenerationError.EmptyResult({ message: "no image", outcome: "rejected" })
      expect((yield* measure(Retry.make(), [empty, {}])).result).toBe("EmptyResult")
      expect((yield* measure(RetryDocs.alsoEmpty, [empty, {}])).result).toBe("success")
      const other = new Error("disk full")
      expect(yield* Effect.flip(RetryDocs.guarded(Effect.fail(other)))).toBe(other)
      const call = Effect.flip(Generation.generate({ prompt: "a boat" }))
      const error = yield* inTime(Effect.provide(call, Layer.provide(RetryDocs.layer, scripted([overloaded]))))
      expect(error._tag).toBe("Overloaded")
    }))

  it.effect("the stricter rule for unknown outcomes holds, and one stated on the retry overrules the schedule's", () =>
    Effect.gen(function*() {
      const count = (policy: Policy.Policy) => Effect.map(measure(policy, [unknown]), ({ attempts }) => attempts.length)
      const patient = Backoff.exponential({ unknownOutcome: "always" })
      expect(yield* count(Retry.make({ unknownOutcome: "never" }))).toBe(1)
      expect(yield* count(Retry.make())).toBe(2)
      expect(yield* count(Retry.make({ schedule: patient, maxAttempts: 4 }))).toBe(2)
      const strict = Backoff.exponential({ unknownOutcome: "never" })
      expect(yield* count(Retry.make({ schedule: strict, maxAttempts: 4 }))).toBe(1)
      expect(yield* count(Retry.make({ schedule: strict, maxAttempts: 4, unknownOutcome: "always" }))).toBe(4)
    }))

  it.effect("refusals of policies inside it pass", () =>
    Effect.gen(function*() {
      const policy = Policy.compose(Retry.make(), Deadline.make({ duration: "5 seconds" }))
      const { attempts, result } = yield* measure(policy, [{ _tag: "Hang" }])
      expect([attempts, result]).toEqual([[0], "DeadlineExceeded"])
    }))
})

describe("docs/policies/deadline.md and docs/policies/timeout.md", () => {
  it.effect("a deadline ends what hangs, and tells what was tried", () =>
    Effect.gen(function*() {
      const call = Effect.flip(Generation.generate({ prompt: "a boat" }))
      const layer = Layer.provide(DeadlineDocs.layer, scripted([overloaded, { _tag: "Hang" }]))
      const error = yield* inTime(Effect.provide(call, layer))
      expect(error._tag).toBe("DeadlineExceeded")
      if (error._tag !== "DeadlineExceeded") return
      expect(error.attempts?.map((attempt) => [attempt.error?._tag, attempt.error?.outcome])).toEqual([
        ["Overloaded", "rejected"],
        ["Timeout", "unknown"]
      ])
      expect(error.last?._tag).toBe("Timeout")
    }))

  it.effect("within another deadline the earlier one holds", () =>
    Effect.gen(function*() {
      const hanging = Layer.provide(DeadlineDocs.layer, scripted([{ _tag: "Hang" }]))
      const timed = Effect.timed(Effect.flip(DeadlineDocs.bothPages))
      const [taken, error] = yield* inTime(Effect.provide(timed, hanging))
      expect([Duration.toMinutes(taken), error._tag]).toEqual([3, "DeadlineExceeded"])
      expect(yield* DeadlineDocs.quality).toBe("4K")
      expect(yield* Policy.with(Deadline.make({ duration: "1 minute" }), DeadlineDocs.quality)).toBe("1K")
    }))

  it.effect("a timeout ends an attempt, and the retry makes one more", () =>
    Effect.gen(function*() {
      const { attempts, result } = yield* measure(TimeoutDocs.policy, [{ _tag: "Hang" }])
      expect([attempts.length, result]).toEqual([2, "Timeout"])
      const silent = Policy.withStream(TimeoutDocs.policy, Stream.concat(Stream.make("a"), Stream.never))
      const error = yield* inTime(Effect.flip(Stream.runDrain(silent)))
      expect(error).toMatchObject({ _tag: "Timeout", phase: "idle", outcome: "unknown", stoppedBy: "committed" })
      const patient = Policy.compose(Deadline.make({ duration: "30 minutes" }), TimeoutDocs.patient)
      expect((yield* measure(patient, [after(29 * 60, {})])).result).toBe("success")
      const late = Policy.withStream(patient, Stream.concat(Stream.make("a"), Stream.never))
      expect(yield* inTime(Effect.flip(Stream.runDrain(late)))).toMatchObject({ _tag: "Timeout", phase: "idle" })
      const nothing = Timeout.make()
      expect(Option.isNone(yield* inTime(Effect.timeoutOption(nothing.apply(Effect.never), "30 minutes")))).toBe(true)
    }))

  it("the layers stand", () => {
    expect([RetryDocs.layer, DeadlineDocs.layer, TimeoutDocs.layer].every(Layer.isLayer)).toBe(true)
  })
})

describe("docs/generation.md", () => {
  const live = (script: ReadonlyArray<GenerationClient.Outcome>) => {
    const client = GenerationClient.layerTest(script)
    return Layer.provideMerge(GenerationDocs.live(client), client)
  }

  it.effect("one result, and a tale part by part", () =>
    Effect.gen(function*() {
      const twice = live([overloaded, { usage: { totalTokens: 9 } }])
      const cover = yield* inTime(Effect.provide(GenerationDocs.cover, twice))
      expect([cover.images.length, cover.attempts, cover.tokens]).toEqual([1, 2, 9])
      expect(yield* Effect.provide(GenerationDocs.tale, live(["once upon a time"]))).toBe("once upon a time")
    }))

  it.effect("the client sees whose call it is", () =>
    Effect.gen(function*() {
      const calls: Array<CurrentCall.Call> = []
      const spy = Policy.make({
        kind: "Spy",
        apply: (self) => Effect.zipRight(Effect.map(CurrentCall.current, (call) => void calls.push(call)), self),
        applyStream: (self) => self
      })
      yield* Effect.provide(GenerationDocs.nightly, under(spy, [{}]))
      expect(calls).toMatchObject([{ workClass: "batch", tenant: "marketing", priority: -1 }])
    }))

  it.effect("the second attempt goes to the other endpoint, as a call and as a stream", () =>
    Effect.gen(function*() {
      const policy = Policy.compose(Retry.make(), GenerationDocs.failOver)
      const request = { prompt: "a boat" }
      for (const call of [Generation.generate(request), Stream.runDrain(Generation.stream(request))]) {
        const seen = Effect.zipRight(call, Effect.flatMap(GenerationClient.Recorded, ({ attempts }) => attempts))
        const attempts = yield* inTime(Effect.provide(seen, under(policy, [overloaded, {}])))
        expect(attempts.map(({ endpoint }) => endpoint)).toEqual(["direct", "relay"])
      }
    }))

  it.effect("what is detached knows of no call", () =>
    Effect.gen(function*() {
      const deadlines: Array<number> = []
      const look = Effect.map(Deadline.current, (deadline) => void deadlines.push(deadline))
      const both = Effect.zipRight(look, Effect.flatMap(GenerationDocs.warmUp(look), Fiber.join))
      yield* Policy.with(Deadline.make({ duration: "1 minute" }), both)
      expect(deadlines).toEqual([60_000, Infinity])
    }))
})

describe("docs/providers.md", () => {
  const keys = ["GEMINI_API_KEY", "OPENAI_API_KEY", "RELAY_KEY", "MY_TOKEN"]
  const config = ConfigProvider.fromMap(new Map(keys.map((key) => [key, "not-a-key"])))

  it.scoped("each layer stands on what the environment says, and several endpoints are told apart by name", () =>
    Effect.gen(function*() {
      for (const layer of [ProvidersDocs.Google, ProvidersDocs.Relay, ProvidersDocs.GoogleCloud, ProvidersDocs.OnNode]) {
        const context = yield* Layer.build(Layer.provide(layer, FetchHttpClient.layer))
        expect(Context.get(context, GenerationClient.GenerationClient)).toHaveProperty("generate")
      }
      yield* Layer.build(ProvidersDocs.Resilient)
      const several = yield* Layer.build(Layer.provide(ProvidersDocs.Several, FetchHttpClient.layer))
      const elsewhere = Context.get(several, GenerationClient.GenerationClient).generate({ prompt: "a boat" })
      const error = yield* Effect.flip(CurrentCall.update(elsewhere, { endpoint: "elsewhere" }))
      expect(error.message).toContain("there are google, relay")
    }).pipe(Effect.withConfigProvider(config)))

  it.effect("a resilient HttpClient asks again, and tells what an error was about", () =>
    Effect.gen(function*() {
      let requests = 0
      const answering = (statuses: ReadonlyArray<number>) =>
        Layer.sync(HttpClient.HttpClient, () => {
          requests = 0
          return HttpClient.make((request) =>
            Effect.sync(() => {
              const status = statuses[Math.min(requests++, statuses.length - 1)] ?? 500
              return HttpClientResponse.fromWeb(request, new Response(JSON.stringify({ status }), { status }))
            }))
        })
      const fetched = ProvidersDocs.fetchJson("https://relay.example/models")
      expect(yield* inTime(Effect.provide(fetched, answering([503, 200])))).toEqual({ status: 200 })
      expect(requests).toBe(2)
      const error = yield* inTime(Effect.flip(Effect.provide(fetched, answering([503]))))
      expect(ProvidersDocs.why(error)).toBe("Overloaded after 6 attempts")
      expect(requests).toBe(6)
      const missing = yield* Effect.flip(Effect.provide(fetched, answering([404])))
      expect(ProvidersDocs.why(missing)).toBe("ModelNotFound after 1 attempts")
      expect(requests).toBe(1)
    }))
})

describe("docs/telemetry.md", () => {
  it.effect("an observer logs each retry, and a metric can be read", () =>
    Effect.gen(function*() {
      const lines: Array<unknown> = []
      const logger = Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => void lines.push(message)))
      const before = yield* TelemetryDocs.succeeded
      const layer = Generation.layer({ policy: Retry.make({ schedule: Backoff.constant({ jitter: "none" }) }) }).pipe(
        Layer.provide([GenerationClient.layerTest([overloaded, {}]), GenerationCache.layerNoop, TelemetryDocs.layer])
      )
      yield* inTime(Generation.generate({ prompt: "a boat" }).pipe(Effect.provide(layer), Effect.provide(logger)))
      expect(lines.map(String)).toEqual(["Overloaded: attempt 2 in 1s"])
      expect((yield* TelemetryDocs.succeeded).count).toBe(before.count + 1)
    }))

  it.effect("spans carry the attributes of the table, and no others", () =>
    Effect.gen(function*() {
      const seen = new Map<string, Set<string>>()
      const note = (span: string, attribute: string) => {
        const on = span === "holdfast.generation" ? "generation" : "attempt"
        seen.set(attribute, (seen.get(attribute) ?? new Set()).add(on))
      }
      const tracer = Tracer.make({
        span: (name, parent, context, links, startTime, kind, options) => {
          for (const attribute of Object.keys(options?.attributes ?? {})) note(name, attribute)
          return {
            _tag: "Span",
            name,
            spanId: name,
            traceId: "trace",
            parent,
            context,
            links,
            kind,
            sampled: true,
            status: { _tag: "Started", startTime },
            attributes: new Map(),
            attribute: (key) => note(name, key),
            end: () => {},
            event: () => {},
            addLinks: () => {}
          }
        },
        context: (run) => run()
      })
      const busy = new GenerationError.Overloaded({ message: "busy", status: 503 })
      const answered = { responseId: "r", usage: { inputTokens: 1, outputTokens: 2 } }
      const layer = Generation.layer({ policy: Retry.make({ maxAttempts: 2 }) }).pipe(
        Layer.provide([GenerationClient.layerTest([answered, busy]), GenerationCache.layerNoop]),
        Layer.provideMerge(TelemetryDocs.traced(tracer))
      )
      const request = { prompt: "a boat", seed: 1, count: 2, temperature: 0.5, maxOutputTokens: 9 }
      const call = Effect.exit(Generation.generate(request))
      const [first, second] = yield* inTime(Effect.provide(Effect.zip(call, call), layer))
      expect([Exit.isSuccess(first), Exit.isSuccess(second)]).toEqual([true, false])
      const rows = table("telemetry.md", "attribute", "on").map((row) => `${row["attribute"]}: ${row["on"]}`)
      const spanned = [...seen].map(([name, on]) => `${name}: ${[...on].sort().reverse().join(", ")}`)
      expect(spanned.sort()).toEqual([...rows].sort())
    }))
})

describe("docs/testing.md", () => {
  it.effect("the script's test ends as the page says", () =>
    Effect.gen(function*() {
      const { attempts, error, events } = yield* Effect.provide(TestingDocs.test, TestingDocs.layer)
      expect(attempts).toHaveLength(3)
      expect(error._tag).toBe("DeadlineExceeded")
      if (error._tag !== "DeadlineExceeded") return
      expect(error.attempts?.map((attempt) => attempt.error?._tag)).toEqual(["Overloaded", "Overloaded", "Timeout"])
      expect(events.map(({ _tag }) => _tag)).toContain("CallRejected")
    }))

  it.effect("sixty callers find room for as many as the page says", () =>
    Effect.gen(function*() {
      const { answers, counters } = yield* TestingDocs.rush
      expect(answers.filter(({ _tag }) => _tag === "Right")).toHaveLength(18)
      expect(counters.started).toBe(18)
    }))

  it.effect("a drill strikes the calls that it is for, as often as the page says", () =>
    Effect.gen(function*() {
      const drill = (calls: number, tenant: string) =>
        Effect.gen(function*() {
          const call = Effect.timed(Effect.exit(CurrentCall.update(TestingDocs.drilled.apply(Effect.void), { tenant })))
          const all = Effect.all(Array.from({ length: calls }, () => call), { concurrency: "unbounded" })
          return (yield* inTime(Effect.withRandom(all, Random.make(1)))).map(([taken]) => Duration.toSeconds(taken))
        })
      expect(new Set(yield* drill(100, "default"))).toEqual(new Set([0]))
      const struck = (yield* drill(1000, "staging")).filter((taken) => taken > 0).length
      // Late, or failed at first: 1 - 0.8 * 0.9 = 28 %.
      expect(Math.abs(struck / 1000 - 0.28)).toBeLessThan(0.05)
      expect((yield* TestingDocs.tripped)._tag).toBe("Open")
      let rotated = 0
      const odd = TestingDocs.odd(Effect.sync(() => void rotated++))
      const answer = { parts: ["picture"], usage: {} }
      const answers = Effect.all(Array.from({ length: 1000 }, () => odd.apply(Effect.succeed(answer))))
      const empty = (yield* Effect.withRandom(answers, Random.make(1))).filter(({ parts }) => parts.length === 0)
      expect(Math.abs(empty.length - 500)).toBeLessThan(50)
      expect(Math.abs(rotated - 10)).toBeLessThan(8)
    }))

  it("the table of chaos has the defaults", () => {
    const rows = table("testing.md", "option", "of", "default", "what it is").filter(({ default: value }) => value !== "")
    const shown = Object.fromEntries(rows.map((row) => [row["option"], row["default"]]))
    expect(shown).toEqual(Object.fromEntries(Object.entries(Chaos.defaults).map(([name, value]) => [name, String(value)])))
  })

  it.scopedLive("the server answers 503, then 200", () =>
    Effect.gen(function*() {
      expect(yield* TestingDocs.server).toEqual({ statuses: [503, 200], requests: 2 })
    }))
})

describe("examples/docs", () => {
  it("each file of snippets is run by a test", () => {
    const folder = (path: string) => new URL(`../${path}/`, import.meta.url)
    const tests = ["examples", "packages/holdfast/test", "packages/providers/test", "test"].flatMap((path) =>
      readdirSync(folder(path)).filter((name) => name.endsWith(".test.ts")).map((name) =>
        readFileSync(new URL(name, folder(path)), "utf8")))
    const idle = readdirSync(folder("examples/docs")).filter((name) =>
      !tests.some((text) => text.includes(`docs/${name.replace(/\.ts$/, ".js")}"`)))
    expect(idle).toEqual([])
  })
})

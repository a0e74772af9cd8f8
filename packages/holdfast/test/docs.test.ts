/** The tables of the docs, cell by cell against the code. */
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Metric, TestClock } from "effect"
import type * as Holdfast from "holdfast"
import * as Backoff from "holdfast/Backoff"
import * as Deadline from "holdfast/Deadline"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as Hedge from "holdfast/Hedge"
import * as Policy from "holdfast/Policy"
import * as Rejected from "holdfast/Rejected"
import * as Retry from "holdfast/Retry"
import * as Telemetry from "holdfast/Telemetry"
import * as Timeout from "holdfast/Timeout"
import { readdirSync, readFileSync } from "node:fs"
import { type Row, table } from "../../../test/support/markdown.js"

const column = (rows: ReadonlyArray<Row>, name: string): ReadonlyArray<string> => rows.map((row) => row[name] ?? "")

const read = (path: string): string => readFileSync(new URL(`../../../docs/${path}`, import.meta.url), "utf8")

/** The modules whose `make` makes a policy, or an effect of one. */
type PolicyModule = {
  [Name in keyof typeof Holdfast]: (typeof Holdfast)[Name] extends { readonly make: (options: never) => infer Made }
    ? Made extends Policy.Policy<unknown> | Effect.Effect<Policy.Policy<unknown>, unknown, unknown> ? Name : never
    : never
}[keyof typeof Holdfast]

describe("docs/policies", () => {
  // A new policy is a compile error here, and then a missing page.
  const policies: Readonly<Record<Exclude<PolicyModule, "Policy">, true>> = {
    Admission: true,
    Balancer: true,
    Bulkhead: true,
    CircuitBreaker: true,
    Deadline: true,
    Hedge: true,
    RateLimit: true,
    Retry: true,
    Timeout: true
  }
  const titles = [...Object.keys(policies), "OffPeak.gate", "RetryBudget"]
  const fileOf = (title: string) => `${title.replace(/[a-z](?=[A-Z])/g, "$&-").replace(".", "-").toLowerCase()}.md`

  it("has a page for each policy, and lists it among the docs", () => {
    expect(readdirSync(new URL("../../../docs/policies", import.meta.url)).sort()).toEqual(titles.map(fileOf).sort())
    for (const title of titles) expect(read("README.md")).toContain(`](policies/${fileOf(title)})`)
  })

  for (const title of titles) {
    it(`${fileOf(title)} has each heading, in the order of all pages`, () => {
      const page = read(`policies/${fileOf(title)}`)
      expect(page.split("\n")[0]).toBe(`# ${title}`)
      const prose = page.replace(/^```[\s\S]*?^```$/gm, "")
      expect([...prose.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual([
        "What it protects",
        "When not to use it",
        "Use",
        "Failure handling",
        "Defaults",
        "Metrics",
        "State diagram",
        "Order with other policies",
        "Anti-patterns"
      ])
      const section = (heading: string) => page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0]
      expect(section("Use")).toContain("```ts\n")
      expect(section("State diagram")).toContain("```mermaid\nstateDiagram-v2\n")
    })
  }
})

describe("docs/errors.md", () => {
  const outcomes = table("errors.md", "class", "phase", "outcome")

  for (const row of outcomes) {
    const { class: tag = "", outcome = "", phase = "" } = row
    it(`${tag}${phase === "" ? "" : `, ${phase}`}: ${outcome}`, () => {
      const known = GenerationError.tags.find((name) => name === tag)
      const knownPhase = GenerationError.timeoutPhases.find((name) => name === phase)
      if (known === undefined) throw new Error(`there is no class ${tag}`)
      expect(knownPhase ?? "").toBe(phase)
      expect(GenerationError.defaultOutcome(known, knownPhase)).toBe(outcome)
      expect(GenerationError.make(known, { message: "x", phase: knownPhase }).outcome).toBe(outcome)
    })
  }

  it("the outcome table has each class and each phase of a timeout once", () => {
    const expected = GenerationError.tags.flatMap((tag) =>
      tag === "Timeout" ? GenerationError.timeoutPhases.map((phase) => `Timeout ${phase}`) : [`${tag} `])
    expect(outcomes.map((row) => `${row["class"]} ${row["phase"]}`).sort()).toEqual([...expected].sort())
  })

  it("the class table has each class, and says which are retryable", () => {
    const classes = table("errors.md", "_tag", "retryable", "meaning")
    expect(column(classes, "_tag")).toEqual(GenerationError.tags)
    for (const tag of GenerationError.tags) {
      const retryable = GenerationError.isRetryable(GenerationError.make(tag, { message: "x" }))
      expect(classes.find((row) => row["_tag"] === tag)?.["retryable"], tag).toBe(retryable ? "yes" : "no")
    }
  })

  it("the table of reasons to stop has each of them", () => {
    const reasons = table("errors.md", "stoppedBy", "why there was no further attempt")
    expect(column(reasons, "stoppedBy")).toEqual(GenerationError.stopReasons)
  })

  it("the table of rejections has each of them", () => {
    const rejections = table("errors.md", "_tag", "refused because", "who refuses")
    expect(column(rejections, "_tag")).toEqual(Rejected.tags)
  })
})

const asText = (defaults: object): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, String(value)]))

/** A table of defaults as an object. */
const defaultsOf = (page: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    table(page, "option", "default", "unit and range").map((row) => [row["option"] ?? "", row["default"] ?? ""])
  )

describe("tables of defaults", () => {
  it("docs/backoff.md states those of Backoff", () => {
    expect(defaultsOf("backoff.md")).toEqual(asText(Backoff.defaults))
  })

  it("docs/policies/retry.md states those of Retry", () => {
    const { budget, retryOn, schedule, spend, ...stated } = defaultsOf("policies/retry.md")
    expect(stated).toEqual(asText(Retry.defaults))
    expect({ budget, retryOn, schedule, spend }).toEqual({
      budget: "none",
      spend: "none",
      retryOn: "GenerationError.isRetryable",
      schedule: "Backoff.exponential({ base: \"2 seconds\" })"
    })
    expect(Retry.make().describe.options).toEqual({ maxAttempts: 6, attemptTime: 0, unknownOutcome: "once" })
    expect(Retry.make({ schedule: Backoff.article }).describe.options["maxAttempts"]).toBe(5)
    expect(Retry.make({ schedule: Backoff.linear() }).describe.options["maxAttempts"]).toBe(Infinity)
  })

  it.effect("the retry's own schedule is the one that docs/policies/retry.md states", () =>
    Effect.gen(function*() {
      const overloaded = new GenerationError.Overloaded({ message: "busy" })
      const delays: Array<number> = []
      const attempts = Effect.flip(Retry.make().apply(Effect.fail(overloaded)))
      const fiber = yield* Effect.fork(Effect.withRandomFixed(attempts, [0.5]))
      yield* TestClock.adjust("1 hour")
      const { attempts: made = [] } = yield* Fiber.join(fiber)
      for (const [index, attempt] of made.entries()) {
        if (index > 0) delays.push(attempt.startedAt - (made[index - 1]?.startedAt ?? 0))
      }
      // Half of 2, 4, 8, 16, 32 s: full jitter.
      expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000])
    }))

  it("docs/policies/timeout.md states that an attempt is patient, and nothing else limited, unless asked for", () => {
    const stated = defaultsOf("policies/timeout.md")
    expect(stated).toEqual({ name: "Timeout", attempt: "patient", firstChunk: "none", idle: "none" })
    const patient = Timeout.make({ attempt: stated["attempt"] as Duration.DurationInput })
    expect(patient.describe).toEqual(Timeout.make().describe)
    expect(patient.name).toBe(stated["name"])
  })

  it("docs/policies/deadline.md states the name, and that a duration must be given", () => {
    expect(defaultsOf("policies/deadline.md")).toEqual({
      name: Deadline.make({ duration: 1 }).describe.name,
      duration: "none: it must be given"
    })
  })

  it("docs/policies/timeout.md names a phase for each option", () => {
    const phases = column(table("policies/timeout.md", "option", "phase", "effects", "streams"), "phase")
    expect(phases.filter((phase) => !GenerationError.timeoutPhases.some((known) => known === phase))).toEqual([])
    expect(phases).toHaveLength(3)
  })
})

describe("docs/telemetry.md", () => {
  const overloaded = new GenerationError.Overloaded({ message: "busy" })
  const usage = { inputTokens: 1, outputTokens: 2, thoughtTokens: 3 }

  it.effect("names each metric with its type, its labels, and no other", () =>
    Effect.gen(function*() {
      const policy = Effect.map(Hedge.make({ delay: "10 seconds" }), (hedge) => Policy.compose(Retry.make(), hedge))
      const layer = Generation.layer({ policy, deadline: "1 minute" }).pipe(
        Layer.provide(Layer.mergeAll(
          GenerationClient.layerTest([overloaded, { usage }, { _tag: "Hang" }]),
          GenerationCache.layerNoop,
          Telemetry.layer()
        ))
      )
      const once = Effect.ignore(Generation.generate({ prompt: "a boat", model: "docs-test" }))
      const fiber = yield* Effect.fork(Effect.provide(Effect.zipRight(once, once), layer))
      yield* TestClock.adjust("10 minutes")
      yield* Fiber.join(fiber)
      const seen = new Map<string, { type: string; labels: Set<string> }>()
      for (const { metricKey } of yield* Metric.snapshot) {
        if (!metricKey.name.startsWith("holdfast_") || metricKey.name.startsWith("holdfast_cache_")) continue
        const type = Object.getOwnPropertySymbols(metricKey.keyType)
          .map((symbol) => /(Counter|Gauge|Histogram)/.exec(String(symbol))?.[1]?.toLowerCase())
          .find((name) => name !== undefined) ?? "unknown"
        const entry = seen.get(metricKey.name) ?? { type, labels: new Set() }
        for (const { key } of metricKey.tags) entry.labels.add(key)
        seen.set(metricKey.name, entry)
      }
      expect(seen.size).toBe(Object.keys(Telemetry.metrics).length)
      const rows = table("telemetry.md", "name", "type", "labels", "counts")
      expect(rows.map((row) => `${row["name"]} ${row["type"]} ${row["labels"]}`).sort()).toEqual(
        [...seen].map(([name, { labels, type }]) => `${name} ${type} ${[...labels].join(", ")}`).sort()
      )
    }))

  it("names each event", () => {
    // A new event is a compile error here, and then a missing row.
    const events: Readonly<Record<Telemetry.TelemetryEvent["_tag"], true>> = {
      GenerationStarted: true,
      AttemptStarted: true,
      AttemptEnded: true,
      RetryScheduled: true,
      HedgeStarted: true,
      CallRejected: true,
      CacheAnswered: true,
      GenerationEnded: true
    }
    expect(column(table("telemetry.md", "event", "says"), "event")).toEqual(Object.keys(events))
  })

  it.effect("an attempt that a policy ends counts as interrupted", () =>
    Effect.gen(function*() {
      const layer = Generation.layer({ policy: Timeout.make({ attempt: "1 second" }) }).pipe(
        Layer.provideMerge(Layer.mergeAll(
          GenerationClient.layerTest([{ _tag: "Hang" }]),
          GenerationCache.layerNoop,
          Telemetry.layerTest
        ))
      )
      const program = Effect.gen(function*() {
        const fiber = yield* Effect.fork(Effect.flip(Generation.generate({ prompt: "a boat" })))
        yield* TestClock.adjust("1 second")
        const error = yield* Fiber.join(fiber)
        return { error, events: yield* (yield* Telemetry.Recorded).events }
      })
      const { error, events } = yield* Effect.provide(program, layer)
      expect(error).toMatchObject({ _tag: "Timeout", phase: "attempt", outcome: "unknown" })
      const endings = events.flatMap((event) => event._tag === "AttemptEnded" ? [event.ending._tag] : [])
      expect(endings).toEqual(["Interrupted"])
      expect(Duration.toMillis(error._tag === "Timeout" ? error.attempts?.[0]?.duration ?? 0 : 0)).toBe(1000)
    }))
})

import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Metric, TestClock } from "effect"
import * as CircuitBreaker from "holdfast/CircuitBreaker"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import { readFileSync } from "node:fs"
import * as Docs from "../../../examples/docs/circuit-breaker.js"
import { table } from "../../../test/support/markdown.js"

const file = "policies/circuit-breaker.md"
const page = readFileSync(new URL(`../../../docs/${file}`, import.meta.url), "utf8")
const overloaded = new GenerationError.Overloaded({ message: "busy" })

describe("docs/policies/circuit-breaker.md", () => {
  it("states the defaults", () => {
    const stated = table(file, "option", "default", "unit and range").map((row) => [row["option"], row["default"]])
    const { length } = Object.keys(CircuitBreaker.defaults)
    expect(stated.slice(0, length)).toEqual(
      Object.entries(CircuitBreaker.defaults).map(([name, value]) => [name, String(value)])
    )
    expect(stated.slice(length).map(([option]) => option)).toEqual(["key", "isFailure", "initialState", "onTransition"])
  })

  it("states odds that hold: refusals of 45 % rarely open it", () => {
    const p = 0.45
    // Calls until a run of 8, and the chance of at least 10 (80 % of 12, rounded up) among 12.
    const run = (1 - p ** 8) / (p ** 8 * (1 - p))
    const choose = [66, 12, 1]
    const many = choose.reduce((sum, ways, i) => sum + ways * p ** (10 + i) * (1 - p) ** (2 - i), 0)
    expect(run).toBeGreaterThan(1000)
    expect(1 / many).toBeGreaterThan(100)
  })

  it.effect("names its metric with its labels", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ name: "docs", consecutiveFailures: 1 })
      yield* Effect.ignore(breaker.apply(Effect.fail(overloaded)))
      const rows = (yield* Metric.snapshot).filter(({ metricKey }) => metricKey.name.startsWith("holdfast_circuit_"))
      const shown = rows.map(({ metricKey: { name, tags } }) => [name, tags.map(({ key, value }) => `${key}=${value}`)])
      expect(shown).toContainEqual(["holdfast_circuit_transitions_total", ["breaker=docs", "to=Open"]])
      const stated = table(file, "metric", "type", "labels")
      expect(stated.map((row) => [row["metric"], row["type"], row["labels"]])).toEqual([
        ["holdfast_circuit_transitions_total", "counter", "breaker, to"]
      ])
    }))

  it("shows only code of the example that is compiled and run", () => {
    const example = readFileSync(new URL("../../../examples/docs/circuit-breaker.ts", import.meta.url), "utf8")
    const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!)
    expect(blocks.length).toBeGreaterThan(4)
    for (const block of blocks) expect(example).toContain(block.trim())
  })
})

describe("examples/docs/circuit-breaker.ts", () => {
  it.effect("the layer stands, and its policy is in the order of the page", () =>
    Effect.gen(function*() {
      expect(Layer.isLayer(Docs.layer)).toBe(true)
      expect((yield* Docs.policy).describe.name).toBe("Retry > CircuitBreaker > Timeout")
    }))

  it.effect("a tenant of its own, and a trial that tells", () =>
    Effect.gen(function*() {
      const strict = yield* Docs.strict
      const call = Effect.ignore(CurrentCall.update(strict.apply(Effect.fail(overloaded)), { tenant: "t" }))
      yield* Effect.repeatN(call, 2)
      expect(yield* strict.at("t").state).toMatchObject({ _tag: "Open" })
      const lines: Array<string> = []
      const trial = yield* Docs.trial((line) => lines.push(line))
      yield* Effect.repeatN(Effect.ignore(trial.apply(Effect.fail(overloaded))), 20)
      expect(yield* trial.apply(Effect.succeed(1))).toBe(1)
      expect(lines).toEqual(["default would be Open (consecutive-failures)"])
    }))

  it.effect("maintenance closes the door to the relay", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make()
      const call = CurrentCall.update(breaker.apply(Effect.succeed(1)), { endpoint: "relay" })
      expect(yield* Effect.flip(Docs.during(breaker, call))).toMatchObject({ _tag: "CircuitOpen" })
      expect(yield* call).toBe(1)
    }))

  it.effect("what was learned is kept over a restart", () =>
    Effect.gen(function*() {
      let stored: string | undefined
      const kept = Docs.kept(Effect.sync(() => stored), (json) =>
        Effect.sync(() => {
          stored = json
        }))
      const failing = Effect.flatMap(kept, (breaker) =>
        Effect.repeatN(Effect.ignore(breaker.apply(Effect.fail(overloaded))), 7))
      yield* Effect.scoped(failing)
      expect(yield* Effect.scoped(Effect.flatMap(kept, (breaker) => breaker.state))).toMatchObject({ _tag: "Open" })
    }))

  it.effect("patient work waits, and comes back in the number of the probes", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make()
      yield* Effect.repeatN(Effect.ignore(breaker.apply(Effect.fail(overloaded))), 7)
      let inside = 0
      let most = 0
      const work = Effect.acquireUseRelease(
        Effect.sync(() => {
          most = Math.max(most, ++inside)
        }),
        () => Effect.sleep("5 seconds"),
        () => Effect.sync(() => inside--)
      )
      const policy = Docs.patient(breaker)
      const fibers = []
      for (let i = 0; i < 20; i++) fibers.push(yield* Effect.fork(policy.apply(work)))
      yield* TestClock.adjust("20 seconds")
      expect([inside, most]).toEqual([2, 2])
      yield* TestClock.adjust("10 minutes")
      for (const fiber of fibers) yield* Fiber.join(fiber)
      expect(yield* breaker.state).toMatchObject({ _tag: "Closed" })
    }))
})

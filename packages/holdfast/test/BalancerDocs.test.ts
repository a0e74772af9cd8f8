import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Metric } from "effect"
import * as Balancer from "holdfast/Balancer"
import * as CurrentCall from "holdfast/CurrentCall"
import { tiers } from "holdfast/Endpoint"
import * as GenerationError from "holdfast/GenerationError"
import * as Rejected from "holdfast/Rejected"
import { readFileSync } from "node:fs"
import * as Docs from "../../../examples/docs/balancer.js"
import { table } from "../../../test/support/markdown.js"

const file = "policies/balancer.md"
const page = readFileSync(new URL(`../../../docs/${file}`, import.meta.url), "utf8")
const overloaded = new GenerationError.Overloaded({ message: "busy" })

const failAt = (balancer: Balancer.Balancer<unknown>, endpoint: string, error: GenerationError.GenerationError) =>
  Effect.ignore(CurrentCall.update(balancer.apply(Effect.fail(error)), { endpoint }))

describe("docs/policies/balancer.md", () => {
  it("states the defaults", () => {
    const stated = table(file, "option", "default", "unit and range").map((row) => [row["option"], row["default"]])
    const { length } = Object.keys(Balancer.defaults)
    expect(stated.slice(0, length)).toEqual(
      Object.entries(Balancer.defaults).map(([name, value]) => [name, String(value)])
    )
    expect(stated.slice(length).map(([option]) => option)).toEqual(["endpoints", "isFailure"])
  })

  it.effect("states those of an endpoint, and its tiers", () =>
    Effect.gen(function*() {
      const rows = table(file, "of an endpoint", "default", "meaning")
      expect(rows.map((row) => row["of an endpoint"])).toEqual(["name", "model", "weight", "price", "tier", "policy"])
      const state = (yield* (yield* Balancer.make({ endpoints: [{ name: "a" }] })).state).get("a")
      for (const row of rows.slice(2, 4)) {
        expect(String(state?.[row["of an endpoint"] as "weight" | "price"])).toBe(row["default"])
      }
      for (const tier of tiers) expect(rows[4]?.["meaning"]).toContain(tier)
    }))

  it.effect("tells of each class of errors what it counts as", () =>
    Effect.gen(function*() {
      const rows = table(file, "an attempt ends with", "it counts as", "besides")
      for (const tag of GenerationError.tags) {
        const row = rows.find((one) => one["an attempt ends with"]?.split(", ").includes(tag))
        const balancer = yield* Balancer.make({ endpoints: [{ name: "a" }, { name: "b" }] })
        yield* failAt(balancer, "a", GenerationError.make(tag, { message: "x", retryAfter: "20 seconds" }))
        const state = (yield* balancer.state).get("a")
        expect(row?.["it counts as"], tag).toBe((state?.success ?? 1) < 1 ? "failure" : "nothing")
        expect(row?.["besides"] !== "", tag).toBe(state?.mode === "cooling")
        const aside = tag !== "QuotaExhausted" && row?.["besides"]?.includes("aside") === true
        expect(state?.until === 300_000, tag).toBe(aside)
      }
    }))

  it("names the refusals that send a call elsewhere", () => {
    const told = /- \*\*Refusals\.\*\* ([^.]*) of a policy inside/.exec(page)?.[1] ?? ""
    const named = Rejected.tags.filter((tag) => told.includes(`\`${tag}\``))
    expect(named).toEqual(["CircuitOpen", "QueueFull", "Shed", "LimitExceeded", "NoEndpoint"])
  })

  it("states odds that hold: refusals of 45 % in a row", () => {
    const p = 0.45
    const run = (1 - p ** 5) / (p ** 5 * (1 - p))
    expect(run).toBeGreaterThan(90)
    expect(run).toBeLessThan(110)
  })

  it.effect("names its metric with its labels", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ name: "docs", endpoints: [{ name: "a" }, { name: "b" }], consecutiveFailures: 1 })
      yield* failAt(balancer, "a", overloaded)
      yield* failAt(balancer, "b", new GenerationError.Unauthorized({ message: "wrong key" }))
      const rows = (yield* Metric.snapshot).filter(({ metricKey }) => metricKey.name.startsWith("holdfast_balancer_"))
      const shown = rows.map(({ metricKey: { name, tags } }) => [name, tags.map(({ key, value }) => `${key}=${value}`)])
      const name = "holdfast_balancer_left_out_total"
      expect(shown).toContainEqual([name, ["balancer=docs", "endpoint=a", "because=failures"]])
      expect(shown).toContainEqual([name, ["balancer=docs", "endpoint=b", "because=Unauthorized"]])
      const stated = table(file, "metric", "type", "labels")
      expect(stated.map((row) => [row["metric"], row["type"], row["labels"]])).toEqual([
        [name, "counter", "balancer, endpoint, because"]
      ])
    }))

  it("shows only code of the example that is compiled and run", () => {
    const example = readFileSync(new URL("../../../examples/docs/balancer.ts", import.meta.url), "utf8")
    const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!)
    expect(blocks.length).toBeGreaterThan(3)
    for (const block of blocks) expect(example).toContain(block.trim())
  })
})

describe("examples/docs/balancer.ts", () => {
  it.effect("the layer stands, and its policies are in the order of the page", () =>
    Effect.gen(function*() {
      expect(Layer.isLayer(Docs.layer)).toBe(true)
      expect((yield* Docs.policy).describe.name).toBe("Retry > Balancer > Timeout")
      expect((yield* Docs.paced).describe.name).toBe("Retry > Balancer > Admission")
    }))

  it.effect("the relay takes four at a time, and the others go elsewhere", () =>
    Effect.gen(function*() {
      const policy = yield* Docs.policy
      const counts = { google: 0, relay: 0 }
      const count = Effect.flatMap(CurrentCall.current, ({ endpoint, model }) => {
        counts[endpoint as "google" | "relay"]++
        expect(model).toBe(endpoint === "google" ? "gemini-3-pro-image-preview" : "nano-banana-pro")
        return Effect.never
      })
      for (let i = 0; i < 30; i++) yield* Effect.fork(policy.apply(count))
      yield* Effect.yieldNow()
      yield* Effect.yieldNow()
      expect(counts).toEqual({ google: 26, relay: 4 })
    }))

  it.effect("what an endpoint's limit and breaker refuse goes elsewhere", () =>
    Effect.gen(function*() {
      const balancer = yield* Docs.guarded
      for (let i = 0; i < 3; i++) yield* failAt(balancer, "relay", overloaded)
      const where = Effect.map(CurrentCall.current, ({ endpoint }) => endpoint)
      for (let i = 0; i < 20; i++) expect(yield* balancer.apply(where)).toBe("google")
      yield* failAt(balancer, "google", new GenerationError.Overloaded({ message: "busy", retryAfter: "1 minute" }))
      expect(yield* Docs.report(balancer)).toEqual([
        "google: cooling (Overloaded), 0 in flight, 88 % of calls",
        "relay: ok, 0 in flight, 13 % of calls"
      ])
    }))
})

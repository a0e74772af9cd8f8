import { describe, expect, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import { existsSync, readFileSync } from "node:fs"
import * as Scenario from "../src/Scenario.js"

const minimal = { hours: 1, endpoints: [{ name: "direct", slots: 3 }] }

const refusal = (input: unknown) => {
  const result = Scenario.decode(input)
  return Either.isLeft(result) ? result.left : undefined
}

const withEndpoint = (more: object) => ({ hours: 1, endpoints: [{ name: "direct", slots: 3, ...more }] })
const withEvent = (event: object) => withEndpoint({ events: [event] })
const withWork = (work: object) => ({ ...minimal, workload: [{ cls: "a", clients: 1, deadline: 1, ...work }] })

describe("a scenario", () => {
  it("needs hours and one endpoint with a name and slots", () => {
    expect(Either.getOrThrow(Scenario.decode(minimal))).toEqual(minimal)
    expect(refusal({ ...minimal, hours: undefined })?.path).toBe("hours")
    expect(refusal({ hours: 1, endpoints: [] })?.path).toBe("endpoints")
    expect(refusal({ hours: 1, endpoints: [{ name: "a" }] })?.path).toBe("endpoints[0].slots")
    expect(refusal([])?.message).toContain("The input must be an object")
  })

  it("is refused with the name of the field and what is legal there", () => {
    const cases: ReadonlyArray<readonly [unknown, string, string]> = [
      [{ ...minimal, hour: 1 }, "hour", "hours, startHour"],
      [{ ...minimal, hours: 0 }, "hours", "above 0"],
      [{ ...minimal, hours: NaN }, "hours", "finite"],
      [{ ...minimal, startHour: 24 }, "startHour", "below 24"],
      [{ ...minimal, bg: { low: 0.1, med: 0.1, peak: 1.1, high: 0 } }, "bg.peak", "at most 1"],
      [{ ...minimal, bg: { low: 0.1, med: 0.1, peak: 0.1 } }, "bg.high", "at least 0"],
      [{ ...minimal, noise: -0.1 }, "noise", "at least 0"],
      [{ ...minimal, svc: { mean: 5 } }, "svc.mean", "between min and max, 10 to 90"],
      [{ ...minimal, svc: { min: 95 } }, "svc.min", "no longer than max"],
      [{ ...minimal, cancel: "all" }, "cancel", `"queued" or "ignored"`],
      [{ ...minimal, rejectCost: "1" }, "rejectCost", "number"],
      [withEndpoint({ slots: 1.5 }), "endpoints[0].slots", "an integer"],
      [withEndpoint({ queue: -1 }), "endpoints[0].queue", "at least 0"],
      [withEndpoint({ err: 2 }), "endpoints[0].err", "at most 1"],
      [withEndpoint({ rej: [2, 1] }), "endpoints[0].rej[1]", "at least 2"],
      [withEndpoint({ rej: [2] }), "endpoints[0].rej", "[shortest, longest]"],
      [withEndpoint({ rpm: 0 }), "endpoints[0].rpm", "at least 1"],
      [withEndpoint({ retryAfter: 1 }), "endpoints[0].retryAfter", "true or false"],
      [withEndpoint({ colour: 1 }), "endpoints[0].colour", "no such key"],
      [withEvent({ from: 10, to: 10, cap: 1 }), "endpoints[0].events[0].to", "above 10"],
      [withEvent({ from: 0, to: 10 }), "endpoints[0].events[0].mode", "cap"],
      [withEvent({ from: 0, to: 10, mode: "slow" }), "endpoints[0].events[0].x", "above 0"],
      [withEvent({ from: 0, to: 10, mode: "flaky", p: 1.2 }), "endpoints[0].events[0].p", "at most 1"],
      [withEvent({ from: 0, to: 10, cap: 0.5, p: 0.2 }), "endpoints[0].events[0].p", "left out"],
      [withEvent({ from: 0, to: 10, mode: "explode" }), "endpoints[0].events[0].mode", `"hang"`],
      [{ hours: 1, endpoints: [minimal.endpoints[0], minimal.endpoints[0]] }, "endpoints[1].name", "no other endpoint"],
      [withWork({ perHour: 1, deadline: 0 }), "workload[0].deadline", "above 0"],
      [withWork({ clients: 0, perHour: 1 }), "workload[0].clients", "at least 1"],
      [withWork({ perHour: 1, diurnal: [1, 1, 1] }), "workload[0].diurnal", "four"],
      [withWork({ kind: "burst", period: 1, size: 1 }), "workload[0].spread", "least 0"],
      [withWork({ kind: "batch", jobs: 1, at: 0, spread: 0, size: 1 }), "workload[0].size", "jobs"],
      [withWork({ kind: "often" }), "workload[0].kind", `"burst" or "batch"`]
    ]
    for (const [input, path, legal] of cases) {
      const error = refusal(input)
      expect(error?.path, JSON.stringify(input)).toBe(path)
      expect(error?.message).toContain(`"${path}"`)
      expect(error?.message).toContain(legal)
    }
  })

  it("may hold comments, as keys that begin with an underscore", () => {
    expect(Either.getOrThrow(Scenario.decode({ ...minimal, _why: "small" }))).toEqual(minimal)
    const file = Scenario.decodeFile({ _comment: "all of it", small: minimal })
    expect(Either.getOrThrow(file)).toEqual({ small: minimal })
    expect(Either.flip(Scenario.decodeFile({ small: { ...minimal, hours: -1 } }))).toMatchObject({
      right: { path: "small.hours" }
    })
  })

  it("that is read is read again to the same, and anything at all is read or refused without a crash", () => {
    for (const name of Scenario.names) {
      const scenario = Either.getOrThrow(Scenario.byName(name))
      expect(Either.getOrThrow(Scenario.decode(scenario)), name).toEqual(JSON.parse(JSON.stringify(scenario)))
    }
    FastCheck.assert(
      FastCheck.property(FastCheck.anything(), FastCheck.jsonValue(), (a, b) => {
        for (const value of [a, b, { ...minimal, endpoints: a }, withEndpoint({ events: [a] }), withWork({ a })]) {
          const result = Scenario.decode(value)
          if (Either.isLeft(result)) expect(result.left._tag).toBe("ScenarioError")
        }
        expect(Either.isEither(Scenario.decodeFile(b))).toBe(true)
      }),
      { numRuns: 200 }
    )
  })

  it("of a name that nobody knows is refused with the names that there are", () => {
    expect(Either.flip(Scenario.byName("sunny"))).toMatchObject({ right: { message: expect.stringContaining("demo") } })
  })

  const shared = ["../shared/scenarios/overload.json", "../../../shared/scenarios/overload.json"].find(existsSync)
  it.skipIf(shared === undefined)("of the public benchmark file is read unchanged", () => {
    const raw: unknown = JSON.parse(readFileSync(shared ?? "", "utf8"))
    const file = Either.getOrThrow(Scenario.decodeFile(raw))
    expect(Object.keys(file)).toHaveLength(15)
    expect(raw).toMatchObject(file)
  })
})

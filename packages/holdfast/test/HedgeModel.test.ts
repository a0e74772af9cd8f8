/** The delay of a hedge against plain models: the quantile of the last answers, by key, and where it goes over time. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck, Random } from "effect"
import { Delays } from "../src/internal/hedge/delays.js"
import { Latencies } from "../src/internal/hedge/latencies.js"

const value = FastCheck.oneof(
  FastCheck.integer({ min: 0, max: 5 }),
  FastCheck.double({ min: 0, max: 1e6, noNaN: true }),
  FastCheck.constantFrom(NaN, -1, Infinity)
)

/** The nearest rank of what is left of the last values, sorted anew each time. */
const model = (values: ReadonlyArray<number>, size: number, share: number): number | undefined => {
  const last = values.filter((n) => n >= 0).slice(-size).sort((a, b) => a - b)
  return last.find((n) => last.filter((other) => other <= n).length >= share * last.length)
}

describe("Latencies", () => {
  it.prop(
    "knows the quantiles of the last values that are any",
    [
      FastCheck.array(value, { maxLength: 60 }),
      FastCheck.integer({ min: 1, max: 12 }),
      FastCheck.double({ min: 0.01, max: 1, noNaN: true })
    ],
    ([values, size, share]) => {
      const latencies = new Latencies(size)
      for (const [index, one] of values.entries()) {
        latencies.add(one)
        const seen = values.slice(0, index + 1)
        expect(latencies.count).toBe(Math.min(size, seen.filter((n) => n >= 0).length))
        expect(latencies.quantile(share)).toBe(model(seen, size, share))
      }
    }
  )

  it("knows none of nothing", () => {
    expect(new Latencies(3).quantile(0.5)).toBeUndefined()
  })
})

describe("Delays", () => {
  const rule = { quantile: 0.5, warmUp: 2, window: 3, min: 10, max: 100 }

  it("fixed ones know no calls", () => {
    const delays = new Delays(7, 1)
    delays.observe("a", 1)
    expect([delays.of("a"), delays.count("a")]).toEqual([7, 0])
  })

  it.prop(
    "are those of the last answers of each key, for the keys used last",
    [
      FastCheck.array(
        FastCheck.tuple(FastCheck.constantFrom("a", "b", "c", "d"), FastCheck.integer({ min: -5, max: 150 })),
        { maxLength: 50 }
      )
    ],
    ([answers]) => {
      const delays = new Delays(rule, 2)
      let kept: Array<[string, ReadonlyArray<number>]> = []
      for (const [key, millis] of answers) {
        delays.observe(key, millis)
        const before = kept.find(([name]) => name === key)?.[1] ?? []
        kept = [...kept.filter(([name]) => name !== key), [key, [...before, Math.max(0, millis)]]]
        kept = kept.slice(-2)
        for (const name of ["a", "b", "c", "d"]) {
          const known = kept.find(([other]) => other === name)?.[1] ?? []
          const usual = model(known, 3, 0.5)
          expect(delays.count(name)).toBe(Math.min(3, known.length))
          expect(delays.of(name)).toBe(
            known.length < 2 || usual === undefined ? undefined : Math.min(100, Math.max(10, usual))
          )
        }
      }
    }
  )

  it("what was overtaken counts, so that the delay does not creep down and hedge ever more", () => {
    // Answers of 20 to 60 s, and one in twenty that takes minutes; the further copy is as fast as most.
    const share = (counts: boolean) => {
      const source = Random.make("hedges")
      const random = () => Effect.runSync(source.next)
      const usual = () => (random() < 0.05 ? 200 + 400 * random() : 20 + 40 * random())
      const delays = new Delays({ quantile: 0.95, warmUp: 20, window: 100, min: 1, max: 1000 }, 1)
      let hedged = 0
      const calls = 20_000
      for (let call = 0; call < calls; call++) {
        const first = usual()
        const delay = delays.of("a") ?? Infinity
        const second = delay + usual()
        if (first > delay) hedged++
        if (first <= second) delays.observe("a", first)
        else if (counts) delays.observe("a", second)
      }
      return hedged / calls
    }
    expect(share(true)).toBeGreaterThan(0.03)
    expect(share(true)).toBeLessThan(0.08)
    expect(share(false)).toBeGreaterThan(0.08)
  })
})

/** The parts of `OffPeak`: when deferred work may start, how chance spreads it, and what looks like an error. */
import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Either, Exit, Option, Random } from "effect"
import * as GenerationError from "holdfast/GenerationError"
import * as LoadProfile from "holdfast/LoadProfile"
import { CircuitOpen } from "holdfast/Rejected"
import { runInNewContext } from "node:vm"
import * as Arrival from "../src/internal/time/arrival.js"
import * as Even from "../src/internal/time/even.js"
import { looksLikeError } from "../src/internal/time/input.js"

const hour = 3_600_000
const day = 24 * hour

describe("when deferred work may start", () => {
  /** Low from 00:00 to 06:00 in UTC, peak from 12:00 to 18:00. */
  const place = (bounds: Partial<Arrival.Bounds>) =>
    Arrival.place(LoadProfile.nanoBanana, { atMost: "low", earliest: 13 * hour, latest: Infinity, spread: hour, ...bounds })

  it("is within the first part of the next window, as wide as the spread", () => {
    expect(place({})).toEqual({ from: day, width: hour })
    expect(place({ spread: 0 })).toEqual({ from: day, width: 0 })
    expect(place({ atMost: "high" })).toEqual({ from: 18 * hour, width: hour })
  })

  it("is no wider than the window, and ends with the latest start", () => {
    expect(place({ spread: 9 * hour })).toEqual({ from: day, width: 6 * hour })
    expect(place({ latest: day + 5 })).toEqual({ from: day, width: 5 })
    expect(place({ latest: day })).toEqual({ from: day, width: 0 })
  })

  it("is at once inside of a window, in whole milliseconds", () => {
    expect(place({ earliest: day + 5 })).toEqual({ from: day + 5, width: 0 })
    expect(place({ earliest: day })).toEqual({ from: day, width: 0 })
    expect(place({ earliest: day + 4.2 })).toEqual({ from: day + 5, width: 0 })
    expect(place({ earliest: day + 5, latest: day + 5 })).toEqual({ from: day + 5, width: 0 })
  })

  it("is never where there is no such time", () => {
    expect(place({ latest: day - 1 })).toBeUndefined()
    expect(place({ earliest: day + 5, latest: day + 4 })).toBeUndefined()
    expect(place({ earliest: day + 4.2, latest: day + 4.5 })).toBeUndefined()
    const busy = LoadProfile.make({ otherwise: "peak" })
    expect(Arrival.place(busy, { atMost: "low", earliest: 0, latest: Infinity, spread: hour })).toBeUndefined()
  })

  it("is picked by chance, evenly over the width, in whole milliseconds", () => {
    const arrival = { from: 1000, width: 10 }
    expect([0, 0.19, 0.5, 0.999].map((u) => Arrival.pick(arrival, u))).toEqual([1000, 1001, 1005, 1009])
    expect(Arrival.pick({ from: 1000, width: 0 }, 0.9)).toBe(1000)
  })
})

describe("even chance", () => {
  it.effect("takes its first draw from the source, and steps on by the golden ratio", () =>
    Effect.gen(function*() {
      const draw = Even.make()
      const draws = yield* Effect.replicateEffect(draw, 4).pipe(Effect.withRandom(Random.fixed([0.25])))
      expect(draws[0]).toBe(0.25)
      const golden = 0.618_033_988_749_895
      for (const [index, step] of [1, 2, 3].entries()) expect(draws[index + 1]).toBeCloseTo((0.25 + step * golden) % 1, 12)
    }))

  it.effect("lies evenly: of a hundred draws each tenth gets eight to twelve", () =>
    Effect.gen(function*() {
      const draws = yield* Effect.replicateEffect(Even.make(), 100)
      for (let tenth = 0; tenth < 10; tenth++) {
        const count = draws.filter((u) => Math.floor(u * 10) === tenth).length
        expect(Math.abs(count - 10)).toBeLessThanOrEqual(2)
      }
    }))

  it.effect("starts anew with a new source, so that a seed gives the same draws again", () =>
    Effect.gen(function*() {
      const draw = Even.make()
      const three = Effect.replicateEffect(draw, 3)
      const first = yield* Effect.withRandom(three, Random.make("seed"))
      yield* Effect.withRandom(three, Random.make("other"))
      expect(yield* Effect.withRandom(three, Random.make("seed"))).toEqual(first)
      expect(new Set(first).size).toBe(3)
    }))

  it.effect("two streams of draws know nothing of each other", () =>
    Effect.gen(function*() {
      const [a, b] = [Even.make(), Even.make()]
      const draws = yield* Effect.all([a, b, b, a]).pipe(Effect.withRandom(Random.fixed([0.1, 0.5])))
      expect(draws.slice(0, 2)).toEqual([0.1, 0.5])
      expect(draws[3]).toBeCloseTo(0.718_033_988_7, 9)
    }))
})

describe("what looks like an error", () => {
  it("is every error of ours, any `Error`, and what has a tag", () => {
    const errors: ReadonlyArray<unknown> = [
      new GenerationError.Overloaded({ message: "busy" }),
      new CircuitOpen({ policy: "CircuitBreaker", policyName: "x", message: "open" }),
      new Error("mine"),
      new TypeError("mine"),
      runInNewContext("new Error('from another realm')"),
      { _tag: "HttpError", status: 503 }
    ]
    for (const error of errors) expect(looksLikeError(error), String(error)).toBe(true)
  })

  it("is no plain value, nor one of those that carry results", () => {
    const values: ReadonlyArray<unknown> = [
      undefined, null, 0, "Error", true, {}, [], { status: 503 }, { _tag: 5 }, { message: "busy" }, Chunk.of(1), () => 1,
      Option.none(), Option.some(1), Either.right(1), Either.left("no"), Exit.succeed(1), Exit.fail("no")
    ]
    for (const value of values) expect(looksLikeError(value), String(value)).toBe(false)
  })
})

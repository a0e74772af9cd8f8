import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, FastCheck } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as GenerationError from "holdfast/GenerationError"
import { CliError } from "../src/commandLine/CliError.js"
import { parse } from "../src/schedule/errors.js"
import * as Named from "../src/schedule/named.js"
import * as Show from "../src/schedule/show.js"

const nothing = { base: undefined, cap: undefined, jitter: undefined }

describe("a list of errors", () => {
  it("names classes and server waits", () => {
    const [first, second, third] = parse("Overloaded, ratelimited:20s ,Timeout")
    expect(first).toMatchObject({ _tag: "Overloaded" })
    expect(GenerationError.retryAfterMillis(second)).toBe(20_000)
    expect(second?._tag).toBe("RateLimited")
    expect(third).toMatchObject({ _tag: "Timeout", outcome: "unknown" })
  })

  it("is refused by the name or the wait that is wrong", () => {
    expect(() => parse("Overloded")).toThrow("did you mean Overloaded?")
    expect(() => parse("Overloaded,")).toThrow('must name error classes, not ""')
    expect(() => parse("RateLimited:soon")).toThrow("the wait after RateLimited must be a time")
    FastCheck.assert(
      FastCheck.property(FastCheck.string(), (text) => {
        try {
          parse(text)
        } catch (error) {
          expect(error).toBeInstanceOf(CliError)
        }
      })
    )
  })
})

describe("a schedule by name", () => {
  const at = Date.parse("2026-03-02T14:00:00Z")
  const show = (name: Named.Name, list: string, settings: Named.Settings = nothing, seed = 1) => {
    const errors = parse(list)
    const preview = Effect.runSync(Backoff.preview(Named.make(name, settings), { errors, at, seed }))
    return { rows: Show.attempts(preview, at, errors), stopped: preview.stopped, errors }
  }

  it("is there for every name, and never undercuts a server's wait", () => {
    for (const name of Named.names) {
      const { rows } = show(name, "Overloaded:20s,Overloaded")
      expect(rows[1]?.delayMillis, name).toBeGreaterThanOrEqual(20_000)
    }
  })

  it("waits for the quiet hours off-peak, and longer at peak when stretched", () => {
    const { rows } = show("off-peak", "Overloaded")
    expect(rows[1]?.at).toMatch(/^2026-03-03T00:/)
    const plain = show("exponential", "Overloaded", { ...nothing, jitter: "none" }).rows[1]
    const stretched = show("stretch", "Overloaded", { ...nothing, jitter: "none" }).rows[1]
    expect(stretched?.delayMillis).toBe(3 * (plain?.delayMillis ?? 0))
  })

  it("shows where a fatal error stops it", () => {
    const { errors, rows, stopped } = show("linear", "Overloaded,Unauthorized,Overloaded")
    expect(stopped).toBe(true)
    expect(rows.map((row) => row.error)).toEqual(["Overloaded", "Unauthorized"])
    expect(Show.table(rows, stopped, errors)).toContain("Stops: Unauthorized is fatal")
  })

  it("has only its own settings", () => {
    expect(() => Named.make("article", { ...nothing, base: 1000 })).toThrow("the schedule article has no --base")
    expect(() => Named.make("decorrelated", { ...nothing, jitter: "full" })).toThrow(
      "has no --jitter; it has --base and --cap"
    )
    expect(() => Named.make("linear", { ...nothing, base: 2000, cap: 1000 })).toThrow("--cap must be at least --base")
    const { rows } = show("constant", "Overloaded,Overloaded", { base: 7000, cap: undefined, jitter: "none" })
    expect(rows.map((row) => row.delayMillis)).toEqual([0, 7000, 7000])
    expect(Duration.toMillis(Duration.millis(rows[1]?.delayMillis ?? 0))).toBe(7000)
  })
})

import { describe, expect, it } from "@effect/vitest"
import { Cause, Duration, Effect, Inspectable } from "effect"
import * as GenerationError from "holdfast/GenerationError"
import * as Rejected from "holdfast/Rejected"

const retryable = ["Overloaded", "RateLimited", "Timeout", "Transient"]
const capacity = ["Overloaded", "RateLimited"]

describe("GenerationError", () => {
  it.effect("is caught by its tag", () =>
    Effect.gen(function*() {
      const wait = yield* Effect.fail(new GenerationError.Overloaded({ message: "busy", retryAfter: "3 seconds" })).pipe(
        Effect.catchTag("Overloaded", (error) => Effect.succeed(error.retryAfter))
      )
      expect(wait).toEqual(Duration.seconds(3))
    }))

  it("has a class per tag, an Error that shows its name and message", () => {
    for (const tag of GenerationError.tags) {
      const error = GenerationError.make(tag, { message: "what happened", endpoint: "relay", status: 418 })
      expect(error).toBeInstanceOf(Error)
      expect(error).toBeInstanceOf(GenerationError[tag])
      expect([error._tag, error.name, error.message, error.endpoint, error.status]).toEqual([
        tag,
        tag,
        "what happened",
        "relay",
        418
      ])
      expect(String(error)).toContain(`${tag}: what happened`)
      expect(Cause.pretty(Cause.fail(error))).toContain(`${tag}: what happened`)
    }
  })

  it("guards tell the classes apart, and pass on what is not ours", () => {
    for (const tag of GenerationError.tags) {
      const error: unknown = GenerationError.make(tag, { message: "x" })
      expect(GenerationError.isGenerationError(error)).toBe(true)
      expect(GenerationError.isRetryable(error)).toBe(retryable.includes(tag))
      expect(GenerationError.isFatal(error)).toBe(!retryable.includes(tag))
      expect(GenerationError.isCapacity(error)).toBe(capacity.includes(tag))
    }
    for (const foreign of [undefined, null, 1, "Overloaded", { _tag: "Overloaded" }, new Error("x")]) {
      expect(GenerationError.isGenerationError(foreign)).toBe(false)
      expect(GenerationError.isRetryable(foreign)).toBe(false)
      expect(GenerationError.isFatal(foreign)).toBe(false)
    }
    const refusal = new Rejected.Shed({ policy: "Bulkhead", policyName: "b", message: "m" })
    expect([Rejected.isRejected(refusal), GenerationError.isGenerationError(refusal)]).toEqual([true, false])
  })

  it("an outcome given explicitly wins over the default of the class", () => {
    expect(new GenerationError.Transient({ message: "refused", outcome: "not-started" }).outcome).toBe("not-started")
    expect(new GenerationError.Transient({ message: "reset" }).outcome).toBe("unknown")
    expect(new GenerationError.Timeout({ message: "t", phase: "connect" }).outcome).toBe("not-started")
    expect(GenerationError.isUnknownOutcome(new GenerationError.Timeout({ message: "t", phase: "body" }))).toBe(true)
  })

  it("takes any duration for retryAfter, and a negative one for none at all", () => {
    const millis = (retryAfter: Duration.DurationInput) =>
      GenerationError.retryAfterMillis(new GenerationError.RateLimited({ message: "x", retryAfter }))
    expect([millis("2 seconds"), millis(1500), millis(Duration.minutes(1)), millis(-5)]).toEqual([2000, 1500, 60_000, 0])
    expect(GenerationError.retryAfterMillis(new Error("x"))).toBe(0)
  })

  it("update copies: the original, its class and its stack stay", () => {
    const original = new GenerationError.QuotaExhausted({ message: "daily quota", resetAt: 5 })
    const updated = GenerationError.update(original, { stoppedBy: "fatal", attempts: [] })
    expect(updated).toBeInstanceOf(GenerationError.QuotaExhausted)
    expect([updated.resetAt, updated.message, updated.stack, updated.stoppedBy]).toEqual([
      5,
      "daily quota",
      original.stack,
      "fatal"
    ])
    expect("stoppedBy" in original).toBe(false)
  })

  it("shows no secret of its message or cause, however it is printed", () => {
    const key = "AIzaSyD-0123456789abcdefghijklmnopqrstu"
    const inner = Object.assign(new Error(`GET https://host/v1?key=${key} failed`), { code: "ECONNRESET" })
    const error = new GenerationError.Transient({
      message: `Authorization: Bearer ${key} was refused`,
      cause: new Error("fetch failed", { cause: inner })
    })
    const printed = [
      error.message,
      String(error),
      error.stack,
      JSON.stringify(error),
      Inspectable.toStringUnknown(error),
      Cause.pretty(Cause.fail(error), { renderErrorCause: true })
    ]
    for (const text of printed) expect(text).not.toContain(key)
    expect(error.cause).toMatchObject({ message: "fetch failed", cause: { code: "ECONNRESET" } })
  })

  it("follows a cause that points to itself no further than five levels", () => {
    const loop: { message: string; cause?: unknown } = { message: "loop" }
    loop.cause = loop
    let depth = 0
    for (let at = new GenerationError.Transient({ message: "x", cause: loop }).cause; at !== undefined; at = at.cause) depth++
    expect(depth).toBe(5)
  })
})

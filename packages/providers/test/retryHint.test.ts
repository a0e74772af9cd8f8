import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as RetryHint from "../src/internal/retryHint.js"

const noon = Date.UTC(2026, 10, 24, 12)

describe("lengths of time", () => {
  it.each([
    ["26s", 26_000],
    ["26.4s", 26_400],
    ["2m59.56s", 179_560],
    ["10h17m5.723541104s", 37_025_724],
    ["120ms", 120],
    ["6m0s", 360_000],
    ["1d", 86_400_000],
    ["1h", 3_600_000],
    ["0s", 0],
    ["59m0.5s", 3_540_500]
  ])("%s", (text, millis) => {
    expect(RetryHint.parseDuration(text)).toBe(millis)
  })

  it.each(["", "s", "-3s", "3", "3x", "s3", "3s3", "1e9s", "10000000000000d"])("%j is none", (text) => {
    expect(RetryHint.parseDuration(text)).toBeUndefined()
  })

  it("reads back what it is given", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.nat(500), FastCheck.nat(59), FastCheck.nat(59), (h, m, s) => {
        expect(RetryHint.parseDuration(`${h}h${m}m${s}s`)).toBe(((h * 60 + m) * 60 + s) * 1000)
      })
    )
  })
})

describe("header fields", () => {
  it("milliseconds win over seconds, and these over reset times", () => {
    const fields = { "retry-after-ms": "1500", "retry-after": "9", "x-ratelimit-reset-requests": "60s" }
    expect(RetryHint.fromHeaders(fields, undefined)).toBe(1500)
    expect(RetryHint.fromHeaders({ "x-ms-retry-after-ms": "250", "retry-after": "9" }, undefined)).toBe(250)
  })

  it("a date counts from the answer's own clock, else from ours, else not at all", () => {
    const after = "Tue, 24 Nov 2026 12:00:30 GMT"
    expect(RetryHint.fromHeaders({ "retry-after": after, date: "Tue, 24 Nov 2026 12:00:10 GMT" }, noon)).toBe(20_000)
    expect(RetryHint.fromHeaders({ "retry-after": after }, noon)).toBe(30_000)
    expect(RetryHint.fromHeaders({ "retry-after": after }, undefined)).toBeUndefined()
    expect(RetryHint.fromHeaders({ "retry-after": after }, noon + 60_000)).toBe(0)
  })

  it.each(["-1", "NaN", "soon", "", "99999999999"])("a Retry-After of %j is no hint", (value) => {
    expect(RetryHint.fromHeaders({ "retry-after": value }, noon)).toBeUndefined()
  })

  it("a reset counts only for a limit that is used up, and zero is no wait", () => {
    const openai = {
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "2m59.56s",
      "x-ratelimit-remaining-tokens": "5000",
      "x-ratelimit-reset-tokens": "24h0m0s"
    }
    expect(RetryHint.fromResets(openai, undefined)).toBe(179_560)
    expect(RetryHint.fromResets({ "x-ratelimit-remaining-tokens": "-1", "x-ratelimit-reset-tokens": "0" }, noon))
      .toBeUndefined()
  })

  it("Anthropic's reset times count from the answer's date", () => {
    const fields = {
      date: "Tue, 24 Nov 2026 12:00:00 GMT",
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": "2026-11-24T12:00:12Z",
      "anthropic-ratelimit-tokens-remaining": "100",
      "anthropic-ratelimit-tokens-reset": "2026-11-24T13:00:00Z"
    }
    expect(RetryHint.fromResets(fields, undefined)).toBe(12_000)
  })
})

describe("sentences", () => {
  it.each([
    ["Please retry in 26.4s.", 26_400],
    ["Please try again in 2m59.56s. Need more tokens?", 179_560],
    ["Please retry after 33 seconds.", 33_000],
    ["please try again after 1 seconds", 1000],
    ["Please wait 8s.", 8000],
    ["Try again in 20 minutes", 1_200_000],
    ["try again in 1 hour 30 minutes", 5_400_000],
    ["Your quota will reset after 18h31m10s.", 66_670_000],
    ["Expected available in 42 seconds.", 42_000],
    ["Try again in 20ms", 20],
    ["retry_after: 5", 5000],
    ["请60秒后重试", 60_000],
    ["请等待 2 分钟", 120_000],
    ["30秒後に再試行してください", 30_000]
  ])("%s", (text, millis) => {
    expect(RetryHint.fromText(text)).toBe(millis)
  })

  it.each([
    "Retrying in 4 seconds… (attempt 4/10)",
    "The request timed out after 60 seconds",
    "Limit 6000, Used 5034, Requested 1443",
    "timeout: 10000ms",
    "Please try again later",
    "retry the request in a while",
    "Keep it there for at least 15 minutes"
  ])("%j states no wait", (text) => {
    expect(RetryHint.fromText(text)).toBeUndefined()
  })

  it("never gives a wait that is negative or not finite", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.string(),
        FastCheck.constantFrom("retry in ", "wait ", "Retry-After: "),
        (tail, head) => {
          const wait = RetryHint.fromText(head + tail)
          expect(wait === undefined || (Number.isFinite(wait) && wait >= 0)).toBe(true)
        }
      )
    )
  })
})

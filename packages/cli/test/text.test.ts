import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { clean, fit, json, oneLine, seconds, without } from "../src/terminal/text.js"

const harmful = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

describe("text from elsewhere", () => {
  it("loses escape sequences and keeps its words", () => {
    expect(
      clean("\u001b[31mred\u001b[0m \u001b]0;title\u0007and \u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\")
    ).toBe("red and link")
    expect(clean("a\r\nb\rc\td\u0000")).toBe("a\nb\nc\td")
    expect(clean("user\u202egnp.exe")).toBe("usergnp.exe")
    expect(oneLine("a\n\n  b\tc")).toBe("a b c")
    expect(oneLine("x".repeat(50), 10)).toBe(`${"x".repeat(9)}…`)
  })

  it("can do nothing to a terminal, whatever it is", () => {
    const nasty = FastCheck.oneof(
      FastCheck.fullUnicodeString(),
      FastCheck.array(
        FastCheck.constantFrom("\u001b", "[", "]", "31m", "\u009b", "\u0007", "P", "a", "\u202e", "\r", "\n")
      ).map((parts) => parts.join(""))
    )
    FastCheck.assert(
      FastCheck.property(nasty, (text) => {
        expect(clean(text)).not.toMatch(harmful)
        expect(json({ text })).not.toMatch(harmful)
        expect(JSON.parse(json({ text }))).toEqual({ text })
        expect(oneLine(text)).not.toContain("\n")
      })
    )
  })
})

describe("secrets", () => {
  it("are taken out wherever they stand, also within JSON", () => {
    const safe = without(['key-"123', "abc"])
    expect(safe('the key-"123 is here')).toBe("the <redacted> is here")
    expect(safe(JSON.stringify({ a: 'key-"123' }))).toBe('{"a":"<redacted>"}')
    expect(safe("abc")).toBe("abc")
  })
})

describe("numbers for people", () => {
  it("are short", () => {
    expect([0, 449, 12_345, 59_949, 59_950, 125_000, 3_599_600, 39_282_000].map(seconds)).toEqual([
      "0.0 s",
      "0.4 s",
      "12.3 s",
      "59.9 s",
      "1m 00s",
      "2m 05s",
      "1h 00m",
      "10h 54m"
    ])
    expect(fit("abcdef", 4)).toBe("abc…")
    expect(fit("abcd", 4)).toBe("abcd")
  })
})

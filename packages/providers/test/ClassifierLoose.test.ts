import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { read } from "../src/internal/classifier/loose.js"
import { unwrap } from "../src/internal/classifier/unwrap.js"

const parse = (text: string): unknown => read(text, 0, { left: 1_000_000 })?.value

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe("the tolerant reader", () => {
  it("reads JSON as JSON.parse does", () => {
    const text = FastCheck.stringMatching(/^[A-Za-z ]{0,12}$/)
    const leaf = FastCheck.oneof(FastCheck.integer(), FastCheck.boolean(), FastCheck.constant(null), text)
    const key = FastCheck.stringMatching(/^[A-Za-z_]{1,8}$/)
    const value = FastCheck.dictionary(
      key,
      FastCheck.oneof(leaf, FastCheck.array(leaf), FastCheck.dictionary(key, leaf)),
      { minKeys: 1 }
    )
    FastCheck.assert(FastCheck.property(value, FastCheck.constantFrom(0, 2), (object, indent) => {
      expect(plain(parse(JSON.stringify(object, null, indent)))).toEqual(plain(object))
    }))
  })

  it.each([
    ["{'error': {'code': 503, 'message': None, 'ok': True}}", { error: { code: 503, message: null, ok: true } }],
    ["{ status: 429, code: 'x', error: undefined }", { status: 429, code: "x", error: null }],
    ["{\"error\":{\"code\":401,\"message\":\"no", { error: { code: 401, message: "no" } }],
    ["{\"message\":\"two\nlines\"}", { message: "two\nlines" }],
    ["{\"message\":\"he said \"no\" twice\",\"code\":1}", { message: "he said \"no\" twice", code: 1 }],
    ["{\"__proto__\":{\"polluted\":true}}", JSON.parse("{\"__proto__\":{\"polluted\":true}}")]
  ])("%s", (text, value) => {
    expect(plain(parse(text))).toEqual(value)
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined()
  })

  it("takes prose in braces for prose", () => {
    expect(parse("{project}")).toBeUndefined()
    expect(parse("{ }")).toBeUndefined()
  })

  it("stops when its fuel is used up", () => {
    const fuel = { left: 100 }
    read("{\"a\":\"" + "x".repeat(10_000), 0, fuel)
    expect(fuel.left).toBeGreaterThan(-400)
  })
})

describe("unwrapping", () => {
  it("counts the layers", () => {
    const inner = { error: { code: 503, message: "innermost" } }
    const outer = { error: { message: `Upstream said: ${JSON.stringify(inner)}`, code: 500 } }
    const facts = unwrap(outer).facts
    const depth = (word: string): number => facts.find((fact) => fact.words.includes(word))?.depth ?? -1
    expect(depth("Upstream said")).toBeLessThan(depth("innermost"))
    expect(facts.flatMap((fact) => fact.statuses)).toEqual([500, 503])
  })

  it("reads events, their error frames, and raw JSON after the last event", () => {
    const body = "data: {\"candidates\":[]}\n\n{\n  \"error\": {\"code\": 503}\n}"
    const found = unwrap(body)
    expect(found.answers).toHaveLength(1)
    expect(found.errorObject).toBe(true)
    expect(found.facts.some((fact) => fact.statuses.includes(503))).toBe(true)
  })

  it("takes no status from stack frames, ports, addresses or token counts", () => {
    const body = "Error: odd\n    at x (file:///a/b.js:429:503)\nconnect 10.0.0.1:443 after 500 tokens"
    expect(unwrap(body).facts.flatMap((fact) => fact.statuses)).toEqual([])
  })

  it("leaves out what the caller sent", () => {
    const body = { error: { message: "no" }, input: "overloaded", request: { prompt: "insufficient balance" } }
    expect(unwrap(body).facts.map((fact) => fact.words).join(" ")).not.toMatch(/overloaded|balance/)
  })
})

import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as GenerationError from "holdfast/GenerationError"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Classifier from "../src/Classifier.js"
import { type Fixture, fixtures } from "./classifier/fixtures.js"
import { moreFixtures } from "./classifier/moreFixtures.js"

const retryable: ReadonlySet<string> = new Set(["Overloaded", "RateLimited", "Timeout", "Transient"])

/** May the payload be called retryable without harm? */
const mayRetry = (fixture: Fixture): boolean =>
  [fixture.class, ...(fixture.alt ?? [])].some((tag) => retryable.has(tag))

const isRight = (fixture: Fixture, tag: string): boolean =>
  fixture.class === tag || (fixture.alt ?? []).some((alt) => alt === tag)

const all = [...fixtures, ...moreFixtures]

describe("Classifier on labelled payloads", () => {
  it("names the cause of every payload", () => {
    const wrong = all.flatMap((fixture) => {
      const said = Classifier.explain(fixture)
      return isRight(fixture, said.class) ? [] : [`${fixture.id}: ${said.class} by ${said.evidence.rule}`]
    })
    expect(all.length).toBeGreaterThan(900)
    expect(wrong).toEqual([])
  })

  it("calls no fatal payload retryable", () => {
    const harmful = all.filter((fixture) => !mayRetry(fixture) && Classifier.explain(fixture).retryable)
    expect(harmful.map((fixture) => fixture.id)).toEqual([])
  })

  it("states the wait that the payload states, and no other", () => {
    const wrong = all.flatMap((fixture) => {
      const said = Classifier.explain(fixture).retryAfterMillis
      const right = fixture.wait === undefined
        ? said === null
        : said !== null && Math.abs(said / 1000 - fixture.wait) <= 1
      return right ? [] : [`${fixture.id}: ${said}`]
    })
    expect(wrong).toEqual([])
  })

  it("gives the same verdict to `classify` and to `explain`", () => {
    for (const fixture of all) {
      const error = Classifier.classify(fixture)
      const said = Classifier.explain(fixture)
      expect(error._tag).toBe(said.class)
      expect(error.outcome).toBe(said.outcome)
      expect(error.retryAfter === undefined ? null : Duration.toMillis(error.retryAfter)).toBe(said.retryAfterMillis)
    }
  })

  it("sees through one more wrapper of JSON in a string", () => {
    const wrapped = all.filter((fixture) => typeof fixture.body === "object" && (fixture.status ?? 0) >= 400)
    const wrong = wrapped.flatMap((fixture) => {
      const body = { error: { message: JSON.stringify(fixture.body), code: fixture.status, status: "" } }
      const said = Classifier.explain({ ...fixture, body })
      return isRight(fixture, said.class) ? [] : [`${fixture.id}: ${said.class} by ${said.evidence.rule}`]
    })
    expect(wrong).toEqual([])
  })

  it("does not need the quotes and brackets of JSON to be whole", () => {
    const cut = fixtures.filter((fixture) => typeof fixture.body === "object" && (fixture.status ?? 0) >= 400)
    const wrong = cut.flatMap((fixture) => {
      const said = Classifier.explain({ ...fixture, body: JSON.stringify(fixture.body).replace(/["}\]]{1,6}$/, "") })
      return isRight(fixture, said.class) ? [] : [`${fixture.id}: ${said.class} by ${said.evidence.rule}`]
    })
    expect(wrong).toEqual([])
  })
})

const corpus = path.resolve(import.meta.dirname, "../../../../shared/corpus/errors.jsonl")

describe.runIf(fs.existsSync(corpus))("Classifier on the collected corpus", () => {
  interface Row extends Omit<Fixture, "wait"> {
    readonly retryable: boolean
    readonly retry_after_s?: number | null
  }
  const rows = fs.existsSync(corpus)
    ? fs.readFileSync(corpus, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line) as Row)
    : []

  it("is right in at least 97 of 100", () => {
    const right = rows.filter((row) => isRight(row, Classifier.explain(row).class))
    expect(right.length / rows.length).toBeGreaterThanOrEqual(0.97)
  })

  it("calls no fatal row retryable", () => {
    expect(rows.filter((row) => !row.retryable && Classifier.explain(row).retryable).map((row) => row.id)).toEqual([])
  })

  it("reads every stated wait to within a second", () => {
    const wrong = rows.filter((row) => {
      const said = Classifier.explain(row).retryAfterMillis
      return typeof row.retry_after_s === "number" && (said === null || Math.abs(said / 1000 - row.retry_after_s) > 1)
    })
    expect(wrong.map((row) => row.id)).toEqual([])
  })
})

describe("what became of the work", () => {
  const outcome = (status: number, body: unknown = "", streamed = false): GenerationError.Outcome =>
    Classifier.explain({ status, body, streamed }).outcome

  it.each([
    [400, "rejected"],
    [401, "rejected"],
    [403, "rejected"],
    [404, "rejected"],
    [429, "rejected"],
    [500, "rejected"],
    [502, "unknown"],
    [503, "rejected"],
    [504, "unknown"],
    [520, "unknown"],
    [521, "not-started"],
    [522, "not-started"],
    [523, "not-started"],
    [524, "unknown"],
    [525, "not-started"],
    [526, "not-started"],
    [529, "rejected"],
    [408, "unknown"]
  ])("status %i leaves the outcome %s", (status, expected) => {
    expect(outcome(status)).toBe(expected)
  })

  it("a blocked prompt costs nothing, a blocked image may", () => {
    expect(outcome(200, { promptFeedback: { blockReason: "SAFETY" } })).toBe("rejected")
    expect(outcome(200, { candidates: [{ finishReason: "IMAGE_SAFETY" }] })).toBe("unknown")
  })

  it("a server fault in a stream leaves it unknown", () => {
    const fault = JSON.stringify({ type: "error", error: { type: "api_error", message: "Internal server error" } })
    const body = `event: error\ndata: ${fault}\n\n`
    expect(outcome(200, body, true)).toBe("unknown")
  })

  it("a 408, 504 or 524 is a timeout of the far side", () => {
    for (const status of [408, 504, 524]) {
      const error = Classifier.classify({ status, body: "" })
      expect(error).toMatchObject({ _tag: "Timeout", phase: "server", outcome: "unknown" })
    }
  })

  it("the same text of Google's is an overload under 503 and a timeout under 504", () => {
    const body = { error: { message: "Deadline expired before operation could complete." } }
    expect(Classifier.explain({ status: 503, body }).class).toBe("Overloaded")
    expect(Classifier.explain({ status: 504, body }).class).toBe("Timeout")
  })
})

describe("evidence and advice", () => {
  it("names the rule, the words and the depth", () => {
    const body = { error: { message: JSON.stringify({ error: { code: 503, message: "The model is overloaded." } }) } }
    expect(Classifier.explain({ status: 500, body }).evidence).toMatchObject({
      rule: "capacity",
      source: "text",
      matched: "overloaded"
    })
    expect(Classifier.explain({ status: 500, body }).evidence.depth).toBeGreaterThan(1)
  })

  it("says what to do in one sentence, whatever the class", () => {
    for (const fixture of all) {
      const { advice } = Classifier.explain(fixture)
      expect(advice).toMatch(/^[A-Z].{20,240}\.$/)
    }
  })

  it("keeps keys and prompts out of the error and the evidence", () => {
    const key = "sk-live-0123456789abcdef"
    const prompt = "a very private lighthouse"
    const input = {
      status: 401,
      body: { error: { message: `Invalid API key ${key} for prompt "${prompt}"`, code: key } },
      secrets: [key, prompt]
    }
    const text = JSON.stringify([Classifier.classify(input), Classifier.explain(input)]) +
      Classifier.classify(input).message
    expect(text).not.toContain(key)
    expect(text).not.toContain(prompt)
  })

  it("carries the endpoint, the model, the status and the provider's own code", () => {
    const error = Classifier.classify({
      endpoint: "relay-a",
      model: "m",
      status: 429,
      body: { error: { message: "no", type: "insufficient_quota" } }
    })
    expect(error).toMatchObject({
      endpoint: "relay-a",
      model: "m",
      status: 429,
      code: "insufficient_quota",
      outcome: "rejected"
    })
  })

  it("says when a quota comes back, where the payload does", () => {
    const error = Classifier.classify({
      status: 429,
      now: 1_000_000,
      body: {
        error: { type: "usage_limit_reached", message: "The usage limit has been reached", resets_in_seconds: 60 }
      }
    })
    expect(error).toMatchObject({ _tag: "QuotaExhausted", resetAt: 1_060_000 })
  })
})

describe("hostile payloads", () => {
  const tags: ReadonlySet<string> = new Set(GenerationError.tags)
  const survives = (input: Classifier.WireError): void => {
    const said = Classifier.explain(input)
    expect(tags.has(said.class)).toBe(true)
    expect(said.retryAfterMillis === null || (Number.isFinite(said.retryAfterMillis) && said.retryAfterMillis >= 0))
      .toBe(true)
    expect(GenerationError.isGenerationError(Classifier.classify(input))).toBe(true)
  }

  it("any JSON value, status and header gives a verdict", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.jsonValue(),
        FastCheck.oneof(FastCheck.integer(), FastCheck.double(), FastCheck.constant(null)),
        FastCheck.dictionary(
          FastCheck.constantFrom("retry-after", "date", "x-ratelimit-reset", "__proto__"),
          FastCheck.string()
        ),
        (body, status, headers) => survives({ body, status, headers })
      ),
      { numRuns: 300 }
    )
  })

  it("any text, lone surrogates and all, and any bytes give a verdict", () => {
    const scraps = FastCheck.constantFrom(
      "{",
      "}",
      "[",
      "]",
      "\"",
      "'",
      "\\",
      ":",
      ",",
      "\n",
      "data: ",
      "event: error\n",
      "<html>",
      "\ud800",
      "error",
      "code",
      "429",
      "message",
      "{\"error\":",
      "retryDelay",
      "\\\"",
      "__proto__",
      "constructor",
      "null",
      "NaN",
      "1e999",
      "\u0000",
      "，",
      "负载"
    )
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(
          FastCheck.array(scraps, { maxLength: 60 }).map((parts) => parts.join("")),
          FastCheck.string({ unit: "binary" }),
          FastCheck.uint8Array({ maxLength: 400 })
        ),
        FastCheck.boolean(),
        (body, streamed) => survives({ body, streamed })
      ),
      { numRuns: 1000 }
    )
  })

  it("a status that is no status is ignored", () => {
    for (const status of [Number.NaN, Infinity, -1, 0, 99, 600, 1e300]) {
      expect(Classifier.explain({ status, body: "The model is overloaded" }).class).toBe("Overloaded")
      survives({ status, body: "" })
    }
  })

  it("values nested a hundred thousand deep, and values that hold themselves, end", () => {
    let deep: unknown = "x"
    for (let i = 0; i < 100_000; i++) deep = { error: deep }
    survives({ body: deep })
    survives({ body: "[".repeat(200_000) })
    survives({ body: "{\"a\":".repeat(50_000) })
    const loop: Record<string, unknown> = {}
    loop["error"] = loop
    survives({ body: loop })
  })

  it("a body whose getters throw is still judged by its status", () => {
    const body = Object.defineProperty({}, "error", {
      enumerable: true,
      get: () => {
        throw new Error("no")
      }
    })
    expect(Classifier.explain({ status: 503, body }).class).toBe("Overloaded")
  })

  it("a quarter of a mebibyte of repetition takes no time to speak of", () => {
    const size = Classifier.maxErrorBodyBytes
    const units = [
      "{",
      "[",
      "\"",
      "\\",
      "{\\\"",
      "[{\"a\":",
      "<",
      "<div ",
      "data:",
      "a_",
      "Ab",
      "A_",
      "model ",
      "exceeded",
      "error ",
      " ",
      "\n",
      "1",
      "code: ",
      "retry in 1 ",
      "{a:1}",
      "{\"a\"",
      "{a ",
      "http://",
      "   at ",
      "模型负载",
      "&nbsp;",
      "limit reached "
    ]
    for (const unit of units) {
      const body = unit.repeat(Math.ceil(size / unit.length))
      const started = Date.now()
      survives({ status: 500, body })
      survives({ body: `<html><title>${body}` })
      expect(Date.now() - started, JSON.stringify(unit)).toBeLessThan(5000)
    }
  })

  it("reads no further than `maxErrorBodyBytes`", () => {
    const filler = "x".repeat(Classifier.maxErrorBodyBytes)
    expect(Classifier.explain({ body: `${filler} the model is overloaded` }).class).not.toBe("Overloaded")
    const bytes = new TextEncoder().encode(`${filler}{"error":{"code":"insufficient_quota"}}`)
    expect(Classifier.explain({ body: bytes }).class).not.toBe("QuotaExhausted")
  })
})

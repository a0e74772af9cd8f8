import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { explain } from "@holdfast/providers/Classifier"
import * as Payloads from "../src/explain/payloads.js"
import * as Show from "../src/explain/show.js"

const read = (...pieces: ReadonlyArray<string>) => {
  const reader = Payloads.make()
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()]
}

const line = (id: string) => JSON.stringify({ id, status: 503, body: "overloaded" })

describe("payloads", () => {
  it("are one on each line that is not blank, in order", () => {
    const found = read(`${line("a")}\n\n  \r\n${line("b")}\r\n${line("c")}`)
    expect(found.map(({ id }) => id)).toEqual(["a", "b", "c"])
    expect(found[0]?.wire).toMatchObject({ status: 503, body: "overloaded", streamed: false })
  })

  it("are never lost: a malformed line counts as raw text, also before the first good one", () => {
    const found = read(`not json\n${line("a")}\n{"id": "broken", "body\n{"error":{"code":429}}\n`)
    expect(found.map(({ id }) => id)).toEqual([null, "a", null, null])
    expect(found[0]?.wire.body).toBe("not json")
    expect(found[3]?.wire.body).toEqual({ error: { code: 429 } })
  })

  it("are one in all without a line of that form", () => {
    expect(read("<html>\n<body>502</body>\n</html>\n")).toHaveLength(1)
    expect(read('{\n  "error": {\n    "code": 503\n  }\n}\n')[0]?.wire.body).toEqual({ error: { code: 503 } })
    expect(read('data: {"error":{"code":503}}\n\ndata: [DONE]\n')[0]?.wire).toMatchObject({ streamed: true })
    expect(read('{\n  "id": 7,\n  "status": "429",\n  "body": null\n}')).toEqual([
      { id: 7, wire: expect.objectContaining({ status: 429, body: null }) as unknown }
    ])
  })

  it("are none in an empty text", () => {
    expect(read()).toEqual([])
    expect(read("\n \n", "\t")).toEqual([])
    expect(read("\ufeff")).toEqual([])
  })

  it("keep only fields of a usable type", () => {
    const odd = {
      id: { a: 1 },
      status: "many",
      headers: { "Retry-After": 7, x: null, y: ["a", 1] },
      dialect: 3,
      body: 1
    }
    const [found] = read(`\ufeff${JSON.stringify(odd)}\n`)
    expect(found).toEqual({
      id: null,
      wire: {
        body: 1,
        status: undefined,
        headers: { "Retry-After": "7", y: ["a"] },
        dialect: undefined,
        streamed: false
      }
    })
  })

  it("do not depend on where the text is cut", () => {
    const text = `x\n${line("a")}\r\n\n${line("b")}\n{"broken\n${line("ç")}`
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.integer({ min: 1, max: 20 }), { minLength: 1 }), (sizes) => {
        const pieces: Array<string> = []
        for (let at = 0, i = 0; at < text.length; at += sizes[i++ % sizes.length]!) {
          pieces.push(text.slice(at, at + sizes[i % sizes.length]!))
        }
        expect(read(...pieces)).toEqual(read(text))
      })
    )
  })

  it("give one answer for each line that is not blank, whatever the lines hold", () => {
    const any = FastCheck.oneof(FastCheck.string(), FastCheck.json(), FastCheck.constant("")).map((text) =>
      text.replace(/\n/g, " ")
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(any), (lines) => {
        const text = [line("first"), ...lines].join("\n")
        expect(read(text)).toHaveLength(1 + lines.filter((each) => each.trim() !== "").length)
      })
    )
  })

  it("stay bounded when a line has no end", () => {
    const reader = Payloads.make()
    const piece = "x".repeat(1024 * 1024)
    reader.push(`${line("a")}\n`)
    const found = Array.from({ length: 40 }, () => reader.push(piece)).flat()
    expect(found).toHaveLength(1)
    expect(reader.push(`\n${line("b")}\n`).map(({ id }) => id)).toEqual(["b"])
  })
})

describe("a verdict", () => {
  const item = (body: unknown, id: Payloads.Payload["id"] = null): Show.Explained => ({
    id,
    verdict: explain({ status: 503, body })
  })

  it("is one JSON line with the keys of the contract, in their order", () => {
    const shown = Show.line(item("The model is overloaded", "a\u2028\u009b"))
    expect(Object.keys(JSON.parse(shown) as object)).toEqual([
      "id",
      "class",
      "retryable",
      "retryAfterMillis",
      "outcome",
      "advice"
    ])
    expect(shown).not.toMatch(/[\u2028\u009b\n]/)
    expect(JSON.parse(shown)).toMatchObject({
      id: "a\u2028\u009b",
      class: "Overloaded",
      retryable: true,
      retryAfterMillis: null
    })
  })

  it("is a row that fits the terminal, or a paragraph", () => {
    expect(Show.row(item("overloaded"), 3, 60)).toHaveLength(60)
    expect(Show.row(item("overloaded"), 3, 60)).toContain("#3")
    expect(Show.paragraph(item("overloaded", "\u001b[2Jx"))).toMatch(
      /^x: Overloaded, worth another try\n {2}wait {5}not stated/
    )
  })
})

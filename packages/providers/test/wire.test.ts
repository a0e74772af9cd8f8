import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Addresses from "../src/internal/addresses.js"
import * as Base64 from "../src/internal/base64.js"
import * as GeminiWire from "../src/internal/geminiWire.js"
import * as ImageBytes from "../src/internal/imageBytes.js"
import * as OpenAiWire from "../src/internal/openAiWire.js"
import * as Permits from "../src/internal/permits.js"
import * as Sse from "../src/internal/sse.js"
import * as TextParts from "../src/internal/textParts.js"
import * as Http from "./support/doubles.js"

const encode = (text: string) => new TextEncoder().encode(text)

/** Cuts the whole at the given places. */
const cut = <A extends { readonly length: number; slice: (from: number, to: number) => A }>(
  whole: A,
  at: ReadonlyArray<number>
): ReadonlyArray<A> => {
  const places = [...new Set(at.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, index) => whole.slice(from, places[index] ?? whole.length))
}

const cuts = FastCheck.array(FastCheck.nat(5000), { maxLength: 30 })

describe("server-sent events", () => {
  const read = (chunks: ReadonlyArray<Uint8Array>, maxEventLength?: number) => {
    const decoder = Sse.make({ maxEventLength })
    return [...chunks.flatMap((chunk) => decoder.push(chunk)), ...decoder.end()]
  }
  const one = (text: string) => read([encode(text)])
  const event = (data: string, more: { readonly event?: string; readonly complete?: boolean } = {}): Sse.Event => ({
    _tag: "Event",
    event: undefined,
    data,
    complete: true,
    ...more
  })

  it("fields, comments, several data lines and all line ends are read", () => {
    for (const end of ["\n", "\r", "\r\n"]) {
      const lines = ["\uFEFFevent: message", ": comment", "data: one", "data:two", "data", "id: 7", "retry: 10", "", "data:  x", ""]
      assert.deepStrictEqual(one(lines.join(end) + end), [
        event("one\ntwo\n", { event: "message" }),
        event(" x")
      ])
    }
  })

  it("an event without its blank line is offered as incomplete", () => {
    assert.deepStrictEqual(one("data: a\n\ndata: b"), [event("a"), event("b", { complete: false })])
  })

  it("text that is no field is offered as it is, whole", () => {
    const error = "{\n  \"error\": {\n    \"code\": 503\n  }\n}"
    assert.deepStrictEqual(one(`data: a\n\n${error}`), [event("a"), { _tag: "Raw", text: error }])
    assert.deepStrictEqual(one(`${error}\n\ndata: a\n\n`), [{ _tag: "Raw", text: error }, event("a")])
    const html = "<html>\n\n<body>\n\nbad gateway</body></html>"
    assert.deepStrictEqual(one(html), [{ _tag: "Raw", text: html }])
  })

  it("an event longer than the limit ends the reading", () => {
    const long = `data: ${"x".repeat(200)}\n\ndata: b\n\n`
    assert.deepStrictEqual(read([encode(`data: a\n\n${long}`)], 100), [event("a"), { _tag: "Overflow" }])
    assert.deepStrictEqual(read([encode("data: x\n".repeat(50))], 100), [{ _tag: "Overflow" }])
    // Comments that keep a connection alive for hours are no event.
    assert.deepStrictEqual(read([encode(": ping\n".repeat(500)), encode("data: a\n\n")], 100), [event("a")])
  })

  const line = FastCheck.oneof(
    FastCheck.constantFrom("", "", "data: héllo 🦊", "data", "data:", "event: error", ": c", "id: 1", "{", "  \"a\": 1", "}", "<p>", "data: {\"a\":1}"),
    FastCheck.string({ maxLength: 12 })
  )
  const document = FastCheck.array(FastCheck.tuple(line, FastCheck.constantFrom("\n", "\r", "\r\n")), { maxLength: 30 })
    .map((lines) => encode(lines.map((pair) => pair.join("")).join("")))

  it.prop("cutting the bytes differently changes nothing", [document, cuts, FastCheck.constantFrom(20, 1000)], ([bytes, at, limit]) => {
    assert.deepStrictEqual(read(cut(bytes, at), limit), read([bytes], limit))
  }, { fastCheck: { numRuns: 1000 } })

  it.prop("any bytes at all are read without a throw", [FastCheck.uint8Array({ maxLength: 300 }), cuts], ([bytes, at]) => {
    assert.deepStrictEqual(read(cut(bytes, at)), read([bytes]))
  })
})

describe("images in text", () => {
  const read = (pieces: ReadonlyArray<string>, links = true) => {
    const parts = TextParts.make({ links })
    return TextParts.join([...pieces.flatMap((piece) => parts.push(piece)), ...parts.end()])
  }
  const data = Http.base64(Http.png)
  const fragment = FastCheck.oneof(
    FastCheck.constantFrom(
      `![a](data:image/png;base64,${data})`, `data:image/png;base64,${data} `, `data:image/jpeg;base64,${Http.base64(Http.jpeg)}`,
      "![x](https://a.example/b.png)", "![x](https://a.example/b)", "https://a.example/c.webp?d=1 ", "http://a.example/page ", "https://",
      "![", "![]", "!", "d", "data:", "data:image/png,", "(h", "ht", "http", "![x](data:image/png;base64,@@@)", " words ", "\n", "![x](y)", "é🦊"
    ),
    FastCheck.string({ maxLength: 6 })
  )
  const texts = FastCheck.array(fragment, { maxLength: 12 }).map((parts) => parts.join(""))

  it.prop("cutting the text differently changes nothing about what is found", [texts, cuts, FastCheck.boolean()], ([text, at, links]) => {
    assert.deepStrictEqual(read(cut(text, at), links), read([text], links))
  }, { fastCheck: { numRuns: 1000 } })

  it.prop("text without an image comes out as it went in", [FastCheck.string({ maxLength: 60 }), cuts], ([text, at]) => {
    const found = read(cut(text, at), false)
    assert.strictEqual(found.map((part) => (part._tag === "Text" ? part.text : "!")).join(""), text)
  })

  it("words are handed on at once, and only what may become an image waits", () => {
    const parts = TextParts.make({ links: true })
    assert.deepStrictEqual(parts.push("A wonderful world"), [{ _tag: "Text", text: "A wonderful world" }])
    assert.deepStrictEqual(parts.push(" of ![fo"), [{ _tag: "Text", text: " of " }])
    assert.deepStrictEqual(parts.push("xes"), [])
    assert.deepStrictEqual(parts.push("] and more "), [{ _tag: "Text", text: "![foxes] and more " }])
  })

  it("reading ten megabytes in small pieces takes linear time", () => {
    const parts = TextParts.make({ links: true })
    const piece = "A".repeat(4096)
    const started = process.hrtime.bigint()
    parts.push("![x](data:image/png;base64,")
    for (let index = 0; index < 2560; index++) parts.push(piece)
    parts.push(")")
    assert.isBelow(Number(process.hrtime.bigint() - started) / 1e6, 3000)
  })
})

describe("base64", () => {
  it.prop("what is encoded is decoded, also with blanks, without padding, and in the other alphabet", [FastCheck.uint8Array({ minLength: 1, maxLength: 100 }), FastCheck.nat(20)], ([bytes, every]) => {
    const text = Base64.encode(bytes)
    assert.strictEqual(text, Buffer.from(bytes).toString("base64"))
    assert.deepStrictEqual(Base64.decode(text), bytes)
    assert.deepStrictEqual(Base64.decode(text.replace(new RegExp(`(.{${every + 1}})`, "g"), "$1\r\n ")), bytes)
    assert.deepStrictEqual(Base64.decode(text.replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_")), bytes)
  })

  it("what is none is refused", () => {
    for (const bad of ["", "   ", "A", "AB=C", "A*BC", "AAAAA", "é"]) assert.isUndefined(Base64.decode(bad), bad)
  })
})

describe("image types", () => {
  const bytes = (text: string) => Uint8Array.from([...text].map((char) => char.charCodeAt(0)).concat(Array.from({ length: 40 }, () => 0)))
  const cases: ReadonlyArray<readonly [Uint8Array, string | undefined]> = [
    [Http.png, "image/png"],
    [Http.jpeg, "image/jpeg"],
    [bytes("RIFF\0\0\0\0WEBPVP8 "), "image/webp"],
    [bytes("GIF89a"), "image/gif"],
    [bytes("\0\0\0\x20ftypavif"), "image/avif"],
    [bytes("\0\0\0\x20ftypheic"), "image/heic"],
    [bytes("\0\0\0\x20ftypisom"), undefined],
    [bytes("BM"), "image/bmp"],
    [bytes("II*\0"), "image/tiff"],
    [encode("<?xml version=\"1.0\"?><svg xmlns=\"x\"/>"), "image/svg+xml"],
    [encode("<html><body>no</body></html>"), undefined],
    [new Uint8Array(0), undefined]
  ]
  it("are told by the first bytes", () => {
    for (const [image, type] of cases) assert.strictEqual(ImageBytes.sniff(image), type)
  })
  it("that are declared count only for bytes that are no text", () => {
    assert.isUndefined(ImageBytes.part(encode("Bad gateway"), "image/png"))
    assert.strictEqual(ImageBytes.part(Uint8Array.from([1, 2, 3, 0]), "image/x-new")?.mimeType, "image/x-new")
    assert.isUndefined(ImageBytes.part(Uint8Array.from([1, 2, 3, 0]), "application/octet-stream"))
  })
})

describe("hostile answers", () => {
  const hostile = FastCheck.oneof(
    FastCheck.anything({ maxDepth: 4 }),
    FastCheck.record({
      candidates: FastCheck.anything({ maxDepth: 4 }),
      choices: FastCheck.array(FastCheck.record({ message: FastCheck.anything(), delta: FastCheck.anything() })),
      data: FastCheck.anything(),
      output: FastCheck.anything(),
      promptFeedback: FastCheck.anything(),
      usage: FastCheck.anything(),
      usageMetadata: FastCheck.anything()
    }, { requiredKeys: [] })
  )
  it.prop("of any shape are read without a throw", [hostile], ([value]) => {
    GeminiWire.decode(value)
    OpenAiWire.decode(value)
  }, { fastCheck: { numRuns: 1000 } })
})

describe("private addresses", () => {
  const host = (url: string) => new URL(url).hostname
  const refused = [
    "http://127.0.0.1", "http://127.1", "http://2130706433", "http://0x7f000001", "http://0177.0.0.1", "http://0", "http://10.1.2.3",
    "http://172.16.0.1", "http://172.31.255.255", "http://192.168.1.1", "http://169.254.169.254", "http://100.64.0.1", "http://100.100.100.200",
    "http://168.63.129.16", "http://224.0.0.1", "http://255.255.255.255", "http://[::1]", "http://[::]", "http://[fe80::1]", "http://[fc00::1]",
    "http://[fd00:ec2::254]", "http://[::ffff:127.0.0.1]", "http://[::ffff:a00:1]", "http://[64:ff9b::7f00:1]", "http://[2002:7f00:1::]",
    "http://[2001:db8::1]", "http://[2001::1]", "http://[ff02::1]", "http://[::7f00:1]", "http://localhost", "http://LOCALHOST.", "http://a.localhost", "http://metadata.google.internal",
    "http://printer.local", "http://intranet", "http://127.0.0.1.", "http://router.lan"
  ]
  const allowed = [
    "http://8.8.8.8", "http://172.32.0.1", "http://172.15.0.1", "http://100.128.0.1", "http://192.169.0.1", "http://cdn.example.com", "http://[2606:4700::1111]",
    "http://[64:ff9b::808:808]", "http://[2002:808:808::]", "http://[::ffff:8.8.8.8]", "http://localhost.example.com", "http://local.example"
  ]
  it("are refused in every spelling, and public ones are not", () => {
    for (const url of refused) assert.isTrue(Addresses.isPrivateHost(host(url)), url)
    for (const url of allowed) assert.isFalse(Addresses.isPrivateHost(host(url)), url)
  })
  it("what is no address counts as private", () => {
    for (const text of ["", "1.2.3", "256.1.1.1", ":::", "1:2:3:4:5:6:7:8:9", "x"]) assert.isTrue(Addresses.isPrivateAddress(text), text)
    assert.isTrue(Addresses.isPrivateAddress("fe80::1%eth0"))
  })
  it.prop("an IPv4 address and its mapped IPv6 form are judged alike", [FastCheck.ipV4()], ([v4]) => {
    assert.strictEqual(Addresses.isPrivateAddress(v4), Addresses.isPrivateAddress(`::ffff:${v4}`))
    assert.strictEqual(Addresses.isPrivateAddress(v4), Addresses.isPrivateHost(host(`http://[::ffff:${v4}]`)))
  })
})

describe("permits", () => {
  it("survive interruption at every point: none is lost, none is granted twice", async () => {
    for (let operations = 10; operations < 30; operations += 3) {
      for (let point = 0; point < 25; point++) {
        const permits = Permits.make(1)
        let running = 0
        const use = Effect.scoped(
          Effect.gen(function*() {
            yield* permits.take
            running++
            assert.strictEqual(running, 1)
            yield* Effect.yieldNow()
            running--
          })
        ).pipe(Effect.onInterrupt(() => Effect.sync(() => void (running = 0))))
        await Effect.runPromise(
          Effect.gen(function*() {
            const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.fork(use))
            for (let turn = 0; turn < point; turn++) yield* Effect.yieldNow()
            yield* Fiber.interruptFork(fibers[1]!)
            yield* Effect.forEach(fibers, Fiber.await)
            assert.strictEqual(permits.inUse(), 0)
            assert.strictEqual(permits.waiting(), 0)
          }).pipe(Effect.withMaxOpsBeforeYield(operations))
        )
      }
    }
  })

  it.effect("are granted first come, first served", () =>
    Effect.gen(function*() {
      const permits = Permits.make(1)
      const holder = yield* Scope.make()
      yield* Scope.extend(permits.take, holder)
      const order: Array<number> = []
      const fibers = yield* Effect.forEach([1, 2, 3], (name) =>
        Effect.fork(Effect.scoped(Effect.map(permits.take, () => order.push(name)))).pipe(Effect.tap(() => Effect.yieldNow())))
      assert.strictEqual(permits.waiting(), 3)
      yield* Scope.close(holder, Exit.void)
      yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(order, [1, 2, 3])
    }))
})

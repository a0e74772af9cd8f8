import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as HostedImages from "../src/HostedImages.js"
import * as Http from "./support/doubles.js"

const origin: HostedImages.Origin = {
  endpoint: "relay",
  model: "nano",
  baseUrl: "https://relay.example/v1",
  secrets: []
}
const fetch = (double: Http.Double, url: string, options: HostedImages.Options = {}, from = origin) =>
  HostedImages.fetch(double.client, url, from, options)
const picture = () => new Response(Http.png, { headers: { "content-type": "text/plain" } })
const redirect = (location: string, status = 302) => new Response(null, { status, headers: { location } })

describe("images that are linked to", () => {
  it.effect("are fetched without a credential, and are what their bytes are", () =>
    Effect.gen(function*() {
      const double = Http.http(picture)
      const image = yield* fetch(double, "https://cdn.example/a")
      assert.deepStrictEqual(image, { _tag: "Image", mimeType: "image/png", bytes: Http.png })
      assert.deepStrictEqual(Object.keys(double.sent[0]?.headers ?? {}).sort(), ["accept"])
    }))

  const refused = [
    "file:///etc/passwd", "ftp://cdn.example/a.png", "data:text/html,x", "javascript:alert(1)", "no address", "https://u:p@cdn.example/a.png",
    "http://127.0.0.1/a.png", "http://2130706433/a.png", "http://0x7f.1/a.png", "http://[::1]/a.png", "http://[::ffff:169.254.169.254]/", "http://169.254.169.254/latest/meta-data",
    "http://metadata.google.internal/", "http://localhost:8080/", "http://10.0.0.7/", "http://100.64.1.1/", "http://[fd00::1]/", "http://relay.example@127.0.0.1/a.png"
  ]
  for (const url of refused) {
    it.effect(`are not fetched from ${url}`, () =>
      Effect.gen(function*() {
        const double = Http.http(picture)
        const error = yield* Effect.flip(fetch(double, url))
        assert.strictEqual(error._tag, "Malformed")
        assert.strictEqual(error.outcome, "unknown")
        assert.strictEqual(error.endpoint, "relay")
        assert.strictEqual(double.sent.length, 0)
      }))
  }

  it.effect("may lie on the endpoint's own host and port wherever that is, and nowhere else near it", () =>
    Effect.gen(function*() {
      const double = Http.http(picture)
      const local = { ...origin, baseUrl: "http://192.168.1.5:3000/v1" }
      yield* fetch(double, "http://192.168.1.5:3000/files/a.png", {}, local)
      assert.strictEqual((yield* Effect.flip(fetch(double, "http://192.168.1.5:22/", {}, local)))._tag, "Malformed")
      assert.strictEqual((yield* Effect.flip(fetch(double, "http://192.168.1.6:3000/", {}, local)))._tag, "Malformed")
      yield* fetch(double, "http://192.168.1.6:3000/", { allowPrivateHosts: true }, local)
      assert.strictEqual(double.sent.length, 2)
    }))

  it.effect("are followed through redirects, each of which is checked", () =>
    Effect.gen(function*() {
      const hops = (count: number) => Http.http((_, index) => (index < count ? redirect(`/hop${index + 1}`) : picture()))
      const three = hops(3)
      yield* fetch(three, "https://cdn.example/a")
      assert.strictEqual(three.sent[3]?.url, "https://cdn.example/hop3")
      const four = hops(4)
      assert.include((yield* Effect.flip(fetch(four, "https://cdn.example/a"))).message, "3 times")
      assert.strictEqual(four.sent.length, 4)
      const inside = Http.http(() => redirect("http://169.254.169.254/secret"))
      assert.strictEqual((yield* Effect.flip(fetch(inside, "https://cdn.example/a")))._tag, "Malformed")
      assert.strictEqual(inside.sent.length, 1)
      const file = Http.http(() => redirect("file:///etc/passwd", 307))
      assert.strictEqual((yield* Effect.flip(fetch(file, "https://cdn.example/a")))._tag, "Malformed")
    }))

  it.effect("larger than the limit are refused, by their declared size or by what comes", () =>
    Effect.gen(function*() {
      const declared = Http.http(() => new Response("x", { headers: { "content-length": "5000" } }))
      const endless = Http.http(() => Http.pieces(Array.from({ length: 50 }, () => "x".repeat(100)), { then: "stall" }))
      for (const double of [declared, endless]) {
        const error = yield* Effect.flip(fetch(double, "https://cdn.example/a", { maxBytes: 1000 }))
        assert.strictEqual(error._tag, "Malformed")
        assert.include(error.message, "1000")
        assert.isTrue(double.sent[0]?.signal.aborted)
      }
    }))

  const failing = (name: string, reply: () => Http.Reply, tag: string) =>
    it.effect(`${name} is ${tag}, with the outcome unknown`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(fetch(Http.http(reply), "https://cdn.example/a"))
        assert.strictEqual(error._tag, tag)
        assert.strictEqual(error.outcome, "unknown")
      }))
  failing("a page instead of an image", () => new Response("<html></html>", { headers: { "content-type": "image/png" } }), "EmptyResult")
  failing("an empty body", () => new Response(null, { status: 200 }), "EmptyResult")
  failing("a picture that is gone", () => new Response("no", { status: 404 }), "EmptyResult")
  failing("a host that fails", () => new Response("no", { status: 503 }), "Transient")
  failing("a host that cannot be reached", () => Effect.fail(Object.assign(new Error("x"), { code: "ECONNREFUSED" })), "Transient")
  failing("a name that leads inside", () => Effect.fail({ cause: { code: HostedImages.privateAddressCode } }), "Malformed")

  it.effect("that do not come in time are a Timeout", () =>
    Effect.gen(function*() {
      const double = Http.http(() => Http.pieces(["x"], { then: "stall" }))
      const fiber = yield* Effect.fork(Effect.flip(fetch(double, "https://cdn.example/a", { timeout: "5 seconds" })))
      yield* TestClock.adjust("5 seconds")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "Timeout")
      assert.isTrue(double.sent[0]?.signal.aborted)
    }))
})

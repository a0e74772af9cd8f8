import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Clients from "../src/Clients.js"
import * as Gemini from "../src/Gemini.js"
import * as Http from "./support/doubles.js"

const request = { prompt: "a red square" }

const clients = (double: Http.Double) => {
  const one = (endpoint: string) =>
    Gemini.make({ endpoint, apiKey: Redacted.make(`key-of-${endpoint}`), baseUrl: `https://${endpoint}.example` })
  return Effect.provide(
    Effect.map(Effect.all({ first: one("first"), second: one("second") }), Clients.byEndpoint),
    double.layer
  )
}

describe("clients by endpoint", () => {
  it.effect("go where the routing policy says, else to the first", () =>
    Effect.gen(function*() {
      const double = Http.http((sent) =>
        sent.url.includes("alt=sse")
          ? Http.pieces([Http.event(Http.gemini([Http.inline(Http.png)]))])
          : Http.json(Http.gemini([Http.inline(Http.png)]))
      )
      const service = yield* clients(double)
      const unrouted = yield* service.generate(request)
      const routed = yield* CurrentCall.update(service.generate(request), { endpoint: "second", model: "other" })
      yield* CurrentCall.update(Stream.runDrain(service.stream(request)), { endpoint: "second" })
      assert.strictEqual(unrouted.endpoint, "first")
      assert.strictEqual(routed.endpoint, "second")
      assert.deepStrictEqual(double.sent.map((sent) => new URL(sent.url).host), ["first.example", "second.example", "second.example"])
      assert.include(double.sent[1]?.url, "/models/other:")
      assert.strictEqual(double.sent[1]?.headers["x-goog-api-key"], "key-of-second")
    }))

  it.effect("refuse an endpoint that is not among them", () =>
    Effect.gen(function*() {
      const double = Http.http(() => Http.json({}))
      const service = yield* clients(double)
      for (const endpoint of ["third", "toString"]) {
        const error = yield* Effect.flip(CurrentCall.update(service.generate(request), { endpoint }))
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.include(error.message, "first, second")
      }
      assert.strictEqual(double.sent.length, 0)
    }))

  it("must be at least one", () => {
    assert.throws(() => Clients.byEndpoint({}), /clients/)
  })
})

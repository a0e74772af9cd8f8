import { assert, describe, it } from "@effect/vitest"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import * as Gemini from "../src/Gemini.js"
import * as Timeouts from "../src/Timeouts.js"
import * as Http from "./support/doubles.js"

const apiKey = Redacted.make("test-key")
const request: GenerationRequest = { prompt: "a red square" }

/** An `HttpClient` that announces phases and then does what it is told. */
const phased = (
  run: (listener: Timeouts.PhaseListener) => Effect.Effect<Response>
): Layer.Layer<HttpClient.HttpClient> =>
  Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((outgoing) =>
      Effect.flatMap(Timeouts.CurrentPhases, (listener) =>
        Effect.map(run(listener), (response) => HttpClientResponse.fromWeb(outgoing, response))
      )
    )
  )

/** Runs the effect and the clock; gives the error and the time at which it came. */
const failureOf = <A, E>(self: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.flip(self))
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

const generate = (layer: Layer.Layer<HttpClient.HttpClient>, options: Partial<Gemini.Options> = {}, input = request) =>
  Effect.provide(
    Effect.flatMap(Gemini.make({ apiKey, ...options }), (service) => service.generate(input)),
    layer
  )

const enterAndHang = (...phases: ReadonlyArray<"connect" | "write" | "headers">) =>
  phased((listener) => {
    for (const phase of phases) listener.enter(phase)
    return Effect.never
  })

/** Fails not a moment before the limit, and at it. */
const expiresAt = <A, E>(self: Effect.Effect<A, E>, limit: Duration.DurationInput) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.flip(self))
    yield* TestClock.adjust(Duration.subtract(limit, "1 millis"))
    assert.isNull(fiber.unsafePoll(), "too early")
    yield* TestClock.adjust("1 millis")
    return yield* Fiber.join(fiber)
  })

describe("timeouts of one attempt", () => {
  it("have the documented defaults", () => {
    assert.deepStrictEqual(Timeouts.resolve(), {
      pool: 30_000,
      connect: 30_000,
      write: 30_000,
      headers: 180_000,
      body: 180_000
    })
  })

  it("come from the call, else from the endpoint, else from the defaults", () => {
    const resolved = Timeouts.resolve({ headers: "1 second" }, { headers: "2 seconds", body: "3 seconds" })
    assert.strictEqual(resolved.headers, 1000)
    assert.strictEqual(resolved.body, 3000)
    assert.strictEqual(resolved.pool, 30_000)
  })

  it("must be longer than nothing", () => {
    for (const bad of [0, -1, NaN, "soon"]) {
      assert.throws(() => Timeouts.resolve({ write: bad as Duration.DurationInput }), /timeouts\.write/)
    }
    assert.strictEqual(Timeouts.resolve({ write: Infinity }).write, Infinity)
  })

  const phase = (
    name: Timeouts.Phase,
    limit: Duration.DurationInput,
    layer: Layer.Layer<HttpClient.HttpClient>,
    outcome: string
  ) =>
    it.effect(`${name} runs out at its limit, with its phase and its outcome`, () =>
      Effect.gen(function*() {
        const error = yield* expiresAt(generate(layer, { timeouts: { [name]: limit } }), limit)
        assert.strictEqual(error._tag, "Timeout")
        assert.strictEqual(error._tag === "Timeout" && error.phase, name)
        assert.strictEqual(error.outcome, outcome)
        assert.include(error.message, Duration.format(limit))
      }))

  phase("connect", "5 seconds", enterAndHang("connect"), "not-started")
  phase("write", "7 seconds", enterAndHang("connect", "write"), "not-started")
  phase("headers", "45 seconds", enterAndHang("connect", "write", "headers"), "unknown")
  phase("body", "50 seconds", phased(() => Effect.succeed(Http.pieces([" "], { then: "stall" }))), "unknown")

  it.effect("a client that cannot see its phases has one clock of connect, write and headers together", () =>
    Effect.gen(function*() {
      const error = yield* expiresAt(generate(phased(() => Effect.never)), "240 seconds")
      assert.strictEqual(error._tag === "Timeout" && error.phase, "headers")
    }))

  it.effect("each phase starts its own clock", () =>
    Effect.gen(function*() {
      const layer = phased((listener) =>
        Effect.gen(function*() {
          for (const phase of ["connect", "write", "headers"] as const) {
            listener.enter(phase)
            yield* Effect.sleep("29 seconds")
          }
          return Http.json(Http.gemini([Http.inline(Http.png)]))
        })
      )
      const fiber = yield* Effect.fork(generate(layer, { timeouts: { headers: "30 seconds" } }))
      yield* TestClock.adjust("87 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).parts.length, 1)
    }))

  it.effect("a phase that is shorter than what is left of the one before ends at its own limit", () =>
    Effect.gen(function*() {
      const layer = enterAndHang("connect", "write", "headers")
      const error = yield* expiresAt(generate(layer, { timeouts: { headers: "2 seconds" } }), "2 seconds")
      assert.strictEqual(error._tag === "Timeout" && error.phase, "headers")
    }))

  it.effect("a body that keeps coming lasts as long as it likes", () =>
    Effect.gen(function*() {
      const text = JSON.stringify(Http.gemini([Http.inline(Http.png)]))
      const slow = Stream.fromIterable(text.match(/.{1,40}/g) ?? []).pipe(
        Stream.mapEffect((piece) => Effect.delay(Effect.succeed(new TextEncoder().encode(piece)), "100 seconds"))
      )
      const runtime = yield* Effect.runtime<never>()
      const layer = phased(() => Effect.sync(() => new Response(Stream.toReadableStreamRuntime(slow, runtime))))
      const fiber = yield* Effect.fork(generate(layer))
      yield* TestClock.adjust("2 hours")
      assert.strictEqual((yield* Fiber.join(fiber)).parts.length, 1)
    }))

  it.effect("the call's own timeouts come before the endpoint's, and illegal ones are InvalidRequest", () =>
    Effect.gen(function*() {
      const layer = enterAndHang("connect")
      const options = { timeouts: { connect: "20 seconds" } } as const
      const error = yield* expiresAt(
        generate(layer, options, { ...request, timeouts: { connect: "3 seconds" } }),
        "3 seconds"
      )
      assert.strictEqual(error._tag, "Timeout")
      const illegal = yield* Effect.flip(generate(layer, options, { ...request, timeouts: { connect: 0 } }))
      assert.strictEqual(illegal._tag, "InvalidRequest")
      assert.include(illegal.message, "timeouts.connect")
    }))
})

describe("the pool of an endpoint", () => {
  const hanging = phased(() => Effect.never)

  it.effect("lets maxConnections exchanges run and makes others wait, at most the pool limit", () =>
    Effect.gen(function*() {
      const service = yield* Gemini.make({ apiKey, maxConnections: 2, timeouts: { pool: "10 seconds" } })
      yield* Effect.fork(service.generate(request))
      yield* Effect.fork(service.generate(request))
      const error = yield* expiresAt(service.generate(request), "10 seconds")
      assert.strictEqual(error._tag === "Timeout" && error.phase, "pool")
      assert.strictEqual(error.outcome, "not-started")
    }).pipe(Effect.provide(hanging)))

  it.effect("gives a connection back on success, failure, timeout and interruption alike", () =>
    Effect.gen(function*() {
      let mode: "good" | "bad" | "hang" = "good"
      const double = Http.http(() =>
        mode === "good"
          ? Http.json(Http.gemini([Http.inline(Http.png)]))
          : mode === "bad"
            ? Http.json({ error: { code: 503, status: "UNAVAILABLE", message: "overloaded" } }, 503)
            : Effect.never
      )
      const service = yield* Effect.provide(Gemini.make({ apiKey, maxConnections: 1 }), double.layer)
      yield* service.generate(request)
      mode = "bad"
      yield* Effect.flip(service.generate(request))
      mode = "hang"
      yield* failureOf(service.generate(request))
      const running = yield* Effect.fork(service.generate(request))
      yield* Effect.yieldNow()
      const waiting = yield* Effect.fork(service.generate(request))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(waiting)
      yield* Fiber.interrupt(running)
      yield* Stream.runDrain(service.stream(request)).pipe(Effect.timeoutOption("1 second"), Effect.fork)
      yield* TestClock.adjust("1 second")
      mode = "good"
      assert.strictEqual((yield* service.generate(request)).parts.length, 1)
    }))

  it("ends and loses no connection when calls are interrupted at any yield", async () => {
    const answer = Http.gemini([Http.inline(Http.png)])
    const double = Http.http((sent) =>
      sent.url.includes("alt=sse") ? Http.pieces([Http.event(answer)]) : Http.json(answer)
    )
    const service = await Effect.runPromise(Effect.provide(Gemini.make({ apiKey, maxConnections: 1 }), double.layer))
    const runs = [
      service.generate(request),
      service.generate({ ...request, count: 3 }),
      Stream.runDrain(service.stream(request))
    ]
    const prompt = <A, E>(self: Effect.Effect<A, E>) => Effect.runPromise(Effect.timeout(self, "4 seconds"))
    for (let operations = 10; operations < 60; operations += 5) {
      for (let point = 0; point < 60; point += 3) {
        for (const run of runs) {
          const interrupted = Effect.gen(function*() {
            const fiber = yield* Effect.fork(run)
            for (let turn = 0; turn < point; turn++) yield* Effect.yieldNow()
            yield* Fiber.interrupt(fiber)
          })
          await prompt(Effect.disconnect(Effect.withMaxOpsBeforeYield(interrupted, operations)))
        }
      }
    }
    assert.strictEqual((await prompt(service.generate(request))).parts.length, 1)
  })

  it.effect("a stream keeps its connection until it ends", () =>
    Effect.gen(function*() {
      const answer = Http.gemini([Http.inline(Http.png)])
      const double = Http.http((_, index) => (index === 0 ? Http.pieces([Http.event(answer)]) : Http.json(answer)))
      const service = yield* Effect.provide(Gemini.make({ apiKey, maxConnections: 1 }), double.layer)
      const begun = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const streaming = service.stream(request).pipe(
        Stream.tap(() => Effect.zipRight(Deferred.succeed(begun, undefined), Deferred.await(go))),
        Stream.runDrain
      )
      const stream = yield* Effect.fork(streaming)
      yield* Deferred.await(begun)
      const waiting = yield* Effect.fork(service.generate(request))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(double.sent.length, 1)
      yield* Deferred.succeed(go, undefined)
      yield* Fiber.join(stream)
      assert.strictEqual((yield* Fiber.join(waiting)).parts.length, 1)
    }))
})

describe("the clocks of a stream", () => {
  const collect = (reply: () => Response, options: Partial<Gemini.Options> = {}) =>
    Effect.flatMap(
      Effect.provide(Gemini.make({ apiKey, ...options }), Http.http(reply).layer),
      (service) => Stream.runCollect(service.stream(request))
    )

  const begun = Http.event({ candidates: [{ content: { parts: [{ text: "Here " }] } }] })

  it.effect("silence before the first byte is first-chunk, silence after it is idle", () =>
    Effect.gen(function*() {
      const first = yield* failureOf(collect(() => Http.pieces([], { then: "stall" })))
      assert.strictEqual(first._tag === "Timeout" && first.phase, "first-chunk")
      const idle = yield* failureOf(collect(() => Http.pieces([begun], { then: "stall" })))
      assert.strictEqual(idle._tag === "Timeout" && idle.phase, "idle")
      assert.strictEqual(idle.outcome, "unknown")
    }))

  it.effect("a slow consumer is not taken for a silent provider", () =>
    Effect.gen(function*() {
      const double = Http.http(() => Http.pieces([begun, begun, Http.event(Http.gemini([Http.inline(Http.png)]))]))
      const service = yield* Effect.provide(Gemini.make({ apiKey, timeouts: { body: "1 second" } }), double.layer)
      const fiber = yield* Effect.fork(
        Stream.runCollect(Stream.tap(service.stream(request), () => Effect.sleep("5 minutes")))
      )
      for (let turn = 0; turn < 8; turn++) {
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        yield* TestClock.adjust("5 minutes")
      }
      assert.strictEqual((yield* Fiber.join(fiber)).length, 4)
    }))
})

import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Fiber, Layer, Ref, Stream, TestClock } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"
import * as Telemetry from "holdfast/Telemetry"

const endpoints = ["direct", "relay"]

/** The simplest router: attempt n goes to endpoint n. It stands inside the retry, as a balancer does. */
const failOver = Policy.make({
  kind: "FailOver",
  apply: (self) =>
    Effect.flatMap(CurrentCall.current, (call) =>
      CurrentCall.update(self, { endpoint: endpoints[(call.attempt - 1) % endpoints.length] })),
  applyStream: (self) =>
    Stream.unwrap(Effect.map(CurrentCall.current, (call) =>
      Policy.provideStream(self, { ...call, endpoint: endpoints[(call.attempt - 1) % endpoints.length] })))
})

/** A per-endpoint policy: notes which endpoint it stands at. */
const perEndpoint = (notes: Array<string | undefined>) =>
  Policy.make({
    kind: "PerEndpoint",
    apply: (self) =>
      Effect.flatMap(CurrentCall.current, (call) => {
        notes.push(call.endpoint)
        return self
      }),
    applyStream: (self) =>
      Stream.unwrap(Effect.map(CurrentCall.current, (call) => {
        notes.push(call.endpoint)
        return self
      }))
  })

/** A client of two endpoints: "direct" is overloaded, "relay" answers. */
const twoEndpoints = Layer.succeed(GenerationClient.GenerationClient, {
  generate: (request) =>
    Effect.flatMap(CurrentCall.current, ({ endpoint = "none", model }) =>
      endpoint === "relay"
        ? Effect.succeed({
          parts: [],
          usage: {},
          finishReason: "STOP",
          endpoint,
          model: model ?? request.model ?? "m",
          attempts: []
        })
        : Effect.fail(new GenerationError.Overloaded({ message: "busy", endpoint }))),
  stream: () =>
    Stream.unwrap(Effect.map(CurrentCall.current, ({ endpoint = "none" }) =>
      endpoint === "relay"
        ? Stream.make({ _tag: "Finish" as const, usage: {}, finishReason: "STOP", endpoint, model: "m" })
        : Stream.fail(new GenerationError.Overloaded({ message: "busy", endpoint }))))
})

const live = (notes: Array<string | undefined>) =>
  Generation.layer({
    policy: Policy.compose(
      Retry.make({ schedule: Backoff.constant({ jitter: "none" }), maxAttempts: 4 }),
      failOver,
      perEndpoint(notes)
    )
  }).pipe(Layer.provide(Layer.mergeAll(twoEndpoints, GenerationCache.layerNoop, Telemetry.layerNoop)))

const settle = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(effect)
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

describe("CurrentCall", () => {
  it.effect("carries the route of a fail-over to the policies at each endpoint and to the client", () =>
    Effect.gen(function*() {
      const notes: Array<string | undefined> = []
      const result = yield* settle(Effect.provide(Generation.generate({ prompt: "a" }), live(notes)))
      expect(notes).toEqual(["direct", "relay"])
      expect(result.endpoint).toBe("relay")
      expect(result.attempts.map((attempt) => [attempt.endpoint, attempt.error?._tag])).toEqual([
        ["direct", "Overloaded"],
        ["relay", undefined]
      ])
    }))

  it.effect("carries it for streams too", () =>
    Effect.gen(function*() {
      const notes: Array<string | undefined> = []
      const chunks = yield* settle(Stream.runCollect(Generation.stream({ prompt: "a" })).pipe(Effect.provide(live(notes))))
      expect(notes).toEqual(["direct", "relay"])
      expect(Chunk.toReadonlyArray(chunks)).toMatchObject([{ endpoint: "relay" }])
    }))

  it.effect("keeps a hundred concurrent fail-overs apart", () =>
    Effect.gen(function*() {
      const results = yield* settle(
        Effect.all(
          Array.from({ length: 100 }, (_, n) => Generation.generate({ prompt: "a", model: `m${n}` })),
          { concurrency: "unbounded" }
        ).pipe(Effect.provide(live([])))
      )
      expect(results.map((result) => result.model)).toEqual(Array.from({ length: 100 }, (_, n) => `m${n}`))
      expect(results.every((result) => result.attempts.length === 2)).toBe(true)
    }))

  it.effect("follows forks, races, streams and layers", () =>
    Effect.gen(function*() {
      const endpoint = Effect.map(CurrentCall.current, (call) => call.endpoint)
      class Built extends Effect.Tag("Built")<Built, { readonly endpoint: string | undefined }>() {}
      const layer = Layer.effect(Built, Effect.map(endpoint, (endpoint) => ({ endpoint })))
      const seen = yield* Effect.all([
        Effect.flatMap(Effect.fork(endpoint), Fiber.join),
        Effect.flatMap(Effect.forkDaemon(endpoint), Fiber.join),
        Effect.race(Effect.delay(endpoint, 1), Effect.never),
        Effect.raceAll([Effect.never, endpoint]),
        Effect.timeout(Effect.zipRight(Effect.yieldNow(), endpoint), "1 minute"),
        Effect.map(Stream.runCollect(Stream.fromEffect(endpoint)), Chunk.unsafeHead),
        Effect.map(Stream.runCollect(Stream.mapEffect(Stream.make(1), () => endpoint, { concurrency: 4 })), Chunk.unsafeHead),
        Effect.map(Built, (built) => built.endpoint).pipe(Effect.provide(layer))
      ], { concurrency: "unbounded" }).pipe(CurrentCall.update({ endpoint: "relay" }), settle)
      expect(seen).toEqual(Array.from({ length: 8 }, () => "relay"))
      expect(yield* endpoint).toBeUndefined()
    }))

  it.effect("background work started inside an attempt is detached from it", () =>
    Effect.gen(function*() {
      const seen = yield* Ref.make<CurrentCall.Call | undefined>(undefined)
      const background = Effect.delay(Effect.flatMap(CurrentCall.current, (call) => Ref.set(seen, call)), "1 minute")
      const attempt = Effect.zipRight(Effect.forkDaemon(CurrentCall.detached(background)), Effect.succeed("image"))
      yield* Retry.make().apply(attempt).pipe(CurrentCall.update({ deadline: 5000, tenant: "acme" }))
      yield* TestClock.adjust("2 minutes")
      expect(yield* Ref.get(seen)).toEqual(CurrentCall.none)
    }))

  it.effect("update replaces what it names and leaves the rest", () =>
    Effect.gen(function*() {
      const call = yield* CurrentCall.current.pipe(
        CurrentCall.update({ priority: 5 }),
        CurrentCall.update({ tenant: "acme", priority: 1 })
      )
      expect([call.tenant, call.priority, call.workClass]).toEqual(["acme", 5, "interactive"])
    }))
})

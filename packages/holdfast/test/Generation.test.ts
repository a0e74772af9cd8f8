import { describe, expect, it } from "@effect/vitest"
import { Cause, Chunk, Duration, Effect, Exit, Fiber, Layer, Option, Ref, Schedule, Stream, TestClock, Tracer } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Generated from "holdfast/Generated"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"
import * as Telemetry from "holdfast/Telemetry"
import * as Timeout from "holdfast/Timeout"

const request = { prompt: "a fox in the snow", model: "nano-banana" }
const overloaded = new GenerationError.Overloaded({ message: "busy", endpoint: "direct", model: "nano-banana" })
const steady = Backoff.constant({ base: "2 seconds", jitter: "none" })

const layers = (
  script: Parameters<typeof GenerationClient.layerTest>[0],
  options: Generation.Options = { policy: Retry.make({ schedule: steady, maxAttempts: 4 }) },
  cache: Layer.Layer<GenerationCache.GenerationCache> = GenerationCache.layerNoop
) =>
  Generation.layer(options).pipe(
    Layer.provideMerge(Layer.mergeAll(GenerationClient.layerTest(script), cache, Telemetry.layerTest))
  )

const attempts = Effect.flatMap(GenerationClient.Recorded, (recorded) => recorded.attempts)
const events = Effect.flatMap(Telemetry.Recorded, (recorded) => recorded.events)

/** Forks, lets virtual time pass, and gives the exit. */
const settle = <A, E, R>(effect: Effect.Effect<A, E, R>, time: Duration.DurationInput = "1 day") =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.exit(effect))
    yield* TestClock.adjust(time)
    return yield* Fiber.join(fiber)
  })

const failure = <E>(exit: Exit.Exit<unknown, E>): E =>
  Option.getOrThrow(Exit.match(exit, { onFailure: Cause.failureOption, onSuccess: () => Option.none() }))

describe("Generation", () => {
  it.effect("tells in the result which attempts it took", () =>
    Effect.gen(function*() {
      const result = yield* yield* settle(Generation.generate(request))
      expect(Generated.images(result)).toHaveLength(1)
      expect(result.attempts.map((attempt) => [attempt.number, attempt.startedAt, attempt.error?._tag])).toEqual([
        [1, 0, "Overloaded"],
        [2, 2000, "Overloaded"],
        [3, 4000, undefined]
      ])
      expect(yield* attempts).toHaveLength(3)
    }).pipe(Effect.provide(layers([overloaded, overloaded, {}]))))

  it.effect("fails with the last error itself once retries are exhausted", () =>
    Effect.gen(function*() {
      const caught = Generation.generate(request).pipe(
        Effect.catchTag("Overloaded", (error) => Effect.succeed([error.attempts?.length, error.stoppedBy]))
      )
      expect(yield* settle(caught)).toEqual(Exit.succeed([4, "schedule"]))
    }).pipe(Effect.provide(layers([overloaded]))))

  it.effect("tells the history of an error also when no retry is in the policy", () =>
    Effect.gen(function*() {
      const error = failure(yield* settle(Generation.generate(request)))
      expect(error).toMatchObject({ _tag: "Overloaded", stoppedBy: "schedule", attempts: [{ number: 1 }] })
    }).pipe(Effect.provide(layers([overloaded], { policy: Policy.identity }))))

  it.effect("the deadline stands outside: what is in flight is abandoned, and remembered", () =>
    Effect.gen(function*() {
      const error = failure(yield* settle(Generation.generate(request)))
      expect(error).toMatchObject({
        _tag: "DeadlineExceeded",
        last: { _tag: "Timeout" },
        attempts: [
          { number: 1, error: { _tag: "Overloaded" } },
          { number: 2, error: { _tag: "Timeout", outcome: "unknown" } }
        ]
      })
    }).pipe(Effect.provide(layers([overloaded, { _tag: "Hang" }], { deadline: "1 minute" }))))

  it.effect("takes the earlier of its own deadline and the caller's", () =>
    Effect.gen(function*() {
      const error = failure(yield* settle(CurrentCall.update(Generation.generate(request), { deadline: 30_000 })))
      expect(error).toMatchObject({ _tag: "Overloaded", stoppedBy: "deadline" })
      expect((yield* attempts).length).toBe(15)
    }).pipe(Effect.provide(layers([overloaded], { deadline: "1 hour", policy: Retry.make({ schedule: steady }) }))))

  it.effect("a generation made inside an attempt keeps its own retries", () =>
    Effect.gen(function*() {
      const service = yield* Generation.Generation
      const outer = Retry.make({ schedule: Schedule.stop })
      const result = yield* settle(outer.apply(service.generate(request)))
      expect(Exit.isSuccess(result)).toBe(true)
      expect(yield* attempts).toHaveLength(3)
    }).pipe(Effect.provide(layers([overloaded, overloaded, {}]))))

  it.effect("a layer built inside an attempt is not bound to that attempt", () =>
    Effect.gen(function*() {
      const inside = Effect.scoped(Layer.build(layers([overloaded, overloaded, {}])))
      const context = yield* Retry.make().apply(inside).pipe(CurrentCall.update({ deadline: 1 }))
      const result = yield* settle(Effect.provide(Generation.generate(request), context))
      expect(Exit.isSuccess(result)).toBe(true)
    }))

  it.effect("whose call it is comes through, the attempt it was made in does not", () =>
    Effect.gen(function*() {
      const seen = yield* Ref.make<Array<CurrentCall.Call>>([])
      const spy = Policy.make({
        kind: "Spy",
        apply: (self) =>
          Effect.zipRight(Effect.flatMap(CurrentCall.current, (call) => Ref.update(seen, (calls) => [...calls, call])), self),
        applyStream: (self) => self
      })
      const live = layers([{}], { policy: spy })
      yield* Generation.generate(request).pipe(
        CurrentCall.update({ tenant: "acme", priority: 7, workClass: "batch", attempt: 3, retryOwner: "x", endpoint: "e" }),
        Effect.provide(live)
      )
      expect(yield* Ref.get(seen)).toMatchObject([{
        tenant: "acme",
        priority: 7,
        workClass: "batch",
        attempt: 0,
        retryOwner: undefined,
        endpoint: undefined
      }])
    }))

  it.effect("the cache stands outside the policy: a hit makes no attempt", () =>
    Effect.gen(function*() {
      yield* settle(Generation.generate(request), "1 minute")
      const again = yield* yield* settle(Generation.generate(request), "1 second")
      expect(again.attempts).toEqual([])
      expect(yield* attempts).toHaveLength(2)
      const other = yield* yield* settle(GenerationCache.bypass(Generation.generate(request)), "1 second")
      expect(other.attempts).toHaveLength(1)
    }).pipe(Effect.provide(layers([overloaded, {}], undefined, GenerationCache.layerMemory()))))

  it.effect("a stale result stands in while the model is overloaded", () =>
    Effect.gen(function*() {
      yield* settle(Generation.generate(request), "2 hours")
      const stale = yield* yield* settle(Generation.generate(request), "1 hour")
      expect(stale.attempts).toEqual([])
      expect(yield* attempts).toHaveLength(5)
      expect((yield* events).filter((event) => event._tag === "CacheAnswered")).toMatchObject([{ source: "stale" }])
    }).pipe(Effect.provide(layers([{}, overloaded], undefined, GenerationCache.layerMemory()))))

  it.effect("accepts a policy that an effect makes, once", () =>
    Effect.gen(function*() {
      const made = yield* Ref.make(0)
      const policy = Effect.as(Ref.update(made, (n) => n + 1), Retry.make({ schedule: steady }))
      const live = Generation.layer({ policy }).pipe(
        Layer.provide(Layer.mergeAll(GenerationClient.layerTest([]), GenerationCache.layerNoop, Telemetry.layerNoop))
      )
      yield* Effect.zip(Generation.generate(request), Generation.generate(request)).pipe(Effect.provide(live))
      expect(yield* Ref.get(made)).toBe(1)
    }))

  it.effect("a Timeout policy's own error is a GenerationError and is retried", () =>
    Effect.gen(function*() {
      const result = yield* yield* settle(Generation.generate(request))
      expect(result.attempts.map((attempt) => attempt.error?._tag)).toEqual(["Timeout", undefined])
    }).pipe(
      Effect.provide(layers([{ _tag: "Hang" }, {}], {
        policy: Policy.compose(Retry.make({ schedule: steady }), Timeout.make({ attempt: "1 minute" }))
      }))
    ))
})

describe("Generation.stream", () => {
  it.effect("hands out parts and one Finish", () =>
    Effect.gen(function*() {
      const chunks = yield* yield* settle(Stream.runCollect(Generation.stream(request)))
      expect(Chunk.toReadonlyArray(chunks).map((chunk) => chunk._tag)).toEqual(["Text", "Image", "Finish"])
      expect(yield* attempts).toHaveLength(2)
    }).pipe(Effect.provide(layers([overloaded, {
      parts: [{ _tag: "Text", text: "here" }, { _tag: "Image", mimeType: "image/png", bytes: new Uint8Array(1) }]
    }]))))

  it.effect("never starts over once a part was handed out", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const run = Stream.runForEach(Generation.stream(request), (chunk) => Effect.sync(() => void seen.push(chunk._tag)))
      const error = failure(yield* settle(run))
      expect(seen).toEqual(["Text"])
      expect(error).toMatchObject({ _tag: "Overloaded", stoppedBy: "committed" })
      expect(yield* attempts).toHaveLength(1)
    }).pipe(Effect.provide(layers([{ _tag: "Parts", parts: [{ _tag: "Text", text: "he" }], error: overloaded }]))))

  it.effect("ends with a refusal that tells what was tried before it", () =>
    Effect.gen(function*() {
      for (const run of [Effect.asVoid(Generation.generate(request)), Stream.runDrain(Generation.stream(request))]) {
        const error = failure(yield* settle(run))
        expect(error).toMatchObject({ _tag: "Shed", policy: "Admission", policyName: "mine", last: { _tag: "Overloaded" } })
        expect(error.attempts).toMatchObject([{ number: 1, error: { _tag: "Overloaded" } }])
      }
    }).pipe(
      Effect.provide(layers([overloaded], { policy: Policy.interactive({ name: "mine" }), deadline: "40 seconds" }))
    ))

  it.effect("runs under the deadline, and reports one end for each start", () =>
    Effect.gen(function*() {
      const error = failure(yield* settle(Stream.runDrain(Generation.stream(request))))
      expect(error._tag).toBe("DeadlineExceeded")
      const tags = (yield* events).map((event) => event._tag)
      expect(tags).toEqual([
        "GenerationStarted",
        "AttemptStarted",
        "AttemptEnded",
        "CallRejected",
        "GenerationEnded"
      ])
    }).pipe(Effect.provide(layers([{ _tag: "Hang" }], { deadline: "1 minute" }))))
})

describe("Telemetry", () => {
  it.effect("reports starts, ends and retries, without prompt or image", () =>
    Effect.gen(function*() {
      yield* settle(Generation.generate({ ...request, prompt: "SECRET-PROMPT" }))
      const seen = yield* events
      expect(seen.map((event) => event._tag)).toEqual([
        "GenerationStarted",
        "AttemptStarted",
        "AttemptEnded",
        "RetryScheduled",
        "AttemptStarted",
        "AttemptEnded",
        "GenerationEnded"
      ])
      expect(seen[3]).toMatchObject({ attempt: 2, error: "Overloaded", endpoint: "direct", delay: Duration.seconds(2) })
      expect(seen[6]).toMatchObject({ ending: { _tag: "Success" }, attempts: 2, duration: Duration.seconds(2) })
      expect(new Set(seen.map((event) => event.generation)).size).toBe(1)
      expect(JSON.stringify(seen)).not.toContain("SECRET-PROMPT")
    }).pipe(Effect.provide(layers([overloaded, {}]))))

  it.effect("names all four exits", () =>
    Effect.gen(function*() {
      const endings = (script: Parameters<typeof layers>[0], stop?: Duration.DurationInput) =>
        Effect.gen(function*() {
          const fiber = yield* Effect.fork(Generation.generate(request))
          yield* TestClock.adjust(stop ?? "1 day")
          yield* Fiber.interrupt(fiber)
          return (yield* events).flatMap((event) =>
            event._tag === "AttemptEnded" || event._tag === "GenerationEnded" ? [event.ending._tag] : [])
        }).pipe(Effect.provide(layers(script, { policy: Policy.identity })))
      expect(yield* endings([{}])).toEqual(["Success", "Success"])
      expect(yield* endings([overloaded])).toEqual(["Failure", "Failure"])
      expect(yield* endings([{ _tag: "Hang" }], "1 second")).toEqual(["Interrupted", "Interrupted"])
      const dying = Layer.succeed(GenerationClient.GenerationClient, {
        generate: () => Effect.die("boom"),
        stream: () => Stream.die("boom")
      })
      const died = yield* Effect.gen(function*() {
        yield* Effect.exit(Generation.generate(request))
        return (yield* events).flatMap((event) => ("ending" in event ? [event.ending._tag] : []))
      }).pipe(
        Effect.provide(
          Generation.layer().pipe(
            Layer.provideMerge(Layer.mergeAll(dying, GenerationCache.layerNoop, Telemetry.layerTest))
          )
        )
      )
      expect(died).toEqual(["Defect", "Defect"])
    }))

  it.effect("spans a generation and each of its attempts by the GenAI conventions", () =>
    Effect.gen(function*() {
      const spans: Array<Tracer.Span> = []
      const tracer = Tracer.make({
        span: (name, parent, context, links, startTime, kind, options) => {
          const attributes = new Map<string, unknown>(Object.entries(options?.attributes ?? {}))
          const span: Tracer.Span = {
            _tag: "Span",
            name,
            spanId: String(spans.length),
            traceId: "trace",
            parent,
            context,
            status: { _tag: "Started", startTime },
            attributes,
            links,
            sampled: true,
            kind,
            end: () => {},
            attribute: (key, value) => void attributes.set(key, value),
            event: () => {},
            addLinks: () => {}
          }
          spans.push(span)
          return span
        },
        context: (f) => f()
      })
      yield* settle(Generation.generate({ ...request, prompt: "SECRET-PROMPT", seed: 7 }).pipe(Effect.withTracer(tracer)))
      expect(spans.map((span) => [span.name, span.kind])).toEqual([
        ["holdfast.generation", "internal"],
        ["generate_content nano-banana", "client"],
        ["generate_content nano-banana", "client"]
      ])
      expect(spans[0]!.attributes.get("holdfast.generation.attempts")).toBe(2)
      expect(spans.slice(1).every((span) => Option.getOrThrow(span.parent).spanId === "0")).toBe(true)
      expect(Object.fromEntries(spans[1]!.attributes)).toMatchObject({
        "gen_ai.operation.name": "generate_content",
        "gen_ai.request.model": "nano-banana",
        "gen_ai.request.seed": 7,
        "gen_ai.output.type": "image",
        "error.type": "Overloaded"
      })
      expect(Object.fromEntries(spans[2]!.attributes)).toMatchObject({
        "gen_ai.response.model": "nano-banana",
        "gen_ai.response.finish_reasons": ["STOP"],
        "gen_ai.usage.output_tokens": 1290
      })
      expect(JSON.stringify(spans.map((span) => [...span.attributes]))).not.toContain("SECRET-PROMPT")
    }).pipe(Effect.provide(layers([overloaded, { usage: { outputTokens: 1290 } }]))))

  it.effect("an observer that fails, dies, interrupts itself or hangs changes nothing", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const observers: ReadonlyArray<Telemetry.Observer> = [
        () => Effect.fail("no"),
        () => Effect.die("boom"),
        () => {
          throw new Error("thrown")
        },
        () => Effect.interrupt,
        () => Effect.never,
        (event) => Effect.sync(() => void seen.push(event._tag))
      ]
      const live = Generation.layer({ policy: Retry.make({ schedule: steady }) }).pipe(
        Layer.provide(Layer.mergeAll(
          GenerationClient.layerTest([overloaded, {}]),
          GenerationCache.layerNoop,
          Telemetry.layer({ observers })
        ))
      )
      const exit = yield* settle(Effect.provide(Generation.generate(request), live))
      expect(Exit.isSuccess(exit)).toBe(true)
      expect(seen).toHaveLength(7)
    }))

  it.effect("an observer is not bound to the call that built the layer", () =>
    Effect.gen(function*() {
      const seen: Array<CurrentCall.Call> = []
      const observer: Telemetry.Observer = () =>
        Effect.map(CurrentCall.current, (call) => void seen.push(call))
      const live = Generation.layer().pipe(
        Layer.provide(Layer.mergeAll(
          GenerationClient.layerTest(),
          GenerationCache.layerNoop,
          Telemetry.layer({ observers: [observer] })
        ))
      )
      yield* settle(Effect.provide(Generation.generate(request), live).pipe(CurrentCall.update({ deadline: 90_000 })))
      expect(seen.length).toBeGreaterThan(0)
      expect(seen.every((call) => call.deadline === Infinity)).toBe(true)
    }))
})

describe("GenerationClient.layerTest", () => {
  it.effect("plays its script, delays on the clock, and records who asked", () =>
    Effect.gen(function*() {
      const exit = yield* settle(Generation.generate({ prompt: "p" }).pipe(CurrentCall.update({ priority: 1 })))
      expect(Exit.map(exit, Generated.text)).toEqual(Exit.succeed("hello"))
      expect((yield* attempts).map((attempt) => [attempt.at, attempt.attempt, attempt.request.prompt])).toEqual([
        [0, 1, "p"],
        [12_000, 2, "p"]
      ])
    }).pipe(Effect.provide(layers([{ _tag: "After", delay: "10 seconds", outcome: overloaded }, "hello"]))))
})

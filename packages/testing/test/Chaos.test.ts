import { describe, expect, it } from "@effect/vitest"
import { Chunk, Duration, Effect, Either, Exit, FastCheck, Fiber, FiberId, Metric, Random, Stream, TestClock, Tracer } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import type * as Generated from "holdfast/Generated"
import * as Timeout from "holdfast/Timeout"
import * as Chaos from "../src/Chaos.js"

const overloaded = new GenerationError.Overloaded({ message: "no room", reason: "MODEL_CAPACITY_EXHAUSTED" })
const always = { enabled: true, rate: 1 } as const

const generated: Generated.Generated = {
  parts: [{ _tag: "Text", text: "a boat" }],
  usage: { totalTokens: 9 },
  finishReason: "STOP",
  endpoint: "direct",
  model: "m",
  attempts: []
}

/** A call and a stream that count how often they begin. */
const counted = () => {
  let begun = 0
  const begin = Effect.sync(() => void begun++)
  return {
    begun: () => begun,
    call: Effect.as(begin, "answer"),
    stream: Stream.concat(Stream.drain(Stream.fromEffect(begin)), Stream.make(1, 2, 3))
  }
}

/** What came of a stream: the elements that it handed out, and how it ended. */
const played = <A, E, R>(self: Stream.Stream<A, E, R>) =>
  Effect.gen(function*() {
    const seen: Array<A> = []
    const exit = yield* Effect.exit(Stream.runForEach(self, (element) => Effect.sync(() => void seen.push(element))))
    return { seen, exit }
  })

/** How long it takes in virtual time, in milliseconds, and what it ends with. */
const timed = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.timed(Effect.exit(self)))
    yield* TestClock.adjust("30 days")
    const [taken, exit] = yield* Fiber.join(fiber)
    return [Duration.toMillis(taken), exit] as const
  })

/** How many of `runs` calls a policy strikes. */
const strikes = (policy: Policy.Policy<unknown>, runs: number) =>
  Effect.map(
    Effect.all(Array.from({ length: runs }, () => Effect.either(policy.apply(Effect.void)))),
    (exits) => exits.filter(Either.isLeft).length
  )

const kinds = (options: Chaos.Options): Readonly<Record<string, Policy.Policy<unknown>>> => ({
  fault: Chaos.fault({ ...options, fault: overloaded }),
  latency: Chaos.latency({ ...options, latency: "1 hour" }),
  outcome: Chaos.outcome({ ...options, where: Chaos.isGenerated, patch: () => ({ parts: [] }) }),
  behaviour: Chaos.behaviour({ ...options, behaviour: Effect.die("struck") })
})

describe("Chaos", () => {
  for (const options of [{}, { enabled: true }, { rate: 1 }, { enabled: false, rate: 1 }, { enabled: true, rate: 0 }]) {
    for (const [kind, policy] of Object.entries(kinds(options))) {
      it.effect(`${kind} is off with ${JSON.stringify(options)}, and costs nothing`, () =>
        Effect.gen(function*() {
          const call = Effect.succeed(generated)
          const stream = Stream.make(generated)
          expect(policy.apply(call)).toBe(call)
          expect(policy.applyStream(stream)).toBe(stream)
        }))
    }
  }

  it.effect("asks at each call whether it is on and how often it strikes, and knows whose call it is", () =>
    Effect.gen(function*() {
      let share = 1
      const policy = Chaos.fault({
        enabled: Effect.map(CurrentCall.current, ({ endpoint }) => endpoint === "relay"),
        rate: Effect.sync(() => share),
        fault: overloaded
      })
      const at = (endpoint: string) =>
        Effect.map(Effect.exit(CurrentCall.update(policy.apply(Effect.void), { endpoint })), Exit.isFailure)
      expect([yield* at("direct"), yield* at("relay")]).toEqual([false, true])
      share = 0
      expect(yield* at("relay")).toBe(false)
      for (const nonsense of [NaN, -1]) {
        share = nonsense
        expect(yield* at("relay")).toBe(false)
      }
      share = 7
      expect(yield* at("relay")).toBe(true)
    }))

  it("strikes the calls whose draw is below the rate, and draws for no others", () => {
    const rate = FastCheck.double({ min: 0, max: 1, noNaN: true })
    FastCheck.assert(
      FastCheck.property(rate, FastCheck.integer(), FastCheck.boolean(), (share, seed, streamed) => {
        const policy = Chaos.fault({ enabled: true, rate: Effect.succeed(share), fault: overloaded })
        const random = Random.make(seed)
        const run: Effect.Effect<unknown, GenerationError.Overloaded> = streamed
          ? Stream.runDrain(policy.applyStream(Stream.make(1)))
          : policy.apply(Effect.void)
        const struck = Array.from(
          { length: 20 },
          () => Exit.isFailure(Effect.runSyncExit(Effect.withRandom(run, random)))
        )
        const model = Random.make(seed)
        const drawn = Array.from({ length: 20 }, () =>
          share > 0 && share < 1 ? Effect.runSync(model.next) < share : share === 1)
        expect(struck).toEqual(drawn)
      })
    )
  })

  it.effect("says what it is as plain data", () =>
    Effect.gen(function*() {
      const policy = Chaos.fault({ enabled: true, rate: Effect.succeed(0.1), fault: overloaded, after: 2 })
      expect(policy.describe).toEqual({
        kind: "Chaos",
        name: "Chaos.fault",
        options: { injects: "fault", enabled: true, rate: "asked", after: 2, mark: true },
        amplification: 1
      })
      const all = Object.values(kinds(always)).map(({ describe }) => [describe.name, describe.options])
      expect(all).toEqual([
        ["Chaos.fault", { injects: "fault", ...always, after: 0, mark: true }],
        ["Chaos.latency", { injects: "latency", ...always, latency: 3_600_000 }],
        ["Chaos.outcome", { injects: "outcome", ...always }],
        ["Chaos.behaviour", { injects: "behaviour", ...always }]
      ])
      expect(Chaos.latency({ name: "slow", latency: { min: 1, max: "1 second" } }).describe).toMatchObject({
        name: "slow",
        options: { enabled: false, rate: 0, min: 1, max: 1000 }
      })
    }))

  it("refuses an illegal option by the name of its field", () => {
    const refusals: ReadonlyArray<readonly [() => unknown, string]> = [
      [() => Chaos.behaviour({ behaviour: Effect.void, rate: 1.1 }), `Chaos.behaviour: "rate" must be a number between 0 and 1`],
      [() => Chaos.latency({ latency: 1, rate: NaN }), `"rate"`],
      [() => Chaos.latency({ latency: NaN }), `Chaos.latency: "latency" must be a duration between 0 ms and`],
      [() => Chaos.latency({ latency: "25 days" }), `"latency"`],
      [() => Chaos.latency({ latency: { min: "2 seconds", max: "1 second" } }), `"latency.max" must be a duration between 2000 ms`],
      [() => Chaos.latency({ latency: { min: -1, max: 1 } }), `"latency.min"`],
      [() => Chaos.fault({ fault: overloaded, after: 1.5 }), `"after" must be a whole number`],
      [() => Chaos.fault({ fault: overloaded, after: -1 }), `"after"`],
      [() => Chaos.fault({ fault: [] }), `"fault" must be faults of which one has a weight above 0`],
      [() => Chaos.fault({ fault: [{ fault: overloaded, weight: 0 }] }), `"fault"`],
      [() => Chaos.fault({ fault: [{ fault: overloaded, weight: -1 }] }), `"fault[0].weight"`],
      [() => Chaos.fault({ fault: [{ fault: overloaded, weight: Infinity }] }), `"fault[0].weight"`]
    ]
    for (const [make, message] of refusals) {
      expect(make).toThrow(RangeError)
      expect(make).toThrow(message)
    }
  })

  it.effect("what is not struck ends as it would: success, failure, defect, interruption", () =>
    Effect.gen(function*() {
      const never = { enabled: Effect.succeed(true), rate: Effect.succeed(0) }
      for (const policy of Object.values(kinds(never))) {
        const interrupted = Effect.interruptWith(FiberId.none)
        for (const effect of [Effect.succeed(generated), Effect.fail("no"), Effect.die("bug"), interrupted]) {
          const plain: Effect.Effect<unknown, unknown> = effect
          expect(yield* Effect.exit(policy.apply(plain))).toEqual(yield* Effect.exit(plain))
          const streamed = yield* Effect.exit(Stream.runCollect(policy.applyStream(Stream.fromEffect(plain))))
          expect(Exit.map(streamed, Chunk.unsafeHead)).toEqual(yield* Effect.exit(plain))
        }
      }
    }))

  it.effect("counts what it injects, and leaves an event in the span around it", () =>
    Effect.gen(function*() {
      const events: Array<unknown> = []
      const span: Tracer.Span = {
        ...(yield* Effect.makeSpan("attempt")),
        event: (name, at, attributes) => void events.push([name, at, attributes])
      }
      const policies = Object.values(kinds(always)).filter(({ name }) => name !== "Chaos.behaviour")
      const value = (kind: string) =>
        Metric.value(Chaos.injections.pipe(Metric.tagged("kind", kind), Metric.tagged("policy", `Chaos.${kind}`)))
      const before = yield* value("fault")
      for (const policy of policies) yield* timed(Effect.withParentSpan(policy.apply(Effect.succeed(generated)), span))
      expect((yield* value("fault")).count).toBe(before.count + 1)
      const day = 86_400_000_000_000n
      expect(events).toEqual(["fault", "latency", "outcome"].map((kind, n) => [
        "holdfast.injected",
        BigInt(n) * 30n * day,
        { "holdfast.injected.kind": kind, "holdfast.injected.policy": `Chaos.${kind}` }
      ]))
    }))
})

describe("Chaos.fault", () => {
  it.effect("fails in place of the call and before a stream's first element, and marks the error", () =>
    Effect.gen(function*() {
      const { begun, call, stream } = counted()
      const policy: Policy.Policy<GenerationError.Overloaded> = Chaos.fault({ ...always, fault: overloaded })
      const error = yield* Effect.flip(policy.apply(call))
      expect(error).toBeInstanceOf(GenerationError.Overloaded)
      expect(error).toMatchObject({ _tag: "Overloaded", message: "no room", outcome: "rejected", reason: "injected" })
      expect(GenerationError.isInjected(error)).toBe(true)
      expect(yield* played(policy.applyStream(stream))).toEqual({ seen: [], exit: Exit.fail(error) })
      expect(begun()).toBe(0)
      // The given error may be shared: it stays what it was.
      expect(GenerationError.isInjected(overloaded)).toBe(false)
    }))

  it.effect("unmarked, the error is what was given", () =>
    Effect.gen(function*() {
      const policy = Chaos.fault({ ...always, fault: overloaded, mark: false })
      expect((yield* Effect.flip(policy.apply(Effect.void))).reason).toBe("MODEL_CAPACITY_EXHAUSTED")
    }))

  it.effect("names the endpoint and the model of the call where the fault names none", () =>
    Effect.gen(function*() {
      const named = new GenerationError.Transient({ message: "reset", endpoint: "relay", model: "own" })
      const place = (fault: GenerationError.GenerationError, call: Partial<CurrentCall.Call>) =>
        CurrentCall.update(Effect.flip(Chaos.fault({ ...always, fault }).apply(Effect.void)), call).pipe(
          Effect.map(({ endpoint, model }) => [endpoint, model])
        )
      expect(yield* place(overloaded, { endpoint: "direct", model: "m" })).toEqual(["direct", "m"])
      expect(yield* place(overloaded, {})).toEqual(["unknown", "unknown"])
      expect(yield* place(named, { endpoint: "direct", model: "m" })).toEqual(["relay", "own"])
    }))

  it.effect("after so many elements hands those out first; a call is made and its answer lost", () =>
    Effect.gen(function*() {
      const error = GenerationError.update(overloaded, { reason: "injected" })
      for (const after of [1, 2, 3, 4, Number.MAX_SAFE_INTEGER]) {
        const { begun, call, stream } = counted()
        const policy = Chaos.fault({ ...always, fault: overloaded, after })
        expect(yield* Effect.exit(policy.apply(call))).toEqual(Exit.fail(error))
        expect(begun()).toBe(1)
        const whole = [1, 2, 3].slice(0, after)
        expect(yield* played(policy.applyStream(stream))).toEqual({ seen: whole, exit: Exit.fail(error) })
      }
      const own = Chaos.fault({ ...always, fault: overloaded, after: 2 })
      expect(yield* Effect.flip(own.apply(Effect.fail("own")))).toBe("own")
      expect(yield* played(own.applyStream(Stream.concat(Stream.make(1), Stream.fail("own"))))).toEqual({
        seen: [1],
        exit: Exit.fail("own")
      })
    }))

  it.effect("makes an error for each call where it is given an effect, and a defect where that dies", () =>
    Effect.gen(function*() {
      let made = 0
      const numbered = Chaos.fault({
        ...always,
        fault: Effect.suspend(() => Effect.fail(new GenerationError.Transient({ message: String(++made) })))
      })
      expect((yield* Effect.flip(numbered.apply(Effect.void))).message).toBe("1")
      expect((yield* Effect.flip(numbered.apply(Effect.void))).message).toBe("2")
      const bug: Policy.Policy = Chaos.fault({ ...always, fault: Effect.die("bug") })
      expect(yield* Effect.exit(bug.apply(Effect.void))).toEqual(Exit.die("bug"))
    }))

  it.effect("chooses among faults by their weights", () =>
    Effect.gen(function*() {
      const quota = new GenerationError.QuotaExhausted({ message: "tomorrow" })
      const policy: Policy.Policy<GenerationError.Overloaded | GenerationError.QuotaExhausted> = Chaos.fault({
        ...always,
        fault: [{ fault: overloaded, weight: 3 }, { fault: quota, weight: 1 }, { fault: overloaded, weight: 0 }]
      })
      const tag = (drawn: number) =>
        Effect.map(Effect.withRandomFixed(Effect.flip(policy.apply(Effect.void)), [drawn]), ({ _tag }) => _tag)
      const drawn = [0, 0.74, 0.76, 0.999]
      expect(yield* Effect.forEach(drawn, tag)).toEqual([
        "Overloaded",
        "Overloaded",
        "QuotaExhausted",
        "QuotaExhausted"
      ])
      // The only one with a weight needs no draw, wherever it stands.
      const only = Chaos.fault({ ...always, fault: [{ fault: quota, weight: 2 }, { fault: overloaded, weight: 0 }] })
      const chosen = yield* Effect.flip(Effect.withRandomFixed(only.apply(Effect.void), [1]))
      expect(chosen._tag).toBe("QuotaExhausted")
    }))
})

describe("Chaos.latency", () => {
  it.effect("holds a call back, and a stream before its first element alone", () =>
    Effect.gen(function*() {
      const policy = Chaos.latency({ ...always, latency: "7 seconds" })
      expect(yield* timed(policy.apply(Effect.fail("own")))).toEqual([7000, Exit.fail("own")])
      const [taken, exit] = yield* timed(Stream.runCollect(policy.applyStream(Stream.make(1, 2, 3))))
      expect([taken, Exit.map(exit, Chunk.toReadonlyArray)]).toEqual([7000, Exit.succeed([1, 2, 3])])
    }))

  it.effect("draws from a range, or asks", () =>
    Effect.gen(function*() {
      const ranged = Chaos.latency({ ...always, latency: { min: "1 second", max: "3 seconds" } })
      const seen: Array<number> = []
      for (let seed = 0; seed < 50; seed++) {
        seen.push((yield* timed(Effect.withRandom(ranged.apply(Effect.void), Random.make(seed))))[0])
      }
      expect(Math.min(...seen)).toBeGreaterThanOrEqual(1000)
      expect(Math.max(...seen)).toBeLessThanOrEqual(3000)
      expect(new Set(seen.map((millis) => Math.floor(millis / 1000)))).toEqual(new Set([1, 2]))
      const again = yield* timed(Effect.withRandom(ranged.apply(Effect.void), Random.make(0)))
      expect(again[0]).toBe(seen[0])
      const asked = Chaos.latency({ ...always, latency: Effect.succeed(Duration.seconds(5)) })
      expect((yield* timed(asked.apply(Effect.void)))[0]).toBe(5000)
      const endless = Chaos.latency({ ...always, latency: Effect.succeed(Duration.infinity) })
      expect((yield* timed(endless.apply(Effect.void)))[0]).toBe(2 ** 31 - 1)
    }))

  it.effect("is ended by the timeout around it, and the call never begins", () =>
    Effect.gen(function*() {
      const { begun, call, stream } = counted()
      const policy = Policy.compose(
        Timeout.make({ attempt: "3 seconds" }),
        Chaos.latency({ ...always, latency: "1 minute" })
      )
      for (const run of [policy.apply(call), Stream.runDrain(policy.applyStream(stream))]) {
        const [taken, exit] = yield* timed(Effect.flip(run))
        expect(taken).toBe(3000)
        expect(exit).toMatchObject({ value: { _tag: "Timeout", phase: "attempt" } })
      }
      expect(begun()).toBe(0)
    }))
})

describe("Chaos.outcome", () => {
  const blank = Chaos.outcome({
    ...always,
    where: Chaos.isGenerated,
    patch: ({ parts }) => ({ parts: [], finishReason: `LOST ${parts.length}` })
  })

  it.effect("changes fields of a result after the call, and leaves the rest", () =>
    Effect.gen(function*() {
      expect(yield* blank.apply(Effect.succeed(generated))).toEqual({ ...generated, parts: [], finishReason: "LOST 1" })
      expect(generated.parts).toHaveLength(1)
      expect(yield* blank.apply(Effect.succeed("other"))).toBe("other")
      expect(yield* Effect.flip(blank.apply(Effect.fail("own")))).toBe("own")
    }))

  it.effect("changes each element of a stream that it is about", () =>
    Effect.gen(function*() {
      const mute = Chaos.outcome({ ...always, where: Chaos.isText, patch: ({ text }) => ({ text: "-".repeat(text.length) }) })
      const cut = Chaos.outcome({ ...always, where: Chaos.isFinish, patch: () => ({ finishReason: "MAX_TOKENS" }) })
      const pieces: ReadonlyArray<Generated.Chunk> = [
        { _tag: "Text", text: "ab" },
        { _tag: "Image", mimeType: "image/png", bytes: new Uint8Array(1) },
        { _tag: "Text", text: "c" },
        { _tag: "Finish", finishReason: "STOP", usage: {}, endpoint: "e", model: "m" }
      ]
      expect(pieces.map(Chaos.isImage)).toEqual([false, true, false, false])
      const { seen } = yield* played(Policy.compose(mute, cut).applyStream(Stream.fromIterable(pieces)))
      expect(seen).toEqual([{ _tag: "Text", text: "--" }, pieces[1], { _tag: "Text", text: "-" }, {
        ...pieces[3],
        finishReason: "MAX_TOKENS"
      }])
    }))
})

describe("Chaos.behaviour", () => {
  it.effect("happens before the call, and before a stream's first element, once", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const say = (word: string) => Effect.sync(() => void told.push(word))
      const policy = Chaos.behaviour({ ...always, behaviour: say("cut") })
      yield* policy.apply(say("call"))
      yield* Stream.runDrain(Stream.tap(policy.applyStream(Stream.make("a", "b")), say))
      expect(told).toEqual(["cut", "call", "cut", "a", "b"])
    }))
})

describe("Chaos, composed", () => {
  it.effect("strikes by one seed as often, and on the same calls, each time", () =>
    Effect.gen(function*() {
      const policy = Policy.compose(
        Chaos.latency({ enabled: true, rate: 0.5, latency: { min: 1, max: 1000 } }),
        Chaos.fault({ enabled: true, rate: 0.25, fault: overloaded })
      )
      const run = timed(Effect.suspend(() => Effect.withRandom(strikes(policy, 400), Random.make("seed"))))
      const [first, second] = [yield* run, yield* run]
      expect(second).toEqual(first)
      const [taken, exit] = first
      expect(Exit.isSuccess(exit) && Math.abs(exit.value - 100)).toBeLessThan(30)
      expect(Math.abs(taken - 100_000)).toBeLessThan(20_000)
    }))
})

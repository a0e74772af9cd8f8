import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Fiber, Layer, Random, Stream, TestClock } from "effect"
import * as Balancer from "holdfast/Balancer"
import * as Bulkhead from "holdfast/Bulkhead"
import * as CircuitBreaker from "holdfast/CircuitBreaker"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Rejected from "holdfast/Rejected"
import * as Retry from "holdfast/Retry"
import * as Telemetry from "holdfast/Telemetry"
import * as Timeout from "holdfast/Timeout"

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const asked = (retryAfter: Duration.DurationInput) => new GenerationError.Overloaded({ message: "busy", retryAfter })
const abc = [{ name: "a" }, { name: "b" }, { name: "c" }] as const
const ab = [{ name: "a" }, { name: "b" }] as const

type Any = Balancer.Balancer<GenerationError.GenerationError | Rejected.Rejected>

const where = Effect.map(CurrentCall.current, ({ endpoint }) => endpoint)

/** What each endpoint does, and where calls went. */
const model = (behaviours: Readonly<Record<string, Effect.Effect<unknown, GenerationError.GenerationError>>> = {}) => {
  const sent: Array<string> = []
  const attempt = Effect.flatMap(CurrentCall.current, ({ endpoint = "none" }) => {
    sent.push(endpoint)
    return Effect.as(behaviours[endpoint] ?? Effect.void, endpoint)
  })
  return { sent, attempt }
}

const count = (sent: ReadonlyArray<string>, name: string) => sent.filter((one) => one === name).length

/** Sends a call to an endpoint of one's choice, and lets it end in some way. */
const at = <A, E>(balancer: Any, endpoint: string, self: Effect.Effect<A, E>) =>
  Effect.ignore(CurrentCall.update(balancer.apply(self), { endpoint }))

const failAt = (balancer: Any, endpoint: string, error: GenerationError.GenerationError = overloaded, times = 1) =>
  Effect.repeatN(at(balancer, endpoint, Effect.fail(error)), times - 1)

const stateOf = (balancer: Any, name: string) => Effect.map(balancer.state, (states) => states.get(name)!)

const refuser = (refusal: Rejected.Rejected) => {
  let asked = 0
  const decide = Effect.suspend(() => {
    asked++
    return Effect.fail(refusal)
  })
  const policy = Policy.make<Rejected.Rejected>({
    kind: "Refuser",
    apply: () => decide,
    applyStream: () => Stream.fromEffect(decide)
  })
  return { policy, asked: () => asked }
}

const refusal = (retryAfter?: Duration.DurationInput) =>
  new Rejected.CircuitOpen({ policy: "CircuitBreaker", policyName: "x", message: "open", retryAfter })

const seeded = (seed: string) => Effect.withRandom(Random.make(seed))

describe("Balancer", () => {
  it.effect("publishes endpoint and model to everything inside, for effects and for streams", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: [{ name: "a", model: "m" }] })
      const seen = Effect.map(CurrentCall.current, ({ endpoint, model }) => [endpoint, model])
      expect(yield* balancer.apply(seen)).toEqual(["a", "m"])
      expect([...(yield* Stream.runCollect(balancer.applyStream(Stream.fromEffect(seen))))]).toEqual([["a", "m"]])
      const plain = yield* Balancer.make({ endpoints: [{ name: "b" }] })
      expect(yield* CurrentCall.update(plain.apply(seen), { model: "asked" })).toEqual(["b", "asked"])
    }))

  it.effect("sends a call that names its endpoint there, whatever is known of it, and learns from it", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: [{ name: "a", model: "m" }, { name: "b" }] })
      yield* failAt(balancer, "a", asked("1 minute"))
      expect(yield* stateOf(balancer, "a")).toMatchObject({ mode: "cooling", calls: 1 })
      const seen = Effect.map(CurrentCall.current, ({ endpoint, model }) => [endpoint, model])
      const named = (endpoint: string, model?: string) => CurrentCall.update(balancer.apply(seen), { endpoint, model })
      expect(yield* named("a")).toEqual(["a", "m"])
      expect(yield* named("a", "other")).toEqual(["a", "other"])
      // One that is none of ours passes, and counts nowhere.
      expect(yield* named("z")).toEqual(["z", undefined])
      expect(yield* Effect.flip(CurrentCall.update(balancer.apply(Effect.fail(overloaded)), { endpoint: "z" }))).toBe(overloaded)
      expect([...(yield* balancer.state).values()].map(({ calls }) => calls)).toEqual([3, 0])
    }))

  it.effect("gives endpoints that are as good as each other their shares by weight", () =>
    Effect.gen(function*() {
      const endpoints = [{ name: "a", weight: 30 }, { name: "b", weight: 10 }]
      const balancer = yield* Balancer.make({ endpoints })
      const { attempt, sent } = model()
      yield* Effect.repeatN(balancer.apply(attempt), 1999)
      expect(count(sent, "a") / 2000).toBeCloseTo(0.75, 1)
      expect((yield* stateOf(balancer, "a")).share).toBe(count(sent, "a") / 2000)
    }).pipe(seeded("weights")))

  it.effect("keeps calls in flight in the ratio of the weights", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: [{ name: "a", weight: 3 }, { name: "b" }] })
      const fibers = yield* Effect.forEach(Array.from({ length: 400 }), () => Effect.fork(balancer.apply(Effect.never)))
      yield* Effect.yieldNow()
      const states = yield* balancer.state
      expect(states.get("a")!.inFlight + states.get("b")!.inFlight).toBe(400)
      expect(Math.abs(states.get("a")!.inFlight - 300)).toBeLessThan(20)
      yield* Fiber.interruptAll(fibers)
      expect([...(yield* balancer.state).values()].map(({ inFlight }) => inFlight)).toEqual([0, 0])
    }).pipe(seeded("load")))

  it.effect("prefers the faster and the cheaper one, price as far as it counts", () =>
    Effect.gen(function*() {
      const endpoints = [{ name: "dear", price: 30 }, { name: "cheap", price: 10 }]
      const share = (priceWeight: number) =>
        Effect.gen(function*() {
          const balancer = yield* Balancer.make({ endpoints, priceWeight })
          const { attempt, sent } = model()
          yield* Effect.repeatN(balancer.apply(attempt), 199)
          return count(sent, "cheap") / 200
        })
      expect(yield* share(0.3)).toBe(1)
      expect(yield* share(0)).toBeCloseTo(0.5, 0)
      const balancer = yield* Balancer.make({ endpoints: ab })
      const { attempt, sent } = model({ a: Effect.sleep("60 seconds"), b: Effect.sleep("20 seconds") })
      const fiber = yield* Effect.fork(Effect.repeatN(balancer.apply(attempt), 9))
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(fiber)
      expect(count(sent, "a")).toBeLessThanOrEqual(2)
      expect((yield* stateOf(balancer, "b")).success).toBe(1)
    }).pipe(seeded("price")))

  it.effect("tries a slow endpoint again after a time in which others answered", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: ab, memory: "1 minute" })
      let slow = true
      const { attempt, sent } = model({
        a: Effect.suspend(() => Effect.sleep(slow ? "100 seconds" : "10 seconds")),
        b: Effect.sleep("20 seconds")
      })
      for (const name of ["a", "b"]) yield* Effect.fork(at(balancer, name, attempt))
      yield* TestClock.adjust("100 seconds")
      slow = false
      sent.length = 0
      yield* Effect.fork(Effect.forever(balancer.apply(attempt)))
      // e^-2 of 100 s is below 20 s.
      yield* TestClock.adjust("1 minute")
      expect(count(sent, "a")).toBe(0)
      yield* TestClock.adjust("90 seconds")
      expect(count(sent, "a")).toBeGreaterThan(0)
      yield* TestClock.adjust("5 minutes")
      // It has become the faster one.
      expect(count(sent, "a")).toBeGreaterThan(count(sent, "b"))
    }).pipe(seeded("slow")))

  it.effect("reckons with how long an endpoint has kept a call waiting", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: ab })
      for (const name of ["a", "b"]) yield* Effect.fork(at(balancer, name, Effect.sleep("10 seconds")))
      yield* TestClock.adjust("10 seconds")
      yield* Effect.fork(at(balancer, "a", Effect.never))
      yield* Effect.yieldNow()
      const busier = Effect.forEach(Array.from({ length: 3 }), () => Effect.fork(at(balancer, "b", Effect.never)))
      const first = yield* busier
      yield* Effect.yieldNow()
      // One in flight, and three.
      expect(yield* balancer.apply(where)).toBe("a")
      yield* Fiber.interruptAll(first)
      yield* TestClock.adjust("5 minutes")
      yield* busier
      yield* Effect.yieldNow()
      // The same, but the one has been waited for.
      expect(yield* balancer.apply(where)).toBe("b")
    }))

  it.effect("sends copies of one attempt to different endpoints as far as there are any", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: abc })
      const taken = new Set<string>()
      const copies: Array<string | undefined> = []
      for (let i = 0; i < 4; i++) copies.push(yield* CurrentCall.update(balancer.apply(where), { taken }))
      expect(new Set(copies.slice(0, 3)).size).toBe(3)
      expect([...taken].sort()).toEqual(["a", "b", "c"])
    }))

  it("refuses illegal options by name", () => {
    const throwing = (options: Partial<Balancer.MakeOptions>) => () => Balancer.make({ endpoints: ab, ...options })
    expect(throwing({ endpoints: [] })).toThrow("\"endpoints\" must be 1 to 256 endpoints, not 0")
    expect(throwing({ endpoints: Array.from({ length: 257 }, (_, i) => ({ name: `e${i}` })) })).toThrow("not 257")
    expect(throwing({ endpoints: [{ name: "a" }, { name: "a" }] })).toThrow("\"endpoints[1].name\"")
    expect(throwing({ endpoints: [{ name: "" }] })).toThrow("\"endpoints[0].name\"")
    for (const weight of [0, -1, NaN, Infinity]) {
      expect(throwing({ endpoints: [{ name: "a", weight }] })).toThrow("\"endpoints[0].weight\"")
      expect(throwing({ endpoints: [{ name: "a", price: weight }] })).toThrow("\"endpoints[0].price\"")
    }
    expect(throwing({ endpoints: [{ name: "a", tier: "best" as "flex" }] })).toThrow("flex, standard, priority")
    expect(throwing({ priceWeight: 1.1 })).toThrow("\"priceWeight\"")
    expect(throwing({ memory: 999 })).toThrow("\"memory\"")
    expect(throwing({ consecutiveFailures: 0 })).toThrow("\"consecutiveFailures\"")
    expect(throwing({ outlierRatio: -0.1 })).toThrow("\"outlierRatio\"")
    expect(throwing({ minimumCalls: 0 })).toThrow("\"minimumCalls\"")
    expect(throwing({ maxEject: "10 seconds", ejectFor: "11 seconds" })).toThrow("\"ejectFor\"")
    expect(throwing({ ejectFactor: 0.5 })).toThrow("\"ejectFactor\"")
    expect(throwing({ jitter: 2 })).toThrow("\"jitter\"")
    expect(throwing({ maxEjected: 1.5 })).toThrow("\"maxEjected\"")
    expect(throwing({ aside: 0 })).toThrow("\"aside\"")
    expect(throwing({ maxCooling: "25 days" })).toThrow("\"maxCooling\"")
    expect(throwing({ easeIn: 0 })).toThrow("\"easeIn\"")
    expect(throwing({ maxWait: -1 })).toThrow("\"maxWait\"")
    expect(throwing({ maxWaiting: 1.5 })).toThrow("\"maxWaiting\"")
    expect(throwing({ maxEject: "10 seconds" })).not.toThrow()
  })

  it.effect("describes itself, and amplifies as its endpoints' policies do", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({
        name: "images",
        endpoints: [
          { name: "google", tier: "priority" },
          { name: "relay", weight: 2, price: 0.5, tier: "flex", policy: Retry.make({ maxAttempts: 3 }) },
          { name: "spare" }
        ]
      })
      expect(balancer.describe).toMatchObject({
        kind: "Balancer",
        name: "images",
        amplification: 3,
        options: {
          endpoints: "google (priority), relay (weight 2, price 0.5, flex), spare",
          priceWeight: 0.3,
          maxEjected: 0.5,
          maxWait: 120_000
        }
      })
      expect((yield* Balancer.make({ endpoints: ab })).describe.amplification).toBe(1)
      expect(yield* stateOf(balancer, "relay")).toEqual({
        mode: "ok",
        inFlight: 0,
        success: 1,
        calls: 0,
        share: 0,
        weight: 2,
        price: 0.5,
        tier: "flex"
      })
    }))

  it("adds NoEndpoint and what the endpoints' policies add", () => {
    const plain = Balancer.make({ endpoints: ab })
    expectTypeOf(plain).toEqualTypeOf<Effect.Effect<Balancer.Balancer>>()
    const timeout = Timeout.make({ attempt: 1 })
    const breaker = Effect.flatMap(CircuitBreaker.make(), (policy) =>
      Balancer.make({ endpoints: [{ name: "a", policy }, { name: "b", policy: timeout, weight: 2 }, { name: "c" }] }))
    expectTypeOf<Policy.Rejection<Effect.Effect.Success<typeof breaker>>>().toEqualTypeOf<
      Rejected.NoEndpoint | Rejected.CircuitOpen | GenerationError.Timeout
    >()
    const targets: Array<Balancer.Target> = []
    const dynamic = () => Generation.layer({ policy: Balancer.make({ endpoints: targets }) })
    expectTypeOf(dynamic).returns.toExtend<Layer.Layer<Generation.Generation, never, GenerationClient.GenerationClient | GenerationCache.GenerationCache | Telemetry.Telemetry>>()
  })
})

describe("an endpoint's own policy", () => {
  it.effect("stands around the attempts of its endpoint alone, and sees where they go", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1 })
      const balancer = yield* Balancer.make({ endpoints: [{ name: "a", policy: bulkhead }, { name: "b" }] })
      yield* Effect.repeatN(balancer.apply(where), 19)
      expect([...(yield* bulkhead.states).keys()]).toEqual(["a"])
    }))

  it.effect("that refuses sends the call to the next best endpoint, and the refusal counts nowhere", () =>
    Effect.gen(function*() {
      const [a, b] = [refuser(refusal("5 seconds")), refuser(refusal())]
      const balancer = yield* Balancer.make({
        endpoints: [{ name: "a", policy: a.policy }, { name: "b", policy: b.policy }, { name: "c" }]
      })
      for (let i = 0; i < 20; i++) expect(yield* balancer.apply(where)).toBe("c")
      const streamed = yield* Stream.runCollect(balancer.applyStream(Stream.fromEffect(where)))
      expect([...streamed]).toEqual(["c"])
      expect(a.asked() > 0 && b.asked() > 0).toBe(true)
      const states = [...(yield* balancer.state).values()]
      expect(states.map(({ calls, inFlight, success }) => [calls, inFlight, success])).toEqual([[0, 0, 1], [0, 0, 1], [21, 0, 1]])
    }))

  it.effect("is asked once a visit; when all refuse, the earliest time is told", () =>
    Effect.gen(function*() {
      const refusers = [refuser(refusal("9 seconds")), refuser(refusal("4 seconds")), refuser(refusal())]
      const balancer = yield* Balancer.make({
        endpoints: refusers.map(({ policy }, i) => ({ name: "abc"[i]!, policy }))
      })
      const error = yield* Effect.flip(balancer.apply(Effect.die("must not run")))
      expect(error).toMatchObject({ _tag: "NoEndpoint", policy: "Balancer", policyName: "Balancer" })
      expect((error as Rejected.NoEndpoint).retryAfter).toEqual(refusal("4 seconds").retryAfter)
      for (const name of "abc") expect((error as Rejected.NoEndpoint).message).toContain(`${name}: CircuitOpen`)
      expect(refusers.map(({ asked }) => asked())).toEqual([1, 1, 1])
    }))

  it.effect("that refuses where there was no choice is heard as it is", () =>
    Effect.gen(function*() {
      const open = refusal("5 seconds")
      const { policy } = refuser(open)
      const alone = yield* Balancer.make({ endpoints: [{ name: "a", policy }] })
      expect(yield* Effect.flip(alone.apply(Effect.void))).toBe(open)
      const two = yield* Balancer.make({ endpoints: [{ name: "a", policy }, { name: "b" }] })
      expect(yield* Effect.flip(CurrentCall.update(two.apply(Effect.void), { endpoint: "a" }))).toBe(open)
    }))

  it.effect("that refuses lets the call wait for another endpoint that has asked to be left alone", () =>
    Effect.gen(function*() {
      const { policy, asked: times } = refuser(refusal("5 seconds"))
      const balancer = yield* Balancer.make({ endpoints: [{ name: "a", policy }, { name: "b" }, { name: "c" }] })
      yield* failAt(balancer, "b", asked("20 seconds"))
      yield* failAt(balancer, "c", asked("30 seconds"))
      const fiber = yield* Effect.fork(balancer.apply(where))
      yield* TestClock.adjust("19 seconds")
      expect([times(), yield* balancer.waiting]).toEqual([1, 1])
      // Others are not held up by it.
      yield* Effect.fork(balancer.apply(where))
      yield* TestClock.adjust("1 second")
      expect([times(), yield* Fiber.join(fiber)]).toEqual([2, "b"])
      yield* failAt(balancer, "b", asked("1 hour"))
      yield* failAt(balancer, "c", asked("1 hour"))
      const error = yield* Effect.flip(balancer.apply(where))
      expect(error).toMatchObject({ _tag: "NoEndpoint", retryAfter: refusal("5 seconds").retryAfter })
      expect((error as Rejected.NoEndpoint).message).toContain("(a: CircuitOpen): come back in 5s")
    }))

  it.effect("does not send elsewhere what was refused because of the generation, or after something was sent", () =>
    Effect.gen(function*() {
      const late = new Rejected.DeadlineExceeded({ policy: "Deadline", policyName: "x", message: "late" })
      const spent = yield* Balancer.make({ endpoints: [{ name: "a", policy: refuser(late).policy }, { name: "b", policy: refuser(late).policy }] })
      expect(yield* Effect.flip(spent.apply(Effect.void))).toBe(late)
      const open = refusal()
      let ran = 0
      const after = Policy.make<Rejected.CircuitOpen>({
        kind: "After",
        apply: (self) => Effect.zipRight(self, Effect.fail(open)),
        applyStream: (self) => Stream.concat(self, Stream.fail(open))
      })
      const balancer = yield* Balancer.make({ endpoints: [{ name: "a", policy: after }, { name: "b", policy: after }] })
      expect(yield* Effect.flip(balancer.apply(Effect.sync(() => ran++)))).toBe(open)
      expect(ran).toBe(1)
      expect(yield* Effect.flip(Stream.runDrain(balancer.applyStream(Stream.make(1))))).toBe(open)
    }))

  const generations = (policy: Generation.GenerationPolicy, script: ReadonlyArray<GenerationClient.Outcome>) =>
    Layer.provideMerge(
      Generation.layer({ policy }),
      Layer.mergeAll(GenerationClient.layerTest(script), GenerationCache.layerNoop, Telemetry.layerNoop)
    )

  it.effect("may as well be a shared one inside: what the log shows was not sent goes to the next endpoint", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ consecutiveFailures: 1 })
      const balancer = yield* Balancer.make({ endpoints: ab })
      yield* CurrentCall.update(Effect.ignore(breaker.apply(Effect.fail(overloaded))), { endpoint: "a" })
      const attempts = Effect.gen(function*() {
        for (let i = 0; i < 10; i++) yield* Generation.generate({ prompt: "a boat" })
        return yield* (yield* GenerationClient.Recorded).attempts
      })
      const seen = yield* Effect.provide(attempts, generations(Policy.compose(balancer, breaker), [{}]))
      expect(seen.map(({ endpoint }) => endpoint)).toEqual(Array.from({ length: 10 }, () => "b"))
      expect((yield* stateOf(balancer, "a")).calls).toBe(0)
      // Without a log nobody knows, and a refusal is heard as it is.
      const composed = Policy.compose(balancer, breaker)
      const some = yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.either(composed.apply(where)))
      expect(new Set(some.map((one) => (one._tag === "Left" ? one.left._tag : one.right)))).toEqual(new Set(["b", "CircuitOpen"]))
    }))
})

describe("an endpoint that fails", () => {
  const plain = { consecutiveFailures: 3, jitter: 0 } as const

  it.effect("is ejected after so many failures in a row, for longer each time, and comes back on trial", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: ab, ...plain })
      yield* failAt(balancer, "a", overloaded, 2)
      expect(yield* stateOf(balancer, "a")).toMatchObject({ mode: "ok" })
      yield* failAt(balancer, "a")
      expect(yield* stateOf(balancer, "a")).toMatchObject({
        mode: "ejected",
        until: 30_000,
        because: "failures",
        // It is judged afresh when it comes back.
        success: 1
      })
      for (let i = 0; i < 20; i++) expect(yield* balancer.apply(where)).toBe("b")
      yield* TestClock.adjust("30 seconds")
      expect(yield* stateOf(balancer, "a")).toMatchObject({ mode: "ok" })
      yield* failAt(balancer, "a")
      expect(yield* stateOf(balancer, "a")).toMatchObject({ mode: "ejected", until: 90_000 })
      yield* TestClock.adjust("1 minute")
      // One call at a time until one succeeds.
      const { attempt, sent } = model({ a: Effect.sleep("20 seconds"), b: Effect.sleep("20 seconds") })
      yield* Effect.forEach(Array.from({ length: 30 }), () => Effect.fork(balancer.apply(attempt)))
      yield* TestClock.adjust("10 seconds")
      expect(count(sent, "a")).toBe(1)
      yield* TestClock.adjust("10 seconds")
      sent.length = 0
      yield* Effect.forEach(Array.from({ length: 30 }), () => Effect.fork(balancer.apply(attempt)))
      yield* TestClock.adjust("10 seconds")
      expect(count(sent, "a")).toBeGreaterThan(5)
    }).pipe(seeded("ejection")))

  it.effect("keeps its place where too many are ejected already, and where it is alone", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: abc, ...plain })
      for (const name of "abc") yield* failAt(balancer, name, overloaded, 9)
      expect([...(yield* balancer.state).values()].map(({ mode }) => mode)).toEqual(["ejected", "ok", "ok"])
      const alone = yield* Balancer.make({ endpoints: [{ name: "a" }], ...plain })
      yield* failAt(alone, "a", overloaded, 9)
      expect(yield* stateOf(alone, "a")).toMatchObject({ mode: "ok" })
      const never = yield* Balancer.make({ endpoints: abc, ...plain, consecutiveFailures: Infinity, outlierRatio: 0 })
      yield* failAt(never, "a", overloaded, 50)
      expect(yield* stateOf(never, "a")).toMatchObject({ mode: "ok" })
    }))

  it.effect("is tried all the same when all are ejected, and is back when it answers", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: ab, ...plain, maxEjected: 1 })
      for (const name of "ab") yield* failAt(balancer, name, overloaded, 3)
      expect([...(yield* balancer.state).values()].map(({ mode }) => mode)).toEqual(["ejected", "ejected"])
      const back = yield* balancer.apply(where)
      expect(yield* stateOf(balancer, back!)).toMatchObject({ mode: "ok" })
    }))

  it.effect("is ejected when it fails far more than the others, not when all do", () =>
    Effect.gen(function*() {
      const half = (balancer: Any, name: string, times: number) =>
        Effect.repeatN(Effect.zipRight(failAt(balancer, name), at(balancer, name, Effect.void)), times - 1)
      const balancer = yield* Balancer.make({ endpoints: ab, outlierRatio: 0.6 })
      yield* half(balancer, "a", 20)
      expect(yield* stateOf(balancer, "a")).toMatchObject({ mode: "ok" })
      yield* Effect.repeatN(at(balancer, "b", Effect.void), 9)
      yield* failAt(balancer, "a")
      expect(yield* stateOf(balancer, "a")).toMatchObject({ mode: "ejected", because: "outlier" })
      const bad = yield* Balancer.make({ endpoints: ab, outlierRatio: 0.6 })
      for (const name of "ab") yield* half(bad, name, 20)
      yield* failAt(bad, "a")
      expect(yield* stateOf(bad, "a")).toMatchObject({ mode: "ok" })
    }))

  it.effect("is told from a bad request, a defect, an interruption and what was injected, which teach nothing", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: ab, consecutiveFailures: 1 })
      const injected = new GenerationError.Overloaded({ message: "x", reason: GenerationError.injectedReason, retryAfter: 5000 })
      yield* failAt(balancer, "a", new GenerationError.ContentBlocked({ message: "no" }))
      yield* failAt(balancer, "a", new GenerationError.InvalidRequest({ message: "no" }))
      yield* failAt(balancer, "a", injected)
      yield* Effect.exit(at(balancer, "a", Effect.die("bug")))
      yield* Effect.exit(at(balancer, "a", Effect.interrupt))
      const fiber = yield* Effect.fork(at(balancer, "a", Effect.never))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.interrupt(fiber)
      expect(yield* stateOf(balancer, "a")).toEqual({
        mode: "ok",
        inFlight: 0,
        success: 1,
        calls: 6,
        share: 1,
        weight: 1,
        price: 1
      })
      const strict = yield* Balancer.make({ endpoints: ab, consecutiveFailures: 1, isFailure: GenerationError.isGenerationError })
      yield* failAt(strict, "a", new GenerationError.Malformed({ message: "<html>" }))
      expect(yield* stateOf(strict, "a")).toMatchObject({ mode: "ejected" })
    }))
})

describe("an endpoint that asks to be left alone", () => {
  it.effect("is left alone until then, and a later time holds", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: ab })
      yield* failAt(balancer, "a", asked("1 minute"))
      yield* failAt(balancer, "a", asked("20 seconds"))
      expect(yield* stateOf(balancer, "a")).toMatchObject({ mode: "cooling", until: 60_000, because: "Overloaded" })
      yield* TestClock.adjust("30 seconds")
      yield* failAt(balancer, "a", new GenerationError.RateLimited({ message: "x", retryAfter: "1 minute" }))
      expect(yield* stateOf(balancer, "a")).toMatchObject({ mode: "cooling", until: 90_000, because: "RateLimited" })
      for (let i = 0; i < 10; i++) expect(yield* balancer.apply(where)).toBe("b")
      yield* TestClock.adjust("1 minute")
      expect(yield* stateOf(balancer, "a")).toMatchObject({ mode: "ok" })
      yield* failAt(balancer, "b", asked("1 hour"))
      expect(yield* balancer.apply(where)).toBe("a")
    }))

  it.effect("for a quota comes back when that does; without a word, or a wrong key, it is put aside", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: abc, maxCooling: "10 hours" })
      yield* TestClock.adjust("1 hour")
      yield* failAt(balancer, "a", new GenerationError.QuotaExhausted({ message: "x", resetAt: 3 * 3600_000 }))
      yield* failAt(balancer, "b", new GenerationError.Unauthorized({ message: "x" }))
      yield* failAt(balancer, "c", new GenerationError.QuotaExhausted({ message: "x", resetAt: 30 * 3600_000 }))
      const shown = [...(yield* balancer.state).values()].map(({ because, mode, until }) => [mode, (until ?? 0) / 3600_000, because])
      expect(shown).toEqual([
        ["cooling", 3, "QuotaExhausted"],
        ["cooling", 1 + 1 / 12, "Unauthorized"],
        ["cooling", 11, "QuotaExhausted"]
      ])
    }))

  it.effect("does not hold up a retry that may go elsewhere", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: abc })
      const long = asked("5 minutes")
      const error = yield* Effect.flip(balancer.apply(Effect.fail(long)))
      expect([error._tag, GenerationError.retryAfterMillis(error)]).toEqual(["Overloaded", 0])
      // Where nobody else is free it is told when the first will be.
      const two = yield* Balancer.make({ endpoints: ab })
      yield* failAt(two, "a", asked("1 minute"))
      expect(GenerationError.retryAfterMillis(yield* Effect.flip(two.apply(Effect.fail(long))))).toBe(60_000)
      const alone = yield* Balancer.make({ endpoints: [{ name: "a" }] })
      expect(yield* Effect.flip(alone.apply(Effect.fail(long)))).toBe(long)
    }))

  it.effect("with all others keeps calls waiting, which come in one by one, then twice as many each time", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: ab })
      yield* failAt(balancer, "a", asked("20 seconds"))
      yield* failAt(balancer, "b", asked("1 hour"))
      const { attempt, sent } = model({ a: Effect.sleep("1 minute") })
      const fibers = yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.fork(balancer.apply(attempt)))
      yield* TestClock.adjust(19_999)
      expect([sent.length, yield* balancer.waiting]).toEqual([0, 20])
      const taken: Array<number> = []
      for (const millis of [1, 9999, 1, 10_000, 10_000, 10_000]) {
        yield* TestClock.adjust(millis)
        taken.push(sent.length)
      }
      expect(taken).toEqual([1, 1, 2, 4, 8, 16])
      yield* TestClock.adjust("10 seconds")
      expect([sent.length, yield* balancer.waiting]).toEqual([20, 0])
      yield* TestClock.adjust("2 minutes")
      for (const fiber of fibers) expect(yield* Fiber.join(fiber)).toBe("a")
    }))

  it.effect("comes back as gently when somebody has sent to it all the same", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: [{ name: "a" }] })
      yield* failAt(balancer, "a", asked("90 seconds"))
      yield* at(balancer, "a", Effect.void)
      const { attempt, sent } = model({ a: Effect.never })
      yield* Effect.forEach(Array.from({ length: 5 }), () => Effect.fork(balancer.apply(attempt)))
      yield* TestClock.adjust("95 seconds")
      expect(sent.length).toBe(1)
    }))

  it.effect("lets the next in as soon as a call of its return ends", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: [{ name: "a" }], easeIn: "1 hour" })
      yield* failAt(balancer, "a", asked("20 seconds"))
      const { attempt, sent } = model({ a: Effect.sleep("1 second") })
      yield* Effect.forEach(Array.from({ length: 5 }), () => Effect.fork(balancer.apply(attempt)))
      yield* TestClock.adjust("20 seconds")
      expect(sent.length).toBe(1)
      yield* TestClock.adjust("2 seconds")
      expect(sent.length).toBe(3)
    }))

  it.effect("lets the urgent in first, and those that go away go", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: [{ name: "a" }] })
      yield* failAt(balancer, "a", asked("20 seconds"))
      const order: Array<number> = []
      const call = (priority: number) =>
        Effect.fork(CurrentCall.update(balancer.apply(Effect.sync(() => order.push(priority))), { priority }))
      const fibers = yield* Effect.forEach([0, 2, 1, 2.5], call)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fibers[3]!)
      expect(yield* balancer.waiting).toBe(3)
      yield* TestClock.adjust("20 seconds")
      expect(order).toEqual([2, 1, 0])
    }))

  it.effect("lets in those who wait before one that comes before their timer rings", () =>
    Effect.gen(function*() {
      let now = 0
      // Its timers never ring.
      const clock: Clock.Clock = { ...Clock.make(), unsafeCurrentTimeMillis: () => now, sleep: () => Effect.never }
      const balancer = yield* Balancer.make({ endpoints: [{ name: "a" }] })
      const order: Array<string> = []
      const call = (name: string) =>
        balancer.apply(Effect.zipRight(Effect.sync(() => order.push(name)), Effect.never)).pipe(
          Effect.withClock(clock),
          Effect.fork,
          Effect.zipRight(Effect.yieldNow())
        )
      yield* Effect.withClock(failAt(balancer, "a", asked("20 seconds")), clock)
      yield* call("early")
      now = 20_000
      yield* call("late")
      yield* Effect.yieldNow()
      expect([order, yield* balancer.waiting]).toEqual([["early"], 1])
    }))

  it.effect("lets in those who wait for it alone, and those who wait for any, in one order", () =>
    Effect.gen(function*() {
      let refuses = true
      const decide = Effect.suspend(() => (refuses ? Effect.fail(refusal()) : Effect.void))
      const policy = Policy.make<Rejected.CircuitOpen>({
        kind: "Sometimes",
        apply: (self) => Effect.zipRight(decide, self),
        applyStream: (self) => self
      })
      const balancer = yield* Balancer.make({ endpoints: [{ name: "a", policy }, { name: "b" }] })
      yield* failAt(balancer, "b", asked("20 seconds"))
      const order: Array<string> = []
      const call = (name: string, priority: number) =>
        Effect.zipRight(
          Effect.fork(CurrentCall.update(balancer.apply(Effect.sync(() => order.push(name))), { priority })),
          Effect.yieldNow()
        )
      yield* call("first", 0)
      refuses = false
      yield* failAt(balancer, "a", asked("1 hour"))
      yield* call("second", 0)
      yield* call("urgent", 1)
      refuses = true
      expect(yield* balancer.waiting).toBe(3)
      yield* TestClock.adjust("20 seconds")
      expect(order).toEqual(["urgent", "first", "second"])
    }))

  it.effect("with all others turns away at once what could not wait for them", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ name: "images", endpoints: ab, maxWait: "2 minutes", maxWaiting: 1 })
      yield* failAt(balancer, "a", asked("60 seconds"))
      yield* failAt(balancer, "b", asked("90 seconds"))
      const call = (deadline = Infinity) => CurrentCall.update(balancer.apply(where), { deadline })
      const late = yield* Effect.flip(call(60_000))
      expect(late).toMatchObject({ _tag: "NoEndpoint", policyName: "images", retryAfter: asked("60 seconds").retryAfter })
      expect(late.message).toContain("come back in 1m")
      const waits = yield* Effect.fork(call(60_001))
      yield* Effect.yieldNow()
      expect((yield* Effect.flip(call())).message).toContain("1 calls wait")
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(waits)).toBe("a")
      const never = yield* Balancer.make({ endpoints: [{ name: "a" }], maxWait: 0 })
      yield* failAt(never, "a", asked(1))
      expect(yield* Effect.flip(never.apply(where))).toMatchObject({ _tag: "NoEndpoint" })
    }))

  it.effect("for longer than a call can wait turns away those that wait, when their time is up", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: [{ name: "a" }], maxWait: "1 minute" })
      yield* failAt(balancer, "a", asked("20 seconds"))
      const early = yield* Effect.fork(Effect.exit(CurrentCall.update(balancer.apply(where), { deadline: 30_000 })))
      const fiber = yield* Effect.fork(Effect.exit(balancer.apply(where)))
      yield* TestClock.adjust("10 seconds")
      yield* failAt(balancer, "a", asked("10 minutes"))
      yield* TestClock.adjust("20 seconds")
      expect(Exit.isFailure(yield* Fiber.join(early))).toBe(true)
      expect(yield* balancer.waiting).toBe(1)
      yield* TestClock.adjust("30 seconds")
      const exit = yield* Fiber.join(fiber)
      expect(yield* Effect.flip(exit)).toMatchObject({ _tag: "NoEndpoint", retryAfter: asked(550_000).retryAfter })
      expect(yield* balancer.waiting).toBe(0)
    }))

  it.effect("is waited for rather than one that refuses us for good, which is asked when there is no other", () =>
    Effect.gen(function*() {
      const wrong = new GenerationError.Unauthorized({ message: "wrong key" })
      const balancer = yield* Balancer.make({ endpoints: ab })
      yield* failAt(balancer, "a", wrong)
      yield* failAt(balancer, "b", asked("20 seconds"))
      const fiber = yield* Effect.fork(balancer.apply(where))
      yield* TestClock.adjust("20 seconds")
      expect(yield* Fiber.join(fiber)).toBe("b")
      yield* failAt(balancer, "b", wrong)
      expect(["a", "b"]).toContain(yield* balancer.apply(where))
      // Among endpoints of which one refuses by itself the other is not asked in vain.
      const { policy } = refuser(refusal("5 seconds"))
      const two = yield* Balancer.make({ endpoints: [{ name: "a" }, { name: "b", policy }] })
      yield* failAt(two, "a", wrong)
      expect(yield* Effect.flip(two.apply(where))).toMatchObject({ _tag: "NoEndpoint", retryAfter: refusal("5 seconds").retryAfter })
    }))

  it.effect("is not waited for while an ejected one may be tried", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: ab, consecutiveFailures: 2 })
      yield* failAt(balancer, "a", overloaded, 2)
      yield* failAt(balancer, "b", asked("20 seconds"))
      expect(yield* balancer.apply(where)).toBe("a")
    }))
})

describe("streams", () => {
  it.effect("hold their place to the end, and are as slow as the wait for their first element", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: [{ name: "a" }] })
      const self = Stream.concat(
        Stream.fromEffect(Effect.sleep("5 seconds")),
        Stream.fromEffect(Effect.sleep("1 minute"))
      )
      const fiber = yield* Effect.fork(Stream.runDrain(balancer.applyStream(self)))
      yield* TestClock.adjust("30 seconds")
      const heard = yield* stateOf(balancer, "a")
      expect(heard.inFlight).toBe(1)
      // Heard after 5 s, and 25 s ago.
      const reckoned = 5000 * Math.exp(-25 / 300)
      expect(Duration.toMillis(heard.latency ?? 0)).toBeCloseTo(reckoned, 3)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      const done = yield* stateOf(balancer, "a")
      expect([done.inFlight, done.calls]).toEqual([0, 1])
      expect(Duration.toMillis(done.latency ?? 0)).toBeLessThan(reckoned)
    }))

  it.effect("fail as effects do, and go to no other endpoint once they have begun", () =>
    Effect.gen(function*() {
      const balancer = yield* Balancer.make({ endpoints: ab, consecutiveFailures: 2, jitter: 0 })
      const run = <E>(self: Stream.Stream<number, E>) =>
        Effect.exit(CurrentCall.update(Stream.runCollect(balancer.applyStream(self)), { endpoint: "a" }))
      yield* run(Stream.concat(Stream.make(1), Stream.fail(overloaded)))
      expect(yield* stateOf(balancer, "a")).toMatchObject({ mode: "ok", inFlight: 0 })
      yield* run(Stream.die("bug"))
      yield* run(Stream.fail(overloaded))
      expect(yield* stateOf(balancer, "a")).toMatchObject({ mode: "ejected", inFlight: 0, calls: 3 })
      let elements = 0
      const cut = Stream.concat(Stream.fromEffect(Effect.sync(() => ++elements)), Stream.fail(asked("1 minute")))
      expect(yield* Effect.flip(Stream.runDrain(balancer.applyStream(cut)))).toMatchObject({ _tag: "Overloaded" })
      expect(elements).toBe(1)
      // A refusal by something inside, of which the log knows nothing: what was handed out is not repeated.
      const refused = Stream.concat(Stream.fromEffect(Effect.sync(() => ++elements)), Stream.fail(refusal()))
      const logged = Effect.flip(Stream.runDrain(balancer.applyStream(refused)))
      expect(yield* CurrentCall.update(logged, { log: CurrentCall.makeLog() })).toMatchObject({ _tag: "CircuitOpen" })
      expect(elements).toBe(2)
    }))
})

/** Many breakers in one value: keys and their bound, and the state that outlives a process. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck, Fiber, TestClock, TestContext } from "effect"
import * as CircuitBreaker from "holdfast/CircuitBreaker"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const asked = new GenerationError.Overloaded({ message: "busy", retryAfter: "1 minute" })

const to = <A, E, R>(breaker: CircuitBreaker.CircuitBreaker, endpoint: string, self: Effect.Effect<A, E, R>) =>
  CurrentCall.update(breaker.apply(self), { endpoint })

const keys = (breaker: CircuitBreaker.CircuitBreaker) =>
  Effect.map(breaker.states, (states) => [...states.keys()].sort().join(" "))

/** Opens at the first failure, for 10 s. */
const quick = { consecutiveFailures: 1, openFor: "10 seconds", jitter: 0, probes: 1, successesToClose: 1 } as const

describe("breakers by key", () => {
  it.effect("one endpoint in trouble does not close the others", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(quick)
      yield* Effect.ignore(to(breaker, "a", Effect.fail(overloaded)))
      expect(yield* Effect.flip(to(breaker, "a", Effect.void))).toMatchObject({ _tag: "CircuitOpen" })
      expect(yield* to(breaker, "b", Effect.succeed(1))).toBe(1)
      expect(yield* breaker.apply(Effect.succeed(2))).toBe(2)
      expect(yield* CurrentCall.update(breaker.state, { endpoint: "a" })).toMatchObject({ _tag: "Open" })
      expect(yield* keys(breaker)).toBe("a b default")
    }))

  it.effect("takes a key of one's own", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...quick, key: ({ tenant }) => tenant })
      yield* Effect.ignore(CurrentCall.update(breaker.apply(Effect.fail(overloaded)), { tenant: "x" }))
      expect(yield* breaker.at("x").state).toMatchObject({ _tag: "Open" })
      expect(yield* breaker.state).toMatchObject({ _tag: "Closed" })
      // Odd keys are keys like any other.
      yield* CurrentCall.update(breaker.apply(Effect.void), { tenant: "__proto__" })
      expect(yield* keys(breaker)).toBe("__proto__ x")
    }))

  it.effect("a full house drops the one at rest that was not used for longest, and never one that guards", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...quick, maxKeys: 3 })
      yield* Effect.ignore(to(breaker, "open", Effect.fail(overloaded)))
      const busy = yield* Effect.fork(to(breaker, "busy", Effect.never))
      yield* Effect.yieldNow()
      for (const key of ["x", "y"]) yield* to(breaker, key, Effect.void)
      expect(yield* keys(breaker)).toBe("busy open y")
      yield* Effect.ignore(to(breaker, "y", Effect.fail(overloaded)))
      // No place is left: a further key passes, unguarded.
      for (let i = 0; i < 3; i++) {
        expect(yield* Effect.flip(to(breaker, "z", Effect.fail(overloaded)))).toBe(overloaded)
      }
      expect(yield* keys(breaker)).toBe("busy open y")
      yield* Fiber.interrupt(busy)
      yield* to(breaker, "z", Effect.void)
      expect(yield* keys(breaker)).toBe("open y z")
    }))

  it.effect("the least recently used goes, not the oldest", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ maxKeys: 2 })
      for (const key of ["a", "b", "a", "c"]) yield* to(breaker, key, Effect.void)
      expect(yield* keys(breaker)).toBe("a c")
    }))

  it.effect("what nobody used for long is dropped when another comes, an opening that is long over included", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...quick, idleTime: "1 minute" })
      yield* Effect.ignore(to(breaker, "open", Effect.fail(overloaded)))
      yield* to(breaker, "idle", Effect.void)
      yield* TestClock.adjust("60 seconds")
      yield* to(breaker, "new", Effect.void)
      // Its opening ended 50 s ago.
      expect(yield* keys(breaker)).toBe("new open")
      yield* TestClock.adjust("10 seconds")
      yield* to(breaker, "other", Effect.void)
      expect(yield* keys(breaker)).toBe("new other")
    }))

  const steps = FastCheck.array(
    FastCheck.record({
      key: FastCheck.nat(9),
      failed: FastCheck.boolean(),
      held: FastCheck.boolean(),
      wait: FastCheck.oneof(FastCheck.constant(0), FastCheck.nat(40_000))
    }),
    { minLength: 1, maxLength: 25, size: "max" }
  )

  it.effect("is never more than the bound, and never forgets an open or a busy breaker", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(steps, (list) =>
          Effect.runPromise(
            Effect.gen(function*() {
              const options = { ...quick, maxKeys: 4, idleTime: "5 seconds", openFor: "30 seconds" } as const
              const breaker = yield* CircuitBreaker.make(options)
              const held: Array<string> = []
              for (const { failed, held: hold, key, wait } of list) {
                if (wait > 0) yield* TestClock.adjust(wait)
                const before = yield* breaker.states
                const now = yield* TestClock.currentTimeMillis
                const effect = failed ? Effect.fail(overloaded) : hold ? Effect.never : Effect.void
                yield* Effect.fork(Effect.exit(to(breaker, `k${key}`, effect)))
                yield* Effect.yieldNow()
                const after = yield* breaker.states
                expect(after.size).toBeLessThanOrEqual(4)
                for (const [name, state] of before) {
                  const guards = (state._tag === "Open" && state.until > now) || held.includes(name)
                  if (guards) expect(after.has(name), name).toBe(true)
                }
                if (hold && !failed && before.get(`k${key}`)?._tag === "Closed") held.push(`k${key}`)
              }
            }).pipe(Effect.provide(TestContext.TestContext))
          )),
        { numRuns: 25 }
      )
    ))
})

describe("snapshots", () => {
  const taken = Effect.gen(function*() {
    const breaker = yield* CircuitBreaker.make({ ...quick, consecutiveFailures: 3 })
    for (let i = 0; i < 3; i++) yield* Effect.ignore(to(breaker, "open", Effect.fail(asked)))
    for (let i = 0; i < 2; i++) yield* Effect.ignore(to(breaker, "closed", Effect.fail(asked)))
    yield* TestClock.adjust("20 seconds")
    yield* to(breaker, "fine", Effect.void)
    return yield* breaker.snapshot
  })
  const json = (snapshot: CircuitBreaker.Snapshot) => JSON.parse(JSON.stringify(snapshot)) as CircuitBreaker.Snapshot
  const from = (initialState: CircuitBreaker.Snapshot, options: CircuitBreaker.MakeOptions = {}) =>
    CircuitBreaker.make({ ...quick, consecutiveFailures: 3, initialState, ...options })

  it.effect("survive JSON, and go on where they were", () =>
    Effect.gen(function*() {
      const snapshot = yield* taken
      expect(json(snapshot)).toEqual(snapshot)
      const breaker = yield* from(json(snapshot))
      const cause = "consecutive-failures"
      expect(yield* breaker.at("open").state).toMatchObject({ _tag: "Open", until: 60_000, cause })
      expect(yield* breaker.at("closed").state).toMatchObject({ _tag: "Closed", consecutiveFailures: 2, failures: 2 })
      expect(yield* breaker.at("fine").state).toMatchObject({ _tag: "Closed", calls: 1 })
      expect(yield* breaker.snapshot).toEqual(snapshot)
      // The server's time, which failures before the restart named, still sets the opening.
      yield* Effect.ignore(to(breaker, "closed", Effect.fail(overloaded)))
      expect(yield* breaker.at("closed").state).toMatchObject({ _tag: "Open", until: 60_000 })
    }))

  it.effect("lose the time that has passed, and nothing to a clock that was ahead", () =>
    Effect.gen(function*() {
      const snapshot = yield* taken
      yield* TestClock.adjust("30 seconds")
      const later = yield* from(snapshot)
      expect(yield* later.at("open").state).toMatchObject({ _tag: "Open", until: 60_000 })
      yield* TestClock.adjust("11 minutes")
      const muchLater = yield* from(snapshot)
      expect(yield* muchLater.at("open").state).toMatchObject({ _tag: "HalfOpen", openings: 1 })
      expect(yield* muchLater.at("closed").state).toMatchObject({ consecutiveFailures: 2, calls: 0 })
      yield* TestClock.setTime(0)
      const earlier = yield* from(snapshot)
      expect(yield* earlier.at("open").state).toMatchObject({ _tag: "Open", until: 40_000 })
    }))

  it.effect("keep half-open breakers without their probes, and what slowness opened", () =>
    Effect.gen(function*() {
      const options = { ...quick, slowAfter: "1 second", slowMinimumCalls: 1, successesToClose: 2 } as const
      const breaker = yield* CircuitBreaker.make(options)
      const slow = yield* Effect.fork(breaker.apply(Effect.sleep("1 second")))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(slow)
      yield* TestClock.adjust("10 seconds")
      yield* breaker.apply(Effect.void)
      yield* Effect.fork(breaker.apply(Effect.never))
      yield* Effect.yieldNow()
      const snapshot = json(yield* breaker.snapshot)
      expect(snapshot.breakers).toEqual([{
        key: "default",
        state: "half-open",
        cause: "slow-ratio",
        openings: 1,
        longestFailure: null,
        remaining: 0,
        successes: 1
      }])
      const restored = yield* CircuitBreaker.make({ ...options, initialState: snapshot })
      expect(yield* restored.state).toMatchObject({ _tag: "HalfOpen", probes: 0, successes: 1 })
      yield* restored.apply(Effect.void)
      expect(yield* restored.state).toMatchObject({ _tag: "Closed" })
    }))

  it.effect("are cut to options that have become smaller, open breakers first", () =>
    Effect.gen(function*() {
      const snapshot = yield* taken
      const breaker = yield* from(snapshot, { maxKeys: 1, maxOpen: "10 seconds" })
      const states = yield* breaker.states
      expect([...states.keys()]).toEqual(["open"])
      expect(states.get("open")).toMatchObject({ until: 30_000 })
    }))

  const closed = { key: "a", state: "closed", consecutive: 0, longestFailure: 0, serverWait: 0, buckets: [] }
  const open = {
    key: "a",
    state: "open",
    cause: "slow-ratio",
    openings: 1,
    longestFailure: null,
    remaining: 1,
    successes: 0
  }
  const bucket = { age: 0, calls: 1, failures: 1, slow: 0, longestFailure: 0 }
  const of = (...breakers: ReadonlyArray<unknown>) => ({ version: 1, at: 0, breakers })
  const broken: ReadonlyArray<readonly [unknown, string]> = [
    [null, "initialState"],
    [[], "initialState"],
    ["{}", "initialState"],
    [{ ...of(), version: 2 }, "initialState.version"],
    [{ ...of(), at: "now" }, "initialState.at"],
    [{ ...of(), at: -1 }, "initialState.at"],
    [{ version: 1, at: 0 }, "initialState.breakers"],
    [of(1), "initialState.breakers[0]"],
    [of({ ...closed, key: 1 }), "initialState.breakers[0].key"],
    [of(closed, closed), "initialState.breakers[1].key"],
    [of({ ...closed, state: "ajar" }), "initialState.breakers[0].state"],
    [of({ ...closed, consecutive: -1 }), "initialState.breakers[0].consecutive"],
    [of({ ...closed, longestFailure: NaN }), "initialState.breakers[0].longestFailure"],
    [of({ ...closed, serverWait: undefined }), "initialState.breakers[0].serverWait"],
    [of({ ...closed, buckets: {} }), "initialState.breakers[0].buckets"],
    [of({ ...closed, buckets: [bucket, 0] }), "initialState.breakers[0].buckets[1]"],
    [of({ ...closed, buckets: [{ ...bucket, age: -1 }] }), "initialState.breakers[0].buckets[0].age"],
    [of({ ...closed, buckets: [{ ...bucket, calls: 0.5 }] }), "initialState.breakers[0].buckets[0].calls"],
    [of({ ...closed, buckets: [{ ...bucket, failures: 2 }] }), "initialState.breakers[0].buckets[0].failures"],
    [of({ ...closed, buckets: [{ ...bucket, slow: 2 }] }), "initialState.breakers[0].buckets[0].slow"],
    [
      of({ ...closed, buckets: [{ ...bucket, longestFailure: -1 }] }),
      "initialState.breakers[0].buckets[0].longestFailure"
    ],
    [of({ ...open, cause: "mood" }), "initialState.breakers[0].cause"],
    [of({ ...open, openings: 0 }), "initialState.breakers[0].openings"],
    [of({ ...open, longestFailure: -1 }), "initialState.breakers[0].longestFailure"],
    [of({ ...open, remaining: Infinity }), "initialState.breakers[0].remaining"],
    [of({ ...open, successes: 1.5 }), "initialState.breakers[0].successes"]
  ]
  for (const [data, field] of broken) {
    it(`that are damaged are refused by name: ${field}, ${JSON.stringify(data).slice(0, 40)}`, () => {
      const make = () => CircuitBreaker.make({ initialState: data as CircuitBreaker.Snapshot })
      expect(make).toThrow(RangeError)
      expect(make).toThrow(`CircuitBreaker.make: "${field}" must be`)
    })
  }

  it.effect("an opening outlives a clock that is set back, and is not prolonged by it", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_000_000)
      const breaker = yield* CircuitBreaker.make(quick)
      yield* Effect.ignore(breaker.apply(Effect.fail(overloaded)))
      yield* TestClock.setTime(1_004_000)
      expect(yield* breaker.state).toMatchObject({ until: 1_010_000 })
      yield* TestClock.setTime(400_000)
      const error = yield* Effect.flip(breaker.apply(Effect.void))
      expect(error.retryAfter).toMatchObject({ value: { millis: 6000 } })
      expect(yield* breaker.state).toMatchObject({ since: 396_000, until: 406_000 })
      yield* TestClock.setTime(406_000)
      yield* breaker.apply(Effect.void)
      expect(yield* breaker.state).toMatchObject({ _tag: "Closed" })
    }))
})

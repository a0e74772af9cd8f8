/** Calls in flight, calls that wait, and what becomes of them. */
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Stream, TestClock } from "effect"
import * as Bulkhead from "holdfast/Bulkhead"
import type { Call } from "holdfast/CurrentCall"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Rejected from "holdfast/Rejected"
import * as Retry from "holdfast/Retry"

const overloaded = new GenerationError.Overloaded({ message: "busy" })

/** A call under test: its start is recorded, and it ends when it is told to. */
const workload = (bulkhead: Bulkhead.Bulkhead) => {
  const started: Array<string> = []
  const gates = new Map<string, Deferred.Deferred<string, GenerationError.GenerationError>>()
  const work = (name: string) =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<string, GenerationError.GenerationError>()
      gates.set(name, gate)
      started.push(name)
      return yield* Deferred.await(gate)
    })
  const fork = (name: string, call: Partial<Call> = {}) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(CurrentCall.update(bulkhead.apply(work(name)), call))
      yield* Effect.yieldNow()
      return fiber
    })
  const end = (name: string, exit: Exit.Exit<string, GenerationError.GenerationError> = Exit.succeed(name)) =>
    Effect.gen(function*() {
      yield* Deferred.done(gates.get(name)!, exit)
      for (let i = 0; i < 5; i++) yield* Effect.yieldNow()
    })
  return { started, fork, end }
}

const failed = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) => Effect.flip(Fiber.join(fiber))

describe("Bulkhead", () => {
  it.effect("lets so many calls in, has so many wait, and refuses the rest", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ name: "images", limit: 2, queue: 1 })
      const { end, fork, started } = workload(bulkhead)
      yield* fork("a")
      yield* fork("b")
      const c = yield* fork("c")
      const refused = yield* failed(yield* fork("d"))
      expect(refused).toMatchObject({ _tag: "QueueFull", policy: "Bulkhead", policyName: "images" })
      expect(refused.message).toContain("2 calls are in flight and 1 wait")
      expect(started).toEqual(["a", "b"])
      expect(yield* bulkhead.state).toMatchObject({ limit: 2, inFlight: 2, queued: 1 })
      yield* end("a")
      yield* end("c")
      expect(yield* Fiber.join(c)).toBe("c")
      yield* end("b")
      expect(yield* bulkhead.state).toMatchObject({ limit: 2, inFlight: 0, queued: 0 })
    }))

  it.effect("without a queue refuses at once what finds no permit", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1, queue: 0 })
      const { fork } = workload(bulkhead)
      yield* fork("a")
      expect((yield* failed(yield* fork("b")))._tag).toBe("QueueFull")
    }))

  for (
    const [order, expected] of [
      ["fifo", ["first", "b", "c", "d"]],
      ["lifo", ["first", "d", "c", "b"]],
      ["deadline", ["first", "c", "d", "b"]]
    ] as const
  ) {
    it.effect(`starts waiting calls in the order ${order}`, () =>
      Effect.gen(function*() {
        const bulkhead = yield* Bulkhead.make({ limit: 1, order })
        const { end, fork, started } = workload(bulkhead)
        yield* fork("first")
        yield* fork("b")
        yield* fork("c", { deadline: 10_000 })
        yield* fork("d", { deadline: 20_000 })
        for (const name of expected) yield* end(name)
        expect(started).toEqual(expected)
      }))
  }

  it.effect("starts higher priorities first, and tenants of one priority in turn", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1 })
      const { end, fork, started } = workload(bulkhead)
      yield* fork("first")
      yield* fork("a1", { tenant: "a" })
      yield* fork("a2", { tenant: "a" })
      yield* fork("b1", { tenant: "b" })
      yield* fork("urgent", { tenant: "a", priority: 1 })
      const { tenants } = yield* bulkhead.state
      expect(Object.fromEntries(tenants)).toEqual({
        default: { inFlight: 1, queued: 0 },
        a: { inFlight: 0, queued: 3 },
        b: { inFlight: 0, queued: 1 }
      })
      const expected = ["first", "urgent", "a1", "b1", "a2"]
      for (const name of expected) yield* end(name)
      expect(started).toEqual(expected)
    }))

  it.effect("gives the place of the least urgent call to a more urgent one when the queue is full", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1, queue: 2 })
      const { end, fork, started } = workload(bulkhead)
      yield* fork("first")
      yield* fork("b")
      const c = yield* fork("c")
      yield* fork("urgent", { priority: 1 })
      expect(yield* failed(c)).toMatchObject({ _tag: "Shed", policy: "Bulkhead" })
      const low = yield* fork("low", { priority: -1 })
      expect((yield* failed(low))._tag).toBe("QueueFull")
      for (const name of ["first", "urgent", "b"]) yield* end(name)
      expect(started).toEqual(["first", "urgent", "b"])
    }))

  it.effect("newest first sheds the oldest when the queue is full", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1, queue: 1, order: "lifo" })
      const { end, fork } = workload(bulkhead)
      yield* fork("first")
      const old = yield* fork("old")
      const young = yield* fork("young")
      expect((yield* failed(old))._tag).toBe("Shed")
      yield* end("first")
      yield* end("young")
      expect(yield* Fiber.join(young)).toBe("young")
    }))

  it.effect("sheds at its deadline a call that waits, at the instant, by the one timer", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1 })
      const { fork } = workload(bulkhead)
      yield* fork("first")
      const late = yield* fork("late", { deadline: 20_000 })
      const early = yield* fork("early", { deadline: 10_000 })
      yield* TestClock.adjust(9_999)
      expect(early.unsafePoll()).toBeNull()
      yield* TestClock.adjust(1)
      expect((yield* failed(early))._tag).toBe("Shed")
      expect(yield* bulkhead.state).toMatchObject({ inFlight: 1, queued: 1 })
      expect(late.unsafePoll()).toBeNull()
      yield* TestClock.adjust(10_000)
      expect((yield* failed(late)).message).toContain("after waiting 20s")
    }))

  it.effect("sheds what has not the time that a call needs: at entry, and while it waits", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1, minTime: "30 seconds" })
      const { fork, started } = workload(bulkhead)
      expect((yield* failed(yield* fork("too late", { deadline: 29_999 })))._tag).toBe("Shed")
      yield* fork("first", { deadline: 30_000 })
      const waits = yield* fork("waits", { deadline: 40_000 })
      yield* TestClock.adjust(10_000)
      expect((yield* failed(waits))._tag).toBe("Shed")
      expect(started).toEqual(["first"])
    }))

  it.effect("a call whose deadline has passed is shed even while permits are free", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make()
      yield* TestClock.adjust(1000)
      const over = CurrentCall.update(bulkhead.apply(Effect.void), { deadline: 1000 })
      expect((yield* Effect.flip(over))._tag).toBe("Shed")
    }))

  it.effect("sheds waiting calls that cannot fit the usual time, once it is known", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1 })
      const slow = bulkhead.apply(Effect.sleep("30 seconds"))
      for (let i = 0; i < 5; i++) {
        const fiber = yield* Effect.fork(slow)
        yield* TestClock.adjust("30 seconds")
        yield* Fiber.join(fiber)
      }
      expect((yield* bulkhead.state).usualTime).toEqual(Duration.seconds(30))
      yield* Effect.fork(slow)
      yield* Effect.yieldNow()
      const hopeless = CurrentCall.update(slow, { deadline: 150_000 + 29_000 })
      expect(yield* Effect.flip(hopeless)).toMatchObject({ _tag: "Shed" })
      const full = yield* Effect.flip(
        Effect.flatMap(Bulkhead.make({ limit: 1, queue: 0 }), (other) =>
          Effect.zipRight(
            Effect.forEach([1, 2, 3, 4, 5], () => other.apply(Effect.void)),
            other.apply(other.apply(Effect.void))
          ))
      )
      expect(full).toMatchObject({ _tag: "QueueFull", retryAfter: Duration.zero })
    }))

  it.effect("sheds after maxWait", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1, maxWait: "15 seconds" })
      const { fork } = workload(bulkhead)
      yield* fork("first")
      const waits = yield* fork("waits", { deadline: 60_000 })
      yield* TestClock.adjust("15 seconds")
      expect((yield* failed(waits)).message).toContain("waited 15s")
    }))

  it.effect("an interrupted waiting call leaves its place at once", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1, queue: 1 })
      const { end, fork, started } = workload(bulkhead)
      yield* fork("first")
      const waits = yield* fork("waits")
      expect(Exit.isInterrupted(yield* Fiber.interrupt(waits))).toBe(true)
      expect(yield* bulkhead.state).toMatchObject({ inFlight: 1, queued: 0 })
      yield* fork("next")
      yield* end("first")
      expect(started).toEqual(["first", "next"])
    }))

  it.effect("takes back the ticket of every exit: success, failure, defect, interruption", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1 })
      const exits = [Effect.succeed(1), Effect.fail("no"), Effect.die("bug"), Effect.interrupt, Effect.failSync(() => {
        throw new Error("thrown")
      })]
      for (const one of exits) {
        yield* Effect.exit(bulkhead.apply(one))
        yield* Effect.exit(Stream.runDrain(bulkhead.applyStream(Stream.fromEffect(one))))
        yield* Effect.exit(Stream.runDrain(bulkhead.applyStream(Stream.concat(Stream.make(1), Stream.fromEffect(one)))))
        expect(yield* bulkhead.state).toMatchObject({ inFlight: 0, queued: 0 })
      }
      const { fork } = workload(bulkhead)
      yield* Fiber.interrupt(yield* fork("a"))
      expect(yield* bulkhead.state).toMatchObject({ inFlight: 0, queued: 0 })
      expect(yield* bulkhead.apply(Effect.succeed("ok"))).toBe("ok")
    }))

  it.effect("a predicate that throws costs no ticket", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({
        limit: 1,
        aimd: {},
        isNoCapacity: () => {
          throw new Error("bug")
        }
      })
      yield* Effect.exit(bulkhead.apply(Effect.fail("no")))
      expect(yield* bulkhead.state).toMatchObject({ inFlight: 0 })
    }))

  it.effect("a stream holds its permit until it ends, in whatever way", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1 })
      const chunks = Stream.repeatEffect(Effect.as(Effect.sleep("1 second"), "chunk"))
      const first = yield* Effect.fork(Stream.runDrain(Stream.take(bulkhead.applyStream(chunks), 3)))
      const second = yield* Effect.fork(Stream.runCount(Stream.take(bulkhead.applyStream(chunks), 2)))
      yield* TestClock.adjust("2 seconds")
      expect(yield* bulkhead.state).toMatchObject({ inFlight: 1, queued: 1 })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(first)
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.join(second)).toBe(2)
      expect(yield* bulkhead.state).toMatchObject({ inFlight: 0, queued: 0 })
    }))

  it.effect("keeps one bulkhead for each endpoint, and one for calls without", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1, queue: 0 })
      const { fork, started } = workload(bulkhead)
      yield* fork("a", { endpoint: "gemini" })
      yield* fork("b", { endpoint: "vertex" })
      yield* fork("c")
      expect((yield* failed(yield* fork("d", { endpoint: "gemini" })))._tag).toBe("QueueFull")
      expect(started).toEqual(["a", "b", "c"])
      const states = yield* bulkhead.states
      expect([...states.keys()]).toEqual(["gemini", "vertex", "default"])
      expect(yield* CurrentCall.update(bulkhead.state, { endpoint: "vertex" })).toEqual(states.get("vertex"))
      const other = yield* Bulkhead.make({ limit: 1, queue: 0, key: (call) => call.model })
      yield* other.apply(CurrentCall.update(other.apply(Effect.void), { model: "pro" }))
    }))

  it.effect("grows at once when resized, and shrinks as calls come back", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1 })
      const { end, fork, started } = workload(bulkhead)
      const names = ["a", "b", "c", "d", "e"]
      for (const name of names) yield* fork(name)
      yield* bulkhead.resize(4)
      for (let i = 0; i < 5; i++) yield* Effect.yieldNow()
      expect(started).toEqual(["a", "b", "c", "d"])
      yield* bulkhead.resize(2)
      expect(yield* bulkhead.state).toMatchObject({ limit: 2, inFlight: 4, queued: 1 })
      yield* end("a")
      yield* end("b")
      expect(started).toHaveLength(4)
      yield* end("c")
      expect(started).toEqual(names)
      expect(yield* bulkhead.state).toMatchObject({ limit: 2, inFlight: 2, queued: 0 })
      expect(yield* CurrentCall.update(bulkhead.state, { endpoint: "new" })).toMatchObject({ limit: 2 })
    }))

  it.effect("adapts: capacity errors cut the limit once for each flight, other ends do not", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 8, aimd: { decrease: 0.5 } })
      const { end, fork } = workload(bulkhead)
      const limit = Effect.map(bulkhead.state, (state) => state.limit)
      const flight = (name: string, exit: Exit.Exit<string, GenerationError.GenerationError>) =>
        Effect.gen(function*() {
          for (let i = 0; i < 4; i++) yield* fork(`${name}${i}`)
          for (let i = 0; i < 4; i++) yield* end(`${name}${i}`, exit)
        })
      const message = "x"
      const harmless = [
        Exit.fail(new GenerationError.InvalidRequest({ message })),
        Exit.fail(new GenerationError.Transient({ message })),
        Exit.fail(new GenerationError.QuotaExhausted({ message })),
        Exit.fail(new GenerationError.Timeout({ message, phase: "attempt" })),
        Exit.die("bug"),
        Exit.interrupt(Fiber.id(yield* Effect.fork(Effect.void))),
        Exit.succeed("with room to spare")
      ]
      for (const [index, exit] of harmless.entries()) yield* flight(`harmless${index}`, exit)
      expect(yield* limit).toBe(8)
      yield* flight("a", Exit.fail(overloaded))
      expect(yield* limit).toBe(4)
      yield* flight("b", Exit.fail(new GenerationError.RateLimited({ message })))
      expect(yield* limit).toBe(2)
      yield* flight("c", Exit.succeed("at full use"))
      expect(yield* limit).toBe(3)
      yield* flight("d", Exit.fail(new GenerationError.Timeout({ message, phase: "server" })))
      expect(yield* limit).toBe(1)
    }))

  it.effect("an adaptive limit goes on from where it is resized to", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 4, aimd: { max: 16, decrease: 0.5 } })
      yield* bulkhead.resize(16)
      yield* Effect.exit(bulkhead.apply(Effect.fail(overloaded)))
      expect((yield* bulkhead.state).limit).toBe(8)
      expect(() => bulkhead.resize(17)).toThrow(RangeError)
    }))

  it.effect("works with the deadline that a policy outside of it sets, and inside a retry", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ limit: 1, minTime: "5 seconds" })
      const policy = Policy.compose(Deadline.make({ duration: "20 seconds" }), Retry.make(), bulkhead)
      const first = yield* Effect.fork(bulkhead.apply(Effect.sleep("1 minute")))
      yield* Effect.yieldNow()
      const second = yield* Effect.fork(Effect.flip(policy.apply(Effect.void)))
      yield* TestClock.adjust("15 seconds")
      expect((yield* Fiber.join(second))._tag).toBe("Shed")
      yield* TestClock.adjust("45 seconds")
      yield* Fiber.join(first)
    }))

  it.effect("passes success and foreign errors untouched, and adds only its refusals", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make()
      const value = { some: "value" }
      expect(yield* bulkhead.apply(Effect.succeed(value))).toBe(value)
      const error = new Error("mine")
      const typed: Effect.Effect<never, Error | Rejected.QueueFull | Rejected.Shed> = bulkhead.apply(Effect.fail(error))
      expect(yield* Effect.flip(typed)).toBe(error)
      expect(Policy.worstCaseAmplification(bulkhead)).toBe(1)
    }))

  const illegal: ReadonlyArray<readonly [string, Bulkhead.MakeOptions]> = [
    ["limit", { limit: 0 }],
    ["limit", { limit: 1.5 }],
    ["limit", { limit: Infinity }],
    ["limit", { limit: 65, aimd: {} }],
    ["queue", { queue: -1 }],
    ["queue", { queue: Infinity }],
    ["order", { order: "random" as "fifo" }],
    ["reserve", { reserve: 0.6 }],
    ["reserve", { reserve: NaN }],
    ["minTime", { minTime: NaN }],
    ["maxWait", { maxWait: 0 }],
    ["maxKeys", { maxKeys: 0 }],
    ["idleTime", { idleTime: 0 }],
    ["aimd.min", { aimd: { min: 0 } }],
    ["aimd.max", { aimd: { min: 4, max: 3 } }],
    ["aimd.increase", { aimd: { increase: 0 } }],
    ["aimd.decrease", { aimd: { decrease: 1 } }]
  ]
  for (const [field, options] of illegal) {
    it(`refuses ${JSON.stringify(options)} and names ${field}`, () => {
      expect(() => Bulkhead.make(options)).toThrow(RangeError)
      expect(() => Bulkhead.make(options)).toThrow(`"${field}"`)
    })
  }

  it.effect("describes itself as plain data", () =>
    Effect.gen(function*() {
      const bulkhead = yield* Bulkhead.make({ name: "images", maxWait: "1 minute", aimd: { max: 20 } })
      expect(bulkhead.describe).toEqual({
        kind: "Bulkhead",
        name: "images",
        amplification: 1,
        options: {
          limit: 8,
          queue: 32,
          order: "fifo",
          reserve: 0.125,
          minTime: 0,
          learnTime: true,
          maxWait: 60_000,
          maxKeys: 256,
          idleTime: 3_600_000,
          "aimd.min": 1,
          "aimd.max": 20,
          "aimd.increase": 1,
          "aimd.decrease": 0.7
        }
      })
    }))
})

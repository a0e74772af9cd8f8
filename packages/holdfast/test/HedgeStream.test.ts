/** Further copies of streams: a race for the first element, and then one copy alone. */
import { describe, expect, it } from "@effect/vitest"
import { Chunk, Clock, Duration, Effect, Exit, Fiber, Option, Stream, TestClock } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import * as GenerationError from "holdfast/GenerationError"
import * as Hedge from "holdfast/Hedge"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"
import * as RetryBudget from "holdfast/RetryBudget"
import { inTime } from "../../../test/support/copies.js"

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const blocked = new GenerationError.ContentBlocked({ message: "no" })

/** How one run of a stream goes; times in seconds. */
interface Run {
  readonly first: number
  readonly elements?: number
  /** Between two elements. */
  readonly apart?: number
  readonly error?: unknown
}

/** The nth run goes like the nth of the list, and the last one stays. Its elements are its number and their own. */
const streams = (runs: ReadonlyArray<Run>) => {
  const log: Array<string> = []
  let started = 0
  const stream: Stream.Stream<string, unknown> = Stream.suspend(() => {
    const index = started++
    const { apart = 1, elements = 3, error, first } = runs[Math.min(index, runs.length - 1)]!
    const note = (what: string) =>
      Effect.map(Clock.currentTimeMillis, (now) => void log.push(`${index} ${what} at ${now / 1000}`))
    const parts = Stream.fromIterable(Array.from({ length: elements }, (_, n) => n)).pipe(
      Stream.rechunk(1),
      Stream.mapEffect((n) => Effect.as(Effect.sleep((n === 0 ? first : apart) * 1000), `${index}.${n}`))
    )
    const end = error === undefined
      ? Stream.empty
      : Stream.fromEffect(Effect.zipRight(Effect.sleep(elements === 0 ? first * 1000 : 0), Effect.fail(error)))
    const opened = Stream.acquireRelease(note("opens"), (_, exit) =>
      note(Exit.isSuccess(exit) ? "closes" : Exit.isInterrupted(exit) ? "is stopped" : "fails"))
    return Stream.flatMap(opened, () => Stream.concat(parts, end))
  })
  return { log, stream }
}

const collect = (stream: Stream.Stream<string, unknown>) => Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

const under = (options: Hedge.MakeOptions, runs: ReadonlyArray<Run>) =>
  Effect.gen(function*() {
    const hedge = yield* Hedge.make({ delay: "10 seconds", ...options })
    const { log, stream } = streams(runs)
    const { at, exit } = yield* inTime(collect(hedge.applyStream(stream)))
    return { at, exit, log }
  })

describe("a hedged stream", () => {
  it.effect("is one stream while its first element is in time, however long it takes then", () =>
    Effect.gen(function*() {
      const { at, exit, log } = yield* under({}, [{ first: 9, apart: 60 }])
      expect([at, exit]).toEqual([129, Exit.succeed(["0.0", "0.1", "0.2"])])
      expect(log).toEqual(["0 opens at 0", "0 closes at 129"])
    }))

  it.effect("is that of the copy that has the first element; the other is stopped before it is handed out", () =>
    Effect.gen(function*() {
      const second = yield* under({}, [{ first: 60 }, { first: 5, apart: 60 }])
      expect([second.at, second.exit]).toEqual([135, Exit.succeed(["1.0", "1.1", "1.2"])])
      expect(second.log).toEqual(["0 opens at 0", "1 opens at 10", "0 is stopped at 15", "1 closes at 135"])
      yield* TestClock.setTime(0)
      const first = yield* under({}, [{ first: 12 }, { first: 5 }])
      expect([first.at, first.exit]).toEqual([14, Exit.succeed(["0.0", "0.1", "0.2"])])
      expect(first.log[2]).toBe("1 is stopped at 12")
    }))

  it.effect("waits for the other copy when one fails before its first element, and never after it", () =>
    Effect.gen(function*() {
      const before = yield* under({}, [{ first: 12, elements: 0, error: overloaded }, { first: 9 }])
      expect(before.exit).toEqual(Exit.succeed(["1.0", "1.1", "1.2"]))
      const after = yield* under({}, [{ first: 12, elements: 1, error: overloaded }, { first: 9 }])
      expect(after.exit).toEqual(Exit.fail(overloaded))
      expect(after.log).toHaveLength(4)
    }))

  it.effect("ends with the last error when all fail, and at once with one about the request", () =>
    Effect.gen(function*() {
      const failed = { elements: 0, error: overloaded }
      const all = yield* under({}, [{ first: 40, ...failed }, { first: 5, ...failed }])
      expect([all.at, all.exit]).toEqual([40, Exit.fail(overloaded)])
      const { at, exit } = yield* under({}, [{ first: 60 }, { first: 5, elements: 0, error: blocked }])
      expect([at, exit]).toEqual([15, Exit.fail(blocked)])
    }))

  it.effect("without an element ends, and wins, as it is", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      let runs = 0
      const empty = Stream.suspend(() =>
        runs++ === 0 ? Stream.never : Stream.execute(Effect.sleep("5 seconds")))
      const { at, exit } = yield* inTime(Stream.runCollect(hedge.applyStream(empty)))
      expect([at, Exit.map(exit, Chunk.size)]).toEqual([15, Exit.succeed(0)])
    }))

  it.effect("does not take an empty chunk for an answer", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      let runs = 0
      const filtered = Stream.suspend(() => {
        const index = runs++
        return Stream.concat(
          Stream.filter(Stream.make(index), () => false),
          Stream.fromEffect(Effect.as(Effect.sleep(index === 0 ? "60 seconds" : "1 second"), index))
        )
      })
      const { at, exit } = yield* inTime(Stream.runCollect(hedge.applyStream(filtered)))
      expect([at, Exit.map(exit, Chunk.toReadonlyArray)]).toEqual([11, Exit.succeed([1])])
    }))

  it.effect("a defect of any copy ends it", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      let runs = 0
      const work = Stream.suspend(() => (runs++ === 0 ? Stream.never : Stream.die("bug")))
      expect(yield* inTime(Stream.runDrain(hedge.applyStream(work)))).toEqual({ at: 10, exit: Exit.die("bug") })
    }))

  it.effect("a consumer that has enough closes it as its own", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      for (const runs of [[{ first: 5 }], [{ first: 60 }, { first: 5 }]]) {
        yield* TestClock.setTime(0)
        const { log, stream } = streams(runs)
        const { exit } = yield* inTime(collect(Stream.take(hedge.applyStream(stream), 2)))
        expect(Exit.map(exit, (elements) => elements.length)).toEqual(Exit.succeed(2))
        expect(log.at(-1)).toMatch(/closes at/)
      }
    }))

  it.effect("a consumer that fails closes it too", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      const logOf = (policy: Policy.Policy) =>
        Effect.gen(function*() {
          yield* TestClock.setTime(0)
          const { log, stream } = streams([{ first: 5 }])
          const read = Stream.runForEach(policy.applyStream(stream), () => Effect.fail("full"))
          expect((yield* inTime(read)).exit).toEqual(Exit.fail("full"))
          return log
        })
      const plain = yield* logOf(Policy.identity)
      expect(plain).toHaveLength(2)
      expect(yield* logOf(hedge)).toEqual(plain)
    }))

  it.effect("an interrupted consumer stops all copies, or the one that is read, and waits for it", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      for (const [at, first] of [[12, 12], [17, 15]] as const) {
        yield* TestClock.setTime(0)
        const { log, stream } = streams([{ first: 60 }, { first: 5, apart: 60 }])
        const fiber = yield* Effect.fork(Stream.runDrain(hedge.applyStream(stream)))
        yield* TestClock.adjust(at * 1000)
        expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
        expect(log.slice(2).sort()).toEqual([`0 is stopped at ${first}`, `1 is stopped at ${at}`])
      }
    }))

  it.effect("is closed before its consumer ends", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      const slow = Stream.concat(Stream.make(1), Stream.never).pipe(Stream.ensuring(Effect.sleep("5 seconds")))
      expect((yield* inTime(Stream.runDrain(Stream.take(hedge.applyStream(slow), 1)))).at).toBe(5)
    }))

  it.effect("is that of one copy also if two have their first element at the same instant", () =>
    Effect.gen(function*() {
      const { exit, log } = yield* under({}, [{ first: 15 }, { first: 5 }])
      expect(Exit.map(exit, (elements) => elements.map((one) => one[0]).join(""))).toEqual(
        Exit.succeed(log.includes("0 is stopped at 15") ? "111" : "000")
      )
      expect(log.filter((line) => line.includes("is stopped"))).toHaveLength(1)
    }))

  it.effect("is handed over whichever of the two fibers is ready first", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      for (const ops of [12, 40, 90]) {
        for (let steps = 0; steps < ops; steps++) {
          const work = Array.from({ length: steps }).reduce<Effect.Effect<void>>(
            (inner) => Effect.flatMap(Effect.void, () => inner),
            Effect.void
          )
          const one = Stream.mapEffect(Stream.rechunk(Stream.make(1, 2, 3, 4), 1), (n) => Effect.as(work, n))
          const run = Effect.withMaxOpsBeforeYield(Stream.runCount(hedge.applyStream(one)), ops)
          const fiber = yield* Effect.fork(run)
          yield* TestClock.adjust(1)
          expect(fiber.unsafePoll(), `ops ${ops}, steps ${steps}`).toEqual(Exit.succeed(4))
        }
      }
    }), 30_000)

  it.effect("is pulled no faster than it is read", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      let made = 0
      const counted = Stream.repeatEffect(Effect.sync(() => ++made))
      const read = Stream.mapEffect(hedge.applyStream(counted), (n) => Effect.as(Effect.sleep("1 second"), [n, made]))
      const { exit } = yield* inTime(Stream.runCollect(Stream.take(read, 3)))
      expect(Exit.map(exit, Chunk.toReadonlyArray)).toEqual(Exit.succeed([[1, 1], [2, 2], [3, 3]]))
    }))

  it.effect("keeps what is forked inside it alive from pull to pull", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      const ticks = Stream.take(Stream.tick("3 seconds"), 4)
      const inside: ReadonlyArray<Stream.Stream<void>> = [
        Stream.merge(ticks, Stream.empty),
        Stream.buffer(ticks, { capacity: 2 }),
        Stream.mapEffect(ticks, () => Effect.sleep("1 second"), { concurrency: 2 })
      ]
      for (const one of inside) {
        const { exit } = yield* inTime(Stream.runCount(hedge.applyStream(one)))
        expect(exit).toEqual(Exit.succeed(4))
      }
    }))

  it.effect("reads long streams without a growing stack", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      const long = Stream.rechunk(Stream.range(1, 20_000), 1)
      expect(yield* Stream.runCount(hedge.applyStream(long))).toBe(20_000)
      const hollow = Stream.concat(Stream.filter(long, () => false), Stream.make(1))
      expect(yield* Stream.runCount(hedge.applyStream(hollow))).toBe(1)
    }))

  it.effect("can be read again, each time with a race of its own", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      const { stream } = streams([{ first: 60 }, { first: 5 }, { first: 1 }])
      const hedged = hedge.applyStream(stream)
      expect((yield* inTime(collect(hedged))).exit).toEqual(Exit.succeed(["1.0", "1.1", "1.2"]))
      expect((yield* inTime(collect(hedged))).exit).toEqual(Exit.succeed(["2.0", "2.1", "2.2"]))
    }))

  it.effect("is not hedged for a consumer that cannot be interrupted", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      const { log, stream } = streams([{ first: 60 }])
      yield* inTime(Effect.uninterruptible(Stream.runDrain(hedge.applyStream(stream))))
      expect(log).toEqual(["0 opens at 0", "0 closes at 62"])
    }))

  it.effect("pays for its copies, and earns a good one back with its first element", () =>
    Effect.gen(function*() {
      const budget = yield* RetryBudget.make({ window: "1 day", floor: 0, perRequest: 1, perSuccess: 0.5 })
      yield* budget.deposit(10)
      const balance = Effect.map(budget.state, (state) => state.balance)
      yield* under({ budget }, [{ first: 60 }, { first: 5 }])
      expect(yield* balance).toBe(11.5)
      yield* under({ budget }, [{ first: 12 }, { first: 5 }])
      expect(yield* balance).toBe(10)
      yield* under({ budget }, [{ first: 5, elements: 1, error: overloaded }])
      expect(yield* balance).toBe(11)
    }))

  it.effect("learns how long the first element takes, not the rest", () =>
    Effect.gen(function*() {
      const options = { delay: { warmUp: 2, min: 1, quantile: 0.9 } }
      const hedge = yield* Hedge.make(options)
      const read = (run: Run) => inTime(Effect.exit(collect(hedge.applyStream(streams([run]).stream))))
      for (const first of [3, 4]) yield* read({ first, apart: 30 })
      yield* read({ first: 1, elements: 0, error: overloaded })
      expect(yield* hedge.state).toEqual({ answers: 2, delay: Option.some(Duration.seconds(4)) })
    }))

  it.effect("stands inside a retry and a deadline", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      const policy = Policy.compose(Deadline.make({ duration: "40 seconds" }), Retry.make({ maxAttempts: 2 }), hedge)
      const failed = { elements: 0, error: overloaded }
      const start = yield* Clock.currentTimeMillis
      const seen: Array<number> = []
      const { stream } = streams([{ first: 12, ...failed }, { first: 3, ...failed }, { first: 1, apart: 60 }])
      const called = Stream.unwrap(Effect.map(CurrentCall.current, (call) => {
        seen.push(call.attempt)
        return stream
      }))
      const { at, exit } = yield* inTime(Stream.runDrain(policy.applyStream(called)))
      expect(seen).toEqual([1, 1, 2])
      expect(start + at * 1000).toBe(40_000)
      expect(Exit.isFailure(exit) && exit.cause).toMatchObject({ error: { _tag: "DeadlineExceeded" } })
    }))
})

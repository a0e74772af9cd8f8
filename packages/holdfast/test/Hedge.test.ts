/** Further copies of effects: when they start, who wins, what the others come to, and what it costs. */
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, FiberRef, Option, TestClock } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import * as Hedge from "holdfast/Hedge"
import * as Policy from "holdfast/Policy"
import * as Rejected from "holdfast/Rejected"
import * as Retry from "holdfast/Retry"
import * as RetryBudget from "holdfast/RetryBudget"
import { copies, inTime, type Run } from "../../../test/support/copies.js"
import { makeTurn } from "../../../test/support/turn.js"

const { ContentBlocked, EmptyResult, InvalidRequest, Overloaded, QuotaExhausted, RateLimited, Timeout, Transient } =
  GenerationError

const overloaded = new Overloaded({ message: "busy" })
const lost = new Transient({ message: "reset" })

/** What runs like `runs` come to under a hedge, and how each of them went. */
const under = (options: Hedge.MakeOptions, runs: ReadonlyArray<Run>, call: Partial<CurrentCall.Call> = {}) =>
  Effect.gen(function*() {
    const hedge = yield* Hedge.make(options)
    const { log, work } = copies(runs)
    const { at, exit } = yield* inTime(CurrentCall.update(hedge.apply(work), call))
    return { at, exit, log }
  })

describe("a hedge", () => {
  it.effect("sends nothing more while the first copy is in time", () =>
    Effect.gen(function*() {
      const { at, exit, log } = yield* under({ delay: "10 seconds" }, [{ takes: 9 }])
      expect([at, exit]).toEqual([9, Exit.succeed(0)])
      expect(log).toEqual(["0 starts at 0", "0 answers at 9"])
    }))

  it.effect("sends a second copy after the delay; the one that answers first wins, and the other is stopped", () =>
    Effect.gen(function*() {
      const second = yield* under({ delay: "10 seconds" }, [{ takes: 60 }, { takes: 5 }])
      expect([second.at, second.exit]).toEqual([15, Exit.succeed(1)])
      expect(second.log).toEqual(["0 starts at 0", "1 starts at 10", "1 answers at 15", "0 is stopped at 15"])
      const first = yield* under({ delay: "10 seconds" }, [{ takes: 12 }, { takes: 5 }])
      expect([first.at, first.exit]).toEqual([12, Exit.succeed(0)])
      expect(first.log).toEqual(["0 starts at 0", "1 starts at 10", "0 answers at 12", "1 is stopped at 12"])
    }))

  it.effect("leaves no timer behind", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      const turn = makeTurn()
      const fiber = yield* turn.start(hedge.apply(Effect.sleep("9 seconds")))
      yield* turn.pass("9 seconds")
      expect(fiber.unsafePoll()).toEqual(Exit.void)
      expect(yield* turn.sleeping).toBe(0)
    }))

  it.effect("an answer at the very start needs no fiber to wait for", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      expect(Effect.runSync(hedge.apply(Effect.succeed("at once")))).toBe("at once")
      expect(Effect.runSync(Effect.flip(hedge.apply(Effect.fail("at once"))))).toBe("at once")
    }))

  it.effect("sends as many copies as are allowed, a delay apart", () =>
    Effect.gen(function*() {
      const options = { delay: "10 seconds", unknownOutcome: "always" } as const
      for (const [maxCopies, starts] of [[1, [0, 10]], [2, [0, 10, 20]], [3, [0, 10, 20, 30]]] as const) {
        const { at, log } = yield* under({ ...options, maxCopies }, [{ takes: 60 }])
        expect(log.filter((line) => line.includes("starts"))).toEqual(starts.map((s, i) => `${i} starts at ${s}`))
        expect(log.filter((line) => line.includes("is stopped"))).toHaveLength(maxCopies)
        expect(at).toBe(60)
      }
    }))

  it.effect("is for slowness: an error before the delay is the attempt's", () =>
    Effect.gen(function*() {
      for (const error of [overloaded, new RateLimited({ message: "429" }), lost, "an error of somebody else"]) {
        const { at, exit, log } = yield* under({ delay: "10 seconds" }, [{ takes: 3, error }])
        expect([at, exit, log.length]).toEqual([3, Exit.fail(error), 2])
      }
    }))

  it.effect("waits for the other copy when one fails", () =>
    Effect.gen(function*() {
      for (const error of [overloaded, lost, new EmptyResult({ message: "empty" }), "an error of somebody else"]) {
        const first = yield* under({ delay: "10 seconds" }, [{ takes: 12, error }, { takes: 20 }])
        expect([first.at, first.exit]).toEqual([30, Exit.succeed(1)])
        const second = yield* under({ delay: "10 seconds" }, [{ takes: 30 }, { takes: 1, error }])
        expect([second.at, second.exit]).toEqual([30, Exit.succeed(0)])
      }
    }))

  it.effect("ends at once by what is wrong with the request, and stops the others", () =>
    Effect.gen(function*() {
      for (const error of [new ContentBlocked({ message: "no" }), new InvalidRequest({ message: "no" })]) {
        const { at, exit, log } = yield* under({ delay: "10 seconds" }, [{ takes: 60 }, { takes: 5, error }])
        expect([at, exit]).toEqual([15, Exit.fail(error)])
        expect(log.at(-1)).toBe("0 is stopped at 15")
      }
    }))

  it.effect("ends at once by a defect, and by a copy that interrupts itself", () =>
    Effect.gen(function*() {
      const died = yield* under({ delay: "10 seconds" }, [{ takes: 60 }, { takes: 5, ends: Exit.die("bug") }])
      expect([died.at, died.exit]).toEqual([15, Exit.die("bug")])
      const gone = yield* under({ delay: "10 seconds" }, [{ takes: 60 }, { takes: 5, ends: "interrupts itself" }])
      expect([gone.at, Exit.isInterrupted(gone.exit)]).toEqual([15, true])
      expect(gone.log.at(-1)).toBe("0 is stopped at 15")
    }))

  it.effect("a copy with a finalizer that takes long holds the answer up until it has stopped", () =>
    Effect.gen(function*() {
      const { at, exit, log } = yield* under({ delay: "10 seconds" }, [{ takes: 60, stopping: 7 }, { takes: 5 }])
      expect([at, exit]).toEqual([22, Exit.succeed(1)])
      expect(log.slice(-2)).toEqual(["1 answers at 15", "0 is stopped at 22"])
    }))

  it.effect("so does one that cannot be interrupted at all", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      let runs = 0
      const work = Effect.suspend(() =>
        runs++ === 0
          ? Effect.uninterruptible(Effect.sleep("40 seconds"))
          : Effect.as(Effect.sleep("1 second"), "second"))
      const { at, exit } = yield* inTime(hedge.apply(work))
      expect([at, exit]).toEqual([40, Exit.succeed("second")])
    }))

  it.effect("an interrupted caller stops all copies and waits for their finalizers", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      const { log, work } = copies([{ takes: 60, stopping: 3 }, { takes: 60 }])
      const fiber = yield* Effect.fork(hedge.apply(work))
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.interruptFork(fiber)
      yield* TestClock.adjust("2 seconds")
      expect(fiber.unsafePoll()).toBe(null)
      yield* TestClock.adjust("1 second")
      expect(Option.fromNullable(fiber.unsafePoll()).pipe(Option.exists(Exit.isInterrupted))).toBe(true)
      expect(log.slice(2)).toEqual(["1 is stopped at 20", "0 is stopped at 23"])
    }))

  it.effect("sends no copy for a caller that cannot be interrupted: it could not stop the loser", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      const { log, work } = copies([{ takes: 60 }, { takes: 1 }])
      const { at } = yield* inTime(Effect.uninterruptible(hedge.apply(work)))
      expect([at, log]).toEqual([60, ["0 starts at 0", "0 answers at 60"]])
    }))

  it.effect("sends none for calls that are not to be hedged, and none at all under the rule never", () =>
    Effect.gen(function*() {
      const shouldHedge = (call: CurrentCall.Call) => call.workClass === "interactive"
      const runs = [{ takes: 60 }, { takes: 1 }]
      expect((yield* under({ delay: "10 seconds", shouldHedge }, runs)).at).toBe(11)
      expect((yield* under({ delay: "10 seconds", shouldHedge }, runs, { workClass: "batch" })).at).toBe(60)
      expect((yield* under({ delay: "10 seconds", unknownOutcome: "never" }, runs)).at).toBe(60)
    }))

  it.effect("a predicate or a key that throws is a defect of the call", () =>
    Effect.gen(function*() {
      const boom = () => {
        throw new Error("boom")
      }
      for (const options of [{ shouldHedge: boom }, { key: boom }]) {
        const { exit } = yield* under({ delay: "10 seconds", ...options }, [{ takes: 1 }])
        expect(exit).toEqual(Exit.die(new Error("boom")))
      }
    }))

  it.effect("brings back what the winner changed in fiber refs, and nothing of the loser", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      const ref = FiberRef.unsafeMake("none")
      let runs = 0
      const work = Effect.suspend(() => {
        const index = runs++
        return Effect.zipRight(FiberRef.set(ref, `copy ${index}`), Effect.sleep(index === 0 ? 60_000 : 1000))
      })
      const found = Effect.zip(FiberRef.get(ref), CurrentCall.current)
      const { exit } = yield* inTime(Effect.zipRight(hedge.apply(work), found))
      expect(exit).toEqual(Exit.succeed(["copy 1", CurrentCall.none]))
    }))

  it.effect("gives all copies of an attempt one set of the endpoints taken, and the next attempt another", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      const seen: Array<Set<string> | undefined> = []
      const asks = Effect.flatMap(CurrentCall.current, ({ taken }) => {
        seen.push(taken)
        taken?.add(`endpoint ${taken.size}`)
        return Effect.delay(overloaded, "30 seconds")
      })
      yield* inTime(Policy.compose(Retry.make({ maxAttempts: 2 }), hedge).apply(asks))
      expect(seen).toHaveLength(4)
      expect([seen[0] === seen[1], seen[2] === seen[3], seen[1] === seen[2]]).toEqual([true, true, false])
      expect([...(seen[3] ?? [])]).toEqual(["endpoint 0", "endpoint 1"])
      expect((yield* CurrentCall.current).taken).toBeUndefined()
    }))

  it("says what it is", () => {
    const describe = (options: Hedge.MakeOptions) => Effect.runSync(Hedge.make(options)).describe
    expect(describe({ name: "tail", delay: "9 seconds", maxCopies: 2, attemptTime: 5 })).toEqual({
      kind: "Hedge",
      name: "tail",
      options: { delay: 9000, maxCopies: 2, unknownOutcome: "once", attemptTime: 5 },
      amplification: 3
    })
    expect(describe({ unknownOutcome: "never" }).amplification).toBe(1)
  })

  it("refuses illegal options by name", () => {
    const illegal: ReadonlyArray<[Hedge.MakeOptions, string]> = [
      [{ delay: 0 }, "\"delay\""],
      [{ delay: Infinity }, "\"delay\""],
      [{ delay: { quantile: 1 } }, "\"delay.quantile\" must be a number between 0.5 and 0.999"],
      [{ delay: { warmUp: 0 } }, "\"delay.warmUp\""],
      [{ delay: { warmUp: 11, window: 10 } }, "\"delay.warmUp\" must be a whole number between 1 and 10"],
      [{ delay: { window: Infinity } }, "\"delay.window\""],
      [{ delay: { min: "2 minutes", max: "1 minute" } }, "\"delay.min\""],
      [{ delay: { max: "30 days" } }, "\"delay.max\""],
      [{ maxCopies: 0 }, "\"maxCopies\""],
      [{ maxCopies: 4 }, "\"maxCopies\" must be a whole number between 1 and 3"],
      [{ attemptTime: -1 }, "\"attemptTime\""],
      [{ maxKeys: 0 }, "\"maxKeys\""]
    ]
    for (const [options, message] of illegal) expect(() => Hedge.make(options), message).toThrow(message)
    // @ts-expect-error: no such rule
    expect(() => Hedge.make({ unknownOutcome: "twice" })).toThrow("must be one of never, once, always")
    // A window or a cap below the defaults of the others lowers those.
    expect(Effect.runSync(Hedge.make({ delay: { window: 5, max: 100 } })).describe.options).toMatchObject({
      warmUp: 5,
      min: 100
    })
  })
})

describe("when all copies fail", () => {
  const failing = (...errors: ReadonlyArray<unknown>) =>
    under(
      { delay: "10 seconds", maxCopies: 3, unknownOutcome: "always" },
      errors.map((error, index) => ({ takes: 60 - 8 * index, error }))
    )
  const after = (seconds: number) => Duration.seconds(seconds)

  it.effect("the last error is that of the attempt, itself", () =>
    Effect.gen(function*() {
      const last = new Overloaded({ message: "last" })
      const runs = [{ takes: 60, error: last }, { takes: 9, error: overloaded }]
      const { at, exit } = yield* under({ delay: "10 seconds" }, runs)
      expect(at).toBe(60)
      expect(Exit.isFailure(exit) && exit.cause).toMatchObject({ _tag: "Fail", error: last })
      expect(Exit.isFailure(exit) && exit.cause._tag === "Fail" && exit.cause.error === last).toBe(true)
    }))

  it.effect("it keeps the longest time that a server asked for", () =>
    Effect.gen(function*() {
      const { exit } = yield* failing(
        new Overloaded({ message: "first", retryAfter: after(40) }),
        new RateLimited({ message: "second", retryAfter: after(90) }),
        new Overloaded({ message: "third" }),
        new Overloaded({ message: "fourth", retryAfter: after(30) })
      )
      expect(Exit.isFailure(exit) && exit.cause).toMatchObject({
        error: { _tag: "Overloaded", message: "fourth", retryAfter: after(90), outcome: "rejected" }
      })
    }))

  it.effect("one that another attempt may cure goes before one that it does not", () =>
    Effect.gen(function*() {
      const quota = new QuotaExhausted({ message: "tomorrow", retryAfter: after(3600) })
      const refused = new Rejected.CircuitOpen({ policy: "CircuitBreaker", policyName: "x", message: "open" })
      const { exit } = yield* failing(new Overloaded({ message: "busy", retryAfter: after(5) }), quota, refused)
      expect(Exit.isFailure(exit) && exit.cause).toMatchObject({ error: { _tag: "Overloaded", retryAfter: after(5) } })
      expect((yield* failing(quota, refused)).exit).toEqual(Exit.fail(refused))
      expect((yield* failing(refused, quota)).exit).toEqual(Exit.fail(quota))
    }))

  it.effect("its outcome is unknown if that of any copy is", () =>
    Effect.gen(function*() {
      const late = new Timeout({ message: "late", phase: "headers" })
      const { exit } = yield* failing(late, overloaded)
      expect(Exit.isFailure(exit) && exit.cause).toMatchObject({ error: { _tag: "Overloaded", outcome: "unknown" } })
      expect(overloaded.outcome).toBe("rejected")
    }))
})

describe("work of which nobody knows whether it is done", () => {
  const attempt = (error: GenerationError.GenerationError): GenerationError.Attempt => ({
    number: 1,
    endpoint: "a",
    model: "m",
    startedAt: 0,
    duration: Duration.zero,
    error
  })
  const starts = (
    rule: NonNullable<Hedge.MakeOptions["unknownOutcome"]>,
    runs: ReadonlyArray<Run>,
    before: ReadonlyArray<GenerationError.GenerationError> = []
  ) =>
    Effect.map(
      under({ delay: "10 seconds", maxCopies: 3, unknownOutcome: rule }, runs, {
        log: { attempts: before.map(attempt), started: before.length }
      }),
      ({ log }) => log.filter((line) => line.includes("starts")).length
    )

  it.effect("is copied once, unless another attempt of the generation ended so", () =>
    Effect.gen(function*() {
      const slow = [{ takes: 60 }]
      expect(yield* starts("once", slow)).toBe(2)
      expect(yield* starts("once", slow, [overloaded])).toBe(2)
      expect(yield* starts("once", slow, [lost])).toBe(1)
      expect(yield* starts("always", slow, [lost])).toBe(4)
      expect(yield* starts("never", slow)).toBe(1)
    }))

  it.effect("a copy that was refused leaves room for another, one that was lost does not", () =>
    Effect.gen(function*() {
      expect(yield* starts("once", [{ takes: 60 }, { takes: 5, error: overloaded }, { takes: 60 }])).toBe(3)
      expect(yield* starts("once", [{ takes: 60 }, { takes: 5, error: lost }, { takes: 60 }])).toBe(2)
    }))

  it.effect("is not copied for an attempt that repeats such work", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: "10 seconds" })
      const calls = CurrentCall.makeLog()
      const { log, work } = copies([{ takes: 5, error: lost }, { takes: 60 }, { takes: 1 }])
      const logged = Effect.tapError(work, () => Effect.sync(() => void calls.attempts.push(attempt(lost))))
      const policy = Policy.compose(Retry.make(), hedge)
      yield* inTime(CurrentCall.update(policy.apply(logged), { log: calls }))
      expect(log.filter((line) => line.includes("starts"))).toHaveLength(2)
    }))
})

describe("the deadline", () => {
  const starts = (deadline: number, options: Hedge.MakeOptions = {}) =>
    Effect.map(
      under({ delay: "10 seconds", ...options }, [{ takes: 60 }], { deadline: deadline * 1000 }),
      ({ log }) => log.filter((line) => line.includes("starts")).length
    )

  it.effect("a copy starts when as much time is left as was waited for, and not later", () =>
    Effect.gen(function*() {
      expect(yield* starts(20)).toBe(2)
      yield* TestClock.setTime(0)
      expect(yield* starts(19.999)).toBe(1)
    }))

  it.effect("or as much as an attempt needs", () =>
    Effect.gen(function*() {
      const options = { attemptTime: "2 seconds" } as const
      expect(yield* starts(12, options)).toBe(2)
      yield* TestClock.setTime(0)
      expect(yield* starts(11.999, options)).toBe(1)
      yield* TestClock.setTime(0)
      // Each copy is asked about at its own time.
      const many = { ...options, maxCopies: 3, unknownOutcome: "always" } as const
      expect(yield* starts(22, many)).toBe(3)
      yield* TestClock.setTime(0)
      expect(yield* starts(21.999, many)).toBe(2)
    }))
})

describe("a hedge with a budget", () => {
  const balance = (budget: RetryBudget.RetryBudget) => Effect.map(budget.state, (state) => state.balance)
  const empty = RetryBudget.make({ window: "1 day", floor: 0, perRequest: 0, perSuccess: 0 })
  const make = Effect.tap(empty, (budget) => budget.deposit(10))

  it.effect("pays what a retry after a timeout costs; a copy that wins earns it back, one that loses does not", () =>
    Effect.gen(function*() {
      const budget = yield* make
      yield* under({ delay: "10 seconds", budget }, [{ takes: 5 }])
      expect(yield* balance(budget)).toBe(10)
      yield* under({ delay: "10 seconds", budget }, [{ takes: 60 }, { takes: 5 }])
      expect(yield* balance(budget)).toBe(10)
      yield* under({ delay: "10 seconds", budget }, [{ takes: 12 }, { takes: 5 }])
      expect(yield* balance(budget)).toBe(7)
      yield* under({ delay: "10 seconds", budget }, [{ takes: 30, error: overloaded }, { takes: 5, error: overloaded }])
      expect(yield* balance(budget)).toBe(4)
    }))

  it.effect("costs what it is told to", () =>
    Effect.gen(function*() {
      const budget = yield* make
      const costOf = (call: CurrentCall.Call) => (call.tenant === "dear" ? 6 : 1)
      yield* under({ delay: "10 seconds", budget, costOf }, [{ takes: 12 }, { takes: 5 }], { tenant: "dear" })
      expect(yield* balance(budget)).toBe(4)
    }))

  it.effect("sends no copy that is refused, and the first goes on", () =>
    Effect.gen(function*() {
      const budget = yield* RetryBudget.make({ floor: 0 })
      const { at, log } = yield* under(
        { delay: "10 seconds", budget, maxCopies: 3, unknownOutcome: "always" },
        [{ takes: 60 }, { takes: 1 }]
      )
      expect([at, log]).toEqual([60, ["0 starts at 0", "0 answers at 60"]])
    }))

  it.effect("a copy of the floor is free, and earns nothing back", () =>
    Effect.gen(function*() {
      const budget = yield* RetryBudget.make({ window: "1 day", floor: 1, perRequest: 0, perSuccess: 0 })
      expect((yield* under({ delay: "10 seconds", budget }, [{ takes: 60 }, { takes: 1 }])).at).toBe(11)
      expect(yield* budget.state).toMatchObject({ earned: 0, paid: 0, floorLeft: 0 })
    }))

  /** A budget whose store takes its time. */
  const slow = (budget: RetryBudget.RetryBudget): RetryBudget.RetryBudget => ({
    ...budget,
    withdraw: (cost) => Effect.tap(budget.withdraw(cost), () => Effect.sleep("5 seconds"))
  })

  it.effect("gives back what was paid for a copy that came too late to start", () =>
    Effect.gen(function*() {
      const budget = yield* make
      const answered = yield* under({ delay: "10 seconds", budget: slow(budget) }, [{ takes: 12 }, { takes: 1 }])
      expect([answered.exit, answered.log.length]).toEqual([Exit.succeed(0), 2])
      expect(yield* balance(budget)).toBe(10)
      // The one that it was to help has failed: a copy now would be a retry without a wait.
      const failed = yield* under(
        { delay: "10 seconds", budget: slow(budget) },
        [{ takes: 12, error: overloaded }, { takes: 1 }]
      )
      expect([failed.exit, failed.log.length]).toEqual([Exit.fail(overloaded), 2])
      expect(yield* balance(budget)).toBe(10)
    }))

  it.effect("a copy that is being paid for counts as one that may start", () =>
    Effect.gen(function*() {
      const budget = { ...(yield* make), withdraw: () => Effect.as(Effect.sleep("15 seconds"), "paid" as const) }
      const { log } = yield* under({ delay: "10 seconds", maxCopies: 3, budget }, [{ takes: 60 }])
      expect(log.filter((line) => line.includes("starts"))).toEqual(["0 starts at 0", "1 starts at 25"])
    }))

  it.effect("gives it back when the caller goes away meanwhile", () =>
    Effect.gen(function*() {
      const budget = yield* make
      const hedge = yield* Hedge.make({ delay: "10 seconds", budget: slow(budget) })
      const { log, work } = copies([{ takes: 60 }])
      const fiber = yield* Effect.fork(hedge.apply(work))
      yield* TestClock.adjust("12 seconds")
      yield* Fiber.interruptFork(fiber)
      yield* TestClock.adjust("3 seconds")
      expect(fiber.unsafePoll()).not.toBe(null)
      expect(log).toEqual(["0 starts at 0", "0 is stopped at 12"])
      expect(yield* balance(budget)).toBe(10)
    }))

  it.effect("a store that breaks is a defect of the call", () =>
    Effect.gen(function*() {
      const budget = { ...(yield* make), withdraw: () => Effect.die("no books") }
      const { at, exit } = yield* under({ delay: "10 seconds", budget }, [{ takes: 60 }])
      expect([at, exit]).toEqual([10, Exit.die("no books")])
    }))

  it.effect("earns by requests and successes where no retry does", () =>
    Effect.gen(function*() {
      const earned = (outer: (hedge: Hedge.Hedge, budget: RetryBudget.RetryBudget) => Policy.Policy) =>
        Effect.gen(function*() {
          const budget = yield* RetryBudget.make({ window: "1 day", perRequest: 1, perSuccess: 10 })
          const hedge = yield* Hedge.make({ delay: "10 seconds", budget })
          const policy = outer(hedge, budget)
          yield* inTime(policy.apply(copies([{ takes: 5 }]).work))
          yield* inTime(policy.apply(copies([{ takes: 5, error: new ContentBlocked({ message: "no" }) }]).work))
          return (yield* budget.state).earned
        })
      expect(yield* earned((hedge) => hedge)).toBe(12)
      expect(yield* earned((hedge, budget) => Policy.compose(Retry.make({ budget }), hedge))).toBe(12)
      expect(yield* earned((hedge) => Policy.compose(Retry.make(), hedge))).toBe(0)
    }))
})

describe("a delay that follows what calls take", () => {
  const delay = { quantile: 0.9, warmUp: 5, window: 10, min: "2 seconds", max: "30 seconds" } as const
  const seconds = (hedge: Hedge.Hedge, call: Partial<CurrentCall.Call> = {}) =>
    Effect.map(CurrentCall.update(hedge.state, call), ({ answers, delay }) => [
      answers,
      Option.getOrUndefined(Option.map(delay, Duration.toSeconds))
    ])

  const runAll = (hedge: Hedge.Hedge, runs: ReadonlyArray<Run>, call: Partial<CurrentCall.Call> = {}) =>
    Effect.forEach(runs, (run) => inTime(CurrentCall.update(hedge.apply(copies([run]).work), call)))

  it.effect("sends nothing before it knows enough, and then what is slower than usual", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay })
      yield* runAll(hedge, [4, 5, 6, 60].map((takes) => ({ takes })))
      expect(yield* seconds(hedge)).toEqual([4, undefined])
      yield* runAll(hedge, [{ takes: 8 }])
      // 90 % of five are the slowest, which is above the cap.
      expect(yield* seconds(hedge)).toEqual([5, 30])
      yield* runAll(hedge, [4, 5, 6, 7, 8].map((takes) => ({ takes })))
      expect(yield* seconds(hedge)).toEqual([10, 8])
      const { log, work } = copies([{ takes: 60 }, { takes: 3 }])
      expect((yield* inTime(hedge.apply(work))).at).toBe(11)
      expect(log).toContain("1 starts at 8")
    }))

  it.effect("keeps within its bounds", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay })
      yield* runAll(hedge, Array.from({ length: 9 }, () => ({ takes: 1 })))
      expect(yield* seconds(hedge)).toEqual([9, 2])
    }))

  it.effect("learns from answers alone: errors, defects and interruptions say nothing", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay })
      yield* runAll(hedge, [{ takes: 5, error: overloaded }, { takes: 5, ends: Exit.die("bug") }])
      const fiber = yield* Effect.fork(hedge.apply(Effect.never))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      expect(yield* seconds(hedge)).toEqual([0, undefined])
    }))

  it.effect("a first copy that was overtaken counts with the time that it had run, one that failed does not", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: { ...delay, quantile: 0.5, window: 5 } })
      yield* runAll(hedge, Array.from({ length: 5 }, () => ({ takes: 4 })))
      yield* inTime(hedge.apply(copies([{ takes: 60 }, { takes: 3 }]).work))
      yield* inTime(hedge.apply(copies([{ takes: 60 }, { takes: 3 }]).work))
      expect(yield* seconds(hedge)).toEqual([5, 4])
      yield* inTime(hedge.apply(copies([{ takes: 60 }, { takes: 3 }]).work))
      expect(yield* seconds(hedge)).toEqual([5, 7])
      const fresh = yield* Hedge.make({ delay: { ...delay, warmUp: 1 } })
      yield* runAll(fresh, [{ takes: 4 }])
      yield* inTime(fresh.apply(copies([{ takes: 9, error: overloaded }, { takes: 9 }]).work))
      expect(yield* seconds(fresh)).toEqual([1, 4])
    }))

  it.effect("is learned for each endpoint, or what else is the key, of which a bounded number is remembered", () =>
    Effect.gen(function*() {
      const hedge = yield* Hedge.make({ delay: { ...delay, warmUp: 1 }, maxKeys: 2 })
      yield* runAll(hedge, [{ takes: 3 }], { endpoint: "a" })
      yield* runAll(hedge, [{ takes: 5 }], { endpoint: "b" })
      expect(yield* seconds(hedge, { endpoint: "a" })).toEqual([1, 3])
      expect(yield* seconds(hedge, { endpoint: "b" })).toEqual([1, 5])
      yield* runAll(hedge, [{ takes: 3 }], { endpoint: "a" })
      yield* runAll(hedge, [{ takes: 7 }], { endpoint: "c" })
      expect(yield* seconds(hedge, { endpoint: "b" })).toEqual([0, undefined])
      expect(yield* seconds(hedge, { endpoint: "a" })).toEqual([2, 3])
      const tenants = yield* Hedge.make({ delay: { ...delay, warmUp: 1 }, key: (call) => call.tenant })
      yield* runAll(tenants, [{ takes: 3 }], { endpoint: "a", tenant: "t" })
      expect(yield* seconds(tenants, { tenant: "t" })).toEqual([1, 3])
    }))
})

import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream, TestClock } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as GenerationError from "holdfast/GenerationError"
import * as Retry from "holdfast/Retry"
import * as RetryBudget from "holdfast/RetryBudget"
import { readFileSync } from "node:fs"
import { table } from "../../../test/support/markdown.js"

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const transient = new GenerationError.Transient({ message: "reset", outcome: "rejected" })
const fatal = new GenerationError.ContentBlocked({ message: "no" })
const steady = Backoff.constant({ base: "1 second", jitter: "none", unknownOutcome: "always" })

/** How many withdrawals in a row are granted. */
const drain = (budget: RetryBudget.RetryBudget, error: unknown = overloaded) =>
  Effect.gen(function*() {
    let granted = 0
    while (granted < 1000 && (yield* budget.tryWithdraw(error))) granted++
    return granted
  })

const settle = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.exit(effect))
    yield* TestClock.adjust("5 minutes")
    return yield* Fiber.join(fiber)
  })

describe("RetryBudget", () => {
  it.effect("requests and successes earn what retries pay", () =>
    Effect.gen(function*() {
      const budget = yield* RetryBudget.make({ floor: 0 })
      expect(yield* drain(budget)).toBe(0)
      for (let i = 0; i < 100; i++) yield* budget.requested
      expect(yield* drain(budget)).toBe(10)
      for (let i = 0; i < 50; i++) yield* budget.succeeded()
      expect(yield* drain(budget)).toBe(5)
      expect(yield* budget.state).toMatchObject({ retries: 15, floorLeft: 0 })
    }))

  it.effect("a transient failure costs more than an overload", () =>
    Effect.gen(function*() {
      const budget = yield* RetryBudget.make({ floor: 0 })
      yield* budget.deposit(12)
      expect(yield* drain(budget, transient)).toBe(4)
      const prices = [
        overloaded,
        new GenerationError.RateLimited({ message: "429" }),
        transient,
        new GenerationError.Timeout({ message: "late", phase: "headers" }),
        new GenerationError.EmptyResult({ message: "empty" }),
        new Error("mine")
      ].map(budget.priceOf)
      expect(prices).toEqual([1, 1, 3, 3, 3, 3])
      const own = yield* RetryBudget.make({ prices: { transient: 0.5 } })
      expect([own.priceOf(transient), own.priceOf(overloaded)]).toEqual([0.5, 1])
    }))

  it.effect("the floor grants its retries in any window, whatever they cost, and no more", () =>
    Effect.gen(function*() {
      const budget = yield* RetryBudget.make({ floor: 4, window: "10 minutes" })
      expect(yield* drain(budget, transient)).toBe(4)
      expect(yield* budget.state).toEqual({ earned: 0, paid: 0, retries: 4, balance: 0, floorLeft: 0 })
      yield* TestClock.adjust("9 minutes")
      expect(yield* drain(budget)).toBe(0)
      yield* TestClock.adjust("70 seconds")
      expect(yield* drain(budget, 1_000_000)).toBe(4)
    }))

  it.effect("everything is forgotten with its window", () =>
    Effect.gen(function*() {
      const budget = yield* RetryBudget.make({ floor: 0, window: "5 minutes" })
      yield* budget.deposit(100)
      yield* TestClock.adjust("4 minutes")
      expect((yield* budget.state).balance).toBe(100)
      yield* TestClock.adjust("2 minutes")
      expect(yield* budget.state).toEqual({ earned: 0, paid: 0, retries: 0, balance: 0, floorLeft: 0 })
    }))

  it.effect("a cost of its own for a hedge; nonsense neither pays nor earns", () =>
    Effect.gen(function*() {
      const budget = yield* RetryBudget.make({ floor: 0 })
      for (const tokens of [NaN, Infinity, -5]) yield* budget.deposit(tokens)
      expect((yield* budget.state).earned).toBe(0)
      yield* budget.deposit(5)
      expect(yield* budget.tryWithdraw(NaN)).toBe(false)
      expect(yield* budget.withdraw(4)).toBe("paid")
      expect(yield* budget.withdraw(4)).toBe("refused")
    }))

  it.effect("budgets of one name are one budget in a shared store, and apart without", () =>
    Effect.gen(function*() {
      const pair = Effect.all([RetryBudget.make({ floor: 1 }), RetryBudget.make({ floor: 1 })])
      const shared = pair.pipe(Effect.provide(RetryBudget.layerStoreMemory))
      for (const [both, expected] of [[shared, [true, false]], [pair, [true, true]]] as const) {
        const [a, b] = yield* both
        expect([yield* a.tryWithdraw(1), yield* b.tryWithdraw(1)]).toEqual(expected)
      }
    }))

  it("refuses illegal options by name", () => {
    expect(() => RetryBudget.make({ window: 10 })).toThrow(/"window" must be a duration of at least 1000 ms/)
    expect(() => RetryBudget.make({ perRequest: -1 })).toThrow(/"perRequest"/)
    expect(() => RetryBudget.make({ perSuccess: NaN })).toThrow(/"perSuccess"/)
    expect(() => RetryBudget.make({ floor: 1.5 })).toThrow(/"floor" must be a whole number/)
    expect(() => RetryBudget.make({ prices: { timeout: -1 } })).toThrow(/"prices.timeout"/)
  })
})

describe("a retry with a budget", () => {
  it.effect("gives up with the last error when the budget is spent, for all who share it", () =>
    Effect.gen(function*() {
      const budget = yield* RetryBudget.make({ floor: 7 })
      const policy = Retry.make({ schedule: steady, maxAttempts: 6, budget })
      let attempts = 0
      const call = policy.apply(Effect.zipRight(Effect.sync(() => void attempts++), Effect.fail(overloaded)))
      const first = yield* Effect.flip(Effect.flatten(settle(call)))
      expect([first.stoppedBy, attempts]).toEqual(["schedule", 6])
      const second = yield* Effect.flip(Effect.flatten(settle(call)))
      expect([second.stoppedBy, second.attempts?.length, attempts]).toEqual(["budget", 3, 9])
      expect((yield* Effect.flip(Effect.flatten(settle(call)))).stoppedBy).toBe("budget")
      expect(attempts).toBe(10)
      // A fatal error asks the budget for nothing.
      expect((yield* Effect.flip(Effect.flatten(settle(policy.apply(Effect.fail(fatal)))))).stoppedBy).toBe("fatal")
    }))

  it.effect("a success gives back what its last retry cost", () =>
    Effect.gen(function*() {
      const budget = yield* RetryBudget.make({ floor: 0, perRequest: 0, perSuccess: 0 })
      yield* budget.deposit(3)
      const policy = Retry.make({ schedule: steady, budget })
      const scripted = () => {
        const errors = [overloaded, overloaded]
        return Effect.suspend((): Effect.Effect<string, GenerationError.GenerationError> => {
          const error = errors.shift()
          return error === undefined ? Effect.succeed("image") : Effect.fail(error)
        })
      }
      expect(yield* settle(policy.apply(scripted()))).toEqual(Exit.succeed("image"))
      expect(yield* budget.state).toMatchObject({ earned: 4, paid: 2, retries: 2 })
      const streamed = policy.applyStream(Stream.fromEffect(scripted()))
      expect(Exit.isSuccess(yield* settle(Stream.runDrain(streamed)))).toBe(true)
      expect((yield* budget.state).balance).toBe(1)
    }))

  it.effect("what the floor granted gives nothing back", () =>
    Effect.gen(function*() {
      const budget = yield* RetryBudget.make({ floor: 5, perRequest: 0, perSuccess: 0 })
      let runs = 0
      const call = Effect.suspend(() => (runs++ === 0 ? Effect.fail(overloaded) : Effect.void))
      yield* settle(Retry.make({ schedule: steady, budget }).apply(call))
      expect(yield* budget.state).toMatchObject({ earned: 0, paid: 0, retries: 1 })
    }))

  it.effect("each generation earns once, each success once more; failures and inner retries earn nothing", () =>
    Effect.gen(function*() {
      const budget = yield* RetryBudget.make({ floor: 0, perRequest: 1, perSuccess: 10 })
      const policy = Retry.make({ schedule: steady, maxAttempts: 1, budget })
      yield* policy.apply(policy.apply(Effect.void))
      yield* Effect.exit(policy.apply(Effect.fail(overloaded)))
      yield* Effect.exit(policy.apply(Effect.die("boom")))
      yield* Effect.exit(policy.apply(Effect.interrupt))
      yield* Stream.runDrain(policy.applyStream(Stream.make(1, 2)))
      yield* Effect.exit(Stream.runDrain(policy.applyStream(Stream.concat(Stream.make(1), Stream.fail(overloaded)))))
      expect((yield* budget.state).earned).toBe(6 + 20)
    }))

  it.effect("an interruption at any point of the wait gives back what was paid", () =>
    Effect.gen(function*() {
      let interrupted = 0
      for (let ops = 10; ops <= 30; ops += 4) {
        for (let point = 0; point < 25; point++) {
          const budget = yield* RetryBudget.make({ floor: 0, perRequest: 0, perSuccess: 0 })
          yield* budget.deposit(5)
          let attempts = 0
          const body = Effect.zipRight(Effect.sync(() => void attempts++), Effect.fail(overloaded))
          const call = Retry.make({ schedule: steady, maxAttempts: 9, budget }).apply(body)
          const fiber = yield* Effect.fork(Effect.withMaxOpsBeforeYield(call, ops))
          for (let i = 0; i < point; i++) yield* Effect.yieldNow()
          if (point % 4 === 0) yield* TestClock.adjust("1 second")
          if (Exit.isInterrupted(yield* Fiber.interrupt(fiber))) interrupted++
          // Each retry that was begun is paid; at most the one on its way from the wait to the attempt is lost.
          const { balance } = yield* budget.state
          expect(5 - balance - Math.max(0, attempts - 1), `ops ${ops}, point ${point}`).toBeGreaterThanOrEqual(0)
          expect(5 - balance - Math.max(0, attempts - 1), `ops ${ops}, point ${point}`).toBeLessThanOrEqual(point % 4 === 0 ? 1 : 0)
        }
      }
      expect(interrupted).toBeGreaterThan(100)
    }))
})

describe("docs/policies/retry-budget.md", () => {
  it("states the defaults and the prices", () => {
    const rows = table("policies/retry-budget.md", "option", "default", "unit and range")
    const stated = Object.fromEntries(rows.map((row) => [row["option"], row["default"]]))
    const { prices, ...options } = RetryBudget.defaults
    for (const [name, value] of Object.entries(options)) expect([name, stated[name]]).toEqual([name, String(value)])
    const priced = table("policies/retry-budget.md", "price of", "tokens", "because")
    expect(Object.fromEntries(priced.map((row) => [row["price of"], Number(row["tokens"])]))).toEqual(prices)
  })

  it.effect("its numbers hold: retries of a hundred generations that fail, and of four", () =>
    Effect.gen(function*() {
      const retries = (generations: number, error: unknown) =>
        Effect.gen(function*() {
          const budget = yield* RetryBudget.make()
          let granted = 0
          for (let i = 0; i < generations; i++) {
            yield* budget.requested
            for (let attempt = 1; attempt < 6 && (yield* budget.tryWithdraw(error)); attempt++) granted++
          }
          return granted
        })
      expect(yield* retries(100, overloaded)).toBe(20)
      expect(yield* retries(100, transient)).toBe(13)
      expect(yield* retries(4, overloaded)).toBe(10)
    }))

  it("shows only code of the example that is compiled and run", () => {
    const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")
    const example = read("examples/docs/retry-budget.ts")
    const blocks = [...read("docs/policies/retry-budget.md").matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!)
    expect(blocks.length).toBeGreaterThan(2)
    for (const block of blocks) expect(example).toContain(block.trim())
  })
})

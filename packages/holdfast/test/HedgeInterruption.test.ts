/** Interrupts hedged calls at every point where a fiber can yield: nothing may run on, and the books must be right. */
import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Exit, FiberId, Stream } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import * as GenerationError from "holdfast/GenerationError"
import * as Hedge from "holdfast/Hedge"
import * as Policy from "holdfast/Policy"
import * as RetryBudget from "holdfast/RetryBudget"
import { makeTurn } from "../../../test/support/turn.js"

const overloaded = new GenerationError.Overloaded({ message: "busy" })

/** Every yield costs some operations, so that fewer than 10 between two of them make no progress. */
const budgets = [10, 13, 16, 27]

/** Ends with the number of the copy that won. A stream holds something open for as long as it is read. */
type Through = (
  policy: Policy.Policy<unknown>,
  work: Effect.Effect<number, unknown>,
  held: Stream.Stream<void>
) => Effect.Effect<number, unknown>

const asEffect: Through = (policy, work) => policy.apply(work)

const asStream: Through = (policy, work, held) => {
  const stream = Stream.concat(Stream.fromEffect(work), Stream.rechunk(Stream.make(1, 2, 3), 1))
  const all = Stream.flatMap(held, () => stream)
  return Effect.map(Stream.runCollect(policy.applyStream(all)), Chunk.unsafeHead)
}

const underDeadline = (through: Through, millis: number): Through => (hedge, work, held) =>
  through(Policy.compose(Deadline.make({ duration: millis }), hedge), work, held)

/** What the copies do, by the round: answer, fail, or take a while with it, at the instants at which others do. */
const endings: ReadonlyArray<(copy: number) => Effect.Effect<number, unknown>> = [
  (copy) => Effect.as(Effect.sleep(copy === 0 ? 9 : 2), copy),
  (copy) => Effect.zipRight(Effect.sleep(copy === 0 ? 5 : 3), Effect.fail(overloaded)),
  (copy) => Effect.as(Effect.sleep(6 - 3 * copy), copy),
  (copy) => (copy === 0 ? Effect.never : Effect.zipRight(Effect.sleep(1), Effect.die("bug")))
]

/** When a call is interrupted. */
interface Point {
  readonly ops: number
  /** Numbers the plays: chooses what the copies do, and how fast the budget's store is. */
  readonly round: number
  /** The moment it is to go on for so many times. */
  readonly leaves?: number
  /** After so many milliseconds and then so many yields. */
  readonly at?: readonly [millis: number, yields: number]
}

const yields = (count: number): Effect.Effect<void> =>
  count <= 0 ? Effect.void : Effect.zipRight(Effect.yieldNow(), yields(count - 1))

/** One call, and what became of it. */
const play = (through: Through, { at, leaves, ops, round }: Point) =>
  Effect.gen(function*() {
    const where = `ops ${ops}, round ${round}, leaves ${leaves}, at ${at?.join(" + ")}`
    const turn = makeTurn()
    // Two paces of the store: at once, and with a wait in the middle of the withdrawal.
    const wait = round % 3 === 0 ? Effect.sleep(1) : Effect.yieldNow()
    const plain = yield* RetryBudget.make({ floor: 0, perRequest: 0, perSuccess: 0 })
    yield* plain.deposit(100)
    let open = 0
    let started = 0
    let starts = 0
    let answered = false
    let back = 0
    const budget: RetryBudget.RetryBudget = {
      ...plain,
      withdraw: (cost) => Effect.zipRight(wait, Effect.zipLeft(plain.withdraw(cost), wait)),
      deposit: (tokens) => Effect.zipRight(Effect.sync(() => void (back += tokens)), plain.deposit(tokens))
    }
    const hedge = yield* Hedge.make({ delay: 3, maxCopies: 3, unknownOutcome: "always", budget, costOf: () => 10 })
    const work = Effect.acquireUseRelease(
      Effect.sync(() => {
        open++
        return started++
      }),
      (copy) => endings[round % endings.length]!(copy),
      (copy, exit) => {
        answered = answered || (Exit.isSuccess(exit) && copy > 0)
        return Effect.zipRight(Effect.yieldNow(), Effect.sync(() => void open--))
      }
    )
    const held = Stream.acquireRelease(Effect.sync(() => void open++), () => Effect.sync(() => void open--))
    const observe: CurrentCall.Call["observe"] = (event) => {
      if (event._tag === "HedgeStarted") starts++
    }
    const run = CurrentCall.update(Effect.withMaxOpsBeforeYield(through(hedge, work, held), ops), { observe })
    const fiber = yield* turn.start(run, leaves)
    let openAtEnd: number | undefined
    fiber.addObserver(() => {
      openAtEnd = open
    })
    if (at !== undefined) {
      const moment = Effect.zipRight(Effect.sleep(at[0]), yields(at[1]))
      yield* turn.start(Effect.map(moment, () => fiber.unsafeInterruptAsFork(FiberId.none)))
    }
    yield* turn.pass(100)
    const exit = fiber.unsafePoll()
    expect(exit, where).not.toBe(null)
    expect(openAtEnd, where).toBe(0)
    expect(yield* turn.sleeping, where).toBe(0)
    // No copy starts unannounced; one may be announced and interrupted before its first step.
    expect(starts, where).toBeGreaterThanOrEqual(Math.max(0, started - 1))
    // Each copy that was announced is paid for, and what was paid beyond that has come back.
    const { paid } = yield* plain.state
    const lost = (paid - back) / 10
    if (exit !== null && Exit.isSuccess(exit)) expect(lost, where).toBe(exit.value === 0 ? starts : starts - 1)
    // It may have been answered just before it was interrupted.
    else expect(lost === starts || (answered && lost === starts - 1), `${where}: ${lost} of ${starts}`).toBe(true)
    return { interrupted: exit !== null && Exit.isInterrupted(exit), starts }
  })

/** Interrupts a call at each step of its own, then at each step of others at each instant, and then not at all. */
const sweep = (through: Through) =>
  Effect.gen(function*() {
    let interrupted = 0
    let starts = 0
    const note = Effect.map((played: { readonly interrupted: boolean; readonly starts: number }) => {
      if (played.interrupted) interrupted++
      starts += played.starts
    })
    for (const ops of budgets) {
      for (let round = 0; round < 12; round++) {
        for (let leaves = 1; leaves < 13; leaves++) yield* note(play(through, { ops, round, leaves }))
        for (const millis of [0, 3, 5, 6, 9]) {
          for (const count of [0, 1, 3, 6]) {
            yield* note(play(through, { ops, round, at: [millis, count] }))
          }
        }
        yield* note(play(through, { ops, round }))
      }
    }
    return { interrupted, starts }
  })

describe("interrupted calls under a hedge", () => {
  for (const [name, through, deadlines] of [["effects", asEffect, [3, 6]], ["streams", asStream, [6]]] as const) {
    it.effect(`leave no copy behind and lose no token, for ${name}`, () =>
      Effect.map(sweep(through), ({ interrupted, starts }) => {
        expect(interrupted).toBeGreaterThan(1000)
        expect(starts).toBeGreaterThan(1000)
      }), 60_000)

    it.effect(`nor where a deadline ends them at the same instants, for ${name}`, () =>
      Effect.gen(function*() {
        for (const millis of deadlines) {
          const { interrupted } = yield* sweep(underDeadline(through, millis))
          expect(interrupted).toBeGreaterThan(500)
        }
      }), 120_000)
  }
})

/** 100,000 virtual calls in batches that all begin at once, in every way that a call can end, on flat memory. */
import { expect } from "@effect/vitest"
import { Cause, type Duration, Effect, Exit, FiberId, type Fiber, Option, Predicate } from "effect"
import { expectFlat, heap } from "./heap.js"
import { exitOf, exits, isNervous, isStreamed } from "./mix.js"
import { makeTurn, type Turn } from "../../support/turn.js"

export const total = 100_000
/** Calls before memory is first looked at: what is compiled, interned and cached by then stays. */
const warmUp = 20_000
const size = 1000
/** Each of the four exits must happen so often at least, to effects and to streams. */
const enough = 100

/** How often calls ended in each way. */
type Ends = Record<typeof exits[number], number>

export interface Ended {
  readonly whole: Ends
  readonly streamed: Ends
  /** Failures by tag. */
  readonly failures: ReadonlyMap<string, number>
}

/** What is built, what the mix is, and what must hold. */
export interface Plan<out R = never> {
  readonly call: (n: number) => Effect.Effect<unknown, unknown, R>
  /** After this time some callers give up. */
  readonly patience: Duration.DurationInput
  /** After this time more, everybody does. */
  readonly end: Duration.DurationInput
  /** Looked at when patience ends. */
  readonly halfway?: Effect.Effect<void>
  /** Looked at after each batch, when nobody is under way. */
  readonly atRest: Effect.Effect<void>
  readonly atEnd: (ended: Ended) => Effect.Effect<void, never, R>
}

const noEnds = (): Ends => ({ Success: 0, Failure: 0, Defect: 0, Interrupted: 0 })

const tagOf = (exit: Exit.Exit<unknown, unknown>): string => {
  const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
  return Predicate.hasProperty(error, "_tag") ? String(error._tag) : "none"
}

const makeEnded = () => {
  const failures = new Map<string, number>()
  const ended = { whole: noEnds(), streamed: noEnds(), failures }
  const count = (n: number, exit: Exit.Exit<unknown, unknown>): void => {
    const way = exitOf(exit)
    ended[isStreamed(n) ? "streamed" : "whole"][way]++
    if (way === "Failure") failures.set(tagOf(exit), (failures.get(tagOf(exit)) ?? 0) + 1)
  }
  return { ended, count }
}

const interrupt = (fiber: Fiber.RuntimeFiber<unknown, unknown>): void => fiber.unsafeInterruptAsFork(FiberId.none)

/** The process looks after other things: signals, and what it has to tell whoever started it. */
const breath = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/**
 * Begins call number `n`. Nervous callers leave when a wait of theirs is just over; every other one of them goes in small
 * steps, and leaves between any two of those.
 */
const begin = <R>(turn: Turn, n: number, call: Effect.Effect<unknown, unknown, R>) => {
  if (!isNervous(n)) return turn.start(call)
  return n % 2 === 0
    ? turn.start(call, 1 + (n % 5))
    : turn.start(Effect.withMaxOpsBeforeYield(call, 10 + (n % 50)), 1 + (n % 60))
}

export const soak = <R>(make: (turn: Turn) => Effect.Effect<Plan<R>, never, R>): Effect.Effect<void, never, R> => {
  const turn = makeTurn()
  const { count, ended } = makeEnded()
  const batch = (plan: Plan<R>, from: number) =>
    Effect.gen(function*() {
      const fibers: Array<Fiber.RuntimeFiber<unknown, unknown>> = []
      for (let n = from; n < from + size; n++) fibers.push(yield* begin(turn, n, plan.call(n)))
      yield* turn.pass(plan.patience)
      if (plan.halfway !== undefined) yield* plan.halfway
      fibers.filter((_, i) => (from + i) % 17 === 0).forEach(interrupt)
      yield* turn.pass(plan.end)
      fibers.forEach(interrupt)
      yield* turn.pass(0)
      fibers.forEach((fiber, i) => {
        const exit = fiber.unsafePoll()
        if (exit === null) throw new Error(`Call ${from + i} goes on after it was interrupted.`)
        count(from + i, exit)
      })
      yield* plan.atRest
      expect(yield* turn.sleeping, "timers that nobody waits for").toBe(0)
      yield* breath
    })
  return Effect.gen(function*() {
    const plan = yield* make(turn)
    let before = heap()
    for (let from = 0; from < total; from += size) {
      if (from === warmUp) before = heap()
      yield* batch(plan, from)
    }
    const grown = heap() - before
    console.info(`${total} calls; ${(grown / 1e6).toFixed(2)} MB of memory more than after ${warmUp}.`)
    expectFlat(grown)
    for (const kind of ["whole", "streamed"] as const) {
      for (const way of exits) expect(ended[kind][way], `${kind} calls that ended in ${way}`).toBeGreaterThan(enough)
    }
    yield* plan.atEnd(ended)
  }).pipe(Effect.withClock(turn.clock))
}

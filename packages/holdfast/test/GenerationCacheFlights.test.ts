import { describe, expect, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, TestClock } from "effect"
import type { Generated } from "holdfast/Generated"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationError from "holdfast/GenerationError"

const value: Generated = {
  parts: [{ _tag: "Image", mimeType: "image/png", bytes: Uint8Array.of(1) }],
  usage: {},
  finishReason: "STOP",
  endpoint: "e",
  model: "m",
  attempts: []
}
const cat = { prompt: "a cat" }
const busy = new GenerationError.Overloaded({ message: "busy" })

/** What each caller got, in a word. */
const word = (exit: Exit.Exit<GenerationCache.Lookup, GenerationCache.Failure>): string =>
  Exit.match(exit, {
    onSuccess: (lookup) => lookup.source,
    onFailure: (cause) =>
      Cause.isInterruptedOnly(cause) ? "interrupted" : Cause.isDie(cause) ? "defect" : "failure"
  })

/** Counts runs of the work and how they end. */
const watched = (work: Effect.Effect<Generated, GenerationCache.Failure>) => {
  const runs: Array<"running" | "interrupted" | "ended"> = []
  // Counting a run and promising to count its end are one step: the sweep below interrupts between any two.
  const generate = Effect.acquireUseRelease(
    Effect.sync(() => runs.push("running") - 1),
    () => work,
    (index, exit) =>
      Effect.sync(() => {
        runs[index] = Exit.isInterrupted(exit) ? "interrupted" : "ended"
      })
  )
  return { runs, generate }
}

describe("single-flight", () => {
  it.effect("1,000 callers of one request make one call, and every one gets the result", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const { generate, runs } = watched(Effect.delay(Effect.succeed(value), 1000))
      const callers = yield* Effect.fork(
        Effect.all(Array.from({ length: 1000 }, () => cache.getOrGenerate(cat, generate)), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust(500)
      expect(yield* cache.stats).toEqual({ flights: 1, waiting: 1000, entries: 0, bytes: 0 })
      yield* TestClock.adjust(500)
      const sources = (yield* Fiber.join(callers)).map((each) => each.source)
      expect(sources.filter((source) => source === "fresh")).toHaveLength(1)
      expect(sources.filter((source) => source === "shared")).toHaveLength(999)
      expect(runs).toEqual(["ended"])
      expect((yield* cache.stats).flights).toBe(0)
    }))

  it.effect("different requests do not wait for each other", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const { generate, runs } = watched(Effect.delay(Effect.succeed(value), 1000))
      const all = yield* Effect.fork(Effect.all(
        Array.from({ length: 50 }, (_, seed) => cache.getOrGenerate({ ...cat, seed }, generate)),
        { concurrency: "unbounded" }
      ))
      yield* TestClock.adjust(1000)
      yield* Fiber.join(all)
      expect(runs).toHaveLength(50)
    }))

  const exits: ReadonlyArray<readonly [string, Effect.Effect<Generated, GenerationCache.Failure>, string, string]> = [
    ["a success", Effect.succeed(value), "fresh", "shared"],
    ["a failure", Effect.fail(busy), "failure", "failure"],
    ["a defect", Effect.die("defect"), "defect", "defect"],
    ["an interruption from inside", Effect.interrupt, "interrupted", "interrupted"]
  ]
  for (const [what, ending, forLeader, forFollower] of exits) {
    it.effect(`hands ${what} to leader and followers, and frees the key`, () =>
      Effect.gen(function*() {
        const cache = GenerationCache.make()
        const { generate, runs } = watched(Effect.zipRight(Effect.sleep(1000), ending))
        const ask = Effect.fork(Effect.exit(cache.getOrGenerate(cat, generate)))
        const leader = yield* ask
        yield* TestClock.adjust(1)
        const followers = [yield* ask, yield* ask]
        yield* TestClock.adjust(1000)
        expect(word(yield* Fiber.join(leader))).toBe(forLeader)
        for (const follower of followers) expect(word(yield* Fiber.join(follower))).toBe(forFollower)
        expect(runs).toHaveLength(1)
        expect(yield* cache.stats).toMatchObject({ flights: 0, waiting: 0, entries: what === "a success" ? 1 : 0 })
      }))
  }

  it.effect("an interrupted leader does not end its followers", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const { generate, runs } = watched(Effect.delay(Effect.succeed(value), 1000))
      const leader = yield* Effect.fork(cache.getOrGenerate(cat, generate))
      yield* TestClock.adjust(100)
      const follower = yield* Effect.fork(cache.getOrGenerate(cat, generate))
      yield* TestClock.adjust(100)
      yield* Fiber.interrupt(leader)
      expect(runs).toEqual(["running"])
      yield* TestClock.adjust(800)
      expect((yield* Fiber.join(follower)).source).toBe("shared")
      expect(runs).toEqual(["ended"])
    }))

  it.effect("an interrupted follower ends nobody's work but its own waiting", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const { generate, runs } = watched(Effect.delay(Effect.succeed(value), 1000))
      const leader = yield* Effect.fork(cache.getOrGenerate(cat, generate))
      yield* TestClock.adjust(100)
      const follower = yield* Effect.fork(cache.getOrGenerate(cat, generate))
      yield* TestClock.adjust(100)
      yield* Fiber.interrupt(follower)
      expect((yield* cache.stats).waiting).toBe(1)
      yield* TestClock.adjust(800)
      expect((yield* Fiber.join(leader)).source).toBe("fresh")
      expect(runs).toEqual(["ended"])
    }))

  it.effect("the work is interrupted when the last waiter leaves, who waits for its end; the key is free at once", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const { generate, runs } = watched(Effect.onInterrupt(Effect.never, () => Effect.sleep(500)))
      const leader = yield* Effect.fork(cache.getOrGenerate(cat, generate))
      yield* TestClock.adjust(100)
      const follower = yield* Effect.fork(cache.getOrGenerate(cat, generate))
      yield* TestClock.adjust(100)
      yield* Fiber.interrupt(leader)
      const leaving = yield* Effect.fork(Fiber.interrupt(follower))
      yield* TestClock.adjust(100)
      expect(runs).toEqual(["running"])
      expect((yield* cache.stats).flights).toBe(0)
      expect((yield* cache.getOrGenerate(cat, Effect.succeed(value))).source).toBe("fresh")
      yield* TestClock.adjust(400)
      yield* Fiber.join(leaving)
      expect(runs).toEqual(["interrupted"])
      expect((yield* cache.peek(cat))?.source).toBe("hit")
    }))

  it.effect("work that ends late, after all have left, does not free the key of its successor", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const first = yield* Effect.fork(
        cache.getOrGenerate(cat, Effect.onInterrupt(Effect.never, () => Effect.sleep(500)))
      )
      yield* TestClock.adjust(100)
      yield* Effect.fork(Fiber.interrupt(first))
      yield* TestClock.adjust(100)
      const { generate, runs } = watched(Effect.delay(Effect.succeed(value), 1000))
      const second = yield* Effect.fork(cache.getOrGenerate(cat, generate))
      yield* TestClock.adjust(500)
      const third = yield* Effect.fork(cache.getOrGenerate(cat, generate))
      yield* TestClock.adjust(500)
      expect([(yield* Fiber.join(second)).source, (yield* Fiber.join(third)).source]).toEqual(["fresh", "shared"])
      expect(runs).toEqual(["ended"])
    }))

  it.effect("a leader that may not be interrupted stays, and its followers may still leave", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const { generate, runs } = watched(Effect.delay(Effect.succeed(value), 1000))
      const leader = yield* Effect.fork(Effect.uninterruptible(cache.getOrGenerate(cat, generate)))
      yield* TestClock.adjust(100)
      const follower = yield* Effect.fork(cache.getOrGenerate(cat, generate))
      yield* TestClock.adjust(100)
      yield* Fiber.interruptFork(leader)
      yield* Fiber.interrupt(follower)
      yield* TestClock.adjust(800)
      expect(word(yield* Fiber.await(leader))).not.toBe("shared")
      expect(runs).toEqual(["ended"])
    }))

  it.effect("callers who come just after a failure get work of their own, wherever fibers yield", () =>
    Effect.gen(function*() {
      for (let shift = 0; shift <= 24; shift++) {
        const cache = GenerationCache.make()
        // So many steps more, and another step of the rest falls on a yield.
        const steps = Array.from({ length: shift }, () => Effect.void)
        const work = steps.reduce((rest, step) => Effect.zipRight(step, rest), Effect.fail(busy))
        const { generate, runs } = watched(work)
        const again = Effect.retry(cache.getOrGenerate(cat, generate), { times: 4 })
        expect(word(yield* Effect.exit(Effect.withMaxOpsBeforeYield(again, 10)))).toBe("failure")
        expect([shift, runs.length]).toEqual([shift, 5])
      }
    }))
})

describe("interrupted at every yield", () => {
  const endings = {
    success: Effect.succeed(value),
    failure: Effect.fail(busy),
    defect: Effect.die("defect")
  } as const
  const callers = 3

  /**
   * Three callers of one key run with so few operations between yields; after `point` yields of an observer those in
   * `targets` are interrupted. Says what is wrong with what is left, if anything.
   */
  const trial = (
    mode: GenerationCache.Mode,
    ending: keyof typeof endings,
    ops: number,
    point: number,
    targets: ReadonlyArray<number>
  ) =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const { generate, runs } = watched(
        Effect.zipRight(Effect.repeatN(Effect.yieldNow(), 4), endings[ending])
      )
      const start = yield* Deferred.make<void>()
      const ask = cache.getOrGenerate(cat, generate).pipe(
        GenerationCache.withMode(mode),
        Effect.withMaxOpsBeforeYield(ops)
      )
      const fibers = yield* Effect.replicateEffect(
        Effect.fork(Effect.zipRight(Deferred.await(start), ask)),
        callers
      )
      yield* Deferred.succeed(start, undefined)
      yield* Effect.repeatN(Effect.yieldNow(), point)
      yield* Effect.forEach(targets, (target) => Fiber.interrupt(fibers[target]!), {
        concurrency: "unbounded",
        discard: true
      })
      const words = (yield* Effect.forEach(fibers, Fiber.await)).map(word)
      // The tail of a flight that was left to itself has time to end.
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      const stats = yield* cache.stats
      const problems: Array<string> = []
      if (stats.flights !== 0 || stats.waiting !== 0) problems.push(`left behind: ${JSON.stringify(stats)}`)
      if (runs.includes("running")) problems.push("work outlives its waiters")
      const uninterruptedRuns = runs.filter((run) => run !== "interrupted").length
      if (ending === "success" && uninterruptedRuns > 1) problems.push(`${uninterruptedRuns} runs`)
      if (ending !== "success" && stats.entries !== 0) problems.push("a failure was kept")
      if (ending === "success" && uninterruptedRuns === 1 && stats.entries !== 1) problems.push("a result was lost")
      const fine = ending === "success" ? ["fresh", "shared", "hit"] : [ending]
      words.forEach((each, i) => {
        if (!fine.includes(each) && !(each === "interrupted" && targets.includes(i))) problems.push(`${i} got ${each}`)
      })
      return problems
    })

  for (const ending of ["success", "failure", "defect"] as const) {
    it(`neither loses a key nor leaves work behind, and harms nobody else (${ending})`, async () => {
      const found: Array<string> = []
      let trials = 0
      for (const ops of [10, 11, 12, 13, 15, 17, 20, 32]) {
        for (let point = 0; point <= 30; point++) {
          for (const targets of [[0], [1], [0, 1], [2], [0, 1, 2]]) {
            trials++
            const problems = await Effect.runPromise(trial("use", ending, ops, point, targets))
            for (const problem of problems) found.push(`ops ${ops}, point ${point}, ${targets.join("+")}: ${problem}`)
          }
        }
      }
      expect(trials).toBe(8 * 31 * 5)
      expect(found).toEqual([])
    }, 60_000)
  }

  it("refreshes are shared as safely", async () => {
    const found: Array<string> = []
    for (const ops of [10, 11, 13, 17]) {
      for (let point = 0; point <= 30; point++) {
        for (const targets of [[0], [0, 1], [0, 1, 2]]) {
          const problems = await Effect.runPromise(trial("refresh", "failure", ops, point, targets))
          for (const problem of problems) found.push(`ops ${ops}, point ${point}, ${targets.join("+")}: ${problem}`)
        }
      }
    }
    expect(found).toEqual([])
  }, 60_000)
})

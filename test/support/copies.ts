/** Work that goes differently each time that it is run, and what became of each run. */
import { Clock, Effect, Exit, Fiber, TestClock } from "effect"

/** How one run goes; times in seconds. */
export interface Run {
  readonly takes: number
  /** Fails with this; without it the run answers with its number. */
  readonly error?: unknown
  /** Ends with this in place of an answer. */
  readonly ends?: Exit.Exit<never, never> | "interrupts itself"
  /** How long its finalizer takes when it is stopped. */
  readonly stopping?: number
}

const secondsSince = (start: number) => Effect.map(Clock.currentTimeMillis, (now) => (now - start) / 1000)

/** The nth run goes like the nth of the list, and the last one stays. Seconds in the log count from the first run. */
export const copies = (runs: ReadonlyArray<Run>) => {
  const log: Array<string> = []
  let started = 0
  let first: number | undefined
  const work: Effect.Effect<number, unknown> = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const start = first ?? now
    first = start
    const index = started++
    const run = runs[Math.min(index, runs.length - 1)]!
    const note = (what: string) => Effect.map(secondsSince(start), (at) => void log.push(`${index} ${what} at ${at}`))
    const end: Effect.Effect<number, unknown> = run.ends === "interrupts itself"
      ? Effect.interrupt
      : run.ends !== undefined
      ? run.ends
      : run.error !== undefined
      ? Effect.fail(run.error)
      : Effect.succeed(index)
    return note("starts").pipe(
      Effect.zipRight(Effect.sleep(run.takes * 1000)),
      Effect.zipRight(end),
      Effect.onExit((exit) => {
        if (Exit.isSuccess(exit)) return note("answers")
        if (!Exit.isInterrupted(exit)) return note("fails")
        return Effect.zipRight(Effect.sleep((run.stopping ?? 0) * 1000), note("is stopped"))
      })
    )
  })
  return { log, work }
}

/** How an effect ends, and after how many seconds of virtual time, of which there are ten minutes. */
export const inTime = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    const timed = Effect.flatMap(Effect.exit(self), (exit) => Effect.map(secondsSince(start), (at) => ({ at, exit })))
    const fiber = yield* Effect.fork(timed)
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

/** 01. A schedule is a plain value: build it from parts, look at what it would do, then retry with it. */
import { Console, Duration, Effect, Schedule } from "effect"
import { Backoff, GenerationError } from "holdfast"

// Each part only shortens what stands before it, so the server's own time stays a floor.
const patient = Backoff.exponential({ base: "2 seconds", cap: "1 minute", jitter: "equal" }).pipe(
  Backoff.upToAttempts(6),
  Backoff.upToElapsed("3 minutes"),
  Backoff.withinDeadline({ attempt: "30 seconds" })
)

const overloaded = new GenerationError.Overloaded({ message: "The model is overloaded" })
const limited = new GenerationError.RateLimited({ message: "10 a minute", retryAfter: "40 seconds" })
const blocked = new GenerationError.ContentBlocked({ message: "The prompt was refused" })

/** What it would do, without waiting: no clock is read and nothing sleeps. */
const preview = (name: string, errors: ReadonlyArray<unknown>) =>
  Effect.flatMap(Backoff.preview(patient, { errors, seed: 1 }), ({ retries, stopped }) =>
    Console.log(
      `${name}: ${retries.map(({ delay }) => `${Math.round(Duration.toSeconds(delay))} s`).join(", ")}` +
        (stopped ? ", then it stops" : ", and it would go on")
    ))

/** Something that fails twice and then works. */
const flaky = (failures: number) => {
  let calls = 0
  return Effect.suspend(() => ++calls <= failures ? Effect.fail(overloaded) : Effect.succeed(`done in call ${calls}`))
}

const program = Effect.gen(function*() {
  yield* preview("overloaded all the time", Array.from({ length: 10 }, () => overloaded))
  yield* preview("a server that asks for 40 s", [overloaded, limited, overloaded])
  yield* preview("a fatal error", [overloaded, blocked, overloaded])

  // Under plain `Effect.retry`; `Schedule.intersect` with a schedule of Effect's own is safe too.
  const quick = Backoff.exponential({ base: "10 millis" }).pipe(Schedule.intersect(Schedule.recurs(3)))
  yield* Console.log(yield* Effect.retry(flaky(2), quick))
})

await Effect.runPromise(program)

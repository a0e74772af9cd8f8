/**
 * The same call through the same five stages, by three hands: a limit of concurrent calls, a time for the whole, a retry,
 * a time for each attempt, and a breaker, outermost first. Each subject makes a function that runs so many calls, one
 * after the other, to their success; those of Effect in one fiber.
 */
import {
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  timeout,
  TimeoutStrategy,
  wrap
} from "cockatiel"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Bulkhead from "holdfast/Bulkhead"
import * as CircuitBreaker from "holdfast/CircuitBreaker"
import * as Deadline from "holdfast/Deadline"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"
import * as Timeout from "holdfast/Timeout"

/** An answer that comes at once, but not in the same turn of the event loop. */
const answer = () => Promise.resolve(1)
const call = Effect.promise(answer)

const inOneFiber = (effect) => (calls) => {
  let done = 0
  const loop = Effect.whileLoop({ while: () => done < calls, body: () => effect, step: () => void done++ })
  return Effect.runPromise(loop)
}

const bare = () => inOneFiber(call)

const handComposed = () => {
  const permits = Effect.unsafeMakeSemaphore(10)
  // The least that can be called a breaker: it counts failures in a row, and refuses from the fifth on.
  let failures = 0
  const breaker = (effect) =>
    Effect.suspend(() =>
      failures >= 5
        ? Effect.fail("open")
        : Effect.onExit(effect, (exit) => Effect.sync(() => (failures = Exit.isSuccess(exit) ? 0 : failures + 1))))
  return inOneFiber(breaker(call).pipe(
    Effect.timeout("30 seconds"),
    Effect.retry({ times: 4, schedule: Schedule.exponential("2 seconds") }),
    Effect.timeout("60 seconds"),
    permits.withPermits(1)
  ))
}

const cockatiel = () => {
  const policy = wrap(
    bulkhead(10, 10),
    timeout(60_000, TimeoutStrategy.Aggressive),
    retry(handleAll, { maxAttempts: 4, backoff: new ExponentialBackoff() }),
    timeout(30_000, TimeoutStrategy.Aggressive),
    circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(5) })
  )
  return async (calls) => {
    for (let i = 0; i < calls; i++) await policy.execute(answer)
  }
}

const holdfast = async () => {
  const limit = await Effect.runPromise(Bulkhead.make({ limit: 10, queue: 10 }))
  const breaker = await Effect.runPromise(CircuitBreaker.make({ consecutiveFailures: 5 }))
  const policy = Policy.compose(
    limit,
    Deadline.make({ duration: "60 seconds" }),
    Retry.make({ maxAttempts: 5 }),
    Timeout.make({ attempt: "30 seconds" }),
    breaker
  )
  return inOneFiber(policy.apply(call))
}

export const subjects = { bare, "hand-composed Effect": handComposed, cockatiel, holdfast }

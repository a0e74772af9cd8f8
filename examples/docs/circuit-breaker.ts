import { Duration, Effect, Schedule, type Scope } from "effect"
import { CircuitBreaker, Generation, Policy, Rejected, Retry, Timeout } from "holdfast"

/** One breaker for each endpoint, inside the retry, so that it sees single attempts. */
export const policy = Effect.map(CircuitBreaker.make(), (breaker) =>
  Policy.compose(Retry.make(), breaker, Timeout.make({ attempt: "3 minutes" })))

export const layer = Generation.layer({ policy, deadline: "10 minutes" })

/** Stricter, and one for each tenant. */
export const strict = CircuitBreaker.make({
  name: "tenant",
  key: (call) => call.tenant,
  maxKeys: 1000,
  consecutiveFailures: 3,
  failureRatio: Infinity
})

/** A trial: refuses nobody, and tells what it would have done. */
export const trial = (tell: (line: string) => void) =>
  CircuitBreaker.make({
    mode: "metrics-only",
    onTransition: ({ cause, key, to }) => tell(`${key} would be ${to}${cause === undefined ? "" : ` (${cause})`}`)
  })

/** Maintenance: nothing goes to the relay while the work runs, whatever its breaker thinks. */
export const during = <A, E, R>(
  breaker: CircuitBreaker.CircuitBreaker,
  work: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Scope.Scope>> => Effect.scoped(Effect.zipRight(breaker.at("relay").isolate, work))

/** Keeps what was learned over a restart. `load` gives what `save` was given, or nothing. */
export const kept = <E>(
  load: Effect.Effect<string | undefined, E>,
  save: (json: string) => Effect.Effect<void>
) =>
  Effect.gen(function*() {
    const json = yield* load
    const breaker = yield* json === undefined
      ? CircuitBreaker.make()
      : CircuitBreaker.make({ initialState: JSON.parse(json) as CircuitBreaker.Snapshot })
    yield* Effect.addFinalizer(() => Effect.flatMap(breaker.snapshot, (state) => save(JSON.stringify(state))))
    return breaker
  })

const isOpen = (error: unknown): error is Rejected.CircuitOpen =>
  Rejected.isRejected(error) && error._tag === "CircuitOpen"

/** Comes back when it is due. Of those who wait only the allowed probes are sent; the others hear a later time. */
export const whenDue = Schedule.identity<unknown>().pipe(
  Schedule.addDelay((error) => (isOpen(error) ? (error.retryAfter ?? Duration.minutes(1)) : 0)),
  Schedule.whileInput(isOpen)
)

/** For work that nobody watches. */
export const patient = (breaker: CircuitBreaker.CircuitBreaker) => {
  const waiting = Policy.make<Rejected.CircuitOpen>({
    kind: "WhenDue",
    apply: (self) => Effect.retry(breaker.apply(self), whenDue),
    applyStream: breaker.applyStream
  })
  return Policy.compose(Retry.make(), waiting)
}

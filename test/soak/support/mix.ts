/** What the calls of every soak have in common: how they are made, the server that they reach, and how they end. */
import { Cause, Effect, Exit, Stream } from "effect"
import type * as Policy from "holdfast/Policy"

/** Every seventh call is a stream: those cost several times as much. No other cycle of a mix has a factor of seven. */
export const isStreamed = (n: number): boolean => n % 7 === 3

/** Some callers leave at any time, in the middle of whatever the call is doing. */
export const isNervous = (n: number): boolean => n % 19 === 7

/** Of the streams some hand out an element before the work begins, and some readers leave after the first one. */
const opens = (n: number): boolean => n % 9 < 4
export const leavesEarly = (n: number): boolean => isStreamed(n) && n % 9 === 0

/** Call number `n` through a policy: the work as it is, or as an element of a stream. */
export const through = <E, A, E1, R>(
  policy: Policy.Policy<E>,
  n: number,
  work: Effect.Effect<A, E1, R>
): Effect.Effect<unknown, E | E1, R> => {
  if (!isStreamed(n)) return policy.apply(work)
  const opening = opens(n) ? Stream.make("opening") : Stream.empty
  const stream = policy.applyStream(Stream.concat(opening, Stream.fromEffect(work)))
  return Stream.runDrain(leavesEarly(n) ? Stream.take(stream, 1) : stream)
}

/** Counts the work that reaches a model, and what of it is still going on. */
export const makeServer = () => {
  const server = {
    started: 0,
    running: 0,
    serve: <A, E, R>(work: (n: number) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          server.running++
          return server.started++
        }),
        work,
        () => Effect.sync(() => void server.running--)
      )
  }
  return server
}

export const exits = ["Success", "Failure", "Defect", "Interrupted"] as const

/** The four exits by name. */
export const exitOf = (exit: Exit.Exit<unknown, unknown>): typeof exits[number] => {
  if (Exit.isSuccess(exit)) return "Success"
  if (Cause.isFailure(exit.cause)) return "Failure"
  return Cause.isDie(exit.cause) ? "Defect" : "Interrupted"
}

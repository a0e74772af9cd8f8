/** Runs an effect, or a stream, at the endpoint that a visit chose, and at the next one where that refuses it. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { Policy } from "../../Policy.js"
import type { NoEndpoint } from "../../Rejected.js"
import { streamThroughGate } from "../gatedStream.js"
import { Pipeline } from "../pipeline.js"
import { gateStage } from "../stage.js"
import type { Pool } from "./pool.js"
import { Visit } from "./visit.js"

/** The policies of endpoints, by name; those without one are absent. */
export type Policies<E> = ReadonlyMap<string, Policy<E>>

/** The cause with what a visit makes of its failure, or that it goes on. */
const afterCause = <E>(visit: Visit, cause: Cause.Cause<E>): "next" | Cause.Cause<E> => {
  const failure = Cause.failureOrCause(cause)
  if (Either.isRight(failure)) return cause
  const after = visit.after(failure.left)
  if (after === "next") return after
  return after.error === failure.left
    ? cause
    : Cause.map(cause, (error) => (error === failure.left ? after.error : error))
}

const attempt = <A, E1, R, E>(
  visit: Visit,
  policies: Policies<E>,
  self: Effect.Effect<A, E1, R>
): Effect.Effect<A, E | E1 | NoEndpoint, R> => {
  const begun = Effect.suspend(() => {
    visit.began = true
    return self
  })
  const inside = Effect.suspend((): Effect.Effect<A, E | E1, R> => {
    const policy = policies.get(visit.node?.name ?? "")
    return policy === undefined ? begun : policy.apply(begun)
  })
  return Effect.catchAllCause(new Pipeline([gateStage(visit.gate)]).through(inside), (cause) => {
    const after = afterCause(visit, cause)
    return after === "next" ? attempt(visit, policies, self) : Effect.failCause(after)
  })
}

const attemptStream = <A, E1, R, E>(
  visit: Visit,
  policies: Policies<E>,
  self: Stream.Stream<A, E1, R>
): Stream.Stream<A, E | E1 | NoEndpoint, R> => {
  const begun = Stream.suspend(() => {
    visit.began = true
    return self
  })
  let committed = false
  const inside = Stream.suspend((): Stream.Stream<A, E | E1, R> => {
    const policy = policies.get(visit.node?.name ?? "")
    return policy === undefined ? begun : policy.applyStream(begun)
  })
  const listening = Stream.mapChunks(inside, (chunk) => {
    if (!committed && chunk.length > 0) {
      committed = true
      visit.heard()
    }
    return chunk
  })
  return Stream.catchAllCause(streamThroughGate(visit.gate, listening), (cause) => {
    if (committed) return Stream.failCause(cause)
    const after = afterCause(visit, cause)
    return after === "next" ? attemptStream(visit, policies, self) : Stream.failCause(after)
  })
}

export const route = <A, E1, R, E>(
  pool: Pool,
  policies: Policies<E>,
  self: Effect.Effect<A, E1, R>
): Effect.Effect<A, E | E1 | NoEndpoint, R> => Effect.suspend(() => attempt(new Visit(pool), policies, self))

export const routeStream = <A, E1, R, E>(
  pool: Pool,
  policies: Policies<E>,
  self: Stream.Stream<A, E1, R>
): Stream.Stream<A, E | E1 | NoEndpoint, R> =>
  Stream.suspend(() => attemptStream(new Visit(pool), policies, self))

/** Where entries lie, and the guard that keeps a failing or hanging store from failing or hanging a call. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Entry } from "./entry.js"

/** What a store does, for logs and metrics. */
export type Operation = "get" | "set" | "remove"

/**
 * Where entries lie. A store may forget at any time and need not look at lifetimes, though it may drop an entry once
 * its `staleUntil` has passed.
 */
export interface Store<out E = never> {
  /** The entry under this key, `undefined` when there is none. */
  readonly get: (key: string) => Effect.Effect<Entry | undefined, E>
  /** Puts an entry in place of what the key had. */
  readonly set: (key: string, entry: Entry) => Effect.Effect<void, E>
  readonly remove: (key: string) => Effect.Effect<void, E>
}

/**
 * A store that does not fail and answers in time: what goes wrong, defects included, counts as nothing found and is
 * reported; what takes longer than `timeout` milliseconds is interrupted and not waited for, even if it cannot be
 * interrupted.
 */
export const guard = <E>(
  store: Store<E>,
  timeout: number,
  report: (operation: Operation, reason: "failure" | "timeout") => Effect.Effect<void>
): Store => {
  const attempt = <A>(operation: Operation, effect: () => Effect.Effect<A, E>, otherwise: A): Effect.Effect<A> =>
    Effect.suspend(effect).pipe(
      Effect.matchCauseEffect({
        onSuccess: Effect.succeed,
        onFailure: () => Effect.as(report(operation, "failure"), otherwise)
      }),
      // A fiber of its own: the caller may be interrupted, or be in no state to interrupt anything.
      Effect.interruptible,
      Effect.forkDaemon,
      Effect.flatMap((fiber) =>
        Effect.raceFirst(
          Effect.interruptible(Fiber.join(fiber)),
          Effect.interruptible(Effect.delay(Effect.as(report(operation, "timeout"), otherwise), timeout))
        ).pipe(Effect.ensuring(Fiber.interruptFork(fiber)))
      )
    )
  return {
    get: (key) => attempt("get", () => store.get(key), undefined),
    set: (key, entry) => attempt("set", () => store.set(key, entry), undefined),
    remove: (key) => attempt("remove", () => store.remove(key), undefined)
  }
}

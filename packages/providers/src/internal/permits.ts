/**
 * The connections of one endpoint: a fixed number of permits, first come, first served.
 *
 * Taking a permit and promising to give it back are one step, and a permit granted to a waiter that is interrupted
 * before it wakes goes to the next one; with a plain semaphore and a timeout around its `take` that permit is lost.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"

export interface Permits {
  readonly limit: number
  /** Takes a permit until the scope closes; waits for one when all are out. Only the wait is interruptible. */
  readonly take: Effect.Effect<void, never, Scope.Scope>
  /** Permits out at the moment. */
  readonly inUse: () => number
  readonly waiting: () => number
}

interface Waiter {
  granted: boolean
  readonly wake: () => void
}

export const make = (limit: number): Permits => {
  const waiters = new Set<Waiter>()
  let inUse = 0

  /** A permit that is given back goes straight to the first waiter. */
  const give = (): void => {
    for (const waiter of waiters) {
      waiters.delete(waiter)
      waiter.granted = true
      waiter.wake()
      return
    }
    inUse--
  }

  const take = Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.scope, (scope) => {
      const promise = Scope.addFinalizer(scope, Effect.sync(give))
      return Effect.suspend(() => {
        if (inUse < limit) {
          inUse++
          return promise
        }
        let mine: Waiter | undefined
        const wait = Effect.async<void>((resume) => {
          const waiter: Waiter = { granted: false, wake: () => resume(Effect.void) }
          mine = waiter
          waiters.add(waiter)
        })
        return Effect.matchCauseEffect(restore(wait), {
          onSuccess: () => promise,
          onFailure: (cause) => {
            if (mine?.granted === true) give()
            else if (mine !== undefined) waiters.delete(mine)
            return Effect.failCause(cause)
          }
        })
      })
    })
  )

  return { limit, take, inUse: () => inUse, waiting: () => waiters.size }
}

/**
 * Runs the effects, so many at a time. `Effect.forEach` with a concurrency would be shorter, but interrupted at an
 * unlucky moment it never ends.
 */
export const all = <A, E, R>(
  effects: ReadonlyArray<Effect.Effect<A, E, R>>,
  concurrency: number
): Effect.Effect<ReadonlyArray<A>, E, R> =>
  Effect.suspend(() => {
    const { take } = make(concurrency)
    return Effect.flatMap(
      Effect.forEach(effects, (effect) => Effect.fork(Effect.scoped(Effect.zipRight(take, effect)))),
      (fibers) => Effect.onInterrupt(Effect.forEach(fibers, Fiber.join), () => Fiber.interruptAll(fibers))
    )
  })

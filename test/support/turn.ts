/**
 * Virtual time for a hundred thousand calls: a clock that is turned by hand, and a scheduler that runs their fibers until
 * all of them wait. The tests' own clock looks for idle fibers in real time at each of its stops, of which there are
 * tens of thousands here.
 */
import { Clock, Duration, Effect, type Fiber, Runtime, Scheduler } from "effect"

export interface Turn {
  readonly clock: Clock.Clock
  /** Begins an effect on this time; it makes its first step when time is turned. */
  readonly start: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<Fiber.RuntimeFiber<A, E>, never, R>
  /** Runs every fiber until it waits, and then on for so long, stop by stop. */
  readonly pass: (duration: Duration.DurationInput) => Effect.Effect<void>
  /** Called between two rounds of the scheduler, when some fibers are in the middle of something. */
  readonly eachRound: (task: () => void) => void
  /** Sleepers that nobody has woken or interrupted. */
  readonly sleeping: Effect.Effect<number>
}

/** Far more rounds than anything takes that ends. */
const endless = 1_000_000

/** The sleepers of a clock, by the time at which they wake. What was interrupted leaves nothing behind. */
const makeSleepers = () => {
  const groups = new Map<number, Set<() => void>>()
  /** The keys of `groups`, latest first. */
  const times: Array<number> = []
  const placeOf = (at: number): number => {
    let low = 0
    for (let high = times.length; low < high;) {
      const middle = (low + high) >> 1
      if (times[middle]! > at) low = middle + 1
      else high = middle
    }
    return low
  }
  const groupAt = (at: number): Set<() => void> => {
    const known = groups.get(at)
    if (known !== undefined) return known
    const made = new Set<() => void>()
    groups.set(at, made)
    times.splice(placeOf(at), 0, at)
    return made
  }
  return {
    add: (at: number, wake: () => void): (() => void) => {
      const group = groupAt(at).add(wake)
      return () => {
        group.delete(wake)
        if (group.size > 0 || groups.get(at) !== group) return
        groups.delete(at)
        times.splice(placeOf(at), 1)
      }
    },
    next: (): number => times.at(-1) ?? Infinity,
    wakeNext: (): void => {
      const at = times.pop()!
      const due = groups.get(at)!
      groups.delete(at)
      for (const wake of due) wake()
    },
    count: (): number => [...groups.values()].reduce((sum, group) => sum + group.size, 0)
  }
}

export const makeTurn = (): Turn => {
  let now = 0
  let betweenRounds = () => {}
  const sleepers = makeSleepers()
  const nanos = () => BigInt(now) * 1_000_000n
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: nanos,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(nanos),
    // Timers count whole milliseconds.
    sleep: (duration) =>
      Effect.async<void>((resume) =>
        Effect.sync(sleepers.add(now + Math.ceil(Duration.toMillis(duration)), () => resume(Effect.void)))
      )
  }
  const scheduler = new Scheduler.ControlledScheduler()
  const settle = (): void => {
    for (let round = 0; scheduler.tasks.buckets.length > 0; round++) {
      if (round > endless) throw new Error(`Some fibers go on and on at ${now} ms.`)
      scheduler.step()
      betweenRounds()
    }
  }
  return {
    clock,
    start: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.map(Effect.runtime<R>(), (runtime) =>
        Runtime.runFork(runtime, Effect.withClock(effect, clock), { scheduler, immediate: false })),
    pass: (duration) =>
      Effect.sync(() => {
        const end = now + Duration.toMillis(duration)
        settle()
        while (sleepers.next() <= end) {
          now = Math.max(now, sleepers.next())
          sleepers.wakeNext()
          settle()
        }
        now = end
      }),
    eachRound: (task) => {
      betweenRounds = task
    },
    sleeping: Effect.sync(sleepers.count)
  }
}

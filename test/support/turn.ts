/**
 * Virtual time for a hundred thousand calls: a clock that is turned by hand, and a scheduler that runs their fibers until
 * all of them wait. The tests' own clock looks for idle fibers in real time at each of its stops, of which there are
 * tens of thousands here.
 */
import { Clock, Duration, Effect, type Fiber, FiberId, Runtime, Scheduler } from "effect"

export interface Turn {
  readonly clock: Clock.Clock
  /**
   * Begins an effect on this time; it makes its first step when time is turned. With `leaves` it is interrupted the
   * moment it is to go on for so many times: after a wait is over, and before it can notice.
   */
  readonly start: <A, E, R>(
    effect: Effect.Effect<A, E, R>,
    leaves?: number
  ) => Effect.Effect<Fiber.RuntimeFiber<A, E>, never, R>
  /** Runs every fiber until it waits, and then on for so long, stop by stop. */
  readonly pass: (duration: Duration.DurationInput) => Effect.Effect<void>
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

/** Runs fibers when it is told to, and interrupts some of them between being woken and going on. */
class Rounds extends Scheduler.ControlledScheduler {
  /** How many more times a fiber may go on. */
  private readonly left = new WeakMap<object, number>()

  start<A, E, R>(runtime: Runtime.Runtime<R>, effect: Effect.Effect<A, E, R>, leaves: number) {
    const fiber = Runtime.runFork(runtime, effect, { scheduler: this, immediate: false })
    // It is about to begin, which is the first time.
    if (leaves === 1) fiber.unsafeInterruptAsFork(FiberId.none)
    else if (leaves < Infinity) this.left.set(fiber, leaves - 1)
    return fiber
  }

  override scheduleTask(task: Scheduler.Task, priority: number, fiber?: Fiber.RuntimeFiber<unknown, unknown>): void {
    super.scheduleTask(task, priority, fiber)
    const left = fiber === undefined ? undefined : this.left.get(fiber)
    if (fiber === undefined || left === undefined) return
    this.left.set(fiber, left - 1)
    if (left === 1) fiber.unsafeInterruptAsFork(FiberId.none)
  }
}

export const makeTurn = (): Turn => {
  let now = 0
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
  const rounds = new Rounds()
  const settle = (): void => {
    for (let round = 0; rounds.tasks.buckets.length > 0; round++) {
      if (round > endless) throw new Error(`Some fibers go on and on at ${now} ms.`)
      rounds.step()
    }
  }
  return {
    clock,
    start: <A, E, R>(effect: Effect.Effect<A, E, R>, leaves = Infinity) =>
      Effect.map(Effect.runtime<R>(), (runtime) => rounds.start(runtime, Effect.withClock(effect, clock), leaves)),
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
    sleeping: Effect.sync(sleepers.count)
  }
}

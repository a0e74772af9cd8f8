/** The most attempts that a schedule allows, carried by the schedule itself where it is known. */
import type * as Schedule from "effect/Schedule"

const Bound: unique symbol = Symbol.for("@holdfast/Schedule/maxAttempts")

interface Bounded {
  readonly [Bound]?: number
}

/** States that a schedule allows at most so many attempts, the first one included. */
export const bounded = <S extends Schedule.Schedule<unknown, never, unknown>>(schedule: S, attempts: number): S =>
  Object.assign(schedule, { [Bound]: attempts })

/** The bound; `Infinity` when nothing is known. Combinators of others drop it, which errs on the safe side. */
export const boundOf = (schedule: object): number => (schedule as Bounded)[Bound] ?? Infinity

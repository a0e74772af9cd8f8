/**
 * Even chance. Independent draws clump: of 10,000 over six hours, some minute gets 1.6 times its share. After one
 * random start, each draw steps on by the golden ratio, so that any run of draws lies evenly over [0, 1), and several
 * processes, each with its own start, still add up to an even load.
 */
import * as Effect from "effect/Effect"
import type * as Random from "effect/Random"

const golden = (Math.sqrt(5) - 1) / 2

/** Draws from [0, 1). A new source of randomness starts anew, so that a seed gives the same draws again. */
export const make = (): Effect.Effect<number> => {
  let source: Random.Random | undefined
  let last = 0
  return Effect.randomWith((random) => {
    if (random === source) {
      last = (last + golden) % 1
      return Effect.succeed(last)
    }
    return Effect.map(random.next, (u) => {
      source = random
      last = u
      return u
    })
  })
}

/**
 * Power of two choices: two are drawn by weight and the better one is taken. Comparing two drawn at random spreads
 * calls almost as well as comparing all, and never sends everybody to the same one at once. Pure.
 */

/** The place that a number in [0, 1) falls on, of places as wide as their weights; `without` is left out. */
export const drawn = (weights: ReadonlyArray<number>, chance: number, without = -1): number => {
  let sum = 0
  for (const [i, weight] of weights.entries()) if (i !== without) sum += weight
  let rest = chance * sum
  let last = -1
  for (const [i, weight] of weights.entries()) {
    if (i === without) continue
    last = i
    rest -= weight
    if (rest < 0) return i
  }
  // What rounding leaves over.
  return last
}

/**
 * A score must be lower by this share to overrule the draw: latencies of generations differ by as much from call to
 * call, and endpoints that are as good as each other should get their shares by weight.
 */
export const margin = 0.1

/** One of several, at least one, by weight and score (lower is better); `chance` gives numbers in [0, 1). */
export const choose = (
  weights: ReadonlyArray<number>,
  scoreOf: (place: number) => number,
  chance: () => number
): number => {
  if (weights.length === 1) return 0
  const first = drawn(weights, chance())
  const second = drawn(weights, chance(), first)
  return scoreOf(second) < scoreOf(first) * (1 - margin) ? second : first
}

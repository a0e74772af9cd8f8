/**
 * Seeded random streams that are named, so that adding a draw in one place changes nothing in another.
 *
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand). `Random` of Effect is asked for a seed only: the capacity
 * and the service times have to be the same for every policy under comparison, whatever else draws a number.
 */

/** Uniform in [0, 1), 32 bits. */
export type Uniform = () => number

const scramble = (h: number): number => {
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad)
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97)
  return (h ^ (h >>> 15)) >>> 0
}

/** 32 bits that depend on every character. */
export const hashText = (text: string, start = 0x811c9dc5): number => {
  let h = start
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return scramble(h)
}

const hashNumber = (n: number, start: number): number =>
  Number.isSafeInteger(n)
    ? scramble((scramble((n | 0) ^ start) ^ Math.floor(n / 0x1_0000_0000)) | 0)
    : hashText(String(n), start)

/** A stream of its own for each seed, name and key. */
export const stream = (seed: number, name: string, key: number | string = 0): Uniform => {
  const named = hashText(name)
  let a = hashNumber(seed, 0x9e3779b9) | 0
  let b = named | 0
  let c = (typeof key === "number" ? hashNumber(key, named) : hashText(key, named)) | 0
  let d = 1
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + t) | 0
    return t >>> 0
  }
  for (let i = 0; i < 12; i++) next()
  return () => next() / 0x1_0000_0000
}

/** Standard normal, by Box and Muller; takes two draws. */
export const normal = (uniform: Uniform): number =>
  Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())

export interface Lognormal {
  readonly mean: number
  readonly cv: number
  readonly min: number
  readonly max: number
}

/** A lognormal variate of that mean and coefficient of variation, clamped to `min`-`max`. */
export const lognormal = (self: Lognormal, uniform: Uniform): number => {
  const variance = Math.log(1 + self.cv * self.cv)
  const value = self.mean * Math.exp(Math.sqrt(variance) * normal(uniform) - variance / 2)
  return Math.min(self.max, Math.max(self.min, value))
}

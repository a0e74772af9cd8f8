/** What a soak keeps in memory. */
import { expect } from "@effect/vitest"

/** Bytes by which memory may grow once everything is warm. */
const most = 5_000_000

/** Bytes in use after a collection, those of byte arrays included. Without a collector there is nothing to compare. */
export const heap = (): number => {
  const { gc } = globalThis
  if (gc === undefined) throw new Error("There is no garbage collector at hand: start with `npm run soak`, or --expose-gc.")
  gc()
  gc()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

export const expectFlat = (grown: number): void => expect(grown, "bytes of memory more than after warm-up").toBeLessThan(most)

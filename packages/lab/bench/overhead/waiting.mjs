/** Bytes that each of so many waiting calls costs, in a process of its own. Arguments: who waits, how many. */
import { bulkhead } from "cockatiel"
import * as Effect from "effect/Effect"
import * as Admission from "holdfast/Admission"
import * as Bulkhead from "holdfast/Bulkhead"
import * as GenerationError from "holdfast/GenerationError"

const [name, count] = process.argv.slice(2)
const calls = Number(count)
const inside = () => {
  throw new Error("A call that should wait has started.")
}
/** What can wake the fibers of `fiber`: it must outlive the loop, or it is collected and they weigh less. */
const wakers = []
const forked = (effect) => () => Effect.runFork(effect)

/** Each makes what starts one call that waits. */
const waits = {
  /** A fiber and what can wake it, which nobody who waits can do without. */
  fiber: () => forked(Effect.async((resume) => void wakers.push(resume))),
  semaphore: async () => {
    const permits = Effect.unsafeMakeSemaphore(1)
    Effect.runFork(permits.withPermits(1)(Effect.never))
    return forked(permits.withPermits(1)(Effect.sync(inside)))
  },
  cockatiel: () => {
    const policy = bulkhead(1, calls)
    void policy.execute(() => new Promise(() => {}))
    return () => policy.execute(inside)
  },
  bulkhead: async () => {
    const policy = await Effect.runPromise(Bulkhead.make({ limit: 1, queue: calls }))
    Effect.runFork(policy.apply(Effect.never))
    return forked(policy.apply(Effect.sync(inside)))
  },
  admission: async () => {
    const policy = await Effect.runPromise(Admission.make({ maxWaiting: calls }))
    // Overload has begun: some calls at once were rejected, so that the next ones wait for their turn in the pace.
    const busy = Effect.delay(new GenerationError.Overloaded({ message: "overloaded" }), "1 millis")
    await Effect.runPromiseExit(Effect.all(Array.from({ length: 10 }, () => Effect.exit(policy.apply(busy))), { concurrency: 10 }))
    return forked(policy.apply(Effect.never))
  }
}

const used = () => {
  for (let i = 0; i < 4; i++) globalThis.gc()
  return process.memoryUsage().heapUsed
}

const start = await waits[name]()
const waiting = new Array(calls)
const before = used()
for (let i = 0; i < calls; i++) waiting[i] = start()
await new Promise((resolve) => setTimeout(resolve, 50))
// The array that holds the calls is the bench's own.
const bytes = (used() - before) / calls
if (waiting.length !== calls || wakers.length > calls) throw new Error("The calls are gone.")
process.stdout.write(JSON.stringify({ bytes }), () => process.exit(0))

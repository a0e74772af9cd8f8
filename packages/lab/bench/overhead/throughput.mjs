/** One subject in a process of its own: nanoseconds and bytes a call. Arguments: the subject's name, calls in a batch. */
import { subjects } from "./subjects.mjs"

const batches = 5
const [name, size] = process.argv.slice(2)
const calls = Number(size)
const run = await subjects[name]()

const timed = async () => {
  const start = process.hrtime.bigint()
  await run(calls)
  return Number(process.hrtime.bigint() - start) / calls
}

/** What a small batch leaves on a heap that is not collected meanwhile. */
const allocated = async () => {
  const few = Math.min(calls, 2000)
  globalThis.gc()
  const before = process.memoryUsage().heapUsed
  await run(few)
  return (process.memoryUsage().heapUsed - before) / few
}

const least = async (measure) => {
  const found = []
  for (let i = 0; i < batches; i++) found.push(await measure())
  return Math.min(...found)
}

await run(calls)
const nanos = await least(timed)
process.stdout.write(JSON.stringify({ nanos, bytes: await least(allocated) }))

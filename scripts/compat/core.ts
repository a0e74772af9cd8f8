// The core alone: no Node, so that Bun and Deno run the same file.
import { Backoff, GenerationError } from "holdfast"
import * as Sub from "holdfast/Backoff"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"

// @ts-expect-error internals are closed to users
import type {} from "holdfast/internal/timer"

const overloaded = new GenerationError.Overloaded({
  endpoint: "gemini",
  model: "nano-banana",
  message: "The model is overloaded.",
  outcome: "not-started"
})

let attempts = 0
const call = Effect.suspend(() => ++attempts < 3 ? Effect.fail(overloaded) : Effect.succeed("image"))

const program = Effect.gen(function*() {
  const fiber = yield* Effect.fork(Effect.retry(call, Backoff.exponential({ base: "1 second" })))
  yield* TestClock.adjust("1 hour")
  return yield* Fiber.join(fiber)
}).pipe(Effect.provide(TestContext.TestContext))

if (Sub.exponential !== Backoff.exponential) throw new Error("The barrel and the sub-path are two modules.")
const internal: string = "holdfast/internal/timer"
const opened = await import(internal).then(() => true, () => false)
if (opened) throw new Error("holdfast/internal is open.")
console.log(await Effect.runPromise(program), attempts)

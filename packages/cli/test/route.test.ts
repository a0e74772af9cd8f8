import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, TestClock } from "effect"
import { Generation, GenerationCache, GenerationClient, GenerationError, Telemetry } from "holdfast"
import { CurrentCall } from "holdfast/CurrentCall"
import * as Policy from "../src/generation/policy.js"
import * as Route from "../src/generation/route.js"

/** A client that answers by endpoint, and keeps where each attempt went. */
const clientOf = (answers: Readonly<Record<string, GenerationError.Tag | "ok">>) => {
  const seen: Array<string> = []
  const service: GenerationClient.Service = {
    generate: () =>
      Effect.flatMap(CurrentCall, ({ endpoint = "none", model = "none" }) => {
        seen.push(`${endpoint}/${model}`)
        const answer = answers[endpoint] ?? "ok"
        return answer === "ok"
          ? Effect.succeed({
              parts: [{ _tag: "Text" as const, text: "done" }],
              usage: {},
              finishReason: "STOP",
              endpoint,
              model,
              attempts: []
            })
          : Effect.fail(GenerationError.make(answer, { endpoint, model, message: answer }))
      }),
    stream: () => {
      throw new Error("not streamed")
    }
  }
  return { seen, service }
}

const run = (answers: Readonly<Record<string, GenerationError.Tag | "ok">>, attempts = 4) =>
  Effect.gen(function*() {
    const { seen, service } = clientOf(answers)
    const route = Route.make(Object.keys(answers).map((name) => ({ name, model: `m-${name}` })))
    const policy = Policy.make({ route, deadline: 300_000, attempts, speed: 1 })
    const services = Layer.mergeAll(
      Layer.succeed(GenerationClient.GenerationClient, service),
      GenerationCache.layerNoop,
      Telemetry.layerNoop
    )
    const fiber = yield* Effect.fork(
      Effect.either(
        Effect.provide(
          Generation.generate({ prompt: "x" }),
          Layer.provide(Generation.layer({ policy, deadline: 300_000 }), services)
        )
      )
    )
    yield* TestClock.adjust("6 minutes")
    return { seen, result: yield* Fiber.join(fiber), attempts: route.attempts() }
  })

describe("the route of a generation", () => {
  it.effect("goes to the next endpoint at each retry, with the model of that endpoint", () =>
    Effect.gen(function*() {
      const { attempts, result, seen } = yield* run({ a: "Overloaded", b: "Overloaded", c: "ok" })
      expect(seen).toEqual(["a/m-a", "b/m-b", "c/m-c"])
      expect(result._tag).toBe("Right")
      expect(attempts.map(({ endpoint }) => endpoint)).toEqual(["a", "b", "c"])
    })
  )

  it.effect("comes round to the first again", () =>
    Effect.gen(function*() {
      const { seen } = yield* run({ a: "Overloaded", b: "Transient" })
      expect(seen).toEqual(["a/m-a", "b/m-b", "a/m-a", "b/m-b"])
    })
  )

  it.effect("leaves out an endpoint whose key is refused, and ends when none is left", () =>
    Effect.gen(function*() {
      const one = yield* run({ a: "Unauthorized", b: "Overloaded" })
      expect(one.seen).toEqual(["a/m-a", "b/m-b", "b/m-b", "b/m-b"])
      const none = yield* run({ a: "Unauthorized", b: "QuotaExhausted" })
      expect(none.seen).toEqual(["a/m-a", "b/m-b"])
      expect(none.result).toMatchObject({ left: { _tag: "QuotaExhausted", stoppedBy: "fatal" } })
    })
  )

  it.effect("does not carry a refused prompt from one endpoint to the next", () =>
    Effect.gen(function*() {
      const { seen } = yield* run({ a: "ContentBlocked", b: "ok" })
      expect(seen).toEqual(["a/m-a"])
    })
  )

  it.effect("makes one attempt where one is allowed", () =>
    Effect.gen(function*() {
      const { result, seen } = yield* run({ a: "Overloaded" }, 1)
      expect(seen).toHaveLength(1)
      expect(result).toMatchObject({ left: { _tag: "Overloaded", stoppedBy: "schedule" } })
    })
  )
})

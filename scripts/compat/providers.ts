// Clients and test server on Node: an image through one 503, over a real socket of this machine.
import { FetchHttpClient } from "@effect/platform"
import { Gemini } from "@holdfast/providers"
import { UndiciHttp } from "@holdfast/providers/node"
import { OverloadServer } from "@holdfast/testing/node"
import { Effect, Layer, Redacted } from "effect"
import { Backoff, Generated, Generation, GenerationCache, Retry, Telemetry } from "holdfast"

const program = Effect.gen(function*() {
  const server = yield* OverloadServer.make({ speed: 200, faults: [{ fault: "503" }] })
  const generate = (http: typeof FetchHttpClient.layer) => {
    const client = Gemini.layer({ apiKey: Redacted.make("no-key"), baseUrl: server.url }).pipe(Layer.provide(http))
    const policy = Retry.make({ schedule: Backoff.exponential({ base: "10 millis" }) })
    const live = Generation.layer({ policy, deadline: "20 seconds" }).pipe(
      Layer.provide([client, GenerationCache.layerNoop, Telemetry.layerNoop])
    )
    return Generation.generate({ prompt: "a cute cat" }).pipe(Effect.provide(live))
  }
  const first = yield* generate(UndiciHttp.layer())
  const second = yield* generate(FetchHttpClient.layer)
  for (const result of [first, second]) {
    const [image] = Generated.images(result)
    if (image?.mimeType !== "image/png") throw new Error(`No PNG but ${image?.mimeType}.`)
  }
  return `${first.attempts.length} attempts through undici, ${second.attempts.length} through fetch`
})

const said = await Effect.runPromise(Effect.scoped(program))
if (said !== "2 attempts through undici, 1 through fetch") throw new Error(said)
console.log(said)

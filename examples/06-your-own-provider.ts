/** 06. A provider that Holdfast does not know: one exchange as a layer. Policies and telemetry stand around it. */
import * as Classifier from "@holdfast/providers/Classifier"
import { Effect, Layer, Stream } from "effect"
import { Backoff, type Generated, Generation, GenerationCache, GenerationClient, GenerationError } from "holdfast"
import { Retry, Telemetry } from "holdfast"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** POST /draw answers `{ "png": "<base64>" }`. */
const layer = (url: string, endpoint = "atelier", model = "brush-1") =>
  Layer.succeed(GenerationClient.GenerationClient, {
    generate: (request) =>
      Effect.gen(function*() {
        const context = { endpoint, model, secrets: [request.prompt] }
        const failed = (cause: unknown) => Classifier.fromException(cause, context)
        const text = JSON.stringify({ text: request.prompt })
        // `signal`: an interrupted attempt closes its connection.
        const response = yield* Effect.tryPromise({
          try: (signal) => fetch(`${url}/draw`, { method: "POST", body: text, signal }),
          catch: failed
        })
        const body = yield* Effect.tryPromise({ try: () => response.text(), catch: failed })
        const headers = Object.fromEntries(response.headers)
        const classify = () => Classifier.classify({ ...context, status: response.status, headers, body })
        if (!response.ok) return yield* Effect.fail(classify())
        const { png } = yield* Effect.try({ try: () => JSON.parse(body) as { png: string }, catch: classify })
        const result: Generated.Generated = {
          parts: [{ _tag: "Image", mimeType: "image/png", bytes: Buffer.from(png, "base64") }],
          usage: {},
          finishReason: "done",
          endpoint,
          model,
          attempts: []
        }
        return result
      }),
    stream: () => Stream.fail(new GenerationError.InvalidRequest({ message: "no streams", outcome: "not-started" }))
  })

/** A stand-in for the provider: busy, then cut off, then well. */
const server = createServer((request, response) => {
  const turn = ++calls
  request.resume().on("end", () => {
    if (turn === 1) response.writeHead(503).end(`{"error":"no free brush, please try again later"}`)
    else if (turn === 2) response.destroy()
    else response.end(JSON.stringify({ png: Buffer.from("not really a PNG").toString("base64") }))
  })
})
let calls = 0
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))

const Client = layer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
const policy = Retry.make({ schedule: Backoff.exponential({ base: "10 millis" }), maxAttempts: 5 })
const Live = Layer.provide(Generation.layer({ policy }), [Client, GenerationCache.layerNoop, Telemetry.layer()])
const { attempts } = await Effect.runPromise(Effect.provide(Generation.generate({ prompt: "a boat" }), Live))
for (const { error, number } of attempts) {
  console.log(`attempt ${number}: ${error === undefined ? "success" : `${error._tag}, ${error.outcome}`}`)
}
server.close()

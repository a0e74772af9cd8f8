/** 04. A route that makes images. A busy model becomes a 503 that says when to come back, not a 500. */
import { FetchHttpClient, HttpClient, HttpRouter, HttpServer, HttpServerRequest } from "@effect/platform"
import { HttpServerResponse } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Console, Duration, Effect, Layer, Schema } from "effect"
import { Generated, Generation, GenerationCache, GenerationClient, GenerationError, Retry, Telemetry } from "holdfast"
import { createServer } from "node:http"

const Query = Schema.Struct({ prompt: Schema.NonEmptyTrimmedString })

const answer = (status: number, error: string, retryAfter?: Duration.Duration) =>
  HttpServerResponse.unsafeJson({ error }, {
    status,
    headers: retryAfter === undefined ? {} : { "retry-after": String(Math.ceil(Duration.toSeconds(retryAfter))) }
  })

const image = Effect.gen(function*() {
  const { prompt } = yield* HttpServerRequest.schemaSearchParams(Query)
  const [first] = Generated.images(yield* Generation.generate({ prompt }))
  return first === undefined
    ? answer(502, "no image")
    : HttpServerResponse.uint8Array(first.bytes, { contentType: first.mimeType })
}).pipe(
  Effect.catchTags({
    ParseError: () => Effect.succeed(answer(400, "add ?prompt=…")),
    ContentBlocked: () => Effect.succeed(answer(422, "this prompt was refused")),
    // The provider's own time where it gave one, else a guess.
    Overloaded: (error) => Effect.succeed(answer(503, "the model is busy", error.retryAfter ?? Duration.seconds(30))),
    DeadlineExceeded: () => Effect.succeed(answer(503, "the model is slow", Duration.minutes(1)))
  }),
  // The rest is nobody's business but ours: the class goes to the log, and only the status to the caller.
  Effect.catchAll((error) => Effect.as(Effect.logWarning(error._tag), answer(502, "no image")))
)

const App = HttpRouter.empty.pipe(HttpRouter.get("/image", image), HttpServer.serve())

// In production: a provider's layer instead of the script.
const overloaded = new GenerationError.Overloaded({ message: "The model is overloaded", retryAfter: "12 seconds" })
const Images = Generation.layer({ policy: Retry.make({ maxAttempts: 1 }), deadline: "2 minutes" }).pipe(
  Layer.provide([GenerationClient.layerTest([{}, overloaded]), GenerationCache.layerMemory(), Telemetry.layer()])
)
const Server = NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })

const program = HttpServer.addressFormattedWith((address) =>
  Effect.forEach(["a boat", "another boat", "a boat", ""], (prompt) =>
    Effect.gen(function*() {
      const response = yield* HttpClient.get(`${address}/image`, { urlParams: { prompt } })
      const { length } = new Uint8Array(yield* response.arrayBuffer)
      const { "content-type": type, "retry-after": wait } = response.headers
      yield* Console.log(`${response.status} ${type}, ${length > 0 ? "a body" : "no body"}, retry-after ${wait ?? "-"}`)
    }))
)

await Effect.runPromise(
  program.pipe(Effect.provide(App), Effect.provide([Server, Images, FetchHttpClient.layer]))
)

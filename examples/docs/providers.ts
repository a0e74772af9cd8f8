import { OpenAiClient } from "@effect/ai-openai"
import { FetchHttpClient, HttpClient, type HttpClientError } from "@effect/platform"
import { Clients, Gemini, OpenAiCompatible, ResilientHttpClient, Vertex, VertexCredentials } from "@holdfast/providers"
import { UndiciHttp } from "@holdfast/providers/node"
import { Config, Effect, Layer, Option } from "effect"
import { GenerationClient, Retry } from "holdfast"

/** One provider, out of the environment. */
export const Google = Gemini.layerConfig().pipe(Layer.provide(FetchHttpClient.layer))

/** A relay that speaks Gemini's dialect, wants a bearer token, and is known by a name of its own. */
export const Relay = Layer.unwrapEffect(
  Effect.map(Config.redacted("RELAY_KEY"), (apiKey) =>
    Gemini.layer({
      endpoint: "relay",
      baseUrl: "https://relay.example",
      apiKey,
      auth: "bearer",
      model: "nano-banana-pro",
      maxConnections: 20,
      timeouts: { headers: "5 minutes" }
    }))
)

/** Several endpoints behind one service: routing policies say which by `CurrentCall`. */
export const Several = Layer.effect(
  GenerationClient.GenerationClient,
  Effect.gen(function*() {
    const google = yield* Gemini.make({ ...(yield* Gemini.config), endpoint: "google" })
    const relay = yield* OpenAiCompatible.make({ ...(yield* OpenAiCompatible.config), endpoint: "relay" })
    return Clients.byEndpoint({ google, relay })
  })
)

/** Vertex AI with a token that somebody else keeps fresh. */
export const GoogleCloud = Layer.unwrapEffect(
  Effect.map(Config.redacted("MY_TOKEN"), (token) =>
    Vertex.layer({ project: "my-project", location: "global" }).pipe(
      Layer.provide(VertexCredentials.layerToken(token))
    ))
)

/** On Node: exact phases, and links to images checked after their names are resolved. */
export const OnNode = Gemini.layerConfig({
  timeouts: { connect: "5 seconds", headers: "3 minutes" }
}).pipe(Layer.provide(UndiciHttp.layer()))

/** A client that others have built on `HttpClient`, here of `@effect/ai-openai`. */
export const Resilient = OpenAiClient.layerConfig({
  apiKey: Config.redacted("OPENAI_API_KEY"),
  transformClient: ResilientHttpClient.make({ policy: Retry.make(), dialect: "openai" })
}).pipe(Layer.provide(FetchHttpClient.layer))

/** What an error of such a client was about. */
export const why = (error: HttpClientError.HttpClientError): string =>
  Option.match(ResilientHttpClient.generationError(error), {
    onNone: () => error.message,
    onSome: (known) => `${known._tag} after ${known.attempts?.length ?? 1} attempts`
  })

/** Any `HttpClient` will do. */
export const fetchJson = (url: string) =>
  Effect.flatMap(HttpClient.HttpClient, (http) =>
    Effect.flatMap(ResilientHttpClient.make({ policy: Retry.make() })(http).get(url), (response) => response.json))

/**
 * Any endpoint that speaks OpenAI's dialect: relays, gateways, Google's own compatible endpoint, OpenAI itself.
 *
 * `api: "chat"` calls `chat/completions` and finds the image wherever the relay put it; `api: "images"` calls
 * `images/generations`. One call is one exchange with one endpoint and protects nothing: put policies around it with
 * `Generation`. Images that are only linked to are fetched under the limits of `HostedImages`.
 */
import type { HttpClient } from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { GenerationClient, type Service } from "holdfast/GenerationClient"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import type { ClientOptions } from "./ClientOptions.js"
import * as Check from "./internal/check.js"
import * as Client from "./internal/client.js"
import * as ClientConfig from "./internal/clientConfig.js"
import * as Json from "./internal/json.js"
import * as OpenAiWire from "./internal/openAiWire.js"
import { isBlock } from "./internal/blockReasons.js"

export interface Options extends ClientOptions {
  readonly apiKey: Redacted.Redacted
  /** The address before `/chat/completions`, with its version. Default: OpenAI's. */
  readonly baseUrl?: string | undefined
  /** Which of the two calls. Default `"chat"`. */
  readonly api?: "chat" | "images" | undefined
  /** Further fields of every request's body, put over ours; `undefined` removes a field that a relay refuses. */
  readonly body?: Readonly<Record<string, unknown>> | undefined
}

/** What holds where an option is left out. */
export const defaults = {
  baseUrl: "https://api.openai.com/v1",
  model: "gemini-3-pro-image-preview",
  api: "chat"
} as const

const unsupported = (request: GenerationRequest): string | undefined =>
  (request.images ?? []).length > 0
    ? "images/generations takes no reference images; use an endpoint with api: \"chat\""
    : request.modalities !== undefined && !request.modalities.every((modality) => modality === "image")
      ? "images/generations answers with images only; use an endpoint with api: \"chat\""
      : undefined

/** The client as a value. Dies with a `RangeError` that names the field when an option is not legal. */
export const make = (options: Options): Effect.Effect<Service, never, HttpClient> =>
  Effect.suspend(() => {
    const base = Check.baseUrl("baseUrl", options.baseUrl ?? defaults.baseUrl)
    const key = Check.headerValue("apiKey", Check.nonEmpty("apiKey", Redacted.value(options.apiKey)))
    const isImages = (options.api ?? defaults.api) === "images"
    return Client.make(
      {
        dialect: "openai",
        baseUrl: base,
        model: Check.nonEmpty("model", options.model ?? defaults.model),
        url: () => `${base}/${isImages ? "images/generations" : "chat/completions"}`,
        encode: (request, model, streamed) =>
          Json.compact({
            ...(isImages
              ? OpenAiWire.encodeImages(request, model)
              : OpenAiWire.encodeChat(request, model, streamed)),
            ...options.body
          }),
        decode: OpenAiWire.decode,
        unsupported: isImages ? unsupported : undefined,
        isBlock,
        makesSeveral: isImages,
        streams: !isImages,
        credentials: { current: () => Effect.succeed([["authorization", `Bearer ${key}`]]) }
      },
      options
    )
  })

/** The client as a layer. */
export const layer = (options: Options): Layer.Layer<GenerationClient, never, HttpClient> =>
  Layer.effect(GenerationClient, make(options))

const environment = {
  baseUrl: ClientConfig.baseUrl("OPENAI_BASE_URL", defaults.baseUrl),
  model: ClientConfig.text("OPENAI_MODEL", defaults.model)
}

/** The options out of `OPENAI_API_KEY`, `OPENAI_BASE_URL` and `OPENAI_MODEL`. */
export const config: Config.Config<Pick<Options, "apiKey" | "baseUrl" | "model">> = Config.all({
  ...environment,
  apiKey: ClientConfig.secret("OPENAI_API_KEY")
})

/** The client as a layer, out of the configuration; options given here come first. */
export const layerConfig = (
  options: Partial<Options> = {}
): Layer.Layer<GenerationClient, ConfigError, HttpClient> => {
  const { apiKey } = options
  const found = apiKey === undefined ? config : Config.map(Config.all(environment), (rest) => ({ ...rest, apiKey }))
  return Layer.effect(
    GenerationClient,
    Effect.flatMap(found, (fromEnvironment) => make({ ...fromEnvironment, ...ClientConfig.given(options) }))
  )
}

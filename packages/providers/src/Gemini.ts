/**
 * The Gemini Developer API, and relays that speak its dialect: `generateContent` and `streamGenerateContent`.
 *
 * One call is one exchange with one endpoint and protects nothing: put policies around it with `Generation`. The key
 * travels in a header field, never in the URL. Image models make one result an exchange (they refuse
 * `candidateCount`), so a request for several makes as many exchanges and hands out what they made.
 */
import type { HttpClient } from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { GenerationClient, type Service } from "holdfast/GenerationClient"
import type { ClientOptions } from "./ClientOptions.js"
import * as Check from "./internal/check.js"
import * as Client from "./internal/client.js"
import * as ClientConfig from "./internal/clientConfig.js"
import type { Fields } from "./internal/codec.js"
import * as GeminiWire from "./internal/geminiWire.js"
import { isBlock } from "./internal/blockReasons.js"

export interface Options extends ClientOptions {
  readonly apiKey: Redacted.Redacted
  /**
   * Where the API lives. The version (`/v1beta`) is added unless the path ends in one. Default: Google's.
   * Image options exist on `v1beta` only.
   */
  readonly baseUrl?: string | undefined
  /** How the key is sent: Google wants `x-goog-api-key`, some relays a bearer token. Default `"x-goog-api-key"`. */
  readonly auth?: "x-goog-api-key" | "bearer" | undefined
}

/** What holds where an option is left out. */
export const defaults = {
  baseUrl: "https://generativelanguage.googleapis.com/v1beta",
  model: "gemini-3-pro-image-preview",
  auth: "x-goog-api-key"
} as const

const versioned = (base: string): string => (/\/v\d+(?:(?:alpha|beta)\d*)?$/.test(base) ? base : `${base}/v1beta`)

/** `models/NAME` unless the name is a path already. */
const path = (model: string): string =>
  (model.includes("/") ? model : `models/${model}`).split("/").map(encodeURIComponent).join("/")

/** The client as a value. Dies with a `RangeError` that names the field when an option is not legal. */
export const make = (options: Options): Effect.Effect<Service, never, HttpClient> =>
  Effect.suspend(() => {
    const base = versioned(Check.baseUrl("baseUrl", options.baseUrl ?? defaults.baseUrl))
    const key = Check.headerValue("apiKey", Check.nonEmpty("apiKey", Redacted.value(options.apiKey)))
    const fields: Fields =
      (options.auth ?? defaults.auth) === "bearer" ? [["authorization", `Bearer ${key}`]] : [["x-goog-api-key", key]]
    return Client.make(
      {
        dialect: "gemini",
        baseUrl: base,
        model: Check.nonEmpty("model", options.model ?? defaults.model),
        url: (model, streamed) =>
          `${base}/${path(model)}:${streamed ? "streamGenerateContent?alt=sse" : "generateContent"}`,
        encode: GeminiWire.encode,
        decode: GeminiWire.decode,
        isBlock,
        makesSeveral: false,
        streams: true,
        credentials: { current: () => Effect.succeed(fields) }
      },
      options
    )
  })

/** The client as a layer. */
export const layer = (options: Options): Layer.Layer<GenerationClient, never, HttpClient> =>
  Layer.effect(GenerationClient, make(options))

const environment = {
  baseUrl: ClientConfig.baseUrl("GEMINI_BASE_URL", defaults.baseUrl),
  model: ClientConfig.text("GEMINI_MODEL", defaults.model)
}

/** The options out of `GEMINI_API_KEY` (or `GOOGLE_API_KEY`), `GEMINI_BASE_URL` and `GEMINI_MODEL`. */
export const config: Config.Config<Pick<Options, "apiKey" | "baseUrl" | "model">> = Config.all({
  ...environment,
  apiKey: ClientConfig.secret("GEMINI_API_KEY", "GOOGLE_API_KEY")
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

/**
 * Gemini on Vertex AI: the same dialect under a project and a location, with credentials of Google Cloud.
 *
 * One call is one exchange with one endpoint and protects nothing: put policies around it with `Generation`. The
 * credentials are a service, `VertexCredentials`; a token that is refused with 401 is renewed and tried once more.
 * Preview image models mostly live at the location `global` only.
 */
import type { HttpClient } from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { GenerationClient, type Service } from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import type { ClientOptions } from "./ClientOptions.js"
import * as Check from "./internal/check.js"
import * as Client from "./internal/client.js"
import * as ClientConfig from "./internal/clientConfig.js"
import type { Fields } from "./internal/codec.js"
import * as GeminiWire from "./internal/geminiWire.js"
import { isBlock } from "./internal/blockReasons.js"
import * as VertexCredentials from "./VertexCredentials.js"

export interface Options extends ClientOptions {
  /** The Google Cloud project. Needed unless the credentials are an API key of express mode. */
  readonly project?: string | undefined
  /** `global`, a multi-region (`us`, `eu`), or a region such as `us-central1`. Default `"global"`. */
  readonly location?: string | undefined
  /** The address before the version, for a proxy or a private endpoint. Default: Google's for the location. */
  readonly baseUrl?: string | undefined
  /** Default `"v1"`. */
  readonly apiVersion?: "v1" | "v1beta1" | undefined
}

/** What holds where an option is left out. */
export const defaults = {
  location: "global",
  apiVersion: "v1",
  model: "gemini-3-pro-image-preview"
} as const

/** Google's address for a location. */
export const baseUrlOf = (location: string): string => {
  if (location === "global") return "https://aiplatform.googleapis.com"
  return location === "us" || location === "eu"
    ? `https://aiplatform.${location}.rep.googleapis.com`
    : `https://${location}-aiplatform.googleapis.com`
}

const name = (field: string, value: string): string => {
  if (/^[a-z0-9][a-z0-9.:-]*$/i.test(value)) return value
  throw new RangeError(`${field} must consist of letters, digits, ".", ":" and "-", not ${JSON.stringify(value)}`)
}

/** A model's path: under Google's publisher unless it names another. */
const modelPath = (model: string): string => {
  const plain = model.replace(/^models\//, "")
  const path = /^(?:publishers|endpoints)\//.test(plain) ? plain : `publishers/google/models/${plain}`
  return path.split("/").map(encodeURIComponent).join("/")
}

const fieldsOf = (credential: VertexCredentials.Credential): Fields =>
  credential._tag === "ApiKey"
    ? [["x-goog-api-key", Redacted.value(credential.key)]]
    : [["authorization", `Bearer ${Redacted.value(credential.token)}`]]

/** The credential that these fields were made of. */
const credentialOf = (fields: Fields): VertexCredentials.Credential => {
  const [field, value] = fields[0] ?? ["", ""]
  return field === "authorization"
    ? { _tag: "AccessToken", token: Redacted.make(value.replace(/^Bearer /, "")), expiresAt: undefined }
    : { _tag: "ApiKey", key: Redacted.make(value) }
}

/** The client as a value. Dies with a `RangeError` that names the field when an option is not legal. */
export const make = (
  options: Options
): Effect.Effect<Service, never, HttpClient | VertexCredentials.VertexCredentials> =>
  Effect.flatMap(VertexCredentials.VertexCredentials, (credentials) => {
    const location = name("location", options.location ?? defaults.location)
    const project = options.project === undefined ? undefined : name("project", options.project)
    const base = Check.baseUrl("baseUrl", options.baseUrl ?? baseUrlOf(location))
    const endpoint = options.endpoint ?? "vertex"
    const parent = project === undefined ? "" : `/projects/${encodeURIComponent(project)}/locations/${location}`
    const root = `${base}/${options.apiVersion ?? defaults.apiVersion}${parent}`

    /** The credential errors know nothing of the endpoint; here it is known. */
    const placed = (
      self: Effect.Effect<VertexCredentials.Credential, GenerationError.GenerationError>,
      model: string
    ): Effect.Effect<Fields, GenerationError.GenerationError> =>
      Effect.matchEffect(self, {
        onFailure: (error) => Effect.fail(GenerationError.update(error, { endpoint, model })),
        onSuccess: (credential) => {
          if (credential._tag === "AccessToken" && project === undefined) {
            return Effect.fail(
              new GenerationError.InvalidRequest({
                endpoint,
                model,
                message: "An access token needs a project: set GOOGLE_CLOUD_PROJECT or the option project",
                outcome: "not-started"
              })
            )
          }
          return Effect.succeed(fieldsOf(credential))
        }
      })

    return Client.make(
      {
        dialect: "vertex",
        baseUrl: base,
        model: Check.nonEmpty("model", options.model ?? defaults.model),
        url: (model, streamed) =>
          `${root}/${modelPath(model)}:${streamed ? "streamGenerateContent?alt=sse" : "generateContent"}`,
        encode: GeminiWire.encode,
        decode: GeminiWire.decode,
        isBlock,
        makesSeveral: false,
        streams: true,
        credentials: {
          current: ({ model }) => placed(credentials.token, model),
          renew: (refused, { model }) => placed(credentials.renew(credentialOf(refused)), model)
        }
      },
      options
    )
  })

/** The client as a layer. */
export const layer = (
  options: Options
): Layer.Layer<GenerationClient, never, HttpClient | VertexCredentials.VertexCredentials> =>
  Layer.effect(GenerationClient, make(options))

/** What the environment says: where, and with which credentials. */
export const config: Config.Config<{
  readonly options: Pick<Options, "project" | "location" | "baseUrl" | "model">
  readonly apiKey: Redacted.Redacted | undefined
  readonly accessToken: Redacted.Redacted | undefined
}> = Config.all({
  project: ClientConfig.optionalText("GOOGLE_CLOUD_PROJECT"),
  location: ClientConfig.text("GOOGLE_CLOUD_LOCATION", defaults.location),
  baseUrl: ClientConfig.optionalBaseUrl("VERTEX_BASE_URL"),
  model: ClientConfig.text("VERTEX_MODEL", defaults.model),
  apiKey: ClientConfig.optionalSecret("VERTEX_API_KEY"),
  accessToken: ClientConfig.optionalSecret("VERTEX_ACCESS_TOKEN")
}).pipe(
  Config.mapOrFail(({ accessToken, apiKey, ...options }) =>
    apiKey === undefined && options.project === undefined
      ? Either.left(
          ConfigError.MissingData(
            ["GOOGLE_CLOUD_PROJECT"],
            "Set GOOGLE_CLOUD_PROJECT, or VERTEX_API_KEY for express mode"
          )
        )
      : Either.right({ options, apiKey, accessToken })
  )
)

/**
 * The client as a layer, out of the configuration; options given here come first. Credentials: `VERTEX_API_KEY`
 * (express mode, then the project is left out), else `VERTEX_ACCESS_TOKEN`, else application-default credentials.
 */
export const layerConfig = (
  overrides: Options = {}
): Layer.Layer<GenerationClient, ConfigError.ConfigError, HttpClient> =>
  Layer.unwrapEffect(
    Effect.map(config, ({ accessToken, apiKey, options }) => {
      const credentials =
        apiKey !== undefined
          ? VertexCredentials.layerApiKey(apiKey)
          : accessToken !== undefined
            ? VertexCredentials.layerToken(accessToken)
            : VertexCredentials.layerAdc()
      const place = apiKey !== undefined ? { ...options, project: undefined } : options
      return Layer.provide(layer({ ...place, ...ClientConfig.given(overrides) }), credentials)
    })
  )

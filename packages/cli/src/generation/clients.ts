/** The clients of the endpoints that the command line and the environment name, with what must never be printed. */
import type { HttpClient } from "@effect/platform/HttpClient"
import * as Gemini from "@holdfast/providers/Gemini"
import * as OpenAiCompatible from "@holdfast/providers/OpenAiCompatible"
import * as Vertex from "@holdfast/providers/Vertex"
import * as VertexCredentials from "@holdfast/providers/VertexCredentials"
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Dialect } from "holdfast/Endpoint"
import type { Service } from "holdfast/GenerationClient"
import { type CliError, usage } from "../commandLine/CliError.js"
import { oneLine } from "../terminal/text.js"
import { type Custom, isLoopback, keyVariable, type Place, type Provider, provider } from "./endpoints.js"

/** The environment, by variable. */
export type Env = Readonly<Record<string, string | undefined>>

/** An endpoint that can be called. */
export interface Connected {
  readonly name: string
  readonly model: string
  readonly service: Service
  /** Its key, where it has one. */
  readonly secrets: ReadonlyArray<string>
  /** Does the key travel in the clear, to another machine? */
  readonly isExposed: boolean
}

const variable = (env: Env, ...names: ReadonlyArray<string>): string | undefined =>
  names.map((name) => env[name]?.trim()).find((value) => value !== undefined && value !== "")

const keys: Readonly<Record<Dialect, ReadonlyArray<string>>> = {
  gemini: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
  openai: ["OPENAI_API_KEY"],
  vertex: ["VERTEX_API_KEY", "VERTEX_ACCESS_TOKEN"]
}

/** The first provider that the environment has a key for. */
export const chosen = (env: Env): Provider | undefined => {
  if (variable(env, ...keys.gemini) !== undefined) return provider("gemini")
  if (variable(env, ...keys.openai) !== undefined) return provider("openai")
  return variable(env, "GOOGLE_CLOUD_PROJECT", "VERTEX_API_KEY") === undefined ? undefined : provider("vertex")
}

/** The sentence of the innermost configuration error. */
const sentenceOf = (error: ConfigError.ConfigError): string =>
  error._op === "And" || error._op === "Or" ? sentenceOf(error.left) : error.message

const configured = <A>(config: Config.Config<A>, name: string): Effect.Effect<A, CliError> =>
  Effect.mapError(config, (error) => usage(`the endpoint ${name} cannot be used: ${oneLine(sentenceOf(error), 200)}`))

/** Illegal options are a mistake of the user here, not of the program. */
const asUsage =
  (name: string) =>
  <A, R>(self: Effect.Effect<A, CliError, R>): Effect.Effect<A, CliError, R> =>
    Effect.catchAllDefect(self, (defect) =>
      defect instanceof RangeError
        ? Effect.fail(usage(`the endpoint ${name} cannot be used: ${oneLine(defect.message, 200)}`))
        : Effect.die(defect)
    )

const valueOf = (secret: Redacted.Redacted | undefined): ReadonlyArray<string> =>
  secret === undefined ? [] : [Redacted.value(secret)]

const exposed = (baseUrl: string | undefined): boolean =>
  baseUrl !== undefined && /^http:/i.test(baseUrl) && !isLoopback(baseUrl)

const ofProvider = (
  { dialect, name }: Provider,
  model: string | undefined
): Effect.Effect<Connected, CliError, HttpClient> =>
  Effect.gen(function*() {
    switch (dialect) {
      case "gemini":
      case "openai": {
        const module = dialect === "gemini" ? Gemini : OpenAiCompatible
        const found = yield* configured(module.config, name)
        const options = { ...found, endpoint: name, model: model ?? found.model ?? module.defaults.model }
        const service = yield* module.make(options)
        return {
          name,
          model: options.model,
          service,
          secrets: valueOf(found.apiKey),
          isExposed: exposed(found.baseUrl)
        }
      }
      case "vertex": {
        const { accessToken, apiKey, options: found } = yield* configured(Vertex.config, name)
        const options = {
          ...found,
          project: apiKey === undefined ? found.project : undefined,
          endpoint: name,
          model: model ?? found.model ?? Vertex.defaults.model
        }
        const credentials =
          apiKey !== undefined
            ? VertexCredentials.layerApiKey(apiKey)
            : accessToken !== undefined
              ? VertexCredentials.layerToken(accessToken)
              : VertexCredentials.layerAdc()
        const service = yield* Effect.provide(Vertex.make(options), credentials)
        const secrets = [...valueOf(apiKey), ...valueOf(accessToken)]
        return { name, model: options.model, service, secrets, isExposed: exposed(found.baseUrl) }
      }
    }
  })

/** What stands for a key where none is needed. */
const noKey = "no-key-needed"

const keyOf = (place: Custom, env: Env): Effect.Effect<string | undefined, CliError> => {
  const own = keyVariable(place.name)
  const found = variable(env, own, ...keys[place.dialect])
  return found !== undefined || isLoopback(place.baseUrl)
    ? Effect.succeed(found)
    : Effect.fail(usage(`the endpoint ${place.name} needs a key: set ${own} or ${keys[place.dialect].join(" or ")}`))
}

const ofCustom = (place: Custom, given: string | undefined, env: Env): Effect.Effect<Connected, CliError, HttpClient> =>
  Effect.gen(function*() {
    const { baseUrl, dialect, name } = place
    const key = yield* keyOf(place, env)
    const secret = Redacted.make(key ?? noKey)
    const common = { endpoint: name, baseUrl }
    const known = {
      name,
      secrets: valueOf(key === undefined ? undefined : secret),
      isExposed: key !== undefined && exposed(baseUrl)
    }
    switch (dialect) {
      case "gemini":
      case "openai": {
        const module = dialect === "gemini" ? Gemini : OpenAiCompatible
        const model = place.model ?? given ?? module.defaults.model
        return { ...known, model, service: yield* module.make({ ...common, apiKey: secret, model }) }
      }
      case "vertex": {
        // Under a project Vertex takes access tokens; without one, the keys of its express mode.
        const isExpress =
          variable(env, "GOOGLE_CLOUD_PROJECT") === undefined ||
          (key !== undefined && key === variable(env, "VERTEX_API_KEY"))
        const model = place.model ?? given ?? Vertex.defaults.model
        const options = {
          ...common,
          model,
          project: isExpress ? undefined : variable(env, "GOOGLE_CLOUD_PROJECT"),
          location: variable(env, "GOOGLE_CLOUD_LOCATION")
        }
        const credentials = isExpress ? VertexCredentials.layerApiKey(secret) : VertexCredentials.layerToken(secret)
        return { ...known, model, service: yield* Effect.provide(Vertex.make(options), credentials) }
      }
    }
  })

/** The client of an endpoint. Fails, by exit code 2, where a key is missing or a value is illegal. */
export const connect = (
  place: Place,
  model: string | undefined,
  env: Env
): Effect.Effect<Connected, CliError, HttpClient> =>
  asUsage(place.name)(place._tag === "Provider" ? ofProvider(place, model) : ofCustom(place, model, env))

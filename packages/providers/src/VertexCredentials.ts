/**
 * What a call to Vertex AI proves its right with: an access token that is renewed in time, or the API key of express
 * mode. A service of its own, so that tests, sidecars and secret stores can supply it.
 *
 * Tokens are cached until shortly before they expire; callers who arrive while one is fetched wait for that fetch, and
 * if its leader is interrupted the next in line takes over. After a 401 the client asks for a newer one, once.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as GenerationError from "holdfast/GenerationError"
import * as Check from "./internal/check.js"
import * as Permits from "./internal/permits.js"
import * as Watch from "./internal/watch.js"

/** An OAuth2 access token, sent as a bearer token. */
export interface AccessToken {
  readonly _tag: "AccessToken"
  readonly token: Redacted.Redacted
  /** Milliseconds since the epoch; undefined when nobody knows. */
  readonly expiresAt: number | undefined
}

/** The key of express mode, sent as `x-goog-api-key`. */
export interface ApiKey {
  readonly _tag: "ApiKey"
  readonly key: Redacted.Redacted
}

export type Credential = AccessToken | ApiKey

export interface Service {
  /** The credential to send now. */
  readonly token: Effect.Effect<Credential, GenerationError.GenerationError>
  /** A newer one than this, which was refused; the same one when there is no newer one. */
  readonly renew: (refused: Credential) => Effect.Effect<Credential, GenerationError.GenerationError>
}

export class VertexCredentials extends Context.Tag("@holdfast/providers/VertexCredentials")<
  VertexCredentials,
  Service
>() {}

const fixed = (credential: Credential): Service => ({
  token: Effect.succeed(credential),
  renew: () => Effect.succeed(credential)
})

/** A token that somebody else keeps fresh, such as one out of `gcloud auth print-access-token`. */
export const layerToken = (token: Redacted.Redacted): Layer.Layer<VertexCredentials> =>
  Layer.sync(VertexCredentials, () => {
    Check.headerValue("token", Check.nonEmpty("token", Redacted.value(token)))
    return fixed({ _tag: "AccessToken", token, expiresAt: undefined })
  })

/** The API key of express mode. */
export const layerApiKey = (key: Redacted.Redacted): Layer.Layer<VertexCredentials> =>
  Layer.sync(VertexCredentials, () => {
    Check.headerValue("apiKey", Check.nonEmpty("apiKey", Redacted.value(key)))
    return fixed({ _tag: "ApiKey", key })
  })

/** How tokens are kept. */
export interface CacheOptions {
  /** A token is renewed this long before it expires. Default 60 s. */
  readonly margin?: Duration.DurationInput | undefined
  /** How long a token without a stated end is used. Default 5 minutes. */
  readonly fallbackLifetime?: Duration.DurationInput | undefined
  /** Longest wait for one token. Default 30 s. */
  readonly timeout?: Duration.DurationInput | undefined
}

/** What holds where an option is left out. */
export const defaults = {
  margin: "60 seconds",
  fallbackLifetime: "5 minutes",
  timeout: "30 seconds"
} as const satisfies Required<CacheOptions>

/** Keeps tokens from any source: cached, renewed in time, one fetch at a time. `fetch` must bypass its own caches. */
export const makeCached = (
  fetch: Effect.Effect<AccessToken, GenerationError.GenerationError>,
  options: CacheOptions = {}
): Effect.Effect<Service> =>
  Effect.sync(() => {
    const margin = Check.positiveMillis("margin", options.margin ?? defaults.margin)
    const lifetime = Check.positiveMillis("fallbackLifetime", options.fallbackLifetime ?? defaults.fallbackLifetime)
    const timeout = Check.positiveMillis("timeout", options.timeout ?? defaults.timeout)
    const { take } = Permits.make(1)
    const alone = <A, E>(self: Effect.Effect<A, E>): Effect.Effect<A, E> => Effect.scoped(Effect.zipRight(take, self))
    let held: { readonly token: AccessToken; readonly goodUntil: number } | undefined

    const refresh = Effect.gen(function*() {
      const watch = yield* Watch.make("connect", timeout)
      const token = yield* Watch.guard(fetch, watch, (phase) =>
        new GenerationError.Timeout({
          phase,
          message: `No access token came within ${Duration.format(Duration.millis(timeout))}`
        })
      )
      const now = yield* Clock.currentTimeMillis
      // A token that is nearly over when it comes is used all the same, once.
      const goodUntil = token.expiresAt === undefined ? now + lifetime : token.expiresAt - margin
      held = { token, goodUntil }
      return token
    })

    const token = Effect.flatMap(Clock.currentTimeMillis, (before) => {
      const fresh = (now: number) => (held !== undefined && now < held.goodUntil ? held.token : undefined)
      const found = fresh(before)
      if (found !== undefined) return Effect.succeed(found)
      return alone(
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const renewed = fresh(now)
          return renewed === undefined ? refresh : Effect.succeed(renewed)
        })
      )
    })

    const isSame = (a: AccessToken, b: Credential): boolean =>
      b._tag === "AccessToken" && Redacted.value(a.token) === Redacted.value(b.token)

    return {
      token,
      renew: (refused) =>
        alone(
          Effect.suspend(() =>
            held !== undefined && !isSame(held.token, refused) ? Effect.succeed(held.token) : refresh
          )
        )
    }
  })

/** The part of `google-auth-library` that is used. */
export interface GoogleAuth {
  readonly getClient: () => Promise<{
    readonly getAccessToken: () => Promise<{ readonly token?: string | null | undefined }>
    readonly credentials: { readonly expiry_date?: number | null | undefined }
  }>
}

/** Options of application-default credentials. */
export interface AdcOptions extends CacheOptions {
  /** Default: `https://www.googleapis.com/auth/cloud-platform`. */
  readonly scopes?: ReadonlyArray<string> | undefined
  /**
   * Makes a new, empty `GoogleAuth`; called for every token that is fetched, so that nothing stale is kept. Default:
   * the one of the package `google-auth-library`, which must be installed.
   */
  readonly googleAuth?: ((options: { readonly scopes: ReadonlyArray<string> }) => Promise<GoogleAuth>) | undefined
}

const cloudPlatform = "https://www.googleapis.com/auth/cloud-platform"

const importedGoogleAuth = async (options: { readonly scopes: ReadonlyArray<string> }): Promise<GoogleAuth> => {
  const library = await import("google-auth-library")
  return new library.GoogleAuth({ scopes: [...options.scopes] })
}

const property = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && name in value ? (value as Record<string, unknown>)[name] : undefined

const networkCode = /^(?:E[A-Z]+|UND_ERR_[A-Z_]+)$/

/** Why no token could be had. The library's errors hold requests with secrets in them: only their message is kept. */
const adcFailure = (cause: unknown): GenerationError.GenerationError => {
  const code = property(cause, "code")
  const status = property(cause, "status") ?? property(property(cause, "response"), "status")
  const network = typeof code === "string" && networkCode.test(code)
  if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") {
    return new GenerationError.Unauthorized({
      message: "Application-default credentials need the package google-auth-library: install it, or give a token",
      outcome: "not-started"
    })
  }
  return network || (typeof status === "number" && (status === 429 || status >= 500))
    ? new GenerationError.Transient({ message: "No access token could be fetched", outcome: "not-started", cause })
    : new GenerationError.Unauthorized({
        message: "No application-default credentials: run gcloud auth application-default login, or give a token",
        outcome: "not-started",
        cause
      })
}

/** Application-default credentials: a service account, a workload identity, or the login of `gcloud`. */
export const layerAdc = (options: AdcOptions = {}): Layer.Layer<VertexCredentials> =>
  Layer.effect(
    VertexCredentials,
    makeCached(
      Effect.tryPromise({
        try: async (): Promise<AccessToken> => {
          const auth = await (options.googleAuth ?? importedGoogleAuth)({ scopes: options.scopes ?? [cloudPlatform] })
          const client = await auth.getClient()
          const { token } = await client.getAccessToken()
          if (token === undefined || token === null || token === "") throw new Error("The credentials gave no token")
          return {
            _tag: "AccessToken",
            token: Redacted.make(token),
            expiresAt: client.credentials.expiry_date ?? undefined
          }
        },
        catch: adcFailure
      }),
      options
    )
  )

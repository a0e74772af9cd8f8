/**
 * Fetches images that an answer only links to, as relays do, without becoming a way into the network it runs in.
 *
 * The link comes from a model's text, so it is hostile until proven otherwise: only http and https, none of our
 * credentials or header fields, redirects followed one by one with every hop checked, a limit on size and time, bytes
 * that must be an image, and no private addresses unless the host is the endpoint's own. Over any `HttpClient` a name
 * is judged by its spelling alone, since names cannot be resolved there; `@holdfast/providers/node` also checks the
 * address that a name leads to at the moment of connecting. In browsers redirects cannot be inspected and so fail.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ImagePart } from "holdfast/Generated"
import * as GenerationError from "holdfast/GenerationError"
import * as Classifier from "./Classifier.js"
import * as Addresses from "./internal/addresses.js"
import * as Check from "./internal/check.js"
import * as ImageBytes from "./internal/imageBytes.js"
import * as Watch from "./internal/watch.js"

export interface Options {
  /** Redirects that are followed. 0 to 20, default 3. */
  readonly maxRedirects?: number | undefined
  /** Largest image, in bytes. At least 1, default 32 MiB. */
  readonly maxBytes?: number | undefined
  /** Longest time for one image with all its redirects. Default 60 s. */
  readonly timeout?: Duration.DurationInput | undefined
  /** May links lead to private networks and to this machine? Default false; the endpoint's own host always may. */
  readonly allowPrivateHosts?: boolean | undefined
}

/** What holds where an option is left out. */
export const defaults = {
  maxRedirects: 3,
  maxBytes: 32 * 1024 * 1024,
  timeout: "60 seconds",
  allowPrivateHosts: false
} as const satisfies Required<Options>

/**
 * Must the request in flight end at a public address? Set around the fetch of a link; an `HttpClient` that resolves
 * names itself refuses to connect to a private one then, with an error of the code `privateAddressCode`.
 */
export class PublicAddressesOnly extends Context.Reference<PublicAddressesOnly>()(
  "@holdfast/providers/PublicAddressesOnly",
  { defaultValue: () => false }
) {}

/** The `code` of the error with which a connection to a private address is refused. */
export const privateAddressCode = "HOLDFAST_PRIVATE_ADDRESS"

/** Where the link was found. */
export interface Origin {
  readonly endpoint: string
  readonly model: string
  /** The endpoint's own address: its host may serve images from wherever it stands. */
  readonly baseUrl: string
  readonly secrets: ReadonlyArray<string>
}

type Failure = GenerationError.GenerationError

/** Why this address may not be fetched; undefined when it may. */
const refusal = (url: URL, origin: Origin, options: Options): string | undefined => {
  if (url.protocol !== "http:" && url.protocol !== "https:") return "is not fetched over http or https"
  if (url.username !== "" || url.password !== "") return "carries a user name or password"
  if (options.allowPrivateHosts === true || isOwnHost(url, origin)) return undefined
  return Addresses.isPrivateHost(url.hostname) ? "leads to a private address" : undefined
}

const isOwnHost = (url: URL, origin: Origin): boolean =>
  URL.canParse(origin.baseUrl) && new URL(origin.baseUrl).host === url.host

const hasCode = (error: unknown, code: string): boolean => {
  let current: unknown = error
  for (let depth = 0; depth < 6 && typeof current === "object" && current !== null; depth++) {
    if ("code" in current && current.code === code) return true
    current = "cause" in current ? current.cause : undefined
  }
  return false
}

/** Validates the options once, so that a mistake shows at construction. */
export const validate = (options: Options): void => {
  Check.integer("hostedImages.maxRedirects", options.maxRedirects ?? defaults.maxRedirects, 0, 20)
  Check.integer("hostedImages.maxBytes", options.maxBytes ?? defaults.maxBytes, 1, Number.MAX_SAFE_INTEGER)
  Check.positiveMillis("hostedImages.timeout", options.timeout ?? defaults.timeout)
}

/**
 * The image behind a link. The generation it belongs to was made and billed whatever happens here, so the outcome of
 * every failure is `unknown`: `Malformed` for an address that is refused, `EmptyResult` for bytes that are no image or
 * not there, `Transient` or `Timeout` when the host could not be reached.
 */
export const fetch = (
  http: HttpClient.HttpClient,
  link: string,
  origin: Origin,
  options: Options = {}
): Effect.Effect<ImagePart, Failure> => {
  const maxRedirects = options.maxRedirects ?? defaults.maxRedirects
  const maxBytes = options.maxBytes ?? defaults.maxBytes
  const timeout = Duration.decode(options.timeout ?? defaults.timeout)
  const client = HttpClient.withScope(HttpClient.withTracerDisabledWhen(http, () => true))

  const fail = (tag: GenerationError.Tag, message: string, extra: { readonly status?: number } = {}): Failure =>
    GenerationError.make(tag, { ...extra, endpoint: origin.endpoint, model: origin.model, message, outcome: "unknown" })

  const fromClientError = (error: HttpClientError.HttpClientError): Failure => {
    if (hasCode(error, privateAddressCode)) return fail("Malformed", "The linked image leads to a private address")
    const { endpoint, model, secrets } = origin
    const found = Classifier.fromException(error.cause ?? error, { endpoint, model, secrets, sent: true })
    return GenerationError.isRetryable(found)
      ? GenerationError.update(found, { outcome: "unknown" })
      : fail("Transient", "The linked image could not be fetched")
  }

  const get = (url: URL): Effect.Effect<HttpClientResponse.HttpClientResponse, Failure, Scope.Scope> =>
    client.execute(HttpClientRequest.get(url.href, { headers: { accept: "image/*" } })).pipe(
      Effect.catchAll((error) =>
        error._tag === "ResponseError" ? Effect.succeed(error.response) : Effect.fail(fromClientError(error))
      ),
      Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual", credentials: "omit" }),
      Effect.provideService(
        PublicAddressesOnly,
        options.allowPrivateHosts !== true && !isOwnHost(url, origin)
      )
    )

  const read = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<ImagePart, Failure> =>
    Effect.suspend(() => {
      if (Number(response.headers["content-length"] ?? 0) > maxBytes) {
        return Effect.fail(fail("Malformed", `The linked image is larger than ${maxBytes} bytes`))
      }
      const chunks: Array<Uint8Array> = []
      let length = 0
      return Stream.runForEach(response.stream, (chunk) => {
        chunks.push(chunk)
        length += chunk.length
        return length > maxBytes
          ? Effect.fail(fail("Malformed", `The linked image is larger than ${maxBytes} bytes`))
          : Effect.void
      }).pipe(
        Effect.catchAll((error) =>
          GenerationError.isGenerationError(error)
            ? Effect.fail(error)
            : error.reason === "EmptyBody"
              ? Effect.void
              : Effect.fail(fromClientError(error))
        ),
        Effect.flatMap(() => {
          const bytes = new Uint8Array(length)
          chunks.reduce((offset, chunk) => (bytes.set(chunk, offset), offset + chunk.length), 0)
          // What a host declares counts for nothing: only bytes that are known to be an image are one.
          const image = ImageBytes.part(bytes, undefined)
          return image === undefined
            ? Effect.fail(fail("EmptyResult", "The linked address holds no image"))
            : Effect.succeed(image)
        })
      )
    })

  const follow = (url: URL, hops: number): Effect.Effect<ImagePart, Failure> =>
    Effect.suspend(() => {
      const refused = refusal(url, origin, options)
      if (refused !== undefined) return Effect.fail(fail("Malformed", `The linked image ${refused}`))
      const hop = Effect.scoped(
        Effect.flatMap(get(url), (response): Effect.Effect<ImagePart | URL, Failure> => {
          const location = response.headers["location"]
          if (response.status >= 300 && response.status < 400 && location !== undefined) {
            return URL.canParse(location, url.href)
              ? Effect.succeed(new URL(location, url.href))
              : Effect.fail(fail("Malformed", "The linked image redirects to no address"))
          }
          if (response.status < 200 || response.status >= 300) {
            return Effect.fail(
              fail(response.status >= 500 ? "Transient" : "EmptyResult", "The linked image is not there", {
                status: response.status
              })
            )
          }
          return read(response)
        })
      )
      return Effect.flatMap(hop, (next) =>
        next instanceof URL
          ? hops >= maxRedirects
            ? Effect.fail(fail("Malformed", `The linked image redirects more than ${maxRedirects} times`))
            : follow(next, hops + 1)
          : Effect.succeed(next)
      )
    })

  if (!URL.canParse(link)) return Effect.fail(fail("Malformed", "The linked image has no valid address"))
  return Effect.flatMap(Watch.make("body", Duration.toMillis(timeout)), (watch) =>
    Watch.guard(follow(new URL(link), 0), watch, (): Failure =>
      new GenerationError.Timeout({
        endpoint: origin.endpoint,
        model: origin.model,
        phase: "body",
        message: `The linked image did not arrive within ${Duration.format(timeout)}`
      })
    )
  )
}

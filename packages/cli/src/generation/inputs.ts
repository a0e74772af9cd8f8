/** What a generation is made from besides flags: the prompt, the images to work from, the endpoints. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as UndiciHttp from "@holdfast/providers/node/UndiciHttp"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { GenerationRequest, ReferenceImage } from "holdfast/GenerationRequest"
import { type CliError, usage } from "../commandLine/CliError.js"
import * as Input from "../terminal/input.js"
import { type Connected, chosen, connect } from "./clients.js"
import type { Place } from "./endpoints.js"
import { imageType } from "./imageType.js"
import type { Options } from "./options.js"

const promptLimit = 1024 * 1024
const imageLimit = 32 * 1024 * 1024

/** The prompt; `-` is read from standard input. */
const promptOf = (given: string): Effect.Effect<string, CliError> =>
  given !== "-"
    ? Effect.succeed(given)
    : Effect.filterOrFail(
        Effect.map(Input.text("-", promptLimit), (text) => text.trim()),
        (text) => text !== "",
        () => usage("standard input holds no prompt")
      )

const imageOf = (path: string): Effect.Effect<ReferenceImage, CliError> =>
  Effect.flatMap(Input.whole(path, imageLimit), (bytes) => {
    const type = imageType(bytes)
    return type === undefined
      ? Effect.fail(
          usage(`--image: ${Input.nameOf(path)} is no image of a known type (PNG, JPEG, WebP, GIF, AVIF, HEIC…)`)
        )
      : Effect.succeed({ mimeType: type.mimeType, bytes })
  })

/** The request that the command line asks for. */
export const requestOf = (options: Options): Effect.Effect<GenerationRequest, CliError> =>
  Effect.gen(function*() {
    const prompt = yield* promptOf(options.prompt)
    const images = yield* Effect.forEach(options.images, imageOf)
    return {
      prompt,
      modalities: [options.text ? "text" : "image"],
      images: images.length === 0 ? undefined : images,
      aspectRatio: options.aspectRatio,
      imageSize: options.imageSize,
      count: options.count === 1 ? undefined : options.count,
      seed: options.seed
    }
  })

const noKey =
  "no key is set: set GEMINI_API_KEY (or GOOGLE_API_KEY, OPENAI_API_KEY, GOOGLE_CLOUD_PROJECT), " +
  "or pass --demo to use an embedded model"

/** Where to go, and how many times faster than life it is there. */
const placesOf = (
  options: Options
): Effect.Effect<{ readonly places: ReadonlyArray<Place>; readonly speed: number }, CliError, Scope.Scope> =>
  Effect.gen(function*() {
    if (options.demo) {
      const demo = yield* Effect.promise(() => import("./demo.js"))
      return { places: [yield* demo.start], speed: demo.speed }
    }
    if (options.places.length > 0) return { places: options.places, speed: 1 }
    const found = chosen(process.env)
    return found === undefined ? yield* Effect.fail(usage(noKey)) : { places: [found], speed: 1 }
  })

/** The endpoints, ready to be called for as long as the scope is open. */
export interface Endpoints {
  readonly connected: ReadonlyArray<Connected>
  /** How many times faster than life they are; 1 for providers. */
  readonly speed: number
}

/** The endpoints that the command line and the environment name. Fails, by exit code 2, where a key is missing. */
export const endpointsOf = (options: Options): Effect.Effect<Endpoints, CliError, Scope.Scope> =>
  Effect.gen(function*() {
    const { places, speed } = yield* placesOf(options)
    const http = yield* UndiciHttp.make()
    const connected = yield* Effect.provideService(
      Effect.forEach(places, (place) => connect(place, options.model, process.env)),
      HttpClient.HttpClient,
      http
    )
    return { connected, speed }
  })

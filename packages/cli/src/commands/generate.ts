/** `holdfast generate`: one generation through the full policy, its files written, its course shown. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Clients from "@holdfast/providers/Clients"
import * as UndiciHttp from "@holdfast/providers/node/UndiciHttp"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Generated from "holdfast/Generated"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import { GenerationClient } from "holdfast/GenerationClient"
import type { GenerationRequest, ReferenceImage } from "holdfast/GenerationRequest"
import * as Telemetry from "holdfast/Telemetry"
import { type CliError, usage } from "../commandLine/CliError.js"
import { formatDuration } from "../commandLine/values.js"
import * as Connect from "../generation/clients.js"
import type { Place } from "../generation/endpoints.js"
import * as Files from "../generation/files.js"
import { imageType } from "../generation/imageType.js"
import * as Options from "../generation/options.js"
import * as Policy from "../generation/policy.js"
import * as Progress from "../generation/progress.js"
import * as Result from "../generation/result.js"
import * as Route from "../generation/route.js"
import { slug } from "../generation/slug.js"
import { run } from "../run.js"
import * as Input from "../terminal/input.js"
import * as Output from "../terminal/Output.js"
import { clean, json, oneLine, seconds, without } from "../terminal/text.js"

const promptLimit = 1024 * 1024
const imageLimit = 32 * 1024 * 1024

const promptOf = (given: string): Effect.Effect<string, CliError> =>
  given !== "-" ? Effect.succeed(given) : Effect.filterOrFail(
    Effect.map(Input.text("-", promptLimit), (text) => text.trim()),
    (text) => text !== "",
    () => usage("standard input holds no prompt")
  )

const imageOf = (path: string): Effect.Effect<ReferenceImage, CliError> =>
  Effect.flatMap(Input.whole(path, imageLimit), (bytes) => {
    const type = imageType(bytes)
    return type === undefined
      ? Effect.fail(usage(`--image: ${Input.nameOf(path)} is no image that is known (PNG, JPEG, WebP, GIF, AVIF, HEIC…)`))
      : Effect.succeed({ mimeType: type.mimeType, bytes })
  })

const noKey =
  "no key is set: set GEMINI_API_KEY (or GOOGLE_API_KEY, OPENAI_API_KEY, GOOGLE_CLOUD_PROJECT), or pass --demo to use an embedded model"

/** Where to go, and how many times faster than life it is there. */
const placesOf = (
  options: Options.Options
): Effect.Effect<{ readonly places: ReadonlyArray<Place>; readonly speed: number }, CliError, Scope.Scope> =>
  Effect.gen(function*() {
    if (options.demo) {
      const demo = yield* Effect.promise(() => import("../generation/demo.js"))
      return { places: [yield* demo.start], speed: demo.speed }
    }
    if (options.places.length > 0) return { places: options.places, speed: 1 }
    const found = Connect.chosen(process.env)
    return found === undefined ? yield* Effect.fail(usage(noKey)) : { places: [found], speed: 1 }
  })

const requestOf = (options: Options.Options, prompt: string, images: ReadonlyArray<ReferenceImage>): GenerationRequest => ({
  prompt,
  modalities: [options.text ? "text" : "image"],
  images: images.length === 0 ? undefined : images,
  aspectRatio: options.aspectRatio,
  imageSize: options.imageSize,
  count: options.count === 1 ? undefined : options.count,
  seed: options.seed
})

/** Says what happened: JSON or files on standard output, sentences on standard error. */
const reporter = (asJson: boolean, secrets: ReadonlyArray<string>) => {
  const safe = without(secrets)
  const printed = (result: Result.Result) => (asJson ? Output.out(`${safe(json(result))}\n`) : Effect.void)
  return {
    safe,
    failed: (error: Result.Failure, attempts: Parameters<typeof Result.failed>[1] = []): Effect.Effect<number, CliError> =>
      printed(Result.failed(error, attempts)).pipe(
        Effect.zipRight(Output.err(safe(`holdfast generate: ${Result.sentence(error, attempts.length)}\n`))),
        Effect.as(1)
      ),
    succeeded: (result: Result.Result, text: string): Effect.Effect<number, CliError> =>
      (asJson ? printed(result) : Output.out(safe(text))).pipe(Effect.as(0))
  }
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`

const program = (options: Options.Options): Effect.Effect<number, CliError, Scope.Scope> =>
  Effect.gen(function*() {
    const prompt = yield* promptOf(options.prompt)
    const images = yield* Effect.forEach(options.images, imageOf)
    const { places, speed } = yield* placesOf(options)
    const http = yield* UndiciHttp.make()
    const endpoints = yield* Effect.provideService(
      Effect.forEach(places, (place) => Connect.connect(place, options.model, process.env)),
      HttpClient.HttpClient,
      http
    )
    const report = reporter(options.json, endpoints.flatMap(({ secrets }) => secrets))
    const name = slug(prompt)

    if (!options.text) {
      const problem = yield* Effect.flip(Files.checkFolder(options.out)).pipe(Effect.option)
      if (problem._tag === "Some") return yield* report.failed(Result.local("Output", problem.value.message, "not-started"))
      const taken = options.force ? undefined : yield* Files.conflict(options.out, name, options.count)
      if (taken !== undefined) {
        return yield* report.failed(Result.local("FileExists", `${Input.nameOf(taken)} is there already`, "not-started"))
      }
    }

    if (options.demo) {
      yield* Output.err(
        `Demo: an embedded overloaded model, ${speed} times faster than life, waits included. No provider is called.\n`
      )
    }
    for (const { isExposed, name } of endpoints) {
      if (isExposed) yield* Output.err(`Note: the key of ${name} travels unencrypted, because its address is http.\n`)
    }
    const asked = options.text ? "text" : plural(options.count, "image")
    const where = endpoints.map(({ model, name }) => `${name} (${oneLine(model, 60)})`).join(", then ")
    yield* Output.err(`Asking ${where} for ${asked}, within ${formatDuration(options.deadline)}.\n`)

    const route = Route.make(endpoints)
    const startedAt = yield* Clock.currentTimeMillis
    const generate = Effect.scoped(
      Effect.gen(function*() {
        const progress = yield* Progress.make({
          live: Output.isLive(),
          coloured: Output.isColoured(),
          columns: Output.columns,
          write: (text) => Output.errNow(report.safe(text))
        })
        const services = Layer.mergeAll(
          Layer.succeed(
            GenerationClient,
            Clients.byEndpoint(Object.fromEntries(endpoints.map(({ name, service }) => [name, service])))
          ),
          GenerationCache.layerNoop,
          Telemetry.layer({ metrics: false, spans: false, observers: [progress.observer] })
        )
        const policy = Policy.make({ route, deadline: options.deadline, attempts: options.attempts, speed })
        return yield* Generation.generate(requestOf(options, prompt, images)).pipe(
          Effect.provide(Layer.provide(Generation.layer({ policy, deadline: options.deadline }), services))
        )
      })
    )
    // The demo shows the same course each time.
    const work = options.demo ? Effect.withRandom(generate, Random.make("demo")) : generate

    const deliver = (generated: Generated.Generated): Effect.Effect<number, CliError> =>
      Effect.gen(function*() {
        if (options.text) {
          const result = Result.success(generated, [])
          return yield* report.succeeded(result, `${result.text ?? ""}\n`)
        }
        const images = Generated.images(generated)
        const record = (names: ReadonlyArray<string>) =>
          report.safe(`${JSON.stringify({ prompt, ...Result.success(generated, names) }, null, 2)}\n`)
        const saved = yield* Effect.either(Files.save({ folder: options.out, slug: name, images, force: options.force, record }))
        if (saved._tag === "Left") {
          return yield* report.failed(Result.local("Output", saved.left.message, "unknown"), generated.attempts)
        }
        const result = Result.success(generated, saved.right)
        const spent = (yield* Clock.currentTimeMillis) - startedAt
        if (result.text !== null && !options.json) yield* Output.err(report.safe(`The model says: ${clean(result.text)}\n`))
        yield* Output.err(
          report.safe(
            `Made ${plural(images.length, "image")} in ${plural(result.attempts.length, "attempt")} and ${seconds(spent)}, with ${
              oneLine(generated.model, 60)
            } at ${generated.endpoint}.\n`
          )
        )
        return yield* report.succeeded(result, saved.right.map((path) => `${path}\n`).join(""))
      })

    // What was made is paid for: once it is there, a signal no longer keeps it from being written.
    return yield* Effect.uninterruptibleMask((restore) =>
      Effect.matchEffect(
        Effect.onInterrupt(restore(work), () =>
          Effect.ignore(Effect.suspend(() => report.failed(Result.interrupted(route.attempts()), route.attempts())))),
        {
          onFailure: (error) => report.failed(Result.failureOf(error, options.deadline), route.attempts()),
          onSuccess: deliver
        }
      )
    )
  })

export const command = async (args: ReadonlyArray<string>): Promise<number> => {
  const options = Options.read(args)
  return run(Effect.scoped(program(options)))
}

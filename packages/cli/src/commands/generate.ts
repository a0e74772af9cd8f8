/** `holdfast generate`: one generation through the full policy, its files written, its course shown. */
import * as Clients from "@holdfast/providers/Clients"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Generated from "holdfast/Generated"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import { GenerationClient } from "holdfast/GenerationClient"
import type { GenerationError } from "holdfast/GenerationError"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import type { Rejected } from "holdfast/Rejected"
import * as Telemetry from "holdfast/Telemetry"
import type { CliError } from "../commandLine/CliError.js"
import { formatDuration } from "../commandLine/values.js"
import * as Files from "../generation/files.js"
import * as Inputs from "../generation/inputs.js"
import * as Options from "../generation/options.js"
import * as Policy from "../generation/policy.js"
import * as Progress from "../generation/progress.js"
import * as Report from "../generation/report.js"
import * as Result from "../generation/result.js"
import * as Route from "../generation/route.js"
import { slug } from "../generation/slug.js"
import { run } from "../run.js"
import * as Input from "../terminal/input.js"
import * as Output from "../terminal/Output.js"
import { clean, oneLine, seconds } from "../terminal/text.js"

/** What one run works with. */
interface Run {
  readonly options: Options.Options
  readonly request: GenerationRequest
  readonly endpoints: Inputs.Endpoints
  readonly report: Report.Report
  /** The beginning of the files' names. */
  readonly name: string
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`

/** Why the files could not be written, found out before anything is spent. */
const obstacle = ({ name, options }: Run): Effect.Effect<Result.Failure | undefined> =>
  Effect.gen(function*() {
    if (options.text) return undefined
    yield* Files.checkFolder(options.out)
    const taken = options.force ? undefined : yield* Files.conflict(options.out, name, options.count)
    return taken === undefined
      ? undefined
      : Result.local("FileExists", `${Input.nameOf(taken)} is there already`, "not-started")
  }).pipe(Effect.catchAll((error) => Effect.succeed(Result.local("Output", error.message, "not-started"))))

/** Says what is about to happen. */
const announce = ({ endpoints: { connected, speed }, options, report }: Run): Effect.Effect<void> =>
  Effect.gen(function*() {
    if (options.demo) {
      yield* report.say(
        `Demo: an embedded overloaded model, ${speed} times faster than life, waits included. No provider is called.`
      )
    }
    for (const { isExposed, name } of connected) {
      if (isExposed) yield* report.say(`Note: the key of ${name} travels unencrypted, because its address is http.`)
    }
    const where = connected.map(({ model, name }) => `${name} (${oneLine(model, 60)})`).join(", then ")
    const what = options.text ? "text" : plural(options.count, "image")
    yield* report.say(`Asking ${where} for ${what}, within ${formatDuration(options.deadline)}.`)
  })

/** The generation itself, its course shown on standard error. */
const generate = (
  { endpoints: { connected, speed }, options, report, request }: Run,
  route: Route.Route
): Effect.Effect<Generated.Generated, GenerationError | Rejected> =>
  Effect.scoped(
    Effect.gen(function*() {
      const { deadline } = options
      const progress = yield* Progress.make({
        live: Output.isLive(),
        coloured: Output.isColoured(),
        columns: Output.columns,
        write: (text) => Output.errNow(report.safe(text))
      })
      const services = Layer.mergeAll(
        Layer.succeed(
          GenerationClient,
          Clients.byEndpoint(Object.fromEntries(connected.map(({ name, service }) => [name, service])))
        ),
        GenerationCache.layerNoop,
        Telemetry.layer({ metrics: false, spans: false, observers: [progress.observer] })
      )
      const policy = Policy.make({ route, deadline, attempts: options.attempts, speed })
      return yield* Generation.generate(request).pipe(
        Effect.provide(Layer.provide(Generation.layer({ policy, deadline }), services))
      )
    })
  )

/** Writes the files and says so. */
const deliver = (
  { name, options, report, request }: Run,
  generated: Generated.Generated,
  startedAt: number
): Effect.Effect<number, CliError> =>
  Effect.gen(function*() {
    if (options.text) {
      const result = Result.success(generated, [])
      return yield* report.succeeded(result, `${result.text ?? ""}\n`)
    }
    const images = Generated.images(generated)
    const record = (files: ReadonlyArray<string>): string =>
      report.safe(`${JSON.stringify({ prompt: request.prompt, ...Result.success(generated, files) }, null, 2)}\n`)
    const files = yield* Files.save({ folder: options.out, slug: name, images, force: options.force, record })
    const result = Result.success(generated, files)
    const spent = seconds((yield* Clock.currentTimeMillis) - startedAt)
    const attempts = plural(result.attempts.length, "attempt")
    if (result.text !== null && !options.json) yield* report.say(`The model says: ${clean(result.text)}`)
    yield* report.say(
      `Made ${plural(images.length, "image")} in ${attempts} and ${spent}, ` +
        `with ${oneLine(generated.model, 60)} at ${generated.endpoint}.`
    )
    return yield* report.succeeded(result, files.map((path) => `${path}\n`).join(""))
  }).pipe(
    Effect.catchAll((error) => report.failed(Result.local("Output", error.message, "unknown"), generated.attempts))
  )

const perform = (self: Run): Effect.Effect<number, CliError> =>
  Effect.gen(function*() {
    const { options, report } = self
    const hindrance = yield* obstacle(self)
    if (hindrance !== undefined) return yield* report.failed(hindrance)
    yield* announce(self)
    const startedAt = yield* Clock.currentTimeMillis
    const route = Route.make(self.endpoints.connected)
    // The demo takes the same course each time.
    const work = options.demo ? Effect.withRandom(generate(self, route), Random.make("demo")) : generate(self, route)
    const cancelled = Effect.suspend(() => report.failed(Result.interrupted(route.attempts()), route.attempts()))
    // What was made is paid for: once it is there, a signal no longer keeps it from being written.
    return yield* Effect.uninterruptibleMask((restore) =>
      Effect.matchEffect(
        Effect.onInterrupt(restore(work), () => Effect.ignore(cancelled)),
        {
          onFailure: (error) => report.failed(Result.failureOf(error, options.deadline), route.attempts()),
          onSuccess: (generated) => deliver(self, generated, startedAt)
        }
      )
    )
  })

const program = (options: Options.Options): Effect.Effect<number, CliError, Scope.Scope> =>
  Effect.gen(function*() {
    const request = yield* Inputs.requestOf(options)
    const endpoints = yield* Inputs.endpointsOf(options)
    const report = Report.make(
      options.json,
      endpoints.connected.flatMap(({ secrets }) => secrets)
    )
    return yield* perform({ options, request, endpoints, report, name: slug(request.prompt) })
  })

export const command = async (args: ReadonlyArray<string>): Promise<number> => {
  const options = Options.read(args)
  return run(Effect.scoped(program(options)))
}

/**
 * What applications call: one generation, through cache and policy, to one result or one final error.
 *
 * ```ts
 * const program = Generation.generate({ prompt: "a lighthouse in a storm" }).pipe(
 *   Effect.catchTag("Overloaded", (error) => Effect.succeed(placeholder(error.attempts)))
 * )
 * ```
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { type Call, CurrentCall, makeLog, none } from "./CurrentCall.js"
import * as Deadline from "./Deadline.js"
import type { Chunk, Generated } from "./Generated.js"
import { GenerationCache } from "./GenerationCache.js"
import { GenerationClient } from "./GenerationClient.js"
import * as GenerationError from "./GenerationError.js"
import type { GenerationRequest } from "./GenerationRequest.js"
import * as AttemptWatch from "./internal/attemptWatch.js"
import { endingOf, firstFailure } from "./internal/ending.js"
import * as Span from "./internal/genAiSpan.js"
import * as Policies from "./internal/policy.js"
import { provideStream } from "./internal/provideStream.js"
import type * as Policy from "./Policy.js"
import { isRejected, type Rejected, withAttempts } from "./Rejected.js"
import * as Retry from "./Retry.js"
import { Telemetry } from "./Telemetry.js"

export interface Service {
  /**
   * One generation. Fails with exactly `GenerationError | Rejected`: the last error of the last attempt, carrying
   * `attempts` and `stoppedBy`, or the refusal of a policy.
   */
  readonly generate: (
    request: GenerationRequest
  ) => Effect.Effect<Generated, GenerationError.GenerationError | Rejected>
  /**
   * One generation whose parts arrive as they are made, ended by one `Finish`. Policies act before the first part and
   * never after it; the cache takes no part.
   */
  readonly stream: (request: GenerationRequest) => Stream.Stream<Chunk, GenerationError.GenerationError | Rejected>
}

export class Generation extends Context.Tag("@holdfast/Generation")<Generation, Service>() {}

/**
 * One generation by the service in the context. Fails with exactly `GenerationError | Rejected`: the last error of the
 * last attempt, carrying `attempts` and `stoppedBy`, or the refusal of a policy.
 */
export const generate = (
  request: GenerationRequest
): Effect.Effect<Generated, GenerationError.GenerationError | Rejected, Generation> =>
  Effect.flatMap(Generation, (service) => service.generate(request))

/** One streamed generation by the service in the context. Fails as `generate` does. */
export const stream = (
  request: GenerationRequest
): Stream.Stream<Chunk, GenerationError.GenerationError | Rejected, Generation> =>
  Stream.unwrap(Effect.map(Generation, (service) => service.stream(request)))

/** A policy that a generation can run under: it adds only errors that `generate` has anyway. */
export type GenerationPolicy = Policy.Policy<GenerationError.GenerationError | Rejected>

/** Options of `make` and `layer`. */
export interface Options<E = never, R = never> {
  /** The policy around every attempt, or an effect that makes one (for policies with state). Default: `Retry.make()`. */
  readonly policy?: GenerationPolicy | Effect.Effect<GenerationPolicy, E, R> | undefined
  /** Time allowed for a whole generation; it stands outside cache and policy. Default none. */
  readonly deadline?: Duration.DurationInput | undefined
}

/** The service over the client, cache and telemetry in the context. */
export const make = <E = never, R = never>(
  options: Options<E, R> = {}
): Effect.Effect<Service, E, GenerationClient | GenerationCache | Telemetry | R> =>
  Effect.gen(function*() {
    const client = yield* GenerationClient
    const cache = yield* GenerationCache
    const telemetry = yield* Telemetry
    const given = options.policy ?? Retry.make()
    const policy = Effect.isEffect(given) ? yield* given : given
    const deadline: Policy.Policy<Rejected> =
      options.deadline === undefined ? Policies.identity : Deadline.make({ duration: options.deadline })

    const generateOnce = (request: GenerationRequest, call: Call) =>
      cache.getOrGenerate(request, policy.apply(AttemptWatch.effect(client, telemetry, request))).pipe(
        Effect.flatMap(({ source, value }): Effect.Effect<Generated> => {
          if (source === "fresh") return Effect.succeed({ ...value, attempts: [...(call.log?.attempts ?? [])] })
          return Effect.map(Clock.currentTimeMillis, (at) => {
            call.observe({ _tag: "CacheAnswered", generation: call.generation ?? "none", at, source })
            return { ...value, attempts: [] }
          })
        }),
        deadline.apply
      )

    return {
      generate: (request) =>
        Effect.acquireUseRelease(
          begin(telemetry.observe, request),
          (call) => {
            const run = generateOnce(request, call).pipe(
              Effect.mapError((error) => withHistory(error, call)),
              Effect.provideService(CurrentCall, call)
            )
            if (!telemetry.spans) return run
            const { name, options } = Span.generationSpan(request, call.generation)
            return run.pipe(
              Effect.tapError(Span.annotateError),
              Effect.ensuring(Span.annotateAttempts(call)),
              Effect.withSpan(name, options)
            )
          },
          (call, exit) => end(exit, call, request)
        ),
      stream: (request) =>
        Stream.flatMap(
          Stream.acquireRelease(begin(telemetry.observe, request), (call, exit) => end(exit, call, request)),
          (call) => {
            const attempts = policy.applyStream(AttemptWatch.stream(client, telemetry, request))
            const run = Stream.mapError(deadline.applyStream(attempts), (error) => withHistory(error, call))
            if (!telemetry.spans) return provideStream(run, call)
            const { name, options } = Span.generationSpan(request, call.generation)
            const spanned = run.pipe(
              Stream.tapError(Span.annotateError),
              Stream.ensuring(Span.annotateAttempts(call)),
              Stream.withSpan(name, options)
            )
            return provideStream(spanned, call)
          }
        )
    }
  })

/** The service as a layer over client, cache and telemetry. */
export const layer = <E = never, R = never>(
  options: Options<E, R> = {}
): Layer.Layer<Generation, E, GenerationClient | GenerationCache | Telemetry | R> =>
  Layer.effect(Generation, make(options))

/** The call of one generation. */
interface OwnCall extends Call {
  readonly generation: string
  readonly startedAt: number
}

/** A call of its own for a generation: whose it is comes from outside, retries and attempts do not. */
const begin = (observe: Call["observe"], request: GenerationRequest): Effect.Effect<OwnCall> =>
  Effect.gen(function*() {
    const outer = yield* CurrentCall
    const startedAt = yield* Clock.currentTimeMillis
    const generation = yield* identity
    observe({ _tag: "GenerationStarted", generation, at: startedAt, model: request.model ?? "default" })
    return {
      ...none,
      generation,
      startedAt,
      deadline: outer.deadline,
      priority: outer.priority,
      tenant: outer.tenant,
      tokens: outer.tokens,
      workClass: outer.workClass,
      log: makeLog(),
      observe
    }
  })

/** 48 random bits: enough to tell generations apart in a log. */
const identity = Effect.map(Random.nextIntBetween(0, 2 ** 48), (n) => n.toString(16).padStart(12, "0"))

/** A refusal, and an error that no retry has seen because none is in the policy, tell their history too. */
const withHistory = <E extends GenerationError.GenerationError | Rejected>(error: E, call: Call): E => {
  if (error.attempts !== undefined) return error
  if (isRejected(error)) return withAttempts(error, call.log?.attempts ?? [])
  if (!GenerationError.isGenerationError(error)) return error
  const stoppedBy = GenerationError.isRetryable(error) ? "schedule" : "fatal"
  return GenerationError.update(error, { attempts: [...(call.log?.attempts ?? [])], stoppedBy })
}

const end = (
  exit: Exit.Exit<unknown, unknown>,
  call: OwnCall,
  request: GenerationRequest
): Effect.Effect<void> =>
  Effect.map(Clock.currentTimeMillis, (at) => {
    const { generation } = call
    const error = Exit.isFailure(exit) ? firstFailure(exit.cause) : undefined
    if (isRejected(error)) {
      call.observe({ _tag: "CallRejected", generation, at, policy: error.policy, reason: error._tag })
    }
    call.observe({
      _tag: "GenerationEnded",
      generation,
      at,
      model: request.model ?? "default",
      ending: endingOf(exit),
      duration: Duration.millis(at - call.startedAt),
      attempts: call.log?.started ?? 0,
      stoppedBy: GenerationError.isGenerationError(error) ? error.stoppedBy : undefined
    })
  })

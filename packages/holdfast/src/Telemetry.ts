/**
 * Watches generations: typed events, metrics with the prefix `holdfast_`, and a span per generation and per attempt.
 *
 * Watching cannot change what is watched. Reporting an event never fails and never waits; an observer that fails, dies
 * or hangs is logged once and otherwise ignored. Prompts, images and keys are in no event, metric or span.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Mailbox from "effect/Mailbox"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricLabel from "effect/MetricLabel"
import * as CurrentCall from "./CurrentCall.js"
import type { Ending, TelemetryEvent } from "./TelemetryEvent.js"

export type { TelemetryEvent } from "./TelemetryEvent.js"

export interface Service {
  /** Reports an event. Never fails, never waits. */
  readonly observe: (event: TelemetryEvent) => void
  /** Whether generations and attempts become spans. */
  readonly spans: boolean
}

export class Telemetry extends Context.Tag("@holdfast/Telemetry")<Telemetry, Service>() {}

// Seconds: from a cached answer to a generation under heavy load.
const seconds = MetricBoundaries.fromIterable([0.1, 0.5, 1, 2, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600])

/** The metrics, by name. Labels are given in each description. */
export const metrics = {
  generations: Metric.counter("holdfast_generations_total", {
    description: "Generations that ended. Labels: model, result (success, the error's tag, defect, interrupted)",
    incremental: true
  }),
  generationDuration: Metric.histogram(
    "holdfast_generation_duration_seconds",
    seconds,
    "Time from the call to its end, all waiting included. Labels: model, result"
  ),
  attempts: Metric.counter("holdfast_attempts_total", {
    description: "Attempts that ended. Labels: endpoint, model, result",
    incremental: true
  }),
  attemptDuration: Metric.histogram(
    "holdfast_attempt_duration_seconds",
    seconds,
    "Length of one exchange with a provider. Labels: endpoint, model, result"
  ),
  attemptsInFlight: Metric.gauge("holdfast_attempts_in_flight", {
    description: "Attempts started and not ended. Labels: endpoint, model"
  }),
  retries: Metric.counter("holdfast_retries_total", {
    description: "Retries decided on. Labels: endpoint, error (the class that is retried)",
    incremental: true
  }),
  retryDelay: Metric.histogram(
    "holdfast_retry_delay_seconds",
    seconds,
    "Wait before a retry. Labels: endpoint, error"
  ),
  hedges: Metric.counter("holdfast_hedges_total", {
    description: "Further copies of attempts that take long. Labels: endpoint (of the one that takes long)",
    incremental: true
  }),
  rejections: Metric.counter("holdfast_rejections_total", {
    description: "Generations refused by a policy. Labels: policy, reason",
    incremental: true
  }),
  tokens: Metric.counter("holdfast_tokens_total", {
    description: "Tokens that providers reported. Labels: endpoint, model, direction (input, output, thought)",
    incremental: true
  })
} as const

const labels = (record: Readonly<Record<string, string>>) =>
  Object.entries(record).map(([key, value]) => MetricLabel.make(key, value))

const resultOf = (event: { readonly ending: { readonly _tag: string; readonly error?: string } }): string =>
  event.ending.error ?? event.ending._tag.toLowerCase()

/** Attempts in flight, by their labels; a gauge must be told its value. */
const inFlight = new Map<string, number>()

const changeInFlight = (endpoint: string, model: string, by: number): void => {
  const key = `${endpoint}\u0000${model}`
  const value = Math.max(0, (inFlight.get(key) ?? 0) + by)
  if (value === 0) inFlight.delete(key)
  else inFlight.set(key, value)
  metrics.attemptsInFlight.unsafeUpdate(value, labels({ endpoint, model }))
}

/** A failure made on purpose says nothing of how the provider does. */
const isInjected = ({ ending }: { readonly ending: Ending }): boolean =>
  ending._tag === "Failure" && ending.injected === true

/** Counts an event in the metrics. */
const measure = (event: TelemetryEvent): void => {
  switch (event._tag) {
    case "GenerationStarted":
      return
    case "GenerationEnded": {
      if (isInjected(event)) return
      const tags = labels({ model: event.model, result: resultOf(event) })
      metrics.generations.unsafeUpdate(1, tags)
      metrics.generationDuration.unsafeUpdate(Duration.toSeconds(event.duration), tags)
      return
    }
    case "AttemptStarted":
      return changeInFlight(event.endpoint, event.model, 1)
    case "AttemptEnded": {
      const { endpoint, model } = event
      changeInFlight(event.requested.endpoint, event.requested.model, -1)
      if (isInjected(event)) return
      const tags = labels({ endpoint, model, result: resultOf(event) })
      metrics.attempts.unsafeUpdate(1, tags)
      metrics.attemptDuration.unsafeUpdate(Duration.toSeconds(event.duration), tags)
      for (const direction of ["input", "output", "thought"] as const) {
        const count = event.usage?.[`${direction}Tokens`]
        if (count !== undefined) metrics.tokens.unsafeUpdate(count, labels({ endpoint, model, direction }))
      }
      return
    }
    case "RetryScheduled": {
      if (event.injected === true) return
      const tags = labels({ endpoint: event.endpoint, error: event.error })
      metrics.retries.unsafeUpdate(1, tags)
      metrics.retryDelay.unsafeUpdate(Duration.toSeconds(event.delay), tags)
      return
    }
    case "HedgeStarted":
      return metrics.hedges.unsafeUpdate(1, labels({ endpoint: event.endpoint }))
    case "CallRejected":
      return metrics.rejections.unsafeUpdate(1, labels({ policy: event.policy, reason: event.reason }))
    case "CacheAnswered":
      // The cache counts its own answers.
      return
  }
}

/** Somebody who wants to know. It may fail or die: that changes nothing but a line in the log. */
export type Observer = (event: TelemetryEvent) => Effect.Effect<unknown, unknown>

/** Options of `layer`. */
export interface LayerOptions {
  /** Default true. */
  readonly metrics?: boolean | undefined
  /** Default true. */
  readonly spans?: boolean | undefined
  /** Each is told every event, in order, in a fiber of its own. Default none. */
  readonly observers?: ReadonlyArray<Observer> | undefined
  /** Events kept for an observer that is slow; the oldest are dropped beyond it. Default 1,024. */
  readonly capacity?: number | undefined
}

/** Metrics and spans, and events for the given observers. Events still queued are delivered when the layer closes. */
export const layer = (options: LayerOptions = {}): Layer.Layer<Telemetry> =>
  Layer.scoped(
    Telemetry,
    Effect.gen(function*() {
      const queues = yield* Effect.forEach(options.observers ?? [], (observer) => serve(observer, options.capacity ?? 1024))
      const measured = options.metrics ?? true
      return {
        spans: options.spans ?? true,
        observe: (event) => {
          if (measured) measure(event)
          for (const queue of queues) queue.unsafeOffer(event)
        }
      }
    })
  )

/** How long the end of the layer waits for an observer to take in what is queued. */
const drainTime = Duration.seconds(2)

const serve = (observer: Observer, capacity: number) =>
  Effect.gen(function*() {
    const queue = yield* Mailbox.make<TelemetryEvent>({ capacity, strategy: "sliding" })
    let said = false
    const tell = (event: TelemetryEvent) =>
      Effect.catchAllCause(Effect.suspend(() => observer(event)), (cause) => {
        if (said) return Effect.void
        said = true
        return Effect.logWarning("A telemetry observer failed; its failures are ignored", Cause.squash(cause))
      })
    const loop: Effect.Effect<void> = Effect.catchTag(
      Effect.forever(Effect.flatMap(queue.take, tell)),
      "NoSuchElementException",
      () => Effect.void
    )
    // Observers live as long as the layer: a call that happens to build it must not lend them its deadline.
    const fiber = yield* Effect.forkDaemon(Effect.interruptible(CurrentCall.detached(loop)))
    yield* Effect.addFinalizer(() =>
      queue.end.pipe(
        // Finalizers run uninterruptibly, and the wait for a hanging observer must end.
        Effect.zipRight(Effect.timeoutOption(Effect.interruptible(fiber.await), drainTime)),
        Effect.zipRight(fiber.interruptAsFork(fiber.id()))
      )
    )
    return queue
  })

/** No events, metrics or spans. */
export const layerNoop: Layer.Layer<Telemetry> = Layer.succeed(Telemetry, { spans: false, observe: () => {} })

/** The events seen so far, for tests. */
export class Recorded extends Context.Tag("@holdfast/Telemetry/Recorded")<Recorded, {
  readonly events: Effect.Effect<ReadonlyArray<TelemetryEvent>>
}>() {}

/** Keeps every event in memory; spans are made, metrics are not. */
export const layerTest: Layer.Layer<Telemetry | Recorded> = Layer.effectContext(
  Effect.sync(() => {
    const events: Array<TelemetryEvent> = []
    return Context.make(Telemetry, { spans: true, observe: (event) => void events.push(event) }).pipe(
      Context.add(Recorded, { events: Effect.sync(() => [...events]) })
    )
  })
)

import { Duration, Effect, Layer, Metric, type Tracer } from "effect"
import { Telemetry } from "holdfast"

/** Metrics, spans, and a line in the log for each retry. */
export const layer = Telemetry.layer({
  observers: [
    (event) =>
      event._tag === "RetryScheduled"
        ? Effect.logInfo(`${event.error}: attempt ${event.attempt} in ${Duration.format(event.delay)}`)
        : Effect.void
  ]
})

/** The value of a metric, whatever exports the rest. */
export const succeeded = Metric.value(
  Telemetry.metrics.generations.pipe(Metric.tagged("model", "default"), Metric.tagged("result", "success"))
)

/** Spans go to the tracer of the program, as all of Effect's do. */
export const traced = (tracer: Tracer.Tracer) => Layer.provideMerge(Telemetry.layer(), Layer.setTracer(tracer))

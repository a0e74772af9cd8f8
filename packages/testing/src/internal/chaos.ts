/** What the four kinds of injection have in common: checked options, and the decision for one call. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as Policy from "holdfast/Policy"

/** A value that stands, or one that is asked for at each call. */
export type Asked<A> = A | Effect.Effect<A>

export type Kind = "fault" | "latency" | "outcome" | "behaviour"

export interface Settings {
  readonly kind: Kind
  readonly name: string
  readonly enabled: Asked<boolean>
  readonly rate: Asked<number>
}

/** The longest wait that JavaScript timers keep: 24.8 days. */
export const maxMillis = 2 ** 31 - 1

export const refuse = (kind: Kind, field: string, range: string, value: unknown): never => {
  throw new RangeError(`Chaos.${kind}: "${field}" must be ${range}, not ${String(value)}`)
}

/** A duration in milliseconds from `min` to `maxMillis`. */
export const millis = (kind: Kind, field: string, input: Duration.DurationInput, min = 0): number => {
  const range = `a duration between ${min} ms and ${maxMillis} ms`
  let value: number
  try {
    // `Duration.decode` takes NaN for zero; a NaN here is a mistake.
    if (typeof input === "number" && !(input >= 0)) return refuse(kind, field, range, input)
    value = Duration.toMillis(Duration.decode(input))
  } catch {
    return refuse(kind, field, range, input)
  }
  return value >= min && value <= maxMillis ? value : refuse(kind, field, range, `${value} ms`)
}

export const rateOf = (kind: Kind, rate: Asked<number>): Asked<number> =>
  Effect.isEffect(rate) || (rate >= 0 && rate <= 1) ? rate : refuse(kind, "rate", "a number between 0 and 1", rate)

const asked = <A>(value: Asked<A>): Effect.Effect<A> => (Effect.isEffect(value) ? value : Effect.succeed(value))

/** Does it strike this time? Draws only where chance decides. A rate that is no number never strikes. */
const strikes = ({ enabled, rate }: Settings): Effect.Effect<boolean> =>
  Effect.flatMap(asked(enabled), (on) =>
    on
      ? Effect.flatMap(asked(rate), (share) =>
        share > 0 && share < 1 ? Effect.map(Random.next, (drawn) => drawn < share) : Effect.succeed(share >= 1))
      : Effect.succeed(false))

export const injections = Metric.counter("holdfast_chaos_injections_total", {
  description: "What was injected on purpose. Labels: kind (fault, latency, outcome, behaviour), policy",
  incremental: true
})

/** Counts an injection, and leaves an event in the span around it, if there is one. */
const note = ({ kind, name }: Settings): Effect.Effect<void> => {
  const counter = Metric.tagged(Metric.tagged(injections, "kind", kind), "policy", name)
  const told = Effect.zipWith(Effect.currentSpan, Clock.currentTimeNanos, (span, at) =>
    span.event("holdfast.injected", at, { "holdfast.injected.kind": kind, "holdfast.injected.policy": name }))
  return Effect.zipRight(Metric.increment(counter), Effect.ignore(told))
}

const described = <A extends boolean | number>(value: Asked<A>): A | "asked" => (Effect.isEffect(value) ? "asked" : value)

/** A policy that injects where it strikes, and otherwise leaves everything as it is. */
export const policyOf = <E>(
  settings: Settings,
  options: Policy.Description["options"],
  inject: Pick<Policy.Policy<E>, "apply" | "applyStream">
): Policy.Policy<E> => {
  const { enabled, kind, name, rate } = settings
  const off = enabled === false || rate === 0
  const noted = note(settings)
  const decided = Effect.tap(strikes(settings), (hit) => (hit ? noted : Effect.void))
  return Policy.make<E>({
    kind: "Chaos",
    name,
    options: { injects: kind, enabled: described(enabled), rate: described(rate), ...options },
    apply: <A, E1, R>(self: Effect.Effect<A, E1, R>): Effect.Effect<A, E | E1, R> =>
      off ? self : Effect.flatMap(decided, (hit): Effect.Effect<A, E | E1, R> => (hit ? inject.apply(self) : self)),
    applyStream: <A, E1, R>(self: Stream.Stream<A, E1, R>): Stream.Stream<A, E | E1, R> =>
      off
        ? self
        : Stream.unwrap(
          Effect.map(decided, (hit): Stream.Stream<A, E | E1, R> => (hit ? inject.applyStream(self) : self))
        )
  })
}

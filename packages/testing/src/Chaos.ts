/**
 * Trouble made on purpose, to see what the policies around a call make of it: faults, latency, wrong answers, and
 * anything else that happens before a call. Four kinds, each a policy; `Policy.compose` puts them together.
 *
 * They stand innermost, in place of the trouble that they imitate, and are off unless told otherwise. Time is the
 * `Clock`'s and chance is `Random`'s, so that a test turns the one and seeds the other. A fault is marked
 * (`GenerationError.isInjected`): it is retried by its class like any other, while metrics, and policies that learn
 * what an endpoint can take, leave it out. Nothing can mark a delay or an answer: those are taken for the endpoint's.
 *
 * Not a model of load: an injected fault does not care how much is asked. `OverloadedModel` does.
 *
 * The kinds are those of Simmy in Polly 8: fault, latency, outcome, behaviour; each with a rate and a switch.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { CurrentCall } from "holdfast/CurrentCall"
import type { Finish, Generated, ImagePart, TextPart } from "holdfast/Generated"
import * as GenerationError from "holdfast/GenerationError"
import type * as Policy from "holdfast/Policy"
import * as internal from "./internal/chaos.js"

/** A value that stands, or an effect that is asked for it at each call. It may look at `CurrentCall`. */
export type Asked<A> = internal.Asked<A>

/** What all kinds are told. */
export interface Options {
  /** Default `"Chaos.fault"`, `"Chaos.latency"` and so on. */
  readonly name?: string | undefined
  /** Whether it does anything. Default false. */
  readonly enabled?: Asked<boolean> | undefined
  /** Share of the calls that it strikes, 0 to 1; what an effect answers beyond that counts as 0 or 1. Default 0. */
  readonly rate?: Asked<number> | undefined
}

/** The defaults, as the docs table states them: nothing happens until somebody says so twice. */
export const defaults = { enabled: false, rate: 0, after: 0, mark: true } as const

/** What was injected, by kind and name of the policy. */
export const injections = internal.injections

const settingsOf = (kind: internal.Kind, options: Options): internal.Settings => ({
  kind,
  name: options.name ?? `Chaos.${kind}`,
  enabled: options.enabled ?? defaults.enabled,
  rate: internal.rateOf(kind, options.rate ?? defaults.rate)
})

/** An error, or an effect that fails with one, made for each call that is struck. One that dies makes a defect. */
export type Fault = Effect.Effect<never, GenerationError.GenerationError>

/** One of several faults. */
export interface Weighted {
  readonly fault: Fault
  /** How often, in proportion to the other weights; at least 0. */
  readonly weight: number
}

/** One fault, or several. */
export type Faults = Fault | ReadonlyArray<Weighted>

/** The errors of faults. */
export type ErrorOf<F extends Faults> = F extends ReadonlyArray<{ readonly fault: Effect.Effect<never, infer E> }> ? E
  : F extends Effect.Effect<never, infer E> ? E
  : never

/** Options of `fault`. */
export interface FaultOptions<F extends Faults = Faults> extends Options {
  /** What calls fail with. Where it names no endpoint or model, those of the current call are filled in. */
  readonly fault: F
  /**
   * Elements of a stream that come before the fault; a stream that is shorter fails at its end. A call's result counts
   * as one: from 1 on the call is made, and its answer is lost. Default 0: the call is not made; whole.
   */
  readonly after?: number | undefined
  /**
   * Whether errors are marked as injected, in place of their `reason`. Default true; false is for test environments
   * in which breakers, limits and metrics are to react as they would to a provider.
   */
  readonly mark?: boolean | undefined
}

const isList = (input: Faults): input is ReadonlyArray<Weighted> => Array.isArray(input)

/** One of the faults, drawn by weight for each call. */
const chosen = (input: Faults): Fault => {
  if (!isList(input)) return input
  for (const [index, { weight }] of input.entries()) {
    if (weight >= 0 && weight < Infinity) continue
    internal.refuse("fault", `fault[${index}].weight`, "a number of at least 0", weight)
  }
  const faults = input.filter(({ weight }) => weight > 0)
  const last = faults.at(-1) ?? internal.refuse("fault", "fault", "faults of which one has a weight above 0", "none")
  if (faults.length === 1) return last.fault
  const sum = faults.reduce((total, { weight }) => total + weight, 0)
  return Effect.flatMap(Random.next, (drawn) => {
    let left = drawn * sum
    // Rounding may leave a remainder: it falls to the last.
    return (faults.find(({ weight }) => (left -= weight) < 0) ?? last).fault
  })
}

/** Fails calls and streams in place of the provider, or after it has answered. */
export function fault<const F extends Faults>(options: FaultOptions<F>): Policy.Policy<ErrorOf<F>>
export function fault(options: FaultOptions): Policy.Policy<GenerationError.GenerationError> {
  const settings = settingsOf("fault", options)
  const after = options.after ?? defaults.after
  const mark = options.mark ?? defaults.mark
  if (!(Number.isInteger(after) && after >= 0)) internal.refuse("fault", "after", "a whole number of at least 0", after)
  const failed = Effect.catchAll(chosen(options.fault), (error) =>
    Effect.flatMap(CurrentCall, ({ endpoint = "unknown", model = "unknown" }) =>
      Effect.fail(
        GenerationError.update(error, {
          endpoint: error.endpoint === "unknown" ? endpoint : error.endpoint,
          model: error.model === "unknown" ? model : error.model,
          ...(mark ? { reason: GenerationError.injectedReason } : {})
        })
      )))
  return internal.policyOf<GenerationError.GenerationError>(settings, { after, mark }, {
    apply: (self) => (after === 0 ? failed : Effect.zipRight(self, failed)),
    applyStream: (self) =>
      after === 0 ? Stream.fromEffect(failed) : Stream.concat(Stream.take(self, after), Stream.fromEffect(failed))
  })
}

/** Anything from `min` to `max`, each as likely. */
export interface Range {
  readonly min: Duration.DurationInput
  readonly max: Duration.DurationInput
}

/** Options of `latency`; each duration is from 0 to 24 days. */
export interface LatencyOptions extends Options {
  /** How much later the call begins: a time, a range, or an effect that is asked (beyond the bounds it is cut). */
  readonly latency: Duration.DurationInput | Range | Effect.Effect<Duration.Duration>
}

const isRange = (input: Duration.DurationInput | Range): input is Range => typeof input === "object" && "min" in input

/** Holds calls back before they begin, and streams before their first element. */
export const latency = (options: LatencyOptions): Policy.Policy => {
  const [wait, described] = waitOf(options.latency)
  return internal.policyOf<never>(settingsOf("latency", options), described, {
    apply: (self) => Effect.zipRight(wait, self),
    applyStream: (self) => Stream.unwrap(Effect.as(wait, self))
  })
}

const waitOf = (
  input: LatencyOptions["latency"]
): readonly [wait: Effect.Effect<void>, options: Policy.Description["options"]] => {
  if (Effect.isEffect(input)) {
    const wait = Effect.flatMap(input, (asked) => Effect.sleep(Duration.min(asked, internal.maxMillis)))
    return [wait, { latency: "asked" }]
  }
  if (isRange(input)) {
    const min = internal.millis("latency", "latency.min", input.min)
    const max = internal.millis("latency", "latency.max", input.max, min)
    // Clocks tell whole milliseconds.
    return [Effect.flatMap(Random.nextRange(min, max), (drawn) => Effect.sleep(Math.round(drawn))), { min, max }]
  }
  const millis = internal.millis("latency", "latency", input)
  return [Effect.sleep(millis), { latency: millis }]
}

/** Options of `outcome`. */
export interface OutcomeOptions<B extends object> extends Options {
  /** Which results, and which elements of a stream, are changed: a plain object, since a changed one is a copy. */
  readonly where: (value: unknown) => value is B
  /** The fields that are different. What is left out stays. */
  readonly patch: (value: B) => Partial<B>
}

/** Changes results, and elements of streams, after the call was made. They pass for the endpoint's own. */
export const outcome = <B extends object>(options: OutcomeOptions<B>): Policy.Policy => {
  const { patch, where } = options
  const change = <A>(value: A): A => (where(value) ? { ...value, ...patch(value) } : value)
  return internal.policyOf<never>(settingsOf("outcome", options), {}, {
    apply: (self) => Effect.map(self, change),
    applyStream: (self) => Stream.map(self, change)
  })
}

const tagged = (tag: string) => (value: unknown): boolean =>
  typeof value === "object" && value !== null && "_tag" in value && value._tag === tag

/** Is it the result of a generation? */
export const isGenerated = (value: unknown): value is Generated =>
  typeof value === "object" && value !== null && "parts" in value && Array.isArray(value.parts) && "usage" in value

/** Is it a piece of text, of a streamed generation? */
export const isText = (value: unknown): value is TextPart => tagged("Text")(value)

/** Is it an image of a streamed generation? */
export const isImage = (value: unknown): value is ImagePart => tagged("Image")(value)

/** Is it the end of a streamed generation? */
export const isFinish = (value: unknown): value is Finish => tagged("Finish")(value)

/** Options of `behaviour`. */
export interface BehaviourOptions extends Options {
  /** What happens before the call: a connection is closed, a file vanishes. A defect of it is one of the call. */
  readonly behaviour: Effect.Effect<unknown>
}

/** Does something before the call, or before the first element of a stream. */
export const behaviour = (options: BehaviourOptions): Policy.Policy =>
  internal.policyOf<never>(settingsOf("behaviour", options), {}, {
    apply: (self) => Effect.zipRight(options.behaviour, self),
    applyStream: (self) => Stream.unwrap(Effect.as(options.behaviour, self))
  })

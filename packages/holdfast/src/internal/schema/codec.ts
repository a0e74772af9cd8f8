/** Numbers and durations in JSON, without loss. */
import * as Duration_ from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const words = ["NaN", "Infinity", "-Infinity", "-0"] as const

/** A number as it is written down: what JSON has no number for is a word. */
export type NumberEncoded = number | (typeof words)[number]

const wordOf = (value: number): (typeof words)[number] | undefined =>
  words.find((word) => Object.is(Number(word), value))

const finite = Schema.Number.pipe(Schema.finite({ message: () => "Expected a finite number" }))

/** Any number; in JSON a finite one, or one of the words `"NaN"`, `"Infinity"`, `"-Infinity"`, `"-0"`. */
export const Number_: Schema.Schema<number, NumberEncoded> = Schema.transform(
  Schema.Union(finite, Schema.Literal(...words)),
  Schema.Number,
  {
    strict: true,
    decode: (encoded) => Number(encoded),
    encode: (value) => wordOf(value) ?? value
  }
).annotations({ identifier: "Number" })

export { Number_ as Number }

/**
 * A field that may be absent or undefined, and is absent where it is written down. (`Schema.optional` would write
 * `undefined`, and say of each wrong value that `undefined` was expected too.)
 */
export const optional = <A, I>(
  schema: Schema.Schema<A, I>
): Schema.PropertySignature<"?:", A | undefined, never, "?:", I> =>
  Schema.optionalToOptional(schema, Schema.UndefinedOr(Schema.typeSchema(schema)), {
    decode: (value) => value,
    encode: Option.flatMap(Option.fromNullable)
  })

/** A duration as it is written down: milliseconds, `"Infinity"`, or nanoseconds where a double cannot hold them. */
export type DurationEncoded = number | "Infinity" | `${number}ns`

const millis = Schema.Number.pipe(
  Schema.filter((value) => (Number.isFinite(value) && value >= 0 ? undefined : "must be finite and not negative"))
).annotations({ identifier: "Milliseconds" })

const encodedDuration = Schema.Union(
  millis,
  Schema.Literal("Infinity"),
  Schema.TemplateLiteral(Schema.Number, Schema.Literal("ns")).pipe(
    Schema.pattern(/^\d{1,40}ns$/, { message: () => "Expected whole nanoseconds, such as \"123ns\"" })
  )
)

const decodeDuration = (encoded: DurationEncoded): Duration_.Duration => {
  if (typeof encoded === "number") return Duration_.millis(encoded)
  return encoded === "Infinity" ? Duration_.infinity : Duration_.nanos(BigInt(encoded.slice(0, -2)))
}

const encodeDuration = (duration: Duration_.Duration): DurationEncoded => {
  if (!Duration_.isFinite(duration)) return "Infinity"
  const value = Duration_.toMillis(duration)
  return Duration_.equals(Duration_.millis(value), duration)
    ? value
    : `${Option.getOrThrow(Duration_.toNanos(duration)).toString()}ns` as DurationEncoded
}

/** A duration. */
export const Duration: Schema.Schema<Duration_.Duration, DurationEncoded> = Schema.transform(
  encodedDuration,
  Schema.DurationFromSelf,
  { strict: true, decode: decodeDuration, encode: encodeDuration }
).annotations({ identifier: "Duration" })

/** A duration in any form that Effect takes; comes back as a `Duration`. */
export const DurationInput: Schema.Schema<Duration_.DurationInput, DurationEncoded> = Schema.transform(
  encodedDuration,
  Schema.declare(
    (u: unknown): u is Duration_.DurationInput => Option.isSome(Duration_.decodeUnknown(u)),
    { identifier: "DurationInput", description: "a duration, milliseconds, or text such as \"3 seconds\"" }
  ),
  { strict: true, decode: decodeDuration, encode: (input) => encodeDuration(Duration_.decode(input)) }
)

/** Deepest nesting of objects and arrays read: far more levels than any history has, far fewer than a stack bears. */
export const maxDepth = 100

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === "object" && value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)))

/**
 * The same schema for values that are not nested too deep. A recursive schema follows whatever depth it is given, so
 * that hostile data, or data with a circle in it, would exhaust the stack.
 */
export const shallow = <A, I>(schema: Schema.Schema<A, I>): Schema.Schema<A, I> =>
  Schema.compose(
    Schema.declare((u: unknown): u is I => !isDeeper(u, maxDepth), {
      message: () => `Expected data nested at most ${maxDepth} levels deep`
    }),
    schema
  )

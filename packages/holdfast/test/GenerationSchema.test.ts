import { describe, expect, it } from "@effect/vitest"
import { Duration, Either, FastCheck, ParseResult, Schema } from "effect"
import type { Chunk, Generated, Part } from "holdfast/Generated"
import * as GenerationError from "holdfast/GenerationError"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import * as GenerationSchema from "holdfast/GenerationSchema"
import type * as Redact from "holdfast/Redact"
import * as Rejected from "holdfast/Rejected"

// -------------------------------------------------------------------------------------------------------------------
// Arbitraries

const text = FastCheck.oneof(
  FastCheck.string(),
  FastCheck.string16bits(),
  FastCheck.constantFrom("key=AIzaSyA1234567890abcdefghijklmnopqrstu", "Authorization: Bearer abc", "x".repeat(2500))
)
const number = FastCheck.oneof(FastCheck.integer(), FastCheck.double(), FastCheck.constantFrom(0, -0, NaN, Infinity))
const duration: FastCheck.Arbitrary<Duration.Duration> = FastCheck.oneof(
  FastCheck.nat().map((n) => Duration.millis(n)),
  FastCheck.double({ min: 0, max: 1e9, noNaN: true }).map((n) => Duration.millis(n)),
  FastCheck.bigUintN(80).map((n) => Duration.nanos(n)),
  FastCheck.constantFrom(Duration.zero, Duration.infinity, Duration.days(30))
)
const cause: FastCheck.Arbitrary<Redact.CauseData> = FastCheck.letrec<{ cause: Redact.CauseData }>((tie) => ({
  cause: FastCheck.record(
    { name: text, message: text, code: text, cause: tie("cause") },
    { requiredKeys: ["name", "message"] }
  )
})).cause

const absent = { requiredKeys: ["message"] as ["message"] }
const common = {
  message: text,
  endpoint: text,
  model: text,
  status: number,
  retryAfter: duration,
  outcome: FastCheck.constantFrom<GenerationError.Outcome>("not-started", "rejected", "unknown"),
  code: text,
  reason: text,
  cause: FastCheck.oneof(cause, FastCheck.string(), FastCheck.constantFrom(new Error("x"), new TypeError("y"))),
  stoppedBy: FastCheck.constantFrom(...GenerationError.stopReasons)
}
const tags = FastCheck.constantFrom(...GenerationError.tags)

type Tied = { attempt: GenerationError.Attempt; error: GenerationError.GenerationError }
const { error } = FastCheck.letrec<Tied>((tie) => ({
  attempt: FastCheck.record(
    { number, endpoint: text, model: text, startedAt: number, duration, error: tie("error") },
    { requiredKeys: ["number", "endpoint", "model", "startedAt", "duration"] }
  ),
  error: FastCheck.tuple(
    tags,
    FastCheck.record(
      {
        ...common,
        phase: FastCheck.constantFrom(...GenerationError.timeoutPhases),
        resetAt: number,
        attempts: FastCheck.oneof(
          { depthSize: "small", withCrossShrink: true },
          FastCheck.constant([]),
          FastCheck.array(tie("attempt"), { maxLength: 2 })
        )
      },
      absent
    )
  ).map(([tag, options]) => GenerationError.make(tag, options))
}))
const attempt = FastCheck.record(
  { number, endpoint: text, model: text, startedAt: number, duration, error },
  { requiredKeys: ["number", "endpoint", "model", "startedAt", "duration"] }
)
const refusal: FastCheck.Arbitrary<Rejected.Rejected> = FastCheck.tuple(
  FastCheck.constantFrom(...Rejected.tags),
  FastCheck.record({ policy: text, policyName: text, message: text, retryAfter: duration }, {
    requiredKeys: ["policy", "policyName", "message"]
  }),
  FastCheck.record({ attempts: FastCheck.array(attempt, { maxLength: 2 }), last: error }, { requiredKeys: [] })
).map(([tag, fields, history]) => new Rejected[tag]({ ...fields, ...history }))

const bytes = FastCheck.uint8Array({ maxLength: 50 })
const part: FastCheck.Arbitrary<Part> = FastCheck.oneof(
  FastCheck.record({ _tag: FastCheck.constant("Text" as const), text }),
  FastCheck.record({ _tag: FastCheck.constant("Image" as const), mimeType: text, bytes })
)
const usage = FastCheck.record(
  { inputTokens: number, outputTokens: number, thoughtTokens: number, totalTokens: number },
  { requiredKeys: [] }
)
const ending = { finishReason: text, usage, endpoint: text, model: text }
const chunk: FastCheck.Arbitrary<Chunk> = FastCheck.oneof(
  part,
  FastCheck.record({ _tag: FastCheck.constant("Finish" as const), ...ending, responseId: text }, {
    requiredKeys: ["_tag", "finishReason", "usage", "endpoint", "model"]
  })
)
const generated: FastCheck.Arbitrary<Generated> = FastCheck.record(
  {
    parts: FastCheck.array(part, { maxLength: 3 }),
    ...ending,
    attempts: FastCheck.array(attempt, { maxLength: 2 }),
    responseId: text
  },
  { requiredKeys: ["parts", "finishReason", "usage", "endpoint", "model", "attempts"] }
)
const input: FastCheck.Arbitrary<Duration.DurationInput> = FastCheck.oneof(
  duration,
  FastCheck.nat(),
  FastCheck.bigUintN(60),
  FastCheck.constantFrom<Duration.DurationInput>("3 seconds", "1.5 minutes", [1, 500])
)
const request: FastCheck.Arbitrary<GenerationRequest> = FastCheck.record(
  {
    prompt: text,
    model: text,
    modalities: FastCheck.array(FastCheck.constantFrom("text" as const, "image" as const), { maxLength: 2 }),
    images: FastCheck.array(FastCheck.record({ mimeType: text, bytes }), { maxLength: 2 }),
    system: text,
    aspectRatio: text,
    imageSize: text,
    count: number,
    seed: number,
    temperature: number,
    maxOutputTokens: number,
    timeouts: FastCheck.record({ pool: input, connect: input, write: input, headers: input, body: input }, {
      requiredKeys: []
    })
  },
  { requiredKeys: ["prompt"] }
)

// -------------------------------------------------------------------------------------------------------------------
// Comparison

/** A value as plain data that tells apart whatever differs: classes, own fields, durations to the nanosecond. */
const plain = (value: unknown): unknown => {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : value
  if (Duration.isDuration(value)) return `duration ${Duration.isFinite(value) ? Duration.unsafeToNanos(value) : "∞"}`
  if (value instanceof Uint8Array) return `bytes ${[...value].join()}`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== "object" || value === null) return value
  const fields = Object.entries(value).filter(([, field]) => field !== undefined).sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    value instanceof Error ? value.constructor : "plain",
    value instanceof Error ? value.message : "",
    GenerationError.isGenerationError(value),
    Rejected.isRejected(value),
    fields.map(([key, field]) => [key, plain(field)])
  ]
}

/** Through JSON and back. */
const through = <A, I>(schema: Schema.Schema<A, I>, value: A): A => {
  const encoded = Schema.encodeSync(schema)(value)
  const json = JSON.stringify(encoded)
  expect(JSON.parse(json)).toEqual(encoded)
  return Schema.decodeUnknownSync(schema)(JSON.parse(json))
}

const roundTrip = <A, I>(schema: Schema.Schema<A, I>, arbitrary: FastCheck.Arbitrary<A>) => () =>
  FastCheck.assert(
    FastCheck.property(arbitrary, (value) => {
      expect(plain(through(schema, value))).toEqual(plain(value))
    }),
    { numRuns: 300 }
  )

const refusedWith = <A, I>(schema: Schema.Schema<A, I>, value: unknown): string => {
  const result = Schema.decodeUnknownEither(schema)(value)
  if (Either.isRight(result)) return "accepted"
  expect(result.left).toBeInstanceOf(ParseResult.ParseError)
  return result.left.message
}

// -------------------------------------------------------------------------------------------------------------------

describe("GenerationSchema", () => {
  it(
    "brings every error back as it was: class, message, waits, causes and history",
    roundTrip(GenerationSchema.GenerationError, error)
  )
  it("brings every refusal back as it was", roundTrip(GenerationSchema.Rejected, refusal))
  it(
    "brings every failure of a generation back as it was",
    roundTrip(GenerationSchema.Failure, FastCheck.oneof(error, refusal))
  )
  it("brings every attempt back as it was", roundTrip(GenerationSchema.Attempt, attempt))
  it("brings every result back as it was", roundTrip(GenerationSchema.Generated, generated))
  it(
    "brings every entry of a cache back as it was",
    roundTrip(
      GenerationSchema.CacheEntry,
      FastCheck.record({ value: generated, storedAt: number, freshUntil: number, staleUntil: number, size: number })
    )
  )
  it("brings every part back as it was", roundTrip(GenerationSchema.Part, part))
  it("brings every chunk back as it was", roundTrip(GenerationSchema.Chunk, chunk))

  it("brings every request back, its timeouts as durations of the same length", () =>
    FastCheck.assert(
      FastCheck.property(request, (value) => {
        const timeouts = value.timeouts === undefined ? undefined : Object.fromEntries(
          Object.entries(value.timeouts).map(([phase, limit]) => [phase, Duration.decode(limit)])
        )
        expect(plain(through(GenerationSchema.GenerationRequest, value))).toEqual(plain({ ...value, timeouts }))
      }),
      { numRuns: 300 }
    ))

  it("has a schema of its own for each class of error and refusal", () => {
    for (const tag of GenerationError.tags) {
      const value = GenerationError.make(tag, { message: "m", retryAfter: "2 seconds", resetAt: 5, phase: "connect" })
      const schema: Schema.Schema<GenerationError.GenerationError, unknown> = Schema.asSchema(
        GenerationSchema[tag] as unknown as Schema.Schema<GenerationError.GenerationError, unknown>
      )
      const back = through(schema, value)
      expect(plain(back)).toEqual(plain(value))
      expect(back).toBeInstanceOf(Error)
      expect(back).toBeInstanceOf(GenerationError[tag])
      expect(Schema.is(schema)(back)).toBe(true)
      expect(Schema.is(schema)(new Rejected.Shed({ policy: "p", policyName: "n", message: "m" }))).toBe(false)
    }
    for (const tag of Rejected.tags) {
      const value = new Rejected[tag]({ policy: "p", policyName: "n", message: "m", retryAfter: 5 })
      const schema = GenerationSchema[tag] as unknown as Schema.Schema<Rejected.Rejected, unknown>
      expect(plain(through(schema, value))).toEqual(plain(value))
      expect(refusedWith(schema, { ...value, _tag: "Other" })).toMatch(/_tag/)
    }
  })

  it("writes an error in plain words", () => {
    const encoded = Schema.encodeSync(GenerationSchema.GenerationError)(
      new GenerationError.Overloaded({
        endpoint: "gemini",
        model: "m",
        message: "busy",
        status: 503,
        retryAfter: "1500 millis",
        cause: new TypeError("low"),
        stoppedBy: "schedule",
        attempts: [{
          number: 1,
          endpoint: "gemini",
          model: "m",
          startedAt: 7,
          duration: Duration.millis(2.5),
          error: new GenerationError.Timeout({ message: "late", phase: "headers", retryAfter: Duration.infinity })
        }]
      })
    )
    expect(JSON.parse(JSON.stringify(encoded))).toStrictEqual({
      _tag: "Overloaded",
      endpoint: "gemini",
      model: "m",
      message: "busy",
      status: 503,
      retryAfter: 1500,
      outcome: "rejected",
      cause: { name: "TypeError", message: "low" },
      stoppedBy: "schedule",
      attempts: [{
        number: 1,
        endpoint: "gemini",
        model: "m",
        startedAt: 7,
        duration: 2.5,
        error: {
          _tag: "Timeout",
          endpoint: "unknown",
          model: "unknown",
          message: "late",
          outcome: "unknown",
          phase: "headers",
          retryAfter: "Infinity"
        }
      }]
    })
  })

  it("writes bytes as base64", () => {
    const image: Part = { _tag: "Image", mimeType: "image/png", bytes: Uint8Array.of(0x89, 0x50, 0x4e, 0x47) }
    expect(Schema.encodeSync(GenerationSchema.Part)(image)).toEqual({ ...image, bytes: "iVBORw==" })
    expect(refusedWith(GenerationSchema.Part, { _tag: "Image", mimeType: "image/png", bytes: "!!" })).toMatch(/bytes/)
  })

  it("refuses what is no such value, by a message that says where and why", () => {
    const base = { _tag: "Overloaded", endpoint: "e", model: "m", message: "x", outcome: "rejected" }
    const attempted = { number: 1, endpoint: "e", model: "m", startedAt: 0, duration: 1 }
    const bad: ReadonlyArray<readonly [object, RegExp]> = [
      [{ ...base, _tag: "Overheated" }, /"_tag"[\s\S]*"Overloaded"[\s\S]*actual "Overheated"/],
      [{ ...base, _tag: undefined }, /_tag/],
      [{ ...base, _tag: "Timeout" }, /"phase"[\s\S]*missing/],
      [{ ...base, _tag: "Timeout", phase: "lunch" }, /"phase"[\s\S]*"connect"[\s\S]*actual "lunch"/],
      [{ ...base, retryAfter: -1 }, /"retryAfter"[\s\S]*must be finite and not negative/],
      [{ ...base, retryAfter: Infinity }, /"retryAfter"/],
      [{ ...base, retryAfter: "soon" }, /"retryAfter"/],
      [{ ...base, retryAfter: "-5ns" }, /"retryAfter"/],
      [{ ...base, retryAfter: "1.5ns" }, /"retryAfter"/],
      [{ ...base, retryAfter: null }, /"retryAfter"/],
      [{ ...base, outcome: "maybe" }, /"outcome"[\s\S]*actual "maybe"/],
      [{ ...base, status: "503" }, /"status"/],
      [{ ...base, message: 5 }, /"message"/],
      [{ ...base, message: undefined }, /"message"/],
      [{ ...base, stoppedBy: "boredom" }, /"stoppedBy"[\s\S]*actual "boredom"/],
      [{ ...base, cause: { name: "E" } }, /"cause"[\s\S]*"message"/],
      [{ ...base, attempts: [{ ...attempted, duration: -1 }] }, /"attempts"[\s\S]*"duration"/],
      [{ ...base, attempts: [{ ...attempted, error: { ...base, _tag: "No" } }] }, /"error"[\s\S]*actual "No"/]
    ]
    for (const [value, message] of bad) expect(refusedWith(GenerationSchema.GenerationError, value)).toMatch(message)
    for (const value of [null, undefined, 3, "Overloaded", [], {}]) {
      expect(refusedWith(GenerationSchema.GenerationError, value)).not.toBe("accepted")
      expect(refusedWith(GenerationSchema.Rejected, value)).not.toBe("accepted")
    }
    expect(refusedWith(GenerationSchema.Rejected, { ...base, policy: "p", policyName: "n" })).toMatch(/"CircuitOpen"/)
    expect(refusedWith(GenerationSchema.GenerationRequest, { prompt: "p", modalities: ["sound"] })).toMatch(/"sound"/)
    expect(refusedWith(GenerationSchema.GenerationRequest, { prompt: "p", timeouts: { body: -2 } })).toMatch(/"body"/)
    expect(refusedWith(GenerationSchema.Chunk, { _tag: "Finish" })).toMatch(/"finishReason"/)
  })

  it("refuses anything at all with an error rather than a crash", () =>
    FastCheck.assert(
      FastCheck.property(FastCheck.anything(), tags, (value, tag) => {
        const candidates = [value, { _tag: tag, attempts: [value], cause: value, retryAfter: value, message: value }]
        for (const candidate of candidates) {
          Schema.decodeUnknownEither(GenerationSchema.Failure)(candidate)
          Schema.decodeUnknownEither(GenerationSchema.Generated)(candidate)
          Schema.decodeUnknownEither(GenerationSchema.GenerationRequest)(candidate)
        }
      })
    ))

  it("refuses a history that is nested without end rather than to exhaust the stack", () => {
    const base = { _tag: "Overloaded", endpoint: "e", model: "m", message: "x", outcome: "rejected" }
    const nested = (depth: number, wrap: (inner: object) => object) => {
      let value: object = { ...base }
      for (let i = 0; i < depth; i++) value = wrap(value)
      return value
    }
    const attempts = (inner: object) => ({
      ...base,
      attempts: [{ number: 1, endpoint: "e", model: "m", startedAt: 0, duration: 1, error: inner }]
    })
    expect(refusedWith(GenerationSchema.GenerationError, nested(3, attempts))).toBe("accepted")
    expect(refusedWith(GenerationSchema.GenerationError, nested(20_000, attempts))).toMatch(/deep/)
    const causes = (inner: object) => ({ name: "E", message: "m", cause: inner })
    expect(refusedWith(GenerationSchema.GenerationError, { ...base, cause: nested(20_000, causes) })).toMatch(/deep/)
  })

  it("keeps equal durations equal", () =>
    FastCheck.assert(
      FastCheck.property(duration, (retryAfter) => {
        const back = through(GenerationSchema.Overloaded, new GenerationError.Overloaded({ message: "m", retryAfter }))
        expect(back.retryAfter).toSatisfy((d: Duration.Duration) => Duration.equals(d, retryAfter))
      })
    ))
})

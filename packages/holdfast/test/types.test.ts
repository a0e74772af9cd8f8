import { describe, expectTypeOf, it } from "vitest"
import type { Effect, Layer, Stream } from "effect"
import { Effect as E } from "effect"
import type * as Generated from "holdfast/Generated"
import * as Generation from "holdfast/Generation"
import type { GenerationCache } from "holdfast/GenerationCache"
import type { GenerationClient } from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as Deadline from "holdfast/Deadline"
import * as Policy from "holdfast/Policy"
import type * as Rejected from "holdfast/Rejected"
import * as Retry from "holdfast/Retry"
import type { Telemetry } from "holdfast/Telemetry"
import * as Timeout from "holdfast/Timeout"

type Mine = { readonly _tag: "Mine" }
const overloaded = new GenerationError.Overloaded({ message: "busy" })
const mixed = overloaded as GenerationError.GenerationError | Mine
const partial = overloaded as GenerationError.Overloaded | GenerationError.InvalidRequest
const work = E.succeed(1) as Effect.Effect<number, Mine, "needed">

describe("types", () => {
  it("generate fails with exactly GenerationError | Rejected and needs Generation alone", () => {
    const call = Generation.generate({ prompt: "a" })
    expectTypeOf(call).toEqualTypeOf<
      Effect.Effect<Generated.Generated, GenerationError.GenerationError | Rejected.Rejected, Generation.Generation>
    >()
    expectTypeOf(Generation.stream({ prompt: "a" })).toEqualTypeOf<
      Stream.Stream<Generated.Chunk, GenerationError.GenerationError | Rejected.Rejected, Generation.Generation>
    >()
  })

  it("catchTag removes a class from it", () => {
    const caught = Generation.generate({ prompt: "a" }).pipe(E.catchTag("Overloaded", (e) => E.succeed(e.attempts)))
    expectTypeOf<Effect.Effect.Error<typeof caught>>().toEqualTypeOf<
      Exclude<GenerationError.GenerationError, GenerationError.Overloaded> | Rejected.Rejected
    >()
  })

  it("guards narrow full, partial, mixed and unknown values", () => {
    const caught = E.fail(mixed).pipe(E.catchIf(GenerationError.isRetryable, () => E.void))
    expectTypeOf<Effect.Effect.Error<typeof caught>>().toEqualTypeOf<GenerationError.Fatal | Mine>()
    const some = E.fail(partial).pipe(E.catchIf(GenerationError.isRetryable, () => E.void))
    expectTypeOf<Effect.Effect.Error<typeof some>>().toEqualTypeOf<GenerationError.InvalidRequest>()
    const u: unknown = mixed
    if (GenerationError.isGenerationError(u)) expectTypeOf(u).toEqualTypeOf<GenerationError.GenerationError>()
  })

  it("policies add their own refusal and nothing else", () => {
    const policy = Policy.compose(Deadline.make({ duration: 1 }), Retry.make(), Timeout.make())
    expectTypeOf<Policy.Rejection<typeof policy>>().toEqualTypeOf<Rejected.DeadlineExceeded | GenerationError.Timeout>()
    const wrapped = () => Policy.with(policy, work)
    expectTypeOf(wrapped).returns.toEqualTypeOf<
      Effect.Effect<number, Mine | Rejected.DeadlineExceeded | GenerationError.Timeout, "needed">
    >()
    expectTypeOf<Policy.Rejection<ReturnType<typeof Retry.make>>>().toEqualTypeOf<never>()
    const empty = Policy.compose()
    expectTypeOf<Policy.Rejection<typeof empty>>().toEqualTypeOf<never>()
  })

  it("the layer needs client, cache and telemetry, and what the policy's effect needs", () => {
    expectTypeOf(Generation.layer()).toEqualTypeOf<
      Layer.Layer<Generation.Generation, never, GenerationClient | GenerationCache | Telemetry>
    >()
    const made = Generation.layer({ policy: E.as(work, Retry.make()) })
    expectTypeOf(made).toEqualTypeOf<
      Layer.Layer<Generation.Generation, Mine, GenerationClient | GenerationCache | Telemetry | "needed">
    >()
    const foreign = Policy.make<Mine>({ kind: "Mine", apply: (self) => self, applyStream: (self) => self })
    // @ts-expect-error a policy may not add an error that generate does not have
    Generation.layer({ policy: foreign })
  })
})

import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Either, FastCheck, Stream } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as Deadline from "holdfast/Deadline"
import * as LoadProfile from "holdfast/LoadProfile"
import * as OffPeak from "holdfast/OffPeak"
import * as Policy from "holdfast/Policy"
import * as Retry from "holdfast/Retry"
import * as Timeout from "holdfast/Timeout"

/** A policy that notes when a call goes in and out. */
const noting = (name: string, notes: Array<string>) =>
  Policy.make({
    kind: "Noting",
    name,
    apply: (self) =>
      Effect.zipRight(Effect.sync(() => notes.push(`${name} in`)), self).pipe(
        Effect.onExit(() => Effect.sync(() => notes.push(`${name} out`)))
      ),
    applyStream: (self) =>
      Stream.ensuring(self, Effect.sync(() => notes.push(`${name} out`)))
  })

class Refused extends Error {
  readonly _tag = "Refused"
}

const refusing = Policy.make<Refused>({
  kind: "Refusing",
  apply: () => Effect.fail(new Refused()),
  applyStream: () => Stream.fail(new Refused())
})

describe("Policy", () => {
  it.effect("composes outside in", () =>
    Effect.gen(function*() {
      const notes: Array<string> = []
      const policy = Policy.compose(noting("a", notes), noting("b", notes), noting("c", notes))
      expect(yield* policy.apply(Effect.succeed(1))).toBe(1)
      expect(notes).toEqual(["a in", "b in", "c in", "c out", "b out", "a out"])
    }))

  it.effect("with takes the policy first, at once or in two steps, and pipes", () =>
    Effect.gen(function*() {
      expect(yield* Policy.with(Policy.identity, Effect.succeed(1))).toBe(1)
      expect(yield* Policy.with(Policy.identity)(Effect.succeed(2))).toBe(2)
      expect(yield* Effect.succeed(3).pipe(Policy.identity.apply)).toBe(3)
      expect(Chunk.toReadonlyArray(yield* Stream.runCollect(Policy.withStream(Policy.identity, Stream.make(4))))).toEqual([4])
      expect(Chunk.toReadonlyArray(yield* Stream.runCollect(Policy.withStream(Policy.identity)(Stream.make(5))))).toEqual([5])
      expect(Policy.identity.pipe((policy) => policy.name)).toBe("Identity")
    }))

  it("describes a composition by its parts, and says how bad it can get", () => {
    const policy = Policy.compose(
      Deadline.make({ duration: "3 minutes" }),
      Policy.compose(Retry.make({ schedule: Backoff.article }), Timeout.make({ attempt: "2 minutes" }))
    )
    expect(policy.describe).toEqual({
      kind: "Composition",
      name: "Deadline > Retry > Timeout",
      options: {},
      amplification: 5,
      policies: [
        { kind: "Deadline", name: "Deadline", amplification: 1, options: { duration: 180_000 } },
        {
          kind: "Retry",
          name: "Retry",
          amplification: 5,
          options: { maxAttempts: 5, attemptTime: 0, unknownOutcome: "once" }
        },
        { kind: "Timeout", name: "Timeout", amplification: 1, options: { attempt: 120_000 } }
      ]
    })
    expect(Policy.worstCaseAmplification(policy)).toBe(5)
    const nested = Policy.compose(Retry.make({ maxAttempts: 3 }), Retry.make({ maxAttempts: 4 }))
    expect(Policy.worstCaseAmplification(nested)).toBe(3)
  })

  it("explains its order in words, without a warning where the order is right", () => {
    const policy = Policy.compose(
      Deadline.make({ duration: "3 minutes" }),
      Retry.make({ name: "patient", schedule: Backoff.article }),
      Timeout.make({ attempt: "1 minute" })
    )
    expect(Policy.explain(policy)).toEqual({
      order: [
        "Deadline bounds everything inside it, waiting included.",
        "Retry \"patient\" repeats everything inside it, at most 5 times.",
        "Timeout bounds each run of what is inside it."
      ],
      warnings: []
    })
    expect(Policy.explain(Policy.identity)).toEqual({ order: [], warnings: [] })
  })

  it("warns of orders that do harm, at any distance, and by the names that were given", () => {
    const policy = Policy.compose(
      Timeout.make({ name: "whole", attempt: "1 minute" }),
      OffPeak.learn(Effect.runSync(LoadProfile.learned())),
      Retry.make(),
      Deadline.make({ duration: "3 minutes" }),
      OffPeak.gate(LoadProfile.nanoBanana)
    )
    expect(Policy.explain(policy).warnings).toEqual([
      "Retry stands inside Timeout \"whole\": all attempts share one time, and the first that hangs takes it all.",
      "OffPeak stands inside Timeout \"whole\": waiting for the window uses up the time of the attempt.",
      "Retry stands inside Learn: the learner stands outside of the retry, so it sees generations with all their " +
      "retries instead of single attempts.",
      "Deadline stands inside Retry: each attempt gets all the time, and nothing bounds their sum.",
      "OffPeak stands inside Retry: the gate passes every attempt but the first; let it stand outside."
    ])
  })

  it.effect("the empty composition changes nothing", () =>
    Effect.gen(function*() {
      const empty = Policy.compose()
      expect(yield* empty.apply(Effect.succeed("x"))).toBe("x")
      expect(yield* Effect.either(empty.apply(Effect.fail("e")))).toEqual(Either.left("e"))
      expect(empty.describe.amplification).toBe(1)
      expect(Policy.compose(empty, Policy.identity, Retry.make()).describe).toEqual(Policy.compose(Retry.make()).describe)
    }))

  const groupings = FastCheck.tuple(
    FastCheck.integer({ min: 1, max: 6 }),
    FastCheck.array(FastCheck.integer({ min: 0, max: 5 }), { maxLength: 4 })
  )

  it.prop("composition is associative, in what it does and in what it says", [groupings], ([[count, cuts]]) => {
    const grouped = (notes: Array<string>, nested: boolean) => {
      let parts: Array<Policy.Policy> = Array.from({ length: count }, (_, i) => noting(`p${i}`, notes))
      if (nested) {
        for (const cut of cuts) {
          const at = cut % parts.length
          parts = [...parts.slice(0, at), Policy.compose(...parts.slice(at, at + 2)), ...parts.slice(at + 2)]
        }
      }
      return Policy.compose(...parts)
    }
    const flat: Array<string> = []
    const deep: Array<string> = []
    Effect.runSync(grouped(flat, false).apply(Effect.void))
    Effect.runSync(grouped(deep, true).apply(Effect.void))
    expect(deep).toEqual(flat)
    expect(grouped([], true).describe).toEqual(grouped([], false).describe)
  })

  it.effect("a refusal reaches the caller, and what is inside never runs", () =>
    Effect.gen(function*() {
      let ran = false
      const policy = Policy.compose(Retry.make(), refusing)
      const error = yield* Effect.flip(policy.apply(Effect.sync(() => {
        ran = true
      })))
      expect(error).toBeInstanceOf(Refused)
      expect(ran).toBe(false)
    }))
})

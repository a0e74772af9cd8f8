import { describe, expect, it } from "@effect/vitest"
import { Cause, Clock, Duration, Effect, Exit, Fiber, Layer, Option, Stream, TestClock } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationClient from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as LoadProfile from "holdfast/LoadProfile"
import * as Policy from "holdfast/Policy"
import type { Shed } from "holdfast/Rejected"
import * as Telemetry from "holdfast/Telemetry"
import { readFileSync } from "node:fs"
import * as Docs from "../../../examples/docs/presets.js"
import { table } from "../../../test/support/markdown.js"

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")
const page = "presets.md"
const minute = 60_000
const hour = 60 * minute
const noon = Date.parse("2026-11-25T12:00:00Z")
const midnight = noon + 12 * hour
const overloaded = new GenerationError.Overloaded({ message: "busy" })

const admitting = { interactive: Policy.interactive, persistent: Policy.persistent, batch: Policy.batch } as const

const presets: Readonly<Record<string, () => Effect.Effect<Policy.Policy<Shed>>>> = {
  ...admitting,
  article: Policy.article
}

/** A program over one of the page's layers, against a script. */
const under = (
  layer: Layer.Layer<
    Generation.Generation,
    never,
    GenerationClient.GenerationClient | GenerationCache.GenerationCache | Telemetry.Telemetry
  >,
  script: ReadonlyArray<GenerationClient.Outcome>
) => Layer.provide(layer, Layer.mergeAll(GenerationClient.layerTest(script), GenerationCache.layerNoop, Telemetry.layerNoop))

/** When a program of the page ends that starts at `from`. */
const endedAt = <E>(from: number, program: Effect.Effect<unknown, E>) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(from)
    const fiber = yield* Effect.fork(Effect.zipRight(program, Clock.currentTimeMillis))
    yield* TestClock.adjust("1 day")
    return yield* Fiber.join(fiber)
  })

describe("docs/presets.md", () => {
  it("shows only code of the example that is compiled and run", () => {
    const example = read("examples/docs/presets.ts")
    const blocks = [...read(`docs/${page}`).matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!)
    expect(blocks.length).toBeGreaterThan(4)
    for (const block of blocks) expect(example).toContain(block.trim())
  })

  it.effect("says of what each consists, and what it tells of itself", () =>
    Effect.gen(function*() {
      const rows = table(page, "preset", "for", "consists of")
      const made = yield* Effect.forEach(Object.entries(presets), ([name, make]) =>
        Effect.map(make(), (policy) => [`Policy.${name}`, policy.name]))
      expect(rows.map((row) => [row["preset"], row["consists of"]])).toEqual(made)
      expect(read(`docs/${page}`)).toContain(`\n> ${(yield* Docs.order).join("\n> ")}\n`)
      expect((yield* Docs.impatient).name).toBe("OffPeak > Retry > Admission > Timeout")
      expect((yield* Docs.loop).describe).toMatchObject({ kind: "Retry", amplification: 5 })
    }))

  it.effect("states the defaults", () =>
    Effect.gen(function*() {
      const rows = table(page, "option", "interactive", "persistent", "batch", "unit and range")
      const millis = ({ attempt, maxDeferral, spread }: Readonly<Record<string, unknown>>) =>
        [attempt, maxDeferral, spread].map((value) => Duration.toMillis(value as Duration.DurationInput))
      const fixed = table(page, "number", "is", "what it is").map((row) => [row["number"], row["is"]])
      for (const [name, make] of Object.entries(admitting)) {
        const { describe } = yield* make()
        const [offPeak, retry, admission] = (describe.policies ?? []).slice(-3).map(({ options }) => options)
        const persistent = admission?.["pers"] === undefined
          ? "off"
          : `pers ${admission["pers"]}, fair ${admission["fair"]}`
        expect(Object.fromEntries(rows.map((row) => [row["option"], row[name]]))).toEqual({
          name: "",
          profile: "LoadProfile.nanoBanana",
          maxAttempts: String(retry?.["maxAttempts"]),
          "admission.persistent": persistent
        })
        expect(describe).toEqual((yield* make({ profile: LoadProfile.nanoBanana })).describe)
        expect(millis(offPeak ?? {})).toEqual(millis(Object.fromEntries(fixed)))
      }
      expect(Object.fromEntries(fixed)).toEqual(Policy.presetDefaults.offPeak)
    }))

  it.effect("says when a call that is always refused makes its attempts, and how it ends", () =>
    Effect.gen(function*() {
      const rows = table(page, "preset", "attempts start after (s)", "over after (s)", "ends with")
      expect(rows.map((row) => row["preset"])).toEqual(Object.keys(presets))
      for (const [preset, make] of Object.entries(presets)) {
        const policy = yield* make()
        const begun = yield* Clock.currentTimeMillis
        const seconds = Effect.map(Clock.currentTimeMillis, (now) => String(Math.round((now - begun) / 100) / 10))
        const starts: Array<string> = []
        const attempt = Effect.zipRight(Effect.map(seconds, (at) => void starts.push(at)), Effect.fail(overloaded))
        const call = Policy.with(Deadline.make({ duration: "150 seconds" }), policy.apply(attempt)).pipe(
          CurrentCall.update({ log: CurrentCall.makeLog() }),
          Effect.withRandomFixed([0.5])
        )
        const fiber = yield* Effect.fork(Effect.zip(Effect.exit(call), seconds))
        yield* TestClock.adjust("150 seconds")
        const [exit, over] = yield* Fiber.join(fiber)
        const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
        expect({
          preset,
          "attempts start after (s)": starts.join(", "),
          "over after (s)": over,
          "ends with": error?._tag
        }).toEqual(rows.find((row) => row["preset"] === preset))
      }
    }))

  it.effect("its layers answer in the day those who wait, and in the night the others", () =>
    Effect.gen(function*() {
      for (const layer of [Docs.layer, Docs.crowded, Docs.shared]) {
        const at = yield* endedAt(noon, Effect.provide(Docs.portrait("a boat"), under(layer, [overloaded, {}])))
        expect(at).toBeGreaterThan(noon)
        expect(at).toBeLessThan(noon + 3 * minute)
      }
      // The peak in New York ends at midnight UTC, and begins at 13:00.
      const three = noon + 3 * hour
      const draw = Generation.generate({ prompt: "a boat" })
      const jobs = [
        yield* endedAt(noon, Effect.provide(Docs.poster("a boat"), under(Docs.shared, [{}]))),
        yield* endedAt(three, Effect.provide(draw, under(Docs.nightly, [{}])))
      ]
      for (const at of jobs) {
        expect(at).toBeGreaterThanOrEqual(midnight)
        expect(at).toBeLessThan(midnight + 15 * minute)
      }
      expect(yield* endedAt(noon, Effect.provide(draw, under(Docs.nightly, [{}])))).toBe(noon)
    }))

  it.effect("its gauge shows who waits, and its timeout ends a silent stream", () =>
    Effect.gen(function*() {
      const { policy, waiting } = yield* Docs.watched
      yield* Effect.exit(policy.apply(Effect.fail(new GenerationError.InvalidRequest({ message: "no" }))))
      yield* Effect.exit(policy.admission.apply(Effect.fail(overloaded)))
      const fiber = yield* Effect.fork(policy.apply(Effect.void))
      yield* TestClock.adjust("1 second")
      expect(yield* waiting).toEqual(["default: 1"])
      yield* Fiber.interrupt(fiber)
      const silent = Stream.concat(Stream.make("once upon"), Stream.never)
      const stream = yield* Effect.fork(Effect.flip(Stream.runDrain((yield* Docs.impatient).applyStream(silent))))
      yield* TestClock.adjust("30 seconds")
      expect(yield* Fiber.join(stream)).toMatchObject({ _tag: "Timeout", phase: "idle", stoppedBy: "committed" })
    }))
})

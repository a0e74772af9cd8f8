import { describe, expect, it, vi } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Ref, TestClock } from "effect"
import * as GenerationError from "holdfast/GenerationError"
import * as LoadProfile from "holdfast/LoadProfile"
import * as OffPeak from "holdfast/OffPeak"
import { readFileSync } from "node:fs"
import * as Gate from "../../../examples/docs/off-peak-gate.js"
import { table } from "../../../test/support/markdown.js"

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")
const page = read("docs/off-peak.md")
const noon = Date.parse("2026-11-25T12:00:00Z")
const hour = 3_600_000
const overloaded = new GenerationError.Overloaded({ message: "busy" })

/** The cells of a table row, without the code marks. */
const row = (start: string): ReadonlyArray<string> => {
  const line = page.split("\n").find((text) => text.startsWith(`| ${start}`))
  return (line ?? "").split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", ""))
}

/** The page's program prints what it finds. */
const program = async () => {
  const print = vi.spyOn(console, "log").mockImplementation(() => {})
  const docs = await import("../../../examples/docs/off-peak.js")
  const printed = print.mock.calls.map(([line]: ReadonlyArray<unknown>) => line)
  print.mockRestore()
  return { docs, printed }
}

describe("docs/off-peak.md", () => {
  it("states the defaults of defer and stretch", () => {
    const { atMost, attempt, attempts, delays, maxDeferral, maxDelay, spread, under } = OffPeak.defaults
    const stated = table("off-peak.md", "option", "default", "range").map((cells) => [cells["option"], cells["default"]])
    expect(Object.fromEntries(stated)).toEqual({ atMost, spread, maxDeferral, attempt, under })
    const levels = (values: Readonly<Record<LoadProfile.Level, number>>) =>
      LoadProfile.levels.map((level) => String(values[level]))
    expect(row("`stretch` multiplies").slice(1)).toEqual(levels(delays))
    expect(row("`stretch` adds").slice(1)).toEqual(levels(attempts))
    expect(row("`failureRatio` of").slice(1)).toEqual(levels(LoadProfile.defaults.failureRatio))
    expect(page).toContain(`by default \`${maxDelay}\``)
  })

  it("states the defaults of learned", () => {
    const { halfLife, priorWeight, thresholds } = LoadProfile.defaults
    expect(row("`halfLife`")[1]).toBe(halfLife)
    expect(row("`priorWeight`")[1]).toBe(String(priorWeight))
    expect(row("`thresholds`")[1]).toBe([thresholds.medium, thresholds.high, thresholds.peak].join(", "))
  })

  it("its program previews three nights, and finds the next window", async () => {
    const { printed } = await program()
    expect(printed[0]).toEqual([
      expect.stringMatching(/^2026-01-06T0[01]:/),
      expect.stringMatching(/^2026-01-06T0[01]:/),
      expect.stringMatching(/^2026-01-06T0[0-5]:/)
    ])
    expect(printed[1]).toMatch(/^the next low window begins at \d{4}-/)
  })

  it.effect("its schedules retry in the night, once a night, and one item after the other", () =>
    Effect.gen(function*() {
      const { docs } = yield* Effect.promise(program)
      const hours = yield* Ref.make<ReadonlyArray<number>>([])
      const note = Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Ref.updateAndGet(hours, (all) => [...all, (now - noon) / hour]))
      const during = <A, E>(time: Duration.DurationInput, work: Effect.Effect<A, E>, from = noon) =>
        Effect.gen(function*() {
          yield* TestClock.setTime(from)
          yield* Ref.set(hours, [])
          const fiber = yield* Effect.fork(work)
          yield* TestClock.adjust(time)
          yield* Fiber.interrupt(fiber)
          return yield* Ref.get(hours)
        })

      const image = Effect.flatMap(note, ({ length }) => (length === 1 ? overloaded : Effect.succeed("an image")))
      const [, retried = 0] = yield* during("1 day", docs.render(image))
      expect([retried >= 12, retried < 14]).toEqual([true, true])

      const nights = yield* during("3 days", docs.everyNight(Effect.asVoid(note)))
      expect(nights.map((at) => Math.floor((at - 12) / 24))).toEqual([-1, 0, 1, 2])

      // Two seconds before the end of a night: two items now, and the third in the next night.
      const end = noon + 18 * hour
      const item = Effect.flatMap(note, ({ length }) =>
        length < 3 ? Effect.succeed({ _tag: "Item" as const, id: String(length) }) : Effect.never)
      const [first = 0, second = 0, third = 0] = yield* during("1 day", docs.workThrough(item), end - 2000)
      expect((first - 18) * 3600).toBeCloseTo(-2, 5)
      expect((second - 18) * 3600).toBeCloseTo(-1, 5)
      expect(Math.floor(third)).toBe(36)
    }))

  it("shows only code of the example that is compiled and run", () => {
    const example = read("examples/docs/off-peak.ts")
    const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!)
    expect(blocks.length).toBeGreaterThan(3)
    for (const block of blocks) expect(example).toContain(block.trim())
  })
})

describe("docs/policies/off-peak-gate.md", () => {
  it("states the defaults", () => {
    const { atMost, attempt, holds, maxDeferral, otherwise, spread, urgentPriority } = OffPeak.defaults
    const stated = table("policies/off-peak-gate.md", "option", "default", "unit and range")
    expect(Object.fromEntries(stated.map((cells) => [cells["option"], cells["default"]]))).toEqual({
      name: OffPeak.gate(LoadProfile.nanoBanana).describe.name,
      atMost,
      spread,
      maxDeferral,
      attempt,
      holds,
      urgentPriority: String(urgentPriority),
      otherwise
    })
  })

  it.effect("holds a batch until the night, a person's and an urgent call not at all", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      const hoursUntil = (call: Effect.Effect<number, unknown>) =>
        Effect.gen(function*() {
          const from = yield* Clock.currentTimeMillis
          const fiber = yield* Effect.fork(call)
          yield* TestClock.adjust("14 hours")
          yield* TestClock.setTime(noon)
          return Math.floor(((yield* Fiber.join(fiber)) - from) / hour)
        })
      expect(yield* hoursUntil(Gate.batch(Clock.currentTimeMillis))).toBe(12)
      expect(yield* hoursUntil(Gate.rightNow(Clock.currentTimeMillis))).toBe(0)
      expect(yield* hoursUntil(Gate.policy.apply(Clock.currentTimeMillis))).toBe(0)
    }))

  it.effect("refuses with the time to the next window", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      expect(yield* Gate.soon(Effect.succeed("an image"))).toEqual(Duration.hours(12))
    }))
})

import { describe, expect, it } from "@effect/vitest"
import * as LoadProfile from "holdfast/LoadProfile"
import * as OffPeak from "holdfast/OffPeak"
import { readFileSync } from "node:fs"

const page = readFileSync(new URL("../../../docs/off-peak.md", import.meta.url), "utf8")

/** The cells of a table row, without the code marks. */
const row = (start: string): ReadonlyArray<string> => {
  const line = page.split("\n").find((text) => text.startsWith(`| ${start}`))
  return (line ?? "").split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", ""))
}

describe("docs/off-peak.md", () => {
  it("states the defaults of defer and gate", () => {
    const { attempts, delays, maxDelay, ...options } = OffPeak.defaults
    for (const [name, value] of Object.entries(options)) expect(row(`\`${name}\``)[1], name).toBe(String(value))
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

  it("shows only code of the example that is compiled and run", () => {
    const example = readFileSync(new URL("../../../examples/docs/off-peak.ts", import.meta.url), "utf8")
    const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!)
    expect(blocks.length).toBeGreaterThan(3)
    for (const block of blocks) expect(example).toContain(block.trim())
  })
})

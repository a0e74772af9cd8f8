import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Ledger from "../src/internal/retryBudget/ledger.js"

describe("a budget's ledger against a list of everything that happened", () => {
  const event = FastCheck.record({
    wait: FastCheck.constantFrom(0, 1, 100, 999, 1000, 5000, 31_000, 61_000),
    // Eighths add up exactly.
    tokens: FastCheck.integer({ min: 0, max: 40 }).map((n) => n / 8),
    withdraw: FastCheck.boolean()
  })
  const terms = { window: 60_000, floor: 3 }
  const slot = 1000

  it.prop("the same grants and the same sums", [FastCheck.array(event, { maxLength: 120, size: "max" })], ([events]) => {
    const all: Array<{ at: number; earned: number; paid: number; retries: number; grant: string | undefined }> = []
    let ledger = Ledger.empty
    let now = 1_000_000
    for (const { tokens, wait, withdraw } of events) {
      now += wait
      const live = all.filter(({ at }) => Math.floor(at / slot) >= Math.floor(now / slot) - 60)
      const sum = (key: "earned" | "paid" | "retries") => live.reduce((total, entry) => total + entry[key], 0)
      const grant = !withdraw ? undefined : sum("earned") - sum("paid") >= tokens ? "paid" : sum("retries") < terms.floor ? "floor" : "refused"
      if (withdraw) {
        const [next, given] = Ledger.withdraw(ledger, terms, tokens, now)
        expect(given).toBe(grant)
        ledger = next
        if (grant !== "refused") all.push({ at: now, earned: 0, paid: grant === "paid" ? tokens : 0, retries: 1, grant })
      } else {
        ledger = Ledger.deposit(ledger, terms, tokens, now)
        all.push({ at: now, earned: tokens, paid: 0, retries: 0, grant })
      }
      expect(ledger.length).toBeLessThanOrEqual(61)
      const byFloor = all.filter((entry) => entry.grant === "floor" && entry.at > now - terms.window)
      expect(byFloor.length).toBeLessThanOrEqual(terms.floor)
    }
    const totals = Ledger.totals(ledger, terms, now)
    const live = all.filter(({ at }) => Math.floor(at / slot) >= Math.floor(now / slot) - 60)
    expect(totals).toEqual({
      earned: live.reduce((total, { earned }) => total + earned, 0),
      paid: live.reduce((total, { paid }) => total + paid, 0),
      retries: live.reduce((total, { retries }) => total + retries, 0)
    })
  })
})

describe("a budget's ledger", () => {
  const terms = { window: 60_000, floor: 1 }
  /** One token at each of these times. */
  const earning = (...times: ReadonlyArray<number>) =>
    times.reduce((ledger: Ledger.Ledger, at) => Ledger.deposit(ledger, terms, 1, at), Ledger.empty)
  const earned = (ledger: Ledger.Ledger, now: number) => Ledger.totals(ledger, terms, now).earned

  it("keeps one entry a slot, a sixtieth of the window long, oldest first", () => {
    const ledger = earning(999, 1000, 1001, 1999, 2000, 2100, 7500)
    expect(ledger.map(({ earned, index }) => [index, earned])).toEqual([[0, 1], [1, 3], [2, 2], [7, 1]])
  })

  it("forgets a slot when the window has passed it, and no other", () => {
    const ledger = earning(500, 1500, 2500)
    expect([59_500, 60_999, 61_000, 61_999, 62_000, 63_000].map((now) => earned(ledger, now))).toEqual([3, 3, 2, 2, 1, 0])
    expect(Ledger.deposit(ledger, terms, 1, 61_500).map(({ index }) => index)).toEqual([1, 2, 61])
    expect(Ledger.deposit(ledger, terms, 1, 500_000)).toHaveLength(1)
  })

  it("a clock that is set back forgets nothing, and writes into the newest slot", () => {
    const ledger = earning(999_000, 1_000_000, 900_000)
    expect(ledger.map(({ earned, index }) => [index, earned])).toEqual([[999, 1], [1000, 2]])
    expect([earned(ledger, 900_000), earned(ledger, 1_000_000)]).toEqual([3, 3])
  })

  it("takes no notice of a payment of nothing, or of less", () => {
    const ledger = earning(0)
    for (const tokens of [0, -1, NaN]) expect(Ledger.deposit(ledger, terms, tokens, 5000)).toBe(ledger)
  })

  it("pays with tokens as long as they last, then by the floor, then not at all", () => {
    const grants: Array<Ledger.Grant> = []
    let ledger = earning(0, 0, 0)
    for (let i = 0; i < 4; i++) {
      const [next, grant] = Ledger.withdraw(ledger, { ...terms, floor: 3 }, 1.5, 1000 * i)
      grants.push(grant)
      ledger = next
    }
    expect(grants).toEqual(["paid", "paid", "floor", "refused"])
    expect(Ledger.totals(ledger, terms, 4000)).toEqual({ earned: 3, paid: 3, retries: 3 })
    expect(Ledger.withdraw(ledger, terms, 1.5, 4000)[0]).toBe(ledger)
  })

  it("a retry that the floor granted counts until it has left the window", () => {
    const [ledger] = Ledger.withdraw(Ledger.empty, terms, 1, 0)
    expect([59_000, 60_999, 61_000].map((now) => Ledger.withdraw(ledger, terms, 1, now)[1])).toEqual(["refused", "refused", "floor"])
  })

  it("ten tenths are one", () => {
    const ledger = Array.from({ length: 10 }).reduce<Ledger.Ledger>((sum) => Ledger.deposit(sum, terms, 0.1, 0), Ledger.empty)
    expect(earned(ledger, 0)).toBeLessThan(1)
    expect(Ledger.withdraw(ledger, { ...terms, floor: 0 }, 1, 0)[1]).toBe("paid")
    expect(Ledger.withdraw(ledger, { ...terms, floor: 0 }, 1.000_001, 0)[1]).toBe("refused")
  })
})

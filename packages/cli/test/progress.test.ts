import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Exit, Scope, TestClock } from "effect"
import type { TelemetryEvent } from "holdfast/TelemetryEvent"
import * as Progress from "../src/generation/progress.js"
import { failureOf, sentence } from "../src/generation/result.js"
import { GenerationError, Rejected } from "holdfast"

const common = { generation: "g", at: 1000 }
const started = (attempt: number): TelemetryEvent => ({
  _tag: "AttemptStarted",
  ...common,
  attempt,
  endpoint: "gemini",
  model: "m"
})
const ended = (attempt: number, error?: string, status?: number): TelemetryEvent => ({
  _tag: "AttemptEnded",
  ...common,
  attempt,
  endpoint: "gemini",
  model: "m",
  requested: { endpoint: "gemini", model: "m" },
  ending: error === undefined ? { _tag: "Success" } : { _tag: "Failure", error },
  duration: Duration.millis(1400),
  status
})
const retry = (attempt: number): TelemetryEvent => ({
  _tag: "RetryScheduled",
  ...common,
  policy: "Retry",
  attempt,
  error: "Overloaded",
  endpoint: "gemini",
  delay: Duration.millis(2100)
})
const over = (ok: boolean): TelemetryEvent => ({
  _tag: "GenerationEnded",
  ...common,
  model: "m",
  ending: ok ? { _tag: "Success" } : { _tag: "Failure", error: "Unauthorized" },
  duration: Duration.millis(5000),
  attempts: 2
})

const screen = (live: boolean, columns = 80, coloured = false) => {
  const written: Array<string> = []
  return { written, live, coloured, columns: () => columns, write: (text: string) => void written.push(text) }
}

const show = (to: Progress.Screen, events: ReadonlyArray<TelemetryEvent>) =>
  Effect.scoped(Effect.flatMap(Progress.make(to), ({ observer }) => Effect.forEach(events, observer)))

describe("progress", () => {
  it.effect("is one plain line for each attempt where nothing can be drawn over", () =>
    Effect.gen(function*() {
      const to = screen(false)
      yield* show(to, [started(1), ended(1, "Overloaded", 503), retry(2), started(2), ended(2), over(true)])
      expect(to.written.map((line) => line.replace(/^\d\d:\d\d:\d\d/, "TIME"))).toEqual([
        "TIME  attempt 1  gemini  Overloaded (503) after 1.4 s; next try in 2.1 s\n",
        "TIME  attempt 2  gemini  ok after 1.4 s\n"
      ])
      expect(to.written.join("")).not.toContain("\u001b")
    })
  )

  it.effect("says when there is no further try", () =>
    Effect.gen(function*() {
      const to = screen(false)
      yield* show(to, [started(1), ended(1, "Unauthorized", 401), over(false)])
      expect(to.written.join("")).toContain("Unauthorized (401) after 1.4 s; no further try\n")
    })
  )

  it.effect("draws a last line on a terminal, within its width, and takes it away at the end", () =>
    Effect.gen(function*() {
      const to = screen(true, 24)
      const scope = yield* Scope.make()
      const { observer } = yield* Scope.extend(Progress.make(to), scope)
      yield* observer(started(1))
      yield* TestClock.adjust("5 seconds")
      const last = to.written.at(-1) ?? ""
      expect(last).toMatch(/^\r\u001b\[K. attempt 1 at gemini/)
      expect(last.replace("\r\u001b[K", "").length).toBeLessThan(24)
      yield* observer(ended(1, "Overloaded", 503))
      yield* observer(retry(2))
      yield* TestClock.adjust("1 second")
      expect(to.written.at(-1)).toMatch(/attempt 2 in/)
      yield* Scope.close(scope, Exit.void)
      expect(to.written.at(-1)).toBe("\r\u001b[K")
    })
  )
})

describe("the sentence of a failure", () => {
  it("says the class, the attempts, why it stopped and what to do", () => {
    const error = GenerationError.update(
      new GenerationError.Overloaded({ message: "The model is overloaded.\u001b[2J", status: 503, retryAfter: 30_000 }),
      { stoppedBy: "deadline" }
    )
    expect(sentence(failureOf(error, 60_000), 3)).toBe(
      "Overloaded (503) after 3 attempts, because the deadline leaves no time for another: The model is overloaded " +
        "(the server asks to wait 30.0 s); try again later, allow more time with --deadline, or name another " +
        "endpoint with --endpoint"
    )
  })

  it("names the last failure when the time is up", () => {
    const last = new GenerationError.RateLimited({ message: "slow", status: 429 })
    const error = new Rejected.DeadlineExceeded({
      policy: "Deadline",
      policyName: "Deadline",
      message: "late",
      attempts: [],
      last
    })
    expect(failureOf(error, 90_000)).toMatchObject({
      class: "DeadlineExceeded",
      stoppedBy: "deadline",
      message: "no result within 1m30s; the last failure was RateLimited (429)"
    })
  })
})

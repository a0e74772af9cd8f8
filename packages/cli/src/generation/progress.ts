/**
 * Shows how a generation goes, on standard error: one line for each attempt when it has ended, and, on a terminal, a
 * last line that tells the time of what is under way. Fed by telemetry events; it changes nothing.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { TelemetryEvent } from "holdfast/TelemetryEvent"
import { fit, oneLine, seconds } from "../terminal/text.js"

/** Where it is shown. */
export interface Screen {
  /** Can a line be drawn over? */
  readonly live: boolean
  readonly coloured: boolean
  readonly columns: () => number
  /** Writes at once. */
  readonly write: (text: string) => void
}

type Now =
  | { readonly _tag: "Idle" }
  | { readonly _tag: "Attempt"; readonly number: number; readonly endpoint: string; readonly since: number }
  | { readonly _tag: "Waiting"; readonly number: number; readonly until: number }

type Ended = Extract<TelemetryEvent, { readonly _tag: "AttemptEnded" }>

const clockTime = (millis: number): string => {
  const date = new Date(millis)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":")
}

const colours = { red: 31, green: 32, yellow: 33, dim: 2 } as const

const paint = (screen: Screen, colour: keyof typeof colours, text: string): string =>
  screen.coloured ? `\u001b[${colours[colour]}m${text}\u001b[0m` : text

const nameOf = ({ ending, status }: Ended): string => {
  switch (ending._tag) {
    case "Success":
      return "ok"
    case "Failure":
      return status === undefined ? ending.error : `${ending.error} (${status})`
    case "Interrupted":
      return "cancelled"
    case "Defect":
      return "defect"
  }
}

const endingColour = ({ ending }: Ended, again: boolean): keyof typeof colours =>
  ending._tag === "Success" ? "green" : again ? "yellow" : "red"

/** The line of an attempt that has ended. */
const attemptLine = (screen: Screen, event: Ended, next: string, again: boolean): string =>
  [
    paint(screen, "dim", clockTime(event.at)),
    `attempt ${event.attempt}`,
    oneLine(event.endpoint, 40),
    paint(screen, endingColour(event, again), nameOf(event)) +
      ` after ${seconds(Duration.toMillis(event.duration))}${next}`
  ].join("  ")

const spinner = ["|", "/", "-", "\\"]

/** The line of what is under way. */
const statusLine = (state: Now, at: number, tick: number): string => {
  const turn = spinner[tick % spinner.length] ?? ""
  switch (state._tag) {
    case "Idle":
      return ""
    case "Attempt":
      return `${turn} attempt ${state.number} at ${oneLine(state.endpoint, 40)}, ${seconds(at - state.since)}`
    case "Waiting":
      return `${turn} attempt ${state.number} in ${seconds(state.until - at)}`
  }
}

export interface Progress {
  /** An observer for `Telemetry`. */
  readonly observer: (event: TelemetryEvent) => Effect.Effect<void>
}

/** How often the last line is drawn. */
const frame = Duration.millis(100)

/** Shows until the scope closes; then the last line is gone. */
export const make = (screen: Screen): Effect.Effect<Progress, never, Scope.Scope> =>
  Effect.gen(function*() {
    let state: Now = { _tag: "Idle" }
    let pending: Ended | undefined
    let drawn = false
    let ticks = 0

    const erase = (): void => {
      if (drawn) screen.write("\r\u001b[K")
      drawn = false
    }
    const draw = (at: number): void => {
      const line = fit(statusLine(state, at, ticks++), screen.columns() - 1)
      if (line === "") return erase()
      screen.write(`\r\u001b[K${line}`)
      drawn = true
    }
    const say = (line: string): void => {
      erase()
      screen.write(`${line}\n`)
    }
    const flush = (next: string, again: boolean): void => {
      if (pending === undefined) return
      say(attemptLine(screen, pending, next, again))
      pending = undefined
    }

    const on = (event: TelemetryEvent): void => {
      switch (event._tag) {
        case "AttemptStarted":
          flush("", false)
          state = { _tag: "Attempt", number: event.attempt, endpoint: event.endpoint, since: event.at }
          return
        case "AttemptEnded":
          flush("", false)
          pending = event
          state = { _tag: "Idle" }
          return
        case "RetryScheduled":
          flush(`; next try in ${seconds(Duration.toMillis(event.delay))}`, true)
          state = { _tag: "Waiting", number: event.attempt, until: event.at + Duration.toMillis(event.delay) }
          return
        case "GenerationEnded":
          flush(event.ending._tag === "Success" ? "" : "; no further try", false)
          state = { _tag: "Idle" }
          return
        case "GenerationStarted":
        case "HedgeStarted":
        case "CallRejected":
        case "CacheAnswered":
          return
      }
    }

    if (screen.live) {
      yield* Effect.addFinalizer(() => Effect.sync(erase))
      const redraw = Effect.map(Clock.currentTimeMillis, draw)
      yield* Effect.forkScoped(Effect.repeat(redraw, Schedule.spaced(frame)))
    }
    return { observer: (event) => Effect.sync(() => on(event)) }
  })

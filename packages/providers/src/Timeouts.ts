/**
 * How long one attempt may take in each phase, and how a client tells which phase it is in.
 *
 * Every clock is Effect's `Clock`, started by Holdfast itself, so timeouts are exact to the millisecond and run in
 * virtual time. What a client cannot see it cannot tell apart: over a plain `fetch`, connecting, writing and waiting
 * for the answer's head are one wait of their three limits together, reported as `headers`. An `HttpClient` that does
 * see them (the one of `@holdfast/providers/node`) announces each phase through `CurrentPhases`.
 *
 * Not a limit on the whole attempt: compose a `Timeout` policy for that.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type { Timeouts } from "holdfast/GenerationRequest"
import * as Check from "./internal/check.js"

/** The phases of one exchange, in their order. */
export type Phase = "pool" | "connect" | "write" | "headers" | "body"

/** A limit for every phase, in milliseconds; `Infinity` for none. */
export type Resolved = Readonly<Record<Phase, number>>

/**
 * The limits used where neither the call nor the endpoint sets one. Image models answer in 20-40 s, in 60-100 s under
 * load, and sometimes in 180 s: a shorter wait for the head or between pieces of the body throws good work away.
 */
export const defaults = {
  /** Waiting for a free connection of the endpoint. */
  pool: "30 seconds",
  /** Name lookup, TCP and TLS. */
  connect: "30 seconds",
  /** Sending the request. */
  write: "30 seconds",
  /** From the request sent to the first byte of the answer's head. */
  headers: "180 seconds",
  /** Longest silence between two pieces of the answer's body. */
  body: "180 seconds"
} as const satisfies Required<Timeouts>

/** The phases by name, in their order. */
export const phases: ReadonlyArray<Phase> = ["pool", "connect", "write", "headers", "body"]

/**
 * A limit for every phase: the first of the given timeouts that sets it, else the default. Throws a `RangeError` that
 * names the field when a limit is not a positive duration.
 */
export const resolve = (...timeouts: ReadonlyArray<Timeouts | undefined>): Resolved => {
  const limit = (phase: Phase): number => {
    const input = timeouts.find((candidate) => candidate?.[phase] !== undefined)?.[phase] ?? defaults[phase]
    return Check.positiveMillis(`timeouts.${phase}`, input)
  }
  return {
    pool: limit("pool"),
    connect: limit("connect"),
    write: limit("write"),
    headers: limit("headers"),
    body: limit("body")
  }
}

/** What an `HttpClient` tells about the exchange it is making. */
export interface PhaseListener {
  /** The limits of this exchange; undefined outside of a Holdfast client. */
  readonly limits: Resolved | undefined
  /** The exchange has reached this phase. May be called from any callback; cheap. */
  readonly enter: (phase: "connect" | "write" | "headers") => void
}

/** Nobody listens. */
export const silent: PhaseListener = { limits: undefined, enter: () => {} }

/**
 * Who wants to know the phases of the exchange in flight. Set by Holdfast's clients around `HttpClient.execute`; read
 * by an `HttpClient` that can see connections.
 */
export class CurrentPhases extends Context.Reference<CurrentPhases>()("@holdfast/providers/CurrentPhases", {
  defaultValue: (): PhaseListener => silent
}) {}

/** A duration for people: `30s`, `1m 30s`. */
export const format = (millis: number): string => Duration.format(Duration.millis(millis))

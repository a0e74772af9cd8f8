/** What a limiter knows of a call that has passed it: when it really starts, and what a stream says that it cost. */
import type * as Chunk from "effect/Chunk"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { Call } from "../../CurrentCall.js"
import type { Gate } from "../gate.js"
import { streamThroughGate } from "../gatedStream.js"
import type { Ticket } from "./lane.js"

/**
 * Does the attempt's start come to be known? Within a generation the watch around the client tells it, unless an
 * attempt is under way already: then the limiter stands inside the watch, or beside another attempt.
 */
export const isReported = (call: Call): boolean =>
  call.generation !== undefined && call.log !== undefined && call.log.started === call.log.attempts.length

/** The call that the holder of a ticket sees: one that tells when the attempt starts. */
export const within = (ticket: Ticket, call: Call): Call =>
  ticket.reported
    ? {
      ...call,
      observe: (event) => {
        if (event._tag === "AttemptStarted") ticket.lane.started(ticket, event.at)
        call.observe(event)
      }
    }
    : call

/** A stream behind a limiter; what it says at its end counts as its result. */
export const streamThrough = <A, E, R, E2>(
  limiter: Gate<E2, Ticket>,
  self: Stream.Stream<A, E, R>
): Stream.Stream<A, E | E2, R> =>
  Stream.suspend(() => {
    let finish: unknown
    const notice = (chunk: Chunk.Chunk<A>): Chunk.Chunk<A> => {
      for (const element of chunk) {
        if (typeof element === "object" && element !== null && "_tag" in element && element._tag === "Finish") {
          finish = element
        }
      }
      return chunk
    }
    const gate: Gate<E2, Ticket> = {
      enter: (visitor) => limiter.enter(visitor),
      leave: (ticket, how, now) => {
        const finished = how !== "never-started" && Exit.isSuccess(how) && finish !== undefined
        limiter.leave(ticket, finished ? Exit.succeed(finish) : how, now)
      },
      within
    }
    return streamThroughGate(gate, Stream.mapChunks(self, notice))
  })

/**
 * One passage of a call, or a stream, through a limiter's gate: it knows its ticket, tells when the call really starts,
 * and remembers what a stream says at its end of what it cost.
 */
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { type Call, CurrentCall, ofFiber, provideStream } from "../../CurrentCall.js"
import { type Gate, streamThroughGate, throughGate } from "../gate.js"
import type { Ticket } from "./lane.js"

/**
 * Does the attempt's start come to be known? Within a generation the watch around the client tells it, unless an
 * attempt is under way already: then the limiter stands inside the watch, or beside another attempt.
 */
export const isReported = (call: Call): boolean =>
  call.generation !== undefined && call.log !== undefined && call.log.started === call.log.attempts.length

class Passage<E> {
  private ticket: Ticket | undefined
  private finish: unknown

  constructor(private readonly limiter: Gate<E, Ticket>) {}

  readonly gate: Gate<E, Ticket> = {
    enter: (visitor) => {
      const decision = this.limiter.enter({
        ...visitor,
        settle: (outcome) => {
          if (outcome._tag === "Entered") this.ticket = outcome.ticket
          visitor.settle(outcome)
        }
      })
      if (decision._tag === "Entered") this.ticket = decision.ticket
      return decision
    },
    leave: (ticket, how, now) => {
      const finished = how !== "never-started" && Exit.isSuccess(how) && this.finish !== undefined
      this.limiter.leave(ticket, finished ? Exit.succeed(this.finish) : how, now)
    }
  }

  /** The call that the inside sees; the given one when nothing has to be told. */
  watched(call: Call): Call {
    const { ticket } = this
    if (ticket === undefined || !ticket.reported) return call
    return {
      ...call,
      observe: (event) => {
        if (event._tag === "AttemptStarted") ticket.lane.started(ticket, event.at)
        call.observe(event)
      }
    }
  }

  notice<A>(chunk: Chunk.Chunk<A>): Chunk.Chunk<A> {
    for (const element of chunk) {
      if (typeof element === "object" && element !== null && "_tag" in element && element._tag === "Finish") {
        this.finish = element
      }
    }
    return chunk
  }
}

/** An effect behind a limiter. */
export const through = <A, E, R, E2>(
  limiter: Gate<E2, Ticket>,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E | E2, R> =>
  Effect.suspend(() => {
    const passage = new Passage(limiter)
    const inside = Effect.withFiberRuntime<A, E, R>((fiber) => {
      const call = ofFiber(fiber)
      const watched = passage.watched(call)
      return watched === call ? self : Effect.provideService(self, CurrentCall, watched)
    })
    return throughGate(passage.gate, inside)
  })

/** A stream behind a limiter. */
export const streamThrough = <A, E, R, E2>(
  limiter: Gate<E2, Ticket>,
  self: Stream.Stream<A, E, R>
): Stream.Stream<A, E | E2, R> =>
  Stream.suspend(() => {
    const passage = new Passage(limiter)
    const inside = Stream.unwrap(
      Effect.map(CurrentCall, (call) => {
        const watched = passage.watched(call)
        return watched === call ? self : provideStream(self, watched)
      })
    )
    return streamThroughGate(passage.gate, Stream.mapChunks(inside, (chunk) => passage.notice(chunk)))
  })

/**
 * Bounds every pull of a stream. A time limit on a stream as a whole is a limit on each pull, of the time that is left:
 * it needs no fiber beside the stream, and what holds back the consumer cannot be interrupted half-way.
 */
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Call } from "../CurrentCall.js"
import { Pipeline } from "./pipeline.js"
import { type Limit, limitStage } from "./stage.js"

/** What is known when a pull begins; times in milliseconds since the epoch. */
export interface Pull {
  readonly call: Call
  readonly now: number
  readonly streamStartedAt: number
  /** Has the stream handed out an element before? */
  readonly emitted: boolean
}

/** The stream with each pull under the limit that `decide` gives. */
export const limitedStream = <A, E, R, E2>(
  self: Stream.Stream<A, E, R>,
  decide: (pull: Pull) => Limit<E2>
): Stream.Stream<A, E | E2, R> =>
  Stream.unwrapScoped(
    Effect.map(Stream.toPull(self), (pull) => {
      let streamStartedAt: number | undefined
      let emitted = false
      const pipeline = new Pipeline<Option.Option<E2>>([
        limitStage((call, now) => {
          streamStartedAt = streamStartedAt ?? now
          const limit = decide({ call, now, streamStartedAt, emitted })
          return { ...limit, onTimeout: () => Option.some(limit.onTimeout()) }
        })
      ])
      const next: Effect.Effect<Chunk.Chunk<A>, Option.Option<E | E2>, R> = Effect.map(pipeline.through(pull), (chunk) => {
        emitted = emitted || chunk.length > 0
        return chunk
      })
      return Stream.repeatEffectChunkOption(next)
    })
  )

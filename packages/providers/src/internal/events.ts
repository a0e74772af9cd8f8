/**
 * A stream of events as the chunks of a generation: parts as they come, and exactly one `Finish`, or the error that the
 * events, their absence, or what stands between them mean.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Chunk, Part } from "holdfast/Generated"
import type { GenerationError } from "holdfast/GenerationError"
import type { Codec } from "./codec.js"
import * as Json from "./json.js"
import type { Reading } from "./reading.js"
import * as Sse from "./sse.js"
import * as Target from "./target.js"
import type { Opened } from "./transport.js"

export interface Options {
  readonly codec: Codec
  readonly target: Target.Target
  readonly exchange: Target.Exchange
  readonly opened: Opened
  readonly reading: Reading
}

const sourceOf = (event: Exclude<Sse.Event, { readonly _tag: "Overflow" }>): string =>
  event._tag === "Raw" ? event.text : event.data

/** Can this, which the end of a stream left over, be read? */
const isWhole = (event: Sse.Event): boolean => event._tag !== "Overflow" && Json.parse(sourceOf(event)) !== undefined

/** One use: the decoder and the reading remember what went before. */
export const read = ({ codec, exchange, opened, reading, target }: Options): Stream.Stream<Chunk, GenerationError> => {
  const decoder = Sse.make()
  let done = false

  const fail = (judge: typeof Target.classify, body: unknown): Effect.Effect<never, GenerationError> =>
    Effect.flip(judge(target, exchange, { status: opened.status, headers: opened.headers, body, streamed: true }))

  const cut = Effect.failSync(() =>
    Target.failure(target, exchange, "Transient", { message: "The stream ended before it was finished" })
  )

  const onEvent = (event: Sse.Event): Effect.Effect<ReadonlyArray<Part>, GenerationError> =>
    Effect.suspend(() => {
      if (event._tag === "Overflow") {
        const message = "An event of the stream is too long"
        return Effect.fail(Target.failure(target, exchange, "Malformed", { message }))
      }
      const source = sourceOf(event)
      if (done || source.trim() === "") return Effect.succeed([])
      if (source.trim() === "[DONE]") {
        done = true
        return Effect.succeed([])
      }
      const value = Json.parse(source)
      if (value === undefined && event._tag === "Event" && !event.complete) return cut
      const message = codec.decode(value)
      if (message.isError || (event._tag === "Event" && event.event === "error")) {
        return fail(Target.classify, value ?? source)
      }
      return value === undefined ? fail(Target.unreadable, source) : reading.push(message)
    })

  const isFinished = () => done || reading.message().finishReason !== undefined

  const events = Stream.concat(
    Stream.mapConcat(opened.pieces, decoder.push),
    Stream.suspend(() => Stream.fromIterable(decoder.end()))
  ).pipe(
    // A connection that breaks may have brought the reason first; what it broke in the middle of says nothing.
    Stream.catchAll((failure) =>
      Stream.concat(
        Stream.suspend(() => Stream.fromIterable(decoder.end().filter(isWhole))),
        Stream.suspend(() => (isFinished() ? Stream.empty : Stream.fail(failure)))
      )
    )
  )

  const last = Stream.unwrap(
    Effect.gen(function*() {
      const rest = yield* reading.end
      if (!isFinished() && reading.message().blockReason === undefined) return yield* cut
      const error = reading.verdict(opened.status)
      return Stream.concat(
        Stream.fromIterable<Chunk>(rest),
        error === undefined ? Stream.succeed<Chunk>({ _tag: "Finish", ...reading.finish() }) : Stream.fail(error)
      )
    })
  )

  return events.pipe(
    Stream.mapEffect(onEvent),
    Stream.takeUntil(() => done),
    Stream.mapConcat((parts) => parts),
    Stream.concat(last)
  )
}

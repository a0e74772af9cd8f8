/** A stream with further copies of it until one has an element to hand out. */
import * as Effect from "effect/Effect"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as Stream from "effect/Stream"
import { ofFiber } from "../../CurrentCall.js"
import type { AnyFiber } from "../visit.js"
import { type Plan, planOf, type Settings } from "./plan.js"
import { Race } from "./race.js"
import { type AnyStream, endOf, type Pulled, Reader } from "./reader.js"

export const hedgedStream = <A, E, R>(settings: Settings, self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.unwrap(
    Effect.withFiberRuntime<Stream.Stream<A, E, R>>((fiber, { runtimeFlags }) => {
      const plan = planOf(settings, fiber, ofFiber(fiber))
      // Who cannot be interrupted could not stop a copy that lost.
      const hedges = plan.delay !== Infinity && RuntimeFlags.interruptible(runtimeFlags)
      return Effect.succeed(hedges ? raced(settings, plan, self) : heard(plan, self))
    })
  )

/** The stream itself, with an ear for its first element. */
const heard = <A, E, R>(plan: Plan, self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> => {
  let begun = false
  return Stream.mapChunks(self, (chunk) => {
    if (!begun && chunk.length > 0) {
      begun = true
      plan.answered(true)
    }
    return chunk
  })
}

const raced = <A, E, R>(settings: Settings, plan: Plan, self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> => {
  const opened = Effect.acquireRelease(
    Effect.sync(() => new Reading(settings, plan, self as AnyStream)),
    (reading, exit) => reading.reader?.close(exit) ?? Effect.void
  )
  const whole = Stream.unwrapScoped(Effect.map(opened, (reading) => Stream.repeatEffectChunkOption(reading.pull)))
  // It hands out what one of its copies does, which run in the context of who reads it.
  return whole as AnyStream as Stream.Stream<A, E, R>
}

/** One run of a stream: a race at the first pull, and then what the winner has. */
class Reading {
  /** The copy that won. */
  reader: Reader | undefined = undefined

  constructor(
    private readonly settings: Settings,
    private readonly plan: Plan,
    private readonly stream: AnyStream
  ) {}

  readonly pull: Pulled = Effect.withFiberRuntime((fiber, { runtimeFlags }) =>
    Effect.uninterruptible(
      this.reader === undefined ? this.first(fiber, runtimeFlags) : this.next(this.reader, fiber, runtimeFlags)
    )
  )

  private first(fiber: AnyFiber, flags: RuntimeFlags.RuntimeFlags): Pulled {
    const readers: Array<Reader> = []
    const refs = fiber.getFiberRefs()
    const race: Race = new Race(this.settings, this.plan, { fiber, flags, refs }, (copy) => {
      const reader = new Reader(this.stream, () => race.claim(copy))
      readers[copy.index] = reader
      return reader.run
    })
    return Effect.flatMap(Effect.suspend(() => race.run()), (exit) => {
      const copy = race.winner
      if (copy?.fiber === undefined) return endOf(exit)
      const reader = readers[copy.index]!
      reader.attach(copy.fiber)
      this.reader = reader
      return reader.take()
    })
  }

  private next(reader: Reader, fiber: AnyFiber, flags: RuntimeFlags.RuntimeFlags): Pulled {
    const more = RuntimeFlags.interruptible(flags) ? Effect.interruptible(reader.more) : reader.more
    return Effect.matchCauseEffect(more, {
      onSuccess: () => reader.take(),
      onFailure: (cause) => Effect.zipRight(reader.interrupt(fiber.id()), Effect.failCause(cause))
    })
  }
}

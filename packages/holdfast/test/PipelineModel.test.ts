/**
 * What a composition does in one go, against the same policies applied one by one: the same attempts at the same times,
 * the same gates entered and left with the same exits, the same end.
 */
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, FastCheck as fc, FiberId, Schedule } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import { CircuitOpen } from "holdfast/Rejected"
import * as Retry from "holdfast/Retry"
import * as Timeout from "holdfast/Timeout"
import { makeTurn } from "../../../test/support/turn.js"
import type { Gate } from "../src/internal/gate.js"
import { gated } from "../src/internal/policy.js"
import * as Timer from "../src/internal/timer.js"

type Part =
  | { readonly kind: "gate"; readonly answers: ReadonlyArray<"enter" | "refuse" | number> }
  | { readonly kind: "timeout" | "deadline"; readonly millis: number }
  | { readonly kind: "retry"; readonly attempts: number; readonly delay: number }
  | { readonly kind: "foreign" }

type Ending = "ok" | "overloaded" | "fatal" | "defect" | "hang" | "stubborn"
interface Attempt {
  readonly millis: number
  readonly ending: Ending
}

interface Script {
  readonly parts: ReadonlyArray<Part>
  readonly attempts: ReadonlyArray<Attempt>
  readonly interruptAt: number | undefined
}

// Each kind of time has a remainder of its own, limits by their place too, so that no two things fall on one instant.
const tens = (remainder: number, max: number) => fc.integer({ min: 1, max }).map((n) => n * 10_000 + remainder)

const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({
    kind: fc.constant("gate" as const),
    answers: fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant("enter" as const) }, fc.constant("refuse" as const), tens(50, 6)), {
      minLength: 1,
      maxLength: 3
    })
  }),
  fc.record({ kind: fc.constant("timeout" as const), millis: tens(1700, 12) }),
  fc.record({ kind: fc.constant("deadline" as const), millis: tens(301, 20) }),
  fc.record({ kind: fc.constant("retry" as const), attempts: fc.integer({ min: 1, max: 3 }), delay: tens(7, 5) }),
  fc.constant({ kind: "foreign" as const })
)

const script: fc.Arbitrary<Script> = fc.record({
  parts: fc.array(part, { maxLength: 6 }),
  attempts: fc.array(
    fc.record({
      millis: fc.oneof(fc.constant(0), tens(0, 10)),
      ending: fc.constantFrom<Ending>("ok", "overloaded", "overloaded", "fatal", "defect", "hang", "stubborn")
    }),
    { minLength: 1, maxLength: 4 }
  ),
  interruptAt: fc.option(tens(1111, 20), { nil: undefined })
})

const exitOf = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.match(exit, {
    onSuccess: (value) => `success ${String(value)}`,
    onFailure: (cause) => {
      if (Cause.isInterruptedOnly(cause)) return "interrupted"
      const failure = Cause.failureOption(cause)
      if (failure._tag === "None") return `defect ${String(Cause.squash(cause))}`
      const error = failure.value
      return GenerationError.isGenerationError(error)
        ? `${error._tag} ${error.stoppedBy ?? "-"} ${error.attempts?.length ?? 0}`
        : `refused ${(error as { readonly _tag: string })._tag}`
    }
  })

/** Everything that happens, in order, with its time. */
const play = (how: "composed" | "one by one", { attempts, interruptAt, parts }: Script) =>
  Effect.gen(function*() {
    const turn = makeTurn()
    const log: Array<string> = []
    const say = (what: string) => log.push(`${turn.clock.unsafeCurrentTimeMillis()} ${what}`)

    const gate = (name: string, answers: ReadonlyArray<"enter" | "refuse" | number>) => {
      let visits = 0
      const made: Gate<CircuitOpen, number> = {
        enter: (visitor) => {
          const visit = ++visits
          const answer = answers[(visit - 1) % answers.length]!
          say(`${name} asked by attempt ${visitor.call.attempt}`)
          if (answer === "refuse") {
            return { _tag: "Refused", error: new CircuitOpen({ policy: "CircuitBreaker", policyName: name, message: "no" }) }
          }
          if (answer === "enter") return { _tag: "Entered", ticket: visit }
          const stop = Timer.schedule(visitor.fiber, answer, () => visitor.settle({ _tag: "Entered", ticket: visit }))
          return {
            _tag: "Waiting",
            cancel: () => {
              say(`${name} cancelled`)
              stop()
            }
          }
        },
        leave: (ticket, exit) => {
          say(`${name} left by ${ticket} with ${typeof exit === "string" ? exit : exitOf(exit)}`)
        }
      }
      return gated(made, { kind: "Gate", name })
    }

    const policies = parts.map((part, index): Policy.Policy<unknown> => {
      switch (part.kind) {
        case "gate":
          return gate(`gate ${index}`, part.answers)
        case "timeout":
          return Timeout.make({ attempt: part.millis + index * 13 })
        case "deadline":
          return Deadline.make({ duration: part.millis + index * 13 })
        case "retry":
          return Retry.make({ name: `retry ${index}`, schedule: Schedule.spaced(part.delay), maxAttempts: part.attempts })
        case "foreign":
          return Policy.make({
            kind: "Foreign",
            apply: (self) => Effect.onExit(self, (exit) => Effect.sync(() => say(`foreign ${index} ${exitOf(exit)}`))),
            applyStream: (self) => self
          })
      }
    })

    let made = 0
    const attempt = Effect.gen(function*() {
      const { ending, millis } = attempts[made++ % attempts.length]!
      const call = yield* CurrentCall.current
      say(`attempt ${call.attempt}, until ${call.deadline}`)
      if (millis > 0) yield* ending === "stubborn" ? Effect.uninterruptible(Effect.sleep(millis)) : Effect.sleep(millis)
      switch (ending) {
        case "ok":
          return "done"
        case "stubborn":
        case "overloaded":
          return yield* new GenerationError.Overloaded({ message: "busy" })
        case "fatal":
          return yield* new GenerationError.ContentBlocked({ message: "no" })
        case "defect":
          return yield* Effect.dieMessage("bug")
        case "hang":
          return yield* Effect.never
      }
    }).pipe(Effect.onExit((exit) => Effect.sync(() => say(`attempt ended: ${exitOf(exit)}`))))

    const guarded = how === "composed"
      ? Policy.compose(...policies).apply(attempt)
      : policies.reduceRight<Effect.Effect<string, unknown>>((inner, policy) => policy.apply(inner), attempt)
    const fiber = yield* turn.start(guarded)
    if (interruptAt !== undefined) {
      yield* turn.pass(interruptAt)
      fiber.unsafeInterruptAsFork(FiberId.none)
    }
    yield* turn.pass("1 hour")
    // What still hangs has no limit around it.
    const end = fiber.unsafePoll()
    if (end === null) {
      fiber.unsafeInterruptAsFork(FiberId.none)
      yield* turn.pass(0)
    }
    say(`over: ${end === null ? "hung" : exitOf(end)}`)
    expect(fiber.unsafePoll()).not.toBe(null)
    expect(yield* turn.sleeping).toBe(0)
    return log
  })

describe("a composition against its policies one by one", () => {
  it.effect.prop("does the same at the same times in the same order", { script }, ({ script }) =>
    Effect.gen(function*() {
      const oneByOne = yield* play("one by one", script)
      expect((yield* play("composed", script)).join("\n")).toBe(oneByOne.join("\n"))
    }), { fastCheck: { numRuns: 500 } })
})

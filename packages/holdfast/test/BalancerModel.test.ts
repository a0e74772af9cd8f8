/**
 * What holds of a balancer whatever happens: random endpoints, random calls with random ends, in virtual time, against
 * plain books of who is where and until when each endpoint asked to be left alone.
 */
import { describe, expect, it } from "@effect/vitest"
import { Cause, Duration, Effect, Exit, FastCheck as fc, Fiber, Random, Stream } from "effect"
import * as Balancer from "holdfast/Balancer"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import { makeTurn } from "../../../test/support/turn.js"

type Ending = "answers" | "busy" | "asks" | "wrong-key" | "blocked" | "dies" | "hangs"

interface Step {
  /** Seconds after the one before. */
  readonly after: number
  readonly ending: Ending
  /** Seconds that it takes, and that a server asks for. */
  readonly takes: number
  readonly asks: number
  /** Seconds after which the caller leaves. */
  readonly leaves: number | undefined
  readonly deadline: number | undefined
  readonly priority: number
  readonly stream: boolean
}

const seconds = (max: number) => fc.integer({ min: 0, max })

const step: fc.Arbitrary<Step> = fc.record({
  after: seconds(6),
  ending: fc.constantFrom<Ending>("answers", "answers", "busy", "busy", "busy", "busy", "asks", "asks", "wrong-key", "blocked", "dies", "hangs"),
  takes: seconds(15),
  asks: fc.integer({ min: 1, max: 200 }),
  leaves: fc.option(seconds(60), { nil: undefined }),
  deadline: fc.option(seconds(100), { nil: undefined }),
  priority: fc.integer({ min: 0, max: 2 }),
  stream: fc.boolean()
})

const scenario = fc.record({
  endpoints: fc.integer({ min: 1, max: 4 }),
  maxEjected: fc.constantFrom(0, 0.34, 0.5, 1),
  seed: fc.nat(),
  steps: fc.array(step, { minLength: 10, maxLength: 60 })
})

const failure = ({ asks, ending }: Step): GenerationError.GenerationError => {
  switch (ending) {
    case "asks":
      return new GenerationError.Overloaded({ message: "busy", retryAfter: asks * 1000 })
    case "wrong-key":
      return new GenerationError.Unauthorized({ message: "wrong key" })
    case "blocked":
      return new GenerationError.ContentBlocked({ message: "no" })
    default:
      return new GenerationError.Transient({ message: "500", outcome: "rejected" })
  }
}

const aside = 300_000

describe("a balancer, whatever happens", () => {
  it("keeps its books, never ejects too many, keeps the later of two times, and ends every call", () => {
    const seen = { ejected: 0, parked: 0, refused: 0, interrupted: 0 }
    fc.assert(
      fc.property(scenario, ({ endpoints, maxEjected, seed, steps }) => {
        const names = Array.from({ length: endpoints }, (_, i) => `e${i}`)
        const program = Effect.gen(function*() {
          const turn = makeTurn()
          const now = () => turn.clock.unsafeCurrentTimeMillis()
          const balancer = yield* Balancer.make({
            endpoints: names.map((name) => ({ name })),
            maxEjected,
            consecutiveFailures: 2,
            maxWait: "90 seconds"
          })
          const inside = new Map(names.map((name) => [name, 0]))
          const until = new Map<string, number>()
          let over = 0
          const attempt = (one: Step) =>
            Effect.flatMap(CurrentCall.current, (call) => {
              const name = call.endpoint!
              const ended = Effect.suspend((): Effect.Effect<void, GenerationError.GenerationError> => {
                if (one.ending === "answers") return Effect.void
                if (one.ending === "dies") return Effect.die("bug")
                const left = one.ending === "asks" ? one.asks * 1000 : one.ending === "wrong-key" ? aside : 0
                if (left > 0) until.set(name, Math.max(until.get(name) ?? 0, now() + left))
                return Effect.fail(failure(one))
              })
              inside.set(name, inside.get(name)! + 1)
              return Effect.zipRight(one.ending === "hangs" ? Effect.never : Effect.sleep(one.takes * 1000), ended).pipe(
                Effect.onExit(() => Effect.sync(() => inside.set(name, inside.get(name)! - 1)))
              )
            })
          const look = () => {
            const states = Effect.runSync(Effect.withClock(balancer.state, turn.clock))
            const ejected = [...states.values()].filter(({ mode }) => mode === "ejected").length
            expect(ejected).toBeLessThanOrEqual(Math.floor(maxEjected * endpoints + 1e-9))
            seen.ejected += ejected
            const waiting = Effect.runSync(balancer.waiting)
            seen.parked += waiting
            for (const [name, { inFlight, mode, until: shown }] of states) {
              expect(inFlight, name).toBe(inside.get(name))
              const left = until.get(name) ?? 0
              expect(mode === "cooling" ? shown : 0, name).toBe(left > now() ? left : 0)
              // Nobody waits while an endpoint is ejected and nothing else is the matter with it.
              if (mode === "ejected" && left === 0) expect(waiting).toBe(0)
            }
          }
          const fibers: Array<Fiber.RuntimeFiber<unknown, unknown>> = []
          for (const one of steps) {
            yield* turn.pass(Duration.seconds(one.after))
            look()
            const self = attempt(one)
            const through: Effect.Effect<unknown, unknown> = one.stream
              ? Stream.runDrain(balancer.applyStream(Stream.fromEffect(self)))
              : balancer.apply(self)
            const deadline = one.deadline === undefined ? Infinity : now() + one.deadline * 1000
            const call = CurrentCall.update(through, { deadline, priority: one.priority }).pipe(
              Effect.onExit((exit) =>
                Effect.sync(() => {
                  over++
                  if (Exit.isInterrupted(exit)) seen.interrupted++
                  if (Exit.isFailure(exit) && Cause.failureOption(exit.cause)._tag === "Some") {
                    const error = Cause.failures(exit.cause)
                    for (const each of error) if ((each as { readonly _tag: string })._tag === "NoEndpoint") seen.refused++
                  }
                })
              )
            )
            fibers.push(yield* turn.start(Effect.withRandom(one.leaves === undefined ? call : Effect.timeoutOption(call, one.leaves * 1000), Random.make(seed))))
            yield* turn.pass(0)
            look()
          }
          // Far longer than anybody may wait or work; what hangs is interrupted then.
          yield* turn.pass("10 minutes")
          for (const fiber of fibers) fiber.unsafeInterruptAsFork(fiber.id())
          yield* turn.pass("1 second")
          expect(yield* balancer.waiting).toBe(0)
          look()
          expect(over).toBe(steps.length)
          expect([...inside.values()].every((n) => n === 0)).toBe(true)
          expect(yield* turn.sleeping).toBe(0)
        })
        Effect.runSync(program)
      }),
      { numRuns: 150 }
    )
    // It all has happened.
    expect(Math.min(seen.ejected, seen.parked, seen.refused, seen.interrupted)).toBeGreaterThan(100)
  }, 120_000)
})

/**
 * The laws of composition, held against random compositions of every policy, random scripts of what the server does,
 * and several calls at once, in virtual time. To put a further policy under the laws, add a line to `kinds`.
 */
import { describe, expect, it } from "@effect/vitest"
import { Cause, Chunk, Clock, Context, Effect, Exit, FastCheck, Fiber, FiberRef, Logger, LogLevel, Random } from "effect"
import { Schedule, Stream, TestClock, TestContext } from "effect"
import * as Admission from "holdfast/Admission"
import * as Backoff from "holdfast/Backoff"
import * as Balancer from "holdfast/Balancer"
import * as Bulkhead from "holdfast/Bulkhead"
import * as CircuitBreaker from "holdfast/CircuitBreaker"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import type { GenerationPolicy } from "holdfast/Generation"
import * as GenerationError from "holdfast/GenerationError"
import * as LoadProfile from "holdfast/LoadProfile"
import * as OffPeak from "holdfast/OffPeak"
import * as Policy from "holdfast/Policy"
import * as RateLimit from "holdfast/RateLimit"
import * as Rejected from "holdfast/Rejected"
import * as Retry from "holdfast/Retry"
import * as Timeout from "holdfast/Timeout"

const profile = LoadProfile.nanoBanana

/** Numbers that decide what the options of a policy are; `pick` reads them. */
type Knobs = readonly [number, number, number, number]

const pick = <const As extends ReadonlyArray<unknown>>(knob: number, ...values: As): As[number] =>
  values[knob % values.length]

// ---------------------------------------------------------------------------------------------------------------------
// Schedules

interface ScheduleRecipe {
  readonly knobs: Knobs
  readonly ladder: number
  readonly modifiers: ReadonlyArray<readonly [kind: number, knob: number]>
}

const ladders: ReadonlyArray<(options: Backoff.LadderOptions) => Schedule.Schedule<unknown, unknown>> = [
  Backoff.exponential,
  Backoff.linear,
  Backoff.fibonacci,
  Backoff.constant,
  ({ base, cap, unknownOutcome }) => Backoff.decorrelated({ base, cap, unknownOutcome }),
  () => Backoff.article,
  () => Schedule.spaced("3 seconds"),
  () => Schedule.recurs(2)
]

type Modifier = (schedule: Schedule.Schedule<unknown, unknown>, knob: number) => Schedule.Schedule<unknown, unknown>

const modifiers: ReadonlyArray<Modifier> = [
  (schedule, knob) => Backoff.upToAttempts(schedule, 1 + (knob % 5)),
  (schedule, knob) => Backoff.upToAttempts(schedule, 1 + (knob % 3)),
  (schedule, knob) => Backoff.upToElapsed(schedule, `${10 + (knob % 90)} seconds`),
  (schedule) => Backoff.withinDeadline(schedule, { attempt: "1 second" }),
  (schedule) => Backoff.withServerHint(schedule),
  (schedule, knob) => OffPeak.stretch(schedule, profile, { attempts: { low: knob % 2, peak: knob % 4 } }),
  (schedule) => OffPeak.stretch(schedule, profile),
  (schedule) => OffPeak.defer(profile, { within: schedule, under: "retry", maxDeferral: "1 day" })
]

const scheduleOf = ({ knobs, ladder, modifiers: applied }: ScheduleRecipe): Schedule.Schedule<unknown, unknown> =>
  applied.reduce(
    (schedule, [kind, knob]) => pick(kind, ...modifiers)(schedule, knob),
    pick(ladder, ...ladders)({
      base: pick(knobs[0], "1 second", "3 seconds", 500),
      jitter: pick(knobs[1], "full", "none", "equal", "additive", "positive"),
      unknownOutcome: pick(knobs[2], "once", "always", "never")
    })
  )

// ---------------------------------------------------------------------------------------------------------------------
// Policies

interface Recipe {
  readonly kind: number
  readonly knobs: Knobs
  readonly schedule: ScheduleRecipe
}

interface Kind {
  readonly name: string
  /** What it may add to the error channel: tags of refusals, or `Timeout`. */
  readonly adds: ReadonlyArray<string>
  readonly make: (knobs: Knobs, schedule: ScheduleRecipe) => Effect.Effect<GenerationPolicy>
}

const kind = (
  name: string,
  adds: ReadonlyArray<Rejected.Tag | "Timeout">,
  make: (knobs: Knobs, schedule: ScheduleRecipe) => GenerationPolicy | Effect.Effect<GenerationPolicy>
): Kind => ({
  name,
  adds,
  make: (knobs, schedule) =>
    Effect.suspend(() => {
      const made = make(knobs, schedule)
      return Policy.isPolicy(made) ? Effect.succeed(made) : made
    })
})

/** A policy of somebody's own that tries once more, whatever the error. */
const twice = Policy.make({
  kind: "Twice",
  amplification: 2,
  apply: (self) => Effect.catchAll(self, () => self),
  applyStream: (self) => Stream.catchAll(self, () => self)
})

/** A policy of somebody's own that turns away every so manieth call. */
const refuseEvery = (n: number): GenerationPolicy => {
  let calls = 0
  const refused = new Rejected.NoEndpoint({ policy: "Refuse", policyName: "Refuse", message: "not this one" })
  const decide = Effect.suspend(() => (++calls % n === 0 ? Effect.fail(refused) : Effect.void))
  return Policy.make<Rejected.NoEndpoint>({
    kind: "Refuse",
    apply: (self) => Effect.zipRight(decide, self),
    applyStream: (self) => Stream.unwrap(Effect.as(decide, self))
  })
}

const retry: Kind["make"] = ([a, b, c, d], schedule) =>
  Effect.sync(() =>
    Retry.make({
      name: `Retry ${a % 7}`,
      schedule: d % 6 === 0 ? undefined : scheduleOf(schedule),
      maxAttempts: pick(a, undefined, 1, 2, 3, 4),
      unknownOutcome: pick(b, undefined, "once", "always", "never"),
      attemptTime: pick(c, undefined, "2 seconds"),
      retryOn: pick(d, undefined, undefined, undefined, GenerationError.isGenerationError)
    }))

/** Every policy that is under the laws. The retry stands twice, so that nested ones are common. */
const kinds: ReadonlyArray<Kind> = [
  kind("Retry", [], retry),
  kind("Retry", [], retry),
  kind("Deadline", ["DeadlineExceeded"], ([a]) =>
    Deadline.make({ name: `Deadline ${a % 7}`, duration: `${5 + (a % 200)} seconds` })),
  kind("Timeout", ["Timeout"], ([a, b, c]) =>
    Timeout.make({
      attempt: pick(a, undefined, "4 seconds", "20 seconds"),
      firstChunk: pick(b, undefined, "3 seconds", "10 seconds"),
      idle: pick(c, undefined, "3 seconds", "10 seconds")
    })),
  kind("OffPeak", ["Shed"], ([a, b, c]) =>
    OffPeak.gate(profile, {
      atMost: pick(a, "medium", "high", "low"),
      maxDeferral: pick(b, "1 day", "5 hours"),
      otherwise: pick(c, "run", "fail")
    })),
  kind("Learn", [], () => Effect.map(LoadProfile.learned({ prior: profile }), OffPeak.learn)),
  kind("Identity", [], () => Policy.identity),
  kind("Twice", [], () => twice),
  kind("Refuse", ["NoEndpoint"], ([a]) => refuseEvery(2 + (a % 4))),
  kind("Balancer", ["NoEndpoint"], ([a]) =>
    Balancer.make({ endpoints: [{ name: "one" }, { name: "two" }].slice(a % 2), maxWait: `${1 + (a % 30)} seconds` })),
  kind("CircuitBreaker", ["CircuitOpen"], ([a]) =>
    CircuitBreaker.make({ consecutiveFailures: pick(a, 2, 5), openFor: "10 seconds" })),
  kind("Bulkhead", ["QueueFull", "Shed"], ([a, b, c]) =>
    Bulkhead.make({ limit: pick(a, 1, 2, 4), queue: pick(b, 0, 1, 5), maxWait: pick(c, "5 seconds", "2 minutes") })),
  kind("RateLimit", ["LimitExceeded", "QueueFull"], ([a, b, c]) =>
    RateLimit.make({ requestsPerMinute: pick(a, 2, 6), maxQueue: pick(b, 0, 5), mode: pick(c, "sliding", "bucket", "spaced") })),
  kind("Admission", ["Shed"], ([a]) => Admission.make({ dryRun: pick(a, false, false, true) }))
]

const kindOf = (recipe: Recipe): Kind => pick(recipe.kind, ...kinds)

const build = (recipes: ReadonlyArray<Recipe>): Effect.Effect<ReadonlyArray<GenerationPolicy>> =>
  Effect.forEach(recipes, (recipe) => kindOf(recipe).make(recipe.knobs, recipe.schedule))

// ---------------------------------------------------------------------------------------------------------------------
// The server, and the calls

type End = "value" | "busy" | "asks" | "fault" | "slow" | "blocked" | "foreign" | "defect" | "interrupt" | "hang"

interface Step {
  readonly end: End
  /** Seconds that each part, and the end, takes to come. */
  readonly takes: number
  /** Elements of a stream before its end. */
  readonly parts: number
}

interface Caller {
  /** What its attempts meet, in turn; after that they succeed. */
  readonly script: ReadonlyArray<Step>
  /** Seconds after the start at which it calls, and after how many more it leaves. */
  readonly comes: number
  readonly leaves: number | undefined
}

interface Scenario {
  readonly seed: number
  /** UTC hour of the start: it decides the load. */
  readonly hour: number
  readonly callers: ReadonlyArray<Caller>
}

class Foreign extends Error {
  readonly _tag = "Foreign"
}

type Fault = GenerationError.GenerationError | Foreign

/** What one caller's server saw and did. */
interface Seen {
  readonly starts: Array<string>
  readonly handed: Array<object>
  readonly raised: Array<unknown>
}

const raise = (end: Exclude<End, "value" | "hang" | "interrupt" | "defect">, message: string): Fault => {
  switch (end) {
    case "busy":
      return new GenerationError.Overloaded({ message })
    case "asks":
      return new GenerationError.RateLimited({ message, retryAfter: "7 seconds" })
    case "fault":
      return new GenerationError.Transient({ message })
    case "slow":
      return new GenerationError.Timeout({ message, phase: "server" })
    case "blocked":
      return new GenerationError.ContentBlocked({ message })
    case "foreign":
      return new Foreign(message)
  }
}

const serverOf = ({ script }: Caller) => {
  const seen: Seen = { starts: [], handed: [], raised: [] }
  const begin = Effect.zipWith(CurrentCall.current, Clock.currentTimeMillis, (call, now) => {
    const step = script[seen.starts.length] ?? { end: "value", takes: 1, parts: 1 }
    seen.starts.push(`${now}: attempt ${call.attempt} of ${call.retryOwner}, until ${call.deadline}`)
    return { step, number: seen.starts.length }
  })
  const wait = ({ takes }: Step) => (takes === 0 ? Effect.void : Effect.sleep(`${takes} seconds`))
  const part = (step: Step) =>
    Effect.zipRight(wait(step), Effect.sync(() => {
      const value = { part: seen.handed.length }
      seen.handed.push(value)
      return value
    }))
  const end = ({ end }: Step, number: number): Effect.Effect<never, Fault> => {
    if (end === "hang") return Effect.never
    if (end === "interrupt") return Effect.interrupt
    const cause = end === "defect" || end === "value" ? new Error(`defect ${number}`) : raise(end, `${end} ${number}`)
    seen.raised.push(cause)
    return GenerationError.isGenerationError(cause) || cause instanceof Foreign ? Effect.fail(cause) : Effect.die(cause)
  }
  return {
    seen,
    effect: Effect.flatMap(begin, ({ number, step }) =>
      step.end === "value" ? part(step) : Effect.zipRight(wait(step), end(step, number))),
    stream: Stream.unwrap(Effect.map(begin, ({ number, step }) => {
      const parts = Stream.repeatEffect(part(step)).pipe(Stream.take(step.parts))
      const last = Effect.zipRight(wait(step), step.end === "value" ? Effect.void : end(step, number))
      return Stream.concat(parts, Stream.drain(Stream.fromEffect(last)))
    }))
  }
}

/** An error as far as it must be the same however policies were grouped. */
const told = (error: unknown): unknown =>
  GenerationError.isGenerationError(error)
    ? {
      tag: error._tag,
      message: error.message,
      stoppedBy: error.stoppedBy,
      attempts: error.attempts?.map(({ error, number, startedAt }) => ({ number, startedAt, tag: error?._tag }))
    }
    : Rejected.isRejected(error)
    ? { tag: error._tag, by: error.policyName, message: error.message }
    : error

interface Ending {
  readonly exit: Exit.Exit<unknown, unknown>
  readonly at: number
  readonly seen: Seen
  /** Elements that the caller got. */
  readonly got: ReadonlyArray<object>
  readonly events: ReadonlyArray<string>
}

/** What can be compared of an ending: everything that a caller, a server or an observer could notice. */
const visible = ({ at, events, exit, got, seen }: Ending) => ({
  at,
  events,
  starts: seen.starts,
  got: got.map((value) => seen.handed.indexOf(value)),
  failures: Exit.isFailure(exit) ? Chunk.toReadonlyArray(Cause.failures(exit.cause)).map(told) : [],
  defects: Exit.isFailure(exit) ? Chunk.toReadonlyArray(Cause.defects(exit.cause)).map(String) : [],
  interrupted: Exit.isFailure(exit) && Cause.isInterrupted(exit.cause)
})

/** Starts the calls of a scenario through one policy; what it gives tells, once the clock has moved, how they ended. */
const begin = (policy: Effect.Effect<GenerationPolicy>, scenario: Scenario, streamed: boolean) =>
  Effect.gen(function*() {
    const made = yield* policy
    const running: Array<readonly [Fiber.RuntimeFiber<unknown, unknown>, Omit<Ending, "exit">]> = []
    for (const caller of scenario.callers) {
      const server = serverOf(caller)
      const ending = { at: NaN, got: Array<object>(), seen: server.seen, events: Array<string>() }
      const call = streamed
        ? Stream.runForEach(made.applyStream(server.stream), (value) => Effect.sync(() => ending.got.push(value)))
        : Effect.map(made.apply(server.effect), (value) => ending.got.push(value))
      const fiber = yield* call.pipe(
        CurrentCall.update({ observe: (event) => ending.events.push(`${event.at}: ${event._tag}`) }),
        Effect.onExit(() => Effect.map(Clock.currentTimeMillis, (now) => ending.at = now)),
        Effect.delay(`${caller.comes} seconds`),
        Effect.fork
      )
      if (caller.leaves !== undefined) {
        yield* Effect.fork(Effect.delay(Fiber.interrupt(fiber), `${caller.comes + caller.leaves} seconds`))
      }
      running.push([fiber, ending])
    }
    const endings = Effect.forEach(running, ([fiber, ending]) =>
      Effect.map(Fiber.interrupt(fiber), (exit): Ending => ({ ...ending, exit })))
    return { endings }
  }).pipe(Effect.withRandom(Random.make(scenario.seed)))

/** How the calls of a scenario end under each of some policies, all in the same virtual days. */
const play = (policies: ReadonlyArray<Effect.Effect<GenerationPolicy>>, scenario: Scenario, streamed: boolean) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.UTC(2026, 10, 25, scenario.hour))
    const begun = yield* Effect.forEach(policies, (policy) => begin(policy, scenario, streamed))
    yield* TestClock.adjust("4 days")
    return yield* Effect.forEach(begun, ({ endings }) => endings)
  })

// ---------------------------------------------------------------------------------------------------------------------
// Generators

const number = FastCheck.nat({ max: 999 })
const knobs = FastCheck.tuple(number, number, number, number)

const recipe: FastCheck.Arbitrary<Recipe> = FastCheck.record({
  kind: FastCheck.nat({ max: kinds.length - 1 }),
  knobs,
  schedule: FastCheck.record({
    knobs,
    ladder: FastCheck.nat({ max: ladders.length - 1 }),
    modifiers: FastCheck.array(FastCheck.tuple(FastCheck.nat({ max: modifiers.length - 1 }), number), { maxLength: 3 })
  })
})

const recipes = FastCheck.array(recipe, { minLength: 1, maxLength: 5 })

const oneOf = <const A>(...of: ReadonlyArray<readonly [weight: number, value: A]>): FastCheck.Arbitrary<A> =>
  FastCheck.oneof(...of.map(([weight, value]) => ({ weight, arbitrary: FastCheck.constant(value) })))

const step: FastCheck.Arbitrary<Step> = FastCheck.record({
  end: oneOf<End>([8, "busy"], [3, "asks"], [3, "fault"], [2, "slow"], [2, "value"], [1, "blocked"], [1, "foreign"])
    .chain((common) => oneOf<End>([20, common], [1, "defect"], [1, "interrupt"], [1, "hang"])),
  takes: oneOf([2, 0], [4, 1], [1, 5], [1, 30]),
  parts: oneOf([3, 0], [1, 1], [1, 3])
})

const caller: FastCheck.Arbitrary<Caller> = FastCheck.record({
  script: FastCheck.oneof(
    FastCheck.array(step, { maxLength: 12 }),
    // One and the same fault for long: what wears out every bound.
    step.map((same) => Array.from({ length: 24 }, () => ({ ...same, takes: Math.min(1, same.takes) })))
  ),
  comes: oneOf([3, 0], [1, 2], [1, 45]),
  leaves: oneOf<number | undefined>([5, undefined], [1, 0], [1, 3], [1, 100])
})

const scenario: FastCheck.Arbitrary<Scenario> = FastCheck.record({
  seed: number,
  hour: oneOf([2, 3], [1, 9], [1, 14], [1, 20]),
  callers: FastCheck.array(caller, { minLength: 1, maxLength: 3 })
})

/** How many cases run side by side: virtual time waits for real timers between its steps, and they can wait together. */
const together = 16

/** Holds a law against random cases, each on a clock of its own. What breaks it is shrunk and reported by FastCheck. */
const holds = async <Ts extends [unknown, ...Array<unknown>]>(
  arbitraries: { readonly [K in keyof Ts]: FastCheck.Arbitrary<Ts[K]> },
  law: (...args: Ts) => Effect.Effect<void>,
  numRuns = 64
): Promise<void> => {
  const check = (...args: Ts): Promise<void> =>
    Effect.suspend(() => law(...args)).pipe(
      Effect.provide(TestContext.TestContext),
      Logger.withMinimumLogLevel(LogLevel.None),
      Effect.runPromise
    )
  const cases = FastCheck.sample(FastCheck.tuple<Ts>(...arbitraries), numRuns)
  for (let from = 0; from < numRuns; from += together) {
    const batch = cases.slice(from, from + together)
    const outcomes = await Promise.allSettled(batch.map((args) => check(...args)))
    const broken = batch.filter((_, index) => outcomes[index]?.status === "rejected")
    if (broken.length === 0) continue
    await FastCheck.assert(FastCheck.asyncProperty(...arbitraries, check), { examples: broken, numRuns: broken.length })
    throw new Error("A law was broken by one of several cases side by side, and by none alone: the cases are not apart")
  }
}

/** A law takes a second or two; on a machine that is busy with other things it may take ten times as long. */
const patience = 60_000

const forms = [["effects", false], ["streams", true]] as const

// ---------------------------------------------------------------------------------------------------------------------
// The laws

describe.each(forms)("for %s", (_, streamed) => {
  const cuts = FastCheck.array(FastCheck.tuple(number, number), { minLength: 1, maxLength: 5 })

  it("composition is associative, and the empty policy changes nothing, in what it does and in what it says", () =>
    holds<[ReadonlyArray<Recipe>, ReadonlyArray<readonly [number, number]>, Scenario]>(
      [recipes, cuts, scenario],
      (recipes, cuts, scenario) =>
        Effect.gen(function*() {
          const descriptions: Array<Policy.Description> = []
          const grouped = (group: (parts: ReadonlyArray<GenerationPolicy>) => GenerationPolicy) =>
            Effect.map(build(recipes), (parts) => {
              const policy = group(parts)
              descriptions.push(policy.describe)
              return policy
            })
          const [flat, ...others] = yield* play(
            [
              grouped((parts) => Policy.compose(...parts)),
              grouped((parts) => parts.reduce((left, right) => Policy.compose(left, right), Policy.identity)),
              grouped((parts) => parts.reduceRight<GenerationPolicy>((r, l) => Policy.compose(l, r), Policy.compose())),
              grouped((parts) => {
                let rest = parts
                for (const [from, size] of cuts) {
                  const at = from % rest.length
                  const end = at + (size % 4)
                  rest = [...rest.slice(0, at), Policy.compose(...rest.slice(at, end)), ...rest.slice(end)]
                }
                return Policy.compose(...rest)
              })
            ],
            scenario,
            streamed
          )
          expect(descriptions).toHaveLength(4)
          for (const other of descriptions) expect(other).toEqual(descriptions[0])
          for (const other of others) expect(other.map(visible)).toEqual(flat?.map(visible))
        })
    ), patience)

  it("a composition of one policy is that policy", () =>
    holds<[Recipe, Scenario]>([recipe, scenario], (recipe, scenario) =>
      Effect.gen(function*() {
        const alone = Effect.map(build([recipe]), ([only]) => only!)
        const [bare, ...others] = yield* play(
          [alone, Effect.map(alone, (only) => Policy.compose(only)), Effect.map(alone, (o) => Policy.compose(Policy.compose(), o))],
          scenario,
          streamed
        )
        for (const other of others) expect(other.map(visible)).toEqual(bare?.map(visible))
      })), patience)

  it("a policy adds its own rejection to what the server raised, and nothing else", async () => {
    const met = new Set<string>()
    await holds<[ReadonlyArray<Recipe>, Scenario]>([recipes, scenario], (recipes, scenario) =>
      Effect.gen(function*() {
        const policy = Effect.map(build(recipes), (parts) => Policy.compose(...parts))
        const [endings] = yield* play([policy], scenario, streamed)
        endings!.forEach(({ exit, seen }, index) => {
          if (Exit.isSuccess(exit)) return
          const { leaves, script } = scenario.callers[index]!
          for (const defect of Cause.defects(exit.cause)) expect(seen.raised).toContain(defect)
          for (const error of Cause.failures(exit.cause)) {
            if (Rejected.isRejected(error)) {
              met.add(error._tag)
              const by = recipes.map(kindOf).find(({ adds, name }) => name === error.policy && adds.includes(error._tag))
              expect(by, `${error._tag} by ${error.policy}`).toBeDefined()
            } else if (GenerationError.isGenerationError(error) && !("phase" in error && error.phase !== "server")) {
              const own = seen.raised.find((raised) => raised instanceof Error && raised.message === error.message)
              expect(own).toMatchObject({ _tag: error._tag, outcome: error.outcome, stack: error.stack })
              met.add("GenerationError")
            } else if (error instanceof Foreign) {
              expect(seen.raised).toContain(error)
            } else {
              expect(error).toMatchObject({ _tag: "Timeout", phase: expect.stringMatching(/^(attempt|first-chunk|idle)$/) as unknown })
              expect(recipes.some((recipe) => kindOf(recipe).adds.includes("Timeout"))).toBe(true)
              met.add("Timeout")
            }
          }
          if (Cause.isInterrupted(exit.cause)) {
            const own = script.some(({ end }) => end === "interrupt" || end === "hang")
            expect(own || leaves !== undefined).toBe(true)
          }
        })
      }), 128)
    // The cases were not idle: what can be added was added, and what the server raised came through.
    expect([...met]).toEqual(expect.arrayContaining(["GenerationError", "NoEndpoint"]))
  }, patience)

  it("attempts counted at the server never exceed the worst-case amplification", async () => {
    let reached = 0
    let cases = 0
    await holds<[ReadonlyArray<Recipe>, Scenario]>([recipes, scenario], (recipes, scenario) =>
      Effect.gen(function*() {
        const parts = yield* build(recipes)
        const worst = Policy.worstCaseAmplification(Policy.compose(...parts))
        const [endings] = yield* play([Effect.succeed(Policy.compose(...parts))], scenario, streamed)
        for (const { seen } of endings!) {
          expect(seen.starts.length).toBeLessThanOrEqual(worst)
          cases++
          if (worst > 1 && seen.starts.length === worst) reached++
        }
      }), 160)
    // A bound that nothing ever comes near would prove little.
    expect(reached / cases).toBeGreaterThan(0.01)
  }, patience)
})

/** Something that an effect may need, set, or find. */
class Lamp extends Context.Tag("Lamp")<Lamp, { readonly colour: string }>() {}

describe("a success passes untouched", () => {
  const outer = FiberRef.unsafeMake("unset")
  const inner = FiberRef.unsafeMake("unset")
  const hours = FastCheck.nat({ max: 23 })

  /** A successful attempt that needs a service, reads one fiber ref and sets another. */
  const attempt = <A>(value: A, found: Array<string>) =>
    Effect.gen(function*() {
      found.push((yield* Lamp).colour, yield* FiberRef.get(outer))
      yield* Effect.sleep("1 second")
      yield* FiberRef.set(inner, "set inside")
      return value
    })

  const law = <A>(
    recipes: ReadonlyArray<Recipe>,
    hour: number,
    run: (policy: GenerationPolicy, found: Array<string>) => Effect.Effect<A, unknown, Lamp>,
    check: (value: A) => void
  ) =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 10, 25, hour))
      const policy = Policy.compose(...(yield* build(recipes)))
      const found: Array<string> = []
      const fiber = yield* Effect.gen(function*() {
        const before = yield* CurrentCall.current
        const value = yield* run(policy, found)
        check(value)
        expect(found).toEqual(["green", "set outside"])
        expect(yield* FiberRef.get(inner)).toBe("set inside")
        expect(yield* CurrentCall.current).toBe(before)
      }).pipe(
        Effect.catchAll((error) =>
          Effect.sync(() => {
            // Turned away before it ran, or out of time because somebody made it wait.
            expect(Rejected.isRejected(error) || recipes.some((r) => kindOf(r).name === "OffPeak"), String(error)).toBe(true)
            expect(found.length).toBeLessThanOrEqual(2)
          })),
        Effect.locally(outer, "set outside"),
        Effect.provideService(Lamp, { colour: "green" }),
        Effect.fork
      )
      yield* TestClock.adjust("4 days")
      yield* Fiber.join(fiber)
    })

  it("as the very value, after one run, with its services and fiber refs", () =>
    holds<[ReadonlyArray<Recipe>, number]>([recipes, hours], (recipes, hour) => {
      const value = { made: "once" }
      return law(recipes, hour, (policy, found) => policy.apply(attempt(value, found)), (got) => expect(got).toBe(value))
    }), patience)

  it("as the very elements, in their chunks, when it is a stream", () =>
    holds<[ReadonlyArray<Recipe>, number]>([recipes, hours], (recipes, hour) => {
      const values = [{ n: 0 }, { n: 1 }, { n: 2 }] as const
      return law(
        recipes,
        hour,
        (policy, found) => {
          const head = Stream.fromChunk(Chunk.make(values[0], values[1]))
          const tail = Stream.fromEffect(attempt(values[2], found))
          return Stream.runCollect(Stream.chunks(policy.applyStream(Stream.concat(head, tail))))
        },
        (got) => {
          const chunks = Chunk.toReadonlyArray(got).map(Chunk.toReadonlyArray).filter((chunk) => chunk.length > 0)
          expect(chunks.map((chunk) => chunk.length)).toEqual([2, 1])
          chunks.flat().forEach((value, index) => expect(value).toBe(values[index]))
        }
      )
    }), patience)
})

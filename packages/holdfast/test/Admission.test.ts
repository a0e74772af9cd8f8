import { describe, expect, it } from "@effect/vitest"
import { Cause, Duration, Effect, Exit, Fiber, Option, Stream, TestClock } from "effect"
import * as Admission from "holdfast/Admission"
import * as CurrentCall from "holdfast/CurrentCall"
import * as Deadline from "holdfast/Deadline"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Rejected from "holdfast/Rejected"
import * as Retry from "holdfast/Retry"
import * as Timeout from "holdfast/Timeout"

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const at = (endpoint: string) => CurrentCall.update({ endpoint })

const stateOf = (admission: Admission.Admission, endpoint = "default") =>
  Effect.map(admission.state, (endpoints) => {
    const state = endpoints.get(endpoint)
    if (state === undefined) throw new Error(`no endpoint ${endpoint}`)
    return state
  })

/** The first sign of overload: from here on the endpoint is paced. */
const upset = (admission: Admission.Admission) => Effect.exit(admission.apply(Effect.fail(overloaded)))

const failure = <A, E>(exit: Exit.Exit<A, E>): E | undefined =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined

/** A call with a deadline so many seconds from now. */
const within = (seconds: number) => <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Policy.with(Deadline.make({ duration: seconds * 1000 }), self)

describe("a call through admission", () => {
  it.effect("passes untouched while nothing speaks of overload", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      const calls = Effect.all([
        Effect.exit(admission.apply(Effect.succeed(1))),
        Effect.exit(admission.apply(Effect.fail("mine"))),
        Effect.exit(admission.apply(Effect.die("bug"))),
        Effect.exit(admission.apply(Effect.interrupt))
      ])
      const [success, failed, died, interrupted] = yield* calls
      expect(success).toEqual(Exit.succeed(1))
      expect(failed).toEqual(Exit.fail("mine"))
      expect(died).toEqual(Exit.die("bug"))
      expect(Exit.isInterrupted(interrupted)).toBe(true)
      expect(yield* stateOf(admission)).toMatchObject({ mode: "off", inFlight: 0, waiting: 0, started: 4, shed: 0 })
    }))

  it.effect("waits for the pace after a rejection, and a good answer brings the pace back", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      yield* upset(admission)
      expect(yield* stateOf(admission)).toMatchObject({ mode: "paced", rejected: 1 })
      expect((yield* stateOf(admission)).pace).toBeCloseTo(0.07)
      const fiber = yield* Effect.fork(admission.apply(Effect.delay(Effect.succeed("made"), "5 seconds")))
      yield* TestClock.adjust("14 seconds")
      expect(yield* stateOf(admission)).toMatchObject({ waiting: 1, inFlight: 0, delayed: 1 })
      yield* TestClock.adjust("1 second")
      expect(yield* stateOf(admission)).toMatchObject({ waiting: 0, inFlight: 1 })
      yield* TestClock.adjust("5 seconds")
      expect(yield* Fiber.join(fiber)).toBe("made")
      expect((yield* stateOf(admission)).pace).toBeCloseTo(0.1)
    }))

  it.effect("goes in the order of class, priority and youth", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make({ seed: 1 })
      yield* upset(admission)
      const order: Array<string> = []
      const call = (name: string, fields: Partial<CurrentCall.Call>) =>
        admission.apply(Effect.sync(() => void order.push(name))).pipe(CurrentCall.update(fields), Effect.fork)
      yield* call("batch", { workClass: "batch", priority: 9 })
      for (const name of ["first", "second"]) {
        yield* TestClock.adjust("1 millis")
        yield* call(name, {})
      }
      yield* call("urgent", { priority: 1 })
      yield* TestClock.adjust("1 minute")
      expect(order).toEqual(["urgent", "second", "first", "batch"])
    }))

  it.effect("is turned away at once when it could not finish, with a reason that says what to do", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make({ name: "front" })
      let ran = false
      const error = failure(yield* Effect.exit(admission.apply(Effect.sync(() => (ran = true))).pipe(within(37))))
      expect(ran).toBe(false)
      expect(error).toBeInstanceOf(Rejected.Shed)
      expect(error).toMatchObject({ policy: "Admission", policyName: "front" })
      expect(String(error?.message)).toContain("37 s are left and about 38 s are needed")
      expect(yield* Effect.exit(admission.apply(Effect.succeed(1)).pipe(within(38)))).toEqual(Exit.succeed(1))
    }))

  it.effect("that waits is turned away when it can no longer finish, not at its deadline", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make({ seed: 0.001, floor: 0.001 })
      yield* upset(admission)
      const fiber = yield* Effect.fork(Effect.exit(admission.apply(Effect.void).pipe(within(100))))
      yield* TestClock.adjust(62_499)
      expect(yield* stateOf(admission)).toMatchObject({ waiting: 1, shed: 0 })
      yield* TestClock.adjust(2)
      expect(yield* stateOf(admission)).toMatchObject({ waiting: 0, shed: 1 })
      expect(failure(yield* Fiber.join(fiber))).toBeInstanceOf(Rejected.Shed)
    }))

  it.effect("is kept away for the server's time and up to a tenth more, and told so", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      const hinted = new GenerationError.Overloaded({ message: "busy", retryAfter: "100 seconds" })
      yield* Effect.exit(admission.apply(Effect.fail(hinted)))
      const { closedFor } = yield* stateOf(admission)
      expect(Duration.toSeconds(closedFor)).toBeGreaterThanOrEqual(100)
      expect(Duration.toSeconds(closedFor)).toBeLessThan(110)
      const error = failure(yield* Effect.exit(admission.apply(Effect.void).pipe(within(120))))
      expect(error).toMatchObject({
        _tag: "Shed",
        retryAfter: Duration.millis(Math.ceil(Duration.toMillis(closedFor)))
      })
      const patient = yield* Effect.fork(admission.apply(Effect.void).pipe(within(300)))
      yield* TestClock.adjust("99 seconds")
      expect(yield* stateOf(admission)).toMatchObject({ waiting: 1 })
      yield* TestClock.adjust("11 seconds")
      yield* Fiber.join(patient)
    }))

  it.effect("knows its endpoint: trouble at one does not hold up another", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      yield* upset(admission).pipe(at("direct"))
      expect(yield* admission.apply(Effect.succeed("there")).pipe(at("relay"))).toBe("there")
      expect(yield* stateOf(admission, "direct")).toMatchObject({ mode: "paced" })
      expect(yield* stateOf(admission, "relay")).toMatchObject({ mode: "off" })
    }))

  it.effect("beyond the endpoints that are told apart shares one state, and idle ones are forgotten", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make({ maxEndpoints: 2, idle: "1 minute" })
      const hold = (endpoint: string) => Effect.fork(admission.apply(Effect.sleep("10 seconds")).pipe(at(endpoint)))
      for (const endpoint of ["a", "b", "c", "d"]) yield* hold(endpoint)
      yield* Effect.yieldNow()
      expect([...(yield* admission.state).keys()]).toEqual(["a", "b", "others"])
      expect(yield* stateOf(admission, "others")).toMatchObject({ inFlight: 2 })
      yield* TestClock.adjust("2 minutes")
      yield* admission.apply(Effect.void).pipe(at("e"))
      expect([...(yield* admission.state).keys()]).toEqual(["e"])
      for (let i = 0; i < 50; i++) yield* admission.apply(Effect.void).pipe(at(`endpoint ${i}`))
      expect((yield* admission.state).size).toBeLessThanOrEqual(3)
    }))

  it.effect("that a policy inside refuses gives its turn to the next", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      yield* upset(admission)
      const refused = Effect.fail(new Rejected.CircuitOpen({ policy: "p", policyName: "p", message: "m" }))
      const first = yield* Effect.fork(Effect.exit(admission.apply(refused)))
      yield* TestClock.adjust("15 seconds")
      yield* Fiber.join(first)
      const next = yield* Effect.fork(admission.apply(Effect.succeed("at once")))
      yield* Effect.yieldNow()
      expect(yield* stateOf(admission)).toMatchObject({ waiting: 0 })
      expect(yield* Fiber.join(next)).toBe("at once")
    }))

  it.effect("is not held up by a clock that was put back", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      yield* TestClock.setTime(7_200_000)
      yield* upset(admission)
      yield* TestClock.setTime(3_600_000)
      const fiber = yield* Effect.fork(admission.apply(Effect.succeed("made")).pipe(within(150)))
      yield* TestClock.adjust("16 seconds")
      expect(yield* Fiber.join(fiber)).toBe("made")
    }))

  it.effect("of which too many wait makes room for those that come later", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make({ maxWaiting: 2 })
      yield* upset(admission)
      const fork = () => Effect.fork(Effect.exit(admission.apply(Effect.void).pipe(within(150))))
      const first = yield* fork()
      yield* TestClock.adjust("10 millis")
      yield* fork()
      yield* fork()
      yield* Effect.yieldNow()
      const error = failure(yield* Fiber.join(first))
      expect(error).toMatchObject({ _tag: "Shed" })
      expect(String(error?.message)).toContain("calls wait")
      expect(yield* stateOf(admission)).toMatchObject({ waiting: 2, shed: 1 })
    }))
})

describe("what admission learns", () => {
  const lesson = (exit: Effect.Effect<unknown, unknown>, times = 1) =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      for (let i = 0; i < times; i++) yield* Effect.exit(admission.apply(exit))
      return (yield* stateOf(admission)).mode
    })
  const error = (tag: GenerationError.Tag, phase?: GenerationError.TimeoutPhase) =>
    Effect.fail(GenerationError.make(tag, { message: "x", phase }))

  it.effect("a capacity error is a signal at once, a transient fault when it comes for the third time in a row", () =>
    Effect.gen(function*() {
      expect(yield* lesson(error("Overloaded"))).toBe("paced")
      expect(yield* lesson(error("RateLimited"))).toBe("paced")
      expect(yield* lesson(error("Transient"), 2)).toBe("off")
      expect(yield* lesson(error("Transient"), 3)).toBe("paced")
      expect(yield* lesson(error("Timeout", "server"), 3)).toBe("paced")
      expect(yield* lesson(error("Timeout", "connect"), 3)).toBe("paced")
    }))

  it.effect("an error of the request, of a policy or of somebody else is none, nor is a defect or an interruption", () =>
    Effect.gen(function*() {
      const telling = ["Overloaded", "RateLimited", "Timeout", "Transient"]
      const silent = GenerationError.tags.filter((tag) => !telling.includes(tag))
      const refusal = new Rejected.CircuitOpen({ policy: "p", policyName: "p", message: "m" })
      for (const tag of silent) expect(yield* lesson(error(tag), 9), tag).toBe("off")
      expect(yield* lesson(Effect.fail("mine"), 9)).toBe("off")
      expect(yield* lesson(Effect.fail(refusal), 9)).toBe("off")
      expect(yield* lesson(Effect.die("bug"), 9)).toBe("off")
      expect(yield* lesson(Effect.interrupt, 9)).toBe("off")
    }))

  it.effect("a deadline that passes in flight slows it down, and counts as work that the server still does", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      const fiber = yield* Effect.fork(Effect.exit(admission.apply(Effect.never).pipe(within(150))))
      yield* TestClock.adjust("150 seconds")
      yield* Fiber.join(fiber)
      expect(yield* stateOf(admission)).toMatchObject({ mode: "slow", inFlight: 0, lost: 1 })
      yield* TestClock.adjust("151 seconds")
      expect(yield* stateOf(admission)).toMatchObject({ lost: 0 })
    }))

  it.effect("an interruption in good time is no signal, and leaves nothing behind", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      const fiber = yield* Effect.fork(admission.apply(Effect.never).pipe(within(150)))
      yield* TestClock.adjust("149 seconds")
      yield* Fiber.interrupt(fiber)
      expect(yield* stateOf(admission)).toMatchObject({ mode: "off", inFlight: 0, lost: 0 })
    }))

  it.effect("an answer that takes more than half of the time allowed is slow; then few are in flight", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      yield* Effect.forEach([1, 2, 3, 4], () =>
        Effect.fork(admission.apply(Effect.sleep("80 seconds")).pipe(within(150))))
      yield* TestClock.adjust("80 seconds")
      const state = yield* stateOf(admission)
      expect(state).toMatchObject({ mode: "slow", limit: 1, answered: 4 })
      const short = admission.apply(Effect.sleep("20 seconds")).pipe(within(150))
      yield* Effect.forEach([1, 2, 3], () => Effect.fork(Effect.exit(short)))
      for (let second = 0; second < 150; second++) {
        yield* TestClock.adjust("1 second")
        const { inFlight, limit, mode } = yield* stateOf(admission)
        if (mode === "slow") expect(inFlight).toBeLessThanOrEqual(limit)
      }
      expect((yield* stateOf(admission)).answered).toBeGreaterThan(4)
    }))

  it.effect("a service time that is much shorter than was thought, though no call has that much time left", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      const call = admission.apply(Effect.as(Effect.sleep("3 seconds"), "made")).pipe(within(20), Effect.exit)
      let made = 0
      for (let minute = 0; minute < 30; minute++) {
        const fiber = yield* Effect.fork(call)
        yield* TestClock.adjust("1 minute")
        if (Exit.isSuccess(yield* Fiber.join(fiber))) made++
      }
      expect(made).toBeGreaterThan(25)
      expect(Duration.toSeconds((yield* stateOf(admission)).service)).toBeLessThan(16)
    }))

  it.effect("a service time that is much longer than was thought", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      for (let i = 0; i < 100; i++) {
        const fiber = yield* Effect.fork(admission.apply(Effect.sleep("100 seconds")).pipe(within(600)))
        yield* TestClock.adjust("2 minutes")
        yield* Fiber.join(fiber)
      }
      expect(Duration.toSeconds((yield* stateOf(admission)).service)).toBeGreaterThan(80)
    }))

  it.effect("an attempt that a strict timeout gave up counts as lost, without the blame of slowness", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      const policy = Policy.compose(admission, Timeout.make({ attempt: "10 seconds" }))
      const fiber = yield* Effect.fork(Effect.exit(policy.apply(Effect.never)))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
      expect(yield* stateOf(admission)).toMatchObject({ mode: "off", lost: 1, inFlight: 0 })
    }))
})

describe("with a retry around it", () => {
  it.effect("a rejected call queues again at once and the pace is its back-off", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      const policy = Policy.compose(
        Deadline.make({ duration: "150 seconds" }),
        Retry.make({ schedule: admission.schedule }),
        admission
      )
      const started: Array<number> = []
      const call = Effect.flatMap(Effect.clockWith((clock) => clock.currentTimeMillis), (now) => {
        started.push(now)
        return started.length < 4 ? Effect.fail(overloaded) : Effect.as(Effect.sleep("10 seconds"), "made")
      })
      const fiber = yield* Effect.fork(policy.apply(call))
      yield* Effect.yieldNow()
      expect(started).toEqual([0])
      expect(yield* stateOf(admission)).toMatchObject({ waiting: 1 })
      yield* TestClock.adjust("150 seconds")
      expect(yield* Fiber.join(fiber)).toBe("made")
      // 1/0.07, then 1/0.049 and 1/0.0343 later: each rejection cuts the pace.
      expect(started.map((at) => Math.round(at / 1000))).toEqual([0, 14, 35, 64])
    }))

  it.effect("ends with Shed, which names the last error, when no further attempt could finish", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      const policy = Policy.compose(
        Deadline.make({ duration: "150 seconds" }),
        Retry.make({ schedule: admission.schedule }),
        admission
      )
      const log = CurrentCall.makeLog()
      let attempts = 0
      const fiber = yield* Effect.fork(Effect.exit(
        policy.apply(Effect.suspend(() => {
          attempts++
          const attempt = { number: attempts, endpoint: "e", model: "m", startedAt: 0, duration: Duration.zero }
          log.attempts.push({ ...attempt, error: overloaded })
          return Effect.fail(overloaded)
        })).pipe(CurrentCall.update({ log }))
      ))
      yield* TestClock.adjust("150 seconds")
      const error = failure(yield* Fiber.join(fiber))
      expect(error).toMatchObject({ _tag: "Shed" })
      expect(String(error?.message)).toContain("the last attempt ended with Overloaded")
      expect(attempts).toBeGreaterThan(2)
      expect(attempts).toBeLessThan(8)
    }))

  it.effect("its schedule stops at what another attempt cannot cure, and repeats an unknown outcome once", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      const attempts = (error: GenerationError.GenerationError) =>
        Effect.gen(function*() {
          let made = 0
          yield* Effect.exit(Effect.retry(
            Effect.suspend(() => ++made < 9 ? Effect.fail(error) : Effect.void),
            admission.schedule
          ))
          return made
        })
      expect(yield* attempts(overloaded)).toBe(9)
      expect(yield* attempts(new GenerationError.InvalidRequest({ message: "x" }))).toBe(1)
      expect(yield* attempts(new GenerationError.Timeout({ message: "x", phase: "headers" }))).toBe(2)
      expect(yield* attempts(new GenerationError.Overloaded({ message: "x", retryAfter: "11 minutes" }))).toBe(1)
    }))

  it.effect("a call that comes back keeps its place in the order of age", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make({ seed: 0.2, down: 0.9 })
      const policy = Policy.compose(Retry.make({ schedule: admission.schedule }), admission)
      const order: Array<string> = []
      const call = (name: string) => {
        let attempts = 0
        return Effect.fork(policy.apply(Effect.suspend(() => {
          order.push(name)
          return attempts++ === 0 && name === "old" ? Effect.fail(overloaded) : Effect.void
        })).pipe(CurrentCall.update({ log: CurrentCall.makeLog() }), within(300)))
      }
      yield* call("old")
      yield* TestClock.adjust("1 second")
      yield* call("young")
      yield* TestClock.adjust("1 minute")
      expect(order).toEqual(["old", "young", "old"])
    }))
})

describe("a dry run", () => {
  it.effect("delays nothing and refuses nothing, and records what it would have done", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make({ dryRun: true })
      yield* upset(admission)
      const before = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      expect(yield* admission.apply(Effect.succeed(1))).toBe(1)
      expect(yield* admission.apply(Effect.succeed(2)).pipe(within(20))).toBe(2)
      expect(yield* Effect.clockWith((clock) => clock.currentTimeMillis)).toBe(before)
      expect(yield* stateOf(admission)).toMatchObject({ mode: "paced", started: 3, delayed: 1, shed: 1 })
      expect(yield* stateOf(admission)).toMatchObject({ waiting: 0, inFlight: 0 })
    }))

  it.effect("has a schedule that waits by itself", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make({ dryRun: true })
      let attempts = 0
      const fiber = yield* Effect.fork(Effect.exit(Effect.retry(
        Effect.suspend(() => {
          attempts++
          return Effect.fail(overloaded)
        }),
        admission.schedule
      )))
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(fiber)
      expect(attempts).toBe(6)
    }))
})

describe("streams", () => {
  it.effect("hold their place until they end, however they end", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      const held: Array<number> = []
      const look = Effect.map(stateOf(admission), (state) => void held.push(state.inFlight))
      yield* Stream.runDrain(admission.applyStream(Stream.tap(Stream.make(1, 2), () => look)))
      const drained = (rest: Stream.Stream<unknown, GenerationError.GenerationError>) =>
        Stream.runDrain(admission.applyStream(Stream.concat(Stream.fromEffect(look), rest)))
      yield* Effect.exit(drained(Stream.fail(overloaded)))
      yield* TestClock.adjust("1 hour")
      yield* Effect.exit(drained(Stream.die("bug")))
      yield* Stream.runDrain(Stream.take(admission.applyStream(Stream.make(1, 2, 3)), 1))
      const fiber = yield* Effect.fork(drained(Stream.never))
      yield* Effect.yieldNow()
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      expect(held).toEqual([1, 1, 1, 1, 1])
      expect(yield* stateOf(admission)).toMatchObject({ inFlight: 0, waiting: 0, rejected: 1 })
    }))

  it.effect("wait for the pace like effects, and a wait can be interrupted", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make()
      yield* upset(admission)
      const waiting = yield* Effect.fork(Stream.runDrain(admission.applyStream(Stream.make(1))))
      yield* TestClock.adjust("5 seconds")
      expect(yield* stateOf(admission)).toMatchObject({ waiting: 1 })
      yield* Fiber.interrupt(waiting)
      expect(yield* stateOf(admission)).toMatchObject({ waiting: 0, inFlight: 0 })
    }))
})

describe("options", () => {
  it.effect("out of range are refused by name", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<readonly [string, Admission.MakeOptions]> = [
        ["seed", { seed: 0 }],
        ["floor", { floor: -1 }],
        ["down", { down: 1 }],
        ["up", { up: 0.9 }],
        ["slowDown", { slowDown: 0 }],
        ["quiet", { quiet: 0 }],
        ["doubling", { doubling: Number.NaN }],
        ["late", { late: 1.1 }],
        ["fit", { fit: -0.1 }],
        ["concurrency", { concurrency: 0 }],
        ["service", { service: 0 }],
        ["window", { window: 0 }],
        ["maxWaiting", { maxWaiting: 0 }],
        ["maxEndpoints", { maxEndpoints: 1.5 }],
        ["idle", { idle: 0 }],
        ["persistent.pers", { persistent: { pers: 0 } }],
        ["persistent.fair", { persistent: { fair: 2 } }]
      ]
      for (const [field, options] of wrong) {
        expect(() => Effect.runSync(Admission.make(options)), field).toThrow(`Admission.make: "${field}" must be`)
      }
    }))

  it.effect("are shown by the description", () =>
    Effect.gen(function*() {
      const admission = yield* Admission.make({ name: "front", persistent: Admission.persistent })
      expect(admission.describe).toMatchObject({ kind: "Admission", name: "front", amplification: 1 })
      const shown = { seed: 0.1, quiet: 30_000, doubling: 240_000, pers: 15, fair: 0.05 }
      expect(admission.describe.options).toMatchObject(shown)
    }))
})

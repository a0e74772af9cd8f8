import { describe, expect, it } from "@effect/vitest"
import { Clock, Deferred, Duration, Effect, Exit, Fiber, FiberRef, Layer, Metric, Option, TestClock } from "effect"
import * as CurrentCall from "holdfast/CurrentCall"
import type { Generated, Part } from "holdfast/Generated"
import * as GenerationCache from "holdfast/GenerationCache"
import * as GenerationError from "holdfast/GenerationError"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import * as Rejected from "holdfast/Rejected"

const image = (...bytes: ReadonlyArray<number>): Part => ({
  _tag: "Image",
  mimeType: "image/png",
  bytes: Uint8Array.from(bytes)
})

const generated = (parts: ReadonlyArray<Part>): Generated => ({
  parts,
  usage: { totalTokens: 3 },
  finishReason: "STOP",
  endpoint: "e",
  model: "m",
  attempts: []
})

const fox: GenerationRequest = { prompt: "a fox" }

/** A model that gives each call a number, takes `millis`, and counts what it does. */
const scripted = (millis = 0) => {
  const state = { started: 0, interrupted: 0, ended: 0 }
  const generate = Effect.suspend(() => {
    const number = ++state.started
    return Effect.as(Effect.sleep(millis), generated([image(number)]))
  }).pipe(
    Effect.onExit((exit) =>
      Effect.sync(() => {
        state.ended++
        if (Exit.isInterrupted(exit)) state.interrupted++
      })
    )
  )
  return { state, generate }
}

const numberOf = (lookup: GenerationCache.Lookup) => {
  const part = lookup.value.parts[0]
  return part?._tag === "Image" ? part.bytes[0] : undefined
}
const shown = (lookup: GenerationCache.Lookup) => `${lookup.source} ${numberOf(lookup)}`

const busy = Effect.fail(new GenerationError.Overloaded({ message: "busy" }))

describe("GenerationCache.layerMemory", () => {
  it.effect("answers the same request from memory until its time to live is over", () =>
    Effect.gen(function*() {
      const { generate, state } = scripted()
      const ask = Effect.map(GenerationCache.getOrGenerate(fox, generate), shown)
      expect(yield* ask).toBe("fresh 1")
      yield* TestClock.adjust("59 minutes")
      expect(yield* ask).toBe("hit 1")
      yield* TestClock.adjust("1 minute")
      expect(yield* ask).toBe("fresh 2")
      expect(state.started).toBe(2)
    }).pipe(Effect.provide(GenerationCache.layerMemory())))

  it.effect("says when a result was generated, and gives a kept one without its attempts", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      yield* TestClock.setTime(5000)
      const attempt = {
        number: 1,
        endpoint: "e",
        model: "m",
        startedAt: 0,
        duration: Duration.seconds(1)
      }
      const value = { ...generated([image(1)]), attempts: [attempt] }
      const first = yield* cache.getOrGenerate(fox, Effect.succeed(value))
      expect(first.value.attempts).toHaveLength(1)
      yield* TestClock.adjust(700)
      const second = yield* cache.getOrGenerate(fox, Effect.die("not called"))
      expect(second).toEqual({ value: { ...value, attempts: [] }, source: "hit", generatedAt: 5000 })
    }))

  it.effect("never keeps a failure, a defect or an interruption", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      for (const bad of [busy, Effect.die("defect"), Effect.interrupt]) {
        const exit = yield* Effect.exit(cache.getOrGenerate(fox, bad))
        expect(Exit.isFailure(exit)).toBe(true)
        expect(yield* cache.stats).toEqual({ flights: 0, waiting: 0, entries: 0, bytes: 0 })
      }
      expect(shown(yield* cache.getOrGenerate(fox, scripted().generate))).toBe("fresh 1")
    }))

  it.effect("does not keep a result without what was asked for", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const text: Part = { _tag: "Text", text: "no" }
      const asks: ReadonlyArray<readonly [GenerationRequest, ReadonlyArray<Part>, number]> = [
        [{ prompt: "1" }, [text], 0],
        [{ prompt: "2" }, [image()], 0],
        [{ prompt: "3", modalities: ["text", "image"] }, [image(1)], 0],
        [{ prompt: "4", modalities: [] }, [], 0],
        [{ prompt: "5", modalities: ["text"] }, [text], 1],
        [{ prompt: "6", modalities: ["text", "image"] }, [text, image(1)], 2]
      ]
      for (const [request, parts, entries] of asks) {
        yield* cache.getOrGenerate(request, Effect.succeed(generated(parts)))
        expect((yield* cache.stats).entries).toBe(entries)
      }
      const picky = GenerationCache.make({ isKept: (value) => value.finishReason !== "STOP" })
      yield* picky.getOrGenerate(fox, Effect.succeed(generated([image(1)])))
      expect((yield* picky.stats).entries).toBe(0)
    }))

  it.effect("a predicate that throws costs the entry and neither the result nor the key", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make({
        isKept: () => {
          throw new Error("mistake")
        }
      })
      expect(shown(yield* cache.getOrGenerate(fox, scripted().generate))).toBe("fresh 1")
      yield* Effect.yieldNow()
      expect(yield* cache.stats).toEqual({ flights: 0, waiting: 0, entries: 0, bytes: 0 })
    }))

  it.effect("lets a stale result stand in for a failure that says 'not now', and says why", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make({ timeToLive: "1 hour", staleIfError: "2 hours" })
      yield* cache.getOrGenerate(fox, scripted().generate)
      yield* TestClock.adjust("1 hour")
      const lookup = yield* cache.getOrGenerate(fox, busy)
      expect(shown(lookup)).toBe("stale 1")
      expect(lookup.generatedAt).toBe(0)
      expect(lookup.failure?._tag).toBe("Overloaded")
      // It stays what it is: the next call tries again.
      const next = scripted()
      expect(shown(yield* cache.getOrGenerate(fox, next.generate))).toBe("fresh 1")
    }))

  it.effect("judges staleness when the failure comes, not when the call began", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make({ timeToLive: "1 minute", staleIfError: "1 minute" })
      yield* cache.getOrGenerate(fox, scripted().generate)
      yield* TestClock.adjust("90 seconds")
      const slow = (millis: number) =>
        Effect.fork(Effect.exit(cache.getOrGenerate(fox, Effect.delay(busy, millis))))
      const early = yield* slow(29_000)
      yield* TestClock.adjust(29_000)
      expect(Exit.isSuccess(yield* Fiber.join(early))).toBe(true)
      const late = yield* slow(1000)
      yield* TestClock.adjust(1000)
      expect(Exit.isFailure(yield* Fiber.join(late))).toBe(true)
    }))

  it.effect("lets a stale result stand in for some classes of failure and not for others", () =>
    Effect.gen(function*() {
      const servable = ["Overloaded", "RateLimited", "Timeout", "Transient", "QuotaExhausted", "Malformed"]
      for (const tag of GenerationError.tags) {
        const cache = GenerationCache.make({ timeToLive: 0 })
        yield* cache.getOrGenerate(fox, scripted().generate)
        const exit = yield* Effect.exit(
          cache.getOrGenerate(fox, Effect.fail(GenerationError.make(tag, { message: "x" })))
        )
        expect([tag, Exit.isSuccess(exit)]).toEqual([tag, servable.includes(tag)])
      }
      const refusal = { policy: "P", policyName: "p", message: "x" }
      const cache = GenerationCache.make({ timeToLive: 0 })
      yield* cache.getOrGenerate(fox, scripted().generate)
      for (const tag of Rejected.tags) {
        const exit = yield* Effect.exit(cache.getOrGenerate(fox, Effect.fail(new Rejected[tag](refusal))))
        expect([tag, Exit.isSuccess(exit)]).toEqual([tag, true])
      }
      expect(Exit.isFailure(yield* Effect.exit(cache.getOrGenerate(fox, Effect.die("defect"))))).toBe(true)
      const never = GenerationCache.make({ timeToLive: 0, isStaleServed: () => false })
      yield* never.getOrGenerate(fox, scripted().generate)
      expect(Exit.isFailure(yield* Effect.exit(never.getOrGenerate(fox, busy)))).toBe(true)
    }))

  it.effect("passes by the cache in `bypass`: neither reads, nor keeps, nor shares", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const { generate, state } = scripted(1000)
      const ask = Effect.map(cache.getOrGenerate(fox, generate), shown)
      const first = yield* Effect.fork(ask)
      const alone = yield* Effect.fork(GenerationCache.bypass(Effect.all([ask, ask], { concurrency: 2 })))
      yield* TestClock.adjust(1000)
      expect(yield* Fiber.join(first)).toBe("fresh 1")
      expect(yield* Fiber.join(alone)).toEqual(["fresh 2", "fresh 3"])
      expect(yield* ask).toBe("hit 1")
      expect(state.started).toBe(3)
      const interrupted = yield* Effect.fork(GenerationCache.bypass(ask))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(interrupted)
      expect(state.interrupted).toBe(1)
    }))

  it.effect("replaces the old result in `refresh`, and keeps the old one when that fails", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const { generate } = scripted()
      const ask = Effect.map(cache.getOrGenerate(fox, generate), shown)
      expect(yield* ask).toBe("fresh 1")
      expect(yield* GenerationCache.refresh(ask)).toBe("fresh 2")
      expect(yield* ask).toBe("hit 2")
      const failed = yield* Effect.exit(GenerationCache.refresh(cache.getOrGenerate(fox, busy)))
      expect(Exit.isFailure(failed)).toBe(true)
      expect(yield* ask).toBe("hit 2")
    }))

  it.effect("shares refreshes among themselves, and lets no older generation replace a refreshed result", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const slow = scripted(5000)
      const quick = scripted(1000)
      const old = yield* Effect.fork(cache.getOrGenerate(fox, slow.generate))
      yield* TestClock.adjust(100)
      const refreshes = yield* Effect.fork(
        GenerationCache.refresh(
          Effect.all([cache.getOrGenerate(fox, quick.generate), cache.getOrGenerate(fox, quick.generate)], {
            concurrency: 2
          })
        )
      )
      yield* TestClock.adjust(1000)
      expect((yield* Fiber.join(refreshes)).map((each) => each.source).sort()).toEqual(["fresh", "shared"])
      expect(quick.state.started).toBe(1)
      yield* TestClock.adjust(4000)
      expect((yield* Fiber.join(old)).source).toBe("fresh")
      const kept = yield* cache.peek(fox)
      expect(kept?.generatedAt).toBe(1100)
    }))

  it.effect("`peek` shows what is kept and generates nothing; `invalidate` forgets it, also what is under way", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make({ timeToLive: "1 minute", staleIfError: "1 minute" })
      expect(yield* cache.peek(fox)).toBeUndefined()
      yield* cache.getOrGenerate(fox, scripted().generate)
      expect((yield* cache.peek(fox))?.source).toBe("hit")
      yield* TestClock.adjust("1 minute")
      expect((yield* cache.peek(fox))?.source).toBe("stale")
      yield* cache.invalidate(fox)
      expect(yield* cache.peek(fox)).toBeUndefined()
      const running = yield* Effect.fork(cache.getOrGenerate(fox, scripted(1000).generate))
      yield* TestClock.adjust(10)
      yield* cache.invalidate(fox)
      yield* TestClock.adjust(1000)
      expect((yield* Fiber.join(running)).source).toBe("fresh")
      expect(yield* cache.peek(fox)).toBeUndefined()
    }))

  it.effect("stays within its bytes, and keeps nothing larger than itself", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make({ maxBytes: 10_000 })
      const of = (size: number) =>
        Effect.succeed(generated([{ _tag: "Image", mimeType: "", bytes: new Uint8Array(size) }]))
      for (const prompt of ["a", "b", "c"]) yield* cache.getOrGenerate({ prompt }, of(4000))
      const stats = yield* cache.stats
      expect(stats.entries).toBe(2)
      expect(stats.bytes).toBeGreaterThanOrEqual(8000)
      expect(stats.bytes).toBeLessThanOrEqual(10_000)
      expect(yield* cache.peek({ prompt: "a" })).toBeUndefined()
      yield* cache.getOrGenerate({ prompt: "huge" }, of(10_001))
      expect((yield* cache.stats).entries).toBe(2)
    }))

  it.effect("keeps a copy of its own, and takes a result whose bytes were transferred away for none", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const body = new Uint8Array(1000).fill(7)
      const value = generated([{ _tag: "Image", mimeType: "image/png", bytes: body.subarray(10, 14) }])
      yield* cache.getOrGenerate(fox, Effect.succeed(value))
      body.fill(0)
      const hit = yield* cache.getOrGenerate(fox, Effect.die("not called"))
      const [part] = hit.value.parts
      if (part?._tag !== "Image") return expect.fail("no image")
      expect([...part.bytes]).toEqual([7, 7, 7, 7])
      expect(part.bytes.buffer.byteLength).toBe(4)
      structuredClone(part.bytes, { transfer: [part.bytes.buffer as ArrayBuffer] })
      expect(yield* cache.peek(fox)).toBeUndefined()
      expect(shown(yield* cache.getOrGenerate(fox, scripted().generate))).toBe("fresh 1")
    }))

  it("refuses illegal options by a message that names the field", () => {
    const bad: ReadonlyArray<readonly [string, GenerationCache.MemoryOptions]> = [
      ["maxEntries", { maxEntries: 0 }],
      ["maxEntries", { maxEntries: 1.5 }],
      ["maxBytes", { maxBytes: Number.NaN }],
      ["timeToLive", { timeToLive: -1 }],
      ["staleIfError", { staleIfError: Number.NaN }]
    ]
    for (const [field, options] of bad) {
      expect(() => GenerationCache.layerMemory(options)).toThrow(new RegExp(`GenerationCache.*"${field}" must be`))
    }
    const store = { get: () => Effect.succeed(undefined), set: () => Effect.void, remove: () => Effect.void }
    expect(() => GenerationCache.layerStore(store, { storeTimeout: 0 })).toThrow(/"storeTimeout" must be/)
  })

  it.effect("counts evictions, entries and bytes by the name of the cache", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make({ name: "counted", maxEntries: 2 })
      for (const prompt of ["a", "b", "c"]) yield* cache.getOrGenerate({ prompt }, scripted().generate)
      expect((yield* Metric.value(Metric.tagged(GenerationCache.evictions, "cache", "counted"))).count).toBe(1)
      expect((yield* Metric.value(Metric.tagged(GenerationCache.entries, "cache", "counted"))).value).toBe(2)
      const gauge = yield* Metric.value(Metric.tagged(GenerationCache.bytes, "cache", "counted"))
      expect(gauge.value).toBe((yield* cache.stats).bytes)
    }))
})

describe("GenerationCache.layerNoop", () => {
  it.effect("generates every time, alone", () =>
    Effect.gen(function*() {
      const { generate } = scripted()
      const ask = Effect.map(GenerationCache.getOrGenerate(fox, generate), shown)
      expect(yield* Effect.all([ask, GenerationCache.refresh(ask), ask])).toEqual(["fresh 1", "fresh 2", "fresh 3"])
      const cache = yield* GenerationCache.GenerationCache
      expect(yield* cache.peek(fox)).toBeUndefined()
      yield* cache.invalidate(fox)
    }).pipe(Effect.provide(GenerationCache.layerNoop)))
})

describe("what a shared generation inherits", () => {
  it.effect("a deadline of one waiter does not end the others', and the latest one is what the work sees", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const deadlines: Array<number> = []
      const look = Effect.flatMap(CurrentCall.current, (call) => Effect.sync(() => deadlines.push(call.deadline)))
      const generate = look.pipe(
        Effect.zipRight(Effect.sleep(1000)),
        Effect.zipRight(look),
        Effect.zipRight(Effect.sleep(1000)),
        Effect.zipRight(look),
        Effect.as(generated([image(1)]))
      )
      const ask = (deadline: number) =>
        cache.getOrGenerate(fox, generate).pipe(
          CurrentCall.update({ deadline }),
          Effect.timeoutOption(deadline),
          Effect.fork
        )
      const short = yield* ask(500)
      yield* TestClock.adjust(100)
      const long = yield* ask(60_000)
      const longer = yield* ask(1500)
      yield* TestClock.adjust(400)
      expect(Option.isNone(yield* Fiber.join(short))).toBe(true)
      yield* TestClock.adjust(1500)
      expect(Option.isNone(yield* Fiber.join(longer))).toBe(true)
      expect(Option.map(yield* Fiber.join(long), shown)).toEqual(Option.some("shared 1"))
      expect(deadlines).toEqual([500, 60_000, 60_000])
    }))

  it.effect("keeps identity, route, tenant and log of the starter, counts no attempt, and belongs to no retry", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const log = CurrentCall.makeLog()
      const starter: Partial<CurrentCall.Call> = {
        generation: "g1",
        endpoint: "e1",
        model: "m1",
        tenant: "t1",
        log,
        attempt: 3,
        retryOwner: "outer",
        workClass: "batch"
      }
      const seen: Array<CurrentCall.Call> = []
      const look = Effect.flatMap(CurrentCall.current, (call) => Effect.sync(() => seen.push({ ...call })))
      const generate = Effect.zipRight(Effect.zipRight(Effect.sleep(1000), look), Effect.succeed(generated([image(1)])))
      const leader = yield* Effect.fork(CurrentCall.update(cache.getOrGenerate(fox, generate), starter))
      yield* TestClock.adjust(10)
      const follower = yield* Effect.fork(
        CurrentCall.update(cache.getOrGenerate(fox, generate), { generation: "g2", tenant: "t2", priority: 7 })
      )
      yield* TestClock.adjust(1000)
      yield* Fiber.join(leader)
      yield* Fiber.join(follower)
      expect(seen).toHaveLength(1)
      expect(seen[0]).toMatchObject({
        ...starter,
        attempt: 0,
        retryOwner: undefined,
        priority: 7,
        workClass: "interactive"
      })
      expect(seen[0]?.log).toBe(log)
    }))

  it.effect("runs with the starter's services and fiber refs, its span as parent, and hands changes back", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const ref = FiberRef.unsafeMake("outside")
      const generate = Effect.gen(function*() {
        const seen = yield* FiberRef.get(ref)
        yield* FiberRef.set(ref, "changed")
        const span = yield* Effect.currentSpan
        expect([seen, span.name]).toEqual(["given", "starter"])
        return generated([image(1)])
      }).pipe(Effect.orDie)
      yield* FiberRef.set(ref, "given")
      yield* Effect.withSpan(cache.getOrGenerate(fox, generate), "starter")
      expect(yield* FiberRef.get(ref)).toBe("changed")
      expect(yield* CurrentCall.current).toBe(CurrentCall.none)
    }))

  it.effect("a follower with time left starts over when the shared generation ran out of the starter's time", () =>
    Effect.gen(function*() {
      const spent: ReadonlyArray<(at: number) => GenerationCache.Failure> = [
        () => new Rejected.DeadlineExceeded({ policy: "Deadline", policyName: "d", message: "over" }),
        () => new GenerationError.Overloaded({ message: "busy", stoppedBy: "deadline" }),
        // The attempt's own clock was cut to the starter's deadline.
        () => new GenerationError.Timeout({ message: "cut", phase: "attempt" })
      ]
      for (const error of spent) {
        const cache = GenerationCache.make()
        let started = 0
        const generate = Effect.gen(function*() {
          const number = ++started
          const { deadline } = { ...(yield* CurrentCall.current) }
          const now = yield* Clock.currentTimeMillis
          yield* Effect.sleep(Math.min(2000, deadline - now))
          if (deadline - now < 2000) return yield* Effect.fail(error(now))
          return generated([image(number)])
        })
        const now = yield* Clock.currentTimeMillis
        const ask = (allowed: number) =>
          Effect.fork(Effect.exit(CurrentCall.update(cache.getOrGenerate(fox, generate), { deadline: now + allowed })))
        const leader = yield* ask(1000)
        yield* TestClock.adjust(100)
        const hurried = yield* ask(1000)
        const patient = [yield* ask(60_000), yield* ask(60_000)]
        yield* TestClock.adjust(5000)
        expect(Exit.isFailure(yield* Fiber.join(leader))).toBe(true)
        expect(Exit.isFailure(yield* Fiber.join(hurried))).toBe(true)
        const results = yield* Effect.forEach(patient, (fiber) => Effect.flatten(Fiber.join(fiber)))
        expect(results.map(shown).sort()).toEqual(["fresh 2", "shared 2"])
        expect((yield* cache.stats).flights).toBe(0)
      }
    }))

  it.effect("a follower starts over when the starter was refused for whose it was, and only then", () =>
    Effect.gen(function*() {
      const refused = (tag: Rejected.Tag, follower: Partial<CurrentCall.Call>) =>
        Effect.gen(function*() {
          const cache = GenerationCache.make()
          let started = 0
          const generate = Effect.suspend(() =>
            ++started === 1
              ? Effect.delay(Effect.fail(new Rejected[tag]({ policy: "P", policyName: "p", message: "no" })), 100)
              : Effect.succeed(generated([image(started)]))
          )
          const leader = yield* Effect.fork(Effect.exit(cache.getOrGenerate(fox, generate)))
          yield* TestClock.adjust(10)
          const other = yield* Effect.fork(
            Effect.exit(CurrentCall.update(cache.getOrGenerate(fox, generate), follower))
          )
          yield* TestClock.adjust(100)
          yield* Fiber.join(leader)
          yield* Fiber.join(other)
          return started
        })
      expect(yield* refused("QueueFull", { tenant: "other" })).toBe(2)
      expect(yield* refused("Shed", { priority: 1 })).toBe(2)
      expect(yield* refused("QueueFull", {})).toBe(1)
      expect(yield* refused("Shed", { priority: -1 })).toBe(1)
      expect(yield* refused("CircuitOpen", { tenant: "other", priority: 1 })).toBe(1)
    }))
})

describe("GenerationCache.layerStore", () => {
  const broken: ReadonlyArray<readonly [string, GenerationCache.Store<Error>]> = [
    ["fails", {
      get: () => Effect.fail(new Error("down")),
      set: () => Effect.fail(new Error("down")),
      remove: () => Effect.fail(new Error("down"))
    }],
    ["dies", {
      get: () => Effect.die("defect"),
      set: () => {
        throw new Error("at once")
      },
      remove: () => Effect.die("defect")
    }],
    ["interrupts itself", { get: () => Effect.interrupt, set: () => Effect.interrupt, remove: () => Effect.interrupt }],
    ["hangs", { get: () => Effect.never, set: () => Effect.never, remove: () => Effect.never }],
    ["hangs and cannot be interrupted", {
      get: () => Effect.uninterruptible(Effect.never),
      set: () => Effect.uninterruptible(Effect.never),
      remove: () => Effect.uninterruptible(Effect.never)
    }]
  ]
  for (const [what, store] of broken) {
    it.effect(`a store that ${what} neither fails nor hangs a call, and leaves no key`, () =>
      Effect.gen(function*() {
        const name = `store that ${what}`
        const cache = GenerationCache.makeStore(store, { storeTimeout: "1 second", name })
        const { generate, state } = scripted(1000)
        const asked = yield* Effect.fork(cache.getOrGenerate(fox, generate))
        yield* TestClock.adjust(1000)
        yield* TestClock.adjust(1000)
        expect(shown(yield* Fiber.join(asked))).toBe("fresh 1")
        yield* TestClock.adjust(1000)
        const other = yield* Effect.fork(Effect.zip(cache.peek(fox), cache.invalidate(fox)))
        yield* TestClock.adjust(1000)
        yield* TestClock.adjust(1000)
        expect((yield* Fiber.join(other))[0]).toBeUndefined()
        expect((yield* cache.stats).flights).toBe(0)
        const reason = what.startsWith("hangs") ? "timeout" : "failure"
        const counter = GenerationCache.storeFailures.pipe(
          Metric.tagged("cache", name),
          Metric.tagged("operation", "set"),
          Metric.tagged("reason", reason)
        )
        expect((yield* Metric.value(counter)).count).toBe(1)
        const interrupted = yield* Effect.fork(cache.getOrGenerate(fox, generate))
        yield* TestClock.adjust(10)
        yield* Fiber.interrupt(interrupted)
        expect((yield* cache.stats).flights).toBe(0)
        expect(state.started - state.ended).toBe(0)
      }))
  }

  it.effect("interrupts what its store takes too long for, and what nobody waits for any more", () =>
    Effect.gen(function*() {
      let interrupted = 0
      const slow = Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
      const cache = GenerationCache.makeStore({ get: () => slow, set: () => slow, remove: () => slow })
      const late = yield* Effect.fork(cache.peek(fox))
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(late)
      expect(interrupted).toBe(1)
      const leaving = yield* Effect.fork(cache.getOrGenerate(fox, Effect.never))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(leaving)
      yield* TestClock.adjust(1)
      expect(interrupted).toBe(2)
    }))

  it.effect("resumes its waiters before the store has finished, and answers those who come meanwhile", () =>
    Effect.gen(function*() {
      const kept = new Map<string, GenerationCache.Entry>()
      const cache = GenerationCache.makeStore({
        get: (key) => Effect.sync(() => kept.get(key)),
        set: (key, entry) => Effect.delay(Effect.sync(() => kept.set(key, entry)), 500),
        remove: (key) => Effect.sync(() => kept.delete(key))
      })
      const { generate, state } = scripted()
      expect(shown(yield* cache.getOrGenerate(fox, generate))).toBe("fresh 1")
      expect(kept.size).toBe(0)
      expect(shown(yield* cache.getOrGenerate(fox, generate))).toBe("hit 1")
      expect((yield* cache.stats).flights).toBe(1)
      yield* TestClock.adjust(500)
      expect(kept.size).toBe(1)
      expect(shown(yield* cache.getOrGenerate(fox, generate))).toBe("hit 1")
      yield* Effect.yieldNow()
      expect((yield* cache.stats).flights).toBe(0)
      expect(state.started).toBe(1)
    }))

  it.effect("a last waiter who leaves waits for work that cannot be interrupted, and leaves no key", () =>
    Effect.gen(function*() {
      const cache = GenerationCache.make()
      const gate = yield* Deferred.make<void>()
      const generate = Effect.uninterruptible(Effect.as(Deferred.await(gate), generated([image(1)])))
      const asked = yield* Effect.fork(cache.getOrGenerate(fox, generate))
      yield* TestClock.adjust(1)
      const leaving = yield* Effect.fork(Fiber.interrupt(asked))
      yield* TestClock.adjust(1)
      expect(Option.isNone(yield* Fiber.poll(leaving))).toBe(true)
      yield* Deferred.succeed(gate, undefined)
      expect(Exit.isInterrupted(yield* Fiber.join(leaving))).toBe(true)
      expect((yield* cache.stats).flights).toBe(0)
    }))

  it.effect("is swapped like any layer", () =>
    Effect.gen(function*() {
      const cache = yield* GenerationCache.GenerationCache
      expect((yield* cache.stats).entries).toBeUndefined()
    }).pipe(
      Effect.provide(Layer.suspend(() =>
        GenerationCache.layerStore({
          get: () => Effect.succeed(undefined),
          set: () => Effect.void,
          remove: () => Effect.void
        })
      ))
    ))
})

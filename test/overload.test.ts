/**
 * Two hundred generations at once against the overloaded model, over real sockets, with every fault on the wire in
 * turn. However they end, nothing may be left behind: no rejection that nobody handles, no socket, no fiber, no
 * permit; and what the server counted is what the results and errors tell.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Gemini from "@holdfast/providers/Gemini"
import { UndiciHttp } from "@holdfast/providers/node"
import * as OpenAiCompatible from "@holdfast/providers/OpenAiCompatible"
import * as Vertex from "@holdfast/providers/Vertex"
import * as VertexCredentials from "@holdfast/providers/VertexCredentials"
import { OverloadServer } from "@holdfast/testing/node"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Cause, Chunk, Duration, Effect, Exit, Fiber, Layer, Redacted, Stream, Supervisor } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as Generation from "holdfast/Generation"
import * as GenerationCache from "holdfast/GenerationCache"
import { GenerationClient } from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"
import * as Policy from "holdfast/Policy"
import * as Rejected from "holdfast/Rejected"
import * as Retry from "holdfast/Retry"
import * as Telemetry from "holdfast/Telemetry"
import type { TelemetryEvent } from "holdfast/TelemetryEvent"
import * as Timeout from "holdfast/Timeout"

const apiKey = Redacted.make("overload-key")

/** Every fault by name; a name that the server learns and this table lacks does not compile. */
const faults: Record<OverloadServer.Fault, true> = {
  "503": true,
  "429": true,
  "500": true,
  "504": true,
  reset: true,
  "stall-headers": true,
  stall: true,
  "stall-body": true,
  "cut-mid-chunk": true,
  dribble: true,
  "error-after-200": true,
  html: true,
  "html-200": true,
  "wrong-content-type": true,
  "malformed-json": true,
  "missing-finish-reason": true,
  empty: true,
  blocked: true
}

const names = Object.keys(faults) as ReadonlyArray<OverloadServer.Fault>

/** Generations at once, and connections of each of the three clients: enough for its share of them. */
const total = 200
const connections = 70

/** A body that stalls is ended by the client's clock; a head that never comes, by the policies'. */
const timeouts = { connect: "1 minute", write: "1 minute", headers: "1 minute", body: "800 millis" } as const
const common = { apiKey, timeouts, maxConnections: connections }

const dialects: ReadonlyArray<(url: string) => Effect.Effect<GenerationClient["Type"], never, HttpClient.HttpClient>> = [
  (baseUrl) => Gemini.make({ ...common, baseUrl }),
  (baseUrl) =>
    Effect.provide(Vertex.make({ ...common, project: "p-1", baseUrl }), VertexCredentials.layerToken(apiKey)),
  (url) => OpenAiCompatible.make({ ...common, baseUrl: `${url}/v1` })
]

const retry = Retry.make({ schedule: Backoff.exponential({ base: "20 millis", cap: "100 millis" }), maxAttempts: 3 })

/** Retries of attempts of at most so many milliseconds, all of them within a little more than twice that time. */
const protection = (attempt: number): Generation.Options => ({
  policy: Policy.compose(retry, Timeout.make({ attempt, firstChunk: attempt, idle: attempt })),
  deadline: attempt * 2.2
})

/** No policy at all. */
const bare: Generation.Options = { policy: Policy.identity }

/** What the observer of all generations has seen. */
interface Watched {
  started: number
  ended: number
  /** Attempts by the ends of generations. */
  readonly byGeneration: Array<number>
}

const watching = (watched: Watched) => (event: TelemetryEvent): void => {
  if (event._tag === "AttemptStarted") watched.started++
  if (event._tag === "AttemptEnded") watched.ended++
  if (event._tag === "GenerationEnded") watched.byGeneration.push(event.attempts)
}

const until = <A>(what: string, self: Effect.Effect<A>, condition: (value: A) => boolean) =>
  Effect.repeat(Effect.delay(self, "10 millis"), { until: condition, times: 1000 }).pipe(
    Effect.tap((value) => expect(condition(value), `${what}: ${JSON.stringify(value)}`).toBe(true))
  )

/**
 * A server, three clients of it over one transport, and the generations that they serve under some policy. The server
 * stands outside of what the supervisor counts.
 */
const setup = (transport: Layer.Layer<HttpClient.HttpClient>, watched: Watched) =>
  Effect.gen(function*() {
    const server = yield* OverloadServer.make({ speed: 3000, apiKey, drafts: 0 })
    const telemetry = Layer.succeed(Telemetry.Telemetry, { spans: false, observe: watching(watched) })
    const clients = Effect.gen(function*() {
      const http = yield* Layer.build(transport)
      const made = yield* Effect.forEach(dialects, (make) => Effect.provide(make(server.url), http))
      return (options: Generation.Options) =>
        Effect.forEach(made, (client) =>
          Generation.make(options).pipe(
            Effect.provideService(GenerationClient, client),
            Effect.provide(Layer.merge(telemetry, GenerationCache.layerNoop))
          ))
    })
    return { server, clients }
  })

type Call = Effect.Effect<number, GenerationError.GenerationError | Rejected.Rejected>

/** Generation `n` in its turn: each dialect, whole and as a stream. It tells its attempts; a stream cannot. */
const call = (services: ReadonlyArray<Generation.Service>, n: number): Call => {
  const service = services[n % services.length]!
  const request = { prompt: `picture ${n}` }
  return n % 2 === 0
    ? Effect.map(service.generate(request), (result) => result.attempts.length)
    : Effect.as(Stream.runDrain(service.stream(request)), NaN)
}

const forkAll = (services: ReadonlyArray<Generation.Service>, count = total) =>
  Effect.forEach(Array.from({ length: count }, (_, n) => n), (n) => Effect.fork(call(services, n)))

const awaitAll = <A, E>(fibers: ReadonlyArray<Fiber.RuntimeFiber<A, E>>) => Effect.forEach(fibers, (fiber) => fiber.await)

/** Attempts as the caller is told. */
const reported = (exit: Exit.Exit<number, GenerationError.GenerationError | Rejected.Rejected>): number => {
  if (Exit.isSuccess(exit)) return exit.value
  const error = Cause.isFailType(exit.cause) ? exit.cause.error : expect.fail(Cause.pretty(exit.cause))
  if (Rejected.isRejected(error) && error._tag !== "DeadlineExceeded") return expect.fail(String(error))
  return (error.attempts ?? expect.fail(`no attempts in ${error._tag}`)).length
}

const handles = () => {
  const count = (kind: string) => process.getActiveResourcesInfo().filter((name) => name === kind).length
  return { sockets: count("TCPSocketWrap"), servers: count("TCPServerWrap"), timers: count("Timeout") }
}

/** Things that nobody awaits, and that Node therefore only reports. */
const strays: Array<unknown> = []
const stray = (reason: unknown): void => void strays.push(reason)
const reports = ["unhandledRejection", "uncaughtException", "warning"] as const

beforeAll(() => reports.forEach((report) => process.on(report, stray)))
afterAll(() => reports.forEach((report) => process.off(report, stray)))

/** Each transport, and how many faults at a time: over the second one together, for the sake of time. */
const transports = [
  ["undici", UndiciHttp.layer(), 1],
  ["fetch", FetchHttpClient.layer, 3]
] as const

/** Chance that a request meets a fault, when `n` rules stand before each other: about seven in ten meet one of them. */
const chance = (n: number): number => 1 - 0.3 ** (1 / n)

describe.each(transports)("200 generations at once over %s", (_, transport, atATime) => {
  it.live("leave nothing behind under any fault, and count their attempts as the server does", () =>
    Effect.gen(function*() {
      const before = handles()
      const supervisor = yield* Supervisor.track
      const watched: Watched = { started: 0, ended: 0, byGeneration: [] }
      const seen = { success: 0, failure: 0 }
      yield* Effect.scoped(Effect.gen(function*() {
        const { clients, server } = yield* setup(transport, watched)
        const quiet = (what: string) => until(what, server.counters, (now) => now.inFlight === 0 && now.queued === 0)
        yield* Effect.scoped(Effect.supervised(
          Effect.gen(function*() {
            const generations = yield* clients
            // How long so many take on this machine, now: an attempt that is given less may not even reach the server.
            yield* awaitAll(yield* forkAll(yield* generations(bare)))
            const [pace] = yield* Effect.timed(Effect.flatMap(Effect.flatMap(generations(bare), forkAll), awaitAll))
            const attempt = Math.max(1000, Duration.toMillis(pace) * 3)
            for (const group of Chunk.chunksOf(Chunk.fromIterable(names), atATime)) {
              const faults = Chunk.toReadonlyArray(group)
              const where = faults.join(", ")
              yield* quiet(where)
              yield* server.reset
              Object.assign(watched, { started: 0, ended: 0, byGeneration: [] })
              for (const fault of faults) {
                yield* server.fault({ fault, times: Infinity, probability: chance(atATime), retryAfter: 0.05 })
              }
              const limit = faults.includes("stall-headers") ? attempt : attempt * 10
              const exits = yield* awaitAll(yield* forkAll(yield* generations(protection(limit))))
              const told = exits.map(reported)
              const { byFault, requests } = yield* quiet(where)
              const sum = watched.byGeneration.reduce((sum, count) => sum + count, 0)
              for (const fault of faults) expect(byFault[fault], fault).toBeGreaterThan(total / (10 * atATime))
              expect(watched.byGeneration, where).toHaveLength(total)
              expect(watched.ended, where).toBe(watched.started)
              expect(sum, where).toBe(watched.started)
              expect(requests, where).toBe(sum)
              // Streams that succeed leave the telling to telemetry; what the others tell adds up with it.
              const silent = told.filter(Number.isNaN).length
              const loud = told.filter((count) => !Number.isNaN(count)).reduce((sum, count) => sum + count, 0)
              expect(sum - loud, where).toBeGreaterThanOrEqual(silent)
              expect(sum - loud, where).toBeLessThanOrEqual(silent * 3)
              for (const exit of exits) seen[Exit.isSuccess(exit) ? "success" : "failure"]++
            }
          }),
          supervisor
        ))
        yield* until("sockets", server.counters, (now) => now.openSockets === 0 && now.inFlight === 0)
      }))
      yield* until("fibers", Effect.map(supervisor.value, (fibers) => fibers.length), (count) => count === 0)
      yield* until("handles", Effect.sync(handles), (now) =>
        now.sockets <= before.sockets && now.servers <= before.servers && now.timers <= before.timers + 1)
      expect(strays).toEqual([])
      expect(seen.success + seen.failure).toBe((total * names.length) / atATime)
      expect(Math.min(seen.success, seen.failure)).toBeGreaterThan(total)
    }), 120_000)

  it.live("leave nothing behind when their callers leave, and free every connection for the next", () =>
    Effect.gen(function*() {
      const supervisor = yield* Supervisor.track
      const watched: Watched = { started: 0, ended: 0, byGeneration: [] }
      yield* Effect.scoped(Effect.gen(function*() {
        const { clients, server } = yield* setup(transport, watched)
        yield* Effect.scoped(Effect.supervised(
          Effect.gen(function*() {
            const generations = yield* clients
            for (const fault of ["stall-headers", "stall", "stall-body", "dribble"] as const) {
              yield* server.fault({ fault, times: Infinity, probability: 0.8 })
              const fibers = yield* forkAll(yield* generations(protection(60_000)))
              // Some leave before their request is out, some while it waits, some in the middle of the answer.
              for (const [n, fiber] of fibers.entries()) {
                if (n % 20 === 0) yield* Effect.sleep("20 millis")
                yield* Fiber.interruptFork(fiber)
              }
              yield* awaitAll(fibers)
              yield* until(fault, server.counters, (now) => now.inFlight === 0 && now.queued === 0)
              expect(watched.ended, fault).toBe(watched.started)
            }
            // Every permit is at home: all connections of all clients can be in use at once, and no further one.
            yield* server.fault({ fault: "stall-headers", times: Infinity })
            const capacity = connections * dialects.length
            const full = yield* forkAll(yield* generations(bare), capacity + dialects.length)
            yield* until("permits", server.counters, (now) => now.inFlight === capacity)
            yield* Effect.sleep("50 millis")
            expect((yield* server.counters).inFlight).toBe(capacity)
            yield* Fiber.interruptAll(full)
            const left = yield* until("left", server.counters, (now) => now.inFlight === 0)
            // Some left before the server knew of them; nobody else came.
            expect(left.requests).toBeLessThanOrEqual(watched.started)
          }),
          supervisor
        ))
        yield* until("sockets", server.counters, (now) => now.openSockets === 0)
      }))
      yield* until("fibers", Effect.map(supervisor.value, (fibers) => fibers.length), (count) => count === 0)
      expect(strays).toEqual([])
    }), 120_000)
})

import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Heap from "../src/internal/heap.js"
import * as Quota from "../src/internal/quota.js"
import { stream } from "../src/internal/random.js"
import * as Station from "../src/internal/station.js"

const base: Station.Params = {
  endpoint: "direct",
  seed: 1,
  slots: 1,
  bg: { low: 0, med: 0, peak: 0, high: 0 },
  noise: 0,
  startHour: 0,
  events: [],
  queue: 0,
  err: 0,
  rej: [0, 0],
  slow: 1,
  queueTimeout: Infinity,
  retryAfter: false,
  rpm: Infinity,
  rpmShared: false,
  rpmRA: false,
  price: 1,
  cancel: "ignored",
  rejectCost: 0,
  meanService: 30
}

interface Command {
  readonly wait: number
  readonly arrive: number | undefined
  readonly leave: number | undefined
}

interface World {
  readonly slots: number
  readonly queue: number
  readonly queueTimeout: number
  readonly cancel: "queued" | "ignored"
  readonly brownout: readonly [from: number, length: number] | undefined
}

/** Second by second, with plain arrays: everything is a whole number of seconds. */
const reference = (world: World, commands: ReadonlyArray<Command>): ReadonlyArray<string> => {
  const log: Array<string> = []
  const slotsAt = (t: number) => {
    const [from, length] = world.brownout ?? [-1, 0]
    return from <= t && t < from + length ? 0 : world.slots
  }
  let running: Array<{ id: number; ends: number }> = []
  let queue: Array<{ id: number; demand: number; at: number }> = []
  const due = [...commands]
  let id = 0
  let next = due[0]?.wait ?? 0
  for (let t = 0; t <= 2000; t++) {
    for (const job of running.filter(({ ends }) => ends === t)) log.push(`completed ${job.id} ${t}`)
    running = running.filter(({ ends }) => ends !== t)
    const fill = () => {
      while (queue.length > 0 && running.length < slotsAt(t)) {
        const job = queue.shift()
        if (job === undefined) break
        log.push(`started ${job.id} ${t}`)
        running.push({ id: job.id, ends: t + job.demand })
      }
    }
    fill()
    for (const job of queue.filter(({ at }) => at + world.queueTimeout <= t)) log.push(`refused ${job.id} ${t}`)
    queue = queue.filter(({ at }) => at + world.queueTimeout > t)
    while (due[0] !== undefined && next === t) {
      const command = due.shift()
      if (command?.arrive !== undefined) {
        const job = { id: id++, demand: command.arrive, at: t }
        if (queue.length === 0 && running.length < slotsAt(t)) {
          log.push(`started ${job.id} ${t}`)
          running.push({ id: job.id, ends: t + job.demand })
        } else if (queue.length < world.queue) queue.push(job)
        else log.push(`refused ${job.id} ${t}`)
      }
      if (command?.leave !== undefined && world.cancel === "queued") {
        queue = queue.filter((job) => job.id !== command.leave)
      }
      next = t + (due[0]?.wait ?? 0)
    }
  }
  return log
}

const words = { Started: "started", Completed: "completed", Refused: "refused" } as const

const actual = (world: World, commands: ReadonlyArray<Command>) => {
  const log: Array<string> = []
  const jobs: Array<Station.Job<number>> = []
  const station = Station.make<number>(
    {
      ...base,
      ...world,
      events: world.brownout === undefined
        ? []
        : [{ from: world.brownout[0], to: world.brownout[0] + world.brownout[1], cap: 0 }]
    },
    (output) => log.push(`${words[output._tag]} ${output.job.tag} ${output.at}`)
  )
  const levels: Array<boolean> = []
  let t = 0
  for (const command of commands) {
    t += command.wait
    const capacity = Math.max(world.slots, 0)
    if (command.arrive !== undefined) {
      jobs.push(station.arrive(t, { tag: jobs.length, client: "a", demand: command.arrive }))
    }
    const leaver = command.leave === undefined ? undefined : jobs[command.leave]
    if (leaver !== undefined) station.leave(t, leaver)
    levels.push(station.tally.busy <= capacity && station.tally.queued <= world.queue && station.tally.queued >= 0)
  }
  station.advance(2000)
  return { log, tally: station.tally, levels }
}

const commandArb: FastCheck.Arbitrary<Command> = FastCheck.record({
  wait: FastCheck.integer({ min: 0, max: 15 }),
  arrive: FastCheck.option(FastCheck.integer({ min: 1, max: 40 }), { nil: undefined, freq: 4 }),
  leave: FastCheck.option(FastCheck.integer({ min: 0, max: 20 }), { nil: undefined, freq: 2 })
})

const worldArb: FastCheck.Arbitrary<World> = FastCheck.record({
  slots: FastCheck.integer({ min: 0, max: 3 }),
  queue: FastCheck.integer({ min: 0, max: 4 }),
  queueTimeout: FastCheck.constantFrom(Infinity, 7, 25),
  cancel: FastCheck.constantFrom("queued" as const, "ignored" as const),
  brownout: FastCheck.option(
    FastCheck.tuple(FastCheck.integer({ min: 0, max: 100 }), FastCheck.integer({ min: 1, max: 90 })),
    { nil: undefined }
  )
})

/** Arrivals as a Poisson process: the share that is refused. */
const blocking = (erlang: number, slots: number, arrivals: number) => {
  const station = Station.make<undefined>({ ...base, slots }, () => {})
  const uniform = stream(7, "arrivals")
  let t = 0
  for (let i = 0; i < arrivals; i++) {
    t += -Math.log(1 - uniform()) * (30 / erlang)
    station.arrive(t, { tag: undefined, client: "a", demand: -Math.log(1 - uniform()) * 30 })
  }
  return station.tally.rejected / arrivals
}

/** Erlang's loss formula, by its recursion. */
const erlangB = (erlang: number, slots: number): number => {
  let b = 1
  for (let n = 1; n <= slots; n++) b = (erlang * b) / (n + erlang * b)
  return b
}

describe("a station", () => {
  it("does what a plain second-by-second model does, for any arrivals and departures", () => {
    FastCheck.assert(
      FastCheck.property(worldArb, FastCheck.array(commandArb, { maxLength: 40 }), (world, commands) => {
        const { levels, log, tally } = actual(world, commands)
        expect(log).toEqual(reference(world, commands))
        expect(levels).not.toContain(false)
        const cancelled = tally.requests - tally.started - tally.rejected - tally.queued
        expect(cancelled).toBeGreaterThanOrEqual(0)
        if (world.cancel === "ignored") expect(cancelled).toBe(0)
        expect(tally.started).toBe(tally.completed + tally.busy)
      }),
      { numRuns: 400 }
    )
  })

  for (const [erlang, expected] of [
    [16, 0.064],
    [24, 0.257],
    [36, 0.473]
  ] as const) {
    it(`refuses as many as Erlang's loss formula says at ${erlang} erlang on 20 slots`, () => {
      expect(erlangB(erlang, 20)).toBeCloseTo(expected, 3)
      expect(Math.abs(blocking(erlang, 20, 120_000) - expected)).toBeLessThan(0.01)
    })
  }

  it("lets a worker end its work when slots go away, and starts nobody until there is room", () => {
    const log: Array<string> = []
    const station = Station.make<string>(
      { ...base, slots: 2, queue: 5, events: [{ from: 10, to: 100, cap: 0.5 }] },
      (output) => log.push(`${output._tag} ${output.job.tag} ${output.at}`)
    )
    for (const [tag, demand] of [["a", 20], ["b", 40], ["c", 10]] as const) {
      station.arrive(0, { tag, client: "x", demand })
    }
    station.advance(200)
    expect(log.slice(0, 2)).toEqual(["Started a 0", "Started b 0"])
    expect(log.slice(2)).toEqual(["Completed a 20", "Completed b 40", "Started c 40", "Completed c 50"])
  })

  it("makes the next generations pay for rejections, and never more than a third of a service time each", () => {
    const station = Station.make<number>({ ...base, slots: 2, rejectCost: 4 }, () => {})
    const arrive = (at: number) => station.arrive(at, { tag: 0, client: "x", demand: 30 })
    expect([arrive(0).endsAt, arrive(0).endsAt]).toEqual([30, 30])
    for (let i = 0; i < 3; i++) expect(arrive(1).status).toBe("refused")
    expect([arrive(30).endsAt, arrive(30).endsAt]).toEqual([30 + 10 + 30, 30 + 2 + 30])
    for (let i = 0; i < 100; i++) expect(arrive(31).status).toBe("refused")
    expect([arrive(70).endsAt, arrive(70).endsAt, arrive(110).endsAt]).toEqual([110, 110, 140])
  })

  it("answers 500 as often as chance and flaky events together say", () => {
    const station = Station.make<undefined>(
      { ...base, slots: 1_000_000, err: 0.2, events: [{ from: 100, to: 200, mode: "flaky", p: 0.5 }] },
      () => {}
    )
    const share = (from: number) => {
      const before = station.tally.errors
      for (let i = 0; i < 5000; i++) station.arrive(from, { tag: undefined, client: "a", demand: 1 })
      return (station.tally.errors - before) / 5000
    }
    expect(share(0)).toBeCloseTo(0.2, 1)
    expect(share(150)).toBeCloseTo(0.6, 1)
    expect(share(200)).toBeCloseTo(0.2, 1)
  })

  it("says honestly when to come back: the end of the outage, or when the queue is worked off", () => {
    const hints: Array<readonly [string, number | undefined, number]> = []
    const station = Station.make<undefined>(
      { ...base, slots: 2, queue: 1, retryAfter: true, rej: [1, 1], events: [{ from: 100, to: 160, mode: "reject" }] },
      (output) => output._tag === "Refused" && hints.push([output.reason, output.retryAfter, output.at])
    )
    for (let i = 0; i < 4; i++) station.arrive(0, { tag: undefined, client: "a", demand: 40 })
    station.arrive(130, { tag: undefined, client: "a", demand: 40 })
    expect(hints).toEqual([
      ["overloaded", (2 * 30) / 2 - 1, 1],
      ["outage", 29, 131]
    ])
  })
})

describe("a quota", () => {
  it("never admits more than the limit in any 60 seconds, and says exactly when it admits again", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 1, max: 5 }),
        FastCheck.array(FastCheck.integer({ min: 0, max: 30 }), { maxLength: 80 }),
        (limit, gaps) => {
          const quota = Quota.make(limit, true)
          const admitted: Array<number> = []
          let t = 0
          for (const gap of gaps) {
            t += gap
            const now = t
            const inWindow = admitted.filter((at) => at > now - 60)
            const wait = quota.admit("a", t)
            if (inWindow.length < limit) {
              expect(wait).toBe(0)
              admitted.push(t)
            } else expect(wait).toBe((inWindow[inWindow.length - limit] ?? NaN) + 60 - t)
          }
        }
      )
    )
  })

  it("counts each client for itself unless it is shared", () => {
    const own = Quota.make(1, false)
    expect([own.admit("a", 0), own.admit("b", 0), own.admit("a", 1)]).toEqual([0, 0, 59])
    expect([own.admit("a", 60), own.admit("a", 61)]).toEqual([0, 59])
    const shared = Quota.make(1, true)
    expect([shared.admit("a", 0), shared.admit("b", 0)]).toEqual([0, 60])
  })
})

describe("a heap", () => {
  it("gives back what went in, smallest key first and in order of arrival among equals", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.integer({ min: 0, max: 9 })), (keys) => {
        const heap = Heap.make<number>()
        keys.forEach((key, i) => heap.push(key, i))
        const out = keys.map(() => heap.pop())
        const sorted = keys.map((key, i) => [key, i] as const).sort(([a, i], [b, j]) => a - b || i - j)
        expect(out).toEqual(sorted.map(([, i]) => i))
        expect(heap.pop()).toBeUndefined()
      })
    )
  })
})

/** The queue of one key, scene by scene. */
import { describe, expect, it } from "@effect/vitest"
import * as Account from "../src/internal/rateLimit/account.js"
import { type Asker, Lane, type Ticket } from "../src/internal/rateLimit/lane.js"
import { Outlook } from "../src/internal/rateLimit/outlook.js"
import * as Window from "../src/internal/rateLimit/window.js"
import * as Zone from "../src/internal/time/zone.js"

/** A lane whose windows are given, a clock with timers, and a diary of what is settled. */
const makeStage = (windows: ReadonlyArray<Window.Window> = [Window.sliding(10, 1000)], maxQueue = 3) => {
  const lane = new Lane(Account.make(windows), maxQueue)
  const timers = new Set<{ readonly at: number; readonly task: () => void }>()
  const told: Array<string> = []
  const tickets: Record<string, Ticket> = {}
  let armed = 0
  const stage = {
    lane,
    told,
    tickets,
    now: 0,
    /** How often a timer was set. */
    armed: () => armed,
    timers: () => [...timers].map(({ at }) => at),
    ask: (name: string, cost: number, more: Partial<Asker> = {}) => {
      const answer = lane.ask({
        costs: windows.map(() => cost),
        latest: Infinity,
        priority: 0,
        reported: false,
        now: () => stage.now,
        schedule: (millis, task) => {
          armed++
          const timer = { at: stage.now + millis, task }
          timers.add(timer)
          return () => void timers.delete(timer)
        },
        settle: (settled) => {
          told.push(settled._tag === "Granted" ? `${name} at ${stage.now}` : `${name} late by ${settled.wait} at ${stage.now}`)
          if (settled._tag === "Granted") tickets[name] = settled.ticket
        },
        ...more
      })
      if (answer._tag === "Granted") tickets[name] = answer.ticket
      return answer
    },
    /** Lets time pass; timers ring when they are due. */
    until: (time: number) => {
      for (;;) {
        const due = [...timers].filter(({ at }) => at <= time).sort((a, b) => a.at - b.at)[0]
        if (due === undefined) break
        timers.delete(due)
        stage.now = Math.max(stage.now, due.at)
        due.task()
      }
      stage.now = time
    }
  }
  return stage
}

describe("a lane", () => {
  it("grants at once what fits and waits for nobody", () => {
    const stage = makeStage()
    expect(stage.ask("a", 4)._tag).toBe("Granted")
    expect(stage.ask("b", 6)._tag).toBe("Granted")
    expect(stage.tickets["a"]).toEqual({ lane: stage.lane, costs: [4], grantedAt: 0, reported: false, startedAt: 0 })
    expect(stage.lane.look()).toMatchObject({ waiting: 0, inFlight: 2 })
    expect(stage.timers()).toEqual([])
  })

  it("refuses a cost that can never fit, by the window", () => {
    const stage = makeStage([Window.sliding(10, 1000), Window.sliding(5, 100)])
    expect(stage.ask("a", 6)).toEqual({ _tag: "Impossible", window: 1 })
    expect(stage.ask("b", 11)).toEqual({ _tag: "Impossible", window: 0 })
    expect(stage.ask("c", 5)._tag).toBe("Granted")
  })

  it("refuses a start that would be too late, and says how long the wait would be", () => {
    const stage = makeStage()
    stage.ask("a", 10)
    stage.until(300)
    expect(stage.ask("b", 1, { latest: 999 })).toEqual({ _tag: "Late", wait: 700, drainedBy: undefined })
    expect(stage.ask("c", 1, { latest: 1000 })._tag).toBe("Queued")
    expect(stage.ask("d", 1, { latest: 299 })._tag).toBe("Late")
    expect(makeStage().ask("e", 1, { latest: -1 })).toEqual({ _tag: "Late", wait: 0, drainedBy: undefined })
    expect(makeStage().ask("f", 1, { latest: 0 })._tag).toBe("Granted")
  })

  it("says that it was the provider's answer that makes a start late, as long as it was", () => {
    const stage = makeStage()
    stage.lane.drain(500, "QuotaExhausted", 0)
    expect(stage.ask("a", 1, { latest: 100 })).toEqual({ _tag: "Late", wait: 500, drainedBy: "QuotaExhausted" })
    stage.until(500)
    stage.ask("b", 10)
    expect(stage.ask("c", 1, { latest: 600 })).toEqual({ _tag: "Late", wait: 1000, drainedBy: undefined })
  })

  it("holds so many in its queue and no more, and says how long the wait would have been", () => {
    const stage = makeStage([Window.sliding(10, 1000)], 2)
    stage.ask("a", 10)
    expect([stage.ask("b", 6), stage.ask("c", 6)].map(({ _tag }) => _tag)).toEqual(["Queued", "Queued"])
    stage.until(200)
    expect(stage.ask("d", 6)).toEqual({ _tag: "Full", wait: 2800 })
    expect(stage.lane.look().waiting).toBe(2)
    stage.until(1000)
    expect(stage.ask("d", 6)._tag).toBe("Queued")
  })

  it("starts who waits in turn, each as soon as it fits, with one timer for the head", () => {
    const stage = makeStage()
    stage.ask("a", 10)
    stage.ask("b", 6)
    stage.ask("c", 5)
    stage.ask("d", 4)
    expect(stage.timers()).toEqual([1000])
    stage.until(1500)
    expect(stage.told).toEqual(["b at 1000"])
    expect(stage.timers()).toEqual([2000])
    stage.until(5000)
    expect(stage.told).toEqual(["b at 1000", "c at 2000", "d at 2000"])
    expect(stage.timers()).toEqual([])
    expect(stage.armed()).toBe(2)
  })

  it("puts a higher priority first, and equals behind each other", () => {
    const stage = makeStage([Window.sliding(10, 1000)], 9)
    stage.ask("a", 10)
    for (const [name, priority] of [["low", 0], ["high", 2], ["middle", 1], ["high too", 2]] as const) {
      stage.ask(name, 10, { priority })
    }
    stage.until(9000)
    expect(stage.told).toEqual(["high at 1000", "high too at 2000", "middle at 3000", "low at 4000"])
  })

  it("lets who goes first start at once where it fits, past a dear call that waits", () => {
    const stage = makeStage()
    stage.ask("a", 6)
    stage.ask("dear", 6)
    expect(stage.ask("cheap", 2)._tag).toBe("Queued")
    expect(stage.ask("urgent", 2, { priority: 1 })._tag).toBe("Granted")
    stage.until(3000)
    expect(stage.told).toEqual(["dear at 1000", "cheap at 1000"])
  })

  it("turns away who comes to be too late because somebody goes first", () => {
    const stage = makeStage()
    stage.ask("a", 10)
    stage.ask("b", 10, { latest: 1500 })
    stage.until(100)
    stage.ask("urgent", 10, { priority: 1 })
    expect(stage.told).toEqual(["b late by 1900 at 100"])
    stage.until(5000)
    expect(stage.told.slice(1)).toEqual(["urgent at 1000"])
    // And where the one who goes first starts at once.
    const other = makeStage()
    other.ask("a", 6)
    other.ask("b", 10, { latest: 1000 })
    other.until(100)
    expect(other.ask("urgent", 4, { priority: 1 })._tag).toBe("Granted")
    expect(other.told).toEqual(["b late by 1000 at 100"])
    expect(other.timers()).toEqual([])
  })

  it("reckons the start of who goes first from those ahead alone", () => {
    const stage = makeStage()
    stage.ask("a", 10)
    stage.ask("b", 10)
    expect(stage.ask("urgent", 10, { priority: 1, latest: 1000 })._tag).toBe("Queued")
    expect(stage.ask("urgent too", 10, { priority: 1, latest: 1999 })).toMatchObject({ _tag: "Late", wait: 2000 })
    stage.until(2000)
    expect(stage.told).toEqual(["urgent at 1000", "b at 2000"])
  })

  it("turns away who is too late, and nobody who is just in time", () => {
    const stage = makeStage()
    stage.ask("a", 10)
    stage.ask("late", 6, { latest: 1999 })
    stage.ask("in time", 4, { latest: 2000 })
    stage.until(100)
    stage.ask("urgent", 10, { priority: 1 })
    expect(stage.told).toEqual(["late late by 1900 at 100"])
    stage.until(2000)
    expect(stage.told.slice(1)).toEqual(["urgent at 1000", "in time at 2000"])
  })

  it("forgets what a queue left behind once it has emptied", () => {
    const stage = makeStage()
    stage.ask("a", 10)
    stage.ask("b", 4)
    stage.until(1000)
    expect(stage.ask("c", 6)._tag).toBe("Granted")
    expect(stage.ask("d", 6, { latest: 1500 })).toMatchObject({ _tag: "Late", wait: 1000 })
  })

  it("turns away at its time who cannot start then, since somebody granted has not started yet", () => {
    const stage = makeStage()
    stage.ask("a", 10, { reported: true })
    stage.ask("b", 10, { latest: 1500 })
    stage.ask("c", 10, { latest: 9000 })
    stage.until(1000)
    expect(stage.told).toEqual(["b late by 1000 at 1000"])
    expect(stage.timers()).toEqual([2000])
  })

  it("serves itself when it is asked and its timer is late", () => {
    const stage = makeStage()
    stage.ask("a", 10)
    stage.ask("b", 4)
    stage.now = 1000
    expect(stage.ask("c", 6)._tag).toBe("Granted")
    expect(stage.told).toEqual(["b at 1000"])
    stage.now = 1999
    expect(stage.ask("d", 1)._tag).toBe("Queued")
  })

  it("rings again when a timer was early, without looking at everybody anew", () => {
    const stage = makeStage()
    let task = () => {}
    const scheduled: Array<number> = []
    stage.ask("a", 10)
    stage.ask("b", 10, {
      schedule: (millis, run) => {
        scheduled.push(millis)
        task = run
        return () => {}
      }
    })
    stage.now = 990
    task()
    expect([scheduled, stage.told]).toEqual([[1000, 10], []])
    stage.now = 1000
    task()
    expect(stage.told).toEqual(["b at 1000"])
  })

  it("a call that goes away gives its turn to those behind it", () => {
    const stage = makeStage()
    stage.ask("a", 5)
    const dear = stage.ask("dear", 8)
    stage.ask("b", 3)
    stage.until(100)
    if (dear._tag === "Queued") dear.cancel()
    expect(stage.told).toEqual(["b at 100"])
    expect([stage.lane.look().waiting, stage.timers()]).toEqual([0, []])
    if (dear._tag === "Queued") dear.cancel()
    expect(stage.lane.look().inFlight).toBe(2)
    const last = stage.ask("c", 10)
    expect(stage.timers()).toEqual([1100])
    if (last._tag === "Queued") last.cancel()
    expect(stage.timers()).toEqual([])
    // The place behind it is free again, too.
    stage.until(1200)
    expect(stage.ask("d", 10)._tag).toBe("Granted")
  })

  it("a call in the middle that goes away brings those behind it forward", () => {
    const stage = makeStage()
    stage.ask("a", 10)
    stage.ask("b", 4)
    const middle = stage.ask("c", 10)
    stage.ask("d", 4)
    if (middle._tag === "Queued") middle.cancel()
    expect(stage.timers()).toEqual([1000])
    // Once is enough.
    if (middle._tag === "Queued") middle.cancel()
    expect(stage.lane.look().waiting).toBe(2)
    expect(stage.ask("e", 2, { latest: 1000 })._tag).toBe("Queued")
    stage.until(1000)
    expect(stage.told).toEqual(["b at 1000", "d at 1000", "e at 1000"])
  })

  describe("a grant", () => {
    it("counts from the real start, where somebody tells it", () => {
      const stage = makeStage()
      stage.ask("a", 10, { reported: true })
      expect(stage.tickets["a"]).toMatchObject({ reported: true, startedAt: undefined })
      expect(stage.lane.look().account.windows[0]!.held).toBe(10)
      stage.ask("b", 10, { latest: 1200 })
      stage.until(150)
      stage.lane.started(stage.tickets["a"]!, 150)
      expect(stage.tickets["a"]!.startedAt).toBe(150)
      expect(stage.lane.look().account.windows[0]!.held).toBe(0)
      expect(stage.timers()).toEqual([1150])
      stage.until(2000)
      expect(stage.told).toEqual(["b at 1150"])
    })

    it("turns away who comes to be too late because it starts late", () => {
      const stage = makeStage()
      stage.ask("a", 10, { reported: true })
      stage.ask("b", 10, { latest: 1200 })
      stage.until(300)
      stage.lane.started(stage.tickets["a"]!, 300)
      expect(stage.told).toEqual(["b late by 1000 at 300"])
    })

    it("a second start under it is a further request, in debt", () => {
      const stage = makeStage()
      stage.ask("a", 6, { reported: true })
      stage.lane.started(stage.tickets["a"]!, 0)
      stage.ask("b", 4, { latest: 1000 })
      stage.ask("c", 4, { latest: 1000 })
      stage.until(100)
      stage.lane.started(stage.tickets["a"]!, 100)
      expect(Window.used(stage.lane.look().account.windows[0]!, 100)).toBe(16)
      expect(stage.timers()).toEqual([1000])
      stage.until(1000)
      expect(stage.told).toEqual(["c at 1000"])
    })

    it("a second start under it does not use up the grant of another", () => {
      const stage = makeStage()
      stage.ask("a", 2, { reported: true })
      stage.ask("b", 3, { reported: true })
      stage.lane.started(stage.tickets["a"]!, 0)
      stage.lane.started(stage.tickets["a"]!, 0)
      expect(stage.lane.look().account.windows[0]!.held).toBe(3)
      expect(Window.used(stage.lane.look().account.windows[0]!, 0)).toBe(7)
    })

    it("that is never used leaves no trace", () => {
      const stage = makeStage()
      stage.ask("a", 10, { reported: true })
      stage.ask("b", 10)
      stage.until(100)
      stage.lane.unused(stage.tickets["a"]!, 100)
      expect(stage.told).toEqual(["b at 100"])
      stage.ask("c", 10)
      stage.until(200)
      stage.lane.unused(stage.tickets["b"]!, 200)
      expect(stage.told).toEqual(["b at 100", "c at 200"])
      expect(stage.lane.look()).toMatchObject({ waiting: 0, inFlight: 1 })
      expect(stage.timers()).toEqual([])
    })

    it("whose start nobody told counts from when it was granted", () => {
      const stage = makeStage()
      stage.ask("a", 10, { reported: true })
      stage.ask("b", 10)
      stage.until(300)
      const urgent = stage.ask("urgent", 10, { priority: 1 })
      // For all that is known it starts now.
      expect(stage.timers()).toEqual([1300])
      if (urgent._tag === "Queued") urgent.cancel()
      stage.until(400)
      stage.lane.used(stage.tickets["a"]!, [10], 400)
      expect(stage.lane.look().inFlight).toBe(0)
      expect(stage.timers()).toEqual([1000])
      stage.until(1000)
      expect(stage.told).toEqual(["b at 1000"])
      stage.until(2000)
      expect(stage.lane.isIdle(2000)).toBe(false)
      stage.lane.used(stage.tickets["b"]!, [10], 2000)
      expect(stage.lane.isIdle(2000)).toBe(true)
    })

    it("that cost less than thought lets others in sooner", () => {
      const stage = makeStage()
      stage.ask("a", 10)
      stage.ask("b", 5)
      stage.until(100)
      stage.lane.used(stage.tickets["a"]!, [5], 100)
      expect(stage.told).toEqual(["b at 100"])
      expect(stage.lane.look().inFlight).toBe(1)
    })

    it("that cost more than thought is a debt from the end on", () => {
      const stage = makeStage()
      stage.ask("a", 5)
      stage.ask("b", 7, { latest: 1000 })
      stage.ask("c", 7, { latest: 2000 })
      stage.until(100)
      stage.lane.used(stage.tickets["a"]!, [9], 100)
      expect(Window.used(stage.lane.look().account.windows[0]!, 100)).toBe(9)
      expect(stage.told).toEqual(["b late by 1000 at 100"])
      expect(stage.timers()).toEqual([1100])
      stage.until(5000)
      expect(stage.told.slice(1)).toEqual(["c at 1100"])
    })

    it("that cost more in one window and less in another is settled in each", () => {
      const stage = makeStage([Window.sliding(10, 1000), Window.sliding(20, 1000)])
      stage.ask("a", 5)
      stage.until(100)
      stage.lane.used(stage.tickets["a"]!, [8, 2], 100)
      const used = () => stage.lane.look().account.windows.map((window) => Window.used(window, 100))
      expect(used()).toEqual([8, 2])
      stage.ask("b", 2)
      stage.lane.used(stage.tickets["b"]!, [2, 3], 100)
      expect(used()).toEqual([10, 5])
      // A wait for the second window alone: what comes back there is enough.
      const other = makeStage([Window.sliding(20, 1000), Window.sliding(10, 1000)])
      other.ask("a", 8)
      other.ask("b", 8)
      other.lane.used(other.tickets["a"]!, [8, 1], 0)
      expect(other.told).toEqual(["b at 0"])
    })

    it("gives back at the start that it had, or at its grant where nobody told the start", () => {
      const refunded = (report: boolean) => {
        const stage = makeStage([Window.spaced(10, 100)])
        stage.ask("a", 5, { reported: true })
        stage.until(150)
        if (report) stage.lane.started(stage.tickets["a"]!, 150)
        stage.until(160)
        stage.lane.used(stage.tickets["a"]!, [0], 160)
        return Window.earliest(stage.lane.look().account.windows[0]!, 1, 160)
      }
      // All but the distance is given back: 5 turns would have lasted until 650, or 500.
      expect([refunded(true), refunded(false)]).toEqual([160, 160])
    })

    it("that cost as much as thought changes nothing", () => {
      const stage = makeStage()
      stage.ask("a", 10)
      stage.ask("b", 6)
      const before = stage.lane.look().account
      stage.until(100)
      stage.lane.used(stage.tickets["a"]!, [10], 100)
      expect(stage.lane.look().account).toBe(before)
      expect([stage.armed(), stage.lane.look().inFlight]).toEqual([1, 0])
    })
  })

  it("an answer of the provider holds everybody back, until it is over or lifted", () => {
    const stage = makeStage()
    stage.ask("a", 10)
    stage.ask("b", 4, { latest: 2000 })
    stage.ask("c", 4, { latest: 4000 })
    stage.until(100)
    stage.lane.drain(3000, "RateLimited", 100)
    expect(stage.told).toEqual(["b late by 2900 at 100"])
    expect(stage.timers()).toEqual([3000])
    stage.until(1500)
    stage.lane.lift(1500)
    expect(stage.told.slice(1)).toEqual(["c at 1500"])
    expect(stage.timers()).toEqual([])
  })

  it("whoever was behind a call that is turned away may be cheap enough to start at once", () => {
    const stage = makeStage([Window.sliding(10, 1000), Window.calendar(100, Zone.make("UTC")!, 0)])
    stage.ask("a", 5)
    stage.ask("dear", 7, { latest: 1000 })
    stage.ask("cheap", 1)
    stage.until(100)
    stage.ask("urgent", 4, { priority: 1 })
    // Seven more at 1,000 would be one too many now.
    expect(stage.told).toEqual(["dear late by 1000 at 100", "cheap at 100"])
  })

  it("is idle when nobody waits, nothing is in flight, and its account is empty", () => {
    const stage = makeStage()
    expect(stage.lane.isIdle(0)).toBe(true)
    stage.ask("a", 10)
    stage.ask("b", 10)
    stage.lane.used(stage.tickets["a"]!, [10], 0)
    expect(stage.lane.isIdle(5000)).toBe(false)
    stage.until(1000)
    expect(stage.lane.isIdle(5000)).toBe(false)
    stage.lane.used(stage.tickets["b"]!, [10], 1000)
    expect([1999, 2000].map((now) => stage.lane.isIdle(now))).toEqual([false, true])
  })

  it("knows the end of the day, where it counts days", () => {
    expect(makeStage().lane.dayEnd(0)).toBeUndefined()
    expect(makeStage([Window.calendar(5, Zone.make("UTC")!, 0)]).lane.dayEnd(1)).toBe(86_400_000)
  })
})

describe("an outlook", () => {
  it("starts where the account stands, with what is held taken to start now", () => {
    const account = Account.hold(Account.spend(Account.make([Window.sliding(10, 1000)]), [4], 0), [3])
    const outlook = new Outlook(account, 100)
    expect([3, 4, 7, 8].map((cost) => outlook.startOf([cost], 100))).toEqual([100, 1000, 1000, 1100])
  })

  it("starts nobody before those ahead, nor while the provider has nothing left", () => {
    const outlook = new Outlook(Account.drain(Account.make([Window.sliding(10, 1000)]), 500.5, "RateLimited"), 0)
    expect(outlook.startOf([0], 0)).toBe(501)
    outlook.take([10], 501)
    expect([outlook.startOf([0], 0), outlook.startOf([1], 0)]).toEqual([501, 1501])
    outlook.take([0], 700)
    expect([outlook.startOf([0], 0), outlook.startOf([1], 0)]).toEqual([700, 1501])
    outlook.take([1], 1501)
    expect([outlook.startOf([9], 0), outlook.startOf([10], 0), outlook.startOf([10], 2600)]).toEqual([1501, 2501, 2600])
  })

  it("lets start what costs nothing, whatever debt there is", () => {
    const outlook = new Outlook(Account.spend(Account.make([Window.sliding(10, 1000)]), [25], 0), 100)
    expect([outlook.startOf([0], 100), outlook.startOf([1], 100)]).toEqual([100, 1000])
  })

  it("leads every kind of window on", () => {
    const windows = [Window.bucket(10, 4, 0.01), Window.spaced(10, 100), Window.calendar(5, Zone.make("UTC")!, 0)]
    for (const [index, expected] of [200, 200, 86_400_000].entries()) {
      const outlook = new Outlook(Account.make([windows[index]!]), 0)
      outlook.take([index === 0 ? 4 : 2], 0)
      expect(outlook.startOf([index === 0 ? 2 : 4], 0)).toBe(expected)
    }
  })
})

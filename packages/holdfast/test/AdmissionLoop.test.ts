/** Admission and an endpoint together, in virtual time: thirty minutes of brown-out, seen from several processes. */
import { describe, expect, it } from "@effect/vitest"
import * as Controller from "../src/internal/admission/controller.js"
import * as Estimates from "../src/internal/admission/estimates.js"
import { luck } from "../src/internal/admission/luck.js"
import type { Settings } from "../src/internal/admission/settings.js"

const polite: Settings = {
  seed: 0.1,
  floor: 1 / 90,
  down: 0.7,
  up: 1.03,
  slowDown: 0.5,
  quiet: 30,
  doubling: 240,
  late: 0.5,
  fit: 1.25,
  concurrency: 1,
  service: 30,
  window: 150,
  maxWaiting: 1000,
  persistent: undefined
}

const minutes = 60
const length = 105 * minutes
const brownout = { from: 30 * minutes, to: 60 * minutes }
const deadline = 150

interface Call {
  readonly process: number
  readonly bornAt: number
  state: "waiting" | "flying" | "done" | "given up"
  entry: Controller.Tagged<Call>
}

/** Things to do, by time. */
const agenda = () => {
  const items: Array<{ readonly at: number; readonly run: () => void }> = []
  return {
    add: (at: number, run: () => void): void => {
      let i = items.length
      while (i > 0 && items[i - 1]!.at < at) i--
      items.splice(i, 0, { at, run })
    },
    next: () => items.pop()
  }
}

/** Ten workers, two in the brown-out, and `places` to wait; what does not fit is refused after a second. */
const simulate = (settings: Settings, places: number, size: number) => {
  const random = luck(3)
  const plan = agenda()
  let now = 0
  let busy = 0
  const queue: Array<Call> = []
  const tally = { calls: 0, attempts: 0, tooLate: 0, wasted: 0, served: 0, during: 0, after: 0, afterServed: 0 }
  const workers = () => (now >= brownout.from && now < brownout.to ? 2 : 10)

  const work = (call: Call): void => {
    busy++
    plan.add(now + 20 + 20 * random(), () => {
      busy--
      if (call.state === "flying") {
        call.state = "done"
        tally.served++
        if (call.bornAt >= brownout.from && now < brownout.to) tally.during++
        if (call.bornAt >= brownout.to + 5 * minutes) tally.afterServed++
        Controller.answered(processes[call.process]!, call.entry, now)
        decide(call.process)
      } else tally.wasted++
      serve()
    })
  }
  const serve = (): void => {
    while (busy < workers() && queue.length > 0) work(queue.shift()!)
  }
  const send = (call: Call): void => {
    tally.attempts++
    call.state = "flying"
    if (busy < workers()) work(call)
    else if (queue.length < places) queue.push(call)
    else {
      plan.add(now + 1, () => {
        if (call.state !== "flying") return
        Controller.rejected(processes[call.process]!, call.entry, now, { quota: false, hint: 0, luck: 0 })
        enter(call, false)
      })
    }
  }

  const processes = Array.from({ length: size }, () => Controller.make<Controller.Tagged<Call>>(settings))
  const versions = processes.map(() => 0)
  const decider = (process: number) => ({
    start: (entry: Controller.Tagged<Call>) => {
      if (entry.deadline - now < settings.fit * processes[process]!.service - 1e-6) tally.tooLate++
      send(entry.tag)
    },
    shed: (entry: Controller.Tagged<Call>) => void (entry.tag.state = "given up")
  })
  const decide = (process: number): void => {
    const controller = processes[process]!
    Controller.pump(controller, now, decider(process))
    expect(controller.pace.mode === "off" || controller.pace.tokens >= -1e-6).toBe(true)
    const version = ++versions[process]!
    const next = Controller.nextAt(controller, now)
    if (next < Infinity) plan.add(Math.max(now + 0.001, next), () => version === versions[process] && decide(process))
  }
  const enter = (call: Call, fresh: boolean): void => {
    const born = call.bornAt
    const entry = Controller.entry(call, { born, deadline: born + deadline, priority: 0, batch: false })
    call.entry = entry
    call.state = "waiting"
    Controller.arrive(processes[call.process]!, entry, fresh, now, decider(call.process))
    decide(call.process)
  }
  const arrive = (process: number): void => {
    tally.calls++
    if (now >= brownout.to + 5 * minutes) tally.after++
    const call = { process, bornAt: now, state: "waiting" } as Call
    enter(call, true)
    plan.add(now + deadline, () => {
      const before = call.state
      if (before === "done" || before === "given up") return
      call.state = "given up"
      if (before === "flying") Controller.lost(processes[process]!, call.entry, now, true)
      else Controller.cancel(processes[process]!, call.entry)
      decide(process)
    })
  }
  processes.forEach((_, process) => {
    for (let at = -Math.log(1 - random()) * 5 * size; at < length; at += -Math.log(1 - random()) * 5 * size) {
      plan.add(at, () => arrive(process))
    }
  })
  plan.add(brownout.to, serve)
  for (let item = plan.next(); item !== undefined; item = plan.next()) {
    now = Math.max(now, item.at)
    item.run()
  }
  const left = processes.reduce((sum, self) => sum + self.inFlight + self.queue.size + self.due.size, 0)
  const lost = processes.reduce((sum, self) => sum + Estimates.lostNow(self, now + deadline), 0)
  return { ...tally, left: left + lost }
}

describe("an endpoint that browns out for half an hour", () => {
  const kinds = [["refuses at once", 3, 20], ["lets calls queue until they are late", 20, 4]] as const
  for (const [name, places, size] of kinds) {
    it(`and ${name}: ${size} processes recover, waste little, and never start what cannot finish`, () => {
      const result = simulate(polite, places, size)
      expect(result.calls).toBeGreaterThan(1000)
      expect(result.tooLate).toBe(0)
      // Five minutes after its end nothing is left of it.
      expect(result.afterServed / result.after).toBeGreaterThan(0.97)
      // Two workers can do 120 calls in half an hour, and a long queue has to be worked off first.
      expect(result.during).toBeGreaterThan(places > 10 ? 60 : 100)
      expect(result.wasted / result.served).toBeLessThan(0.05)
      expect(result.attempts / result.calls).toBeLessThan(1.3)
      expect(result.left).toBe(0)
    })
  }

  it("persistence costs attempts, and not the recovery", () => {
    const result = simulate({ ...polite, persistent: { pers: 15, fair: 0.05 } }, 3, 20)
    expect(result.afterServed / result.after).toBeGreaterThan(0.97)
    expect(result.attempts / result.calls).toBeGreaterThan(simulate(polite, 3, 20).attempts / result.calls)
    expect(result.attempts / result.calls).toBeLessThan(2.5)
  })
})

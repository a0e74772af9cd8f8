/** The scenarios that can be asked for by name. */
import type * as Scenario from "../Scenario.js"

const day: Scenario.Background = { low: 0.3, med: 0.5, peak: 0.7, high: 0.6 }

const app = (perHour: number): Scenario.Workload => ({ cls: "app", clients: 50, perHour, deadline: 150 })

/** Stretches of `busy` seconds that begin every `period` seconds, the first one at once. */
const recurring = (hours: number, period: number, busy: number): ReadonlyArray<Scenario.Event> =>
  Array.from({ length: Math.ceil((hours * 3600) / period) }, (_, i) => ({
    from: i * period,
    to: i * period + busy,
    mode: "reject"
  }))

export const scenarios = {
  /** Turns callers away for 45 of every 120 s, from the first second: an attempt fails, a patient call succeeds. */
  demo: {
    hours: 24,
    startHour: 14,
    noise: 0.05,
    svc: { mean: 20, cv: 0.2, min: 10, max: 40 },
    cancel: "queued",
    endpoints: [{ name: "demo", slots: 8, queue: 4, events: recurring(24, 120, 45) }],
    workload: [{ cls: "app", clients: 1, perHour: 60, deadline: 180 }]
  },
  /** Plenty of room. */
  healthy: {
    hours: 2,
    startHour: 2,
    bg: day,
    noise: 0.03,
    endpoints: [{ name: "direct", slots: 200, queue: 100 }],
    workload: [app(30)]
  },
  /** More calls than capacity, answered by quick 503s. */
  peak: {
    hours: 2,
    startHour: 13,
    bg: day,
    endpoints: [{ name: "direct", slots: 40, queue: 4, err: 0.005 }],
    workload: [app(50)]
  },
  /** Three quarters of the capacity gone for 40 minutes, and a queue in which patience runs out. */
  brownout: {
    hours: 2,
    startHour: 8,
    bg: day,
    endpoints: [
      {
        name: "direct",
        slots: 40,
        queue: 30,
        queueTimeout: 120,
        err: 0.005,
        events: [{ from: 1800, to: 4200, cap: 0.25 }]
      }
    ],
    outageEnd: 4200,
    workload: [app(36)]
  },
  /** Nothing but 503s for 20 minutes, each with an honest hint. */
  outage: {
    hours: 1.5,
    startHour: 8,
    bg: day,
    endpoints: [
      { name: "direct", slots: 40, queue: 15, retryAfter: true, events: [{ from: 1200, to: 2400, mode: "reject" }] }
    ],
    outageEnd: 2400,
    workload: [app(30)]
  },
  /** Room enough, but an account limited to 30 calls a minute. */
  "rate-limited": {
    hours: 1,
    startHour: 2,
    bg: day,
    endpoints: [{ name: "direct", slots: 100, queue: 50, rpm: 30, rpmShared: true, rpmRA: true }],
    quotaPerMin: 30,
    workload: [app(60)]
  },
  /** Every third call fails with a 500. */
  flaky: {
    hours: 1,
    startHour: 9,
    bg: day,
    endpoints: [{ name: "direct", slots: 100, queue: 50, err: 0.33 }],
    workload: [app(30)]
  }
} satisfies Record<string, Scenario.Scenario>

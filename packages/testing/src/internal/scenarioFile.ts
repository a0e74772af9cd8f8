/** Reads a scenario from plain data: every key, its legal range, and what fields must say together. */
import type * as Scenario from "../Scenario.js"
import { array, boolean, compact, fields, invalid, isRecord, literal, name, number } from "./decoding.js"
import type { Reader } from "./decoding.js"

const share = number({ atLeast: 0, atMost: 1 })
const seconds = number({ atLeast: 0 })
const positive = number({ above: 0 })
const count = number({ atLeast: 1, integer: true })

const background: Reader<Scenario.Background> = (input, path) => {
  const at = fields(input, path, ["low", "med", "peak", "high"])
  return {
    low: at.need("low", share),
    med: at.need("med", share),
    peak: at.need("peak", share),
    high: at.need("high", share)
  }
}

/** Defaults of `svc`; the other defaults stand in `Scenario.defaults`. */
export const serviceTime = { mean: 30, cv: 0.3, min: 10, max: 90 } as const

const service: Reader<Scenario.ServiceTime> = (input, path) => {
  const at = fields(input, path, ["mean", "cv", "min", "max"])
  const svc = compact({
    mean: at.maybe("mean", positive),
    cv: at.maybe("cv", number({ atLeast: 0, atMost: 10 })),
    min: at.maybe("min", seconds),
    max: at.maybe("max", positive)
  })
  const { max = serviceTime.max, mean = serviceTime.mean, min = serviceTime.min } = svc
  if (min > max) at.wrong(svc.min === undefined ? "max" : "min", `min (${min}) no longer than max (${max})`)
  if (mean < min || mean > max) at.wrong("mean", `between min and max, ${min} to ${max}`)
  return svc
}

const event: Reader<Scenario.Event> = (input, path) => {
  const at = fields(input, path, ["from", "to", "cap", "mode", "x", "p"])
  const from = at.need("from", seconds)
  const to = at.need("to", number({ above: from }))
  const cap = at.maybe("cap", seconds)
  const mode = at.maybe("mode", literal("reject", "hang", "slow", "flaky"))
  if (cap === undefined && mode === undefined) at.wrong("mode", `a mode, or a "cap" beside it`)
  const unless = (key: "x" | "p", needed: Scenario.Mode) => () => at.wrong(key, `left out unless mode is "${needed}"`)
  const x = mode === "slow" ? at.need("x", positive) : at.maybe("x", unless("x", "slow"))
  const p = mode === "flaky" ? at.need("p", share) : at.maybe("p", unless("p", "flaky"))
  return compact({ from, to, cap, mode, x, p })
}

const interval: Reader<readonly [number, number]> = (input, path) => {
  const [lo, hi, ...rest] = array(seconds)(input, path)
  if (lo === undefined || hi === undefined || rest.length > 0) {
    return invalid(path, "[shortest, longest] in seconds", input)
  }
  return [lo, number({ atLeast: lo })(hi, `${path}[1]`)]
}

const endpoint: Reader<Scenario.Endpoint> = (input, path) => {
  const at = fields(input, path, [
    "name",
    "slots",
    "queue",
    "err",
    "rej",
    "slow",
    "queueTimeout",
    "retryAfter",
    "rpm",
    "rpmShared",
    "rpmRA",
    "price",
    "bg",
    "events"
  ])
  return compact({
    name: at.need("name", name),
    slots: at.need("slots", number({ atLeast: 0, atMost: 1_000_000, integer: true })),
    queue: at.maybe("queue", number({ atLeast: 0, atMost: 10_000_000, integer: true })),
    err: at.maybe("err", share),
    rej: at.maybe("rej", interval),
    slow: at.maybe("slow", positive),
    queueTimeout: at.maybe("queueTimeout", positive),
    retryAfter: at.maybe("retryAfter", boolean),
    rpm: at.maybe("rpm", count),
    rpmShared: at.maybe("rpmShared", boolean),
    rpmRA: at.maybe("rpmRA", boolean),
    price: at.maybe("price", seconds),
    bg: at.maybe("bg", background),
    events: at.maybe("events", array(event))
  })
}

const diurnal: Reader<readonly [number, number, number, number]> = (input, path) => {
  const [a, b, c, d, ...rest] = array(share)(input, path)
  if (a === undefined || b === undefined || c === undefined || d === undefined || rest.length > 0) {
    return invalid(path, "four shares, for 00-06, 06-12, 12-18 and 18-24 UTC", input)
  }
  return [a, b, c, d]
}

const workload: Reader<Scenario.Workload> = (input, path) => {
  const kind = isRecord(input) ? input["kind"] : undefined
  switch (kind) {
    case "burst": {
      const at = fields(input, path, ["cls", "kind", "clients", "period", "size", "spread", "deadline"])
      return {
        cls: at.need("cls", name),
        kind,
        clients: at.need("clients", count),
        period: at.need("period", positive),
        size: at.need("size", count),
        spread: at.need("spread", seconds),
        deadline: at.need("deadline", positive)
      }
    }
    case "batch": {
      const at = fields(input, path, ["cls", "kind", "clients", "jobs", "at", "spread", "deadline"])
      return {
        cls: at.need("cls", name),
        kind,
        clients: at.need("clients", count),
        jobs: at.need("jobs", count),
        at: at.need("at", seconds),
        spread: at.need("spread", seconds),
        deadline: at.need("deadline", positive)
      }
    }
    default: {
      const at = fields(input, path, ["cls", "kind", "clients", "perHour", "deadline", "diurnal", "from", "to"])
      at.maybe("kind", literal("burst", "batch"))
      const from = at.maybe("from", seconds)
      return compact({
        cls: at.need("cls", name),
        clients: at.need("clients", count),
        perHour: at.need("perHour", positive),
        deadline: at.need("deadline", positive),
        diurnal: at.maybe("diurnal", diurnal),
        from,
        to: at.maybe("to", number({ above: from ?? 0 }))
      })
    }
  }
}

export const scenario: Reader<Scenario.Scenario> = (input, path) => {
  const at = fields(input, path, [
    "hours",
    "startHour",
    "bg",
    "noise",
    "svc",
    "userTimeout",
    "rejectCost",
    "cancel",
    "endpoints",
    "outageEnd",
    "quotaPerMin",
    "workload"
  ])
  const endpoints = at.need("endpoints", array(endpoint, 1))
  endpoints.forEach(({ name }, i) => {
    if (endpoints.findIndex((other) => other.name === name) !== i) {
      invalid(`${path === "" ? "" : `${path}.`}endpoints[${i}].name`, "a name that no other endpoint has", name)
    }
  })
  return compact({
    hours: at.need("hours", number({ above: 0, atMost: 8784 })),
    startHour: at.maybe("startHour", number({ atLeast: 0, below: 24 })),
    bg: at.maybe("bg", background),
    noise: at.maybe("noise", share),
    svc: at.maybe("svc", service),
    userTimeout: at.maybe("userTimeout", positive),
    rejectCost: at.maybe("rejectCost", seconds),
    cancel: at.maybe("cancel", literal("queued", "ignored")),
    endpoints,
    outageEnd: at.maybe("outageEnd", seconds),
    quotaPerMin: at.maybe("quotaPerMin", positive),
    workload: at.maybe("workload", array(workload))
  })
}

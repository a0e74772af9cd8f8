/** Which fault the next request meets: rules by name, counted down, the newest first. */
import * as Either from "effect/Either"
import { array, compact, fields, invalid, isRecord, literal, name, number, run } from "./decoding.js"
import type { Reader } from "./decoding.js"
import type { Uniform } from "./random.js"

export const names = [
  "503",
  "429",
  "500",
  "504",
  "reset",
  "stall-headers",
  "stall",
  "stall-body",
  "cut-mid-chunk",
  "dribble",
  "error-after-200",
  "html",
  "html-200",
  "wrong-content-type",
  "malformed-json",
  "missing-finish-reason",
  "empty",
  "blocked"
] as const

export type Fault = (typeof names)[number]

export interface Rule {
  readonly fault: Fault
  readonly times?: number | undefined
  readonly probability?: number | undefined
  readonly endpoint?: string | undefined
  readonly retryAfter?: number | undefined
}

/** What one request meets. */
export interface Met {
  readonly fault: Fault
  readonly retryAfter: number | undefined
}

export const isFault = (u: unknown): u is Fault => names.some((known) => known === u)

const times: Reader<number> = (input, path) =>
  input === null || input === Infinity ? Infinity : number({ atLeast: 1, integer: true })(input, path)

const rule =
  (endpoints: ReadonlyArray<string>): Reader<Rule> =>
  (input, path) => {
    const at = fields(input, path, ["fault", "times", "probability", "endpoint", "retryAfter"])
    return compact({
      fault: at.need("fault", literal(...names)),
      times: at.maybe("times", times),
      probability: at.maybe("probability", number({ atLeast: 0, atMost: 1 })),
      endpoint: at.maybe("endpoint", (u, where) => {
        const wanted = name(u, where)
        return endpoints.includes(wanted) ? wanted : invalid(where, `one of the endpoints ${endpoints.join(", ")}`, u)
      }),
      retryAfter: at.maybe("retryAfter", number({ atLeast: 0, atMost: 1e9 }))
    })
  }

/** Reads one rule or an array of them; on the left, what is wrong with them. */
export const decode = (input: unknown, endpoints: ReadonlyArray<string>): Either.Either<ReadonlyArray<Rule>, string> =>
  Either.mapLeft(
    run(() => (isRecord(input) ? [rule(endpoints)(input, "")] : array(rule(endpoints))(input, "faults"))),
    ({ message }) => message
  )

export interface Faults {
  /** The rules come before those that are there. */
  readonly add: (rules: ReadonlyArray<Rule>) => void
  readonly clear: () => void
  /** Takes the fault of the next request to that endpoint. */
  readonly next: (endpoint: string) => Met | undefined
}

export const make = (uniform: Uniform): Faults => {
  let rules: ReadonlyArray<{ readonly rule: Rule; left: number }> = []
  return {
    add: (added) => {
      rules = [...added.map((rule) => ({ rule, left: rule.times ?? 1 })), ...rules]
    },
    clear: () => {
      rules = []
    },
    next: (endpoint) => {
      for (const entry of rules) {
        const { rule } = entry
        if (rule.endpoint !== undefined && rule.endpoint !== endpoint) continue
        if (uniform() >= (rule.probability ?? 1)) continue
        entry.left--
        if (entry.left <= 0) rules = rules.filter((other) => other !== entry)
        return { fault: rule.fault, retryAfter: rule.retryAfter }
      }
      return undefined
    }
  }
}

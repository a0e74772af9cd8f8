/** A composition's order in words, and a warning for each order that is known to do harm. Pure, over descriptions. */
import type { Description } from "../Policy.js"

/** What a composition does, for a person. */
export interface Explanation {
  /** One sentence a policy, outermost first. */
  readonly order: ReadonlyArray<string>
  /** One sentence for each pair whose order does harm; empty when none does. */
  readonly warnings: ReadonlyArray<string>
}

/** What a kind of policy does, by what stands inside it. */
const roles: Readonly<Record<string, string>> = {
  Deadline: "bounds everything inside it, waiting included",
  OffPeak: "holds the call back until an off-peak window",
  Retry: "repeats everything inside it",
  Hedge: "may start a second copy of everything inside it",
  Fallback: "tries everything inside it with another endpoint, model or answer",
  Balancer: "chooses the endpoint for everything inside it",
  Admission: "paces what is inside it by what the endpoint accepts",
  RateLimit: "spaces out what is inside it by the endpoint's limits",
  CircuitBreaker: "stops what is inside it while it keeps failing",
  Bulkhead: "lets only so many run inside it at a time",
  Timeout: "bounds each run of what is inside it",
  Chaos: "adds faults and delays to what is inside it, for a test",
  WorkClass: "says of what class everything inside it is",
  Learn: "remembers how each run of what is inside it ended"
}

const perAttempt = "so it sees generations with all their retries instead of single attempts"

interface Rule {
  readonly outer: string
  readonly inner: string
  readonly harm: string
}

/** Orders that do harm: `outer` around `inner`, at any distance. */
const rules: ReadonlyArray<Rule> = [
  { outer: "Retry", inner: "Deadline", harm: "each attempt gets all the time, and nothing bounds their sum" },
  { outer: "Retry", inner: "Retry", harm: "the inner one is transparent: one generation has one retry" },
  { outer: "Retry", inner: "OffPeak", harm: "the gate passes every attempt but the first; let it stand outside" },
  { outer: "Timeout", inner: "Retry", harm: "all attempts share one time, and the first that hangs takes it all" },
  { outer: "Hedge", inner: "Retry", harm: "each copy is retried by itself, which multiplies the attempts" },
  { outer: "Timeout", inner: "Balancer", harm: "waiting for an endpoint uses up the time of the attempt" },
  { outer: "Bulkhead", inner: "Balancer", harm: "a permit is held while the call waits for an endpoint" },
  { outer: "Timeout", inner: "OffPeak", harm: "waiting for the window uses up the time of the attempt" },
  { outer: "Timeout", inner: "Admission", harm: "waiting to be admitted uses up the time of the attempt" },
  { outer: "Timeout", inner: "RateLimit", harm: "waiting for the limit uses up the time of the attempt" },
  { outer: "Timeout", inner: "Bulkhead", harm: "waiting in the queue uses up the time of the attempt" },
  { outer: "CircuitBreaker", inner: "Retry", harm: `the breaker stands outside of the retry, ${perAttempt}` },
  { outer: "Learn", inner: "Retry", harm: `the learner stands outside of the retry, ${perAttempt}` },
  { outer: "RateLimit", inner: "Retry", harm: "retries do not wait for the limit" },
  { outer: "Admission", inner: "Retry", harm: "retries pass the pace uncounted" },
  { outer: "Bulkhead", inner: "Retry", harm: "a permit is held while the retry only waits" },
  { outer: "Bulkhead", inner: "OffPeak", harm: "a permit is held while the call waits for its window" },
  { outer: "Bulkhead", inner: "RateLimit", harm: "a permit is held while the call waits for the limit" },
  { outer: "Bulkhead", inner: "Admission", harm: "a permit is held while the call waits to be admitted" },
  { outer: "CircuitBreaker", inner: "Admission", harm: "a probe that waits to be admitted counts as accepted" },
  { outer: "CircuitBreaker", inner: "Balancer", harm: "one bad endpoint closes the way to the good ones" },
  { outer: "CircuitBreaker", inner: "RateLimit", harm: "a probe that waits for the limit keeps the breaker half open" }
]

const named = (part: Description): string => (part.name === part.kind ? part.kind : `${part.kind} "${part.name}"`)

/** The explanation of parts, outermost first. */
export const explain = (parts: ReadonlyArray<Description>): Explanation => ({
  order: parts.map((part) => {
    const times = part.amplification === 1 ? "" : `, ${part.amplification === Infinity ? "without a bound" : `at most ${part.amplification} times`}`
    return `${named(part)} ${roles[part.kind] ?? "does what its author says"}${times}.`
  }),
  warnings: parts.flatMap((outer, index) =>
    parts.slice(index + 1).flatMap((inner) =>
      rules
        .filter((rule) => rule.outer === outer.kind && rule.inner === inner.kind)
        .map((rule) => `${named(inner)} stands inside ${named(outer)}: ${rule.harm}.`)
    )
  )
})

import { Duration, Effect, Option, Stream } from "effect"
import { CurrentCall, Generation, Hedge, Policy, Retry, RetryBudget, Timeout } from "holdfast"

/** Inside the retry, and paid from the same budget: copies run dry when nothing succeeds. */
export const policy = Effect.gen(function*() {
  const budget = yield* RetryBudget.make()
  const hedge = yield* Hedge.make({ budget })
  return Policy.compose(Retry.make({ budget }), hedge, Timeout.make({ attempt: "5 minutes" }))
})

export const layer = Generation.layer({ policy, deadline: "10 minutes" })

/** Only where somebody waits, after a time that is known to be long. */
export const interactive = Hedge.make({
  delay: "90 seconds",
  shouldHedge: (call) => call.workClass === "interactive",
  attemptTime: "30 seconds"
})

/** Sends each copy of an attempt somewhere else, while there is somewhere else. */
export const elsewhere = (...endpoints: ReadonlyArray<string>): Policy.Policy => {
  const choose = (call: CurrentCall.Call): CurrentCall.Call => {
    const endpoint = endpoints.find((name) => call.taken?.has(name) !== true) ?? endpoints[0]
    if (endpoint !== undefined) call.taken?.add(endpoint)
    return { ...call, endpoint }
  }
  return Policy.make({
    kind: "Elsewhere",
    apply: (self) => Effect.flatMap(CurrentCall.current, (call) => CurrentCall.update(self, choose(call))),
    applyStream: (self) =>
      Stream.unwrap(Effect.map(CurrentCall.current, (call) => Policy.provideStream(self, choose(call))))
  })
}

/** What a hedge knows: one line for a log. */
export const report = (hedge: Hedge.Hedge) =>
  Effect.map(hedge.state, ({ answers, delay }) =>
    Option.match(delay, {
      onNone: () => `${answers} answers: too few to know what is long`,
      onSome: (long) => `longer than ${Duration.format(long)} is long`
    }))

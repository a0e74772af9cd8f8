import { Generation, Policy, Retry, Timeout } from "holdfast"

/** As long as the deadline allows, but not in silence. */
export const patient = Timeout.make({ firstChunk: "2 minutes", idle: "30 seconds" })

/** No attempt longer than the slowest that is worth waiting for; inside the retry, so that each attempt has its own. */
export const policy = Policy.compose(
  Retry.make(),
  Timeout.make({ attempt: "3 minutes", firstChunk: "1 minute", idle: "30 seconds" })
)

export const layer = Generation.layer({ policy, deadline: "10 minutes" })

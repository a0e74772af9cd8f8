import { Duration, Effect } from "effect"
import { Generation, GenerationError, Rejected } from "holdfast"

const placeholder = Effect.succeed("a placeholder")
const later = (wait: Duration.Duration | undefined) =>
  Effect.succeed(`again in ${wait === undefined ? "a while" : Duration.format(wait)}`)

/** By tag, by guard, and whole families at once. */
export const handled = Generation.generate({ prompt: "a boat" }).pipe(
  Effect.as("an image"),
  Effect.catchTag("ContentBlocked", () => Effect.succeed("please word it differently")),
  Effect.catchIf(GenerationError.isCapacity, (error) => later(error.retryAfter)),
  Effect.catchIf(Rejected.isRejected, (refusal) => later(refusal.retryAfter)),
  Effect.catchAll(() => placeholder)
)

/** The history of a generation that failed, a line for each attempt. */
export const history = (error: GenerationError.GenerationError): ReadonlyArray<string> =>
  (error.attempts ?? []).map(({ duration, endpoint, error, number }) =>
    `${number}. ${endpoint}: ${error?._tag ?? "success"} after ${Duration.format(duration)}`
  )

/** An error of your own making, for a client or a test: what is not given is `unknown` or left out. */
export const overloaded = new GenerationError.Overloaded({
  endpoint: "relay",
  model: "gemini-3-pro-image-preview",
  status: 503,
  message: "The model is overloaded",
  retryAfter: "20 seconds",
  cause: new Error("socket hang up")
})

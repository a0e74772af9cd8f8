/** One sentence for each cause: what the caller can do. */
import type { Tag } from "holdfast/GenerationError"
import type { Verdict } from "./verdict.js"

const byTag: Readonly<Record<Tag, string>> = {
  Overloaded: "The provider has no capacity: retry with growing, jittered waits, or send the call to another " +
    "endpoint or model, or defer it to an off-peak hour.",
  RateLimited: "Slow down: wait as long as the answer asks, and put a rate or concurrency limit in front of this " +
    "endpoint.",
  Timeout: "The wait ran out and the work may still be done and billed: allow more time, and retry at most once.",
  Transient: "A passing fault: retry a few times with jittered waits.",
  QuotaExhausted:
    "Do not retry: a day's or month's quota or the balance is used up; wait for the reset, add credit, or" +
    " use another account or endpoint.",
  InvalidRequest: "Do not retry: change the request as the message says.",
  Unauthorized: "Do not retry: check that the key is present, right, not expired, and of the kind that this endpoint " +
    "takes.",
  Forbidden: "Do not retry: the key is known but may not do this; check permissions, region, account state and " +
    "enabled services.",
  ModelNotFound: "Do not retry: this endpoint does not offer the model; check the model id, its location and API " +
    "version, or choose another.",
  ContentBlocked: "Do not retry the same prompt: a content policy refused it; change the prompt or the reference " +
    "images.",
  EmptyResult: "The call succeeded without the content asked for: ask for an image explicitly, and retry only if you" +
    " accept to pay again.",
  Malformed: "The bytes are no answer of this dialect: check the base URL, the dialect and any proxy in between."
}

const byRule: Readonly<Record<string, string>> = {
  balance: "Do not retry: the account's balance, credit or quota is used up; add credit or raise the limit, or " +
    "use another account.",
  region: "Do not retry from here: the provider does not serve this country or region; use an endpoint in a " +
    "region that it serves.",
  certificate: "Do not retry: the connection cannot be trusted or the address is wrong; check the base URL, the " +
    "certificate and any intercepting proxy.",
  "too-large": "Do not retry: the request exceeds a limit of its own; make the prompt, the images or the number of " +
    "outputs smaller.",
  account: "Do not retry: the account or project is suspended or restricted; settle that with the provider.",
  "image-lost": "The image was made and billed, and lost on the way: check how the relay returns images before asking" +
    " again.",
  "cut-stream": "The stream ended before the answer did, and the work may be billed: retry, at most once if cost " +
    "matters."
}

/** What to do about it. */
export const adviceFor = (verdict: Verdict): string => {
  if (verdict.tag === "Timeout" && (verdict.phase === "connect" || verdict.phase === "pool")) {
    return "The request was never sent: retry, and check the network or the size of the connection pool if it " +
      "goes on."
  }
  if (verdict.tag === "Transient" && verdict.outcome === "not-started") {
    return "The provider was not reached: retry with jittered waits, and check name resolution, proxy and " +
      "firewall if it goes on."
  }
  return byRule[verdict.evidence.rule] ?? byTag[verdict.tag]
}

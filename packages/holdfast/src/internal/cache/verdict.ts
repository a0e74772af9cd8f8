/** What a failure means for a cache: may an old result stand in for it, and does it hold for everyone who waits? */
import type { Call } from "../../CurrentCall.js"
import type { GenerationError } from "../../GenerationError.js"
import { isRejected, type Rejected } from "../../Rejected.js"

/** What a generation can fail with. */
export type Failure = GenerationError | Rejected

/**
 * Failures that say "not now", for which an old result is better than none, in the sense of `stale-if-error` (RFC 5861
 * §4): short capacity, faults, quotas, unreadable answers, and every refusal by our own policies.
 *
 * Not among them: what is wrong with the request, the credential or the account, which an old answer would only hide;
 * and `ContentBlocked` and `EmptyResult`, by which a provider may be saying that it gives this content no more.
 */
export const servesStale = (error: Failure): boolean => {
  switch (error._tag) {
    case "Overloaded":
    case "RateLimited":
    case "Timeout":
    case "Transient":
    case "QuotaExhausted":
    case "Malformed":
      return true
    default:
      return isRejected(error)
  }
}

/** Refusals that depend on whose call it is: its deadline, tenant, priority and class. */
const personal: ReadonlySet<string> = new Set<Rejected["_tag"]>([
  "QueueFull",
  "Shed",
  "DeadlineExceeded",
  "LimitExceeded",
  "SpendExceeded"
])

/**
 * Could a caller fare better with a generation of its own than the one it shared, which failed? So if the time allowed
 * for that one ended before its own, or if a policy refused it for whose it was and this caller is somebody else.
 *
 * `shared` is the call as the failed generation began.
 */
export const mayFareBetter = (error: Failure, shared: Call, own: Call, now: number): boolean => {
  const moreTime = own.deadline > shared.deadline && own.deadline > now
  const outOfTime = error._tag === "DeadlineExceeded" ||
    ("stoppedBy" in error && error.stoppedBy === "deadline") ||
    now >= shared.deadline
  if (moreTime && outOfTime) return true
  return personal.has(error._tag) && error._tag !== "DeadlineExceeded" && (
    own.tenant !== shared.tenant || own.priority > shared.priority ||
    (own.workClass === "interactive" && shared.workClass === "batch")
  )
}

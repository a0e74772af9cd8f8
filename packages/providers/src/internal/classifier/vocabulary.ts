/**
 * What the words of an error say about its cause, in order of weight: an earlier concept overrules a later one within
 * the same layer. English and Chinese in full, some Japanese, Korean and Spanish.
 *
 * All patterns are linear: gaps are bounded and no repetition nests. Words that say nothing about the cause (retry,
 * temporarily, wait, contact support) stand in none of them.
 */
import type { Tag } from "holdfast/GenerationError"
import * as Access from "./wordsOfAccess.js"
import * as Faults from "./wordsOfFaults.js"
import * as Limits from "./wordsOfLimits.js"

export interface Concept {
  readonly rule: string
  readonly tag: Tag
  /**
   * `hard` concepts are looked for in all layers before any `middle` one, and these before any `soft` one. The middle
   * ones name symptoms (a timeout, an empty answer): a 4xx status is a better witness than they are.
   */
  readonly weight: "hard" | "middle" | "soft"
  readonly pattern: RegExp
  /** The concept does not hold where this is said too. */
  readonly unless?: RegExp
}

/** The concepts, most telling first. */
export const concepts: ReadonlyArray<Concept> = [
  {
    rule: "account",
    tag: "Forbidden",
    weight: "hard",
    pattern: Access.account,
    unless: /billing|unpaid|overdue|arrear|欠费|余额|credits?\b|payment/i
  },
  { rule: "balance", tag: "QuotaExhausted", weight: "hard", pattern: Limits.balance },
  {
    rule: "region",
    tag: "Forbidden",
    weight: "hard",
    pattern: Access.region,
    unless: /\bmodel [`'"]?\S{3,80} (?:is )?not (?:available|supported) in/i
  },
  {
    rule: "model",
    tag: "ModelNotFound",
    weight: "hard",
    pattern: Access.missingModel,
    unless: /permission ['"`][\w.]{1,80}['"`] denied/i
  },
  { rule: "credential", tag: "Unauthorized", weight: "hard", pattern: Access.credential },
  { rule: "permission", tag: "Forbidden", weight: "hard", pattern: Access.permission },
  { rule: "content", tag: "ContentBlocked", weight: "hard", pattern: Access.content },
  { rule: "certificate", tag: "InvalidRequest", weight: "hard", pattern: Faults.certificate },
  { rule: "capacity", tag: "Overloaded", weight: "hard", pattern: Limits.capacity },
  {
    rule: "too-large",
    tag: "InvalidRequest",
    weight: "hard",
    pattern: Limits.tooLarge,
    unless: /please wait before trying/i
  },
  {
    rule: "long-period",
    tag: "QuotaExhausted",
    weight: "hard",
    pattern: Limits.longPeriod,
    unless: /per[ _-]?(?:min|sec)(?![^\n]*per[ _-]?day)/i
  },
  { rule: "rate", tag: "RateLimited", weight: "hard", pattern: Limits.rate },
  {
    rule: "malformed",
    tag: "Malformed",
    weight: "middle",
    pattern: Faults.broken,
    unless: /error decoding response body|network error|transport error|premature close|socket hang up|econn/i
  },
  { rule: "timeout", tag: "Timeout", weight: "middle", pattern: Faults.timeout },
  { rule: "empty", tag: "EmptyResult", weight: "middle", pattern: Faults.empty, unless: /empty reply from server/i },
  { rule: "network", tag: "Transient", weight: "middle", pattern: Faults.network },
  { rule: "request", tag: "InvalidRequest", weight: "soft", pattern: Faults.request },
  { rule: "fault", tag: "Transient", weight: "soft", pattern: Faults.fault },
  { rule: "unavailable", tag: "Overloaded", weight: "soft", pattern: Faults.unavailable }
]

/** A file that the provider could not get is a fault of the request, not of the network; told by a 4xx status. */
export const inputMedia: RegExp = Faults.media

/** Language of quotas: the violated limit's period decides. */
export const quotaLanguage: RegExp = /quota|配额|额度/i

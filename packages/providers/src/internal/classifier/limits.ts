/** Rules for texts that say one thing of several causes: quotas, capacity, saturation, deadlines. */
import { meaningOf } from "./codes.js"
import type { Meaning, Weight } from "./codeTable.js"
import { believed, evidence, type Scene } from "./scene.js"
import type { Verdict } from "./verdict.js"
import { quotaLanguage } from "./vocabulary.js"

/** A wait of an hour is no rate by the minute: the limit behind it is a quota. */
export const quotaWait = 3_600_000

/** The first code of that weight, deepest layer first; fields before words in prose. */
export const byCode = (
  scene: Scene,
  weight: Weight,
  accept: (meaning: Meaning) => boolean = () => true
): Verdict | undefined => {
  for (const fact of scene.facts) {
    for (const code of [...fact.codes.filter((c) => c.key !== ""), ...fact.codes.filter((c) => c.key === "")]) {
      const meaning = meaningOf(code)
      if (meaning !== undefined && meaning.weight === weight && accept(meaning)) {
        return { tag: meaning.tag, evidence: evidence(meaning.rule, "code", fact.depth, code.value) }
      }
    }
  }
  return undefined
}

/** A quota's period and value decide, wherever in the payload they stand; without a period, a stated wait does. */
export const byQuota = (scene: Scene, wait: number | undefined): Verdict | undefined => {
  const ids = scene.facts.flatMap((fact) =>
    fact.codes.filter((c) => c.key === "quotaid" || c.key === "quotametric").map((c) => c.value)
  )
  const values = scene.facts.flatMap((fact) => fact.codes.filter((c) => c.key === "quotavalue").map((c) => c.value))
  const named = `${ids.join(" ")} ${scene.all}`
  if (ids.length === 0 && !quotaLanguage.test(scene.all)) return undefined
  const zero = values.includes("0") || /\blimit:\s?0(?![\d.])/i.test(scene.all)
  const day = /PerDay|PerWeek|PerMonth|per_day|Daily/.exec(named)?.[0]
  if (zero || day !== undefined) {
    return { tag: "QuotaExhausted", evidence: evidence("quota-period", "code", 0, day ?? "limit: 0") }
  }
  const minute = /PerMinute|per_minute|PerSecond|per_second/.exec(named)?.[0]
  if (minute !== undefined) return { tag: "RateLimited", evidence: evidence("quota-period", "code", 0, minute) }
  const exceeded = /exceeded your current quota|quota exceeded for metric|check your plan and billing/i.exec(scene.all)
    ?.[0]
  if (exceeded === undefined) return undefined
  return wait !== undefined && wait < quotaWait
    ? { tag: "RateLimited", evidence: evidence("quota-with-wait", "text", 0, exceeded) }
    : { tag: "QuotaExhausted", evidence: evidence("quota", "text", 0, exceeded) }
}

/** Google's ErrorInfo tells a rate from a quota where its message says capacity; a wait of minutes is no rate. */
export const byReason = (scene: Scene, wait: number | undefined): Verdict | undefined => {
  if (wait !== undefined && wait > 300_000) return undefined
  for (const fact of scene.facts) {
    const code = fact.codes.find((c) => c.key === "reason" && c.value === "RATE_LIMIT_EXCEEDED")
    if (code !== undefined) return { tag: "RateLimited", evidence: evidence("rate", "code", fact.depth, code.value) }
  }
  return undefined
}

/**
 * new-api puts one text about saturation in the place of every upstream 429, and keeps the upstream's own type, code
 * and parameter: where these name a cause that no waiting cures, they are right.
 */
export const byReplacedText = (scene: Scene): Verdict | undefined => {
  if (!/负载已饱和/.test(scene.all)) return undefined
  const fatal = (meaning: Meaning): boolean =>
    !["Overloaded", "RateLimited", "Timeout", "Transient"].includes(meaning.tag)
  const parameter = scene.facts.flatMap((fact) => fact.codes).find((c) =>
    c.key === "param" && /^[a-z]\w*$/i.test(c.value)
  )
  return byCode(scene, "fair", fatal) ??
    byCode(scene, "weak", (meaning) => fatal(meaning) && meaning.tag !== "InvalidRequest") ??
    (parameter === undefined
      ? undefined
      : { tag: "InvalidRequest", evidence: evidence("request", "code", 0, parameter.value) })
}

/** Google's text for its own deadline: under 503 it is the form that overload takes, under 504 a timeout. */
export const byDeadline = (scene: Scene): Verdict | undefined => {
  const matched = /deadline expired before operation could complete/i.exec(scene.all)?.[0]
  if (matched === undefined) return undefined
  return believed(scene) === 503
    ? { tag: "Overloaded", evidence: evidence("deadline-at-capacity", "text", 0, matched) }
    : { tag: "Timeout", phase: "server", evidence: evidence("timeout", "text", 0, matched) }
}

/**
 * Weighs the evidence, most telling first:
 *
 * 1. documented codes that name the cause, the deepest layer first (a wrapper knows less than what it wraps);
 * 2. violated quotas by their period, and limits of zero;
 * 3. blocked answers;
 * 4. what the words say of cause: account, balance, model, permission, credential, content, capacity, size, rate;
 * 5. documented codes that name a kind of cause;
 * 6. answers without content; symptoms in words (timeout, network, parse failure), unless a 4xx status contradicts;
 * 7. names of statuses, then status numbers, the deepest first, the HTTP status last;
 * 8. generic words.
 */
import type { Outcome } from "holdfast/GenerationError"
import * as RetryHint from "../retryHint.js"
import { ofAnswers, ofReasons, refuses } from "./answers.js"
import { meaningOf, spell } from "./codes.js"
import { byCode, byDeadline, byQuota, byReason, byReplacedText, quotaWait } from "./limits.js"
import { outcomeOf, phaseOf } from "./phase.js"
import { believed, type Case, evidence, type Scene, sceneOf } from "./scene.js"
import { namedIn, ofStatus } from "./status.js"
import type { Verdict } from "./verdict.js"
import { type Concept, concepts, inputMedia } from "./vocabulary.js"

const holds = (concept: Concept, text: string): string | undefined => {
  const match = concept.pattern.exec(text)
  return match === null || concept.unless?.test(text) === true ? undefined : match[0]
}

/** The first concept that a layer's words or the words in its codes hold. */
const byWords = (scene: Scene, weight: Concept["weight"]): Verdict | undefined => {
  for (const fact of scene.facts) {
    const spelled = fact.codes.filter((c) => !/^(?:native)?(?:finish|block|stop)reason$|^param$|^quota/.test(c.key))
      .map((c) => spell(c.value)).join("\n")
    for (const concept of concepts) {
      if (concept.weight !== weight) continue
      const words = holds(concept, fact.words)
      const matched = words ?? (weight === "hard" ? holds(concept, spelled) : undefined)
      if (matched !== undefined) {
        return {
          tag: concept.tag,
          evidence: evidence(concept.rule, words === undefined ? "code" : "text", fact.depth, matched)
        }
      }
    }
  }
  return undefined
}

const clientFault = (status: number | undefined): boolean =>
  status !== undefined && status >= 400 && status < 500 && ![408, 409, 425, 429, 498, 499].includes(status)

const byStatus = (status: number, depth: number): Verdict | undefined => {
  const meaning = ofStatus(status)
  return meaning &&
    {
      tag: meaning.tag,
      outcome: meaning.outcome,
      evidence: evidence(`status-${status}`, "status", depth, String(status))
    }
}

/** Names of statuses and their numbers, layer by layer; the HTTP status last. */
const byStanding = (scene: Scene): Verdict | undefined => {
  for (const fact of scene.facts) {
    for (const code of fact.codes) {
      const meaning = meaningOf(code)
      if (meaning?.weight !== "weak" || meaning.tag === "InvalidRequest" || meaning.tag === "Transient") continue
      return { tag: meaning.tag, evidence: evidence(meaning.rule, "code", fact.depth, code.value) }
    }
    const status = fact.statuses.at(-1)
    const verdict = status === undefined ? undefined : byStatus(status, fact.depth)
    if (verdict !== undefined) return verdict
  }
  return undefined
}

const byPage = (scene: Scene): Verdict => {
  const challenge = concepts.find((c) => c.rule === "permission")
  const gate =
    /just a moment|attention required|you have been blocked|verify you are human|checking (?:if the site|your browser)/i
      .exec(scene.all)?.[0]
  const status = scene.status !== undefined && scene.status >= 400 ? scene.status : scene.inner ?? namedIn(scene.all)
  if (gate !== undefined && challenge !== undefined) {
    return { tag: "Forbidden", evidence: evidence("challenge", "text", 0, gate) }
  }
  const verdict = status === undefined ? undefined : byStatus(status, 0)
  return verdict ?? { tag: "Malformed", evidence: evidence("page", "answer", 0, "html") }
}

const decide = (scene: Scene, wait: number | undefined): Verdict => {
  const { found, status } = scene
  const success = status !== undefined && status >= 200 && status < 300
  if (scene.headers["cf-mitigated"] === "challenge") {
    return { tag: "Forbidden", evidence: evidence("challenge", "header", 0, "cf-mitigated") }
  }
  if (found.html && !found.errorObject) return byPage(scene)
  const hard = byCode(scene, "hard")
  if (hard !== undefined) return hard
  if (believed(scene) === 402) return { tag: "QuotaExhausted", evidence: evidence("status-402", "status", 0, "402") }
  const quota = byQuota(scene, wait)
  if (quota !== undefined) return quota
  const reason = byReason(scene, wait)
  if (reason !== undefined) return reason
  const deadline = byDeadline(scene)
  if (deadline !== undefined) return deadline
  const reasons = ofReasons(scene.facts.flatMap((fact) => fact.codes))
  if (reasons?.tag === "ContentBlocked") return reasons
  const answer = found.errorObject ? undefined : ofAnswers(found.answers, scene.streamed)
  if (answer !== undefined) return answer
  // A plain text under a success is what the model said, unless it is how a client reports a failure.
  if (clientFault(believed(scene)) && inputMedia.test(scene.all)) {
    return {
      tag: "InvalidRequest",
      evidence: evidence("input-media", "text", 0, inputMedia.exec(scene.all)?.[0] ?? "")
    }
  }
  return byReplacedText(scene) ??
    byWords(scene, "hard") ??
    byCode(scene, "fair") ??
    reasons ??
    bySymptom(scene) ??
    byRequestWords(scene) ??
    byStanding(scene) ??
    (status === undefined || success ? undefined : byStatus(status, 0)) ??
    byWords(scene, "soft") ??
    byCode(scene, "weak") ??
    byName(scene) ??
    byNothing(scene, success)
}

/** Symptoms in words; the status of a relay that has no room (429, 503, 529) says more than its broken connection. */
const bySymptom = (scene: Scene): Verdict | undefined => {
  const status = believed(scene)
  if (clientFault(status)) return undefined
  const verdict = byWords(scene, "middle")
  return verdict?.evidence.rule === "network" && (status === 429 || status === 503 || status === 529)
    ? undefined
    : verdict
}

/** A relay answers 500 to a request that it cannot convert: the words tell. */
const byRequestWords = (scene: Scene): Verdict | undefined => {
  if (believed(scene) !== 500) return undefined
  const soft = byWords(scene, "soft")
  return soft?.tag === "InvalidRequest" && concepts.every((c) => c.rule !== "fault" || !c.pattern.test(scene.all))
    ? soft
    : undefined
}

const byName = (scene: Scene): Verdict | undefined => {
  const status = namedIn(scene.all)
  return status === undefined ? undefined : byStatus(status, 0)
}

const byNothing = (scene: Scene, success: boolean): Verdict => {
  if (scene.found.empty) {
    return success || scene.status === undefined
      ? { tag: "EmptyResult", evidence: evidence("no-content", "answer", 0, "") }
      : { tag: "Malformed", evidence: evidence("nothing", "none", 0, "") }
  }
  if (success && scene.streamed && /^\s*[[{]/.test(scene.all)) {
    return { tag: "Transient", evidence: evidence("cut-stream", "answer", 0, ""), outcome: "unknown" }
  }
  if (success && !scene.found.errorObject) {
    const refusal = refuses(scene.all)
    return refusal === undefined
      ? { tag: "EmptyResult", evidence: evidence("text-only", "answer", 0, scene.all.slice(0, 80)) }
      : { tag: "ContentBlocked", evidence: evidence("refusal-in-words", "answer", 0, refusal), outcome: "unknown" }
  }
  const failed = scene.network
    ? "network"
    : /\b(?:fail(?:ed|ure)?|error|exception)\b|失败|错误|异常/i.exec(scene.all)?.[0]
  return failed === undefined
    ? { tag: "Malformed", evidence: evidence("nothing", "none", 0, scene.all.slice(0, 80)) }
    : { tag: "Transient", evidence: evidence("unexplained", "text", 0, failed), outcome: "unknown" }
}

/** What became of the work, where it differs from the default of the class. */
const outcomeFor = (scene: Scene, verdict: Verdict): Outcome | undefined => {
  if (verdict.outcome !== undefined) return verdict.outcome
  if (verdict.tag === "Transient") {
    if (scene.streamed) return "unknown"
    if (verdict.evidence.rule === "network") return outcomeOf(scene.all)
    return ofStatus(believed(scene) ?? 0)?.outcome ??
      (verdict.evidence.source === "code" || verdict.evidence.rule === "fault" ? "rejected" : "unknown")
  }
  if (verdict.evidence.rule === "certificate") return "not-started"
  return undefined
}

/** The best line to show: the deepest layer that says something in words. */
const messageOf = (scene: Scene): string =>
  scene.facts.find((fact) => fact.words.trim().length > 3)?.words.split("\n")[0]?.trim() ??
    (scene.status === undefined ? "No message" : `HTTP ${scene.status} without a message`)

const codeOf = (scene: Scene, keys: RegExp): string | undefined =>
  scene.facts.flatMap((fact) => fact.codes).find((code) => keys.test(code.key) && code.value.length > 1)?.value

const resetAt = (scene: Scene): number | undefined => {
  for (const { key, value } of scene.found.hints) {
    if (!/reset/.test(key)) continue
    const at = RetryHint.parseInstant(value)
    if (at !== undefined) return at
  }
  const header = scene.found.headers["x-ratelimit-reset"]
  return header === undefined ? undefined : RetryHint.parseInstant(header)
}

const weigh = (input: Case): Verdict => {
  const scene = sceneOf(input)
  const present = RetryHint.presentOf(scene.headers, input.now)
  const dumped = scene.found.headers
  const stated = RetryHint.fromHeaders(scene.headers, input.now) ??
    RetryHint.fromFields(scene.found.hints, present) ??
    RetryHint.fromText(scene.all) ??
    RetryHint.fromHeaders(dumped, input.now)
  const first = decide(scene, stated)
  const limited = first.tag === "RateLimited" || first.tag === "Overloaded" || first.tag === "QuotaExhausted"
  const wait = stated ??
    (limited ? RetryHint.fromResets(scene.headers, input.now) ?? RetryHint.fromResets(dumped, present) : undefined)
  const verdict: Verdict = first.tag === "RateLimited" && wait !== undefined && wait >= quotaWait
    ? { ...first, tag: "QuotaExhausted", evidence: { ...first.evidence, rule: "long-wait" } }
    : first
  const status = scene.status !== undefined && scene.status >= 400 ? scene.status : scene.inner ?? scene.status
  const timeoutPhase = verdict.phase ?? (verdict.tag === "Timeout"
    ? (scene.status !== undefined && scene.status >= 400) || verdict.evidence.source === "status" ||
        verdict.evidence.source === "code"
      ? "server"
      : phaseOf(scene.all) ?? "attempt"
    : undefined)
  const at = verdict.tag === "QuotaExhausted"
    ? resetAt(scene) ?? (wait !== undefined && present !== undefined ? present + wait : undefined)
    : undefined
  return {
    ...verdict,
    phase: timeoutPhase,
    outcome: outcomeFor(scene, verdict),
    retryAfterMillis: wait,
    resetAt: at,
    message: verdict.message ?? messageOf(scene),
    status,
    code: verdict.code ?? codeOf(scene, /^(?:code|type|status|errortype|errorcode|statusname|error)$/),
    reason: verdict.reason ?? codeOf(scene, /^(?:reason|limitsource|errorreason)$/)
  }
}

/** The verdict on an answer. Total: whatever the body is, there is one. */
export const judge = (input: Case): Verdict => {
  try {
    return weigh(input)
  } catch {
    return {
      tag: "Malformed",
      evidence: evidence("unreadable", "none", 0, ""),
      message: "The answer could not be read"
    }
  }
}

/**
 * What is wrong with an answer that arrived with a success status: a blocked prompt or image, a refusal, no image
 * part, an image lost on the way. Reads the shapes of Gemini, of chat completions, of image generations, of the
 * Responses API and of Anthropic messages; several of them at once are the events of one stream.
 */
import { normalise, words } from "./text.js"
import type { Code } from "./unwrap.js"
import type { Verdict } from "./verdict.js"
import { concepts } from "./vocabulary.js"
import { isBlock } from "../blockReasons.js"

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value.slice(0, 200) : [])

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

const empties = new Set([
  "STOP",
  "MAX_TOKENS",
  "NO_IMAGE",
  "IMAGE_OTHER",
  "OTHER",
  "LANGUAGE",
  "MALFORMED_FUNCTION_CALL",
  "LENGTH",
  "FINISH_REASON_UNSPECIFIED",
  "UNEXPECTED_TOOL_CALL",
  "TOO_MANY_TOOL_CALLS",
  "END_TURN",
  "COMPLETED",
  "MISSING_THOUGHT_SIGNATURE",
  "MALFORMED_RESPONSE"
])

interface Seen {
  promptBlock: string | undefined
  readonly finishes: Array<string>
  readonly texts: Array<string>
  image: boolean
  /** Tokens of output that were counted. */
  tokens: number
}

const dataImage = /data:image\/|!\[[^\]\n]{0,200}\]\(|^https?:\/\/\S{1,2000}$|\.(?:png|jpe?g|webp)\b/i

const addText = (seen: Seen, value: unknown): void => {
  if (typeof value !== "string" || value === "") return
  if (dataImage.test(value.slice(0, 64 * 1024))) seen.image = true
  else seen.texts.push(value.slice(0, 4000))
}

const part = (seen: Seen, value: unknown): void => {
  if (!isObject(value)) return
  const hasImage = ["inlineData", "inline_data", "fileData", "image_url", "image", "b64_json"].some((key) =>
    value[key] !== undefined && value[key] !== null
  )
  if (hasImage && value["thought"] !== true) seen.image = true
  if (value["thought"] !== true) addText(seen, value["text"])
}

const finish = (seen: Seen, value: unknown): void => {
  const reason = text(value)
  if (reason !== undefined && reason !== "") seen.finishes.push(reason.toUpperCase())
}

const message = (seen: Seen, value: unknown): void => {
  if (!isObject(value)) return
  if (list(value["images"]).length > 0) seen.image = true
  if (typeof value["content"] === "string") addText(seen, value["content"])
  for (const item of list(value["content"])) part(seen, item)
  if (typeof value["refusal"] === "string" && value["refusal"] !== "") seen.finishes.push("REFUSAL")
}

const look = (seen: Seen, answer: Json): void => {
  const feedback = answer["promptFeedback"] ?? answer["prompt_feedback"]
  if (isObject(feedback)) {
    const reason = text(feedback["blockReason"] ?? feedback["block_reason"])
    if (reason !== undefined && !/UNSPECIFIED/.test(reason)) seen.promptBlock = reason
  }
  for (const candidate of list(answer["candidates"])) {
    if (!isObject(candidate)) continue
    finish(seen, candidate["finishReason"] ?? candidate["finish_reason"])
    const content = candidate["content"]
    if (isObject(content)) { for (const item of list(content["parts"])) part(seen, item) }
  }
  for (const choice of list(answer["choices"])) {
    if (!isObject(choice)) continue
    finish(seen, choice["native_finish_reason"])
    finish(seen, choice["finish_reason"])
    message(seen, choice["message"])
    message(seen, choice["delta"])
    addText(seen, choice["text"])
  }
  for (const item of list(answer["data"])) {
    if (isObject(item) && [item["url"], item["b64_json"]].some((value) => typeof value === "string" && value !== "")) {
      seen.image = true
    }
  }
  for (const item of list(answer["output"])) {
    if (!isObject(item)) continue
    if (item["type"] === "image_generation_call" && text(item["result"]) !== undefined) seen.image = true
    message(seen, item)
  }
  finish(seen, answer["stop_reason"])
  if (answer["stop_reason"] !== undefined) message(seen, answer)
  const usage = answer["usageMetadata"]
  if (isObject(usage) && typeof usage["candidatesTokenCount"] === "number") seen.tokens = usage["candidatesTokenCount"]
}

const contentConcept = concepts.find((concept) => concept.rule === "content")

/** Does the text refuse on grounds of policy? */
export const refuses = (answer: string): string | undefined =>
  contentConcept?.pattern.exec(words(normalise(answer)).slice(0, 4000))?.[0]

const verdict = (tag: Verdict["tag"], rule: string, matched: string, rest: Partial<Verdict> = {}): Verdict => ({
  tag,
  evidence: { rule, source: "answer", depth: 0, matched },
  reason: matched === "" ? undefined : matched,
  ...rest
})

/** A finish reason or a block reason that stands in a fragment of an answer. */
export const ofReasons = (codes: ReadonlyArray<Code>): Verdict | undefined => {
  const reasons = codes.filter((code) => /^(?:native)?(?:finish|block|stop)reason$/.test(code.key))
  const block = reasons.find((code) =>
    code.key === "blockreason" ? !/UNSPECIFIED|^(?:none|null)$/i.test(code.value) : isBlock(code.value)
  )
  if (block !== undefined) {
    return verdict("ContentBlocked", "blocked", block.value, {
      outcome: block.key === "blockreason" ? "rejected" : "unknown"
    })
  }
  const empty = reasons.find((code) => empties.has(code.value.toUpperCase()))
  return empty === undefined ? undefined : verdict("EmptyResult", "no-content", empty.value)
}

/**
 * What is wrong with these answers; undefined if they are none. Blocked prompts cost nothing (`rejected`); a blocked
 * or lost image may have been made and billed.
 */
export const ofAnswers = (answers: ReadonlyArray<Json>, streamed: boolean): Verdict | undefined => {
  if (answers.length === 0) return undefined
  const seen: Seen = { promptBlock: undefined, finishes: [], texts: [], image: false, tokens: 0 }
  for (const answer of answers) look(seen, answer)
  if (seen.promptBlock !== undefined) {
    return verdict("ContentBlocked", "prompt-blocked", seen.promptBlock, { outcome: "rejected" })
  }
  const block = seen.finishes.find(isBlock)
  if (block !== undefined && !seen.image) {
    return verdict("ContentBlocked", "output-blocked", block, { outcome: "unknown" })
  }
  const first = seen.finishes[0] ?? ""
  if (seen.finishes.includes("ERROR")) {
    return verdict("Transient", "finished-with-error", "error", { outcome: "unknown" })
  }
  if (seen.image) {
    return streamed && first === ""
      ? verdict("Transient", "cut-stream", "", { outcome: "unknown" })
      : verdict("Malformed", "no-fault-found", first)
  }
  if (first === "MALFORMED_RESPONSE") return verdict("Malformed", "malformed-output", first)
  const said = seen.texts.join("").slice(0, 4000)
  const refusal = refuses(said)
  if (refusal !== undefined) {
    return verdict("ContentBlocked", "refusal-in-words", refusal, { outcome: "unknown", message: said })
  }
  if (streamed && first === "" && (said !== "" || seen.tokens > 0)) {
    return verdict("Transient", "cut-stream", "", { outcome: "unknown" })
  }
  // About 1,290 tokens are an image: it was made, billed, and lost on the way.
  const lost = seen.tokens > 1000
  return verdict(
    "EmptyResult",
    lost ? "image-lost" : said === "" ? "no-content" : "text-only",
    first === "" ? said.slice(0, 80) : first,
    said === "" ? {} : { message: said }
  )
}

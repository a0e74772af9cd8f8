/** The finish and block reasons by which a content policy says that it refused. An open set: others may come. */

/** Google's own, in the words of the Gemini and Vertex APIs. */
const google: ReadonlyArray<string> = [
  "SAFETY",
  "RECITATION",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "SPII",
  "IMAGE_SAFETY",
  "IMAGE_PROHIBITED_CONTENT",
  "IMAGE_RECITATION",
  "MODEL_ARMOR",
  "JAILBREAK"
]

/** Those of other providers and of relays. */
const others: ReadonlyArray<string> = [
  "CONTENT_FILTER",
  "CONTENT_FILTERED",
  "CONTENT_POLICY_VIOLATION",
  "MODERATION_BLOCKED",
  "REFUSAL",
  "GUARDRAIL_INTERVENED",
  "SENSITIVE",
  "MODERATION"
]

const all: ReadonlySet<string> = new Set([...google, ...others])

/** Does this finish or block reason, of whatever provider, say that a content policy refused? */
export const isBlock = (reason: string): boolean => all.has(reason.toUpperCase())

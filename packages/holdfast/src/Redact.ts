/**
 * Takes secrets out of text before it can reach an error, a log, a span or a file.
 *
 * Two nets: values known to be secret (the key of the endpoint, the prompt) are replaced wherever they stand, and
 * text that looks like a credential or like image bytes is replaced by its shape. The second net is a heuristic: it
 * is there for what nobody thought of, and no reason to leave out the first.
 */

/** What stands in the place of a secret. */
export const mask = "<redacted>"

/** Values that must not appear in the output, for example an API key or a prompt. Shorter than 4 characters: ignored. */
export interface Options {
  readonly secrets?: Iterable<string> | undefined
  /** Longest text kept, in characters. Default 2,000. */
  readonly maxLength?: number | undefined
}

const defaultMaxLength = 2000

/** Scanning is bounded too: a hostile body of megabytes is cut before any pattern sees it. */
const scanLimit = 64 * 1024

const patterns: ReadonlyArray<readonly [RegExp, string]> = [
  [/data:[a-z]+\/[a-z0-9.+-]{1,40};base64,[A-Za-z0-9+/=_-]*/gi, "<data-url>"],
  [/\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `Bearer ${mask}`],
  [/\bAIza[0-9A-Za-z_-]{20,}/g, mask],
  [/\bAQ\.[0-9A-Za-z_-]{20,}/g, mask],
  [/\bya29\.[0-9A-Za-z_-]{10,}/g, mask],
  [/\b(?:sk|pk|rk|gsk|xai|r8|hf|ghp|gho|glpat)[-_][A-Za-z0-9_*-]{8,}/g, mask],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, mask],
  [/-----BEGIN [A-Z ]{1,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{1,40}PRIVATE KEY-----|$)/g, mask],
  [/([?&](?:key|api[-_]?key|access_token|token|signature|sig|x-goog-signature)=)[^&\s"'<>]+/gi, `$1${mask}`],
  [/((?:x-goog-api-key|x-api-key|api-key|authorization|apikey)["']?\s*[:=]\s*["']?)(?!Bearer )[^\s"',}]{6,}/gi, `$1${mask}`],
  [/[A-Za-z0-9+/_-]{256,}={0,2}/g, "<base64>"]
]

/** A lone surrogate cannot be encoded, and cannot be in a URL either. */
const uriEncoded = (secret: string): string => {
  try {
    return encodeURIComponent(secret)
  } catch {
    return secret
  }
}

/**
 * The text without the secrets that are known and without what looks like one. Idempotent: redacting twice changes
 * nothing more.
 */
export const text = (input: string, options?: Options): string => {
  const maxLength = options?.maxLength ?? defaultMaxLength
  let out = input.length > scanLimit ? input.slice(0, scanLimit) : input
  for (const secret of options?.secrets ?? []) {
    if (secret.length < 4) continue
    out = out.split(secret).join(mask)
    const escaped = JSON.stringify(secret).slice(1, -1)
    if (escaped !== secret) out = out.split(escaped).join(mask)
    const encoded = uriEncoded(secret)
    if (encoded !== secret) out = out.split(encoded).join(mask)
  }
  for (const [pattern, replacement] of patterns) out = out.replace(pattern, replacement)
  return out.length > maxLength ? `${out.slice(0, maxLength - 1)}…` : out
}

/** A cause as plain data: what is left of an exception once it is safe to write down. */
export interface CauseData {
  readonly name: string
  readonly message: string
  /** The machine's own code, such as `ECONNRESET`. */
  readonly code?: string | undefined
  readonly cause?: CauseData | undefined
}

const maxCauseDepth = 5

const property = (value: object, key: string): unknown => {
  try {
    return (value as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}

/** Turns anything thrown into plain, redacted data, following `cause` at most five levels deep. Never throws. */
export const cause = (input: unknown, options?: Options): CauseData => {
  const visit = (value: unknown, depth: number): CauseData => {
    if (typeof value !== "object" || value === null) {
      return { name: typeof value, message: text(String(value), options) }
    }
    const name = property(value, "name") ?? property(value, "_tag")
    const message = property(value, "message")
    const code = property(value, "code")
    const inner = property(value, "cause")
    return {
      name: typeof name === "string" ? text(name, options) : "Error",
      message: typeof message === "string" ? text(message, options) : "",
      ...(typeof code === "string" ? { code: text(code, options) } : {}),
      ...(inner !== undefined && inner !== null && depth < maxCauseDepth ? { cause: visit(inner, depth + 1) } : {})
    }
  }
  return visit(input, 1)
}

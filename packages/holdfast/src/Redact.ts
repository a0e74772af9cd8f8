/**
 * Takes secrets out of text before it can reach an error, a log, a span or a file.
 *
 * Two nets: values known to be secret (the key of the endpoint, the prompt) are replaced wherever they stand, and
 * text that looks like a credential or like image bytes is replaced by its shape. The second net is a heuristic: it
 * is there for what nobody thought of, and no reason to leave out the first.
 */

/** What stands in the place of a secret. */
export const mask = "<redacted>"

const dataUrl = "<data-url>"
const base64 = "<base64>"

export interface Options {
  /** Values that must not appear in the output, such as an API key or a prompt. Shorter than 4 characters: ignored. */
  readonly secrets?: Iterable<string> | undefined
  /** Longest text kept, in characters, at least 1. Default 2,000. */
  readonly maxLength?: number | undefined
}

const defaultMaxLength = 2000

/** Scanning is bounded too: a hostile body of megabytes is cut before any pattern sees it. */
const scanLimit = 64 * 1024

/**
 * Each pattern takes time in proportion to the text: a run of characters either matches to its end or is bounded, so
 * that no input makes the same run be read from each of its positions.
 */
const patterns: ReadonlyArray<readonly [RegExp, string]> = [
  [/data:[a-z]+\/[a-z0-9.+-]{1,40};base64,[A-Za-z0-9+/=_-]*/gi, dataUrl],
  [/\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `Bearer ${mask}`],
  [/\bAIza[0-9A-Za-z_-]{20,}/g, mask],
  [/\bAQ\.[0-9A-Za-z_-]{20,}/g, mask],
  [/\bya29\.[0-9A-Za-z_-]{10,}/g, mask],
  [/\b(?:sk|pk|rk|gsk|xai|r8|hf|ghp|gho|glpat)[-_][A-Za-z0-9_*-]{8,}/g, mask],
  [/\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)*/g, mask],
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, mask],
  [/([?&](?:key|api[-_]?key|access_token|token|signature|sig|x-goog-signature)=)[^&\s"'<>]+/gi, `$1${mask}`],
  [
    /((?:x-goog-api-key|x-api-key|api-key|authorization|apikey)["']?\s*[:=]\s*["']?)(?!Bearer )[^\s"',}]{6,}/gi,
    `$1${mask}`
  ],
  [/[A-Za-z0-9+/_-]{256,}={0,2}/g, base64]
]

/** A lone surrogate cannot be encoded, and cannot be in a URL either. */
const uriEncoded = (secret: string): string => {
  try {
    return encodeURIComponent(secret)
  } catch {
    return secret
  }
}

/** What this module itself writes: a "secret" that is part of it would be found again in every result. */
const marks = [mask, dataUrl, base64, "Bearer "]

/** The secrets to look for, the longest first: of one that contains another nothing is to be left. */
const sought = (secrets: Iterable<string>): ReadonlyArray<string> =>
  [...secrets]
    .filter((secret) => secret.length >= 4 && !marks.some((mark) => mark.includes(secret)))
    .sort((a, b) => b.length - a.length)

const clean = (input: string, secrets: ReadonlyArray<string>): string => {
  let out = input
  for (const secret of secrets) {
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), uriEncoded(secret)]) {
      out = out.split(form).join(mask)
    }
  }
  for (const [pattern, replacement] of patterns) out = out.replace(pattern, replacement)
  return out
}

/** Cut to length with a sign that it was, and not within a character. */
const shorten = (input: string, maxLength: number): string => {
  if (input.length <= maxLength) return input
  const last = input.charCodeAt(maxLength - 2)
  const half = last >= 0xd800 && last <= 0xdbff
  return `${input.slice(0, maxLength - (half ? 2 : 1))}…`
}

/**
 * The text without the secrets that are known and without what looks like one. Idempotent: redacting twice changes
 * nothing more.
 */
export const text = (input: string, options?: Options): string => {
  const maxLength = Math.max(1, options?.maxLength ?? defaultMaxLength)
  const secrets = sought(options?.secrets ?? [])
  const cleaned = clean(input.slice(0, scanLimit), secrets)
  if (cleaned.length <= maxLength) return cleaned
  // A cut can make a pattern match what it let pass: `authorization: Bearer …` for one.
  const cut = shorten(cleaned, maxLength)
  return shorten(clean(cut, secrets), maxLength)
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

/** As text: an exotic object may throw even here. */
const show = (value: unknown): string => {
  try {
    return String(value)
  } catch {
    return ""
  }
}

/** Turns anything thrown into plain, redacted data, following `cause` at most five levels deep. Never throws. */
export const cause = (input: unknown, options?: Options): CauseData => {
  const visit = (value: unknown, depth: number): CauseData => {
    if (typeof value !== "object" || value === null) {
      return { name: typeof value, message: text(show(value), options) }
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

/**
 * Makes text comparable: bytes to characters, typographic punctuation to plain, HTML to its words, terminal wraps
 * undone. Every function is linear in its input.
 */

/** How much of a body is read, in bytes. */
export const maxBytes = 256 * 1024

const decoder = new TextDecoder("utf-8", { fatal: false })

/** The first bytes of a body as text; invalid UTF-8 becomes U+FFFD. */
export const decode = (bytes: Uint8Array): string => decoder.decode(bytes.subarray(0, maxBytes))

const plain: Readonly<Record<string, string>> = {
  "“": "\"",
  "”": "\"",
  "„": "\"",
  "＂": "\"",
  "‘": "'",
  "’": "'",
  "＇": "'",
  "，": ",",
  "：": ":",
  "；": ";",
  "！": "!",
  "？": "?",
  "（": "(",
  "）": ")",
  "［": "[",
  "］": "]",
  "｛": "{",
  "｝": "}",
  "【": "[",
  "】": "]",
  "＝": "=",
  "\u00a0": " ",
  "\u3000": " ",
  "\ufeff": "",
  "\u200b": ""
}

const typographic = /[“”„＂‘’＇，：；！？（）［］｛｝【】＝\u00a0\u3000\ufeff\u200b]/g

/** Typographic and full-width punctuation as plain ASCII: pasted payloads lose their quotes to word processors. */
export const normalise = (text: string): string => text.replace(typographic, (c) => plain[c] ?? c)

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: " ",
  f: " ",
  "\"": "\"",
  "'": "'",
  "/": "/",
  "\\": "\\"
}

/** One level of backslash escapes removed, wherever they stand. */
export const unescape = (text: string): string =>
  text.replace(
    /\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g,
    (_all, hex: string | undefined, c: string | undefined) =>
      hex !== undefined ? String.fromCharCode(parseInt(hex, 16)) : escapes[c ?? ""] ?? c ?? ""
  )

/** Is this an HTML page, or a piece of one? */
export const isHtml = (text: string): boolean =>
  /<!doctype html|<html[\s>]|<head[\s>]|<title>|<body[\s>]|<center><h1>/i.test(text)

/** Removes `open … close` blocks in one pass; an unclosed block ends the text. */
const withoutBlocks = (text: string, name: string): string => {
  const lower = text.toLowerCase()
  let out = ""
  let at = 0
  for (;;) {
    const open = lower.indexOf(`<${name}`, at)
    if (open < 0) return out + text.slice(at)
    out += text.slice(at, open)
    const close = lower.indexOf(`</${name}`, open)
    if (close < 0) return out
    at = close + name.length + 2
  }
}

/** The words of a page: its title first, then its text without scripts, styles and tags; at most 4,000 characters. */
export const pageWords = (html: string): string => {
  const head = html.slice(0, 64 * 1024)
  const title = /<title[^>]{0,200}>([^<]{0,300})/i.exec(head)?.[1] ?? ""
  const body = withoutBlocks(withoutBlocks(head, "style"), "script")
    .replace(/<[^<>]{0,2000}>?/g, " ")
    .replace(/&(?:nbsp|#160);/g, " ").replace(/&#x?27;|&apos;/g, "'").replace(/&quot;/g, "\"").replace(/&amp;/g, "&")
    .replace(/\s+/g, " ")
  return `${title.trim()}\n${body.trim()}`.slice(0, 4000)
}

/** A line this long that breaks between two letters was broken by a terminal, not by a writer. */
const wrapWidth = 60

/** Text with the breaks of a terminal undone, where a word was cut in two. */
const joinWraps = (text: string): string => {
  const lines = text.split(/\r?\n/)
  let out = lines[0] ?? ""
  for (let i = 1; i < lines.length; i++) {
    const before = lines[i - 1] ?? ""
    const line = lines[i] ?? ""
    const cut = before.length >= wrapWidth && /[A-Za-z0-9]$/.test(before) && /^[A-Za-z0-9]/.test(line)
    out += cut ? line : `\n${line}`
  }
  return out
}

/**
 * The words that the vocabulary looks at: no addresses (their paths hold words such as `rate-limits`), no stack
 * frames (their numbers look like statuses), white space collapsed, and a second copy with cut words joined where the
 * text was wrapped. At most 12,000 characters: the beginning and the end.
 */
export const words = (text: string): string => {
  const bounded = text.length > 12_000 ? `${text.slice(0, 9000)}\n${text.slice(-3000)}` : text
  const clean = bounded
    .replace(/^\s{0,40}at [^\n]{0,400}$/gm, " ")
    .replace(/^\s{0,40}File "[^"\n]{0,300}", line \d+[^\n]{0,200}$/gm, " ")
    .replace(
      /\b(?:https?|wss?):\/\/[^\s"'<>)\]}`]{1,2000}/gi,
      (url) => (/error-code-429/.test(url) ? " error-code-429 " : " ")
    )
  const joined = clean.includes("\n") ? joinWraps(clean) : clean
  const one = clean.replace(/\s+/g, " ").trim()
  const two = joined.replace(/\s+/g, " ").trim()
  return one === two ? one : `${one}\n${two}`
}

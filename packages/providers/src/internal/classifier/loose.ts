/**
 * Reads what people paste: JSON, Python reprs, JavaScript inspect dumps, all of them possibly cut short, with raw line
 * breaks in strings and quotes that nobody escaped. Never fails on a bad value: it takes what it can and goes on.
 *
 * Work is bounded by `Fuel`, shared by all reads of one payload, and nesting by `maxNesting`.
 */

/** A value read. Objects have no prototype, so that a key such as `__proto__` is a key like any other. */
export type Loose = string | number | boolean | null | ReadonlyArray<Loose> | { readonly [key: string]: Loose }

/** How many characters may still be looked at. */
export interface Fuel {
  left: number
}

const maxNesting = 24
const maxKey = 80
const maxBare = 2000

interface Reader {
  readonly text: string
  readonly fuel: Fuel
  at: number
}

const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13)

const skip = (r: Reader): void => {
  while (r.at < r.text.length && isSpace(r.text.charCodeAt(r.at))) {
    r.at++
    r.fuel.left--
  }
}

/** What begins the next field where fields are parted by line breaks alone, as in Google's text form of messages. */
const nextField = /[ \t]{0,40}(?:[A-Za-z_][\w.]{0,60}\s{0,2}[:{]|\})/y

/** A quote ends a string only where something that may follow a string follows it. */
const closes = (r: Reader, at: number): boolean => {
  let i = at + 1
  const end = Math.min(r.text.length, i + 80)
  while (i < end && isSpace(r.text.charCodeAt(i))) i++
  r.fuel.left -= i - at
  const line = r.text.indexOf("\n", at)
  if (line > at && line < i) {
    nextField.lastIndex = line + 1
    if (nextField.test(r.text)) return true
  }
  return i >= r.text.length || ",:}])=>".includes(r.text[i] ?? ",")
}

const escaped: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: " ", f: " " }

const readString = (r: Reader): string => {
  const quote = r.text[r.at] ?? "\""
  let out = ""
  let from = ++r.at
  while (r.at < r.text.length && r.fuel.left > 0) {
    const c = r.text[r.at] ?? ""
    r.fuel.left--
    if (c === "\\") {
      out += r.text.slice(from, r.at)
      const next = r.text[r.at + 1] ?? ""
      const hex = next === "u" ? /^[0-9a-fA-F]{4}/.exec(r.text.slice(r.at + 2, r.at + 6))?.[0] : undefined
      out += hex !== undefined ? String.fromCharCode(parseInt(hex, 16)) : escaped[next] ?? next
      r.at += hex !== undefined ? 6 : 2
      from = r.at
    } else if (c === quote && closes(r, r.at)) {
      out += r.text.slice(from, r.at)
      r.at++
      return out
    } else r.at++
  }
  return out + r.text.slice(from, r.at)
}

const readBare = (r: Reader): Loose => {
  const from = r.at
  const end = Math.min(r.text.length, from + maxBare)
  while (r.at < end && !",}]\n".includes(r.text[r.at] ?? ",")) r.at++
  r.fuel.left -= r.at - from + 1
  const word = r.text.slice(from, r.at).trim()
  if (word === "true" || word === "True") return true
  if (word === "false" || word === "False") return false
  if (word === "null" || word === "None" || word === "undefined" || word === "<nil>") return null
  return /^-?\d{1,15}(?:\.\d{1,9})?$/.test(word) ? Number(word) : word
}

const keyPattern = /[A-Za-z0-9_@$.-]{1,80}/y

const readKey = (r: Reader): string | undefined => {
  const c = r.text[r.at]
  const start = r.at
  let key: string | undefined
  if (c === "\"" || c === "'") {
    const close = r.text.indexOf(c, r.at + 1)
    if (close < 0 || close - r.at > maxKey) return undefined
    key = r.text.slice(r.at + 1, close)
    r.at = close + 1
  } else {
    keyPattern.lastIndex = r.at
    key = keyPattern.exec(r.text)?.[0]
    if (key === undefined) return undefined
    r.at += key.length
  }
  r.fuel.left -= r.at - start
  skip(r)
  if (r.text[r.at] === ":" || r.text[r.at] === "=") {
    r.at += r.text.startsWith("=>", r.at) ? 2 : 1
    return key
  }
  r.at = start
  return undefined
}

const readObject = (r: Reader, nesting: number): Loose | undefined => {
  const out = Object.create(null) as Record<string, Loose>
  let keys = 0
  r.at++
  while (r.at < r.text.length && r.fuel.left > 0) {
    skip(r)
    const c = r.text[r.at]
    if (c === "}") {
      r.at++
      return keys > 0 || nesting > 0 ? out : undefined
    }
    if (c === "," || c === ";") {
      r.at++
      continue
    }
    const key = readKey(r)
    if (key === undefined) {
      if (keys === 0) return undefined
      readBare(r)
      if (r.text[r.at] === "]" || r.text[r.at] === "\n") r.at++
      continue
    }
    keys++
    out[key] = readValue(r, nesting + 1)
  }
  return keys > 0 ? out : undefined
}

const readArray = (r: Reader, nesting: number): Loose => {
  const out: Array<Loose> = []
  r.at++
  while (r.at < r.text.length && r.fuel.left > 0) {
    skip(r)
    const c = r.text[r.at]
    if (c === "]") {
      r.at++
      return out
    }
    if (c === "," || c === "}") r.at++
    else out.push(readValue(r, nesting + 1))
    r.fuel.left--
  }
  return out
}

const readValue = (r: Reader, nesting: number): Loose => {
  skip(r)
  r.fuel.left--
  const c = r.text[r.at]
  if (nesting >= maxNesting) r.fuel.left = 0
  if (r.fuel.left <= 0) return null
  if (c === "{") {
    const start = r.at
    const object = readObject(r, nesting)
    if (object !== undefined) return object
    r.at = start + 1
    return readBare(r)
  }
  if (c === "[") return readArray(r, nesting)
  if (c === "\"" || c === "'" || c === "`") return readString(r)
  return readBare(r)
}

/** The object or array that begins at `start`, and where it ends; undefined if none does. */
export const read = (
  text: string,
  start: number,
  fuel: Fuel
): { readonly value: Loose; readonly end: number } | undefined => {
  const r: Reader = { text, fuel, at: start }
  const value = text[start] === "[" ? readArray(r, 0) : readObject(r, 0)
  return value === undefined ? undefined : { value, end: Math.max(r.at, start + 1) }
}

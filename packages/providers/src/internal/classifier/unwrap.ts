/**
 * Takes a payload apart into facts: what each layer says in words, its codes and its status numbers, with the depth of
 * the layer. Layers are arrays, nested objects, JSON inside strings, Python reprs, inspect dumps, HTML pages, event
 * streams and the prose around them. Bounded in bytes, in nesting, in layers, in facts and in work; never throws.
 */
import { aliases, bare, codeKeys, hintKey, ignored, isStatus, statusKeys } from "./keys.js"
import { type Fuel, read } from "./loose.js"
import { keyed, tokens } from "./prose.js"
import { decode, isHtml, maxBytes, normalise, pageWords, unescape, words } from "./text.js"

/** A machine-readable word, and the key it stood under (empty in prose). */
export interface Code {
  readonly key: string
  readonly value: string
}

/** One layer of a payload. */
export interface Fact {
  readonly depth: number
  /** What it says, ready for the vocabulary. */
  readonly words: string
  readonly codes: ReadonlyArray<Code>
  /** HTTP statuses under keys that hold statuses. */
  readonly statuses: ReadonlyArray<number>
}

/** A field that names a wait or a point in time. */
export interface Hint {
  readonly key: string
  readonly value: string | number
}

/** Everything that was found. */
export interface Unwrapped {
  /** Outermost first. */
  readonly facts: ReadonlyArray<Fact>
  readonly hints: ReadonlyArray<Hint>
  /** Header fields that a client dumped into the payload. */
  readonly headers: Readonly<Record<string, string>>
  /** Objects that look like (parts of) a generation. */
  readonly answers: ReadonlyArray<Readonly<Record<string, unknown>>>
  /** An object with an `error` member (or an array of such) was found. */
  readonly errorObject: boolean
  readonly html: boolean
  readonly empty: boolean
}

const maxFacts = 400
const maxNodes = 4000
const maxLayers = 12
const maxFuel = 3_000_000

interface Draft {
  readonly depth: number
  readonly texts: Array<string>
  readonly codes: Array<Code>
  readonly statuses: Array<number>
}

interface State {
  readonly facts: Array<Draft>
  readonly hints: Array<Hint>
  readonly headers: Record<string, string>
  readonly answers: Array<Readonly<Record<string, unknown>>>
  readonly fuel: Fuel
  nodes: number
  errorObject: boolean
  html: boolean
}

const looksLikeAnswer = (keys: ReadonlySet<string>): boolean =>
  keys.has("candidates") || keys.has("promptfeedback") || keys.has("choices") || keys.has("prompt_feedback") ||
  (keys.has("data") && keys.has("created")) || (keys.has("output") && keys.has("status")) ||
  (keys.has("content") && keys.has("stop_reason"))

const draft = (s: State, depth: number): Draft | undefined => {
  if (s.facts.length >= maxFacts) return undefined
  const fact: Draft = { depth, texts: [], codes: [], statuses: [] }
  s.facts.push(fact)
  return fact
}

/** A word that a machine wrote: no spaces, or a short status phrase. */
const isWord = (value: string): boolean => value.length <= 120 && !/\s/.test(value)

const scalar = (s: State, fact: Draft, key: string, value: string | number | boolean): void => {
  const name = aliases[bare(key)] ?? bare(key)
  if (hintKey.test(name) && typeof value !== "boolean") s.hints.push({ key: name, value })
  if (typeof value === "boolean") return
  const numeric = typeof value === "number" ? value : /^\d{3}$/.test(value.trim()) ? Number(value) : Number.NaN
  if (statusKeys.has(name) && isStatus(numeric)) {
    fact.statuses.push(numeric)
    return
  }
  if (codeKeys.has(name) || name === "statuscode") {
    if (typeof value === "number") fact.codes.push({ key: name, value: String(value) })
    else if (isWord(value)) fact.codes.push({ key: name, value })
  }
}

const visitObject = (
  s: State,
  value: Readonly<Record<string, unknown>>,
  depth: number,
  layers: number,
  within: string
): void => {
  const fact = draft(s, depth)
  if (fact === undefined) return
  const keys = Object.keys(value).slice(0, 200)
  if (keys.some((key) => key === "error" || key === "errors")) s.errorObject = true
  if (looksLikeAnswer(new Set(keys))) s.answers.push(value)
  for (const key of keys) {
    const name = bare(key)
    const field = value[key]
    if (field === null || field === undefined) continue
    if (name === "headers" || name === "responseheaders") {
      if (typeof field === "object") dumpHeaders(s, field as Record<string, unknown>)
      continue
    }
    if (name === "retrydelay" && typeof field === "object") {
      delay(s, field)
      continue
    }
    if (name === "choices" && Array.isArray(field)) {
      for (const choice of field.slice(0, 20) as ReadonlyArray<unknown>) {
        const inner = typeof choice === "object" && choice !== null
          ? (choice as Record<string, unknown>)["error"]
          : undefined
        if (typeof inner !== "object" || inner === null) continue
        s.errorObject = true
        visit(s, inner, depth + 1, layers, "error")
      }
      continue
    }
    // An asynchronous task reports its failure inside `output`; a generation puts its items there.
    const task = name === "output" && typeof field === "object" && !Array.isArray(field)
    if (ignored.has(name) && !task && !(name === "text" && depth === 0)) continue
    if (typeof field === "string") {
      const word = isWord(field)
      scalar(s, fact, within === "baseresp" ? `baseresp${name}` : key, field)
      if (!word || !codeKeys.has(name)) visitText(s, field, depth, layers, fact)
    } else if (typeof field === "number" || typeof field === "boolean") {
      if (within === "baseresp" && name === "statuscode") fact.codes.push({ key: "baseresp", value: String(field) })
      else scalar(s, fact, key, field)
    } else visit(s, field, depth + 1, layers, name)
  }
}

/** A protobuf duration as an object. */
const delay = (s: State, value: unknown): void => {
  const seconds = typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)["seconds"]
    : undefined
  if (typeof seconds === "number" || typeof seconds === "string") {
    s.hints.push({ key: "retryafterseconds", value: seconds })
  }
}

const dumpHeaders = (s: State, headers: Record<string, unknown>): void => {
  for (const [key, value] of Object.entries(headers).slice(0, 100)) {
    if (typeof value === "string" || typeof value === "number") s.headers[key.toLowerCase()] = String(value)
  }
}

const readProse = (s: State, fact: Draft, text: string): void => {
  const head = text.length > 16_000 ? text.slice(0, 16_000) : text
  let count = 0
  for (const match of head.matchAll(keyed)) {
    if (++count > 40) break
    scalar(s, fact, match[1] ?? "", (match[2] ?? "").replace(/[.:]+$/, ""))
  }
  const clean = words(head)
  count = 0
  for (const match of clean.matchAll(tokens)) {
    if (++count > 60) break
    fact.codes.push({ key: "", value: match[0] })
  }
  fact.texts.push(clean)
}

/** An event stream: the payload of each event, then what stands outside of events (a raw error at the end). */
const visitEvents = (s: State, text: string, depth: number, layers: number): void => {
  const rest: Array<string> = []
  let data: Array<string> = []
  let event = ""
  const flush = (): void => {
    if (data.length === 0) return
    const payload = data.join("\n").trim()
    data = []
    if (payload === "" || payload === "[DONE]") return
    if (event === "error" || event.endsWith("failed")) s.errorObject = true
    visitText(s, payload, event === "error" ? depth + 1 : depth, layers + 1, undefined)
    event = ""
  }
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""))
    else if (line.startsWith("event:")) {
      flush()
      event = line.slice(6).trim()
    } else if (line.trim() === "") flush()
    else if (!/^(?:id|retry):|^:/.test(line)) {
      if (data.length > 0 && !/^\s*[{[]/.test(line)) data.push(line)
      else {
        flush()
        rest.push(line)
      }
    }
  }
  flush()
  if (rest.length > 0) visitText(s, rest.join("\n"), depth + 1, layers + 1, undefined)
}

const opensObject = /\{|\[\s{0,40}(?=\{)/g

const visitText = (s: State, raw: string, depth: number, layers: number, owner: Draft | undefined): void => {
  if (layers > maxLayers || s.fuel.left <= 0) return
  const text = normalise(raw.length > maxBytes ? raw.slice(0, maxBytes) : raw)
  s.fuel.left -= text.length
  const first = /^\s{0,1000}(\S)/.exec(text)?.[1]
  if (first === undefined) return
  if (first === "{" || first === "[" || first === "\"") {
    const parsed = parse(text)
    if (parsed !== undefined) return visit(s, parsed, owner === undefined ? depth : depth + 1, layers + 1, "")
  }
  if (/^(?:data|event):/m.test(text)) return visitEvents(s, text, depth, layers)
  const html = isHtml(text)
  if (html) s.html = true
  const fact = owner ?? draft(s, depth)
  if (fact === undefined) return
  if (html) {
    const at = text.search(/<!doctype|<html|<head|<title|<body|<center/i)
    readProse(s, fact, `${text.slice(0, Math.min(at, 2000))}\n${pageWords(text.slice(at))}`)
    return
  }
  if (/\\["n]/.test(text) && /[{[]\s*(?:\\[nrt]\s*)*\\+"/.test(text)) {
    const at = text.search(/[{[]\s*(?:\\[nrt]\s*)*\\+"/)
    readProse(s, fact, text.slice(0, at))
    return visitText(s, unescape(text.slice(at)), depth + 1, layers + 1, undefined)
  }
  let prose = ""
  let from = 0
  opensObject.lastIndex = 0
  for (let match = opensObject.exec(text); match !== null && s.fuel.left > 0; match = opensObject.exec(text)) {
    const resume = opensObject.lastIndex
    const found = read(text, match.index, s.fuel)
    opensObject.lastIndex = resume
    if (found === undefined) continue
    prose += `${text.slice(from, match.index)} `
    if (/retry_?delay["']?\s{0,3}[:=]?\s{0,3}$/i.test(text.slice(Math.max(0, match.index - 24), match.index))) {
      delay(s, found.value)
    }
    visit(s, found.value, depth + 1, layers + 1, "")
    from = found.end
    opensObject.lastIndex = found.end
  }
  readProse(s, fact, prose + text.slice(from))
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

const visit = (s: State, value: unknown, depth: number, layers: number, within: string): void => {
  if (++s.nodes > maxNodes || depth > 64 || layers > maxLayers) return
  if (typeof value === "string") visitText(s, value, depth, layers + 1, undefined)
  else if (typeof value === "number" || typeof value === "boolean") {
    if (typeof value === "number" && isStatus(value)) draft(s, depth)?.statuses.push(value)
  } else if (value instanceof Uint8Array) visitText(s, decode(value), depth, layers + 1, undefined)
  else if (Array.isArray(value)) { for (const item of value.slice(0, 500)) visit(s, item, depth, layers, within) }
  else if (typeof value === "object" && value !== null) {
    visitObject(s, value as Record<string, unknown>, depth, layers, within)
  }
}

/** Takes a body apart. Total. */
export const unwrap = (body: unknown): Unwrapped => {
  const s: State = {
    facts: [],
    hints: [],
    headers: {},
    answers: [],
    fuel: { left: maxFuel },
    nodes: 0,
    errorObject: false,
    html: false
  }
  try {
    visit(s, body, 0, 0, "")
  } catch {
    // A proxy or a getter that throws: what was found until then has to do.
  }
  const facts = s.facts.map((fact): Fact => ({
    depth: fact.depth,
    words: fact.texts.join("\n"),
    codes: fact.codes,
    statuses: fact.statuses
  }))
  const empty = facts.every((fact) => fact.words.trim() === "" && fact.codes.length === 0 && fact.statuses.length === 0)
  return {
    facts,
    hints: s.hints,
    headers: s.headers,
    answers: s.answers,
    errorObject: s.errorObject,
    html: s.html,
    empty
  }
}

/**
 * Finds the payloads in a text that comes in pieces: one on each line, or one in all.
 *
 * The first line that is a JSON object with a `body` decides for lines; until then everything is kept, since the text
 * may be one payload of several lines. Every line that is not blank gives one payload, whatever is in it. Pure, and
 * bounded: what is longer than can matter is dropped.
 */
import { maxErrorBodyBytes, type WireError } from "@holdfast/providers/Classifier"

/** One payload, and what the line called it. */
export interface Payload {
  readonly id: string | number | boolean | null
  readonly wire: WireError
}

/** Beyond this nobody can say any more whether lines follow: the text is one payload. */
const undecidedLimit = 16 * 1024 * 1024

/** A longer line cannot be one of ours; its beginning is classified. */
const lineLimit = 16 * 1024 * 1024

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === "object" && u !== null && !Array.isArray(u)

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** The fields that can be used; a field of another type is as good as absent. */
const headersOf = (u: unknown): WireError["headers"] => {
  if (!isRecord(u)) return undefined
  const usable = Object.entries(u).flatMap(([name, value]): ReadonlyArray<[string, string | ReadonlyArray<string>]> => {
    if (typeof value === "string") return [[name, value]]
    if (typeof value === "number" || typeof value === "boolean") return [[name, String(value)]]
    return Array.isArray(value) ? [[name, value.filter((item) => typeof item === "string")]] : []
  })
  return Object.fromEntries(usable)
}

const statusOf = (u: unknown): number | undefined => {
  const status = typeof u === "string" && /^\d{3}$/.test(u.trim()) ? Number(u) : u
  return typeof status === "number" && Number.isInteger(status) && status >= 100 && status <= 999 ? status : undefined
}

/** A payload out of an object with a `body`; `undefined` for anything else. */
const entry = (text: string): Payload | undefined => {
  if (!/^\s*\{/.test(text)) return undefined
  const value = parsed(text)
  if (!isRecord(value) || !Object.hasOwn(value, "body")) return undefined
  const { body, dialect, headers, id, status, streamed } = value
  return {
    id: typeof id === "string" || typeof id === "number" || typeof id === "boolean" ? id : null,
    wire: {
      body,
      status: statusOf(status),
      headers: headersOf(headers),
      dialect: typeof dialect === "string" ? dialect : undefined,
      streamed: streamed === true
    }
  }
}

/** A payload as it is: JSON where it is JSON, else text. */
const raw = (text: string): Payload => {
  const trimmed = text.trim()
  const value = /^[[{"]/.test(trimmed) ? parsed(trimmed) : undefined
  return {
    id: null,
    wire: { body: value ?? text.slice(0, maxErrorBodyBytes), streamed: /^(?:data|event):/.test(trimmed) }
  }
}

const isBlank = (text: string): boolean => text.trim() === ""

const ofLine = (line: string): ReadonlyArray<Payload> => (isBlank(line) ? [] : [entry(line) ?? raw(line)])

type State =
  | { readonly _tag: "Undecided"; readonly text: string; readonly scanned: number }
  /** `rest` is a line without its end; `skipping` when it is too long already. */
  | { readonly _tag: "Lines"; readonly rest: string; readonly skipping: boolean }
  | { readonly _tag: "Whole"; readonly text: string }

export interface Reader {
  /** The payloads that end in this piece. */
  readonly push: (piece: string) => ReadonlyArray<Payload>
  /** The payloads that the end of the text ends. */
  readonly end: () => ReadonlyArray<Payload>
}

export const make = (): Reader => {
  let state: State = { _tag: "Undecided", text: "", scanned: 0 }
  let begun = false

  const lines = (rest: string, skipping: boolean): ReadonlyArray<Payload> => {
    const found: Array<Payload> = []
    let from = 0
    for (let to = rest.indexOf("\n"); to >= 0; to = rest.indexOf("\n", from)) {
      if (!skipping) found.push(...ofLine(rest.slice(from, to)))
      skipping = false
      from = to + 1
    }
    const left = skipping ? "" : rest.slice(from)
    if (left.length > lineLimit) {
      found.push(raw(left.slice(0, maxErrorBodyBytes)))
      state = { _tag: "Lines", rest: "", skipping: true }
    } else state = { _tag: "Lines", rest: left, skipping }
    return found
  }

  const undecided = (text: string, scanned: number): ReadonlyArray<Payload> => {
    let from = scanned
    for (let to = text.indexOf("\n", from); to >= 0; to = text.indexOf("\n", from)) {
      if (entry(text.slice(from, to)) !== undefined) return lines(text, false)
      from = to + 1
    }
    state =
      text.length > undecidedLimit
        ? { _tag: "Whole", text: text.slice(0, undecidedLimit) }
        : { _tag: "Undecided", text, scanned: from }
    return []
  }

  return {
    push: (piece) => {
      if (!begun && piece !== "") {
        begun = true
        if (piece.startsWith("\ufeff")) piece = piece.slice(1)
      }
      switch (state._tag) {
        case "Undecided":
          return undecided(state.text + piece, state.scanned)
        case "Lines":
          return lines(state.rest + piece, state.skipping)
        case "Whole":
          return []
      }
    },
    end: () => {
      switch (state._tag) {
        case "Undecided": {
          const { scanned, text } = state
          if (isBlank(text)) return []
          // The last line may lack its end; and an object may be laid out over all of them.
          if (entry(text.slice(scanned)) !== undefined) return [...lines(`${text}\n`, false)]
          return [entry(text) ?? raw(text)]
        }
        case "Lines":
          return state.skipping ? [] : ofLine(state.rest)
        case "Whole":
          return [raw(state.text)]
      }
    }
  }
}

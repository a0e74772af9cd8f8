/**
 * Server-sent events, read from bytes cut anywhere.
 *
 * Its own decoder because providers break the format in ways that carry meaning: Google writes an error in the middle
 * of a stream as pretty-printed JSON without `data:`, relays answer a stream with an HTML page, and many leave out the
 * blank line after the last event. A decoder that follows the standard drops all of these. Here lines that are no
 * field are kept and offered as `Raw`, and what is left at the end is offered too, marked as incomplete.
 */

/** An event, or text that is none. */
export type Event =
  | {
    readonly _tag: "Event"
    readonly event: string | undefined
    readonly data: string
    /** False when the stream ended before the blank line that ends an event. */
    readonly complete: boolean
  }
  | { readonly _tag: "Raw"; readonly text: string }
  /** An event longer than the limit; nothing after it is read. */
  | { readonly _tag: "Overflow" }

export interface Decoder {
  readonly push: (bytes: Uint8Array) => ReadonlyArray<Event>
  readonly end: () => ReadonlyArray<Event>
}

/** Images are megabytes, and an event holds one or more of them. */
export const defaultMaxEventLength = 64 * 1024 * 1024

const fields: ReadonlySet<string> = new Set(["data", "event", "id", "retry"])

/** `maxEventLength`: longest event, in UTF-16 units. */
export const make = (options: { readonly maxEventLength?: number | undefined } = {}): Decoder => {
  const maxEventLength = options.maxEventLength ?? defaultMaxEventLength
  const decoder = new TextDecoder()
  /** The line being read, in the pieces in which it came: joined once, however many there are. */
  let line: Array<string> = []
  let afterReturn = false
  let data: Array<string> = []
  let event: string | undefined
  let raw: Array<string> = []
  let held = 0
  let overflowed = false

  const flushRaw = (out: Array<Event>): void => {
    const text = raw.join("\n")
    raw = []
    if (text.trim() !== "") out.push({ _tag: "Raw", text })
  }

  const dispatch = (out: Array<Event>, complete: boolean): void => {
    if (data.length > 0) out.push({ _tag: "Event", event, data: data.join("\n"), complete })
    data = []
    event = undefined
    held = raw.reduce((sum, text) => sum + text.length, 0)
  }

  const endLine = (out: Array<Event>): void => {
    const text = line.length === 1 ? (line[0] ?? "") : line.join("")
    line = []
    if (text === "") {
      dispatch(out, true)
      // JSON that has been closed is complete; an HTML page with blank lines in it is not.
      if (/[}\]]\s*$/.test(raw[raw.length - 1] ?? "")) flushRaw(out)
      else if (raw.length > 0) raw.push("")
      return
    }
    if (text.startsWith(":")) {
      held -= text.length
      return
    }
    const colon = text.indexOf(":")
    const name = colon === -1 ? text : text.slice(0, colon)
    if (!fields.has(name)) {
      raw.push(text)
      return
    }
    flushRaw(out)
    const value = colon === -1 ? "" : text.slice(text[colon + 1] === " " ? colon + 2 : colon + 1)
    if (name === "data") data.push(value)
    else if (name === "event") event = value
  }

  const read = (text: string, out: Array<Event>): void => {
    let rest = text
    if (afterReturn && rest !== "") {
      if (rest.startsWith("\n")) rest = rest.slice(1)
      afterReturn = false
    }
    const breaks = /\r\n|\r|\n/g
    let start = 0
    for (let found = breaks.exec(rest); found !== null; found = breaks.exec(rest)) {
      line.push(rest.slice(start, found.index))
      held += found.index - start
      if (held > maxEventLength) {
        overflowed = true
        break
      }
      endLine(out)
      start = breaks.lastIndex
      // A line feed that follows in the next piece belongs to this carriage return.
      afterReturn = found[0] === "\r" && start === rest.length
    }
    if (overflowed || start < rest.length) {
      line.push(rest.slice(start))
      held += rest.length - start
      overflowed ||= held > maxEventLength
    }
    if (overflowed) {
      line = []
      data = []
      raw = []
      out.push({ _tag: "Overflow" })
    }
  }

  return {
    push: (bytes) => {
      const out: Array<Event> = []
      if (!overflowed) read(decoder.decode(bytes, { stream: true }), out)
      return out
    },
    end: () => {
      const out: Array<Event> = []
      if (overflowed) return out
      read(decoder.decode(), out)
      if (!overflowed && line.length > 0 && line.some((piece) => piece !== "")) endLine(out)
      if (overflowed) return out
      dispatch(out, false)
      flushRaw(out)
      return out
    }
  }
}

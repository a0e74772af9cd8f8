/**
 * Finds images in text: relays put them there as Markdown, as data URLs, or as links.
 *
 * Incremental, because a stream cuts a data URL of megabytes over many deltas: text is handed on as soon as it cannot
 * be the beginning of an image, and a data URL is collected piece by piece without being scanned again. Cutting the
 * text differently changes nothing about the images found, and nothing about the text once joined.
 */
import type { ImagePart, TextPart } from "holdfast/Generated"
import * as ImageBytes from "./imageBytes.js"

/** An image that is only linked to. */
export interface HostedPart {
  readonly _tag: "Hosted"
  readonly url: string
  /** The text that stands there, for when it turns out to be no image. */
  readonly source: string
}

export type FoundPart = TextPart | ImagePart | HostedPart

export interface TextParts {
  readonly push: (text: string) => ReadonlyArray<FoundPart>
  readonly end: () => ReadonlyArray<FoundPart>
}

const dataHeader = new RegExp(
  String.raw`^(?:!\[[^\]\n]{0,1000}\]\(\s{0,8}<?)?data:(image/[a-z0-9.+-]{1,40}|application/octet-stream)` +
    String.raw`((?:;[a-z0-9._=+"-]{1,60}){0,6}),`,
  "i"
)
const linked = /^!\[[^\]\n]{0,1000}\]\(\s{0,8}<?(https?:\/\/[^\s)>]{1,4000})>?(?:\s{1,8}"[^"\n]{0,500}")?\s{0,8}\)/i
const bare = /^https?:\/\/[^\s<>"'`)\]]{1,4000}/i
const imagePath = /^https?:\/\/[^?#]+\.(?:png|jpe?g|webp|gif|avif|heic|bmp|tiff?|jxl)(?:[?#].*)?$/i

/** Can this still become one of the patterns above once more text comes? */
const unfinishedMark = new RegExp(
  String.raw`^!(?:$|\[[^\]\n]{0,1000}$|\[[^\]\n]{0,1000}\]$|\[[^\]\n]{0,1000}\]\(\s{0,8}<?` +
    String.raw`(?:$|d(?:at?)?$|data(?::[^\s,]{0,400})?$|h(?:tt?)?$|https?:?/?$` +
    String.raw`|https?://[^\s)>]{0,4000}>?(?:\s{1,8}(?:"[^"\n]{0,500}"?)?\s{0,8})?$))`,
  "i"
)
const unfinishedData = /^d(?:$|at?$|ata$|ata:[^\s,]{0,400}$)/i
const unfinishedLink = /^h(?:$|tt?$|ttps?$|ttps?:$|ttps?:\/$|ttps?:\/\/[^\s<>"'`)\]]{0,4000}$)/i

/** Where the next image might begin. */
const candidate = /!\[|!$|\bdata:|\bhttps?:\/\/|\b(?:d|da|dat|data|h|ht|htt|http|https|https?:|https?:\/)$/gi

/** What ends the base64 of a data URL; blanks end it too where no bracket follows. */
const bracketEnd = /[^A-Za-z0-9+/=_\s-]/
const bareEnd = /[^A-Za-z0-9+/=_-]/

interface Collecting {
  readonly declared: string
  readonly bracketed: boolean
  readonly pieces: Array<string>
}

/** `links`: are linked images wanted too, or are links just text? */
export const make = (options: { readonly links: boolean }): TextParts => {
  let buffer = ""
  let collecting: Collecting | undefined
  let sawText = false
  /** The character before the buffer: a word that has begun there is no beginning of a link here. */
  let before = ""

  const collect = (out: Array<FoundPart>, ended: boolean): boolean => {
    const data = collecting
    if (data === undefined) return false
    const end = (data.bracketed ? bracketEnd : bareEnd).exec(buffer)?.index
    data.pieces.push(end === undefined ? buffer : buffer.slice(0, end))
    buffer = end === undefined ? "" : buffer.slice(end)
    if (end === undefined && !ended) return false
    collecting = undefined
    // Without its bracket the data was cut: half an image is none.
    if (data.bracketed && end === undefined) return true
    if (data.bracketed) buffer = buffer.replace(/^>?(?:\s{0,8}"[^"\n]{0,500}")?\s{0,8}\)/, "")
    const image = ImageBytes.fromBase64(data.pieces.join(""), data.declared)
    if (image !== undefined) out.push(image)
    return true
  }

  const emit = (out: Array<FoundPart>, text: string): void => {
    if (text === "") return
    sawText ||= text.trim() !== ""
    before = text.slice(-1)
    out.push({ _tag: "Text", text })
  }

  /** Handles what stands at the beginning of the buffer; false when more text is needed to tell. */
  const take = (out: Array<FoundPart>, ended: boolean): boolean => {
    const header = dataHeader.exec(buffer)
    if (header !== null && /;base64/i.test(header[2] ?? "")) {
      before = ""
      collecting = { declared: header[1] ?? "", bracketed: header[0].startsWith("!"), pieces: [] }
      buffer = buffer.slice(header[0].length)
      return true
    }
    if (options.links) {
      const mark = linked.exec(buffer)
      if (mark !== null) {
        before = ""
        out.push({ _tag: "Hosted", url: mark[1] ?? "", source: mark[0] })
        buffer = buffer.slice(mark[0].length)
        return true
      }
      const link = bare.exec(buffer)
      if (link !== null && (ended || link[0].length < buffer.length)) {
        const whole = ended && !sawText && link[0].length === buffer.trimEnd().length
        buffer = buffer.slice(link[0].length)
        if (whole || imagePath.test(link[0])) {
          before = ""
          out.push({ _tag: "Hosted", url: link[0], source: link[0] })
        } else emit(out, link[0])
        return true
      }
    }
    const unfinished = unfinishedMark.test(buffer) || unfinishedData.test(buffer) ||
      (options.links && unfinishedLink.test(buffer))
    if (unfinished && !ended) return false
    emit(out, buffer.slice(0, 1))
    buffer = buffer.slice(1)
    return true
  }

  const run = (ended: boolean): ReadonlyArray<FoundPart> => {
    const out: Array<FoundPart> = []
    while (buffer !== "" || (ended && collecting !== undefined)) {
      if (collecting !== undefined) {
        if (!collect(out, ended)) break
        continue
      }
      candidate.lastIndex = before.length
      const found = candidate.exec(before + buffer)?.index
      const start = found === undefined ? buffer.length : found - before.length
      emit(out, buffer.slice(0, start))
      buffer = buffer.slice(start)
      if (buffer !== "" && !take(out, ended)) break
    }
    return join(out)
  }

  return {
    push: (text) => {
      buffer += text
      return run(false)
    },
    end: () => run(true)
  }
}

/** Neighbouring texts as one. */
export const join = (parts: ReadonlyArray<FoundPart>): ReadonlyArray<FoundPart> => {
  const out: Array<FoundPart> = []
  for (const part of parts) {
    const last = out[out.length - 1]
    const joins = part._tag === "Text" && last?._tag === "Text"
    if (joins) out[out.length - 1] = { _tag: "Text", text: last.text + part.text }
    else out.push(part)
  }
  return out
}

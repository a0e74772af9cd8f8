/** What image bytes are, by their first bytes: declared types are often wrong. */
import type { ImagePart } from "holdfast/Generated"
import * as Base64 from "./base64.js"

const ascii = (bytes: Uint8Array, offset: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(offset, offset + length))

const heicBrands: ReadonlySet<string> = new Set(["heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"])

const svg = /^\s*(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]{0,200}?-->\s*)?<svg[\s>]/i

/** The MIME type of an image, or undefined when the bytes are none that is known. */
export const sniff = (bytes: Uint8Array): string | undefined => {
  if (bytes.length < 4) return undefined
  if (bytes[0] === 0x89 && ascii(bytes, 1, 3) === "PNG") return "image/png"
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "image/jpeg"
  if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 4) === "WEBP") return "image/webp"
  if (ascii(bytes, 0, 4) === "GIF8") return "image/gif"
  if (ascii(bytes, 4, 4) === "ftyp") {
    const brand = ascii(bytes, 8, 4)
    if (brand === "avif" || brand === "avis") return "image/avif"
    if (heicBrands.has(brand)) return "image/heic"
  }
  if (ascii(bytes, 0, 2) === "BM" && bytes.length > 26) return "image/bmp"
  const order = ascii(bytes, 0, 4)
  if (order === "II*\0" || order === "MM\0*") return "image/tiff"
  if (bytes[0] === 0xff && bytes[1] === 0x0a) return "image/jxl"
  if (ascii(bytes, 4, 4) === "JXL ") return "image/jxl"
  return svg.test(ascii(bytes, 0, 512)) ? "image/svg+xml" : undefined
}

/**
 * An image part out of bytes. Bytes that nobody recognises count as an image only if they are declared as one and are
 * no text: an error page under `image/png` is no image.
 */
export const part = (bytes: Uint8Array, declared: string | undefined): ImagePart | undefined => {
  const sniffed = sniff(bytes)
  if (sniffed !== undefined) return { _tag: "Image", mimeType: sniffed, bytes }
  const type = declared?.split(";")[0]?.trim().toLowerCase()
  if (type === undefined || !/^image\/[a-z0-9.+-]+$/.test(type) || looksLikeText(bytes)) return undefined
  return { _tag: "Image", mimeType: type, bytes }
}

const looksLikeText = (bytes: Uint8Array): boolean => {
  const head = bytes.subarray(0, 256)
  return head.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127))
}

const dataUrl = /^\s*data:([a-z]+\/[a-z0-9.+-]+)?((?:;[a-z0-9._=+"-]+)*),/i

/** Is it a data URL? */
export const isDataUrl = (text: string): boolean => /^\s*data:/i.test(text)

/** An image part out of base64, or out of a data URL in its place. */
export const fromBase64 = (text: string, declared?: string): ImagePart | undefined => {
  const header = isDataUrl(text) ? dataUrl.exec(text.slice(0, 300)) : undefined
  if (header === null) return undefined
  if (header !== undefined && !/;base64/i.test(header[2] ?? "")) return undefined
  const bytes = Base64.decode(header === undefined ? text : text.slice(header[0].length))
  return bytes === undefined ? undefined : part(bytes, header?.[1] ?? declared)
}

/** Are these the same image? */
export const same = (a: ImagePart, b: ImagePart): boolean =>
  a.bytes.length === b.bytes.length && a.bytes.every((byte, index) => byte === b.bytes[index])

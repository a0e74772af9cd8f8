/**
 * Base64 as it comes over the wire: with line breaks and blanks in it, in either alphabet, with or without padding.
 * One pass over strings of many megabytes, without an intermediate copy.
 */
import * as Encoding from "effect/Encoding"

const invalid = 255
const blank = 254

const codes: Uint8Array = (() => {
  const table = new Uint8Array(256).fill(invalid)
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  for (let index = 0; index < 64; index++) table[alphabet.charCodeAt(index)] = index
  table["-".charCodeAt(0)] = 62
  table["_".charCodeAt(0)] = 63
  for (const char of " \t\r\n\f\v") table[char.charCodeAt(0)] = blank
  return table
})()

const padding = "=".charCodeAt(0)

/** The bytes, or undefined when the text is no base64 or stands for nothing. */
export const decode = (input: string): Uint8Array | undefined => {
  const out = new Uint8Array(Math.floor((input.length * 3) / 4))
  let length = 0
  let bits = 0
  let held = 0
  let padded = false
  for (let index = 0; index < input.length; index++) {
    const unit = input.charCodeAt(index)
    if (unit === padding) {
      padded = true
      continue
    }
    const code = unit > 255 ? invalid : (codes[unit] ?? invalid)
    if (code === blank) continue
    if (code === invalid || padded) return undefined
    held = ((held << 6) | code) & 0xffffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      out[length++] = (held >> bits) & 0xff
    }
  }
  // Six bits left over are a character without a partner: the text was cut.
  return length === 0 || bits === 6 ? undefined : out.subarray(0, length)
}

/** Standard alphabet, padded. */
export const encode = (bytes: Uint8Array): string => Encoding.encodeBase64(bytes)

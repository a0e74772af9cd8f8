/**
 * Base64 as it comes over the wire: with line breaks and blanks in it, in either alphabet, with or without padding.
 * One pass over strings of many megabytes, without an intermediate copy.
 */
const invalid = 255
const blank = 254

const alphabet = new TextEncoder().encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

const codes: Uint8Array = (() => {
  const table = new Uint8Array(256).fill(invalid)
  alphabet.forEach((char, index) => void (table[char] = index))
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

/**
 * Standard alphabet, padded. Written as bytes and decoded at once: adding characters to a string takes ten times as
 * long.
 */
export const encode = (bytes: Uint8Array): string => {
  const out = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(padding)
  let length = 0
  for (let index = 0; index < bytes.length; index += 3) {
    const left = bytes.length - index
    // Behind the end there are no bits to add.
    const group = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0)
    out[length] = alphabet[group >> 18] ?? padding
    out[length + 1] = alphabet[(group >> 12) & 63] ?? padding
    if (left > 1) out[length + 2] = alphabet[(group >> 6) & 63] ?? padding
    if (left > 2) out[length + 3] = alphabet[group & 63] ?? padding
    length += 4
  }
  return new TextDecoder().decode(out)
}

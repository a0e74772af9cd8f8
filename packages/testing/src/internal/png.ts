/**
 * A PNG encoder for palette images, in plain TypeScript: 4 bits a pixel, no filter, "stored" deflate blocks.
 *
 * Made for small test images, where compression would only add code. Source: PNG specification (W3C), RFC 1950, 1951.
 */
const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c
})

export const crc32 = (bytes: Uint8Array): number => {
  let c = 0xffffffff
  for (const byte of bytes) c = (crcTable[(c ^ byte) & 0xff] ?? 0) ^ (c >>> 8)
  return (c ^ 0xffffffff) >>> 0
}

export const adler32 = (bytes: Uint8Array): number => {
  let a = 1
  let b = 0
  for (const byte of bytes) {
    a = (a + byte) % 65521
    b = (b + a) % 65521
  }
  return ((b << 16) | a) >>> 0
}

const uint32 = (n: number): ReadonlyArray<number> => [(n >>> 24) & 0xff, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff]

const concat = (parts: ReadonlyArray<ArrayLike<number>>): Uint8Array => {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

const maxStored = 0xffff

/** A zlib stream whose blocks are not compressed. */
export const zlibStored = (bytes: Uint8Array): Uint8Array => {
  const parts: Array<ArrayLike<number>> = [[0x78, 0x01]]
  for (let at = 0; at === 0 || at < bytes.length; at += maxStored) {
    const block = bytes.subarray(at, at + maxStored)
    const size = block.length
    const last = at + maxStored >= bytes.length ? 1 : 0
    parts.push([last, size & 0xff, size >>> 8, ~size & 0xff, (~size >>> 8) & 0xff], block)
  }
  parts.push(uint32(adler32(bytes)))
  return concat(parts)
}

const chunk = (type: string, data: ArrayLike<number>): Uint8Array => {
  const body = concat([[...type].map((char) => char.charCodeAt(0)), data])
  return concat([uint32(data.length), body, uint32(crc32(body))])
}

export type Rgb = readonly [red: number, green: number, blue: number]

export interface Image {
  /** Pixels, at least 1. */
  readonly width: number
  readonly height: number
  /** At most 16 colours. */
  readonly palette: ReadonlyArray<Rgb>
  /** Index into the palette of the pixel at column `x` of row `y`. */
  readonly pixel: (x: number, y: number) => number
}

export const encode = ({ height, palette, pixel, width }: Image): Uint8Array => {
  const stride = 1 + Math.ceil(width / 2)
  const rows = new Uint8Array(stride * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * stride + 1 + (x >> 1)
      rows[at] = (rows[at] ?? 0) | ((pixel(x, y) & 0x0f) << (x & 1 ? 0 : 4))
    }
  }
  return concat([
    signature,
    chunk("IHDR", [...uint32(width), ...uint32(height), 4, 3, 0, 0, 0]),
    chunk("PLTE", palette.flat()),
    chunk("IDAT", zlibStored(rows)),
    chunk("IEND", [])
  ])
}

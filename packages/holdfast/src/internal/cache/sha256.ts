/**
 * SHA-256 (FIPS 180-4).
 *
 * Large inputs go to Web Crypto, off the main thread. Small ones are hashed here, in one synchronous step: a hop to
 * Web Crypto and back costs more than the hash, and happens in real time, which a test's clock cannot see.
 */
import * as Effect from "effect/Effect"

/** Up to this many bytes, about half a millisecond of work, are hashed on the spot. */
export const directLimit = 64 * 1024

const primes = (count: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let n = 2; found.length < count; n++) {
    if (found.every((prime) => n % prime !== 0)) found.push(n)
  }
  return found
}

/** First 32 bits of the fractional part, as the standard derives its constants from the first primes. */
const fraction = (value: number): number => ((value - Math.floor(value)) * 2 ** 32) | 0

const initial = Int32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)))
const constants = Int32Array.from(primes(64), (prime) => fraction(Math.cbrt(prime)))

const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits))

const compress = (state: Int32Array, schedule: Int32Array, block: DataView, offset: number): void => {
  for (let i = 0; i < 16; i++) schedule[i] = block.getInt32(offset + i * 4)
  for (let i = 16; i < 64; i++) {
    const w15 = schedule[i - 15]!
    const w2 = schedule[i - 2]!
    const s0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >>> 3)
    const s1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >>> 10)
    schedule[i] = (schedule[i - 16]! + s0 + schedule[i - 7]! + s1) | 0
  }
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  let e = state[4]!
  let f = state[5]!
  let g = state[6]!
  let h = state[7]!
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + constants[i]! + schedule[i]!) | 0
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  state[0] = (state[0]! + a) | 0
  state[1] = (state[1]! + b) | 0
  state[2] = (state[2]! + c) | 0
  state[3] = (state[3]! + d) | 0
  state[4] = (state[4]! + e) | 0
  state[5] = (state[5]! + f) | 0
  state[6] = (state[6]! + g) | 0
  state[7] = (state[7]! + h) | 0
}

/** The digest, 32 bytes, computed on the spot. */
export const direct = (input: Uint8Array): Uint8Array => {
  const state = Int32Array.from(initial)
  const schedule = new Int32Array(64)
  const whole = input.byteLength - (input.byteLength % 64)
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  for (let offset = 0; offset < whole; offset += 64) compress(state, schedule, view, offset)
  // The rest, a one bit, zeros, and the length in bits as 64 bits.
  const rest = input.subarray(whole)
  const tail = new Uint8Array(rest.byteLength < 56 ? 64 : 128)
  tail.set(rest)
  tail[rest.byteLength] = 0x80
  const end = new DataView(tail.buffer)
  end.setUint32(tail.byteLength - 8, Math.floor(input.byteLength / 2 ** 29))
  end.setUint32(tail.byteLength - 4, (input.byteLength * 8) >>> 0)
  for (let offset = 0; offset < tail.byteLength; offset += 64) compress(state, schedule, end, offset)
  const digest = new DataView(new ArrayBuffer(32))
  state.forEach((word, i) => digest.setInt32(i * 4, word))
  return new Uint8Array(digest.buffer)
}

/** The part of Web Crypto that is used here; absent where a page is not served securely. */
interface WebCrypto {
  readonly subtle?: { readonly digest: (algorithm: "SHA-256", data: Uint8Array) => Promise<ArrayBuffer> } | undefined
}

/** The digest, 32 bytes. */
export const digest = (input: Uint8Array): Effect.Effect<Uint8Array> => {
  const subtle = (globalThis as { readonly crypto?: WebCrypto }).crypto?.subtle
  if (subtle === undefined || input.byteLength <= directLimit) return Effect.sync(() => direct(input))
  return Effect.map(Effect.promise(() => subtle.digest("SHA-256", input)), (buffer) => new Uint8Array(buffer))
}

/**
 * The key of a request: a versioned SHA-256 over an unambiguous encoding of everything that may change the result.
 *
 * What is not in the key: `timeouts`, which change how long an answer may take and not what it is, and the endpoint or
 * model that a policy chooses, unless the request names a model.
 */
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import { type GenerationRequest, type Modality, modalities } from "../../GenerationRequest.js"
import * as Sha256 from "./sha256.js"

/** Changes whenever the encoding does, so that an old entry is never taken for a new one. */
export const prefix = "holdfast-1-"

/** Collects values, each led by its kind and length, so that no two different sequences have the same bytes. */
class Encoder {
  private readonly chunks: Array<Uint8Array> = []
  private length = 0

  private push(chunk: Uint8Array): void {
    this.chunks.push(chunk)
    this.length += chunk.byteLength
  }

  /** A kind, and a length or count: 5 bytes. */
  head(kind: "s" | "n" | "b" | "l", size: number): void {
    const head = new Uint8Array(5)
    head[0] = kind.charCodeAt(0)
    new DataView(head.buffer).setUint32(1, size)
    this.push(head)
  }

  /** As UTF-16, so that even text with unpaired surrogates stays distinct. */
  string(value: string): void {
    this.head("s", value.length)
    const bytes = new Uint8Array(value.length * 2)
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      bytes[i * 2] = unit >> 8
      bytes[i * 2 + 1] = unit & 0xff
    }
    this.push(bytes)
  }

  /** As a double; both zeros are one number. */
  number(value: number): void {
    this.head("n", 8)
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setFloat64(0, value === 0 ? 0 : value)
    this.push(bytes)
  }

  bytes(value: Uint8Array): void {
    this.head("b", value.byteLength)
    this.push(value)
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.length)
    let offset = 0
    for (const chunk of this.chunks) {
      out.set(chunk, offset)
      offset += chunk.byteLength
    }
    return out
  }
}

/** A request with the bytes of its images replaced by their digests: small whatever the images are. */
interface Hashed extends Omit<GenerationRequest, "images"> {
  readonly modalities: ReadonlyArray<Modality>
  readonly images: ReadonlyArray<readonly [mimeType: string, digest: Uint8Array]>
}

type Field = Exclude<keyof GenerationRequest, "timeouts">

const text = (value: string | undefined) =>
  value === undefined ? undefined : (out: Encoder) => out.string(value)

const number = (value: number | undefined) =>
  value === undefined ? undefined : (out: Encoder) => out.number(value)

/**
 * How each field is written; nothing for one that is absent or has its default. The type makes a new field of a
 * request an error here until its place in the key is decided.
 */
const writers: { readonly [K in Field]: (request: Hashed) => ((out: Encoder) => void) | undefined } = {
  prompt: (request) => text(request.prompt),
  model: (request) => text(request.model),
  modalities: (request) => {
    // What the answer must contain is a set: neither order nor repetition matters.
    const asked = [...new Set(request.modalities)].sort()
    return (out) => {
      out.head("l", asked.length)
      for (const modality of asked) out.string(modality)
    }
  },
  images: ({ images }) =>
    images.length === 0 ? undefined : (out) => {
      out.head("l", images.length)
      for (const [mimeType, digest] of images) {
        out.string(mimeType)
        out.bytes(digest)
      }
    },
  system: (request) => text(request.system),
  aspectRatio: (request) => text(request.aspectRatio),
  imageSize: (request) => text(request.imageSize),
  count: (request) => number(request.count === 1 ? undefined : request.count),
  seed: (request) => number(request.seed),
  temperature: (request) => number(request.temperature),
  maxOutputTokens: (request) => number(request.maxOutputTokens)
}

const fields = Object.keys(writers).sort() as ReadonlyArray<Field>

const encode = (namespace: string, request: Hashed): Uint8Array => {
  const out = new Encoder()
  out.string(namespace)
  for (const field of fields) {
    const write = writers[field](request)
    if (write === undefined) continue
    out.string(field)
    write(out)
  }
  return out.finish()
}

/** The key of a request within a namespace: letters, digits and dashes only. */
export const make = (namespace: string, request: GenerationRequest): Effect.Effect<string> =>
  Effect.forEach(request.images ?? [], (image) =>
    Effect.map(Sha256.digest(image.bytes), (digest) => [image.mimeType, digest] as const)
  ).pipe(
    Effect.flatMap((images) =>
      Sha256.digest(encode(namespace, { ...request, modalities: modalities(request), images }))
    ),
    Effect.map((digest) => prefix + Encoding.encodeHex(digest))
  )

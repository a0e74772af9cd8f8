/** What the dialects share: what a request asks for, what the model made of it, and the answer before it is sent. */
import * as Encoding from "effect/Encoding"
import * as Picture from "./picture.js"
import { hashText } from "./random.js"

/** A request, read from any dialect. */
export interface Ask {
  readonly model: string
  readonly prompt: string
  readonly wantsImage: boolean
  readonly wantsText: boolean
  /** Alternatives asked for: Gemini candidates, OpenAI choices. */
  readonly candidates: number
  readonly shape: Picture.Shape
  readonly stream: boolean
}

export const placements = [
  "images",
  "content-image-url",
  "content-image",
  "content-inline-data",
  "markdown",
  "markdown-url",
  "bare-url"
] as const

export type Placement = (typeof placements)[number]

/** What changes an answer without changing how it is sent. */
export type BodyFault = "error-after-200" | "malformed-json" | "missing-finish-reason" | "empty" | "blocked"

export interface Style {
  readonly placement: Placement
  /** Images per candidate. */
  readonly images: number
  readonly drafts: number
  readonly fault: BodyFault | undefined
  /** Seconds since the epoch. */
  readonly time: number
  readonly id: string
  /** Keeps an image for a hosted URL, and gives that URL. */
  readonly host: (png: Uint8Array) => string
}

/** An answer: its head, and the pieces of its body. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly pieces: ReadonlyArray<string>
  /** How many pieces may go out while the work goes on; 0 when the answer is one piece. */
  readonly early: number
}

/** What is wrong, before a dialect puts it into its words. */
export type Problem =
  | { readonly _tag: "Overloaded"; readonly retryAfter: number | undefined }
  | { readonly _tag: "Expired"; readonly retryAfter: number | undefined }
  | { readonly _tag: "RateLimited"; readonly retryAfter: number | undefined; readonly limit: number | undefined }
  | { readonly _tag: "Internal" }
  | { readonly _tag: "GatewayTimeout" }
  | { readonly _tag: "Unauthenticated" }
  | { readonly _tag: "ModelNotFound"; readonly model: string }
  | { readonly _tag: "NotFound"; readonly path: string }
  | { readonly _tag: "TooLarge"; readonly limit: number }
  | { readonly _tag: "Invalid"; readonly field: string; readonly message: string }
  | { readonly _tag: "Blocked" }

/** A request that cannot be read: which field, and why. */
export class Unreadable extends Error {
  constructor(
    readonly field: string,
    message: string
  ) {
    super(message)
  }
}

export const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { "content-type": "application/json; charset=UTF-8", ...headers },
  pieces: [JSON.stringify(body)],
  early: 0
})

/** JSON that ends in the middle. */
export const truncated = (text: string): string => text.slice(0, Math.max(1, Math.floor(text.length * 0.6)))

/** The wait in seconds as protobuf's JSON writes a duration. */
export const duration = (seconds: number): string => `${Number(seconds.toFixed(6))}s`

/** Models that make images without being told to. */
export const isImageModel = (model: string): boolean => /image|banana/i.test(model)

/** Models that think in pictures before they answer. */
export const isThinkingModel = (model: string): boolean => /gemini-3[\w.]*-pro|banana-pro/i.test(model)

/** Tokens of one image, as image models of this kind count. */
export const imageTokens = 1290

export const textTokens = (text: string): number => Math.max(1, Math.ceil(text.length / 4))

const words = "amber boat cloud dusk ember field glass harbour island juniper kite lantern".split(" ")

/** What the model says; no word of the prompt is repeated. */
export const say = (ask: Ask): string => {
  if (ask.wantsImage) return "Here is the picture."
  const h = hashText(ask.prompt)
  return `${[0, 4, 8, 12].map((shift) => words[((h >>> shift) & 0xff) % words.length] ?? "").join(" ")}.`
}

/** The images of one candidate. */
export const pictures = (ask: Ask, style: Style, candidate: number): ReadonlyArray<Uint8Array> =>
  ask.wantsImage && style.fault !== "empty"
    ? Array.from({ length: style.images }, (_, i) => Picture.draw(ask.prompt, `${candidate}.${i}`, ask.shape))
    : []

export const drafts = (ask: Ask, style: Style): ReadonlyArray<Uint8Array> => {
  const shape: Picture.Shape = { ...ask.shape, size: "512" }
  const length = ask.wantsImage ? style.drafts : 0
  return Array.from({ length }, (_, i) => Picture.draw(ask.prompt, `draft ${i}`, shape))
}

export const base64 = (bytes: Uint8Array): string => Encoding.encodeBase64(bytes)

export const dataUrl = (png: Uint8Array): string => `data:image/png;base64,${base64(png)}`

/** An image as text, for relays that have no other place for it. */
export const inText = (png: Uint8Array, placement: Placement, style: Style): string =>
  placement === "markdown"
    ? `![image](${dataUrl(png)})`
    : placement === "markdown-url"
      ? `![image](${style.host(png)})`
      : style.host(png)

/** The result of a generation: what came back, from where, and what it took. */
import type { Attempt } from "./GenerationError.js"

export interface TextPart {
  readonly _tag: "Text"
  readonly text: string
}

export interface ImagePart {
  readonly _tag: "Image"
  /** What the bytes are, by their first bytes rather than by what the provider calls them. */
  readonly mimeType: string
  readonly bytes: Uint8Array
}

export type Part = TextPart | ImagePart

/** Tokens as the provider counts them; what it does not report is absent. */
export interface Usage {
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  /** Tokens of drafts and reasoning that are billed and not shown. */
  readonly thoughtTokens?: number | undefined
  readonly totalTokens?: number | undefined
}

/** Why the model stopped: the provider's own word, an open set. */
export type FinishReason = string

export interface Generated {
  /** Text and images in the order in which the model gave them, drafts left out. */
  readonly parts: ReadonlyArray<Part>
  readonly usage: Usage
  readonly finishReason: FinishReason
  /** The endpoint that answered. */
  readonly endpoint: string
  /** The model that answered, in the provider's words. */
  readonly model: string
  /** Every attempt of the generation, the successful one last. Empty when a cache answered. */
  readonly attempts: ReadonlyArray<Attempt>
  /** The provider's id of the answer. */
  readonly responseId?: string | undefined
}

/** The last piece of a stream. */
export interface Finish {
  readonly _tag: "Finish"
  readonly finishReason: FinishReason
  readonly usage: Usage
  readonly endpoint: string
  readonly model: string
  readonly responseId?: string | undefined
}

/** One piece of a streamed generation: text as it comes, whole images, and exactly one `Finish` at the end. */
export type Chunk = Part | Finish

/** The images of a result, in order. */
export const images = (self: Pick<Generated, "parts">): ReadonlyArray<ImagePart> =>
  self.parts.filter((part) => part._tag === "Image")

/** The text of a result, joined. */
export const text = (self: Pick<Generated, "parts">): string =>
  self.parts.map((part) => (part._tag === "Text" ? part.text : "")).join("")

/** What one answer, or one event of a stream, says: the common ground of the dialects. */
import type { FinishReason, ImagePart, Usage } from "holdfast/Generated"
import type { HostedPart } from "./textParts.js"

/** Text as it came, in which images may hide. */
export interface RawText {
  readonly _tag: "Raw"
  readonly text: string
}

export type Piece = RawText | ImagePart | HostedPart

export interface Message {
  readonly pieces: ReadonlyArray<Piece>
  readonly finishReason: FinishReason | undefined
  /** Why a content policy refused the prompt. */
  readonly blockReason: string | undefined
  readonly usage: Usage
  readonly model: string | undefined
  readonly responseId: string | undefined
  /** It holds an error instead of an answer. */
  readonly isError: boolean
  /** It is recognisably of this dialect. */
  readonly isAnswer: boolean
}

export const nothing: Message = {
  pieces: [],
  finishReason: undefined,
  blockReason: undefined,
  usage: {},
  model: undefined,
  responseId: undefined,
  isError: false,
  isAnswer: false
}

/** Two messages of one answer; where only one value can stand, the later one does. */
export const merge = (a: Message, b: Message): Message => ({
  pieces: [...a.pieces, ...b.pieces],
  finishReason: b.finishReason ?? a.finishReason,
  blockReason: b.blockReason ?? a.blockReason,
  usage: { ...a.usage, ...b.usage },
  model: b.model ?? a.model,
  responseId: b.responseId ?? a.responseId,
  isError: a.isError || b.isError,
  isAnswer: a.isAnswer || b.isAnswer
})

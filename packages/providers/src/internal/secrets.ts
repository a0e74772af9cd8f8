/**
 * What of a prompt must not be repeated: all of it, and the pieces that are left of it when a provider quotes it cut,
 * escaped or encoded.
 */

/** Pieces shorter than this say nothing, and masking them would make messages unreadable. */
const minPiece = 6
/** A single word this long is telling by itself: a name, an address, a number. */
const minWord = 12
/** Bounds the work for prompts of many pages. */
const maxPieces = 200

/** The prompt, its stretches without characters that JSON escapes, and its long words; the longest first. */
export const ofPrompt = (prompt: string): ReadonlyArray<string> => {
  const head = prompt.slice(0, 16 * 1024)
  const stretches = head.split(/["\\\p{Cc}]+|[^\x20-\x7e]{1,}/u).map((piece) => piece.trim())
  const words = head.split(/[\s"'`,;()<>[\]{}]+/)
  const pieces = [
    ...stretches.filter((piece) => piece.length >= minPiece),
    ...words.filter((word) => word.length >= minWord)
  ]
  return [prompt, ...[...new Set(pieces)].sort((a, b) => b.length - a.length).slice(0, maxPieces)]
}

/** A provider's own word, such as a finish reason: an identifier, or nothing that can be repeated. */
export const word = (value: string): string => (/^[A-Za-z][\w.:-]{0,63}$/.test(value) ? value : "unrecognised")

/** A name that a provider gives, such as a model or an id; undefined when it is none that can be repeated. */
export const name = (value: string): string | undefined =>
  /^[\w.:/@=+-]{1,128}$/.test(value) ? value : undefined

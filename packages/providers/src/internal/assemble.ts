/**
 * From the pieces of an answer to its parts: text is searched for images, and the same image sent twice counts once.
 *
 * Links in text are followed only while the answer holds no image of its own: they are then the answer, and otherwise
 * something that the model talks about.
 */
import type { ImagePart } from "holdfast/Generated"
import * as ImageBytes from "./imageBytes.js"
import type { Piece } from "./message.js"
import * as TextParts from "./textParts.js"

export interface Assembler {
  readonly push: (pieces: ReadonlyArray<Piece>) => ReadonlyArray<TextParts.FoundPart>
  readonly end: () => ReadonlyArray<TextParts.FoundPart>
}

/** `images`: were images asked for? If not, text stays as it is. */
export const make = (options: { readonly images: boolean }): Assembler => {
  const text = TextParts.make({ links: true })
  const seen: Array<ImagePart> = []
  const links = new Set<string>()
  let structured = false

  const keep = (part: TextParts.FoundPart, inText: boolean): ReadonlyArray<TextParts.FoundPart> => {
    switch (part._tag) {
      case "Text":
        return [part]
      case "Image":
        if (seen.some((image) => ImageBytes.same(image, part))) return []
        seen.push(part)
        return [part]
      case "Hosted":
        if (inText && (structured || seen.length > 0)) return [{ _tag: "Text", text: part.source }]
        if (links.has(part.url)) return []
        links.add(part.url)
        return [part]
    }
  }
  const inText = (parts: ReadonlyArray<TextParts.FoundPart>) => parts.flatMap((part) => keep(part, true))

  return {
    push: (pieces) => {
      structured ||= pieces.some((piece) => piece._tag !== "Raw")
      return TextParts.join(
        pieces.flatMap((piece) =>
          piece._tag !== "Raw"
            ? [...inText(text.end()), ...keep(piece, false)]
            : options.images
              ? inText(text.push(piece.text))
              : [{ _tag: "Text", text: piece.text }]
        )
      )
    },
    end: () => TextParts.join(inText(text.end()))
  }
}

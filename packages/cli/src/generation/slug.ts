/** The safe beginning of file names, made from a prompt. */
import { createHash } from "node:crypto"

const longest = 60

/**
 * Letters a-z, digits and single dashes, 1 to 60 of them: accents are dropped, everything else becomes a dash, and a
 * long prompt is cut between words where it can be. A prompt without such letters, in another script for one, gives
 * `image-` and a short hash, so that two of them do not meet.
 */
export const slug = (prompt: string): string => {
  const words = prompt
    .slice(0, 4000)
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
  if (words === "") return `image-${createHash("sha256").update(prompt).digest("hex").slice(0, 8)}`
  if (words.length <= longest) return words
  const cut = words.slice(0, longest + 1).lastIndexOf("-")
  return words.slice(0, cut >= longest / 2 ? cut : longest).replace(/-+$/, "")
}

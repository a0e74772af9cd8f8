/** Finds what a code means, where it stands: under its key, or in prose. */
import * as Table from "./codeTable.js"
import type { Code } from "./unwrap.js"

/** A code that stands for nothing of its own: its parts may (`InternalError.Algo.DataInspectionFailed`). */
const byParts = (value: string): Table.Meaning | undefined => {
  const parts = value.split(/[.:/]/)
  if (parts.length < 2 || parts.length > 6) return undefined
  let found: Table.Meaning | undefined
  for (const part of parts) {
    const meaning = Table.named(part)
    if (meaning !== undefined && (found === undefined || meaning.weight !== "weak")) found = meaning
  }
  return found
}

/** Parameters and prose hold plain words that are codes elsewhere (`tokens`, `missing`, `server`). */
const plainWord = /^[a-z]+$/

/** What a documented code means; undefined for any other. */
export const meaningOf = (code: Code): Table.Meaning | undefined => {
  if (code.key === "baseresp") return Table.ofMiniMax(code.value)
  if (code.key === "quotavalue" || code.key === "quotametric") return undefined
  if (code.key === "grpcstatus") return Table.ofGrpc(code.value)
  if (/^\d+$/.test(code.value)) return code.key === "param" ? undefined : Table.numbered(code.value)
  if ((code.key === "" || code.key === "param") && plainWord.test(code.value)) return undefined
  const exact = Table.named(code.value)
  if (exact !== undefined && code.key === "param" && exact.weight !== "hard") return undefined
  return exact ?? byParts(code.value)
}

/** A code as words, for the vocabulary: `ModelTpmRateLimitExceeded` → `model tpm rate limit exceeded`. */
export const spell = (code: string): string =>
  code.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/[_.:/-]+/g, " ").toLowerCase()

/** "Did you mean": the closest of a list of words, if one is close enough to be what was meant. */

/** Insertions, deletions, substitutions and swaps of neighbours that lead from one word to the other. */
export const distance = (a: string, b: string): number => {
  let before: Array<number> = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1)
      row.push(best)
    }
    before = previous
    previous = row
  }
  return previous[b.length] ?? 0
}

/** The word that was probably meant; longer words forgive more. `undefined` when none is near. */
export const nearest = (word: string, candidates: Iterable<string>): string | undefined => {
  const typed = word.toLowerCase().slice(0, 64)
  let best: { readonly word: string; readonly distance: number } | undefined
  for (const candidate of candidates) {
    const target = candidate.toLowerCase()
    const begins = typed.length >= 3 && target.startsWith(typed)
    const found = begins ? 0.5 : distance(typed, target)
    const allowed = begins ? 1 : Math.max(1, Math.floor(Math.min(typed.length, target.length) / 3))
    if (found <= allowed && (best === undefined || found < best.distance)) best = { word: candidate, distance: found }
  }
  return best?.word
}

/** `; did you mean X?`, or nothing. */
export const suggestion = (word: string, candidates: Iterable<string>, prefix = ""): string => {
  const found = nearest(word, candidates)
  return found === undefined ? "" : `; did you mean ${prefix}${found}?`
}

/** A binary heap by a number, earliest first; equal keys come out in the order in which they went in. */
export interface Heap<A> {
  readonly size: () => number
  /** The smallest key, or `Infinity`. */
  readonly first: () => number
  readonly push: (key: number, value: A) => void
  readonly pop: () => A | undefined
}

interface Entry<A> {
  readonly key: number
  readonly order: number
  readonly value: A
}

const before = <A>(a: Entry<A>, b: Entry<A>): boolean => a.key < b.key || (a.key === b.key && a.order < b.order)

export const make = <A>(): Heap<A> => {
  const entries: Array<Entry<A>> = []
  let order = 0

  const sink = (entry: Entry<A>): void => {
    let i = 0
    for (;;) {
      const left = entries[2 * i + 1]
      if (left === undefined) break
      const right = entries[2 * i + 2]
      const [child, at] = right !== undefined && before(right, left) ? [right, 2 * i + 2] : [left, 2 * i + 1]
      if (!before(child, entry)) break
      entries[i] = child
      i = at
    }
    entries[i] = entry
  }

  return {
    size: () => entries.length,
    first: () => entries[0]?.key ?? Infinity,
    push: (key, value) => {
      const entry = { key, order: order++, value }
      let i = entries.push(entry) - 1
      while (i > 0) {
        const parentAt = (i - 1) >> 1
        const parent = entries[parentAt]
        if (parent === undefined || !before(entry, parent)) break
        entries[i] = parent
        i = parentAt
      }
      entries[i] = entry
    },
    pop: () => {
      const top = entries[0]
      const last = entries.pop()
      if (last !== undefined && entries.length > 0) sink(last)
      return top?.value
    }
  }
}

/** Those who wait, by priority and then in the order in which they came. */
export class Parked<T extends { readonly priority: number }> {
  private readonly lines = new Map<number, Set<T>>()
  size = 0

  add(one: T): void {
    const line = this.lines.get(one.priority)
    if (line === undefined) this.lines.set(one.priority, new Set([one]))
    else line.add(one)
    this.size++
  }

  delete(one: T): void {
    const line = this.lines.get(one.priority)
    if (line?.delete(one) !== true) return
    this.size--
    if (line.size === 0) this.lines.delete(one.priority)
  }

  /** Whose turn it is. */
  first(): T | undefined {
    let highest = -Infinity
    for (const priority of this.lines.keys()) highest = Math.max(highest, priority)
    const [first] = this.lines.get(highest) ?? []
    return first
  }

  /** All of them, in no order. May be changed meanwhile. */
  *all(): Iterable<T> {
    for (const line of this.lines.values()) yield* line
  }
}

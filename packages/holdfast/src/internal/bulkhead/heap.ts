/** A binary heap whose items know their place, so that any of them can be taken out or moved in logarithmic time. */

/** The place of an item that is in no heap. */
export const nowhere = -1

/** `slot` names the field in which an item of this heap keeps its place; an item can be in one heap for each slot. */
export class Heap<K extends string, T extends Record<K, number>> {
  private readonly items: Array<T> = []

  constructor(private readonly slot: K, private readonly before: (a: T, b: T) => boolean) {}

  get first(): T | undefined {
    return this.items[0]
  }

  get size(): number {
    return this.items.length
  }

  add(item: T): void {
    this.items.push(item)
    this.up(item, this.items.length - 1)
  }

  /** Takes out an item; one that is not in the heap is left alone. */
  remove(item: T): void {
    const place = item[this.slot]
    if (place === nowhere) return
    this.put(item, nowhere)
    const last = this.items.pop()
    if (last === undefined || last === item) return
    this.items[place] = last
    this.put(last, place)
    this.move(last)
  }

  /** To be called when the rank of an item has changed. */
  move(item: T): void {
    const place = item[this.slot]
    this.up(item, place)
    if (item[this.slot] === place) this.down(item, place)
  }

  private put(item: Record<K, number>, place: number): void {
    item[this.slot] = place
  }

  private up(item: T, from: number): void {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = this.items[parent]
      if (above === undefined || !this.before(item, above)) break
      this.items[place] = above
      this.put(above, place)
      place = parent
    }
    this.items[place] = item
    this.put(item, place)
  }

  private down(item: T, from: number): void {
    let place = from
    for (;;) {
      const left = 2 * place + 1
      let child = this.items[left]
      let at = left
      const right = this.items[left + 1]
      if (right !== undefined && child !== undefined && this.before(right, child)) {
        child = right
        at = left + 1
      }
      if (child === undefined || !this.before(child, item)) break
      this.items[place] = child
      this.put(child, place)
      place = at
    }
    this.items[place] = item
    this.put(item, place)
  }
}

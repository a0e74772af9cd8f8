/** A doubly linked list whose items carry their own links: constant time to append and remove, no node to pay for. */

/** What an item carries; both are undefined while it is in no chain. An item is in one chain at a time. */
export interface Link<T> {
  previous: T | undefined
  next: T | undefined
}

export class Chain<T extends Link<T>> {
  first: T | undefined = undefined
  last: T | undefined = undefined

  append(item: T): void {
    item.previous = this.last
    if (this.last === undefined) this.first = item
    else this.last.next = item
    this.last = item
  }

  /** Takes out an item that is in this chain, and cuts its links, so that it keeps nobody in memory. */
  remove(item: T): void {
    if (item.previous === undefined) this.first = item.next
    else item.previous.next = item.next
    if (item.next === undefined) this.last = item.previous
    else item.next.previous = item.previous
    item.previous = undefined
    item.next = undefined
  }

  moveToEnd(item: T): void {
    if (this.last === item) return
    this.remove(item)
    this.append(item)
  }

  *[Symbol.iterator](): Generator<T> {
    for (let item = this.first; item !== undefined; item = item.next) yield item
  }
}

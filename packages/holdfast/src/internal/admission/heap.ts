/** A binary heap whose members know their place, so that any of them can be taken out in logarithmic time. */

/** How members compare, and where they keep their place; `-1` for none. */
export interface Ranking<in T> {
  readonly before: (a: T, b: T) => boolean
  readonly placeOf: (member: T) => number
  readonly setPlace: (member: T, place: number) => void
}

export class Heap<T> {
  private readonly members: Array<T> = []

  constructor(private readonly ranking: Ranking<T>) {}

  get size(): number {
    return this.members.length
  }

  /** The member that comes before all others. */
  first(): T | undefined {
    return this.members[0]
  }

  push(member: T): void {
    this.members.push(member)
    this.up(member, this.members.length - 1)
  }

  /** Takes a member out; does nothing when it is not in. */
  remove(member: T): void {
    const place = this.ranking.placeOf(member)
    if (place < 0) return
    this.ranking.setPlace(member, -1)
    const last = this.members.pop()
    if (last === undefined || place === this.members.length) return
    // The last member fills the gap and moves to where it belongs, in whichever direction that is.
    this.up(last, place)
    this.down(last, this.ranking.placeOf(last))
  }

  private up(member: T, from: number): void {
    const { members, ranking } = this
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = members[parent]!
      if (!ranking.before(member, above)) break
      members[place] = above
      ranking.setPlace(above, place)
      place = parent
    }
    members[place] = member
    ranking.setPlace(member, place)
  }

  private down(member: T, from: number): void {
    const { members, ranking } = this
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= members.length) break
      if (child + 1 < members.length && ranking.before(members[child + 1]!, members[child]!)) child++
      const below = members[child]!
      if (!ranking.before(below, member)) break
      members[place] = below
      ranking.setPlace(below, place)
      place = child
    }
    members[place] = member
    ranking.setPlace(member, place)
  }
}

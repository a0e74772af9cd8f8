/**
 * The account of a lane as it will be once everybody ahead has started: who asks next would start when? Built once and
 * then led on, call by call, so that a long queue is looked through in one pass over it.
 */
import type { Account, Costs } from "./account.js"
import * as Window from "./window.js"

/** A window on its way into the future; times never go back. */
interface Track {
  readonly startOf: (cost: number, from: number) => number
  readonly take: (cost: number, start: number) => void
}

const trackOf = (window: Window.Window): Track => {
  if (window._tag === "Sliding") return new SlidingTrack(window)
  let current: Window.Window = window
  return {
    startOf: (cost, from) => Window.earliest(current, cost, from),
    take: (cost, start) => {
      current = Window.spend(current, cost, start)
    }
  }
}

/** As `Window.earliest` and `Window.spend` do it, without a copy for each call. */
class SlidingTrack implements Track {
  private readonly spent: Array<Window.Spent>
  private first = 0
  private total: number

  constructor(private readonly window: Window.Sliding) {
    this.spent = [...window.spent]
    this.total = this.spent.reduce((sum, { cost }) => sum + cost, 0)
  }

  startOf(cost: number, from: number): number {
    if (cost === 0) return from
    this.age(from)
    const { length, limit } = this.window
    let total = this.total + cost
    let free = from
    for (let index = this.first; index < this.spent.length && total > limit + Window.slack; index++) {
      const entry = this.spent[index]!
      total -= entry.cost
      free = Math.ceil(entry.at + length)
    }
    return free
  }

  take(cost: number, start: number): void {
    if (cost === 0) return
    this.age(start)
    this.spent.push({ at: start, cost })
    this.total += cost
  }

  private age(now: number): void {
    while (this.first < this.spent.length && this.spent[this.first]!.at + this.window.length <= now) {
      this.total -= this.spent[this.first++]!.cost
    }
    if (this.first < 512 || this.first * 2 < this.spent.length) return
    this.spent.splice(0, this.first)
    this.first = 0
  }
}

export class Outlook {
  private readonly tracks: ReadonlyArray<Track>

  /** When the last so far starts: nobody starts before those ahead. */
  private at: number

  constructor(account: Account, now: number) {
    // What is granted and has not started is taken to start now.
    this.tracks = account.windows.map((window) =>
      trackOf(Window.spend(Window.letGo(window, window.held), window.held, now)))
    this.at = Math.max(now, Math.ceil(account.drainedUntil))
  }

  /** When a call with these costs would start, not before `now`. */
  startOf(costs: Costs, now: number): number {
    const from = Math.max(this.at, now)
    return this.tracks.reduce((latest, track, index) => Math.max(latest, track.startOf(costs[index]!, from)), from)
  }

  /** It goes ahead of those who are asked about next. */
  take(costs: Costs, start: number): void {
    this.tracks.forEach((track, index) => track.take(costs[index]!, start))
    this.at = start
  }
}

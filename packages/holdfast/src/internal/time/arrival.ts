/** When deferred work may start: pure, and the same rule for schedules and gates. */
import * as LoadProfile from "../../LoadProfile.js"

/** Starts between `from` and `from + width`, in milliseconds; chance decides where. */
export interface Arrival {
  readonly from: number
  readonly width: number
}

export interface Bounds {
  readonly atMost: LoadProfile.Level
  /** No start before this, in milliseconds since the epoch. */
  readonly earliest: number
  /** No start after this. */
  readonly latest: number
  /** Over how much of a window the starts are spread. */
  readonly spread: number
}

/**
 * Inside a window: as early as may be. Otherwise within the first `spread` of the next window, as much of it as lies
 * before both the window's end and `latest`. `undefined` when there is no such time.
 */
export const place = (profile: LoadProfile.LoadProfile, bounds: Bounds): Arrival | undefined => {
  const { atMost, latest, spread } = bounds
  const earliest = Math.ceil(bounds.earliest)
  if (earliest > latest) return undefined
  const window = LoadProfile.nextAtMost(profile, atMost, earliest)
  if (window === undefined || window.start > latest) return undefined
  if (window.start <= earliest) return { from: earliest, width: 0 }
  return { from: window.start, width: Math.min(spread, window.end - window.start, latest - window.start) }
}

/** The instant that chance `u`, uniform on [0, 1), picks: whole milliseconds, evenly over the width. */
export const pick = (arrival: Arrival, u: number): number => arrival.from + Math.floor(u * arrival.width)

/** Questions about all endpoints of a balancer: who can take a call, who comes back when, who is worse than the rest. */
import type { Node, Rules } from "./node.js"

type Nodes = ReadonlyArray<Node>

/** The endpoints that a call may go to now, of those not tried; none if it has to wait. */
export const usable = (nodes: Nodes, tried: ReadonlySet<Node>, now: number): Nodes => {
  const untried = nodes.filter((node) => !tried.has(node))
  const warm = untried.filter((node) => node.coolingAt(now) === undefined && node.hasRoom(now))
  const sound = warm.filter((node) => {
    const { _tag } = node.healthAt(now)
    return _tag === "Fit" || (_tag === "Trial" && node.hasTrial(now))
  })
  if (sound.length > 0) return sound
  // Panic: an endpoint that is left out by our own judgement is better than none.
  if (warm.length > 0) return warm
  // Those that refuse us for good come last: a call that they get fails. Where all do, it tells why.
  const hopeless = tried.size === 0 && untried.every((node) => node.coolingAt(now)?.aside === true)
  return hopeless ? untried : []
}

/** When the first of those not tried can take a call again, if none can now. */
export const nextReturn = (nodes: Nodes, tried: ReadonlySet<Node>, now: number): number => {
  let next = Infinity
  for (const node of nodes) {
    if (tried.has(node)) continue
    const cooling = node.coolingAt(now)
    next = Math.min(next, cooling === undefined ? node.nextRoomAt(now) : cooling.until)
  }
  return next
}

export const ejected = (nodes: Nodes, now: number): number =>
  nodes.filter((node) => node.healthAt(now)._tag === "Ejected").length

/** Does it succeed far less often than the others do together? */
export const isOutlier = (nodes: Nodes, node: Node, { minimumCalls, outlierRatio }: Rules, now: number): boolean => {
  const own = node.tallyAt(now)
  if (own.all < minimumCalls) return false
  let good = 0
  let all = 0
  for (const other of nodes) {
    if (other === node) continue
    const tally = other.tallyAt(now)
    good += tally.good
    all += tally.all
  }
  return all >= minimumCalls && own.good / own.all < (good / all) * outlierRatio
}

/** What a generation takes, in milliseconds, as long as none has been heard of. */
const usual = 30_000

/** An endpoint that has not answered yet is taken for as fast as the fastest, so that it is tried. */
export const lowestLatency = (nodes: Nodes, now: number): number => {
  let lowest = Infinity
  for (const node of nodes) lowest = Math.min(lowest, node.knownLatency(now) ?? Infinity)
  return lowest === Infinity ? usual : lowest
}

/**
 * One call on its way through a balancer: an endpoint is chosen, its own policy is asked, and where that refuses before
 * anything was sent, the next best is tried. Each effect that is run, and each stream, is a visit of its own.
 */
import * as Duration from "effect/Duration"
import type * as Fiber from "effect/Fiber"
import type { Call } from "../../CurrentCall.js"
import type { NoEndpoint, Rejected, Tag } from "../../Rejected.js"
import { isRejected } from "../../Rejected.js"
import type { Gate } from "../gate.js"
import * as Timer from "../timer.js"
import type { Node, Ticket } from "./node.js"
import { type Pool, unrefused } from "./pool.js"

/** Refusals that are about an endpoint and come before anything is sent: another endpoint may take the call. */
const aboutTheEndpoint: ReadonlySet<Tag> = new Set([
  "CircuitOpen",
  "QueueFull",
  "Shed",
  "LimitExceeded",
  "NoEndpoint"
])

const millisOf = (error: Rejected): number =>
  error.retryAfter === undefined ? Infinity : Duration.toMillis(error.retryAfter)

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

export class Visit {
  /** Has the effect begun, inside the endpoint's own policy? */
  began = false
  private refusals = unrefused
  private ticket: Ticket | undefined = undefined
  private fiber: AnyFiber | undefined = undefined
  private call: Call | undefined = undefined
  private startedBefore: number | undefined = undefined

  constructor(private readonly pool: Pool) {}

  /** The endpoint that the call is at; `undefined` for one that is none of the pool's. */
  get node(): Node | undefined {
    return this.ticket?.node
  }

  readonly gate: Gate<NoEndpoint, Ticket | undefined> = {
    enter: (asker) => {
      const { call, fiber } = asker
      const { pool } = this
      this.ticket = undefined
      this.fiber = fiber
      this.call = call
      this.startedBefore = call.log?.started
      if (call.endpoint !== undefined) {
        const node = pool.named(call.endpoint)
        return node === undefined ? { _tag: "Entered", ticket: undefined } : pool.send(node, asker, pool.at(asker.now))
      }
      return pool.arrive(asker, this.refusals)
    },
    within: (ticket, call) => {
      this.ticket = ticket
      if (ticket === undefined) return call
      const { model, name } = ticket.node
      return { ...call, endpoint: name, model: call.endpoint === name ? (call.model ?? model) : (model ?? call.model) }
    },
    leave: (ticket, how, wall) => {
      if (ticket === undefined) return
      const sent = how !== "never-started" && this.sent
      this.pool.leave(ticket, how, sent, wall, this.fiber!)
    }
  }

  /** Something of a streamed answer has come. */
  heard(): void {
    if (this.ticket !== undefined) this.ticket.node.hear(this.ticket, this.pool.at(Timer.nowOf(this.fiber!)))
  }

  /** What becomes of a failure: the next endpoint, or an error. */
  after<E>(error: E): "next" | { readonly error: E } {
    const { call, fiber, pool, ticket } = this
    // A refusal of our own, or a call that is none of ours.
    if (ticket === undefined || call?.endpoint !== undefined) return { error }
    if (!isRejected(error)) return { error: pool.tempered(error, Timer.nowOf(fiber!)) }
    if (!aboutTheEndpoint.has(error._tag) || this.sent || pool.config.nodes.length === 1) return { error }
    const { backAt, told, tried } = this.refusals
    const { node } = ticket
    const says = `${node.name}: ${error._tag}`
    this.refusals = {
      tried: new Set(tried).add(node),
      told: told === "" ? says : `${told}, ${says}`,
      backAt: Math.min(backAt, pool.at(Timer.nowOf(fiber!)) + millisOf(error))
    }
    return "next"
  }

  /**
   * May something have been sent? Not before the endpoint's own policy let it in. After that only the log of attempts
   * can tell that it was not.
   */
  private get sent(): boolean {
    return this.began && (this.startedBefore === undefined || this.call?.log?.started !== this.startedBefore)
  }
}

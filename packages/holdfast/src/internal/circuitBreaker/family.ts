/** All breakers of one policy, and what holds for them together: the gate, isolation, and what is shown of them. */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type { Call } from "../../CurrentCall.js"
import * as GenerationError from "../../GenerationError.js"
import { CircuitOpen } from "../../Rejected.js"
import type { Gate, Leave } from "../gate.js"
import { Breaker, type Settings, type Ticket } from "./breaker.js"
import { Monotone } from "./monotone.js"
import { type Limits, Registry } from "./registry.js"
import type { Rules } from "./rules.js"
import * as Saved from "./snapshot.js"
import * as Core from "./state.js"
import type { State, Transition } from "./view.js"
import * as Window from "./window.js"

export interface FamilyOptions {
  readonly name: string
  readonly rules: Rules
  readonly limits: Limits
  readonly dryRun: boolean
  readonly keyOf: (call: Call) => string
  readonly isFailure: (error: unknown) => boolean
  /** What it throws is ignored. */
  readonly onTransition: (transition: Transition) => void
}

/** A number in [0, 1) from the random service of a fiber. */
const draw = (fiber: Fiber.RuntimeFiber<unknown, unknown>): number =>
  Effect.runSync(Context.get(fiber.currentDefaultServices, Random.Random).next)

export class Family {
  private readonly time = new Monotone()
  private readonly registry: Registry
  /** How many hold open all, and how many a single key. */
  private isolations = 0
  private readonly isolatedKeys = new Map<string, number>()

  constructor(private readonly options: FamilyOptions) {
    const { dryRun, limits, rules } = options
    const settings: Settings = {
      rules,
      dryRun,
      onChange: ({ key, state }, from, now) => {
        if (!this.isIsolated(key)) this.announce(key, from._tag, state._tag, state, now)
      }
    }
    this.registry = new Registry(limits, (key) => new Breaker(key, settings, Core.closed(0)))
  }

  readonly gate: Gate<CircuitOpen, Ticket | undefined> = {
    enter: ({ call, fiber, now: wall }) => {
      const key = this.options.keyOf(call)
      if (!this.options.dryRun && this.isIsolated(key)) return { _tag: "Refused", error: this.refusal(undefined) }
      const now = this.time.at(wall)
      const ticket = this.registry.get(key, now)?.enter(now, () => draw(fiber))
      return typeof ticket === "number"
        ? { _tag: "Refused", error: this.refusal(ticket) }
        : { _tag: "Entered", ticket }
    },
    leave: (ticket, how, wall) => {
      if (ticket === undefined) return
      const { retryAfter, verdict } = this.judge(how)
      ticket.breaker.leave(ticket, verdict, retryAfter, this.time.at(wall))
    }
  }

  keyOf(call: Call): string {
    return this.options.keyOf(call)
  }

  /** Something of a streamed answer has come. */
  answered(ticket: Ticket, wall: number): void {
    ticket.breaker.answered(ticket, this.time.at(wall))
  }

  state(key: string, wall: number): State {
    if (this.isIsolated(key)) return { _tag: "Isolated" }
    const now = this.time.at(wall)
    const breaker = this.registry.find(key)
    const state = breaker?.peek(now) ?? Core.closed(0)
    switch (state._tag) {
      case "Closed": {
        const { calls, failures, slow } = Window.totals(state.window, this.options.rules.window, now)
        const overdue = breaker?.overdueAt(now) ?? 0
        return { _tag: "Closed", consecutiveFailures: state.consecutive, calls, failures, slow, overdue }
      }
      case "Open": {
        const { cause, openings, since, until } = state
        return { _tag: "Open", cause, since: this.time.wall(since), until: this.time.wall(until), openings }
      }
      case "HalfOpen": {
        const { cause, openings, successes } = state
        return { _tag: "HalfOpen", cause, openings, probes: Core.occupied(this.options.rules, state, now), successes }
      }
    }
  }

  states(wall: number): ReadonlyMap<string, State> {
    const keys = new Set([...this.registry.values()].map(({ key }) => key).concat(...this.isolatedKeys.keys()))
    return new Map([...keys].map((key) => [key, this.state(key, wall)]))
  }

  /** Adds to (1) or takes from (-1) what holds a key open, or all of them. */
  isolate(key: string | undefined, change: 1 | -1, wall: number): void {
    const known = key === undefined ? [...this.registry.values()].map((breaker) => breaker.key) : [key]
    const before = known.map((each) => this.isIsolated(each))
    if (key === undefined) this.isolations += change
    else {
      const count = (this.isolatedKeys.get(key) ?? 0) + change
      if (count === 0) this.isolatedKeys.delete(key)
      else this.isolatedKeys.set(key, count)
    }
    const now = this.time.at(wall)
    for (const [i, each] of known.entries()) {
      if (this.isIsolated(each) === before[i]) continue
      const state = this.registry.find(each)?.state ?? Core.closed(0)
      if (change > 0) this.announce(each, state._tag, "Isolated", undefined, now)
      else this.announce(each, "Isolated", state._tag, state, now)
    }
  }

  reset(key: string | undefined, wall: number): void {
    const now = this.time.at(wall)
    const chosen = key === undefined ? [...this.registry.values()] : [this.registry.find(key)]
    for (const breaker of chosen) breaker?.reset(now)
  }

  save(wall: number): Saved.Snapshot {
    const now = this.time.at(wall)
    const breakers = [...this.registry.values()].map((breaker) => Saved.save(breaker, this.options.rules, now))
    return { version: 1, at: wall, breakers }
  }

  restore(snapshot: Saved.Snapshot, wall: number): void {
    const now = this.time.at(wall)
    // Less than none has passed where the clock that wrote it was ahead of ours.
    const elapsed = Math.max(0, wall - snapshot.at)
    // What does not fit is lost; what guards must not be.
    const urgent = (saved: Saved.BreakerSnapshot) => (saved.state === "closed" ? 1 : 0)
    const ordered = [...snapshot.breakers].sort((a, b) => urgent(a) - urgent(b))
    for (const saved of ordered.slice(0, this.options.limits.maxKeys)) {
      const breaker = this.registry.get(saved.key, now)
      if (breaker !== undefined) breaker.state = Saved.restore(saved, this.options.rules, now, elapsed)
    }
  }

  private isIsolated(key: string): boolean {
    return this.isolations > 0 || (this.isolatedKeys.size > 0 && this.isolatedKeys.has(key))
  }

  private judge(how: Leave): { readonly verdict: Core.Verdict; readonly retryAfter: number } {
    if (how === "never-started") return { verdict: "ignored", retryAfter: 0 }
    if (how._tag === "Success") return { verdict: "success", retryAfter: 0 }
    // The gravest of what ended together counts: an error before a defect or an interruption, which teach nothing.
    for (const error of Chunk.toReadonlyArray(Cause.failures(how.cause))) {
      if (this.isCounted(error)) return { verdict: "failure", retryAfter: GenerationError.retryAfterMillis(error) }
    }
    return { verdict: "ignored", retryAfter: 0 }
  }

  /** A predicate that throws must not replace the error that it was asked about. */
  private isCounted(error: unknown): boolean {
    try {
      return this.options.isFailure(error)
    } catch {
      return false
    }
  }

  private announce(
    key: string,
    from: State["_tag"],
    to: State["_tag"],
    state: Core.State | undefined,
    now: number
  ): void {
    if (from === to) return
    const cause = state?._tag === "Open" ? state.cause : undefined
    try {
      this.options.onTransition({
        breaker: this.options.name,
        key,
        from,
        to,
        ...(cause === undefined ? {} : { cause }),
        at: this.time.wall(now)
      })
    } catch {
      // Watching must not change what is watched.
    }
  }

  private refusal(retryAfter: number | undefined): CircuitOpen {
    return new CircuitOpen({
      policy: "CircuitBreaker",
      policyName: this.options.name,
      message: retryAfter === undefined
        ? "the circuit was opened by hand: use another endpoint, or wait until it is released"
        : "the endpoint failed too often, and all its probes are out or not due: use another one, or come back in " +
          Duration.format(Duration.millis(Math.ceil(retryAfter))),
      retryAfter
    })
  }
}

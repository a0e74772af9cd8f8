/**
 * The parts of a policy that stand directly around each other and can be run in one go: see `pipeline.ts`. Each says by
 * its type which error it can add.
 */
import type * as Effect from "effect/Effect"
import type { Call } from "../CurrentCall.js"
import type { Gate } from "./gate.js"
import { type AnyGate, anyGate } from "./visit.js"

/** A time limit, as it is decided when the stage is entered. */
export interface Limit<out E> {
  /** Milliseconds from now; `Infinity` for no limit. */
  readonly millis: number
  /** The error of a call whose time is up. */
  readonly onTimeout: () => E
  /** The call that what is inside sees. Publishing it here costs a fraction of providing it. */
  readonly call: Call
}

type AnyEffect = Effect.Effect<unknown, unknown, unknown>

/** A retry that owns the generation. */
export interface Owner {
  /** The call that the first attempt sees. */
  readonly call: Call
  /** What happens after an attempt has failed: `rest` runs the stages inside the retry once more. */
  readonly failed: (error: unknown, rest: AnyEffect) => AnyEffect
}

export interface GateStage {
  readonly _tag: "Gate"
  readonly gate: AnyGate
}

export interface LimitStage {
  readonly _tag: "Limit"
  readonly begin: (call: Call, now: number) => Limit<unknown>
}

export interface RetryStage {
  readonly _tag: "Retry"
  /** `undefined`, or an effect that says so first, where the stage lets everything pass. */
  readonly begin: (call: Call, now: number) => Owner | Effect.Effect<void> | undefined
}

declare const adds: unique symbol

/** A stage that adds the error `E`. */
export type Stage<E> = (GateStage | LimitStage | RetryStage) & { readonly [adds]?: E }

export const gateStage = <E, T>(gate: Gate<E, T>): Stage<E> => ({ _tag: "Gate", gate: anyGate(gate) })

export const limitStage = <E>(begin: (call: Call, now: number) => Limit<E>): Stage<E> => ({ _tag: "Limit", begin })

export const retryStage = (begin: RetryStage["begin"]): Stage<never> => ({ _tag: "Retry", begin })

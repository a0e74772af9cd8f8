/** How policies are made and composed; `Policy` shows it to users. */
import type * as Effect from "effect/Effect"
import { pipeArguments } from "effect/Pipeable"
import type * as Stream from "effect/Stream"
import type { Description, Policy, Rejection, TypeId as PolicyTypeId } from "../Policy.js"
import type { Gate } from "./gate.js"
import { streamThroughGate } from "./gatedStream.js"
import { Pipeline } from "./pipeline.js"
import { gateStage, type Stage } from "./stage.js"

export const TypeId: PolicyTypeId = Symbol.for("@holdfast/Policy") as PolicyTypeId

const variance = { _E: (_: never) => _ }

type Apply<E> = Policy<E>["apply"]

/** What stands around an effect, outermost first: stages of ours, which run together, and what others apply. */
type Layers<E> = ReadonlyArray<Stage<E> | Apply<E>>

/** The layers of each `apply` made here: by the function, so that a copied policy with an `apply` of its own keeps it. */
const layersByApply = new WeakMap<Apply<unknown>, Layers<unknown>>()

const layersOf = <E>(apply: Apply<E>): Layers<E> => (layersByApply.get(apply) as Layers<E> | undefined) ?? [apply]

const isStage = <E>(layer: Stage<E> | Apply<E> | undefined): layer is Stage<E> => typeof layer === "object"

/** One `apply` for all layers. Stages that stand next to each other become one pipeline. */
const applyOf = <E>(layers: Layers<E>): Apply<E> => {
  const parts: Array<Apply<E>> = []
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i]!
    if (!isStage(layer)) {
      parts.push(layer)
      continue
    }
    const stages = [layer]
    for (let next = layers[i + 1]; isStage(next); next = layers[++i + 1]) stages.push(next)
    const pipeline = new Pipeline(stages)
    parts.push((self) => pipeline.through(self))
  }
  const apply: Apply<E> = <A, E1, R>(self: Effect.Effect<A, E1, R>) =>
    parts.reduceRight<Effect.Effect<A, E | E1, R>>((inner, part) => part(inner), self)
  layersByApply.set(apply, layers)
  return apply
}

const construct = <E>(
  describe: Description,
  apply: Apply<E>,
  applyStream: Policy<E>["applyStream"]
): Policy<E> => ({
  [TypeId]: variance,
  name: describe.name,
  describe,
  apply,
  applyStream,
  pipe() {
    return pipeArguments(this, arguments)
  }
})

/** What `make` and `staged` are told. */
interface Kind {
  readonly kind: string
  readonly name?: string | undefined
  readonly options?: Description["options"] | undefined
  readonly amplification?: number | undefined
}

const describeOf = ({ amplification = 1, kind, name = kind, options = {} }: Kind): Description => ({
  kind,
  name,
  options,
  amplification
})

export const make = <E = never>(
  options: Kind & Pick<Policy<E>, "apply" | "applyStream">
): Policy<E> => construct(describeOf(options), options.apply, options.applyStream)

/** A policy that is one stage for effects; without a stage it does nothing to them. */
export const staged = <E>(
  options: Kind & Pick<Policy<E>, "applyStream"> & { readonly stage: Stage<E> | undefined }
): Policy<E> => construct(describeOf(options), applyOf(options.stage === undefined ? [] : [options.stage]), options.applyStream)

/** A policy out of a gate. */
export const gated = <E, T>(gate: Gate<E, T>, options: Kind): Policy<E> =>
  staged({ ...options, stage: gateStage(gate), applyStream: (self) => streamThroughGate(gate, self) })

export const identity: Policy = staged<never>({ kind: "Identity", stage: undefined, applyStream: (self) => self })

/** The parts of a policy as data, outermost first; a policy that is no composition is its only part. */
export const partsOf = (description: Description): ReadonlyArray<Description> =>
  description.kind === "Identity" ? [] : (description.policies ?? [description])

/** The product over the parts, but only the outermost retry multiplies: it makes those inside it transparent. */
const amplificationOf = (parts: ReadonlyArray<Description>): number => {
  const owner = parts.findIndex((part) => part.kind === "Retry")
  return parts.reduce(
    (product, part, index) => (part.kind === "Retry" && index !== owner ? product : product * part.amplification),
    1
  )
}

export const compose = <const Ps extends ReadonlyArray<Policy<unknown>>>(
  ...policies: Ps
): Policy<Rejection<Ps[number]>> => {
  // Each part adds its own refusal, so the whole adds their union; a fold cannot express that in types.
  const parts = policies as unknown as ReadonlyArray<Policy<Rejection<Ps[number]>>>
  const described = parts.flatMap((policy) => partsOf(policy.describe))
  return construct(
    {
      kind: "Composition",
      name: described.map((part) => part.name).join(" > "),
      options: {},
      amplification: amplificationOf(described),
      policies: described
    },
    applyOf(parts.flatMap((policy) => layersOf(policy.apply))),
    <A, E1, R>(self: Stream.Stream<A, E1, R>) =>
      parts.reduceRight<Stream.Stream<A, Rejection<Ps[number]> | E1, R>>(
        (inner, policy) => policy.applyStream(inner),
        self
      )
  )
}

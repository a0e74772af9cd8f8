/**
 * One answer while it is read, whole or piece by piece: links become images, what is there is counted, and at the end
 * stands either a finish or the reason why what was asked for is missing.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Finish, Part } from "holdfast/Generated"
import type { GenerationError } from "holdfast/GenerationError"
import { type GenerationRequest, type Modality, modalities } from "holdfast/GenerationRequest"
import * as Redact from "holdfast/Redact"
import * as HostedImages from "../HostedImages.js"
import * as Assemble from "./assemble.js"
import type { Codec } from "./codec.js"
import * as Message from "./message.js"
import * as Secrets from "./secrets.js"
import * as Target from "./target.js"
import type { FoundPart } from "./textParts.js"

export interface Reading {
  /** What the messages said so far, without their pieces. */
  readonly message: () => Message.Message
  /** One more message; gives the parts that are complete. */
  readonly push: (message: Message.Message) => Effect.Effect<ReadonlyArray<Part>>
  /** No more messages; gives the parts that were held back. */
  readonly end: Effect.Effect<ReadonlyArray<Part>>
  /** Why what was asked for is not there; undefined when it is. */
  readonly verdict: (status: number) => GenerationError | undefined
  readonly finish: () => Omit<Finish, "_tag">
}

/** What a reading belongs to. */
export interface Options {
  readonly http: HttpClient.HttpClient
  readonly codec: Codec
  readonly target: Target.Target
  readonly exchange: Target.Exchange
  readonly request: GenerationRequest
  readonly hostedImages: HostedImages.Options | undefined
}

export const make = ({ codec, exchange, hostedImages, http, request, target }: Options): Reading => {
  const asked = modalities(request)
  const assembler = Assemble.make({ images: asked.includes("image") })
  const there = new Set<Modality>()
  let message = Message.nothing
  let linkError: GenerationError | undefined

  const origin: HostedImages.Origin = {
    endpoint: target.endpoint,
    model: exchange.model,
    baseUrl: codec.baseUrl,
    secrets: Target.secretsOf(target, exchange)
  }

  /** A link that leads to no image stays the text it was, and is remembered for the verdict. */
  const resolve = (part: FoundPart): Effect.Effect<ReadonlyArray<Part>> =>
    part._tag !== "Hosted"
      ? Effect.succeed([part])
      : Effect.map(Effect.either(HostedImages.fetch(http, part.url, origin, hostedImages)), (result) => {
          if (Either.isRight(result)) return [result.right]
          linkError ??= result.left
          return part.source === "" ? [] : [{ _tag: "Text", text: part.source }]
        })

  const resolveAll = (parts: ReadonlyArray<FoundPart>): Effect.Effect<ReadonlyArray<Part>> =>
    Effect.map(Effect.forEach(parts, resolve), (resolved) => {
      const all = resolved.flat()
      for (const part of all) {
        if (part._tag === "Image") there.add("image")
        else if (part.text.trim() !== "") there.add("text")
      }
      return all
    })

  /** The provider's own words are repeated by errors and telemetry: only words, and never a key. */
  const say = (value: string | undefined): string | undefined =>
    value === undefined ? undefined : Redact.text(value, { secrets: Target.credentialsOf(target, exchange) })
  const word = (value: string | undefined) => say(value === undefined ? undefined : Secrets.word(value))
  const name = (value: string | undefined) => say(value === undefined ? undefined : Secrets.name(value))

  const verdict = (status: number): GenerationError | undefined => {
    const missing = asked.filter((modality) => !there.has(modality))
    if (missing.length === 0) return undefined
    const blockReason = word(message.blockReason)
    const finishReason = word(message.finishReason)
    const isBlocked = finishReason !== undefined && codec.isBlock(finishReason)
    const blocked = blockReason ?? (isBlocked ? finishReason : undefined)
    if (blocked !== undefined) {
      return Target.failure(target, exchange, "ContentBlocked", {
        status,
        reason: blocked,
        message: `A content policy refused the ${blockReason === undefined ? "result" : "prompt"} (${blocked})`
      })
    }
    if (missing.includes("image") && linkError !== undefined) return linkError
    const why = finishReason === undefined ? "" : ` (finish reason ${finishReason})`
    return Target.failure(target, exchange, "EmptyResult", {
      status,
      reason: finishReason,
      message: `The answer holds no ${missing.join(" and no ")}${why}`
    })
  }

  return {
    message: () => message,
    push: (next) =>
      Effect.suspend(() => {
        message = Message.merge(message, { ...next, pieces: [] })
        return resolveAll(assembler.push(next.pieces))
      }),
    end: Effect.suspend(() => resolveAll(assembler.end())),
    verdict,
    finish: () => {
      const responseId = name(message.responseId)
      return {
        finishReason: word(message.finishReason) ?? "unknown",
        usage: message.usage,
        endpoint: target.endpoint,
        model: name(message.model) ?? exchange.model,
        ...(responseId === undefined ? {} : { responseId })
      }
    }
  }
}

/** One generation as the application asks for it: no provider's words, no credential. */
import type * as Duration from "effect/Duration"

/** What a generation can consist of. */
export type Modality = "text" | "image"

/** An image that the model is to look at. */
export interface ReferenceImage {
  /** For example `image/png`. */
  readonly mimeType: string
  readonly bytes: Uint8Array
}

/**
 * How long one attempt may take in each phase; what is left out takes the endpoint's value, or the default.
 *
 * Source of the defaults: image models answer in 20-40 s and in 60-100 s under load, with cases of 180 s.
 */
export interface Timeouts {
  /** Waiting for a free connection of the endpoint's pool. Default 30 s. */
  readonly pool?: Duration.DurationInput | undefined
  /** Name lookup, TCP and TLS. Default 30 s. */
  readonly connect?: Duration.DurationInput | undefined
  /** Sending the request. Default 30 s. */
  readonly write?: Duration.DurationInput | undefined
  /** From the request sent to the first byte of the answer's head. Default 180 s. */
  readonly headers?: Duration.DurationInput | undefined
  /** Longest silence between two pieces of the answer's body. Default 180 s. */
  readonly body?: Duration.DurationInput | undefined
}

export interface GenerationRequest {
  readonly prompt: string
  /** The model's id in the endpoint's own words. Default: the endpoint's model. */
  readonly model?: string | undefined
  /** What the answer must contain; without it the attempt fails with `EmptyResult`. Default `["image"]`. */
  readonly modalities?: ReadonlyArray<Modality> | undefined
  /** Images to work from, in order. */
  readonly images?: ReadonlyArray<ReferenceImage> | undefined
  /** Instructions that stand above the prompt. Some image models refuse them. */
  readonly system?: string | undefined
  /** For example `"16:9"`. */
  readonly aspectRatio?: string | undefined
  /** `"1K"`, `"2K"` or `"4K"`, where the model knows sizes. */
  readonly imageSize?: string | undefined
  /** How many images are wanted. Default 1. */
  readonly count?: number | undefined
  readonly seed?: number | undefined
  readonly temperature?: number | undefined
  readonly maxOutputTokens?: number | undefined
  /** Timeouts for the attempts of this call alone. */
  readonly timeouts?: Timeouts | undefined
}

/** The modalities that the answer must contain. */
export const modalities = (request: GenerationRequest): ReadonlyArray<Modality> => request.modalities ?? ["image"]

/** Does the answer have to contain this? */
export const asksFor = (request: GenerationRequest, modality: Modality): boolean =>
  modalities(request).includes(modality)

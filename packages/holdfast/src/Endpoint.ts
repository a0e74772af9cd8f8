/**
 * Where an attempt can go: a provider's dialect, a base URL, and a model. Credentials are no part of it, so an endpoint
 * can be logged, counted by and written down.
 */

/** The wire format that an endpoint speaks. */
export type Dialect = "gemini" | "vertex" | "openai"

/** What the provider sells the capacity as: cheaper and later, or dearer and sooner. */
export type Tier = (typeof tiers)[number]

/** The tiers by name. */
export const tiers = ["flex", "standard", "priority"] as const

/** What a choice between endpoints goes by. */
export interface Attributes {
  /** Its share of calls, relative to the other endpoints. Default 1; from 10^-6 to 10^6. */
  readonly weight?: number | undefined
  /** What one generation costs, relative to the other endpoints. Default 1; from 10^-6 to 10^6. */
  readonly price?: number | undefined
  /** Says what it is, and decides nothing: its price and its answers do. */
  readonly tier?: Tier | undefined
}

export interface Endpoint extends Attributes {
  /** Unique among the endpoints of a program; what metrics, limits and breakers are keyed by. */
  readonly name: string
  readonly dialect: Dialect
  readonly baseUrl: string
  /** The model used when a request names none. */
  readonly model: string
}

/**
 * Where an attempt can go: a provider's dialect, a base URL, and a model. Credentials are no part of it, so an endpoint
 * can be logged, counted by and written down.
 */

/** The wire format that an endpoint speaks. */
export type Dialect = "gemini" | "vertex" | "openai"

export interface Endpoint {
  /** Unique among the endpoints of a program; what metrics, limits and breakers are keyed by. */
  readonly name: string
  readonly dialect: Dialect
  readonly baseUrl: string
  /** The model used when a request names none. */
  readonly model: string
}

/** The options that every client of this package takes, their defaults, and what is refused. */
import type * as Redacted from "effect/Redacted"
import type { Timeouts as RequestTimeouts } from "holdfast/GenerationRequest"
import type * as HostedImages from "./HostedImages.js"

export interface ClientOptions {
  /** Name of the endpoint in errors, metrics and routing. Default: the dialect (`gemini`, `vertex`, `openai`). */
  readonly endpoint?: string | undefined
  /** Model used when neither routing nor the request names one, in the endpoint's own words. */
  readonly model?: string | undefined
  /** Limits of each phase at this endpoint; a request's own come first. Default `Timeouts.defaults`. */
  readonly timeouts?: RequestTimeouts | undefined
  /** Most exchanges at a time; more wait in the `pool` phase. 1 to 100,000, default 100. */
  readonly maxConnections?: number | undefined
  /** Longest answer that is read, in bytes; a longer one is `Malformed`. At least 1,024, default 256 MiB. */
  readonly maxResponseBytes?: number | undefined
  /** Send `traceparent`, which tells the provider our trace ids? Default false. */
  readonly tracePropagation?: boolean | undefined
  /** Further header fields of every request. They are treated as secrets: never logged, never sent to image hosts. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
  /** How images that an answer only links to are fetched. */
  readonly hostedImages?: HostedImages.Options | undefined
}

/** What holds where an option is left out. */
export const defaults = {
  maxConnections: 100,
  maxResponseBytes: 256 * 1024 * 1024,
  tracePropagation: false
} as const

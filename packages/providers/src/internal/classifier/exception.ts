/**
 * Reads exceptions of HTTP clients: the machine's code along `cause` (at most five levels), then the words. Node,
 * undici, browsers, Bun and Deno.
 */
import type { Outcome, TimeoutPhase } from "holdfast/GenerationError"
import * as Redact from "holdfast/Redact"
import { outcomeOf, phaseOf } from "./phase.js"
import type { Verdict } from "./verdict.js"
import { concepts } from "./vocabulary.js"

interface Known {
  readonly tag: "Timeout" | "Transient" | "InvalidRequest" | "Malformed"
  readonly phase?: TimeoutPhase
  readonly outcome?: Outcome
}

const notStarted: Known = { tag: "Transient", outcome: "not-started" }
const unknown: Known = { tag: "Transient", outcome: "unknown" }
const misconfigured: Known = { tag: "InvalidRequest", outcome: "not-started" }

const codes: Readonly<Record<string, Known>> = {
  ENOTFOUND: notStarted,
  EAI_AGAIN: notStarted,
  EAI_FAIL: notStarted,
  EAI_NODATA: notStarted,
  ECONNREFUSED: notStarted,
  EHOSTUNREACH: notStarted,
  ENETUNREACH: notStarted,
  ENETDOWN: notStarted,
  EHOSTDOWN: notStarted,
  EADDRNOTAVAIL: notStarted,
  ConnectionRefused: notStarted,
  FailedToOpenSocket: notStarted,
  DNSResolutionFailed: notStarted,
  EPROTO: notStarted,
  ERR_SSL_WRONG_VERSION_NUMBER: notStarted,
  ERR_TLS_HANDSHAKE_TIMEOUT: { tag: "Timeout", phase: "connect" },
  ECONNRESET: unknown,
  EPIPE: unknown,
  ECONNABORTED: unknown,
  ERR_STREAM_PREMATURE_CLOSE: unknown,
  UND_ERR_SOCKET: unknown,
  UND_ERR_CLOSED: notStarted,
  UND_ERR_DESTROYED: unknown,
  UND_ERR_ABORTED: { tag: "Timeout", phase: "attempt" },
  UND_ERR_INFO: unknown,
  UND_ERR_RES_EXCEEDED_MAX_SIZE: { tag: "Malformed" },
  UND_ERR_HEADERS_OVERFLOW: { tag: "Malformed" },
  UND_ERR_INVALID_ARG: misconfigured,
  UND_ERR_NOT_SUPPORTED: misconfigured,
  ERR_INVALID_URL: misconfigured,
  ERR_HTTP2_STREAM_ERROR: unknown,
  ERR_HTTP2_STREAM_CANCEL: unknown,
  ERR_HTTP2_SESSION_ERROR: unknown,
  ERR_HTTP2_GOAWAY_SESSION: unknown,
  ERR_HTTP2_INVALID_SESSION: unknown,
  ConnectionClosed: unknown,
  HPE_INVALID_CONSTANT: { tag: "Malformed" },
  UND_ERR_CONNECT_TIMEOUT: { tag: "Timeout", phase: "connect" },
  UND_ERR_HEADERS_TIMEOUT: { tag: "Timeout", phase: "headers" },
  UND_ERR_BODY_TIMEOUT: { tag: "Timeout", phase: "body" },
  ESOCKETTIMEDOUT: { tag: "Timeout", phase: "body" },
  TimeoutError: { tag: "Timeout", phase: "attempt" },
  ABORT_ERR: { tag: "Timeout", phase: "attempt" },
  AbortError: { tag: "Timeout", phase: "attempt" },
  HeadersTimeoutError: { tag: "Timeout", phase: "headers" },
  BodyTimeoutError: { tag: "Timeout", phase: "body" },
  ConnectTimeoutError: { tag: "Timeout", phase: "connect" },
  UND_ERR_PRX_TLS: notStarted,
  ERR_CONNECTION_REFUSED: notStarted,
  DEPTH_ZERO_SELF_SIGNED_CERT: misconfigured,
  SELF_SIGNED_CERT_IN_CHAIN: misconfigured,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: misconfigured,
  CERT_HAS_EXPIRED: misconfigured,
  ERR_TLS_CERT_ALTNAME_INVALID: misconfigured,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: misconfigured
}

const known = (name: string): Known | undefined =>
  Object.hasOwn(codes, name)
    ? codes[name]
    : /^ERR_SSL_/.test(name)
    ? unknown
    : /^UND_ERR_/.test(name)
    ? unknown
    : /^CERT_|_CERT(?:_|$)/.test(name)
    ? misconfigured
    : undefined

/** `connect ETIMEDOUT` is a connection that never was; `read ETIMEDOUT` is one that went quiet. */
const timedOut = (message: string, syscall: unknown): Known => ({
  tag: "Timeout",
  phase: syscall === "connect" || /connect/i.test(message) ? "connect" : "body"
})

const field = (value: unknown, key: string): unknown => {
  try {
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined
  } catch {
    return undefined
  }
}

const maxDepth = 5

/** The exceptions along `cause`, outermost first; of an `AggregateError`, the first one that it holds. */
const chain = (exception: unknown): ReadonlyArray<unknown> => {
  const out: Array<unknown> = []
  let at = exception
  while (at !== undefined && at !== null && out.length <= maxDepth) {
    out.push(at)
    const errors = field(at, "errors")
    at = field(at, "cause") ?? (Array.isArray(errors) ? errors[0] as unknown : undefined)
  }
  return out
}

const str = (value: unknown): string => (typeof value === "string" ? value : "")

const ofText = (text: string): Known => {
  const certificate = concepts.find((c) => c.rule === "certificate")
  if (certificate?.pattern.test(text) === true) return misconfigured
  if (concepts.find((c) => c.rule === "timeout")?.pattern.test(text) === true) {
    return { tag: "Timeout", phase: phaseOf(text) ?? "attempt" }
  }
  if (concepts.find((c) => c.rule === "network")?.pattern.test(text) === true) {
    return { tag: "Transient", outcome: outcomeOf(text) }
  }
  if (concepts.find((c) => c.rule === "malformed")?.pattern.test(text) === true) return { tag: "Malformed" }
  return unknown
}

/** The verdict on an exception. `sent`: the request is known to have left, so that nothing can be "not-started". */
export const fromException = (exception: unknown, sent: boolean): Verdict => {
  const links = chain(exception)
  const messages: Array<string> = []
  let found: { readonly known: Known; readonly matched: string; readonly depth: number } | undefined
  links.forEach((link, depth) => {
    const message = typeof link === "string" ? link : str(field(link, "message"))
    if (message !== "") messages.push(message.slice(0, 2000))
    for (const name of [str(field(link, "code")), str(field(link, "name")), str(field(link, "_tag"))]) {
      if (name === "") continue
      const meaning = name === "ETIMEDOUT" ? timedOut(message, field(link, "syscall")) : known(name)
      // The deepest code is the machine's own; an AbortError around it is only how the client put it.
      if (meaning !== undefined) {
        found = { known: meaning, matched: name, depth }
        break
      }
    }
  })
  const text = Redact.text(messages.join(": "))
  const meaning = found?.known ?? ofText(text)
  const code = found?.matched
  const late = sent && (meaning.outcome === "not-started" || meaning.phase === "connect" || meaning.phase === "pool")
  return {
    tag: meaning.tag,
    phase: meaning.phase,
    outcome: late ? "unknown" : meaning.outcome,
    message: text === "" ? `The connection failed${code === undefined ? "" : ` (${code})`}` : text,
    code,
    evidence: { rule: "exception", source: "exception", depth: found?.depth ?? 0, matched: code ?? text.slice(0, 80) }
  }
}

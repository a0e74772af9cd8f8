import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as GenerationError from "holdfast/GenerationError"
import * as Classifier from "../src/Classifier.js"

const coded = (code: string, message = "failed", more: object = {}): Error =>
  Object.assign(new Error(message), { code, ...more })

/** The exception as undici's fetch throws it. */
const fetchFailed = (cause: unknown): Error => new TypeError("fetch failed", { cause })

describe("exceptions of the network", () => {
  it.each([
    ["ENOTFOUND", "Transient", "not-started"],
    ["EAI_AGAIN", "Transient", "not-started"],
    ["ECONNREFUSED", "Transient", "not-started"],
    ["EPROTO", "Transient", "not-started"],
    ["ECONNRESET", "Transient", "unknown"],
    ["EPIPE", "Transient", "unknown"],
    ["UND_ERR_SOCKET", "Transient", "unknown"],
    ["ERR_STREAM_PREMATURE_CLOSE", "Transient", "unknown"],
    ["ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC", "Transient", "unknown"],
    ["UND_ERR_CONNECT_TIMEOUT", "Timeout", "not-started"],
    ["UND_ERR_HEADERS_TIMEOUT", "Timeout", "unknown"],
    ["UND_ERR_BODY_TIMEOUT", "Timeout", "unknown"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "InvalidRequest", "not-started"]
  ])("%s is %s with the outcome %s, wherever along `cause` it stands", (code, tag, outcome) => {
    for (const exception of [coded(code), fetchFailed(coded(code)), fetchFailed(fetchFailed(coded(code)))]) {
      expect(Classifier.fromException(exception)).toMatchObject({ _tag: tag, outcome, code })
    }
  })

  it.each([
    ["UND_ERR_CONNECT_TIMEOUT", "connect"],
    ["UND_ERR_HEADERS_TIMEOUT", "headers"],
    ["UND_ERR_BODY_TIMEOUT", "body"]
  ])("%s ran out in the phase %s", (code, phase) => {
    expect(Classifier.fromException(fetchFailed(coded(code)))).toMatchObject({ _tag: "Timeout", phase })
  })

  it("tells a connect that timed out from a read that did", () => {
    const connect = coded("ETIMEDOUT", "connect ETIMEDOUT 1.2.3.4:443", { syscall: "connect" })
    const read = coded("ETIMEDOUT", "read ETIMEDOUT", { syscall: "read" })
    expect(Classifier.fromException(connect)).toMatchObject({ phase: "connect", outcome: "not-started" })
    expect(Classifier.fromException(read)).toMatchObject({ phase: "body", outcome: "unknown" })
  })

  it("reads the first of the errors that an AggregateError holds", () => {
    const exception = fetchFailed(new AggregateError([coded("ECONNREFUSED"), coded("ECONNREFUSED")]))
    expect(Classifier.fromException(exception)).toMatchObject({ _tag: "Transient", outcome: "not-started" })
  })

  it("knows the wordings of browsers, Bun, Deno, Python, Go and Rust", () => {
    for (
      const message of [
        "Failed to fetch",
        "Load failed",
        "NetworkError when attempting to fetch resource.",
        "Unable to connect. Is the computer able to access the url?",
        "The socket connection was closed unexpectedly",
        "client error (Connect): dns error",
        "Connection aborted.",
        "unexpected EOF",
        "connection reset by peer"
      ]
    ) {
      expect(Classifier.fromException(new TypeError(message))._tag).toBe("Transient")
    }
  })

  it("an abort or a timeout signal is a timeout of the attempt", () => {
    expect(Classifier.fromException(new DOMException("This operation was aborted", "AbortError"))).toMatchObject({
      _tag: "Timeout",
      phase: "attempt"
    })
    expect(Classifier.fromException(AbortSignal.abort(new DOMException("late", "TimeoutError")).reason)._tag).toBe(
      "Timeout"
    )
  })

  it("believes in no failed connection once the request is known to have left", () => {
    expect(Classifier.fromException(coded("ECONNREFUSED"), { sent: true }).outcome).toBe("unknown")
    expect(Classifier.fromException(coded("UND_ERR_CONNECT_TIMEOUT"), { sent: true }).outcome).toBe("unknown")
  })

  it("keeps keys out of the message and the cause", () => {
    const key = "AIzaSyA-not-a-real-key-0123456789abcdef"
    const exception = fetchFailed(new Error(`request to https://x.example/?key=${key} failed`))
    const error = Classifier.fromException(exception, { secrets: [key] })
    expect(JSON.stringify(error) + error.message).not.toContain(key)
  })

  it("stops at a chain of causes that never ends", () => {
    const loop = new Error("loop")
    Object.assign(loop, { cause: loop })
    expect(GenerationError.isGenerationError(Classifier.fromException(loop))).toBe(true)
  })

  it("makes an error of anything thrown", () => {
    FastCheck.assert(FastCheck.property(FastCheck.anything(), (thrown) => {
      expect(GenerationError.isGenerationError(Classifier.fromException(thrown))).toBe(true)
    }))
  })
})

/** An `HttpClient` without a network: a function from what was sent to what comes back, with a record of both. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly json: unknown
  readonly signal: AbortSignal
}

export type Reply = Response | Effect.Effect<Response, unknown>

export interface Double {
  readonly client: HttpClient.HttpClient
  readonly layer: Layer.Layer<HttpClient.HttpClient>
  readonly sent: ReadonlyArray<Sent>
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const http = (handler: (sent: Sent, index: number) => Reply): Double => {
  const sent: Array<Sent> = []
  const client = HttpClient.make((request, url, signal) =>
    Effect.suspend(() => {
      const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
      const headers: Record<string, string> = { ...request.headers }
      const one: Sent = { method: request.method, url: url.href, headers, body, json: parse(body), signal }
      sent.push(one)
      const reply = handler(one, sent.length - 1)
      return Effect.map(
        Effect.mapError(
          Effect.isEffect(reply) ? reply : Effect.succeed(reply),
          (cause) => new HttpClientError.RequestError({ request, reason: "Transport", cause })
        ),
        (response) => HttpClientResponse.fromWeb(request, response)
      )
    })
  )
  return { client, layer: Layer.succeed(HttpClient.HttpClient, client), sent }
}

export const json = (value: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json", ...headers } })

const bytesOf = (piece: string | Uint8Array): Uint8Array =>
  typeof piece === "string" ? new TextEncoder().encode(piece) : piece

/** A body in the given pieces; `then` says how it ends. */
export const pieces = (
  parts: ReadonlyArray<string | Uint8Array>,
  options: { readonly then?: "end" | "stall" | "break"; readonly type?: string; readonly status?: number } = {}
): Response => {
  let index = 0
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = parts[index++]
      if (piece !== undefined) controller.enqueue(bytesOf(piece))
      else if (options.then === "break") {
        controller.error(
          Object.assign(new TypeError("terminated"), {
            cause: Object.assign(new Error("other side closed"), { code: "UND_ERR_SOCKET" })
          })
        )
      } else if (options.then === "stall") await new Promise(() => {})
      else controller.close()
    }
  })
  return new Response(body, {
    status: options.status ?? 200,
    headers: { "content-type": options.type ?? "text/event-stream" }
  })
}

/** One event of a stream. */
export const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`

/** A PNG of one pixel. */
export const png = Uint8Array.from(
  atob("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="),
  (char) => char.charCodeAt(0)
)

/** The first bytes of a JPEG, and enough more to be told from others. */
export const jpeg = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, ...Array.from({ length: 40 }, (_, index) => index)])

export const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))

/** A Gemini answer with these parts. */
export const gemini = (parts: ReadonlyArray<unknown>, more: Record<string, unknown> = {}) => ({
  candidates: [{ index: 0, content: { role: "model", parts }, finishReason: "STOP" }],
  usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 1290, thoughtsTokenCount: 7, totalTokenCount: 1302 },
  modelVersion: "gemini-3-pro-image-preview",
  responseId: "answer-1",
  ...more
})

export const inline = (bytes: Uint8Array, mimeType = "image/png") => ({ inlineData: { mimeType, data: base64(bytes) } })

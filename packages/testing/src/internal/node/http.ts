/** Reading and writing over node:http, each as an effect that an interruption stops; and the ways to do it badly. */
import * as Effect from "effect/Effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Reply } from "../wire.js"

/** The body, or `undefined` when it is longer than the limit. A body that breaks off never comes. */
export const readBody = (req: IncomingMessage, limit: number): Effect.Effect<Buffer | undefined> =>
  Effect.async<Buffer | undefined>((resume) => {
    const pieces: Array<Buffer> = []
    let size = 0
    const onData = (piece: Buffer): void => {
      size += piece.length
      if (size > limit) pieces.length = 0
      else pieces.push(piece)
    }
    const onEnd = (): void => resume(Effect.succeed(size > limit ? undefined : Buffer.concat(pieces)))
    req.on("data", onData)
    req.on("end", onEnd)
    return Effect.sync(() => {
      req.off("data", onData)
      req.off("end", onEnd)
    })
  })

const write = (res: ServerResponse, data: string | Uint8Array): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const onDrain = (): void => resume(Effect.void)
    if (res.write(data)) return resume(Effect.void)
    res.once("drain", onDrain)
    return Effect.sync(() => {
      res.off("drain", onDrain)
    })
  })

/** Sends the head at once, not with the first piece of the body. */
export const head = (res: ServerResponse, reply: Reply): Effect.Effect<void> =>
  Effect.sync(() => {
    res.writeHead(reply.status, reply.headers)
    res.flushHeaders()
  })

export const writeAll = (res: ServerResponse, pieces: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.forEach(pieces, (piece) => write(res, piece), { discard: true })

/** The end of an answer whose head and body were written. `before` runs just before the client can see the end. */
export const end = (res: ServerResponse, before: () => void): Effect.Effect<void> =>
  Effect.sync(() => {
    before()
    res.end()
  })

/** An answer in one piece, with its length. */
export const send = (res: ServerResponse, reply: Reply, before: () => void): Effect.Effect<void> =>
  Effect.sync(() => {
    const body = Buffer.from(reply.pieces.join(""))
    before()
    res.writeHead(reply.status, { ...reply.headers, "content-length": body.length })
    res.end(body)
  })

/** Half of the last piece is missing. */
const halved = (pieces: ReadonlyArray<string>): ReadonlyArray<string> => {
  const last = pieces[pieces.length - 1] ?? ""
  return [...pieces.slice(0, -1), last.slice(0, Math.ceil(last.length / 2))]
}

/** The head and half the body; the rest never comes. */
export const stallBody = (res: ServerResponse, reply: Reply): Effect.Effect<never> =>
  Effect.zipRight(Effect.zipRight(head(res, reply), writeAll(res, halved(reply.pieces))), Effect.never)

const dribbleDelay = "1 millis"

/** The first so many writes are of a few bytes, the rest of the body goes in so many more. */
const dribbleFirst = { writes: 120, bytes: 7 }
const dribbleRest = 60

const bits = (body: Buffer): ReadonlyArray<Buffer> => {
  const pieces: Array<Buffer> = []
  const size = Math.ceil(Math.max(0, body.length - dribbleFirst.writes * dribbleFirst.bytes) / dribbleRest)
  for (let at = 0; at < body.length;) {
    const next = at + (pieces.length < dribbleFirst.writes ? dribbleFirst.bytes : size)
    pieces.push(body.subarray(at, next))
    at = next
  }
  return pieces
}

/** The whole answer, a few bytes at a time, without regard to characters, lines and events. */
export const dribble = (res: ServerResponse, reply: Reply, before: () => void): Effect.Effect<void> =>
  head(res, reply).pipe(
    Effect.zipRight(
      Effect.forEach(
        bits(Buffer.from(reply.pieces.join(""))),
        (bit) => Effect.zipRight(write(res, bit), Effect.sleep(dribbleDelay)),
        { discard: true }
      )
    ),
    Effect.zipRight(end(res, before))
  )

/** Announces a chunk, sends half of it and closes the connection. */
export const cutMidChunk = (res: ServerResponse, reply: Reply, before: () => void): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const socket = res.socket
    before()
    if (socket === null) return resume(Effect.void)
    const lines = Object.entries(reply.headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const chunk = (announced: string, sent: string) => `${Buffer.byteLength(announced).toString(16)}\r\n${sent}`
    const complete = reply.pieces.slice(0, -1).map((piece) => `${chunk(piece, piece)}\r\n`)
    const last = reply.pieces[reply.pieces.length - 1] ?? ""
    const cut = chunk(last, halved([last])[0] ?? "")
    socket.write(
      `HTTP/1.1 ${reply.status} OK\r\n${lines.join("")}transfer-encoding: chunked\r\n\r\n${complete.join("")}${cut}`,
      () => {
        socket.destroy()
        resume(Effect.void)
      }
    )
  })

/** Resets the connection (RST) without a byte. */
export const reset = (res: ServerResponse, before: () => void): Effect.Effect<void> =>
  Effect.sync(() => {
    before()
    res.socket?.resetAndDestroy()
  })

/** Small servers on the loopback address, for what only a real socket shows. */
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import * as Net from "node:net"

export interface Live {
  readonly url: string
  readonly port: number
  /** Sockets that were opened. */
  readonly opened: () => number
  /** Exchanges whose socket was closed before the answer was complete. */
  readonly aborted: () => number
}

const listening = <S extends Net.Server>(server: S) =>
  Effect.acquireRelease(
    Effect.async<Live & { readonly server: S }>((resume) => {
      let opened = 0
      let aborted = 0
      const sockets = new Set<Net.Socket>()
      server.on("connection", (socket: Net.Socket) => {
        opened++
        sockets.add(socket)
        socket.on("error", () => {})
        socket.on("close", () => {
          sockets.delete(socket)
        })
      })
      server.on("request", (_: Http.IncomingMessage, outgoing: Http.ServerResponse) => {
        outgoing.on("close", () => void (outgoing.writableEnded ? 0 : aborted++))
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address() as Net.AddressInfo
        Object.assign(server, { hangUp: () => sockets.forEach((socket) => socket.destroy()) })
        resume(
          Effect.succeed({
            server,
            url: `http://127.0.0.1:${address.port}`,
            port: address.port,
            opened: () => opened,
            aborted: () => aborted
          })
        )
      })
    }),
    ({ server }) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        ;(server as S & { hangUp: () => void }).hangUp()
      })
  )

/** An HTTP server. */
export const http = (handler: Http.RequestListener) => listening(Http.createServer(handler))

/** A server that speaks no HTTP unless the handler does. */
export const tcp = (handler: (socket: Net.Socket) => void) => listening(Net.createServer(handler))

/** Small servers on the loopback address, for what only a real socket shows. */
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import * as Net from "node:net"

export interface Live {
  readonly url: string
  readonly port: number
  /** Sockets that were opened, and that are closed again. */
  readonly opened: () => number
  readonly closed: () => number
}

const listening = <S extends Net.Server>(server: S) =>
  Effect.acquireRelease(
    Effect.async<Live & { readonly server: S }>((resume) => {
      let opened = 0
      let closed = 0
      const sockets = new Set<Net.Socket>()
      server.on("connection", (socket: Net.Socket) => {
        opened++
        sockets.add(socket)
        socket.on("error", () => {})
        socket.on("close", () => {
          closed++
          sockets.delete(socket)
        })
      })
      server.on("close", () => sockets.clear())
      server.listen(0, "127.0.0.1", () => {
        const address = server.address() as Net.AddressInfo
        Object.assign(server, { hangUp: () => sockets.forEach((socket) => socket.destroy()) })
        resume(
          Effect.succeed({
            server,
            url: `http://127.0.0.1:${address.port}`,
            port: address.port,
            opened: () => opened,
            closed: () => closed
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

/** A port where connections hang: its backlog is full, so the kernel answers no further one. */
export const unanswered = Effect.acquireRelease(
  Effect.async<{ readonly port: number; readonly release: () => void }>((resume) => {
    const blocked: Array<Net.Socket> = []
    const server = Net.createServer()
    // A paused event loop is not needed: a listening socket without accept fills its backlog of one.
    server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      const { port } = server.address() as Net.AddressInfo
      resume(
        Effect.succeed({
          port,
          release: () => {
            blocked.forEach((socket) => socket.destroy())
            server.close()
          }
        })
      )
    })
  }),
  ({ release }) => Effect.sync(release)
)

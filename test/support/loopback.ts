/**
 * Loaded before every test file: a test process may connect to this machine only. A forgotten base URL then fails at once, by
 * name, instead of reaching a provider with whatever key is set.
 */
import { Socket } from "node:net"

const isLoopback = (host: string) => host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)

/** `host` of `connect(options)`, `connect(port, host)` and their normalized form; a path or a bare port stays on this machine. */
const hostOf = (args: ReadonlyArray<unknown>): string => {
  const [first, second] = Array.isArray(args[0]) ? args[0] as ReadonlyArray<unknown> : args
  const host = typeof first === "object" && first !== null && "host" in first ? first.host : second
  return typeof host === "string" ? host : "localhost"
}

type Connect = (this: Socket, ...args: Array<unknown>) => Socket

const connect = Object.getOwnPropertyDescriptor(Socket.prototype, "connect")?.value as Connect

Socket.prototype.connect = function(this: Socket, ...args: Array<unknown>): Socket {
  const host = hostOf(args)
  if (isLoopback(host)) return connect.apply(this, args)
  const error = new Error(`A test tried to connect to ${host}; tests connect to this machine only.`)
  // As if the network were down; a reserved name stays what it is, one that nobody knows.
  const code = /\.(invalid|test|example)$/.test(host) ? "ENOTFOUND" : "ENETUNREACH"
  process.nextTick(() => this.destroy(Object.assign(error, { code })))
  return this
}

import { expect, it } from "@effect/vitest"
import { createServer, connect } from "node:net"
import type { AddressInfo } from "node:net"
import { request } from "undici"

const causeOf = (error: unknown) => error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)

it("a test that fetches from another machine is refused by name", async () => {
  const failure = await fetch("https://generativelanguage.googleapis.com/v1beta/models").then(() => "answered", causeOf)
  expect(failure).toContain("tried to connect to generativelanguage.googleapis.com")
})

it("undici is held back as well, by address too", async () => {
  const failure = await request("http://192.0.2.1/").then(() => "answered", String)
  expect(failure).toContain("tried to connect to 192.0.2.1")
})

it("a server on this machine is reached", async () => {
  const server = createServer((socket) => socket.end())
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve, reject) => connect(port, "127.0.0.1").on("connect", resolve).on("error", reject))
  await new Promise((resolve) => server.close(resolve))
})

/** Resolves names to public addresses only: for connections that a model's text leads to. */
import * as Dns from "node:dns"
import type { LookupFunction } from "node:net"
import { privateAddressCode } from "../../HostedImages.js"
import { isPrivateAddress } from "../addresses.js"

/** How `dns.lookup` gives all addresses of a name; replaced by tests. */
export type Resolve = (
  hostname: string,
  options: Dns.LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: Array<Dns.LookupAddress>) => void
) => void

const refused = (): NodeJS.ErrnoException =>
  Object.assign(new Error("The name leads to a private address"), { code: privateAddressCode })

/**
 * A `lookup` for sockets that leaves private addresses out and fails when none is left. What it returns is what the
 * socket connects to, so there is no second lookup that could answer otherwise.
 */
export const make = (resolve: Resolve): LookupFunction => (hostname, options, callback) => {
  const { family, hints } = options
  const all: Dns.LookupAllOptions = {
    all: true,
    ...(family === undefined ? {} : { family }),
    ...(hints === undefined ? {} : { hints })
  }
  resolve(hostname, all, (error, addresses) => {
    if (error !== null) return callback(error, "")
    const open = addresses.filter(({ address }) => !isPrivateAddress(address))
    const [first] = open
    if (first === undefined) return callback(refused(), "")
    if (options.all === true) callback(null, open)
    else callback(null, first.address, first.family)
  })
}

export const publicOnly: LookupFunction = make((hostname, options, callback) => Dns.lookup(hostname, options, callback))

/**
 * Which addresses are on a private network, on this machine, or otherwise not on the public Internet (IANA's
 * special-purpose registries, and the metadata services of clouds).
 *
 * A URL's host name must come from the URL parser, which turns decimal, octal and hexadecimal forms of IPv4 into four
 * decimal numbers.
 */

const v4Ranges: ReadonlyArray<readonly [string, number]> = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["168.63.129.16", 32],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4]
]

/** The address as a number, or undefined when it is no dotted decimal IPv4 address. */
const parseV4 = (text: string): number | undefined => {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return undefined
  const bytes = match.slice(1).map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes.reduce((value, byte) => value * 256 + byte, 0) : undefined
}

const isPrivateV4 = (address: number): boolean =>
  v4Ranges.some(([base, bits]) => {
    const size = 2 ** (32 - bits)
    return Math.floor(address / size) === Math.floor((parseV4(base) ?? 0) / size)
  })

/** The eight groups of an IPv6 address, or undefined. */
const parseV6 = (text: string): ReadonlyArray<number> | undefined => {
  const halves = text.split("::")
  if (halves.length > 2) return undefined
  const groups = (half: string): Array<number> | undefined => {
    if (half === "") return []
    const out: Array<number> = []
    for (const [index, group] of half.split(":").entries()) {
      const v4 = group.includes(".") && index === half.split(":").length - 1 ? parseV4(group) : undefined
      if (v4 !== undefined) out.push(Math.floor(v4 / 65536), v4 % 65536)
      else if (/^[0-9a-f]{1,4}$/i.test(group)) out.push(Number.parseInt(group, 16))
      else return undefined
    }
    return out
  }
  const left = groups(halves[0] ?? "")
  const right = halves.length === 2 ? groups(halves[1] ?? "") : []
  if (left === undefined || right === undefined) return undefined
  const missing = 8 - left.length - right.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  return [...left, ...Array.from({ length: missing }, () => 0), ...right]
}

const isPrivateV6 = (groups: ReadonlyArray<number>): boolean => {
  const [a = 0, b = 0, c = 0, , , f = 0, g = 0, h = 0] = groups
  const embedded = (high: number, low: number) => isPrivateV4(high * 65536 + low)
  const firstFive = groups.slice(0, 5).every((group) => group === 0)
  if (firstFive && (f === 0 || f === 0xffff)) return embedded(g, h)
  if (a === 0x64 && b === 0xff9b && groups.slice(2, 6).every((group) => group === 0)) return embedded(g, h)
  if (a === 0x2002) return embedded(b, c)
  // Only global unicast is public; within it, Teredo and the documentation ranges are not.
  if (a < 0x2000 || a > 0x3fff) return true
  return (a === 0x2001 && (b === 0 || b === 0xdb8)) || a === 0x3fff
}

/** Is this address not on the public Internet? Anything that is no address counts as private. */
export const isPrivateAddress = (address: string): boolean => {
  const text = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "")
  const v4 = parseV4(text)
  if (v4 !== undefined) return isPrivateV4(v4)
  const v6 = parseV6(text)
  return v6 === undefined || isPrivateV6(v6)
}

const privateNames = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|home\.arpa|localdomain)$/

/**
 * Is this host of a URL private as far as its name tells? Names are not looked up here: a public name may still lead to
 * a private address.
 */
export const isPrivateHost = (hostname: string): boolean => {
  const host = hostname.toLowerCase().replace(/\.+$/, "")
  if (host === "") return true
  if (host.startsWith("[") || parseV4(host) !== undefined) return isPrivateAddress(host)
  // A single label is a name of the local network.
  return privateNames.test(host) || !host.includes(".")
}

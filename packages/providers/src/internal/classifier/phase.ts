/** Which wait ran out, and whether the request had been sent, as far as the words of an exception tell. */
import type { Outcome, TimeoutPhase } from "holdfast/GenerationError"
import { pattern } from "./pattern.js"

const phases: ReadonlyArray<readonly [TimeoutPhase, RegExp]> = [
  [
    "pool",
    pattern`
    pool ?timeout|timed? ?out[^.\n]{0,30}(?:acquir|pool|connection from)|connection pool[^.\n]{0,30}time
  `
  ],
  [
    "connect",
    pattern`
    connect(?:ion)? ?time(?:d ?)?-?out|connect_timeout|connecttimeout|connection to [^\n]{0,120} timed out
    |dial tcp[^\n]{0,120}(?:timeout|timed out)|connect etimedout|handshake timeout
    |timed? ?out[^.\n]{0,20}connect|curl: \(28\)[^\n]{0,40}connect
  `
  ],
  ["write", /write ?time(?:d ?)?-?out|send(?:ing)? time(?:d ?)?-?out|writing[^.\n]{0,20}timed out/i],
  [
    "headers",
    pattern`
    headers? ?time(?:d ?)?-?out|headers_timeout|awaiting (?:response )?headers|waiting for (?:response )?headers
  `
  ],
  ["idle", /idle ?time(?:d ?)?-?out|inactivity|no data received|stalled/i],
  [
    "body",
    pattern`
    body ?time(?:d ?)?-?out|body_timeout|read(?:ing)? ?time(?:d ?)?-?out|readtimeout|read timed out
    |read etimedout|timeout on reading|reading body
  `
  ]
]

/** The phase that an exception's words name; undefined if they name none. */
export const phaseOf = (text: string): TimeoutPhase | undefined => phases.find(([, pattern]) => pattern.test(text))?.[0]

const neverSent = pattern`
  econnrefused|connection refused|refused to connect|actively refused|enotfound|eai_again|getaddrinfo
  |name (?:or service not known|resolution)|no such host|nodename nor servname|could not resolve|nxdomain
  |unknownhost|unresolvedaddress|dns|域名解析|ehostunreach|enetunreach|enetdown|no route to host
  |network is unreachable|cannot connect to (?:api|host)|could not connect|failed to (?:connect
  |establish a new connection)|err_name_not_resolved|err_connection_refused|err_internet_disconnected
  |tunneling socket|proxyerror|curl: \((?:6|7)\)|handshake|wrong version number|eproto|connect error
  |connecterror
`

/** Whether a failed connection can have carried the request. */
export const outcomeOf = (text: string): Outcome => (neverSent.test(text) ? "not-started" : "unknown")

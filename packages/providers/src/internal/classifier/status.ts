/**
 * What a status says when nothing else does, and where texts hide one. A number counts only where a status stands:
 * never from ports, ids, token counts or stack frames.
 */
import type { Outcome, Tag } from "holdfast/GenerationError"
import { pattern, patterns } from "./pattern.js"

export interface StatusMeaning {
  readonly tag: Tag
  readonly outcome?: Outcome | undefined
}

const special: Readonly<Record<number, StatusMeaning>> = {
  401: { tag: "Unauthorized" },
  402: { tag: "QuotaExhausted" },
  403: { tag: "Forbidden" },
  404: { tag: "ModelNotFound" },
  407: { tag: "Unauthorized" },
  408: { tag: "Timeout" },
  409: { tag: "Transient", outcome: "rejected" },
  410: { tag: "ModelNotFound" },
  423: { tag: "Transient", outcome: "rejected" },
  424: { tag: "Transient", outcome: "unknown" },
  425: { tag: "Transient", outcome: "rejected" },
  429: { tag: "RateLimited" },
  451: { tag: "Forbidden" },
  // Groq: no room in the flex tier.
  498: { tag: "Overloaded" },
  499: { tag: "Transient", outcome: "unknown" },
  500: { tag: "Transient", outcome: "rejected" },
  501: { tag: "InvalidRequest" },
  503: { tag: "Overloaded" },
  504: { tag: "Timeout" },
  505: { tag: "InvalidRequest" },
  511: { tag: "Forbidden" },
  // Cloudflare: the origin was never reached.
  521: { tag: "Transient", outcome: "not-started" },
  522: { tag: "Transient", outcome: "not-started" },
  523: { tag: "Transient", outcome: "not-started" },
  524: { tag: "Timeout" },
  525: { tag: "Transient", outcome: "not-started" },
  526: { tag: "Transient", outcome: "not-started" },
  529: { tag: "Overloaded" },
  530: { tag: "Transient", outcome: "not-started" },
  598: { tag: "Timeout" },
  599: { tag: "Timeout" }
}

/** The class of a status of 400 or more; undefined for any other number. */
export const ofStatus = (status: number): StatusMeaning | undefined => {
  if (!(status >= 400 && status <= 599)) return undefined
  return special[status] ?? (status < 500 ? { tag: "InvalidRequest" } : { tag: "Transient", outcome: "unknown" })
}

const explicit = patterns`
  (?:\b(?:http(?:/[\d.]+)?|https?[ _]?status|status[ _-]?code|status|error[ _]code|code|error|response
  |returned|got|received|failed with|with|last status|got status|answered|状态码|错误码|响应码|エラーコード)\b|状态码|错误码|返回|报错?
  |HTTP)\s{0,3}(?:error|status|code|code:|of|is|was|an?)?
  \s{0,2}[:=(]{0,2}\s{0,3}["'<]?([45]\d\d)(?![\d.%])\b(?!\s{0,2}(?:tokens?|ms|seconds?|px|bytes))
`

const leading = pattern`
  ^[^A-Za-z0-9\u4e00-\u9fff]{0,10}(?:(?:api |http |client |server )?error:?\s{0,3})?[[(<]?
  ([45]\d\d)\b(?![.,%]\d)(?!\s{0,2}(?:tokens?|ms|seconds?|px|bytes|x))
`

const bracketed = /[[(<]([45]\d\d)(?:[\])>]| [A-Z])/g

const phrases: ReadonlyArray<readonly [number, string]> = [
  [400, "bad request"],
  [401, "unauthorized"],
  [402, "payment required"],
  [403, "forbidden"],
  [404, "not found"],
  [405, "method not allowed"],
  [408, "request time-?out"],
  [413, "(?:payload|request entity|content) too large"],
  [415, "unsupported media type"],
  [422, "unprocessable (?:entity|content)"],
  [429, "too many requests"],
  [500, "internal server error"],
  [502, "bad gateway"],
  [503, "service (?:temporarily )?unavailable"],
  [504, "gateway time-?out"],
  [520, "web server (?:is returning|returned) an unknown error"],
  [521, "web server is down"],
  [523, "origin is unreachable"],
  [525, "ssl handshake failed"],
  [524, "a timeout occurred"]
]

const numbered = phrases.map(([status, phrase]) =>
  [status, new RegExp(`\\b${status}\\b[^\\w\\n]{0,4}${phrase}`, "i")] as const
)
const named = phrases.map(([status, phrase]) => [status, new RegExp(`\\b${phrase}\\b`, "i")] as const)

/** The statuses that a text states as numbers, in the order in which they stand. */
export const statedIn = (text: string): ReadonlyArray<number> => {
  const found: Array<number> = []
  const head = text.slice(0, 8000)
  const first = leading.exec(head)
  if (first !== null) found.push(Number(first[1]))
  for (const pattern of [bracketed, explicit]) {
    let count = 0
    for (const match of head.matchAll(pattern)) {
      if (++count > 20) break
      found.push(Number(match[1]))
    }
  }
  for (const [status, pattern] of numbered) if (pattern.test(head)) found.push(status)
  return found
}

/** The status whose name a text holds, such as `Bad Gateway`. */
export const namedIn = (text: string): number | undefined =>
  named.find(([, pattern]) => pattern.test(text.slice(0, 8000)))?.[0]

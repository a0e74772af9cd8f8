/** Codes that stand in prose, beside a key or as a word that only machines write. */
import { exactPatterns, patterns } from "./pattern.js"

/** `code=RESOURCE_EXHAUSTED`, `quotaId: …`, `status = StatusCode.UNAVAILABLE`: the key and its value. */
export const keyed = patterns`
  \b(error_?code|err_?code|code|status_?code|status_?name|status|error_?type|type|reason|finish[_ ]?reason
  |block[_ ]?reason|quota_?id|quota_?metric|quota_?value|error_?name|__type|retry_?delay|retry_?after)\b
  ["']?\s{0,3}[:=]\s{0,3}["'<[*]{0,3}(?:StatusCode\.|FinishReason\.|BlockedReason\.|BlockReason\.)?
  ([A-Za-z0-9_.:/-]{1,100})
`

/** SCREAMING_SNAKE, snake_case, CamelCase, Dotted.Names, and the names of gRPC statuses. */
export const tokens = exactPatterns`
  \b(?:AI_[A-Za-z]{3,40}|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z][a-z0-9]*(?:_[a-z0-9]+)+
  |[A-Z][a-z0-9]+[A-Z][A-Za-z0-9]{1,80}(?:\.[A-Z][A-Za-z0-9]{1,80}){0,4}
  |UNAVAILABLE|INTERNAL|UNAUTHENTICATED|CANCELLED|ABORTED|Throttling|Arrearage|Unavailable)\b
`

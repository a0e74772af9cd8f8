/**
 * How long an answer asks us to stay away: from header fields, from fields of the body, from its words. Times are in
 * milliseconds. A value that makes no sense (negative, not a number, a year) is no hint.
 */

import { pattern, patterns } from "./classifier/pattern.js"

/** Header fields with lower-case names. */
export type Fields = Readonly<Record<string, string>>

/** A wait longer than this is a mistake, not a wish: 31 days. */
const maxWait = 31 * 24 * 3600 * 1000

const sane = (millis: number): number | undefined =>
  Number.isFinite(millis) && millis >= 0 && millis <= maxWait ? Math.round(millis) : undefined

const unitMillis = (unit: string): number | undefined => {
  const u = unit.toLowerCase()
  if (/^(?:ms|millis|msec|milliseconds?|毫秒)/.test(u)) return 1
  if (/^(?:s|sec|seconds?|secs|秒|초|segundos?)/.test(u)) return 1000
  if (/^(?:m|min|mins|minutes?|分|분|minutos?)/.test(u)) return 60_000
  if (/^(?:h|hr|hrs|hours?|小时|时间|時間|시간|horas?)/.test(u)) return 3_600_000
  if (/^(?:d|days?|天|日|일|días?)/.test(u)) return 86_400_000
  return undefined
}

const part = patterns`
  (\d{1,12}(?:\.\d{1,12})?)\s{0,3}(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|毫秒
  |秒钟?|分钟?|小时|時間|天|초|분|시간)(?![A-Za-z])
`

const goParts =
  /^(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?/i

/** `2m59.56s`, `10h17m5.7s`, `26.4s`, `120ms`, `1d`: the length in milliseconds. */
export const parseDuration = (text: string): number | undefined => {
  const input = text.trim()
  const match = goParts.exec(input)
  if (match === null || match[0] === "" || match[0].length !== input.length) return undefined
  const [, d, h, m, s, ms] = match
  const n = (value: string | undefined): number => (value === undefined ? 0 : Number(value))
  return sane(n(d) * 86_400_000 + n(h) * 3_600_000 + n(m) * 60_000 + n(s) * 1000 + n(ms))
}

/** `Retry-After`: seconds or an HTTP date, which needs the present. */
export const parseRetryAfter = (value: string, now: number | undefined): number | undefined => {
  const text = value.trim()
  if (/^\d{1,12}(?:\.\d{1,9})?$/.test(text)) return sane(Number(text) * 1000)
  const length = parseDuration(text)
  if (length !== undefined) return length
  return sinceNow(text, now)
}

/** A point in time: ISO 8601, an HTTP date, or seconds or milliseconds since the epoch. */
export const parseInstant = (value: string | number): number | undefined => {
  const text = String(value).trim()
  if (/^\d{10}(?:\.\d{1,9})?$/.test(text)) return Math.round(Number(text) * 1000)
  if (/^\d{13}$/.test(text)) return Number(text)
  if (text.length > 40 || !/\d{4}/.test(text) || !/[:-]/.test(text)) return undefined
  const parsed = Date.parse(text)
  return Number.isFinite(parsed) ? parsed : undefined
}

const sinceNow = (value: string | number, now: number | undefined): number | undefined => {
  const instant = parseInstant(value)
  if (instant === undefined || now === undefined) return undefined
  return sane(Math.max(0, instant - now))
}

/** The present: the caller's, or the answer's own `Date`. */
export const presentOf = (headers: Fields, now: number | undefined): number | undefined => {
  const date = headers["date"]
  // The server's clock, not ours, is what its reset times were written by.
  const own = date === undefined ? undefined : parseInstant(date)
  return own ?? now
}

/** A reset counts only for a limit that is used up; a missing or negative remainder says nothing. */
const spent = (remaining: string | undefined): boolean => remaining !== undefined && Number(remaining) === 0

const resetWait = (value: string, now: number | undefined): number | undefined =>
  parseDuration(value) ??
    (/^\d{1,7}(?:\.\d{1,9})?$/.test(value.trim()) ? sane(Number(value) * 1000) : sinceNow(value, now))

const max = (values: ReadonlyArray<number | undefined>): number | undefined =>
  values.reduce<number | undefined>((a, b) => (b === undefined ? a : a === undefined ? b : Math.max(a, b)), undefined)

/** The wait that the header fields state: in milliseconds, in seconds, or as a date. */
export const fromHeaders = (headers: Fields, now: number | undefined): number | undefined => {
  for (const name of ["retry-after-ms", "x-ms-retry-after-ms"]) {
    const value = headers[name]?.trim()
    if (value !== undefined && /^\d{1,12}(?:\.\d{1,6})?$/.test(value)) return sane(Number(value))
  }
  const after = headers["retry-after"]
  return after === undefined ? undefined : parseRetryAfter(after, presentOf(headers, now))
}

/** The wait that follows from the reset times of the limits that are used up. A reset of zero is no wait. */
export const fromResets = (headers: Fields, now: number | undefined): number | undefined => {
  const present = presentOf(headers, now)
  const resets: Array<number | undefined> = []
  for (const [name, value] of Object.entries(headers)) {
    const limit = /^(?:x-)?rate-?limit-reset(?:-(.+))?$/.exec(name) ?? /^anthropic-ratelimit-(.+)-reset$/.exec(name)
    if (limit === null) continue
    const suffix = limit[1]
    const remaining = name.startsWith("anthropic")
      ? headers[`anthropic-ratelimit-${suffix}-remaining`]
      : headers[name.replace("reset", "remaining")]
    const wait = resetWait(value, present)
    if (wait !== undefined && wait > 0 && (spent(remaining) || remaining === undefined)) resets.push(wait)
  }
  return max(resets)
}

const inSeconds = pattern`
  ^(?:retryafter|retryin|retrydelay|retryseconds|resetafter|resetseconds|resetsin|resetin
  |estimatedtime|waittime|waitseconds|cooldown|availablein|backoff)
`

/** The wait in fields of a body, by their names without case and separators. */
export const fromFields = (
  fields: ReadonlyArray<{ readonly key: string; readonly value: string | number }>,
  now: number | undefined
): number | undefined => {
  const waits: Array<number | undefined> = []
  for (const { key, value } of fields) {
    const text = String(value).trim()
    const length = parseDuration(text)
    const number = /^\d{1,13}(?:\.\d{1,12})?$/.test(text) ? Number(text) : undefined
    if (/(?:at|timestamp|time)$/.test(key) && !/^(?:estimatedtime|waittime)/.test(key)) waits.push(sinceNow(value, now))
    else if (length !== undefined) waits.push(length)
    else if (number === undefined) waits.push(/^retry/.test(key) ? parseRetryAfter(text, now) : undefined)
    else if (/(?:ms|millis|milliseconds)$/.test(key)) waits.push(sane(number))
    else if (inSeconds.test(key) && number < 1e9) waits.push(sane(number * 1000))
  }
  return max(waits.filter((wait) => wait === undefined || wait > 0))
}

/** "try again in", "wait for", "resets in", then up to five numbers with their units. */
const afterLead = patterns`
  \b(?:(?:re)?try(?:ing)?(?: again| later)?(?: your request)?[,:;]? {0,2}(?:in|after|within)
  (?: about| approximately| at least| another)?:?
  |retry-?after[:=]?|retry[_ ]in[:=]?|retrydelay["']?[:=]|wait(?:ing)?(?: for| at least| about)?(?: another)?
  |(?:will |to )?(?:be )?resets? (?:after|in)|available (?:again )?in|back in|cool-?down(?: of| for|:)?|come back in
  |again in|restored in|refreshes in|下次可用)
  \s{0,3}["'~]?((?:\d[\d.]{0,15}\s{0,3}[A-Za-z\u4e00-\u9fff]{1,12}[\s,]{0,3}(?:and\s)?){1,5})
`
const clock = /\b(?:again in|retry (?:in|after)|resets? in|wait) (\d{1,2}):([0-5]\d):([0-5]\d)\b/i
const bareSeconds = /\b(?:retry-?after|retry_after)["']?\s{0,2}[:=]\s{0,2}["']?(\d{1,6}(?:\.\d{1,6})?)(?![\w.])/i
const chinese =
  /(\d{1,6}(?:\.\d{1,6})?)\s{0,2}(毫秒|秒钟?|分钟|个?小时|天)\s{0,2}(?:之?后|以后|内?再|再试|重试|后重试)/g
const chineseWait =
  /(?:等待|等|请在|稍等|冷却|剩余|还需)\s{0,2}(\d{1,6}(?:\.\d{1,6})?)\s{0,2}(毫秒|秒|分钟|个?小时|天)/g
const asian = /(\d{1,6})\s{0,2}(秒|分|時間|초|분|시간)\s{0,2}(?:後|후|뒤)/g

/** What a client says about its own loop is not what the server asked for. */
const ownLoop = /\bretrying (?:in|after) \d/i

const sum = (text: string): number | undefined => {
  let total: number | undefined
  for (const match of text.matchAll(part)) {
    const unit = unitMillis(match[2] ?? "")
    if (unit !== undefined) total = (total ?? 0) + Number(match[1]) * unit
  }
  return total
}

/** The wait in a sentence: "try again in 2m59.56s", "retry after 33 seconds", "请60秒后重试". */
export const fromText = (text: string): number | undefined => {
  const waits: Array<number | undefined> = []
  for (const match of text.matchAll(afterLead)) {
    if (ownLoop.test(match[0])) continue
    const value = (match[1] ?? "").trim().replace(/[.,]+$/, "")
    waits.push(parseDuration(value.replace(/\s/g, "")) ?? sane(sum(value) ?? Number.NaN))
    if (waits.length > 20) break
  }
  const [, h, m, s] = clock.exec(text) ?? []
  if (h !== undefined) waits.push(sane((Number(h) * 3600 + Number(m) * 60 + Number(s)) * 1000))
  const seconds = bareSeconds.exec(text)?.[1]
  if (seconds !== undefined) waits.push(sane(Number(seconds) * 1000))
  for (const pattern of [chinese, chineseWait, asian]) {
    for (const match of text.matchAll(pattern)) {
      const unit = unitMillis((match[2] ?? "").replace(/^个/, ""))
      if (unit !== undefined) waits.push(sane(Number(match[1]) * unit))
    }
  }
  return max(waits)
}

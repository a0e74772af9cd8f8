/** Text that came from elsewhere, made fit for a terminal: it may move no cursor, change no colour, reverse no line. */
import * as Redact from "holdfast/Redact"

const control = "[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]"
/** CSI, then OSC and its like up to their end, then two-character sequences. */
const escapes = new RegExp(
  [
    "(?:\\u001b\\[|\\u009b)[0-?]*[ -/]*[@-~]?",
    "(?:\\u001b[\\]PX^_]|[\\u0090\\u0098\\u009d-\\u009f])[^\\u0007\\u001b\\u009c]{0,4096}" +
      "(?:\\u0007|\\u001b\\\\|\\u009c)?",
    "\\u001b[ -/]*[0-~]?"
  ].join("|"),
  "g"
)
/** Marks and overrides of writing direction, which can make a line read as another. */
const bidi = "[\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]"
const unwanted = new RegExp(`${control}|${bidi}`, "g")

/** Without escape sequences, control characters and direction marks. Tabs and line ends stay. */
export const clean = (text: string): string => text.replace(escapes, "").replace(/\r\n?/g, "\n").replace(unwanted, "")

/** `clean`, on one line, at most `length` characters. */
export const oneLine = (text: string, length = 1000): string => {
  const line = clean(text).replace(/\s+/g, " ").trim()
  return line.length > length ? `${line.slice(0, length - 1).replace(/[\ud800-\udbff]$/, "")}…` : line
}

/** JSON on one line in which no character acts on a terminal or ends a line, whatever the strings hold. */
export const json = (value: unknown): string =>
  JSON.stringify(value).replace(
    new RegExp(`${control}|${bidi}|[\\u2028\\u2029]`, "g"),
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

/** Takes the given secrets out, also in the form that they have within JSON. Nothing else is touched. */
export const without =
  (secrets: ReadonlyArray<string>) =>
  (text: string): string =>
    secrets
      .filter((secret) => secret.length >= 4)
      .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
      .reduce((out, secret) => out.split(secret).join(Redact.mask), text)

/** Cuts a line to the columns of a terminal. Only for text of our own, one column a character. */
export const fit = (line: string, columns: number): string =>
  line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 1))}…`

/** Seconds for people: `0.4 s`, `12.3 s`, `2m 05s`. */
export const seconds = (millis: number): string => {
  if (millis < 59_950) return `${(Math.max(0, millis) / 1000).toFixed(1)} s`
  const whole = Math.round(millis / 1000)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return h === 0 ? `${m}m ${String(s).padStart(2, "0")}s` : `${h}h ${String(m).padStart(2, "0")}m`
}

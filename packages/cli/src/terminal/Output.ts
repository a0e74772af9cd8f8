/**
 * Standard output and error of the command. A reader that goes away (`| head`) is no failure: what is written after
 * that is dropped, and whoever has much to write asks `isOpen`.
 */
import * as Effect from "effect/Effect"
import { type CliError, failure } from "../commandLine/CliError.js"

const gone = new Set<NodeJS.WriteStream>()

const isGone = (error: unknown): boolean =>
  typeof error === "object" &&
  error !== null &&
  "code" in error &&
  (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED")

const watched = new Set<NodeJS.WriteStream>()

/** Without a listener, the error of a closed pipe would end the process with a stack trace. */
const watch = (stream: NodeJS.WriteStream): void => {
  if (watched.has(stream)) return
  watched.add(stream)
  stream.on("error", () => gone.add(stream))
}

/** Writes, and waits until the other side has taken it. Fails with what went wrong, unless nobody reads any more. */
const write = (stream: NodeJS.WriteStream, text: string): Effect.Effect<void, Error> =>
  Effect.suspend(() => {
    if (text === "" || gone.has(stream)) return Effect.void
    watch(stream)
    return Effect.async<void, Error>((resume) => {
      stream.write(text, (error) => {
        if (error) gone.add(stream)
        resume(error && !isGone(error) ? Effect.fail(error) : Effect.void)
      })
    })
  })

/** Results go here. */
export const out = (text: string): Effect.Effect<void, CliError> =>
  Effect.mapError(write(process.stdout, text), (error) =>
    failure(`standard output cannot be written: ${error.message}`)
  )

/** Everything else goes here. */
export const err = (text: string): Effect.Effect<void> => Effect.ignore(write(process.stderr, text))

/** Writes to standard error without waiting; for a line that is drawn again anyway. */
export const errNow = (text: string): void => {
  if (gone.has(process.stderr)) return
  watch(process.stderr)
  process.stderr.write(text)
}

/** Does anybody still read the results? */
export const isOpen = (): boolean => !gone.has(process.stdout)

/** Can lines be drawn over on standard error? */
export const isLive = (env: NodeJS.ProcessEnv = process.env): boolean =>
  process.stderr.isTTY === true && env["TERM"] !== "dumb" && env["CI"] === undefined

/** Are colours wanted there? See no-color.org. */
export const isColoured = (env: NodeJS.ProcessEnv = process.env): boolean =>
  isLive(env) && (env["NO_COLOR"] ?? "") === ""

/** Columns of the terminal on standard error; some terminals say 0. */
export const columns = (): number => process.stderr.columns || 80

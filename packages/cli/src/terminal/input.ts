/** Files that the command line names, `-` for standard input. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { createReadStream } from "node:fs"
import { type CliError, usage } from "../commandLine/CliError.js"
import { oneLine } from "./text.js"

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder",
  EACCES: "it may not be read",
  ENOTDIR: "its folder is a file"
}

/** Why a file operation failed, in words. */
export const reasonOf = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  return reasons[code] ?? oneLine(error instanceof Error ? error.message : String(error), 200)
}

/** Name of an input for messages. */
export const nameOf = (path: string): string => (path === "-" ? "standard input" : oneLine(path, 200))

/** The bytes of a file as they come. Fails by the name of the file; the file is closed when the stream ends. */
export const bytes = (path: string): Stream.Stream<Uint8Array, CliError> =>
  Stream.unwrapScoped(
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => (path === "-" ? process.stdin : createReadStream(path))),
        (stream) => Effect.sync(() => void stream.destroy())
      ),
      (stream) =>
        Stream.fromAsyncIterable(stream as AsyncIterable<Uint8Array>, (error) =>
          usage(`${nameOf(path)} cannot be read: ${reasonOf(error)}`)
        )
    )
  )

/** All of a file, at most `limit` bytes. */
export const whole = (path: string, limit: number): Effect.Effect<Uint8Array, CliError> =>
  Effect.flatMap(
    Stream.runFoldWhile(
      bytes(path),
      { chunks: [] as Array<Uint8Array>, length: 0 },
      ({ length }) => length <= limit,
      ({ chunks, length }, chunk) => {
        chunks.push(chunk)
        return { chunks, length: length + chunk.length }
      }
    ),
    ({ chunks, length }) =>
      length > limit
        ? Effect.fail(usage(`${nameOf(path)} is longer than ${limit} bytes`))
        : Effect.sync(() => Buffer.concat(chunks))
  )

/** All of a file as text. */
export const text = (path: string, limit: number): Effect.Effect<string, CliError> =>
  Effect.map(whole(path, limit), (found) => new TextDecoder().decode(found))

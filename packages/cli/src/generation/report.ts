/** Says what a generation came to: JSON or results on standard output, sentences on standard error, secrets nowhere. */
import * as Effect from "effect/Effect"
import type { Attempt } from "holdfast/GenerationError"
import type { CliError } from "../commandLine/CliError.js"
import * as Output from "../terminal/Output.js"
import { json, without } from "../terminal/text.js"
import * as Result from "./result.js"

export interface Report {
  /** Takes the keys in use out of a text. */
  readonly safe: (text: string) => string
  /** A sentence for people, on standard error. */
  readonly say: (sentence: string) => Effect.Effect<void>
  /** Ends with exit code 1. */
  readonly failed: (error: Result.Failure, attempts?: ReadonlyArray<Attempt>) => Effect.Effect<number, CliError>
  /** Ends with exit code 0; `text` is what is printed when JSON is not asked for. */
  readonly succeeded: (result: Result.Result, text: string) => Effect.Effect<number, CliError>
}

/** A report that prints JSON or not, and never any of the secrets. */
export const make = (asJson: boolean, secrets: ReadonlyArray<string>): Report => {
  const safe = without(secrets)
  const line = (result: Result.Result): string => `${json(result)}\n`
  const say = (sentence: string) => Output.err(`${safe(sentence)}\n`)
  return {
    safe,
    say,
    failed: (error, attempts = []) =>
      Output.out(asJson ? safe(line(Result.failed(error, attempts))) : "").pipe(
        Effect.zipRight(say(`holdfast generate: ${Result.sentence(error, attempts.length)}`)),
        Effect.as(1)
      ),
    succeeded: (result, text) => Effect.as(Output.out(safe(asJson ? line(result) : text)), 0)
  }
}

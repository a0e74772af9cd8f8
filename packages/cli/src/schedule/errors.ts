/** The list of errors that a schedule is tried on: `Overloaded,RateLimited:20s`. */
import * as GenerationError from "holdfast/GenerationError"
import { usage } from "../commandLine/CliError.js"
import { suggestion } from "../commandLine/nearest.js"
import { durationMillis, shown } from "../commandLine/values.js"

const longest = 100_000

/** The errors by class, each with the wait that its server asks for; refuses what it cannot read. */
export const parse = (text: string): ReadonlyArray<GenerationError.GenerationError> => {
  const items = text.split(",")
  if (items.length > longest) throw usage(`--errors may name at most ${longest} errors, not ${items.length}`)
  return items.map((item) => {
    const [, name = "", wait] = /^\s*([^:]*?)\s*(?::\s*(.*?)\s*)?$/s.exec(item) ?? []
    const tag = GenerationError.tags.find((known) => known.toLowerCase() === name.toLowerCase())
    if (tag === undefined) {
      throw usage(
        `--errors must name error classes, not ${shown(name)}${
          suggestion(name, GenerationError.tags) || `; there are ${GenerationError.tags.join(", ")}`
        }`
      )
    }
    const retryAfter = wait === undefined ? undefined : durationMillis(wait)
    if (wait !== undefined && retryAfter === undefined) {
      throw usage(`--errors: the wait after ${tag} must be a time such as 500ms, 20s or 3m, not ${shown(wait)}`)
    }
    return GenerationError.make(tag, { message: tag, retryAfter })
  })
}

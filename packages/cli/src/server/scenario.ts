/** Which scenario the overloaded model plays: a built-in one, or one out of a file. */
import * as Scenario from "@holdfast/testing/Scenario"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import { type CliError, usage } from "../commandLine/CliError.js"
import { suggestion } from "../commandLine/nearest.js"
import { shown } from "../commandLine/values.js"
import * as Input from "../terminal/input.js"
import { oneLine } from "../terminal/text.js"

/** A scenario and what to call it. */
export interface Named {
  readonly name: string
  readonly scenario: Scenario.Scenario
}

const sizeLimit = 16 * 1024 * 1024

/** Looks like a file rather than a name that was mistyped. */
const looksLikeFile = (text: string): boolean => text === "-" || /[./\\#]/.test(text)

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === "object" && u !== null && !Array.isArray(u)

const decoded = <A>(file: string, result: Either.Either<A, Scenario.ScenarioError>): Effect.Effect<A, CliError> =>
  Effect.mapError(result, (error) => usage(`the scenario file ${file}: ${oneLine(error.message, 400)}`))

const parsed = (file: string, text: string): Effect.Effect<unknown, CliError> =>
  Effect.try({
    try: () => JSON.parse(text) as unknown,
    catch: (error) =>
      usage(`the scenario file ${file} is no JSON: ${oneLine(error instanceof Error ? error.message : "", 200)}`)
  })

/** A file holds one scenario, or an object from name to scenario; `FILE#NAME` picks one of those. */
const fromFile = (given: string): Effect.Effect<Named, CliError> =>
  Effect.gen(function*() {
    const [, path = given, wanted] = /^(.+)#([^#/\\]+)$/.exec(given) ?? []
    const file = Input.nameOf(path)
    const value = yield* parsed(file, yield* Input.text(path, sizeLimit))
    if (isRecord(value) && Object.hasOwn(value, "endpoints")) {
      return { name: file, scenario: yield* decoded(file, Scenario.decode(value)) }
    }
    const scenarios = yield* decoded(file, Scenario.decodeFile(value))
    const names = Object.keys(scenarios)
    const list = oneLine(names.join(", "), 400)
    const refuse = (why: string) => Effect.fail(usage(`the scenario file ${file} ${why}`))
    if (names.length === 0) return yield* refuse("holds no scenario")
    const name = wanted ?? (names.length === 1 ? names[0] : undefined)
    if (name === undefined) {
      return yield* refuse(`holds ${names.length} scenarios, so name one: ${path}#${names[0]}; there are ${list}`)
    }
    const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined
    if (scenario !== undefined) return { name, scenario }
    return yield* refuse(`holds no ${shown(name)}${suggestion(name, names) || `; there are ${list}`}`)
  })

/** The scenario that the command line names. */
export const find = (given: string): Effect.Effect<Named, CliError> => {
  const builtIn = Scenario.byName(given)
  if (builtIn._tag === "Right") return Effect.succeed({ name: given, scenario: builtIn.right })
  return looksLikeFile(given)
    ? fromFile(given)
    : Effect.fail(
        usage(
          `--scenario: there is no scenario ${shown(given)}${
            suggestion(given, Scenario.names) || `; there are ${Scenario.names.join(", ")}, or give a JSON file`
          }`
        )
      )
}

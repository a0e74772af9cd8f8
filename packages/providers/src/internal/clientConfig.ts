/** How clients read the environment: what is set to nothing counts as not set, as shells and containers mean it. */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Check from "./check.js"

const present = (name: string): Config.Config<Option.Option<string>> =>
  Config.map(Config.option(Config.string(name)), (value) =>
    Option.filter(Option.map(value, (text) => text.trim()), (text) => text !== "")
  )

/** A text with a default. */
export const text = (name: string, fallback: string): Config.Config<string> =>
  Config.map(present(name), Option.getOrElse(() => fallback))

/** A text that may be missing. */
export const optionalText = (name: string): Config.Config<string | undefined> =>
  Config.map(present(name), Option.getOrUndefined)

/** A base URL that may be missing; an illegal one is a `ConfigError` that does not repeat it. */
export const optionalBaseUrl = (name: string): Config.Config<string | undefined> =>
  Config.mapOrFail(optionalText(name), (value) => {
    const problem = value === undefined ? undefined : Check.baseUrlProblem(value)
    return problem === undefined
      ? Either.right(value)
      : Either.left(ConfigError.InvalidData([name], `${name} ${problem}`))
  })

/** A base URL with a default. */
export const baseUrl = (name: string, fallback: string): Config.Config<string> =>
  Config.map(optionalBaseUrl(name), (value) => value ?? fallback)

/** A secret under the first of these names that is set; missing under all of them it is a `ConfigError`. */
export const secret = (...names: readonly [string, ...ReadonlyArray<string>]): Config.Config<Redacted.Redacted> =>
  Config.mapOrFail(optionalSecret(...names), (found) =>
    found === undefined
      ? Either.left(ConfigError.MissingData([names[0]], `Set ${names.join(" or ")}`))
      : Either.right(found)
  )

/** A secret that may be missing. */
export const optionalSecret = (
  ...names: readonly [string, ...ReadonlyArray<string>]
): Config.Config<Redacted.Redacted | undefined> =>
  Config.map(Config.all(names.map(present)), (values) => {
    const found = values.find(Option.isSome)
    return found === undefined ? undefined : Redacted.make(found.value)
  })

/** The options without those that are undefined, which would hide what the environment says. */
export const given = <A extends object>(options: A): A =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as A

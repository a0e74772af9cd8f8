/**
 * Reads a command's arguments by its specification: `parseArgs` of `node:util`, strict, with refusals that name the
 * flag.
 *
 * Loaded before every command, so it imports nothing heavy.
 */
import { parseArgs } from "node:util"
import { type CliError, usage } from "./CliError.js"
import { suggestion } from "./nearest.js"
import type { Flag, Spec } from "./Spec.js"

/** What a flag gives. */
type Value<F extends Flag> = F extends { readonly type: "boolean" }
  ? boolean
  : F extends { readonly multiple: true }
    ? ReadonlyArray<string>
    : string | undefined

/** The flags of a command line by name, and the words between them. */
export interface Parsed<S extends Spec> {
  readonly flags: { readonly [K in keyof S["flags"]]: Value<S["flags"][K]> }
  readonly words: ReadonlyArray<string>
}

/** What every command takes. */
const common = { help: { type: "boolean", short: "h" } } as const

/** What Node calls the mistakes of a command line. */
const isRefusal = (error: unknown): boolean =>
  error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_")

/** Is the help asked for, among the arguments before `--`? */
export const wantsHelp = (args: ReadonlyArray<string>): boolean => {
  const end = args.indexOf("--")
  return args.slice(0, end < 0 ? args.length : end).some((arg) => arg === "--help" || arg === "-h")
}

/** The flags and words of a command line, or a `CliError` that names what is wrong. */
export const parse = <const S extends Spec>(spec: S, args: ReadonlyArray<string>): Parsed<S> => {
  const options: Record<string, Flag | (typeof common)["help"]> = { ...common, ...spec.flags }
  const config = { args: [...args], options, allowPositionals: true } as const
  try {
    const { positionals, values } = parseArgs({ ...config, strict: true })
    const given: Readonly<Record<string, unknown>> = values
    const flags = Object.fromEntries(
      Object.entries(spec.flags).map(([name, flag]) => [
        name,
        given[name] ?? (flag.type === "boolean" ? false : flag.multiple === true ? [] : undefined)
      ])
    )
    return { flags: flags as Parsed<S>["flags"], words: positionals }
  } catch (error) {
    if (!isRefusal(error)) throw error
    throw refusal(spec, options, parseArgs({ ...config, strict: false, tokens: true }).tokens) ?? usage(String(error))
  }
}

interface Token {
  readonly kind: string
  readonly name?: string
  readonly rawName?: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

/** The first mistake, in our own words: one sentence that names the flag. */
const refusal = (
  spec: Spec,
  options: Readonly<Record<string, Flag | (typeof common)["help"]>>,
  tokens: ReadonlyArray<Token>
): CliError | undefined => {
  for (const { inlineValue, kind, name = "", rawName = "", value } of tokens) {
    if (kind !== "option") continue
    const flag = Object.hasOwn(options, name) ? options[name] : undefined
    if (flag === undefined) {
      const near = rawName.startsWith("--") ? suggestion(name, Object.keys(options), "--") : ""
      return usage(`there is no option ${rawName}${near === "" ? `; holdfast ${spec.name} --help lists them` : near}`)
    }
    if (flag.type === "boolean") {
      if (value !== undefined) return usage(`${rawName} takes no value`)
      continue
    }
    const shown = "value" in flag ? flag.value : "a value"
    if (value === undefined) return usage(`${rawName} needs a value: ${rawName} ${shown}`)
    if (inlineValue !== true && value.length > 1 && value.startsWith("-")) {
      return usage(
        `${rawName} needs a value, and ${value} looks like an option: write ${rawName}=${value} if it is one`
      )
    }
  }
  return undefined
}

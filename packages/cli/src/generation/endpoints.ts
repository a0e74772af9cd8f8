/** Where attempts can go, as the command line names it: `gemini`, or `NAME=DIALECT:BASE_URL[:MODEL]`. */
import type { Dialect } from "holdfast/Endpoint"
import { type CliError, usage } from "../commandLine/CliError.js"
import { suggestion } from "../commandLine/nearest.js"
import { shown } from "../commandLine/values.js"

/** A provider that the environment configures. */
export interface Provider {
  readonly _tag: "Provider"
  readonly name: Dialect
  readonly dialect: Dialect
}

/** An endpoint that is spelt out. */
export interface Custom {
  readonly _tag: "Custom"
  readonly name: string
  readonly dialect: Dialect
  readonly baseUrl: string
  readonly model: string | undefined
}

export type Place = Provider | Custom

export const dialects: ReadonlyArray<Dialect> = ["gemini", "vertex", "openai"]

const isDialect = (text: string): text is Dialect => dialects.some((dialect) => dialect === text)

export const provider = (dialect: Dialect): Provider => ({ _tag: "Provider", name: dialect, dialect })

/**
 * Scheme, host (a name, an IPv4 address, or IPv6 in brackets), a port, a path without colons; and after a colon, the
 * model, which may hold anything. Digits alone right after the host are its port.
 */
const address = /^(https?:\/\/(?:\[[^\]\s]*\]|[^/?#:[\]\s]+)(?::\d+(?=[/:]|$))?(?:\/[^:\s]*)?)(?::(.+))?$/i

/** Why an address cannot be a base URL; `undefined` when it can. Never repeats it: it may hold a password. */
const problemOf = (text: string): string | undefined => {
  if (!URL.canParse(text)) return "is no URL"
  const url = new URL(text)
  if (url.username !== "" || url.password !== "") return "must hold no user name or password"
  if (url.search !== "" || url.hash !== "") return "must hold no query or fragment"
  return undefined
}

const keyless = "; keys belong in the environment"

/** Reads one `--endpoint`; refuses by what is wrong with it. */
export const parse = (text: string): Place => {
  const equals = text.indexOf("=")
  if (equals < 0) {
    if (isDialect(text)) return provider(text)
    throw usage(
      `--endpoint must be gemini, vertex, openai or NAME=DIALECT:BASE_URL[:MODEL], not ${shown(text)}` +
        suggestion(text, dialects)
    )
  }
  const name = text.slice(0, equals)
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/.test(name)) {
    throw usage(`--endpoint: a NAME has 1 to 40 letters, digits, ".", "_" and "-", and ${shown(name)} has not`)
  }
  const refuse = (why: string): CliError => usage(`--endpoint ${name}: ${why}`)
  const [, dialect = "", rest = ""] = /^([^:]*):?(.*)$/s.exec(text.slice(equals + 1)) ?? []
  if (!isDialect(dialect)) {
    throw refuse(
      `the DIALECT after = must be one of ${dialects.join(", ")}, not ${shown(dialect)}${suggestion(dialect, dialects)}`
    )
  }
  if (/^https?:\/\/[^/?#]*@/i.test(rest)) throw refuse(`the BASE_URL must hold no user name or password${keyless}`)
  const [, url, model] = address.exec(rest) ?? []
  if (url === undefined) throw refuse("the BASE_URL must begin with http:// or https:// and a host")
  const problem = problemOf(url)
  if (problem !== undefined) throw refuse(`the BASE_URL ${problem}${keyless}`)
  if (model !== undefined && !/^[\x21-\x7e]{1,200}$/.test(model))
    throw refuse("the MODEL must be one word of at most 200 letters")
  return { _tag: "Custom", name, dialect, baseUrl: url.replace(/\/+$/, ""), model }
}

/** Reads every `--endpoint`; two of one name are refused. */
export const parseAll = (texts: ReadonlyArray<string>): ReadonlyArray<Place> => {
  const places = texts.map(parse)
  places.forEach(({ name }, index) => {
    if (places.findIndex((other) => other.name === name) !== index) throw usage(`--endpoint: two are called ${name}`)
  })
  return places
}

/** Name of the variable that holds the key of an endpoint of that name. */
export const keyVariable = (name: string): string => `HOLDFAST_KEY_${name.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`

/** Is it this machine? Then nobody needs a key. */
export const isLoopback = (baseUrl: string): boolean => {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : ""
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/**
 * The entry of the `holdfast` command: it finds the command, and loads it only then.
 *
 * Nothing heavy is imported here: `--version` and the help texts answer in about the time that Node itself takes to
 * start.
 */
import { readFileSync } from "node:fs"
import { CliError, usage } from "./commandLine/CliError.js"
import { commandHelp, mainHelp } from "./commandLine/help.js"
import { suggestion } from "./commandLine/nearest.js"
import { wantsHelp } from "./commandLine/parse.js"
import * as specs from "./commandLine/specs.js"
import { shown } from "./commandLine/values.js"

/** What a command's module gives. */
interface Command {
  readonly command: (args: ReadonlyArray<string>) => Promise<number>
}

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  generate: () => import("./commands/generate.js"),
  explain: () => import("./commands/explain.js"),
  schedule: () => import("./commands/schedule.js"),
  "overload-server": () => import("./commands/overload-server.js")
}

/** The version of this very package. */
const version = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown"
}

const print = (text: string): number => {
  process.stdout.on("error", () => {})
  process.stdout.write(text)
  return 0
}

const unknown = (name: string): CliError => {
  const names = Object.keys(commands)
  return name.startsWith("-")
    ? usage(`there is no option ${name} before the command; write holdfast COMMAND ${name}, or holdfast --help`)
    : usage(`there is no command ${shown(name)}${suggestion(name, names) || `; there are ${names.join(", ")}`}`)
}

const helpOf = (name: string | undefined): number => {
  if (name === undefined) return print(mainHelp(specs.all))
  const spec = specs.all.find((candidate) => candidate.name === name)
  if (spec === undefined) throw unknown(name)
  return print(commandHelp(spec))
}

const main = async ([name, ...args]: ReadonlyArray<string>): Promise<number> => {
  switch (name) {
    case undefined:
      throw usage(`name a command: ${Object.keys(commands).join(", ")}; holdfast --help says more`)
    case "--help":
    case "-h":
    case "help":
      return helpOf(args[0])
    case "--version":
    case "-v":
      return print(`${version()}\n`)
    default: {
      const load = Object.hasOwn(commands, name) ? commands[name] : undefined
      if (load === undefined) throw unknown(name)
      if (wantsHelp(args)) return helpOf(name)
      return (await load()).command(args)
    }
  }
}

const given = process.argv.slice(2)
try {
  process.exitCode = await main(given)
} catch (error) {
  process.stderr.on("error", () => {})
  const owner = given[0] !== undefined && Object.hasOwn(commands, given[0]) ? `holdfast ${given[0]}` : "holdfast"
  if (error instanceof CliError) process.stderr.write(`${owner}: ${error.message}\n`)
  else
    process.stderr.write(
      `${owner}: this is a defect of holdfast itself: ${error instanceof Error ? error.stack : String(error)}\n`
    )
  process.exitCode = error instanceof CliError ? error.exitCode : 1
}

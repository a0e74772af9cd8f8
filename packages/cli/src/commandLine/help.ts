/** The help texts, made from the specifications. */
import type { Flag, Spec } from "./Spec.js"

const width = 100

/** Breaks a text into lines of at most `columns`. */
const wrap = (text: string, columns: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** Two columns: terms, and what they mean. */
const table = (rows: ReadonlyArray<readonly [term: string, meaning: string]>): string => {
  const left = Math.min(26, Math.max(...rows.map(([term]) => term.length)))
  return rows
    .map(([term, meaning]) => {
      const [first = "", ...rest] = wrap(meaning, width - left - 4)
      const head =
        term.length > left ? [`  ${term}`, `  ${" ".repeat(left)}  ${first}`] : [`  ${term.padEnd(left)}  ${first}`]
      return [...head, ...rest.map((line) => `  ${" ".repeat(left)}  ${line}`)].join("\n")
    })
    .join("\n")
}

const term = (name: string, flag: Flag): string =>
  flag.type === "boolean" ? `--${name}` : `--${name} ${flag.value}${flag.multiple === true ? "…" : ""}`

const examplesOf = (examples: Spec["examples"]): string =>
  examples.map(([line, does]) => `  # ${does}\n  ${line}`).join("\n\n")

/** The help of one command. */
export const commandHelp = (spec: Spec): string =>
  [
    `Usage: holdfast ${spec.name} ${spec.usage}`,
    `${spec.summary}.`,
    `Options:\n${table([
      ...Object.entries(spec.flags).map(([name, flag]) => [term(name, flag), flag.help] as const),
      ["-h, --help", "This text."]
    ])}`,
    spec.details.trim(),
    `Examples:\n${examplesOf(spec.examples)}`
  ].join("\n\n") + "\n"

/** The help of the whole. */
export const mainHelp = (specs: ReadonlyArray<Spec>): string =>
  [
    "Usage: holdfast COMMAND [options]",
    "Keeps generation calls standing when the model is overloaded.",
    `Commands:\n${table(specs.map((spec) => [spec.name, `${spec.summary}.`]))}`,
    `Options:\n${table([
      ["-h, --help", "This text. `holdfast help COMMAND` and `holdfast COMMAND --help` say more."],
      ["-v, --version", "The version."]
    ])}`,
    `Every command takes --json, reads - as standard input where it reads files, sends results to standard
output and everything else to standard error, and exits with 0 on success, 1 when the work failed,
2 when the command line cannot be used, and 130 after Ctrl-C.`,
    `Examples:\n${examplesOf([
      [`holdfast generate --demo "a cute cat"`, "An image from an embedded overloaded model: no key, no cost"],
      [`holdfast generate "a cute cat" --out pictures`, "An image from the provider whose key is set"],
      ["holdfast explain error.json", "What an error means, and whether to try again"],
      ["holdfast schedule exponential", "When a schedule would try again"],
      ["holdfast overload-server --scenario peak", "An overloaded model for your own tests"]
    ])}`
  ].join("\n\n") + "\n"

/** The command line of `generate`, read and checked as far as that needs no file and no network. */
import { usage } from "../commandLine/CliError.js"
import { parse } from "../commandLine/parse.js"
import * as specs from "../commandLine/specs.js"
import * as Values from "../commandLine/values.js"
import * as Endpoints from "./endpoints.js"
import { defaults } from "./policy.js"

/** Longest deadline: what JavaScript timers keep. */
const longest = 24 * 86_400_000

const matching =
  (flag: string, pattern: RegExp, legal: string) =>
  (text: string): string => {
    if (pattern.test(text)) return text
    throw usage(`${flag} must be ${legal}, not ${Values.shown(text)}`)
  }

/** One word for a file or folder: not empty, no NUL. */
const path =
  (flag: string) =>
  (text: string): string => {
    if (text !== "" && !text.includes("\0")) return text
    throw usage(`${flag} must name a ${flag === "--out" ? "folder" : "file"}`)
  }

export interface Options {
  /** `-` for standard input. */
  readonly prompt: string
  readonly places: ReadonlyArray<Endpoints.Place>
  readonly model: string | undefined
  readonly out: string
  readonly force: boolean
  /** Milliseconds. */
  readonly deadline: number
  readonly attempts: number | undefined
  readonly demo: boolean
  readonly text: boolean
  readonly aspectRatio: string | undefined
  readonly imageSize: string | undefined
  readonly count: number
  /** Files of images to work from; `-` for standard input. */
  readonly images: ReadonlyArray<string>
  readonly seed: number | undefined
  readonly json: boolean
}

/** Refuses what cannot be used by a `CliError` that names the flag. */
export const read = (args: ReadonlyArray<string>): Options => {
  const { flags, words } = parse(specs.generate, args)
  const prompt = words.join(" ")
  if (prompt.trim() === "") throw usage(`say what to make: holdfast generate "a cute cat"`)
  if (flags.demo && flags.endpoint.length > 0)
    throw usage("--demo and --endpoint exclude each other: a demo calls no provider")
  const imageOnly = (["aspect-ratio", "size", "count"] as const).find((flag) => flags[flag] !== undefined)
  if (flags.text && imageOnly !== undefined) throw usage(`--text and --${imageOnly} exclude each other`)
  const fromInput = [prompt, ...flags.image].filter((source) => source === "-").length
  if (fromInput > 1) throw usage("standard input can be read once only: name files for the others")
  return {
    prompt,
    places: Endpoints.parseAll(flags.endpoint),
    model: Values.optional(flags.model, matching("--model", /^[\x21-\x7e]{1,200}$/, "one word of at most 200 letters")),
    out: Values.optional(flags.out, path("--out")) ?? ".",
    force: flags.force,
    deadline:
      Values.optional(flags.deadline, (text) => Values.duration("--deadline", text, { min: 1, max: longest })) ??
      defaults.deadline,
    attempts: Values.optional(flags.attempts, (text) => Values.integer("--attempts", text, { min: 1, max: 1000 })),
    demo: flags.demo,
    text: flags.text,
    aspectRatio: Values.optional(
      flags["aspect-ratio"],
      matching("--aspect-ratio", /^[1-9]\d{0,2}:[1-9]\d{0,2}$/, "two whole numbers such as 16:9")
    ),
    imageSize: Values.optional(flags.size, (text) =>
      matching("--size", /^(?:[124]K|\d{2,5}x\d{2,5})$/, "1K, 2K, 4K or WIDTHxHEIGHT")(text.replace(/k$/, "K"))
    ),
    count: Values.optional(flags.count, (text) => Values.integer("--count", text, { min: 1, max: 10 })) ?? 1,
    images: flags.image.map(path("--image")),
    seed: Values.optional(flags.seed, (text) => Values.integer("--seed", text, { min: 0, max: 2 ** 31 - 1 })),
    json: flags.json
  }
}

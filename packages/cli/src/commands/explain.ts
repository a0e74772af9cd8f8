/** `holdfast explain`: what error payloads mean, one answer for each, in order and as they come. */
import * as Classifier from "@holdfast/providers/Classifier"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type CliError, usage } from "../commandLine/CliError.js"
import { parse } from "../commandLine/parse.js"
import * as specs from "../commandLine/specs.js"
import * as Payloads from "../explain/payloads.js"
import * as Show from "../explain/show.js"
import { run } from "../run.js"
import * as Input from "../terminal/input.js"
import * as Output from "../terminal/Output.js"

const explained = ({ id, wire }: Payloads.Payload): Show.Explained => ({ id, verdict: Classifier.explain(wire) })

/** Lines for people: a paragraph when there is one payload, a table when there are more. */
const forPeople = (columns: number) => {
  let count = 0
  let first: Show.Explained | undefined
  const row = (item: Show.Explained): string => Show.row(item, ++count, columns)
  return {
    push: (items: ReadonlyArray<Show.Explained>): ReadonlyArray<string> => {
      const [head, ...rest] = items
      if (head === undefined) return []
      if (count > 0) return items.map(row)
      if (first === undefined) {
        first = head
        if (rest.length === 0) return []
        return [Show.head, row(head), ...rest.map(row)]
      }
      return [Show.head, row(first), ...items.map(row)]
    },
    end: (): ReadonlyArray<string> => (first === undefined || count > 0 ? [] : [Show.paragraph(first)])
  }
}

/** One JSON line each. */
const forScripts = () => ({
  push: (items: ReadonlyArray<Show.Explained>): ReadonlyArray<string> => items.map(Show.line),
  end: (): ReadonlyArray<string> => []
})

const explain = (path: string, asJson: boolean): Effect.Effect<number, CliError> =>
  Effect.gen(function*() {
    if (path === "-" && process.stdin.isTTY) {
      yield* Output.err("Reading payloads from the terminal: end them with Ctrl-D.\n")
    }
    const reader = Payloads.make()
    const decoder = new TextDecoder()
    const writer = asJson
      ? forScripts()
      : forPeople(process.stdout.isTTY ? process.stdout.columns : Number.MAX_SAFE_INTEGER)
    let total = 0
    const print = (payloads: ReadonlyArray<Payloads.Payload>, atEnd: boolean) => {
      total += payloads.length
      const lines = [...writer.push(payloads.map(explained)), ...(atEnd ? writer.end() : [])]
      return Output.out(lines.map((line) => `${line}\n`).join(""))
    }
    yield* Input.bytes(path).pipe(
      Stream.takeWhile(() => Output.isOpen()),
      Stream.runForEach((chunk) => print(reader.push(decoder.decode(chunk, { stream: true })), false))
    )
    if (!Output.isOpen()) return 0
    yield* print([...reader.push(decoder.decode()), ...reader.end()], true)
    if (total === 0)
      yield* Output.err(`holdfast explain: ${Input.nameOf(path)} is empty, so there is nothing to explain\n`)
    return 0
  })

export const command = async (args: ReadonlyArray<string>): Promise<number> => {
  const { flags, words } = parse(specs.explain, args)
  const [path = "-", ...more] = words
  if (more.length > 0) throw usage(`one FILE at a time, not ${words.length}: join them (cat FILES | holdfast explain)`)
  return run(explain(path, flags.json))
}

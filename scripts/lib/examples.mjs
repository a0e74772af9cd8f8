/** The examples step: numbered without a gap, each short enough to read at once, each run by a test. */
import { readFileSync } from "node:fs"
import { basename } from "node:path"
import { Tally } from "./report.mjs"
import { at, filesUnder, shown } from "./workspace.mjs"

const longest = 60

export const examples = async () => {
  const tally = new Tally()
  const programs = filesUnder(at("examples"), (file) => /^\d\d-[^/\\]*\.ts$/.test(basename(file)))
  const tests = filesUnder(at("examples"), (file) => file.endsWith(".test.ts")).map((file) => readFileSync(file, "utf8")).join("\n")
  programs.forEach((file, index) => {
    const name = basename(file, ".ts")
    const lines = readFileSync(file, "utf8").trimEnd().split("\n").length
    tally.check(Number(name.slice(0, 2)) === index + 1, `${shown(file)}: the number ${String(index + 1).padStart(2, "0")} is missing or taken twice`)
    tally.check(lines < longest, `${shown(file)}: ${lines} lines; an example has fewer than ${longest}`)
    tally.check(tests.includes(name), `${shown(file)}: no test under examples/ runs it`)
  })
  return tally
}

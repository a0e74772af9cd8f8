/** npm run mutation -- [--core NAME]...: changes the pure cores in small ways and counts the changes that tests notice. */
import "./lib/node-version.mjs"
import { existsSync, rmSync } from "node:fs"
import util from "node:util"
import { cores, coreVariable, reportOf, sandboxOf, wanted } from "../stryker.config.mjs"
import { fail, say, seconds } from "./lib/report.mjs"
import { runNode } from "./lib/run.mjs"
import { setUp } from "./lib/setup.mjs"
import { at, readJson } from "./lib/workspace.mjs"

const names = Object.keys(cores)
const stryker = at("node_modules", "@stryker-mutator", "core", "bin", "stryker.js")

const help = `npm run mutation -- [--core NAME]... [--fresh]

Changes the pure cores in small ways, one change (a mutant) at a time, and runs their tests on each. A core passes when
the tests notice at least ${wanted} % of its mutants. What was found is kept, so that the next run tries only mutants of code or
tests that have changed since. Lists of all mutants are left in reports/mutation.

  --core NAME  only this core, one of ${names.join(", ")};
               may be given more than once
  --fresh      tries every mutant again
  --help       shows this text
`

const parse = () => {
  const options = { core: { type: "string", multiple: true }, fresh: { type: "boolean" }, help: { type: "boolean" } }
  try {
    return util.parseArgs({ options }).values
  } catch (error) {
    return fail(`${error.message.split(". ")[0].replace(/\.$/, "")}; npm run mutation -- --help names the options.`, 2)
  }
}

const { core: given = names, fresh = false, help: asked = false } = parse()
if (asked) {
  process.stdout.write(help)
  process.exit(0)
}
const unknown = given.find((name) => !names.includes(name))
if (unknown !== undefined) fail(`There is no core ${unknown}; the cores are ${names.join(", ")}.`, 2)

/** What became of the mutants. A mutant that lets the tests run for ever is noticed too. */
const count = (report) => {
  const mutants = Object.values(report.files).flatMap((file) => file.mutants)
  const of = (...states) => mutants.filter(({ status }) => states.includes(status)).length
  const noticed = of("Killed", "Timeout")
  const missed = of("Survived", "NoCoverage")
  return { noticed, missed, score: (100 * noticed) / Math.max(1, noticed + missed) }
}

const test = async (name) => {
  const started = Date.now()
  say(`\n== ${name}`)
  const report = at(reportOf(name))
  rmSync(report, { force: true })
  const args = ["run", "stryker.config.mjs", "--logLevel", "warn", ...(fresh ? ["--force"] : [])]
  const { code } = await runNode(stryker, args, { env: { ...process.env, [coreVariable]: name } })
  if (!existsSync(report)) return { name, time: seconds(started), problem: `could not be tested: Stryker ended with code ${code}` }
  const { missed, noticed, score } = count(readJson(report))
  return { name, noticed, missed, score, time: seconds(started), problem: score < wanted ? `below ${wanted} %` : undefined }
}

await setUp({ command: false })
const chosen = names.filter((name) => given.includes(name))
// Stryker cleans up behind itself unless it is interrupted.
process.once("exit", () => chosen.forEach((name) => rmSync(at(sandboxOf(name)), { recursive: true, force: true })))
const started = Date.now()
const results = []
for (const name of chosen) results.push(await test(name))

say("\ncore             noticed  missed    score      time")
for (const { missed, name, noticed, problem, score, time } of results) {
  const figures = score === undefined
    ? [" ".repeat(25)]
    : [String(noticed).padStart(8), String(missed).padStart(7), `${score.toFixed(1)} %`.padStart(8)]
  say([name.padEnd(15), ...figures, time.padStart(9), problem ?? ""].join(" ").trimEnd())
}
const total = (key) => results.reduce((sum, result) => sum + (result[key] ?? 0), 0)
const [noticed, missed] = [total("noticed"), total("missed")]
process.stdout.write(`${noticed} of ${noticed + missed} mutants noticed (${((100 * noticed) / Math.max(1, noticed + missed)).toFixed(1)} %) in ${seconds(started)}\n`)
process.exitCode = results.some(({ problem }) => problem !== undefined) ? 1 : 0

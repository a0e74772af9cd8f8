/**
 * npm run check: everything that must hold before a change lands. Each step has a title and a count; the last line is the sum.
 *
 * --only types,lint   these steps only
 * --skip tests        all but these
 * --update            writes the API snapshots instead of comparing them
 */
import "./lib/node-version.mjs"
import { fail, options, say, seconds, Tally } from "./lib/report.mjs"
import { setUp } from "./lib/setup.mjs"
import { reports, writeJson } from "./lib/workspace.mjs"

/** In this order: later steps use what `types` has emitted. */
const steps = {
  types: ["Types: packages, tests and examples compile", async () => (await import("./lib/types.mjs")).types()],
  lint: ["Lint: ESLint and the Effect language service", async () => (await import("./lib/lint.mjs")).lint()],
  tests: ["Tests", async () => (await import("./lib/tests.mjs")).runTests()],
  examples: ["Examples: numbered, short, run by tests", async () => (await import("./lib/examples.mjs")).examples()],
  docs: ["Docs: code blocks, commands and links", async () => (await import("./lib/docs.mjs")).docs()],
  api: ["Public API: snapshots", async ({ update }) => (await import("./lib/api.mjs")).api({ update })]
}

const given = options(process.argv.slice(2), { flags: ["update"], values: ["only", "skip"] })
const named = (list) => {
  const names = list === undefined ? [] : list.split(",")
  const unknown = names.find((name) => !(name in steps))
  if (unknown !== undefined) fail(`There is no step ${unknown}; the steps are ${Object.keys(steps).join(", ")}.`, 2)
  return names
}
const only = named(given.only)
const skip = named(given.skip)
const chosen = Object.keys(steps).filter((name) => (only.length === 0 || only.includes(name)) && !skip.includes(name))
// The snapshots are taken from what the compiler emits.
if (chosen.includes("api") && !chosen.includes("types")) chosen.unshift("types")

await setUp()
const total = new Tally()
for (const name of chosen) {
  const [title, run] = steps[name]
  say(`\n== ${title}`)
  const started = Date.now()
  let result
  try {
    result = await run({ update: given.update === true })
  } catch (error) {
    result = new Tally()
    result.fail(error instanceof Error ? error.stack : String(error))
  }
  for (const failure of result.failures ?? []) say(`  ${failure.replaceAll("\n", "\n    ")}`)
  say(`   ${result.passed} passed, ${result.failed} failed (${seconds(started)})`)
  total.add(result)
}
writeJson(reports("check.json"), { passed: total.passed, failed: total.failed })
process.stdout.write(`\n${total}\n`)
process.exitCode = total.failed === 0 ? 0 : 1

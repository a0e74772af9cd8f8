/** What .ci/run does: the README's test command, then what `npm run check` adds to it; the last line is the sum of both. */
import "./lib/node-version.mjs"
import { existsSync, rmSync } from "node:fs"
import { Tally } from "./lib/report.mjs"
import { runNpm } from "./lib/run.mjs"
import { readJson, reports } from "./lib/workspace.mjs"

const total = new Tally()

const step = async (args, report) => {
  rmSync(report, { force: true })
  const { code } = await runNpm(args)
  const result = existsSync(report) ? readJson(report) : { passed: 0, failed: 0 }
  // A command that ends badly without a failure to show for it has failed all the same.
  total.add({ passed: result.passed, failed: code !== 0 && result.failed === 0 ? 1 : result.failed })
}

await step(["test"], reports("tests.json"))
await step(["run", "check", "--", "--skip", "tests"], reports("check.json"))
process.stdout.write(`${total}\n`)
process.exitCode = total.failed === 0 ? 0 : 1

/** npm run soak -- [vitest arguments]: the long tests, `*.soak.ts`, one at a time and with the garbage collector exposed. */
import "./lib/node-version.mjs"
import { say } from "./lib/report.mjs"
import { bin, runNode } from "./lib/run.mjs"
import { setUp } from "./lib/setup.mjs"
import { at, filesUnder } from "./lib/workspace.mjs"

await setUp()
const soaks = ["packages", "test"].flatMap((folder) => filesUnder(at(folder), (file) => file.endsWith(".soak.ts")))
if (soaks.length === 0) say("There are no soak tests: they would stand in test/soak/*.soak.ts.")
else {
  const { code } = await runNode(bin.vitest, ["run", "--config", "vitest.soak.ts", ...process.argv.slice(2)])
  process.exitCode = code
}

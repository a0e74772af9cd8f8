/** npm run bench:overhead [-- --json]: what a policy costs, beside peers. Compiles first: sources run through a loader are slower. */
import "./lib/node-version.mjs"
import { compile } from "./lib/compile.mjs"
import { fail } from "./lib/report.mjs"
import { runNode } from "./lib/run.mjs"
import { setUp } from "./lib/setup.mjs"
import { at } from "./lib/workspace.mjs"

await setUp({ command: false })
const compiled = await compile({ output: "collect" })
if (compiled.code !== 0) fail(`The packages do not compile:\n${compiled.output}`)
const { code } = await runNode(at("packages", "lab", "bench", "overhead", "overhead.mjs"), process.argv.slice(2))
process.exitCode = code

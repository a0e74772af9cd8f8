/** npm run soak -- [vitest arguments]: the long tests, `*.soak.ts`, one at a time and with the garbage collector exposed. */
import "./lib/node-version.mjs"
import { bin, runNode } from "./lib/run.mjs"
import { setUp } from "./lib/setup.mjs"

await setUp({ command: false })
const { code } = await runNode(bin.vitest, ["run", "--config", "vitest.soak.ts", ...process.argv.slice(2)])
process.exitCode = code

/** npm run build: sets up what is missing, compiles the packages (ES modules and declarations), bundles the command. */
import "./lib/node-version.mjs"
import { compile } from "./lib/compile.mjs"
import { fail, say, seconds } from "./lib/report.mjs"
import { setUp } from "./lib/setup.mjs"

await setUp()
const started = Date.now()
const { code } = await compile()
if (code !== 0) fail("The packages do not compile; the errors are above.")
say(`Compiled the packages in ${seconds(started)}.`)

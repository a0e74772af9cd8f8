/**
 * npm start -- "a cute cat": sets up what is missing and makes an image.
 *
 * The first argument may also be any of the command's own names (`npm start -- explain FILE`). The command runs in this very
 * process: signals, exit code and terminal are its own, and no second Node has to start.
 */
import "./lib/node-version.mjs"
import { commandNames } from "./lib/commands.mjs"
import { say } from "./lib/report.mjs"
import { bin } from "./lib/run.mjs"
import { setUp } from "./lib/setup.mjs"
import { pathToFileURL } from "node:url"

await setUp()

const given = process.argv.slice(2)
const own = given.length === 0 ? ["--help"] : given
const isOwnOption = own.length === 1 && /^(help|--help|-h|--version|-v)$/.test(own[0])
const args = commandNames().includes(own[0]) || isOwnOption ? own : ["generate", ...own]

/** What makes the command find a provider by itself (packages/cli/src/generation/clients.ts). */
const keys = ["GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENAI_API_KEY", "GOOGLE_CLOUD_PROJECT", "VERTEX_API_KEY"]
const hasKey = keys.some((name) => (process.env[name] ?? "").trim() !== "")
const choosesItself = args.some((arg) => /^--(demo|endpoint|help)\b|^-h$/.test(arg))

if (args[0] === "generate" && !hasKey && !choosesItself) {
  // A picture of the demo costs nothing to make again, so running it twice is no mistake to be refused.
  say("No provider key is set: using the embedded overloaded model (--demo --force).")
  args.splice(1, 0, "--demo", "--force")
}

process.argv = [process.execPath, bin.holdfast, ...args]
await import(pathToFileURL(bin.holdfast).href)

/** Runs vitest over the workspace and counts. */
import { existsSync, rmSync } from "node:fs"
import { bin, runNode } from "./run.mjs"
import { readJson, reports, writeJson } from "./workspace.mjs"

const secret = /^(GEMINI|GOOGLE|OPENAI|VERTEX|ANTHROPIC|AZURE)_/

const withoutKeys = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => !secret.test(name)))

/** Resolves with `{ code, passed, failed }`; a test file that cannot be loaded counts as one failure. */
export const runTests = async (args = []) => {
  const json = reports("vitest.json")
  rmSync(json, { force: true })
  const reporters = args.some((arg) => arg.startsWith("--reporter"))
    ? []
    : ["--reporter=default", "--reporter=json", `--outputFile.json=${json}`]
  const { code } = await runNode(bin.vitest, ["run", ...reporters, ...args], { env: withoutKeys() })
  if (!existsSync(json)) return { code, passed: 0, failed: code === 0 ? 0 : 1 }
  const { numPassedTests, numFailedTests, testResults } = readJson(json)
  const unloadable = testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length
  const failed = numFailedTests + unloadable
  const result = { code, passed: numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed }
  writeJson(reports("tests.json"), result)
  return result
}

/**
 * npm test -- [vitest arguments]: sets up what is missing and runs every test once.
 *
 * No test may reach a provider, so keys of providers are taken out of the environment, and `test/support/loopback.ts` lets
 * test processes connect to this machine only. Counts are left in reports/tests.json.
 */
import "./lib/node-version.mjs"
import { setUp } from "./lib/setup.mjs"
import { runTests } from "./lib/tests.mjs"

await setUp()
const { code } = await runTests(process.argv.slice(2))
process.exitCode = code

/**
 * Refuses a Node.js that is too old, in one sentence, before anything else can fail with a less clear one.
 * Import it first. It and the other scripts keep to syntax and named imports that Node 16 can load.
 */
import { readFileSync } from "node:fs"

const { engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
const [wantedMajor, wantedMinor] = engines.node.replace(/[^\d.]/g, "").split(".").map(Number)
const [major, minor] = process.versions.node.split(".").map(Number)

if (major < wantedMajor || (major === wantedMajor && minor < (wantedMinor || 0))) {
  process.stderr.write(`Holdfast needs Node.js ${wantedMajor}.${wantedMinor || 0} or newer; this is ${process.version}.\n`)
  process.exit(2)
}

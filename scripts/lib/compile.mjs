/** Compiles projects of the workspace and takes away what was compiled from sources that are gone, so that it is not packed. */
import { existsSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { bin, runNode } from "./run.mjs"
import { packages } from "./workspace.mjs"

const prune = (dist, src) => {
  if (!existsSync(src)) return rmSync(dist, { recursive: true, force: true })
  for (const entry of readdirSync(dist, { withFileTypes: true })) {
    if (entry.isDirectory()) prune(join(dist, entry.name), join(src, entry.name))
    else if (/\.(js|d\.ts)(\.map)?$/.test(entry.name) && !existsSync(join(src, entry.name.replace(/\.(js|d\.ts)(\.map)?$/, ".ts")))) {
      rmSync(join(dist, entry.name))
    }
  }
}

/** The packages, or with `tests` everything. Resolves with tsc's code and, where `output` is "collect", its plain messages. */
export const compile = async ({ output = "inherit", tests = false } = {}) => {
  const projects = tests ? ["tsconfig.json"] : packages().map(({ path }) => path)
  const result = await runNode(bin.tsc, ["-b", ...projects, "--pretty", output === "inherit" ? "true" : "false"], { output })
  for (const { path, manifest } of packages()) {
    // The command's dist is its bundle, which no compiler writes.
    if (manifest.bin === undefined && existsSync(join(path, "dist"))) prune(join(path, "dist"), join(path, "src"))
  }
  return result
}

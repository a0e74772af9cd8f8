/** Where things stand in the workspace: its root, its packages, its files. */
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { dirname, join, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/[\\/]$/, "")
export const at = (...parts) => join(root, ...parts)

/** Under node_modules, so that a fresh install forgets it. */
export const cache = (...parts) => at("node_modules", ".cache", "holdfast", ...parts)
export const reports = (...parts) => at("reports", ...parts)

export const readJson = (file) => JSON.parse(readFileSync(file, "utf8"))
export const writeFile = (file, text) => {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
export const writeJson = (file, value) => writeFile(file, JSON.stringify(value, null, 2) + "\n")

/** A path as it is shown: from the root, with forward slashes. */
export const shown = (file) => relative(root, file).split(sep).join("/")

const skipped = new Set(["node_modules", "dist", ".git", "coverage", "reports"])

/** All files under a folder that `accept` takes, sorted; empty when the folder does not exist. */
export const filesUnder = (folder, accept = () => true) => {
  const found = []
  const walk = (current) => {
    for (const entry of readdirSync(current, { withFileTypes: true })) {
      const path = join(current, entry.name)
      if (entry.isDirectory()) {
        if (!skipped.has(entry.name)) walk(path)
      } else if (accept(path)) found.push(path)
    }
  }
  if (existsSync(folder)) walk(folder)
  return found.sort()
}

/** Every workspace package: its folder's name, its path and its manifest. */
export const packages = () =>
  readdirSync(at("packages"))
    .filter((folder) => existsSync(at("packages", folder, "package.json")))
    .sort()
    .map((folder) => ({ folder, path: at("packages", folder), manifest: readJson(at("packages", folder, "package.json")) }))

/** One hash over names and contents: what was built from these files is still good when it has not changed. */
export const fingerprint = (files) => {
  const hash = createHash("sha256")
  for (const file of files) hash.update(shown(file)).update("\0").update(readFileSync(file)).update("\0")
  return hash.digest("hex")
}

export const isFile = (path) => existsSync(path) && statSync(path).isFile()

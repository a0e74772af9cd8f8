/**
 * Bundles the command from the sources into packages/cli/dist: a small entry and chunks that commands load when they are
 * used, with all dependencies inside, so that whoever installs the command installs nothing else.
 */
import * as esbuild from "esbuild"
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { at, root } from "./workspace.mjs"

const out = at("packages", "cli", "dist")

/** Optional peers that are looked for at run time, when a command needs one. */
const external = ["google-auth-library"]

/** Bundled packages are redistributed, so their licences travel along. */
const licences = (inputs) => {
  const folders = new Set(inputs.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]).filter(Boolean))
  return [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"))
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry))
    const text = file === undefined ? "" : `\n\n${readFileSync(join(root, folder, file), "utf8").trim()}`
    return `${name} ${version} (${license})${text}\n`
  }).join(`\n${"-".repeat(80)}\n\n`)
}

/** Answers the reason when it cannot be done. */
export const bundle = async () => {
  const entry = at("packages", "cli", "src", "main.ts")
  if (!existsSync(entry)) return "packages/cli/src/main.ts does not exist."
  let result
  try {
    result = await esbuild.build({
      absWorkingDir: root,
      entryPoints: { holdfast: entry },
      outdir: out,
      chunkNames: "chunks/[name]-[hash]",
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node20",
      conditions: ["@holdfast/source"],
      external,
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: "none",
      // CommonJS dependencies ask for Node's own modules by `require`, which an ES module does not have.
      banner: { js: `import { createRequire as $createRequire } from "node:module"; const require = $createRequire(import.meta.url);` },
      metafile: true,
      write: false,
      logLevel: "silent"
    })
  } catch (error) {
    if (!Array.isArray(error.errors)) throw error
    return (await esbuild.formatMessages(error.errors, { kind: "error", color: process.stderr.isTTY })).join("").trimEnd()
  }
  // Chunks first and the entry last, each by rename: a command that starts meanwhile sees the old bundle or the new one.
  const files = [...result.outputFiles].sort((a, b) => Number(basename(a.path) === "holdfast.js") - Number(basename(b.path) === "holdfast.js"))
  for (const file of files) {
    mkdirSync(dirname(file.path), { recursive: true })
    writeFileSync(`${file.path}.new`, file.contents)
    renameSync(`${file.path}.new`, file.path)
  }
  const notices = join(out, "THIRD-PARTY-LICENCES.txt")
  writeFileSync(notices, licences(Object.keys(result.metafile.inputs)))
  const wanted = new Set([notices, ...files.map((file) => file.path)])
  for (const folder of [out, join(out, "chunks")].filter((path) => existsSync(path))) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isFile() && !wanted.has(join(folder, entry.name))) rmSync(join(folder, entry.name))
    }
  }
}

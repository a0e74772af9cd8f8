/**
 * The lint step: ESLint over everything, the Effect language service over the same files (it sees floating effects), and a
 * proof that both bite: each ban is broken once in a throw-away copy and must be reported there.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Tally, say } from "./report.mjs"
import { bin, runNode } from "./run.mjs"
import { at, filesUnder, readJson, root, writeFile } from "./workspace.mjs"

const project = "tsconfig.lint.json"

/** What tsc and ESLint cannot see. Every other rule is turned off by name: left alone they cost as much again. */
const rules = [
  "floatingEffect",
  "missingStarInYieldEffectGen",
  "effectInFailure",
  "effectInVoidSuccess",
  "lazyPromiseInEffectSync",
  "returnEffectInGen",
  "scopeInLayerEffect"
]

const severities = () => {
  const { definitions } = readJson(at("node_modules", "@effect", "language-service", "schema.json"))
  const known = Object.keys(definitions.effectLanguageServicePluginDiagnosticSeverityDefinition.properties)
  return Object.fromEntries(known.map((rule) => [rule, rules.includes(rule) ? "error" : "off"]))
}

/** Findings as `{ file, line, rule, message }`. */
const eslint = async (folder, config) => {
  const args = [".", "--format", "json", ...(config === undefined ? [] : ["--config", config])]
  const { code, output } = await runNode(bin.eslint, args, { cwd: folder, output: "collect" })
  if (code > 1) throw new Error(`ESLint could not run:\n${output}`)
  const files = JSON.parse(output.slice(output.indexOf("[{")))
  const findings = files.flatMap(({ filePath, messages }) =>
    messages.map(({ line, message, ruleId }) => ({ file: filePath.slice(folder.length + 1), line, rule: ruleId ?? "parse", message })))
  return { checked: files.length, findings }
}

const languageService = async (folder) => {
  // Without a configuration on the command line it checks no file at all, and reports success.
  const config = JSON.stringify({ diagnosticSeverity: severities() })
  const args = ["diagnostics", "--project", project, "--format", "json", "--severity", "error", "--lspconfig", config]
  const { output } = await runNode(bin.effect, args, { cwd: folder, output: "collect" })
  const start = output.indexOf("{")
  let report
  try {
    report = JSON.parse(output.slice(start))
  } catch {
    throw new Error(`The Effect language service could not run:\n${output}`)
  }
  const findings = report.diagnostics.map(({ file, line, name, message }) => ({ file: file.slice(folder.length + 1), line, rule: name, message }))
  return { checked: report.summary.filesChecked, findings }
}

const broken = (code) => `import * as Effect from "effect/Effect"\n${code}\nexport const used = Effect.void\n`

/** Where each planted file stands, what is in it, and the rule that must refuse it. */
const planted = [
  ["holdfast/src/a.ts", broken("export const x = () => Date.now()"), "no-restricted-properties"],
  ["holdfast/src/b.ts", broken("export const x = () => new Date()"), "no-restricted-syntax"],
  ["holdfast/src/c.ts", broken("export const x = () => Math.random()"), "no-restricted-properties"],
  ["providers/src/d.ts", broken("export const x = () => { setTimeout(() => {}, 1) }"), "no-restricted-globals"],
  ["holdfast/src/internal/e.ts", broken("export const x = () => { setInterval(() => {}, 1) }"), "no-restricted-globals"],
  ["cli/src/f.ts", broken("export const x = () => performance.now()"), "no-restricted-properties"],
  ["testing/src/g.ts", `import { Effect } from "effect"\nexport const used = Effect.void\n`, "@effect/no-import-from-barrel-package"],
  ["providers/src/h.ts", `export * from "@effect/platform"\n`, "no-restricted-imports"],
  ["holdfast/src/i.ts", `export { join } from "node:path"\n`, "no-restricted-imports"],
  ["testing/src/j.ts", `export { join } from "path"\n`, "no-restricted-imports"],
  ["holdfast/src/k.ts", broken(`export const x = () => { Effect.log("lost") }`), "floatingEffect"],
  ["holdfast/src/l.ts", broken("// eslint-disable-next-line\nexport const x = () => Date.now()"), "no-restricted-properties"],
  ["holdfast/src/m.ts", broken("export const x = (d: Date) => Effect.sync(() => new Date(d))"), undefined],
  ["testing/src/node/n.ts", `export { join } from "node:path"\n`, undefined],
  ["holdfast/src/internal/timer.ts", broken("export const x = () => { setTimeout(() => {}, 1) }"), undefined]
]

/** Every planted fault is found, and the three files that break no rule pass. */
const proveItBites = async (tally) => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-lint-"))
  try {
    for (const [path, code] of planted) writeFile(join(folder, "packages", path), code)
    for (const file of ["tsconfig.base.json", project]) cpSync(at(file), join(folder, file))
    writeFile(join(folder, "package.json"), `{ "type": "module" }\n`)
    mkdirSync(join(folder, "test"))
    symlinkSync(at("node_modules"), join(folder, "node_modules"), "junction")
    const { findings } = await eslint(folder, at("eslint.config.mjs"))
    findings.push(...(await languageService(folder)).findings)
    for (const [path, , rule] of planted) {
      const rules = findings.filter(({ file }) => file.replaceAll("\\", "/") === `packages/${path}`).map((finding) => finding.rule)
      const holds = rule === undefined ? rules.length === 0 : rules.includes(rule)
      tally.check(holds, `planted ${path}: expected ${rule ?? "no finding"}, got ${rules.join(", ") || "none"}`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const lint = async () => {
  const tally = new Tally()
  const sources = filesUnder(at("packages"), (file) => /[\\/]src[\\/].*\.ts$/.test(file)).length
  // Side by side: ESLint takes about as long as the other two together.
  const [linted, [diagnosed]] = await Promise.all([eslint(root), languageService(root).then(async (found) => [found, await proveItBites(tally)])])
  for (const [name, { checked, findings }] of [["ESLint", linted], ["Effect language service", diagnosed]]) {
    say(`  ${name}: ${checked} files, ${findings.length} findings`)
    tally.check(checked >= sources, `${name} looked at ${checked} files of at least ${sources}: its configuration misses some`)
    if (findings.length === 0) tally.pass()
    for (const { file, line, rule, message } of findings) tally.fail(`${file}:${line}: ${message.split("\n")[0]} (${rule})`)
  }
  return tally
}

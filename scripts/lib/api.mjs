/**
 * The public API of each package, as its users see it, kept in api/*.api.md: every module that `exports` opens, every
 * declaration in it, without comments and in a stable order. A change to it is then seen in review. Of the command it is the
 * help texts.
 */
import { existsSync, readFileSync } from "node:fs"
import ts from "typescript"
import { commandNames } from "./commands.mjs"
import { Tally, say } from "./report.mjs"
import { bin, run, runNode } from "./run.mjs"
import { at, filesUnder, packages, reports, shown, writeFile } from "./workspace.mjs"

/** Whether a sub-path like `./internal/x` is closed by a `null` in the manifest. */
const isClosed = (manifest, path) =>
  Object.entries(manifest.exports).some(([key, target]) => target === null && path.startsWith(key.replace(/\*$/, "")))

/** The modules that a package opens, as `{ name, declaration }`. */
export const publicModules = ({ path, manifest }) =>
  filesUnder(`${path}/src`, (file) => file.endsWith(".ts")).flatMap((file) => {
    const module = shown(file).replace(`${shown(path)}/src/`, "").replace(/\.ts$/, "")
    if (manifest.exports["./*"] === undefined || isClosed(manifest, `./${module}`)) return []
    const name = [manifest.name, ...module.split("/")].join("/").replace(/\/index$/, "")
    return [{ name, declaration: `${path}/dist/${module}.d.ts` }]
  })

const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed })

/** Top-level declarations by name; overloads keep their order. */
const declarations = (file) => {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true)
  const nameOf = (node) => {
    if (ts.isVariableStatement(node)) return node.declarationList.declarations[0].name.getText(source)
    if (ts.isExportDeclaration(node)) {
      const { exportClause, moduleSpecifier } = node
      if (exportClause === undefined) return moduleSpecifier.text
      return ts.isNamespaceExport(exportClause) ? exportClause.name.text : exportClause.elements[0]?.name.text
    }
    return node.name?.text
  }
  return source.statements
    .filter((node) => !ts.isImportDeclaration(node) && nameOf(node) !== undefined)
    .map((node) => ({ name: nameOf(node), text: printer.printNode(ts.EmitHint.Unspecified, node, source) }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ text }) => text)
}

const block = (language, text) => `\`\`\`${language}\n${text}\n\`\`\`\n`

const modulesOf = (entry) =>
  publicModules(entry).map(({ name, declaration }) => `## ${name}\n\n${block("ts", declarations(declaration).join("\n\n"))}`)

const helpOf = async (...command) => {
  const { code, output } = await runNode(bin.holdfast, [...command, "--help"], { output: "collect" })
  if (code !== 0) throw new Error(`holdfast ${command.join(" ")} --help ended with code ${code}:\n${output}`)
  return output.trim()
}

const helpTexts = async () => {
  const sections = [`## holdfast\n\n${block("text", await helpOf())}`]
  for (const name of commandNames()) sections.push(`## holdfast ${name}\n\n${block("text", await helpOf(name))}`)
  return sections
}

const difference = async (before, after) => {
  const { output } = await run("git", ["diff", "--no-index", "--no-color", "--unified=1", before, after], { output: "collect" })
    .catch(() => ({ output: `${shown(before)} and ${shown(after)} differ` }))
  return output.split("\n").filter((line) => !/^(diff|index|---|\+\+\+)/.test(line)).slice(0, 60).join("\n")
}

/** Compares what stands in dist with the snapshots, or with `update` writes them. */
export const api = async ({ update = false } = {}) => {
  const tally = new Tally()
  for (const entry of packages()) {
    const snapshot = at("api", `${entry.folder}.api.md`)
    const sections = entry.manifest.bin === undefined ? modulesOf(entry) : await helpTexts()
    const text = `# ${entry.manifest.name}\n\n${sections.join("\n")}`
    if (existsSync(snapshot) && readFileSync(snapshot, "utf8") === text) tally.pass()
    else if (update) {
      writeFile(snapshot, text)
      say(`  wrote ${shown(snapshot)}`)
      tally.pass()
    } else {
      const current = reports("api", `${entry.folder}.api.md`)
      writeFile(current, text)
      const change = existsSync(snapshot) ? await difference(snapshot, current) : "there is no snapshot yet"
      tally.fail(`${shown(snapshot)} no longer matches; if the change is meant: npm run check -- --only api --update\n${change}`)
    }
  }
  return tally
}

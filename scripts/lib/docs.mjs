/**
 * The docs step. Each `ts` block of README, CONTRIBUTING and docs stands word for word in a file under examples/, which the
 * tests compile and run; commands in `sh` blocks exist, with their flags; relative links and their anchors resolve.
 */
import { existsSync, readFileSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { commandNames } from "./commands.mjs"
import { Tally } from "./report.mjs"
import { bin, runNode } from "./run.mjs"
import { at, filesUnder, isFile, readJson, shown } from "./workspace.mjs"

const pages = () => [
  ...["README.md", "CONTRIBUTING.md"].map((name) => at(name)).filter((path) => existsSync(path)),
  ...filesUnder(at("docs"), (file) => file.endsWith(".md"))
]

/** Fenced blocks and the lines outside them, with their line numbers. */
const parse = (text) => {
  const blocks = []
  const prose = []
  let open
  text.split(/\r?\n/).forEach((line, index) => {
    const fence = /^\s*(`{3,}|~{3,})\s*(\S*)/.exec(line)
    if (open !== undefined) {
      if (fence !== null && fence[2] === "" && fence[1].startsWith(open.fence)) open = undefined
      else open.lines.push(line)
    } else if (fence !== null) {
      open = { language: fence[2], fence: fence[1], line: index + 1, lines: [] }
      blocks.push(open)
    } else prose.push({ line: index + 1, text: line })
  })
  return { blocks, prose }
}

/** Without common indentation, trailing blanks and blank lines at both ends. */
const dedent = (lines) => {
  const indent = Math.min(...lines.filter((line) => line.trim() !== "").map((line) => /^\s*/.exec(line)[0].length))
  return lines.map((line) => line.slice(indent).trimEnd())
}
const trim = (lines) => {
  const filled = lines.map((line) => line.trim() !== "")
  return lines.slice(filled.indexOf(true), filled.lastIndexOf(true) + 1)
}

const standsIn = (block, source) => {
  const first = block[0].trim()
  return source.some((line, start) =>
    line.trim() === first && dedent(source.slice(start, start + block.length)).join("\n") === block.join("\n"))
}

/** A heading's anchor, as GitHub makes it. */
const anchor = (heading) =>
  heading.trim().toLowerCase().replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-")

const anchorsOf = (file) =>
  parse(readFileSync(file, "utf8")).prose.map(({ text }) => /^#{1,6}\s+(.*)$/.exec(text)?.[1]).filter(Boolean).map(anchor)

const linkProblem = (page, target) => {
  if (/^[a-z][a-z+.-]*:/i.test(target)) return undefined
  const [path, hash] = decodeURI(target).split("#")
  const file = path === "" ? page : resolve(dirname(page), path)
  if (!existsSync(file)) return `link to ${target}: there is no such file`
  if (hash && isFile(file) && file.endsWith(".md") && !anchorsOf(file).includes(hash)) return `link to ${target}: no such heading there`
}

/** What a command line in a `sh` block names: npm scripts, commands of holdfast and their flags. */
const commandProblem = async (line, scripts, help) => {
  const words = line.replace(/^\s*\$\s+/, "").replace(/\s#.*$/, "").split(/\s+/)
  while (/^[A-Z_]+=/.test(words[0])) words.shift()
  let args
  if (words[0] === "npm") {
    const name = words[1] === "run" ? words[2] : words[1]
    const builtIn = /^(install|i|ci|pack|add)$/.test(name)
    if (!builtIn && scripts[name] === undefined) return `there is no npm script ${name}`
    if (name !== "start") return undefined
    args = words.slice(words.indexOf("--") + 1)
    if (!words.includes("--") || !commandNames().includes(args[0])) args = ["generate", ...args]
  } else if (words[0] === "npx" && words[1] === "holdfast") args = words.slice(2)
  else if (words[0] === "holdfast") args = words.slice(1)
  if (args === undefined || args[0] === undefined || args[0].startsWith("-")) return undefined
  if (!commandNames().includes(args[0])) return `holdfast has no command ${args[0]}`
  const text = await help(args[0])
  const unknown = args.find((arg) => arg.startsWith("--") && !text.includes(arg.replace(/=.*$/, "")))
  return unknown === undefined ? undefined : `holdfast ${args[0]} has no option ${unknown}`
}

export const docs = async () => {
  const tally = new Tally()
  const sources = filesUnder(at("examples"), (file) => file.endsWith(".ts"))
    .map((file) => readFileSync(file, "utf8").split(/\r?\n/).map((line) => line.trimEnd()))
  const { scripts } = readJson(at("package.json"))
  const texts = new Map()
  const help = async (command) => {
    if (!texts.has(command)) texts.set(command, (await runNode(bin.holdfast, [command, "--help"], { output: "collect" })).output)
    return texts.get(command)
  }
  for (const page of pages()) {
    const { blocks, prose } = parse(readFileSync(page, "utf8"))
    for (const { language, line, lines } of blocks) {
      const where = `${shown(page)}:${line}`
      if (/^(ts|typescript|tsx)$/.test(language)) {
        const code = dedent(trim(lines))
        tally.check(code.length > 0 && sources.some((source) => standsIn(code, source)),
          `${where}: this block stands in no file under examples/`)
      }
      if (/^(sh|bash|shell|console)$/.test(language)) {
        for (const [index, text] of lines.entries()) {
          const problem = await commandProblem(text, scripts, help)
          tally.check(problem === undefined, `${shown(page)}:${line + 1 + index}: ${problem}`)
        }
      }
    }
    for (const { line, text } of prose) {
      for (const [, target] of text.replace(/`[^`]*`/g, "").matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)) {
        const problem = linkProblem(page, target)
        tally.check(problem === undefined, `${shown(page)}:${line}: ${problem}`)
      }
    }
  }
  return tally
}

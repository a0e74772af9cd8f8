/** The types step: `tsc -b` over packages, tests and examples; one result for each project. */
import { compile } from "./compile.mjs"
import { Tally } from "./report.mjs"
import { at, readJson } from "./workspace.mjs"

export const types = async () => {
  const tally = new Tally()
  const projects = readJson(at("tsconfig.json")).references.map(({ path }) => path)
  const { code, output } = await compile({ output: "collect", tests: true })
  const errors = output.split(/\r?\n(?!\s)/).filter((line) => line.trim() !== "")
  const belongsTo = (line) => projects.find((project) => line.replaceAll("\\", "/").startsWith(`${project}/src/`)) ?? "tsconfig.test.json"
  const broken = new Map()
  for (const line of errors) broken.set(belongsTo(line), [...(broken.get(belongsTo(line)) ?? []), line])
  if (code !== 0 && broken.size === 0) tally.fail(`tsc ended with code ${code} and said nothing`)
  for (const project of projects) {
    const lines = broken.get(project)
    if (lines === undefined) tally.pass()
    else tally.fail(lines.join("\n"))
  }
  return tally
}

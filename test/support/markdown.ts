/** Tables of the docs, for tests that hold them against the code. */
import { readFileSync } from "node:fs"

/** A row: cells by the name of their column. */
export type Row = Readonly<Record<string, string>>

const cells = (line: string): ReadonlyArray<string> =>
  // A bar between backticks belongs to the cell.
  (line.trim().replace(/^\||\|$/g, "").match(/(?:`[^`]*`|[^|`])*(?:\||$)/g) ?? [])
    .map((cell) => cell.replace(/\|$/, "").trim())

/** Without the marks of code and emphasis. */
const plain = (cell: string): string => cell.replace(/[`*]/g, "").trim()

/** The rows of the table of a page under `docs/` that has exactly these columns. */
export const table = (page: string, ...columns: ReadonlyArray<string>): ReadonlyArray<Row> => {
  const lines = readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8").split(/\r?\n/)
  const wanted = columns.join("|")
  const start = lines.findIndex((line, index) =>
    /^\|[\s|:-]+\|$/.test(lines[index + 1] ?? "") &&
    cells(line).slice(0, columns.length).map(plain).join("|") === wanted)
  if (start < 0) throw new Error(`docs/${page} has no table with the columns ${columns.join(", ")}`)
  const rows: Array<Row> = []
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith("|")) break
    const found = cells(line).map(plain)
    if (found.length < columns.length) throw new Error(`docs/${page}: this row is too short: ${line}`)
    rows.push(Object.fromEntries(columns.map((column, index) => [column, found[index] ?? ""])))
  }
  return rows
}

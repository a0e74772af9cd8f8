/** The names of the holdfast command's own commands: one file each. */
import { existsSync, readdirSync } from "node:fs"
import { at } from "./workspace.mjs"

const folder = at("packages", "cli", "src", "commands")

export const commandNames = () =>
  existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".ts")).map((file) => file.replace(/\.ts$/, "")).sort() : []

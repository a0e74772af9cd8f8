#!/usr/bin/env node
// Stands in the repository, so that npm can link the command before it is built; the command itself is bundled into dist.
import { existsSync } from "node:fs"

const command = new URL("../dist/holdfast.js", import.meta.url)

if (existsSync(command)) await import(command.href)
else {
  process.stderr.write("The holdfast command is not built yet: run `npm run build` in the root of the repository.\n")
  process.exitCode = 1
}

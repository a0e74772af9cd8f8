import { defineConfig } from "vitest/config"
import projects from "./vitest.workspace.js"

/** The workspace file lists the projects; naming them here as well keeps vitest 3 from warning that the file is deprecated. */
export default defineConfig({ test: { projects } })

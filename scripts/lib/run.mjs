/** Child processes whose signals and exit codes are passed on. */
import { spawn } from "node:child_process"
import { constants } from "node:os"
import { at, root } from "./workspace.mjs"

/**
 * Runs a command and resolves with `{ code, output }`. A signal to this process is handed to the child, and this process
 * ends as the child did, so that Ctrl-C stops everything once.
 *
 * `output: "inherit" | "stderr" | "collect"`: stdout as it is (default), sent to stderr, or kept (both streams, in order).
 */
export const run = (command, args, { cwd = root, env = process.env, output = "inherit", input } = {}) =>
  new Promise((resolve, reject) => {
    const stdin = input === undefined ? (output === "inherit" ? "inherit" : "ignore") : "pipe"
    const stdio = output === "collect" ? [stdin, "pipe", "pipe"] : [stdin, output === "stderr" ? 2 : "inherit", "inherit"]
    const shell = process.platform === "win32" && command.endsWith(".cmd")
    const child = spawn(command, args, { cwd, env, stdio, shell })
    const chunks = []
    child.stdout?.on("data", (chunk) => chunks.push(chunk))
    child.stderr?.on("data", (chunk) => chunks.push(chunk))
    if (input !== undefined) child.stdin.end(input)
    let received
    const forward = (signal) => {
      received = signal
      child.kill(signal)
    }
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"]
    for (const signal of signals) process.on(signal, forward)
    const release = () => {
      for (const signal of signals) process.off(signal, forward)
    }
    child.on("error", (error) => {
      release()
      reject(error)
    })
    child.on("close", (code, signal) => {
      release()
      const stopped = received ?? signal
      if (received !== undefined) process.exit(128 + constants.signals[received])
      resolve({ code: code ?? 128 + (constants.signals[stopped] ?? 0), output: Buffer.concat(chunks).toString("utf8") })
    })
  })

/** A JavaScript program with this Node, as `node_modules/.bin` would run it but without a shell. */
export const runNode = (file, args, options) => run(process.execPath, [file, ...args], options)

/** The npm that started this script, or the one on the path. */
export const runNpm = (args, options) => {
  const own = process.env.npm_execpath
  if (own !== undefined && /npm-cli\.c?js$/.test(own)) return runNode(own, args, options)
  return run(process.platform === "win32" ? "npm.cmd" : "npm", args, options)
}

export const bin = {
  tsc: at("node_modules", "typescript", "bin", "tsc"),
  vitest: at("node_modules", "vitest", "vitest.mjs"),
  eslint: at("node_modules", "eslint", "bin", "eslint.js"),
  effect: at("node_modules", "@effect", "language-service", "cli.js"),
  holdfast: at("packages", "cli", "bin", "holdfast.js")
}

/**
 * Makes a checkout ready: dependencies installed as the lockfile says, the command bundled. Each part is skipped when a
 * stamp shows that nothing it depends on has changed, so that a second run starts at once.
 */
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs"
import { fail, say, seconds } from "./report.mjs"
import { runNpm } from "./run.mjs"
import { at, cache, filesUnder, fingerprint, packages, readJson, writeFile } from "./workspace.mjs"

const stampOf = (name) => cache(`${name}.stamp`)
const stamped = (name, value) => existsSync(stampOf(name)) && readFileSync(stampOf(name), "utf8") === value

/** What `npm ci` would install is there already, put there by hand: take it rather than install it again. */
const installedByHand = () => {
  const hidden = at("node_modules", ".package-lock.json")
  if (!existsSync(hidden)) return false
  const wanted = readJson(at("package-lock.json")).packages
  const found = readJson(hidden).packages
  return Object.entries(wanted).every(([path, entry]) =>
    path === "" || entry.optional || entry.peer || !path.startsWith("node_modules/") ||
    (found[path] !== undefined && found[path].version === entry.version))
}

/** npm links a workspace's command at install time only; a checkout installed before the command existed gets its link here. */
const linkCommand = () => {
  const link = at("node_modules", ".bin", "holdfast")
  if (process.platform === "win32" || lstatSync(link, { throwIfNoEntry: false })) return
  mkdirSync(at("node_modules", ".bin"), { recursive: true })
  symlinkSync("../../packages/cli/bin/holdfast.js", link)
}

const install = async () => {
  const wanted = fingerprint([at("package-lock.json")])
  if (stamped("install", wanted)) return
  if (!installedByHand()) {
    const started = Date.now()
    say(existsSync(at("node_modules")) ? "The lockfile has changed: installing again (npm ci)." : "First run: installing (npm ci).")
    rmSync(stampOf("install"), { force: true })
    const { code } = await runNpm(["ci", "--no-audit", "--no-fund", "--loglevel=error"], { output: "stderr" })
    if (code !== 0) fail(`npm ci failed with code ${code}: its message above says why. It needs the npm registry within reach.`)
    say(`Installed in ${seconds(started)}.`)
  }
  linkCommand()
  writeFile(stampOf("install"), wanted)
}

/** Everything the bundle is made from; dependencies are covered by the lockfile. */
const bundleInputs = () => [
  at("package-lock.json"),
  at("scripts", "lib", "bundle.mjs"),
  ...packages().flatMap(({ path }) => [`${path}/package.json`, ...filesUnder(`${path}/src`)])
]

const bundleCommand = async () => {
  const wanted = fingerprint(bundleInputs())
  if (stamped("bundle", wanted) && existsSync(at("packages", "cli", "dist", "holdfast.js"))) return
  const started = Date.now()
  const { bundle } = await import("./bundle.mjs")
  const failure = await bundle()
  if (failure !== undefined) fail(`The command could not be bundled:\n${failure}`)
  writeFile(stampOf("bundle"), wanted)
  say(`Built the holdfast command in ${seconds(started)}.`)
}

const isAlive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === "EPERM"
  }
}

const beat = 2_000

/** Left behind by a process that is gone, or (its number may belong to another by now) that no longer touches it. */
const isStale = (lock) => {
  const stat = statSync(lock, { throwIfNoEntry: false })
  if (stat === undefined) return false
  const owner = Number(readFileSync(lock, "utf8"))
  return Date.now() - stat.mtimeMs > 10 * beat || (owner > 0 && !isAlive(owner))
}

/** One setup at a time in one checkout: `npm start` beside `npm test` must not install twice into one folder. */
const alone = async (work) => {
  const lock = at(".holdfast", "setup.lock")
  mkdirSync(at(".holdfast"), { recursive: true })
  for (let told = false; ;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" })
      break
    } catch (error) {
      if (error.code !== "EEXIST") throw error
    }
    if (isStale(lock)) rmSync(lock, { force: true })
    else {
      if (!told) say("Waiting for a setup that another process has begun.")
      told = true
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  const heart = setInterval(() => utimesSync(lock, new Date(), new Date()), beat)
  const unlock = () => rmSync(lock, { force: true })
  process.once("exit", unlock)
  try {
    return await work()
  } finally {
    clearInterval(heart)
    unlock()
    process.off("exit", unlock)
  }
}

const isReady = (command) =>
  stamped("install", fingerprint([at("package-lock.json")])) &&
  (!command || (stamped("bundle", fingerprint(bundleInputs())) && existsSync(at("packages", "cli", "dist", "holdfast.js"))))

/** Installs what is missing, and bundles the command unless `command` is false. */
export const setUp = async ({ command = true } = {}) => {
  if (isReady(command)) return
  await alone(async () => {
    await install()
    if (command) await bundleCommand()
  })
}

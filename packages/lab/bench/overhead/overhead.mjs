/**
 * What a policy costs a call that succeeds, beside peers in the same run: time and allocations of five stages, memory of
 * calls that wait, and how long an import takes. Each figure comes from processes of its own, the subjects in turn, so
 * that a busy moment of the machine falls on all of them; it is the median of the rounds.
 *
 * Options: --json (one object on stdout), --calls N (in a batch; default 10000), --rounds N (default 5).
 */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { parseArgs, promisify } from "node:util"

const waitingCalls = 100_000
const help = `Usage: npm run bench:overhead [-- --json] [--calls N] [--rounds N]

What a policy costs a call that succeeds, beside peers in the same run.

  --json       one JSON object on standard output
  --calls N    calls in a batch, 100 to 10000000 (default 10000)
  --rounds N   processes for each figure, whose median counts, 1 to 100 (default 5)
`

const refuse = (message) => {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

const number = (name, text, min, max) => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < min || value > max) {
    refuse(`--${name} must be a whole number between ${min} and ${max}, not ${text}.`)
  }
  return value
}

const given = () => {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
        calls: { type: "string", default: "10000" },
        rounds: { type: "string", default: "5" }
      }
    })
    return values
  } catch (error) {
    return refuse(error.message)
  }
}

const options = given()
if (options.help) {
  process.stdout.write(help)
  process.exit(0)
}
const calls = number("calls", options.calls, 100, 10_000_000)
const rounds = number("rounds", options.rounds, 1, 100)

const children = new Set()
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    for (const child of children) child.kill(signal)
    process.exit(signal === "SIGINT" ? 130 : 143)
  })
}

const run = promisify(execFile)

/** What a program of this folder prints, in a process of its own. A young generation so large is not collected. */
const measure = async (program, flags, ...args) => {
  const file = fileURLToPath(new URL(program, import.meta.url))
  const started = run(process.execPath, [...flags, file, ...args.map(String)])
  children.add(started.child)
  try {
    return JSON.parse((await started).stdout)
  } finally {
    children.delete(started.child)
  }
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

/** The medians of every field of what `each` answers, subject by subject, the subjects in turn. */
const inTurn = async (what, subjects, each) => {
  const found = Object.fromEntries(subjects.map((subject) => [subject, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const subject of subjects) {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${what}: round ${round} of ${rounds}, ${subject}`)
      found[subject].push(await each(subject))
    }
  }
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K")
  const medians = (rows) =>
    Object.fromEntries(Object.keys(rows[0]).map((field) => [field, median(rows.map((row) => row[field]))]))
  return Object.fromEntries(subjects.map((subject) => [subject, medians(found[subject])]))
}

const exposed = "--expose-gc"
const roomy = ["--min-semi-space-size=256", "--max-semi-space-size=256"]

const perCall = await inTurn(
  "five stages",
  ["bare", "hand-composed Effect", "cockatiel", "holdfast"],
  async (subject) => ({
    ...(await measure("throughput.mjs", [exposed], subject, calls)),
    bytes: (await measure("throughput.mjs", [exposed, ...roomy], subject, 2000)).bytes
  })
)
const waiting = await inTurn(
  "waiting calls",
  ["fiber", "semaphore", "cockatiel", "bulkhead", "admission"],
  (subject) => measure("waiting.mjs", [exposed], subject, waitingCalls)
)
const imports = await inTurn(
  "cold imports",
  ["effect/Effect", "effect/Stream", "holdfast/Backoff", "holdfast/Retry", "holdfast", "cockatiel"],
  (subject) => measure("coldImport.mjs", [], subject)
)

const { cockatiel, holdfast, "hand-composed Effect": byHand } = perCall
const ratios = {
  timeOverCockatiel: holdfast.nanos / cockatiel.nanos,
  timeOverHandComposed: holdfast.nanos / byHand.nanos,
  bytesOverCockatiel: holdfast.bytes / cockatiel.bytes,
  bytesOverHandComposed: holdfast.bytes / byHand.bytes
}
const overFiber = {
  bulkhead: waiting.bulkhead.bytes - waiting.fiber.bytes,
  admission: waiting.admission.bytes - waiting.fiber.bytes
}
const overEffect = { "holdfast/Retry": imports["holdfast/Retry"].millis - imports["effect/Effect"].millis }

/** What the project holds itself to. Shown beside what was measured; nothing fails by it. */
const targets = [
  ["five stages over cockatiel's", ratios.timeOverCockatiel, 0.5, "x"],
  ["five stages over hand-composed Effect", ratios.timeOverHandComposed, 0.25, "x"],
  ["a call waiting in Bulkhead over a waiting fiber", overFiber.bulkhead, 600, "B"],
  ["a call waiting in Admission over a waiting fiber", overFiber.admission, 600, "B"],
  ["import holdfast/Retry over effect/Effect", overEffect["holdfast/Retry"], 30, "ms"]
].map(([what, measured, most, unit]) => ({ what, measured, most, unit, met: measured <= most }))

if (options.json) {
  const report = { node: process.version, calls, rounds, waitingCalls, perCall, ratios, waiting, overFiber, imports, overEffect, targets }
  process.stdout.write(JSON.stringify(report) + "\n")
} else {
  const cell = (value, digits) => value.toFixed(digits).padStart(10)
  const lines = [
    `Node ${process.version}, median of ${rounds} processes each.`,
    "",
    "success path, one call after the other      ns/call    B/call",
    ...Object.entries(perCall).map(([name, { bytes, nanos }]) => `  ${name.padEnd(38)}${cell(nanos, 0)}${cell(bytes, 0)}`),
    "",
    `${waitingCalls} calls that wait                      B/call  B over a fiber`,
    ...Object.entries(waiting).map(([name, { bytes }]) =>
      `  ${name.padEnd(38)}${cell(bytes, 0)}${cell(bytes - waiting.fiber.bytes, 0)}`),
    "",
    "cold import                                      ms  over effect/Effect",
    ...Object.entries(imports).map(([name, { millis }]) =>
      `  ${name.padEnd(38)}${cell(millis, 1)}${cell(millis - imports["effect/Effect"].millis, 1)}`),
    "",
    "target                                                measured   at most",
    ...targets.map(({ met, measured, most, unit, what }) =>
      `  ${what.padEnd(50)}${`${measured.toFixed(unit === "x" ? 2 : 0)} ${unit}`.padStart(10)}${`${most} ${unit}`.padStart(10)}  ${met ? "met" : "missed"}`)
  ]
  process.stdout.write(lines.join("\n") + "\n")
}

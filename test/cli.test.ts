/**
 * The `holdfast` command as its users meet it: the bundle, in child processes, over real sockets, against the
 * overloaded model in each dialect.
 */
import * as OverloadServer from "@holdfast/testing/node/OverloadServer"
import { beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { PNG } from "pngjs"

const root = fileURLToPath(new URL("../", import.meta.url))
const command = join(root, "packages", "cli", "bin", "holdfast.js")

/** The command is tested as it is shipped: bundled from the sources as they stand. */
beforeAll(() => {
  const script =
    "import { bundle } from './scripts/lib/bundle.mjs'; const failure = await bundle(); " +
    "if (failure) throw new Error(failure)"
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: root,
    encoding: "utf8"
  })
  if (status !== 0) throw new Error(stderr)
}, 60_000)

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

interface Options {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

/** No key of the machine that runs the tests reaches the command. */
const environment = { PATH: process.env["PATH"] ?? "", HOME: tmpdir() }

const start = (args: ReadonlyArray<string>, { cwd = tmpdir(), env = {}, input = "" }: Options = {}) => {
  const child = spawn(process.execPath, [command, ...args], { cwd, env: { ...environment, ...env } })
  const seen = { out: "", err: "" }
  child.stdout.on("data", (chunk: Buffer) => (seen.out += chunk.toString()))
  child.stderr.on("data", (chunk: Buffer) => (seen.err += chunk.toString()))
  child.stdin.on("error", () => {})
  child.stdin.end(input)
  const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, ...seen })))
  return { child, seen, ended }
}

/** A child process that is gone with the scope, whatever the test does. */
const spawned = (args: ReadonlyArray<string>, options?: Options) =>
  Effect.acquireRelease(
    Effect.sync(() => start(args, options)),
    ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
  )

const holdfast = (args: ReadonlyArray<string>, options?: Options) =>
  Effect.scoped(Effect.flatMap(spawned(args, options), ({ ended }) => Effect.promise(() => ended)))

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "holdfast-cli-"))),
  (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
)

const until = (condition: () => boolean | Promise<boolean>) =>
  Effect.promise(async () => {
    for (let i = 0; i < 300; i++) {
      if (await condition()) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error("it did not happen within 15 s")
  })

const decodes = (path: string) => {
  const { height, width } = PNG.sync.read(fs.readFileSync(path))
  expect(width * height).toBeGreaterThan(0)
}

/** The one sentence on standard error. */
const sentence = ({ err }: Ended): string => {
  expect(err.trimEnd().split("\n")).toHaveLength(1)
  return err.trimEnd()
}

const fast = { speed: 200 }

/** A server as an endpoint of the command line. */
const endpointOf = (url: string, dialect = "gemini", model = "") =>
  `local=${dialect}:${url}${dialect === "openai" ? "/v1" : ""}${model}`

describe("holdfast", () => {
  it.live("answers --version, --help and help COMMAND", () =>
    Effect.gen(function*() {
      const { version } = JSON.parse(fs.readFileSync(join(root, "packages/cli/package.json"), "utf8")) as {
        version: string
      }
      expect(yield* holdfast(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" })
      const help = yield* holdfast(["--help"])
      expect(help).toMatchObject({ code: 0, err: "" })
      for (const name of ["generate", "explain", "schedule", "overload-server"]) {
        expect(help.out).toContain(name)
        const own = yield* holdfast([name, "--help"])
        expect(own).toMatchObject({ code: 0, err: "" })
        expect(own.out).toContain("Examples:")
        expect((yield* holdfast(["help", name])).out).toBe(own.out)
      }
    })
  )

  it.live(
    "refuses what it does not know with exit code 2 and one sentence that names it",
    () =>
      Effect.gen(function*() {
        const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
          [[], "name a command"],
          [["generat"], "did you mean generate?"],
          [["--json"], "no option --json before the command"],
          [["help", "nothing"], 'no command "nothing"'],
          [["generate", "x", "--bogus"], "no option --bogus"],
          [["explain", "--bogus"], "no option --bogus"],
          [["schedule", "linear", "--bogus"], "no option --bogus"],
          [["overload-server", "--bogus"], "no option --bogus"],
          [["schedule"], "name a schedule"],
          [["schedule", "quadratic"], "must be one of exponential"],
          [["explain", "a", "b"], "one FILE at a time"],
          [["explain", "missing.json"], "missing.json cannot be read: there is no such file"],
          [["overload-server", "--scenario", "helthy"], "did you mean healthy?"],
          [["overload-server", "--port", "x"], "--port must be a whole number from 0 to 65535"],
          [["generate", "x", "--deadline", "soon"], "--deadline must be a time such as 500ms"]
        ]
        for (const [args, expected] of cases) {
          const result = yield* holdfast(args)
          expect(result, args.join(" ")).toMatchObject({ code: 2, out: "" })
          expect(sentence(result)).toContain(expected)
        }
      }),
    60_000
  )

  it.live(
    "starts in at most four times the time of Node itself",
    () =>
      Effect.sync(() => {
        const time = (args: ReadonlyArray<string>) => {
          const times = Array.from({ length: 7 }, () => {
            const before = process.hrtime.bigint()
            spawnSync(process.execPath, args, { stdio: "ignore" })
            return Number(process.hrtime.bigint() - before)
          })
          return Math.min(...times)
        }
        expect(time([command, "--version"]) / time(["--eval", "0"])).toBeLessThan(4)
      }),
    60_000
  )
})

describe("holdfast explain", () => {
  const payloads = [
    JSON.stringify({
      id: "a",
      status: 503,
      body: { error: { status: "UNAVAILABLE", message: "The model is overloaded." } },
      extra: 1
    }),
    "{ not json",
    "",
    JSON.stringify({ id: 2, status: 429, headers: { "retry-after": "7" }, body: "Too many requests" }),
    JSON.stringify({ status: 401, body: "Invalid API key" })
  ].join("\n")

  it.live("answers each line with one line, in order, from a file and from standard input", () =>
    Effect.scoped(
      Effect.gen(function*() {
        const path = join(yield* folder, "errors.jsonl")
        fs.writeFileSync(path, payloads)
        const fromFile = yield* holdfast(["explain", path, "--json"])
        expect(fromFile).toMatchObject({ code: 0, err: "" })
        const lines = fromFile.out
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as Record<string, unknown>)
        expect(lines.map((line) => line["id"])).toEqual(["a", null, 2, null])
        for (const line of lines) {
          expect(Object.keys(line)).toEqual(["id", "class", "retryable", "retryAfterMillis", "outcome", "advice"])
        }
        expect(lines[0]).toMatchObject({ class: "Overloaded", retryable: true, outcome: "rejected" })
        expect(lines[2]).toMatchObject({ class: "RateLimited", retryAfterMillis: 7000 })
        expect(lines[3]).toMatchObject({ class: "Unauthorized", retryable: false })
        expect((yield* holdfast(["explain", "--json"], { input: payloads })).out).toBe(fromFile.out)
        expect((yield* holdfast(["explain", "-", "--json"], { input: payloads })).out).toBe(fromFile.out)
      })
    )
  )

  it.live("takes anything else for one raw payload", () =>
    Effect.gen(function*() {
      const html = yield* holdfast(["explain", "--json"], { input: "<html>\n<h1>502 Bad Gateway</h1>\n</html>\n" })
      expect(html.out.trimEnd().split("\n")).toHaveLength(1)
      expect(JSON.parse(html.out)).toMatchObject({ id: null, class: "Transient" })
      const people = yield* holdfast(["explain"], {
        input: JSON.stringify({ error: { code: 503, status: "UNAVAILABLE" } }, null, 2)
      })
      expect(people.out).toContain("Overloaded, worth another try")
    })
  )

  it.live(
    "reads a hundred thousand lines, and stops quietly when nobody reads on",
    () =>
      Effect.scoped(
        Effect.gen(function*() {
          const path = join(yield* folder, "many.jsonl")
          fs.writeFileSync(path, `${JSON.stringify({ status: 503, body: "overloaded" })}\n`.repeat(100_000))
          const all = yield* holdfast(["explain", path, "--json"])
          expect(all.code).toBe(0)
          expect(all.out.trimEnd().split("\n")).toHaveLength(100_000)
          const { child, ended } = yield* spawned(["explain", path, "--json"])
          child.stdout.once("data", () => child.stdout.destroy())
          expect(yield* Effect.promise(() => ended)).toMatchObject({ code: 0, err: "" })
        })
      ),
    60_000
  )

  const corpus = join(root, "..", "shared", "corpus", "errors.jsonl")
  it.live.skipIf(!fs.existsSync(corpus))(
    "classifies the collected payloads as stated",
    () =>
      Effect.gen(function*() {
        const { code, out } = yield* holdfast(["explain", corpus, "--json"])
        const rows = fs
          .readFileSync(corpus, "utf8")
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line))
        const found = out
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line))
        expect(code).toBe(0)
        expect(found.map((line) => line.id)).toEqual(rows.map((row) => row.id))
        const right = rows.filter((row, i) => [row.class, ...(row.alt ?? [])].includes(found[i].class)).length
        expect(right / rows.length).toBeGreaterThanOrEqual(0.97)
        const falselyRetried = rows.filter(
          (row, i) =>
            row.retryable === false && found[i].retryable && ![row.class, ...(row.alt ?? [])].includes(found[i].class)
        )
        expect(falselyRetried.map((row) => row.id)).toEqual([])
      }),
    30_000
  )
})

describe("holdfast schedule", () => {
  it.live("shows each attempt with its time, the same for the same seed", () =>
    Effect.gen(function*() {
      const args = [
        "schedule",
        "linear",
        "--at",
        "2026-03-02T14:00:00Z",
        "--errors",
        "Overloaded,RateLimited:20s,Unauthorized",
        "--seed",
        "7",
        "--json"
      ]
      const first = yield* holdfast(args)
      expect(first).toMatchObject({ code: 0, err: "" })
      const shown = JSON.parse(first.out)
      expect(Object.keys(shown)).toEqual(["schedule", "at", "seed", "attempts", "stopped"])
      expect(shown).toMatchObject({ schedule: "linear", at: "2026-03-02T14:00:00.000Z", seed: 7, stopped: true })
      expect(shown.attempts.map((attempt: { error: string }) => attempt.error)).toEqual([
        "Overloaded",
        "RateLimited",
        "Unauthorized"
      ])
      expect(shown.attempts[0]).toEqual({
        attempt: 1,
        at: "2026-03-02T14:00:00.000Z",
        delayMillis: 0,
        error: "Overloaded"
      })
      expect(shown.attempts[2].delayMillis).toBeGreaterThanOrEqual(20_000)
      expect(Date.parse(shown.attempts[2].at) - Date.parse(shown.attempts[1].at)).toBe(shown.attempts[2].delayMillis)
      expect((yield* holdfast(args)).out).toBe(first.out)
    })
  )

  it.live("tries eight overloads by default, and obeys attempts and deadline", () =>
    Effect.gen(function*() {
      const attempts = (out: string) => (JSON.parse(out) as { attempts: ReadonlyArray<unknown> }).attempts.length
      expect(attempts((yield* holdfast(["schedule", "constant", "--json"])).out)).toBe(9)
      expect(attempts((yield* holdfast(["schedule", "constant", "--attempts", "3", "--json"])).out)).toBe(3)
      const within = yield* holdfast([
        "schedule",
        "constant",
        "--jitter",
        "none",
        "--base",
        "10s",
        "--deadline",
        "25s",
        "--json"
      ])
      expect(attempts(within.out)).toBe(3)
      expect((yield* holdfast(["schedule", "article"])).out).toContain("Stops:")
    })
  )
})

describe("holdfast overload-server", () => {
  it.live(
    "serves until Ctrl-C, then tells what it counted",
    () =>
      Effect.scoped(
        Effect.gen(function*() {
          const { child, ended, seen } = yield* spawned([
            "overload-server",
            "--port",
            "0",
            "--speed",
            "200",
            "--fault",
            "503:1",
            "--json"
          ])
          yield* until(() => seen.out.includes("\n"))
          const ready = JSON.parse(seen.out) as { url: string; port: number }
          expect(ready.url).toBe(`http://127.0.0.1:${ready.port}`)
          const taken = yield* holdfast(["overload-server", "--port", String(ready.port)])
          expect(taken.code).toBe(1)
          expect(sentence(taken)).toContain(`port ${ready.port} is in use already`)
          const answer = yield* Effect.promise(() =>
            fetch(`${ready.url}/v1beta/models/m:generateContent`, {
              method: "POST",
              body: '{"contents":[{"parts":[{"text":"x"}]}]}'
            })
          )
          expect(answer.status).toBe(503)
          child.kill("SIGINT")
          const { code, out } = yield* Effect.promise(() => ended)
          expect(code).toBe(0)
          expect(JSON.parse(out.trimEnd().split("\n")[1] ?? "")).toMatchObject({
            counters: { requests: 1, rejected: 1, byStatus: { "503": 1 } }
          })
        })
      ),
    30_000
  )

  it.live(
    "plays a scenario out of a file, and names what is wrong in it",
    () =>
      Effect.scoped(
        Effect.gen(function*() {
          const path = yield* folder
          fs.writeFileSync(join(path, "bad.json"), JSON.stringify({ hours: 1, endpoints: [{ name: "a", slots: -1 }] }))
          const bad = yield* holdfast(["overload-server", "--scenario", "bad.json", "--port", "0"], { cwd: path })
          expect(bad.code).toBe(2)
          expect(sentence(bad)).toContain('"endpoints[0].slots" must be')
          fs.writeFileSync(
            join(path, "two.json"),
            JSON.stringify({
              a: { hours: 1, endpoints: [{ name: "x", slots: 1 }] },
              b: { hours: 1, endpoints: [{ name: "y", slots: 1 }] }
            })
          )
          expect(
            sentence(yield* holdfast(["overload-server", "--scenario", "two.json", "--port", "0"], { cwd: path }))
          ).toContain("two.json#a")
          const { child, ended, seen } = yield* spawned(
            ["overload-server", "--scenario", "two.json#b", "--port", "0"],
            { cwd: path }
          )
          yield* until(() => seen.out.includes("counters"))
          expect(seen.out).toContain("OPENAI_BASE_URL=http://127.0.0.1:")
          child.kill("SIGTERM")
          expect((yield* Effect.promise(() => ended)).code).toBe(0)
        })
      ),
    30_000
  )
})

describe("holdfast generate", () => {
  const resultKeys = ["ok", "files", "text", "model", "endpoint", "usage", "attempts"]
  const attemptKeys = ["endpoint", "start", "ms", "class", "status", "retryAfterMillis"]

  it.live(
    "with --demo shows a 503 and then an image that decodes, in less than 15 seconds",
    () =>
      Effect.scoped(
        Effect.gen(function*() {
          const cwd = yield* folder
          const before = process.hrtime.bigint()
          const { code, err, out } = yield* holdfast(["generate", "a", "cute", "cat", "--demo"], { cwd })
          expect(Number(process.hrtime.bigint() - before) / 1e9).toBeLessThan(15)
          expect(code).toBe(0)
          expect(out).toBe("a-cute-cat-1.png\n")
          decodes(join(cwd, "a-cute-cat-1.png"))
          expect(fs.readdirSync(cwd).sort()).toEqual(["a-cute-cat-1.json", "a-cute-cat-1.png"])
          expect(err).toContain("Demo: an embedded overloaded model")
          const lines = err.split("\n").filter((line) => /^\d\d:\d\d:\d\d {2}attempt \d+/.test(line))
          expect(lines.length).toBeGreaterThan(1)
          expect(lines[0]).toMatch(/attempt 1 {2}demo {2}Overloaded \(503\) after \d+\.\d s; next try in \d+\.\d s$/)
          expect(lines.at(-1)).toMatch(/ok after \d+\.\d s$/)
          expect(err).not.toContain("\u001b")
          const record = JSON.parse(fs.readFileSync(join(cwd, "a-cute-cat-1.json"), "utf8"))
          expect(record).toMatchObject({
            prompt: "a cute cat",
            ok: true,
            files: ["a-cute-cat-1.png"],
            endpoint: "demo"
          })
          expect(record.attempts).toHaveLength(lines.length)
          expect(record.usage.outputTokens).toBeGreaterThan(0)
        })
      ),
    30_000
  )

  it.live(
    "makes an image in each dialect, and says how in JSON",
    () =>
      Effect.scoped(
        Effect.gen(function*() {
          const out = yield* folder
          const server = yield* OverloadServer.make({ ...fast, faults: [{ fault: "429", retryAfter: 5 }] })
          for (const [index, dialect] of (["gemini", "openai", "vertex"] as const).entries()) {
            const result = yield* holdfast([
              "generate",
              `a ${dialect} fox`,
              "--endpoint",
              endpointOf(server.url, dialect, ":a-model"),
              "--out",
              out,
              "--json"
            ])
            expect(result.code, result.err).toBe(0)
            expect(result.out.endsWith("}\n")).toBe(true)
            const shown = JSON.parse(result.out)
            expect(Object.keys(shown)).toEqual(resultKeys)
            expect(shown).toMatchObject({
              ok: true,
              endpoint: "local",
              model: "a-model",
              files: [join(out, `a-${dialect}-fox-1.png`)]
            })
            decodes(shown.files[0])
            expect(shown.attempts).toHaveLength(index === 0 ? 2 : 1)
            for (const attempt of shown.attempts) expect(Object.keys(attempt)).toEqual(attemptKeys)
            if (index === 0) {
              expect(shown.attempts[0]).toMatchObject({
                endpoint: "local",
                class: "RateLimited",
                status: 429,
                retryAfterMillis: 5000
              })
              const [first, second] = shown.attempts
              expect(Date.parse(second.start) - Date.parse(first.start) - first.ms).toBeGreaterThanOrEqual(5000)
            }
            expect(shown.attempts.at(-1)).toMatchObject({ class: null, status: 200, retryAfterMillis: null })
          }
          expect((yield* server.counters).byOperation).toEqual({
            "gemini.generateContent": 2,
            "openai.chat": 1,
            "vertex.generateContent": 1
          })
        })
      ),
    60_000
  )

  it.live(
    "takes provider, key and address from the environment, and several images",
    () =>
      Effect.scoped(
        Effect.gen(function*() {
          const cwd = yield* folder
          const server = yield* OverloadServer.make({ ...fast, apiKey: "the-right-key" })
          const gemini = yield* holdfast(
            ["generate", "two foxes", "--count", "2", "--aspect-ratio", "16:9", "--size", "2K"],
            {
              cwd,
              env: { GEMINI_API_KEY: "the-right-key", GEMINI_BASE_URL: server.url }
            }
          )
          expect(gemini).toMatchObject({ code: 0, out: "two-foxes-1.png\ntwo-foxes-2.png\n" })
          const openai = yield* holdfast(["generate", "-", "--image", "two-foxes-1.png"], {
            cwd,
            input: "the same\nat night\n",
            env: { OPENAI_API_KEY: "the-right-key", OPENAI_BASE_URL: `${server.url}/v1` }
          })
          expect(openai).toMatchObject({ code: 0, out: "the-same-at-night-1.png\n" })
          const vertex = yield* holdfast(["generate", "vertex fox"], {
            cwd,
            env: { GOOGLE_CLOUD_PROJECT: "p", VERTEX_ACCESS_TOKEN: "the-right-key", VERTEX_BASE_URL: server.url }
          })
          expect(vertex).toMatchObject({ code: 0, out: "vertex-fox-1.png\n" })
          for (const file of fs.readdirSync(cwd).filter((name) => name.endsWith(".png"))) decodes(join(cwd, file))
          const text = yield* holdfast(["generate", "a haiku", "--text"], {
            cwd,
            env: { GEMINI_API_KEY: "the-right-key", GEMINI_BASE_URL: server.url }
          })
          expect(text.code).toBe(0)
          expect(text.out.trim()).not.toBe("")
          expect(fs.readdirSync(cwd).some((name) => name.startsWith("a-haiku"))).toBe(false)
        })
      ),
    60_000
  )

  it.live("names both ways out when there is no key", () =>
    Effect.gen(function*() {
      const result = yield* holdfast(["generate", "x"])
      expect(result).toMatchObject({ code: 2, out: "" })
      expect(sentence(result)).toMatch(/set GEMINI_API_KEY.*--demo/)
      expect(sentence(yield* holdfast(["generate", "x"], { env: { GEMINI_API_KEY: "  " } }))).toContain("no key is set")
      expect(sentence(yield* holdfast(["generate", "x", "--endpoint", "openai"]))).toContain("OPENAI_API_KEY")
      expect(sentence(yield* holdfast(["generate", "x", "--endpoint", "r=openai:https://relay.invalid/v1"]))).toContain(
        "set HOLDFAST_KEY_R or OPENAI_API_KEY"
      )
    })
  )

  it.live(
    "fails over to the next endpoint, and the attempts show the way",
    () =>
      Effect.scoped(
        Effect.gen(function*() {
          const out = yield* folder
          const bad = yield* OverloadServer.make({ ...fast, apiKey: "another-key" })
          const good = yield* OverloadServer.make(fast)
          const { code, out: stdout } = yield* holdfast([
            "generate",
            "x",
            "--endpoint",
            `first=gemini:${bad.url}`,
            "--endpoint",
            `second=openai:${good.url}/v1`,
            "--out",
            out,
            "--json"
          ])
          expect(code).toBe(0)
          const shown = JSON.parse(stdout)
          expect(shown.endpoint).toBe("second")
          expect(
            shown.attempts.map((attempt: Record<string, unknown>) => [attempt["endpoint"], attempt["class"]])
          ).toEqual([
            ["first", "Unauthorized"],
            ["second", null]
          ])
        })
      ),
    30_000
  )

  it.live(
    "fails with exit code 1, one JSON line and one sentence that says what to do",
    () =>
      Effect.scoped(
        Effect.gen(function*() {
          const out = yield* folder
          const server = yield* OverloadServer.make({ ...fast, faults: [{ fault: "503", times: Infinity }] })
          const args = ["generate", "x", "--endpoint", endpointOf(server.url), "--out", out, "--json"]
          const gaveUp = yield* holdfast([...args, "--attempts", "1"])
          expect(gaveUp.code).toBe(1)
          const shown = JSON.parse(gaveUp.out)
          expect(Object.keys(shown)).toEqual([...resultKeys, "error"])
          expect(shown).toMatchObject({ ok: false, files: [], text: null, usage: null, endpoint: "local" })
          expect(shown.attempts).toHaveLength(1)
          expect(shown.error).toMatchObject({
            class: "Overloaded",
            status: 503,
            outcome: "rejected",
            stoppedBy: "schedule"
          })
          expect(shown.error.advice).toContain("--deadline")
          expect(gaveUp.err.trimEnd().split("\n").at(-1)).toMatch(
            /^holdfast generate: Overloaded \(503\) after 1 attempt, .*--endpoint$/
          )
          const late = yield* holdfast([...args, "--deadline", "2s"])
          expect(late.code).toBe(1)
          expect(JSON.parse(late.out).error).toMatchObject({ class: "Overloaded", stoppedBy: "deadline" })
          expect(fs.readdirSync(out)).toEqual([])
        })
      ),
    30_000
  )

  it.live(
    "never overwrites without --force, and finds out before anything is sent",
    () =>
      Effect.scoped(
        Effect.gen(function*() {
          const out = yield* folder
          const server = yield* OverloadServer.make(fast)
          fs.writeFileSync(join(out, "a-fox-1.jpg"), "mine")
          const args = ["generate", "a fox", "--endpoint", endpointOf(server.url), "--out", out]
          const refused = yield* holdfast(args)
          expect(refused).toMatchObject({ code: 1, out: "" })
          expect(sentence(refused)).toContain("a-fox-1.jpg is there already; pass --force")
          expect(JSON.parse((yield* holdfast([...args, "--json"])).out)).toMatchObject({
            ok: false,
            error: { class: "FileExists", outcome: "not-started" }
          })
          expect((yield* server.counters).requests).toBe(0)
          expect(fs.readFileSync(join(out, "a-fox-1.jpg"), "utf8")).toBe("mine")
          expect((yield* holdfast([...args, "--force"])).code).toBe(0)
          decodes(join(out, "a-fox-1.png"))
          const nowhere = yield* holdfast([
            "generate",
            "a fox",
            "--endpoint",
            endpointOf(server.url),
            "--out",
            join(out, "a-fox-1.jpg", "deep")
          ])
          expect(nowhere.code).toBe(1)
          expect(sentence(nowhere)).toContain("is no folder")
        })
      ),
    30_000
  )

  it.live(
    "cancels the request in flight on Ctrl-C, leaves no file, and ends with 130",
    () =>
      Effect.scoped(
        Effect.gen(function*() {
          const out = yield* folder
          const server = yield* OverloadServer.make({ faults: [{ fault: "stall-headers", times: Infinity }] })
          for (const [signal, code] of [
            ["SIGINT", 130],
            ["SIGTERM", 143]
          ] as const) {
            yield* server.reset
            yield* server.fault({ fault: "stall-headers" })
            const { child, ended } = yield* spawned([
              "generate",
              "a fox",
              "--endpoint",
              endpointOf(server.url),
              "--out",
              out,
              "--json"
            ])
            yield* until(() => Effect.runPromise(Effect.map(server.counters, ({ inFlight }) => inFlight === 1)))
            child.kill(signal)
            const result = yield* Effect.promise(() => ended)
            expect(result.code).toBe(code)
            expect(JSON.parse(result.out)).toMatchObject({
              ok: false,
              error: { class: "Interrupted", outcome: "unknown" }
            })
            yield* until(() =>
              Effect.runPromise(
                Effect.map(server.counters, ({ abandoned, inFlight }) => abandoned === 1 && inFlight === 0)
              )
            )
            expect(fs.readdirSync(out)).toEqual([])
          }
        })
      ),
    30_000
  )

  it.live(
    "is not kept from its work by a reader that goes away",
    () =>
      Effect.scoped(
        Effect.gen(function*() {
          const out = yield* folder
          const server = yield* OverloadServer.make(fast)
          const { child, ended } = yield* spawned([
            "generate",
            "a fox",
            "--endpoint",
            endpointOf(server.url),
            "--out",
            out,
            "--json"
          ])
          child.stdout.destroy()
          child.stderr.destroy()
          expect((yield* Effect.promise(() => ended)).code).toBe(0)
          decodes(join(out, "a-fox-1.png"))
        })
      ),
    30_000
  )
})

/** A server that repeats the credential, coloured: in an error, or, where the path says so, in what it generated. */
const echo = Effect.acquireRelease(
  Effect.promise(
    () =>
      new Promise<{ readonly url: string; readonly close: () => void }>((resolve) => {
        const server = createServer((req: IncomingMessage, res: ServerResponse) => {
          const given = `${req.headers.authorization ?? ""} ${String(req.headers["x-goog-api-key"])}`
          const said = `\u001b[31mbad\u001b[0m request with ${given}`
          const isAnswer = req.url?.startsWith("/said/") === true
          const choice = { index: 0, finish_reason: "stop", message: { role: "assistant", content: said } }
          res.writeHead(isAnswer ? 200 : 400, { "content-type": "application/json" })
          res.end(
            JSON.stringify(
              isAnswer
                ? { id: "x", object: "chat.completion", model: "m", choices: [choice] }
                : { error: { message: `${said} data:image/png;base64,${"A".repeat(400)}` } }
            )
          )
        })
        server.listen(0, "127.0.0.1", () =>
          resolve({
            url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
            close: () => void server.close()
          })
        )
      })
  ),
  ({ close }) => Effect.sync(close)
)

describe("what holdfast writes", () => {
  it.live(
    "never holds a key, whatever the server answers",
    () =>
      Effect.scoped(
        Effect.gen(function*() {
          const out = yield* folder
          const key = "MARKED-key-0123456789"
          const server = yield* echo
          const good = yield* OverloadServer.make({ ...fast, faults: [{ fault: "503" }] })
          const outputs: Array<string> = []
          for (const dialect of ["gemini", "openai", "vertex"]) {
            for (const json of [[], ["--json"]]) {
              const env = { HOLDFAST_KEY_LOCAL: key }
              const failed = yield* holdfast(
                ["generate", "x", "--endpoint", endpointOf(server.url, dialect), "--out", out, ...json],
                { env }
              )
              expect(failed.code).toBe(1)
              expect(failed.err).toContain("request with")
              outputs.push(failed.out, failed.err)
              const made = yield* holdfast(
                [
                  "generate",
                  `${dialect} ${json.length}`,
                  "--endpoint",
                  endpointOf(good.url, dialect),
                  "--out",
                  out,
                  ...json
                ],
                { env }
              )
              expect(made.code, made.err).toBe(0)
              outputs.push(made.out, made.err)
            }
          }
          for (const json of [[], ["--json"]]) {
            const said = yield* holdfast(
              ["generate", "x", "--text", "--endpoint", `local=openai:${server.url}/said/v1`, ...json],
              { env: { HOLDFAST_KEY_LOCAL: key } }
            )
            expect(said, said.err).toMatchObject({ code: 0 })
            expect(said.out).toContain("bad request with Bearer <redacted>")
            outputs.push(said.out, said.err)
          }
          expect(outputs.filter((output) => output.includes("\u001b"))).toEqual([])
          const files = fs.readdirSync(out).map((name) => name + fs.readFileSync(join(out, name), "latin1"))
          expect(files).toHaveLength(12)
          const leaks = [...outputs, ...files].filter(
            (output) => output.includes(key) || output.includes("base64,AAAA")
          )
          expect(leaks).toEqual([])
        })
      ),
    60_000
  )
})

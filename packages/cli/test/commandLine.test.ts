import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { CliError } from "../src/commandLine/CliError.js"
import { commandHelp, mainHelp } from "../src/commandLine/help.js"
import { distance, nearest } from "../src/commandLine/nearest.js"
import { parse, wantsHelp } from "../src/commandLine/parse.js"
import * as specs from "../src/commandLine/specs.js"
import * as Values from "../src/commandLine/values.js"
import * as Options from "../src/generation/options.js"
import * as Named from "../src/schedule/named.js"
import * as Faults from "../src/server/faults.js"
import { Scenario } from "@holdfast/testing"

/** The sentence that a command line is refused with. */
const refusal = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof CliError && error.exitCode === 2) return error.message
    throw error
  }
  throw new Error("it was not refused")
}

/** A command line as a shell would split it; enough for the examples. */
const words = (line: string): ReadonlyArray<string> =>
  [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain ?? "")

describe("parse", () => {
  it("gives flags and words, flags anywhere between the words", () => {
    const { flags, words } = parse(specs.generate, [
      "a",
      "--force",
      "cute",
      "--out=pics",
      "cat",
      "--endpoint",
      "gemini",
      "--endpoint",
      "openai"
    ])
    expect(words).toEqual(["a", "cute", "cat"])
    expect(flags).toMatchObject({
      force: true,
      demo: false,
      out: "pics",
      endpoint: ["gemini", "openai"],
      model: undefined
    })
  })

  it("takes everything after -- for words", () => {
    expect(parse(specs.generate, ["--force", "--", "--demo"])).toMatchObject({
      words: ["--demo"],
      flags: { demo: false }
    })
    expect(wantsHelp(["--", "--help"])).toBe(false)
    expect(wantsHelp(["x", "-h"])).toBe(true)
  })

  it("refuses an unknown flag by name, with the one that was meant", () => {
    expect(refusal(() => parse(specs.generate, ["x", "--frce"]))).toBe(
      "there is no option --frce; did you mean --force?"
    )
    expect(refusal(() => parse(specs.generate, ["x", "--bogus=1"]))).toBe(
      "there is no option --bogus; holdfast generate --help lists them"
    )
    expect(refusal(() => parse(specs.explain, ["-x"]))).toContain("there is no option -x")
  })

  it("refuses a missing value, a value that looks like a flag, and a value of a switch", () => {
    expect(refusal(() => parse(specs.generate, ["x", "--out"]))).toBe("--out needs a value: --out DIR")
    expect(refusal(() => parse(specs.generate, ["x", "--out", "--force"]))).toContain("write --out=--force")
    expect(refusal(() => parse(specs.generate, ["x", "--force=yes"]))).toBe("--force takes no value")
    expect(parse(specs.generate, ["x", "--image", "-"]).flags.image).toEqual(["-"])
  })

  it("answers any command line with a result or one sentence", () => {
    const arg = FastCheck.oneof(
      FastCheck.string(),
      FastCheck.constantFrom("--out", "--json", "--", "-", "-h", "--seed=", "--endpoint")
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(arg, { maxLength: 6 }), (args) => {
        try {
          parse(specs.generate, args)
        } catch (error) {
          expect(error).toBeInstanceOf(CliError)
        }
      })
    )
  })
})

describe("help", () => {
  it("names every flag of every command, and fits 120 columns", () => {
    for (const spec of specs.all) {
      const text = commandHelp(spec)
      for (const flag of Object.keys(spec.flags)) expect(text).toContain(`--${flag}`)
      expect(text.split("\n").filter((line) => [...line].length > 120)).toEqual([])
      expect(mainHelp(specs.all)).toContain(spec.name)
    }
  })

  it("shows examples that parse", () => {
    for (const spec of specs.all) {
      for (const [line] of spec.examples) {
        const [, command, ...args] = words(line.replace(/^.*\| /, ""))
        const owner = specs.all.find(({ name }) => name === command)
        expect(owner, line).toBeDefined()
        if (owner !== undefined) parse(owner, args)
      }
    }
  })

  it("names the schedules, the scenarios and the faults that there are", () => {
    for (const name of Named.names) expect(specs.schedule.details).toContain(`  ${name} `)
    for (const name of Scenario.names) expect(specs.overloadServer.flags.scenario.help).toContain(name)
    for (const name of Faults.names) expect(specs.overloadServer.details).toMatch(new RegExp(`[ \\n]${name}[,.]`))
  })
})

describe("nearest", () => {
  it("counts edits, a swap of neighbours as one", () => {
    expect(distance("kitten", "sitting")).toBe(3)
    expect(distance("fromat", "format")).toBe(1)
    expect(distance("", "abc")).toBe(3)
  })

  it("suggests what is near and nothing else", () => {
    expect(nearest("Overloded", ["Overloaded", "RateLimited"])).toBe("Overloaded")
    expect(nearest("dead", ["deadline", "demo"])).toBe("deadline")
    expect(nearest("xyz", ["deadline", "demo"])).toBeUndefined()
  })

  it("is a metric", () => {
    const word = FastCheck.string({ maxLength: 8 })
    FastCheck.assert(
      FastCheck.property(word, word, (a, b) => {
        expect(distance(a, b)).toBe(distance(b, a))
        expect(distance(a, b) === 0).toBe(a === b)
      })
    )
  })
})

describe("values", () => {
  it("reads durations", () => {
    const cases: ReadonlyArray<readonly [string, number | undefined]> = [
      ["500ms", 500],
      ["90s", 90_000],
      ["3m", 180_000],
      ["1h", 3_600_000],
      ["1m30s", 90_000],
      ["1.5h", 5_400_000],
      ["2d", 172_800_000],
      ["3", undefined],
      ["", undefined],
      ["-3s", undefined],
      ["3 s", undefined],
      ["1e3s", undefined],
      ["s", undefined],
      ["Infinity", undefined]
    ]
    for (const [text, millis] of cases) expect(Values.durationMillis(text), text).toBe(millis)
  })

  it("reads back what it formats, and never throws at a string", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.integer({ min: 0, max: 30 * 86_400_000 }), (millis) => {
        expect(Values.durationMillis(Values.formatDuration(millis))).toBe(millis)
      })
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.string(), (text) => {
        const millis = Values.durationMillis(text)
        expect(millis === undefined || (Number.isFinite(millis) && millis >= 0)).toBe(true)
      })
    )
  })

  it("refuses by flag and range", () => {
    const range = { min: 1000, max: 60_000 }
    expect(refusal(() => Values.duration("--deadline", "2m", range))).toBe(
      '--deadline must be a time such as 500ms, 90s, 3m or 1h, from 1s to 1m, not "2m"'
    )
    expect(refusal(() => Values.integer("--port", "70000", { min: 0, max: 65535 }))).toContain(
      'from 0 to 65535, not "70000"'
    )
    expect(refusal(() => Values.number("--speed", "fast", { min: 1, max: 2 }))).toContain("--speed must be a number")
    expect(refusal(() => Values.oneOf("--jitter", "ful", ["full", "equal"]))).toContain("did you mean full?")
  })

  it("reads instants in any zone, in UTC without one, and refuses days that do not exist", () => {
    const at = (text: string) => new Date(Values.instant("--at", text)).toISOString()
    expect(at("2026-03-02T14:00:00Z")).toBe("2026-03-02T14:00:00.000Z")
    expect(at("2026-03-02T14:00:00+02:00")).toBe("2026-03-02T12:00:00.000Z")
    expect(at("2026-03-02T14:00:00-0530")).toBe("2026-03-02T19:30:00.000Z")
    expect(at("2026-03-02T14:00")).toBe("2026-03-02T14:00:00.000Z")
    expect(at("2026-03-02")).toBe("2026-03-02T00:00:00.000Z")
    expect(at("2024-02-29")).toBe("2024-02-29T00:00:00.000Z")
    for (const bad of ["2026-02-30", "2026-13-01", "2026-03-02T25:00Z", "now", "1700000000", "2026-3-2", ""]) {
      expect(
        refusal(() => Values.instant("--at", bad)),
        bad
      ).toContain("ISO 8601")
    }
  })

  it("repeats what was given without control characters", () => {
    expect(Values.shown("\u001b[31mred\u0007")).toBe('"?[31mred?"')
    expect(Values.shown("x".repeat(1000)).length).toBeLessThan(70)
  })
})

describe("the command line of generate", () => {
  it("has defaults", () => {
    expect(Options.read(["a", "cute", "cat"])).toEqual({
      prompt: "a cute cat",
      places: [],
      model: undefined,
      out: ".",
      force: false,
      deadline: 300_000,
      attempts: undefined,
      demo: false,
      text: false,
      aspectRatio: undefined,
      imageSize: undefined,
      count: 1,
      images: [],
      seed: undefined,
      json: false
    })
  })

  it("refuses what cannot be meant", () => {
    const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
      [[], "say what to make"],
      [["  "], "say what to make"],
      [["x", "--demo", "--endpoint", "gemini"], "exclude each other"],
      [["x", "--text", "--count", "2"], "--text and --count"],
      [["x", "--aspect-ratio", "wide"], '--aspect-ratio must be two whole numbers such as 16:9, not "wide"'],
      [["x", "--size", "8K"], "--size must be 1K, 2K, 4K or WIDTHxHEIGHT"],
      [["x", "--count", "0"], "--count must be a whole number from 1 to 10"],
      [["x", "--deadline", "0s"], "--deadline must be"],
      [["x", "--attempts", "none"], "--attempts must be"],
      [["x", "--model", "two words"], "--model must be one word"],
      [["x", "--out", ""], "--out must name a folder"],
      [["-", "--image", "-"], "standard input can be read once only"]
    ]
    for (const [args, sentence] of cases)
      expect(
        refusal(() => Options.read(args)),
        args.join(" ")
      ).toContain(sentence)
  })
})

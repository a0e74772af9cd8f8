import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { CliError } from "../src/commandLine/CliError.js"
import { isLoopback, keyVariable, parse, parseAll } from "../src/generation/endpoints.js"

const refusal = (text: string): string => {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof CliError && error.exitCode === 2) return error.message
    throw error
  }
  throw new Error(`${text} was not refused`)
}

const custom = (name: string, dialect: string, baseUrl: string, model?: string) => ({
  _tag: "Custom",
  name,
  dialect,
  baseUrl,
  model
})

describe("an endpoint on the command line", () => {
  it("is a provider by name", () => {
    expect(parse("gemini")).toEqual({ _tag: "Provider", name: "gemini", dialect: "gemini" })
    expect(refusal("gemni")).toContain("did you mean gemini?")
  })

  it("is a name, a dialect, an address and perhaps a model", () => {
    expect(parse("relay=openai:https://relay.example/v1")).toEqual(
      custom("relay", "openai", "https://relay.example/v1")
    )
    expect(parse("relay=openai:https://relay.example/v1:nano-banana")).toEqual(
      custom("relay", "openai", "https://relay.example/v1", "nano-banana")
    )
    expect(parse("a=gemini:http://127.0.0.1:8080")).toEqual(custom("a", "gemini", "http://127.0.0.1:8080"))
    expect(parse("a=gemini:http://127.0.0.1:8080/")).toEqual(custom("a", "gemini", "http://127.0.0.1:8080"))
    expect(parse("a=gemini:http://127.0.0.1:8080:m")).toEqual(custom("a", "gemini", "http://127.0.0.1:8080", "m"))
    expect(parse("a=vertex:http://[::1]:8080/x:m")).toEqual(custom("a", "vertex", "http://[::1]:8080/x", "m"))
    expect(parse("a=openai:http://host:models/x:free")).toEqual(custom("a", "openai", "http://host", "models/x:free"))
    expect(parse("a=openai:https://host/v1:google/m:free")).toEqual(
      custom("a", "openai", "https://host/v1", "google/m:free")
    )
  })

  it("is refused by what is wrong with it", () => {
    expect(refusal("a=gemni:https://host")).toContain("did you mean gemini?")
    expect(refusal("a=openai")).toContain("must begin with http://")
    expect(refusal("a=openai:host/v1")).toContain("must begin with http://")
    expect(refusal("a=openai:ftp://host/v1")).toContain("must begin with http://")
    expect(refusal("a=openai:https://host:99999/v1")).toContain("is no URL")
    expect(refusal("a=openai:https://host/v1?x=1")).toContain("no query or fragment")
    expect(refusal("=openai:https://host/v1")).toContain("a NAME has 1 to 40 letters")
    expect(refusal("../x=openai:https://host/v1")).toContain("a NAME has 1 to 40 letters")
  })

  it("never repeats a password or a key out of an address", () => {
    for (const text of [
      "a=openai:https://u:s3cret@host/v1",
      "a=openai:https://host/v1?key=s3cret",
      "a=openai:https://s3cret@host"
    ]) {
      expect(refusal(text)).not.toContain("s3cret")
    }
  })

  it("must have a name of its own", () => {
    expect(() => parseAll(["gemini", "gemini"])).toThrow("two are called gemini")
    expect(() => parseAll(["a=openai:https://h", "a=openai:https://i"])).toThrow("two are called a")
  })

  it("gives back what was put in, for any name, address and model", () => {
    const name = FastCheck.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,12}$/)
    const host = FastCheck.oneof(FastCheck.domain(), FastCheck.ipV4(), FastCheck.constant("[::1]"))
    const port = FastCheck.option(FastCheck.integer({ min: 1, max: 65535 }), { nil: undefined })
    const path = FastCheck.stringMatching(/^(?:\/[a-z0-9._~-]{1,6}){0,3}$/)
    const model = FastCheck.option(FastCheck.stringMatching(/^[a-z][a-z0-9._:/-]{0,20}$/), { nil: undefined })
    const dialect = FastCheck.constantFrom("gemini", "vertex", "openai")
    FastCheck.assert(
      FastCheck.property(name, dialect, host, port, path, model, (name, dialect, host, port, path, model) => {
        const baseUrl = `http://${host}${port === undefined ? "" : `:${port}`}${path}`
        const text = `${name}=${dialect}:${baseUrl}${model === undefined ? "" : `:${model}`}`
        expect(parse(text)).toEqual(custom(name, dialect, baseUrl, model))
      })
    )
  })

  it("answers any text with an endpoint or one sentence", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(
          FastCheck.string(),
          FastCheck.string().map((rest) => `a=openai:https://${rest}`)
        ),
        (text) => {
          try {
            parse(text)
          } catch (error) {
            expect(error).toBeInstanceOf(CliError)
          }
        }
      )
    )
  })
})

describe("the key of an endpoint", () => {
  it("stands in a variable of its name", () => {
    expect(keyVariable("my-relay.eu")).toBe("HOLDFAST_KEY_MY_RELAY_EU")
  })

  it("is not needed on this machine, and only there", () => {
    for (const url of ["http://127.0.0.1:1", "http://localhost", "http://[::1]:80/v1", "https://x.localhost"]) {
      expect(isLoopback(url), url).toBe(true)
    }
    for (const url of ["http://127.0.0.1.example", "http://10.0.0.1", "https://localhost.example", "nonsense"]) {
      expect(isLoopback(url), url).toBe(false)
    }
  })
})

import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Redact from "holdfast/Redact"

const base64Url = (min: number, max: number) =>
  FastCheck.array(
    FastCheck.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
    { minLength: min, maxLength: max }
  ).map((chars) => chars.join(""))

/** Credentials in the forms that providers give them out. */
const credential = FastCheck.oneof(
  base64Url(35, 35).map((s) => `AIza${s}`),
  base64Url(40, 60).map((s) => `AQ.${s}`),
  base64Url(60, 90).map((s) => `ya29.${s}`),
  base64Url(24, 60).map((s) => `sk-${s}`),
  base64Url(24, 60).map((s) => `sk-proj-${s}`),
  base64Url(36, 36).map((s) => `ghp_${s}`),
  FastCheck.tuple(base64Url(20, 40), base64Url(20, 90), base64Url(20, 43)).map(([a, b, c]) => `eyJ${a}.${b}.${c}`)
)

const keyBody = base64Url(64, 64)
const pem = FastCheck.tuple(
  FastCheck.constantFrom("", "RSA ", "EC ", "ENCRYPTED ", "OPENSSH "),
  FastCheck.array(keyBody, { minLength: 2, maxLength: 5 }),
  FastCheck.constantFrom("\n", "\\n", "\r\n")
).map(([kind, lines, newline]) =>
  ({ lines, text: [`-----BEGIN ${kind}PRIVATE KEY-----`, ...lines, `-----END ${kind}PRIVATE KEY-----`].join(newline) }))

/** Pieces that patterns begin with, end with or stumble over. */
const fragment = FastCheck.oneof(
  { weight: 5, arbitrary: FastCheck.constantFrom(
    "authorization", "Authorization: ", "authorization: Bearer ", "Bearer ", "bearer", "Basic ", "x-api-key", "api-key",
    "x-goog-api-key\":\"", "apikey=", ":", "=", ": ", "\"", "'", ",", "}", " ", "\t", "\n", "?", "&", "?key=", "&sig=",
    "&token=", "data:", "data:image/png;base64,", "AIza", "AQ.", "ya29.", "sk-", "sk_", "hf_", "eyJ", ".", "-", "_",
    "/",
    "-----BEGIN PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----", "-----BEGIN ",
    "<", ">", "…", Redact.mask, "<base64>", "<data-url>", "😀", "\ud83d", "\ude00"
  ) },
  { weight: 2, arbitrary: base64Url(0, 30) },
  { weight: 1, arbitrary: base64Url(240, 300) },
  { weight: 1, arbitrary: credential },
  { weight: 1, arbitrary: FastCheck.string16bits() }
)
const messy = FastCheck.array(fragment, { maxLength: 40 }).map((pieces) => pieces.join(""))

/** Text whose cut falls anywhere in it. */
const long = FastCheck.tuple(FastCheck.integer({ min: 1900, max: 2000 }), messy, messy).map(([length, middle, rest]) =>
  "lorem ipsum ".repeat(200).slice(0, length) + middle + rest)

describe("Redact.text", () => {
  it("is idempotent, also where the text is cut", () =>
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(messy, long),
        FastCheck.constantFrom(undefined, 1, 10, 50, 300),
        (input, maxLength) => {
          const once = Redact.text(input, { maxLength })
          expect(Redact.text(once, { maxLength })).toBe(once)
        }
      ),
      { numRuns: 5000 }
    ))

  it("is idempotent wherever a cut falls in a credential", () => {
    const lines = [
      "authorization: Bearer abc and more",
      "x-api-key: \"Bearer abcd\"",
      "Authorization: Bearer abcdefghijklmn",
      "?key=abc&x",
      "-----BEGIN PRIVATE KEY-----\nabc",
      "eyJhbGciOi.eyJzdWIiOi.abc",
      "Basic abcdefghi",
      "data:image/png;base64,AAAA",
      "sk-😀-abcdefgh😀"
    ]
    for (const line of lines) {
      for (let at = 0; at <= line.length; at++) {
        for (const [before, maxLength] of [["", at], ["lorem ".repeat(400).slice(0, 1999 - at), 2000]] as const) {
          const once = Redact.text(before + line + " and then some more", { maxLength })
          expect(Redact.text(once, { maxLength })).toBe(once)
        }
      }
    }
  })

  it("never gives out more than the length asked for, nor half a character", () =>
    FastCheck.assert(
      FastCheck.property(FastCheck.oneof(messy, long), FastCheck.integer({ min: -1, max: 400 }), (input, maxLength) => {
        const out = Redact.text(input, { maxLength })
        expect(out.length).toBeLessThanOrEqual(Math.max(1, maxLength))
        if (!/[\ud800-\udfff]/.test(input.replace(/[\ud800-\udbff][\udc00-\udfff]/g, ""))) {
          expect(encodeURIComponent(out)).toBeTypeOf("string")
        }
      })
    ))

  it("takes out credentials wherever they stand", () =>
    FastCheck.assert(
      FastCheck.property(credential, FastCheck.constantFrom(
        (c: string) => c,
        (c: string) => `https://host/v1?alt=sse&key=${c}&x=1`,
        (c: string) => `{"x-goog-api-key":"${c}"}`,
        (c: string) => `Authorization: Bearer ${c}\r\n`,
        (c: string) => `Incorrect API key provided: ${c}.`,
        (c: string) => `headers: { authorization: 'Bearer ${c}', 'x-api-key': '${c}' }`
      ), (secret, place) => {
        const out = Redact.text(place(secret))
        expect(out).not.toContain(secret)
        expect(out).not.toContain(secret.slice(-12))
      }),
      { numRuns: 500 }
    ))

  it("takes out private keys of every kind, also with newlines escaped and cut short", () =>
    FastCheck.assert(
      FastCheck.property(pem, FastCheck.boolean(), ({ lines, text }, cut) => {
        const out = Redact.text(`{"private_key":"${cut ? text.slice(0, -10) : text}"}`)
        for (const line of lines) expect(out).not.toContain(line)
      })
    ))

  it("takes out the secrets it is told, plain, escaped for JSON and for a URL, the longer first", () =>
    FastCheck.assert(
      FastCheck.property(
        FastCheck.string({ minLength: 4, maxLength: 40 }),
        FastCheck.constantFrom("", "x", "?q="),
        (secret, around) => {
          FastCheck.pre(!["<redacted>", "<base64>", "<data-url>", "Bearer "].some((mark) => mark.includes(secret)))
          const secrets = [secret.slice(0, 4), secret]
          const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]
          for (const form of forms) {
            expect(Redact.text(`${around}${form}${around}`, { secrets })).not.toContain(secret)
          }
        }
      )
    ))

  it("leaves nothing of a secret that contains another", () => {
    expect(Redact.text("say abcdefgh now", { secrets: ["abcd", "abcdefgh"] })).toBe("say <redacted> now")
    expect(Redact.text("redacted", { secrets: ["redacted", "<redacted>"] })).toBe("redacted")
  })

  it("replaces image bytes by their shape and leaves prose alone", () => {
    expect(Redact.text(`{"url":"data:image/png;base64,${"iVBORw0KGgo".repeat(9)}"}`)).toBe("{\"url\":\"<data-url>\"}")
    expect(Redact.text(`bytes ${"iVBORw0KGgo+/".repeat(40)}== end`)).toBe("bytes <base64> end")
    const prose = "The model is overloaded. Please try again later. (503 UNAVAILABLE, key=none, author: me)"
    expect(Redact.text(prose)).toBe(prose)
  })

  it("takes time in proportion to the text, whatever is in it", () => {
    const traps = [
      "eyJ-", "eyJa.", "eyJaaaaaaaaa.", "Bearer ", "Bearer\t", "authorization ", "authorization:", "api-key=\"",
      "data:a", "data:a/a;",
      "?key=", "&sig", "sk-", "sk-a ", "AIza", "AIza-", "ya29.", "-----BEGIN ", "-----BEGIN A PRIVATE KEY-----",
      "-----END A ", "a".repeat(255) + " ", "/", "-", " ", "=", "<redacted>", "\ud83d", "A-"
    ]
    for (const trap of traps) {
      const input = trap.repeat(Math.ceil(65536 / trap.length)).slice(0, 65536)
      for (const text of [input, `eyJ${input}`, `Bearer${input}`, `authorization${input}`, `data:${input}`]) {
        const start = performance.now()
        Redact.text(text)
        expect([trap, performance.now() - start < 400]).toEqual([trap, true])
      }
    }
  }, 30_000)
})

describe("Redact.cause", () => {
  const circular: Record<string, unknown> = { message: "round" }
  circular["cause"] = circular
  const hostile: ReadonlyArray<unknown> = [
    circular,
    Symbol("s"),
    Object.assign(() => {}, {
      toString: () => {
        throw new Error("no")
      }
    }),
    Object.create(null),
    new Proxy({}, {
      get: () => {
        throw new Error("no")
      }
    }),
    Proxy.revocable({}, {}).proxy,
    (() => {
      const { proxy, revoke } = Proxy.revocable(() => {}, {})
      revoke()
      return proxy
    })()
  ]

  it("makes plain, bounded, redacted data of anything, and never throws", () => {
    const check = (value: unknown) => {
      const data = Redact.cause(value)
      expect(JSON.parse(JSON.stringify(data))).toEqual(data)
      let depth = 0
      for (let at: Redact.CauseData | undefined = data; at !== undefined; at = at.cause) depth++
      expect(depth).toBeLessThanOrEqual(5)
    }
    hostile.forEach(check)
    FastCheck.assert(FastCheck.property(FastCheck.anything(), check))
  })

  it("is idempotent", () =>
    FastCheck.assert(
      FastCheck.property(FastCheck.oneof(FastCheck.anything(), messy.map((message) => new Error(message))), (value) => {
        const once = Redact.cause(value)
        expect(Redact.cause(once)).toEqual(once)
      })
    ))

  it("keeps name, message, code and the chain of causes", () => {
    const inner = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })
    expect(Redact.cause(new TypeError("fetch failed with sk-abcdefghijkl", { cause: inner }))).toEqual({
      name: "TypeError",
      message: "fetch failed with <redacted>",
      cause: { name: "Error", message: "connect ECONNREFUSED", code: "ECONNREFUSED" }
    })
  })
})

/** Runs both sides of docs/migrating.md against the same answers, and holds its tables against what they do. */
import { afterEach, describe, expect, it, vi } from "@effect/vitest"
import { Effect, Either, Fiber, TestClock } from "effect"
import { readFileSync } from "node:fs"
import { table } from "../test/support/markdown.js"
import * as Docs from "./docs/migrating.js"

type Send = typeof fetch

/** The smallest PNG: one transparent pixel. */
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly gemini: unknown
  readonly openai: unknown
}

const image: Answer = {
  status: 200,
  gemini: {
    candidates: [
      { content: { parts: [{ inlineData: { mimeType: "image/png", data: pixel } }] }, finishReason: "STOP" }
    ]
  },
  openai: { created: 1, data: [{ b64_json: pixel }] }
}

const busyText = "The model is overloaded. Please try again later."
const busy: Answer = {
  status: 503,
  gemini: { error: { code: 503, message: busyText, status: "UNAVAILABLE" } },
  openai: { error: { message: busyText, type: "server_error", code: null, param: null } }
}

const quotaText = "You exceeded your current quota, please check your plan and billing details."
const noQuota: Answer = {
  status: 429,
  gemini: {
    error: {
      code: 429,
      message: quotaText,
      status: "RESOURCE_EXHAUSTED",
      details: [{
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel" }]
      }]
    }
  },
  openai: { error: { message: quotaText, type: "insufficient_quota", code: "insufficient_quota", param: null } }
}

/** What the model does, answer after answer; the last one stays. */
const models: Readonly<Record<string, ReadonlyArray<Answer | "nothing">>> = {
  "is busy twice": [busy, busy, image],
  "is busy, and asks for 20 s": [{ ...busy, headers: { "retry-after": "20" } }, image],
  "is busy, always": [busy],
  "has no quota left today": [noQuota],
  "never answers": ["nothing"]
}

/** A `fetch` that plays such a script, and when it was asked, in seconds. */
const world = (script: ReadonlyArray<Answer | "nothing">, now: () => number) => {
  const asked: Array<number> = []
  const send: Send = (input, init) => {
    const answer = script[Math.min(asked.length, script.length - 1)]
    asked.push(Math.round(now()) / 1000)
    if (answer === undefined || answer === "nothing") {
      return new Promise((_, reject) => {
        init?.signal?.addEventListener("abort", () => reject(new DOMException("This operation was aborted", "AbortError")))
      })
    }
    const url = input instanceof Request ? input.url : String(input)
    const body = url.includes("generateContent") ? answer.gemini : answer.openai
    return Promise.resolve(
      new Response(JSON.stringify(body), {
        status: answer.status,
        headers: { "content-type": "application/json", ...answer.headers }
      })
    )
  }
  return { asked, send }
}

interface Seen {
  /** When the model was asked. */
  readonly asked: string
  /** What the caller gets. */
  readonly gets: string
}

const nameOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const status = "status" in error && typeof error.status === "number" ? ` ${error.status}` : ""
  return `${error.name === "Error" ? error.constructor.name : error.name}${status}`
}

/** A promise in an hour of vitest's time, with every draw of chance 0. */
const before = async (run: (send: Send) => Promise<unknown>, model: ReadonlyArray<Answer | "nothing">): Promise<Seen> => {
  vi.useFakeTimers({ now: 0 })
  vi.spyOn(Math, "random").mockReturnValue(0)
  const { asked, send } = world(model, () => Date.now())
  let gets = "nothing, ever"
  run(send).then(
    (value) => {
      gets = value === undefined ? "no image" : "the image"
    },
    (error: unknown) => {
      gets = nameOf(error)
    }
  )
  await vi.advanceTimersByTimeAsync(3_600_000)
  return { asked: asked.join(", "), gets }
}

/** The calls of a side that uses Effect: each with its own error. */
type Run = (send: Send) => Effect.Effect<unknown, { readonly _tag: string }>

/** An effect in an hour of virtual time. */
const after = (make: Effect.Effect<Run>, model: ReadonlyArray<Answer | "nothing">) =>
  Effect.gen(function*() {
    const run = yield* make
    const clock = yield* Effect.clock
    const { asked, send } = world(model, () => clock.unsafeCurrentTimeMillis())
    const fiber = yield* Effect.fork(Effect.either(run(send)))
    yield* TestClock.adjust("1 hour")
    const result = yield* Fiber.join(fiber)
    const seen: Seen = {
      asked: asked.join(", "),
      gets: Either.isLeft(result) ? result.left._tag : result.right === undefined ? "no image" : "the image"
    }
    return { seen, error: Either.isLeft(result) ? result.left : undefined }
  })

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

interface Pair {
  readonly before: () => (send: Send) => Promise<unknown>
  readonly after: Effect.Effect<Run>
}

const pairs: Readonly<Record<string, Pair>> = {
  "by hand": { before: () => Docs.byHand, after: Effect.succeed(Docs.byPolicy) },
  "p-retry": { before: () => Docs.byPRetry, after: Effect.succeed(Docs.byPolicy) },
  cockatiel: { before: Docs.cockatiel, after: Docs.parts },
  "@google/genai": { before: () => Docs.byGenAi, after: Effect.succeed(Docs.byService(Docs.google)) },
  openai: { before: () => Docs.byOpenAi, after: Effect.succeed(Docs.byService(Docs.relay)) }
}

const rowsOf = (name: string) =>
  table("migrating.md", name, "asked at (s)", "the caller gets", "asked at (s), after", "gets, after")

describe("docs/migrating.md", () => {
  for (const [name, pair] of Object.entries(pairs)) {
    const rows = rowsOf(name)
    const row = (what: string) => rows.find((each) => each[name] === what)

    it(`${name}: the table has each model`, () => {
      expect(rows.map((each) => each[name])).toEqual(Object.keys(models))
    })

    for (const [what, model] of Object.entries(models)) {
      it(`${name}, the model ${what}: before`, async () => {
        expect(await before(pair.before(), model)).toEqual({
          asked: row(what)?.["asked at (s)"],
          gets: row(what)?.["the caller gets"]
        })
      })

      it.effect(`${name}, the model ${what}: after`, () =>
        Effect.gen(function*() {
          const { error, seen } = yield* after(pair.after, model)
          expect(seen).toEqual({ asked: row(what)?.["asked at (s), after"], gets: row(what)?.["gets, after"] })
          // What the page says of every error: it tells its attempts, and why there was no other.
          if (error === undefined) return
          expect(error).toMatchObject({ stoppedBy: expect.any(String), attempts: { length: seen.asked.split(",").length } })
        }))
    }
  }

  for (const [what, model] of Object.entries(models)) {
    it.effect(`an SDK that is kept does as the client of ours, the model ${what}`, () =>
      Effect.gen(function*() {
        const row = rowsOf("openai").find((each) => each["openai"] === what)
        const { seen } = yield* after(Effect.succeed(Docs.bySdk), model)
        expect(seen).toEqual({ asked: row?.["asked at (s), after"], gets: row?.["gets, after"] })
      }))
  }

  it("the promise in front answers, and its signal ends the call that is under way", async () => {
    expect(await Docs.promised(world([image], () => 0).send)).toBe(pixel)
    const gone = new AbortController()
    const ended = new Promise<void>((resolve) => {
      const hanging: Send = (_, init) =>
        new Promise(() => {
          init?.signal?.addEventListener("abort", () => resolve())
          gone.abort()
        })
      Docs.promised(hanging, gone.signal).catch(() => {})
    })
    await ended
    expect(gone.signal.aborted).toBe(true)
  })

  it("shows only code that runs here", () => {
    const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")
    const source = read("./docs/migrating.ts")
    const blocks = [...read("../docs/migrating.md").matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!)
    expect(blocks).toHaveLength(10)
    for (const block of blocks) expect(source).toContain(block)
  })
})

/** Runs every numbered example, as it stands, and looks at what it prints. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"

let printed: Array<string> = []

beforeEach(() => {
  printed = []
  // What an example reads from the environment is this machine's, not the provider's of whoever runs the tests.
  vi.stubEnv("OPENAI_BASE_URL", undefined)
  vi.spyOn(console, "log").mockImplementation((...values) => void printed.push(values.map(String).join(" ")))
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

/** An example runs when it is imported; its lines, in order. */
const run = async (load: () => Promise<unknown>): Promise<ReadonlyArray<string>> => {
  await load()
  return printed
}

describe("examples", () => {
  it("01-compose-a-schedule: previews a schedule and retries with it", async () => {
    expect(await run(() => import("./01-compose-a-schedule.js"))).toEqual([
      "overloaded all the time: 1 s, 4 s, 4 s, 11 s, 25 s, then it stops",
      "a server that asks for 40 s: 1 s, 41 s, 4 s, and it would go on",
      "a fatal error: 1 s, then it stops",
      "done in call 3"
    ])
  })

  it("02-off-peak-work: a batch waits for the low hours and spreads over them, a visitor does not wait", async () => {
    const [visitor, batch, tidied] = await run(() => import("./02-off-peak-work.js"))
    expect(visitor).toBe("visitor: at 14:05")
    // Evenly, but to the minute by chance.
    expect(batch).toMatch(/^batch: from 00:0\d to 00:2\d, 6\d \+ 6\d \+ 6\d$/)
    expect(tidied).toBe("tidied on 2026-01-05, 2026-01-06, 2026-01-07, 2026-01-08")
  })

  it("03-swap-layers-in-a-test: ten minutes pass at once", async () => {
    expect(await run(() => import("./03-swap-layers-in-a-test.js"))).toEqual([
      "two failures: 1 image in attempt 3; attempts at 0, 10s, 30s",
      "a slow answer: 1 image in attempt 2; attempts at 0, 10s",
      "overloaded throughout: a plain cover; attempts at 0, 10s, 30s, 1m 10s"
    ])
  })

  it("04-embed-in-an-http-app: a busy model is a 503 that says when to come back", async () => {
    expect(await run(() => import("./04-embed-in-an-http-app.js"))).toEqual([
      "200 image/png, a body, retry-after -",
      "503 application/json, a body, retry-after 12",
      "200 image/png, a body, retry-after -",
      "400 application/json, a body, retry-after -"
    ])
  })

  it("05-handle-errors-by-tag: each class has its own answer", async () => {
    expect(await run(() => import("./05-handle-errors-by-tag.js"))).toEqual([
      "a red boat",
      "busy (1 attempts, stopped by schedule)",
      "please word it differently",
      "no quota until 2030-01-01T00:00:00.000Z",
      "no answer (headers); the work may have been done: unknown",
      "no result within 50ms, after 1 attempt: allow more time, or try again when the model is less loaded",
      "later: RateLimited",
      "Unauthorized: the key is not valid"
    ])
  })

  it("06-your-own-provider: a provider's answers become typed errors, and the retry acts on them", async () => {
    expect(await run(() => import("./06-your-own-provider.js"))).toEqual([
      "attempt 1: Overloaded, rejected",
      "attempt 2: Transient, unknown",
      "attempt 3: success"
    ])
  })

  it("07-wrap-an-effect-ai-model: the model is retried while it is overloaded, and not with a bad key", async () => {
    expect(await run(() => import("./07-wrap-an-effect-ai-model.js"))).toEqual([
      "A boat.",
      "no answer: 401 Unauthorized",
      "requests left unsent: 0"
    ])
  })

  it("08-a-policy-of-your-own: an attempt beyond the allowance is refused, and not retried", async () => {
    expect(await run(() => import("./08-a-policy-of-your-own.js"))).toEqual([
      "first: 2 attempts",
      "second: LimitExceeded, more than 3 calls within 1m"
    ])
  })

  it("09-without-effect: promises, plain errors and an abort signal", async () => {
    expect(await run(() => import("./09-without-effect.js"))).toEqual([
      "a red boat, after 2 attempts",
      "aborted: the attempt in flight was interrupted"
    ])
  })

  it("10-the-articles-call: a relay from the environment, by the article's loop and by ours", async () => {
    expect(await run(() => import("./10-the-articles-call.js"))).toEqual([
      "the article's loop: image/png",
      "ours: image/png",
      "the article's loop: 5 attempts, the last one 19s after the first failure",
      "ours: 25 attempts, the last one 9m 40s after the first failure"
    ])
  })
})

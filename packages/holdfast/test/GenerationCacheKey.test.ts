import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck } from "effect"
import * as GenerationCache from "holdfast/GenerationCache"
import type { GenerationRequest } from "holdfast/GenerationRequest"
import { createHash } from "node:crypto"
import * as Sha256 from "../src/internal/cache/sha256.js"

const keyOf = (request: GenerationRequest, namespace?: string) =>
  Effect.runPromise(GenerationCache.key(request, { namespace }))

type Fields = { -readonly [K in keyof GenerationRequest]: GenerationRequest[K] }

const bytes = FastCheck.uint8Array({ maxLength: 40 })
const text = FastCheck.oneof(FastCheck.string(), FastCheck.string16bits(), FastCheck.constantFrom("", "ab", "c", "abc"))
const image = FastCheck.record({ mimeType: FastCheck.constantFrom("image/png", "image/jpeg"), bytes })

/** One arbitrary per field that counts, none of which makes a default. */
const counted = {
  prompt: text,
  model: text,
  modalities: FastCheck.constantFrom<ReadonlyArray<"text" | "image">>([], ["text"], ["image", "text"]),
  images: FastCheck.array(image, { minLength: 1, maxLength: 3 }),
  system: text,
  aspectRatio: text,
  imageSize: text,
  count: FastCheck.integer({ min: 2, max: 8 }),
  seed: FastCheck.integer(),
  temperature: FastCheck.double({ noNaN: true }),
  maxOutputTokens: FastCheck.nat()
} as const
const timeouts = FastCheck.record({ headers: FastCheck.nat(), body: FastCheck.nat() })
const request: FastCheck.Arbitrary<GenerationRequest> = FastCheck.record(
  { ...counted, timeouts },
  { requiredKeys: ["prompt"] }
)

/** The same request with its fields in another order. */
const permuted = (self: GenerationRequest, order: ReadonlyArray<number>): GenerationRequest => {
  const entries = Object.entries(self).map((entry, i) => [order[i % order.length] ?? 0, entry] as const)
  const sorted = entries.sort((a, b) => a[0] - b[0]).map(([, entry]) => entry)
  return Object.fromEntries(sorted) as unknown as GenerationRequest
}

/** What a request means to the key, written the slow and obvious way. */
const meaning = ({ count, images, modalities, timeouts: _, ...rest }: GenerationRequest): string => {
  const units = (value: string) => [...Array(value.length).keys()].map((i) => value.charCodeAt(i))
  const scalar = (value: unknown) => typeof value === "string" ? units(value) : value === 0 ? "0" : String(value)
  const shown = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, scalar(value)] as const)
  return JSON.stringify([
    shown.sort(([a], [b]) => (a < b ? -1 : 1)),
    count ?? 1,
    [...new Set(modalities ?? ["image"])].sort(),
    (images ?? []).map((each) => [each.mimeType, [...each.bytes]])
  ])
}

describe("GenerationCache.key", () => {
  it("is a versioned hash without a trace of the prompt, safe in a file name", async () => {
    const key = await keyOf({ prompt: "a cute cat", system: "a cute cat" })
    expect(key).toMatch(/^holdfast-1-[0-9a-f]{64}$/)
    expect(key).not.toContain("cat")
  })

  it("stays the same from release to release", async () => {
    expect(await keyOf({ prompt: "a cute cat" })).toBe(
      "holdfast-1-2a87d2e030ff49a11ddbad6e5fb90aec9544df44fc19af7e4674a5f0727a1be6"
    )
    const images = [{ mimeType: "image/png", bytes: Uint8Array.of(1, 2, 3) }]
    expect(await keyOf({ prompt: "a cute cat", model: "m", seed: 7, images })).toBe(
      "holdfast-1-30635718fe75305a541ceb3a68222fc245340f0374acf2ac2dbe0105d9758cce"
    )
  })

  it("is equal for requests with the same meaning, and different for all others", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(request, request, async (a, b) => {
        expect((await keyOf(a)) === (await keyOf(b))).toBe(meaning(a) === meaning(b))
      }),
      { numRuns: 400 }
    ))

  it("does not depend on the order of fields, on undefined fields, or on timeouts", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(
        request,
        FastCheck.array(FastCheck.nat(), { minLength: 1, maxLength: 12 }),
        timeouts,
        async (original, order, other) => {
          const key = await keyOf(original)
          const absent = Object.fromEntries(Object.keys(counted).map((name) => [name, undefined]))
          expect(await keyOf(permuted(original, order))).toBe(key)
          expect(await keyOf({ ...absent, ...original })).toBe(key)
          expect(await keyOf({ ...original, timeouts: other })).toBe(key)
        }
      )
    ))

  it("takes a default for an absent field", async () => {
    const key = await keyOf({ prompt: "p" })
    expect(await keyOf({ prompt: "p", modalities: ["image"], count: 1, images: [] })).toBe(key)
    expect(await keyOf({ prompt: "p", modalities: ["image", "text", "image"] })).toBe(
      await keyOf({ prompt: "p", modalities: ["text", "image"] })
    )
    expect(await keyOf({ prompt: "p", seed: -0 })).toBe(await keyOf({ prompt: "p", seed: 0 }))
  })

  for (const field of Object.keys(counted) as ReadonlyArray<keyof typeof counted>) {
    it(`changes when ${field} changes`, () =>
      FastCheck.assert(
        FastCheck.asyncProperty(request, counted[field], async (original, value) => {
          const changed: Fields = { ...original, [field]: value }
          FastCheck.pre(meaning(original) !== meaning(changed))
          expect(await keyOf(changed)).not.toBe(await keyOf(original))
        })
      ))
  }

  it("changes with one bit of one image, and with the order of images", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(
        FastCheck.uint8Array({ minLength: 1, maxLength: 200 }),
        FastCheck.nat(),
        async (original, at) => {
          const flipped = Uint8Array.from(original)
          flipped[at % flipped.length] = (flipped[at % flipped.length] ?? 0) ^ 1
          const of = (...images: ReadonlyArray<Uint8Array>) =>
            keyOf({ prompt: "p", images: images.map((each) => ({ mimeType: "image/png", bytes: each })) })
          expect(await of(flipped)).not.toBe(await of(original))
          expect(await of(flipped, original)).not.toBe(await of(original, flipped))
        }
      )
    ))

  it("does not confuse neighbours: text moved from one field to the next changes it", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(text, text, text, async (a, b, c) => {
        FastCheck.pre(b !== "")
        const left = { prompt: a + b, system: c, model: a + b, aspectRatio: c }
        const right = { prompt: a, system: b + c, model: a, aspectRatio: b + c }
        expect(await keyOf(left)).not.toBe(await keyOf(right))
        expect(await keyOf({ prompt: c }, a + b)).not.toBe(await keyOf({ prompt: b + c }, a))
      })
    ))

  it("keeps namespaces apart", async () => {
    expect(await keyOf({ prompt: "p" }, "a")).not.toBe(await keyOf({ prompt: "p" }, "b"))
    expect(await keyOf({ prompt: "p" }, "")).toBe(await keyOf({ prompt: "p" }))
  })

  it("reads bytes through a view at its own offset", async () => {
    const view = new Uint8Array(Uint8Array.from([9, 1, 2, 3, 9]).buffer, 1, 3)
    const of = (each: Uint8Array) => keyOf({ prompt: "p", images: [{ mimeType: "image/png", bytes: each }] })
    expect(await of(view)).toBe(await of(Uint8Array.of(1, 2, 3)))
  })
})

describe("SHA-256", () => {
  const expected = (input: Uint8Array) => createHash("sha256").update(input).digest("hex")
  const hex = (input: Uint8Array) => Buffer.from(input).toString("hex")

  it("agrees with the platform's on every length around a block", () => {
    for (let length = 0; length <= 260; length++) {
      const input = Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 0xff)
      expect(hex(Sha256.direct(input))).toBe(expected(input))
    }
  })

  it("agrees with the platform's on any bytes", () =>
    FastCheck.assert(FastCheck.property(FastCheck.uint8Array({ maxLength: 4000 }), (input) => {
      expect(hex(Sha256.direct(input))).toBe(expected(input))
    })))

  it("gives the same digest on either side of the limit for hashing on the spot", async () => {
    for (const length of [Sha256.directLimit, Sha256.directLimit + 1, 3_000_001]) {
      const input = Uint8Array.from({ length }, (_, i) => (i * i) & 0xff)
      expect(hex(await Effect.runPromise(Sha256.digest(input)))).toBe(expected(input))
      expect(hex(Sha256.direct(input))).toBe(expected(input))
    }
  })
})

import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { PNG } from "pngjs"
import * as Picture from "../src/internal/picture.js"
import * as Png from "../src/internal/png.js"

const bytes = (text: string) => new TextEncoder().encode(text)
const read = (png: Uint8Array) => PNG.sync.read(Buffer.from(png))

describe("a PNG", () => {
  it("is checked by the sums of its standards", () => {
    expect(Png.crc32(bytes("123456789"))).toBe(0xcbf43926)
    expect(Png.adler32(bytes("Wikipedia"))).toBe(0x11e60398)
  })

  it("decodes to the pixels that were drawn, for any size, also beyond one stored block", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 1, max: 40 }),
        FastCheck.integer({ min: 1, max: 40 }),
        FastCheck.integer({ min: 1, max: 16 }),
        (width, height, colours) => {
          const palette = Array.from({ length: colours }, (_, i) => [i * 3, i * 5, i * 7] as const)
          const pixel = (x: number, y: number) => (x * 7 + y * 3) % colours
          const image = read(Png.encode({ width, height, palette, pixel }))
          expect([image.width, image.height]).toEqual([width, height])
          for (let y = 0; y < height; y++) {
            for (let x = 0; x < width; x++) {
              const at = (y * width + x) * 4
              expect([...image.data.subarray(at, at + 3)]).toEqual([...(palette[pixel(x, y)] ?? [])])
            }
          }
        }
      ),
      { numRuns: 40 }
    )
    const large = Png.encode({ width: 600, height: 500, palette: [[1, 2, 3], [4, 5, 6]], pixel: (x) => x & 1 })
    expect(large.length).toBeGreaterThan(0xffff)
    expect([...read(large).data.subarray(4, 7)]).toEqual([4, 5, 6])
  })
})

describe("a picture", () => {
  it("is the same for the same prompt and another for another prompt or variant", () => {
    const draw = (prompt: string, variant = "0") => Buffer.from(Picture.draw(prompt, variant, {})).toString("hex")
    expect(draw("a cat")).toBe(draw("a cat"))
    expect(new Set([draw("a cat"), draw("a dog"), draw("a cat", "1")]).size).toBe(3)
  })

  it("has the shape that was asked for, within 16 to 256 pixels", () => {
    const size = (shape: Picture.Shape) => {
      const { height, width } = read(Picture.draw("x", "0", shape))
      return [width, height]
    }
    expect(size({})).toEqual([128, 128])
    expect(size({ aspectRatio: "16:9" })).toEqual([128, 72])
    expect(size({ aspectRatio: "9:16", size: "2K" })).toEqual([108, 192])
    expect(size({ aspectRatio: "1:8", size: "512" })).toEqual([16, 64])
    expect(size({ size: "1024x1536" })).toEqual([128, 192])
    FastCheck.assert(
      FastCheck.property(FastCheck.string(), FastCheck.string(), FastCheck.nat(9999), FastCheck.nat(9999), (a, b, w, h) => {
        const ratio = { aspectRatio: `${w % 1000}:${h % 1000}` }
        for (const shape of [{ aspectRatio: a, size: b }, ratio, { size: `${w}x${h}` }]) {
          const { height, width } = Picture.dimensions(shape)
          for (const edge of [width, height]) {
            expect(edge).toBeGreaterThanOrEqual(16)
            expect(edge).toBeLessThanOrEqual(256)
          }
        }
      })
    )
  })
})

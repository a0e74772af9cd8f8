import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck } from "effect"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve, sep } from "node:path"
import * as Files from "../src/generation/files.js"
import { extensionOf, imageType } from "../src/generation/imageType.js"
import { slug } from "../src/generation/slug.js"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "holdfast-files-"))),
  (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
)

const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 1])
const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 2])
const image = (bytes: Uint8Array) => ({ _tag: "Image", mimeType: "image/any", bytes }) as const

const save = (path: string, images: ReadonlyArray<Uint8Array>, force = false) =>
  Files.save({
    folder: path,
    slug: "a-cat",
    images: images.map(image),
    force,
    record: (names) => JSON.stringify(names)
  })

describe("slug", () => {
  it("keeps letters and digits, and cuts between words", () => {
    expect(slug("a cute cat")).toBe("a-cute-cat")
    expect(slug("  Crème brûlée, no. 5!  ")).toBe("creme-brulee-no-5")
    expect(slug("../../etc/passwd")).toBe("etc-passwd")
    expect(slug("con")).toBe("con")
    const long = slug("the quick brown fox jumps over the lazy dog and then over another one")
    expect(long).toBe("the-quick-brown-fox-jumps-over-the-lazy-dog-and-then-over")
    expect(slug("x".repeat(500))).toBe("x".repeat(60))
  })

  it("tells prompts of other scripts apart", () => {
    expect(slug("可爱的猫")).toMatch(/^image-[0-9a-f]{8}$/)
    expect(slug("可爱的猫")).not.toBe(slug("可爱的狗"))
    expect(slug("")).toMatch(/^image-/)
  })

  it("is safe in a file name whatever the prompt", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(FastCheck.string(), FastCheck.fullUnicodeString(), FastCheck.string16bits()),
        (prompt) => {
          const name = slug(prompt)
          expect(name).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?$/)
          expect(name).not.toContain("--")
          expect(resolve("/out", `${name}-1.png`).startsWith(`${resolve("/out")}${sep}`)).toBe(true)
        }
      )
    )
  })
})

describe("imageType", () => {
  it("goes by the first bytes", () => {
    const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))
    expect(imageType(png)?.extension).toBe("png")
    expect(imageType(jpeg)?.mimeType).toBe("image/jpeg")
    expect(extensionOf(bytes("RIFF\0\0\0\0WEBPVP8 "))).toBe("webp")
    expect(extensionOf(bytes("GIF89a"))).toBe("gif")
    expect(extensionOf(bytes("\0\0\0\x20ftypavif"))).toBe("avif")
    expect(extensionOf(bytes("<svg xmlns=''>"))).toBe("svg")
    expect(extensionOf(bytes("<html>"))).toBe("bin")
    expect(imageType(new Uint8Array())).toBeUndefined()
  })
})

describe("files", () => {
  it.scoped("are written with a record beside them, and nothing else is left", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "new", "deep")
      const paths = yield* save(path, [png, jpeg])
      expect(paths).toEqual([join(path, "a-cat-1.png"), join(path, "a-cat-2.jpg")])
      expect(fs.readdirSync(path).sort()).toEqual(["a-cat-1.json", "a-cat-1.png", "a-cat-2.jpg"])
      expect(new Uint8Array(fs.readFileSync(join(path, "a-cat-2.jpg")))).toEqual(jpeg)
      expect(JSON.parse(fs.readFileSync(join(path, "a-cat-1.json"), "utf8"))).toEqual(["a-cat-1.png", "a-cat-2.jpg"])
    })
  )

  it.scoped("that are there already are found before anything is spent", () =>
    Effect.gen(function*() {
      const path = yield* folder
      expect(yield* Files.conflict(path, "a-cat", 1)).toBeUndefined()
      expect(yield* Files.conflict(join(path, "missing"), "a-cat", 1)).toBeUndefined()
      fs.writeFileSync(join(path, "a-cat-2.webp"), "x")
      fs.writeFileSync(join(path, "a-cat-1.txt"), "x")
      fs.writeFileSync(join(path, "a-cat-1-1.png"), "x")
      expect(yield* Files.conflict(path, "a-cat", 1)).toBeUndefined()
      expect(yield* Files.conflict(path, "a-cat", 2)).toBe(join(path, "a-cat-2.webp"))
    })
  )

  it.scoped("that appear meanwhile are kept, and so is the new work, under the next free number", () =>
    Effect.gen(function*() {
      const path = yield* folder
      fs.writeFileSync(join(path, "a-cat-2.png"), "mine")
      expect(yield* save(path, [png, png])).toEqual([join(path, "a-cat-3.png"), join(path, "a-cat-4.png")])
      expect(fs.readFileSync(join(path, "a-cat-2.png"), "utf8")).toBe("mine")
      expect(fs.readdirSync(path).sort()).toEqual(["a-cat-2.png", "a-cat-3.json", "a-cat-3.png", "a-cat-4.png"])
    })
  )

  it.scoped("are overwritten when that is asked for", () =>
    Effect.gen(function*() {
      const path = yield* folder
      fs.writeFileSync(join(path, "a-cat-1.png"), "old")
      expect(yield* save(path, [png], true)).toEqual([join(path, "a-cat-1.png")])
      expect(fs.readFileSync(join(path, "a-cat-1.png"))).toHaveLength(png.length)
    })
  )

  it.scoped("leave no part behind when they cannot be written", () =>
    Effect.gen(function*() {
      const path = yield* folder
      fs.mkdirSync(join(path, "a-cat-1.json"))
      const error = yield* Effect.flip(save(path, [png], true))
      expect(error.exitCode).toBe(1)
      expect(fs.readdirSync(path).filter((name) => name.includes("part"))).toEqual([])
    })
  )

  it.scoped("need a folder: a file in its place is named", () =>
    Effect.gen(function*() {
      const path = yield* folder
      fs.writeFileSync(join(path, "file"), "x")
      expect((yield* Effect.flip(Files.checkFolder(join(path, "file", "deep")))).message).toContain("is no folder")
      yield* Files.checkFolder(join(path, "new", "deep"))
      expect(fs.existsSync(join(path, "new"))).toBe(false)
    })
  )
})

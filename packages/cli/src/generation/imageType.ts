/** What image bytes are, by their first bytes. */

export interface ImageType {
  readonly mimeType: string
  /** The ending of file names, without a dot. */
  readonly extension: string
}

type Test = (head: string) => boolean

const ftyp =
  (brands: RegExp): Test =>
  (head) =>
    head.slice(4, 8) === "ftyp" && brands.test(head.slice(8, 12))

const types: ReadonlyArray<readonly [Test, ImageType]> = [
  [(head) => head.startsWith("\x89PNG"), { mimeType: "image/png", extension: "png" }],
  [(head) => head.startsWith("\xff\xd8\xff"), { mimeType: "image/jpeg", extension: "jpg" }],
  [(head) => head.startsWith("RIFF") && head.slice(8, 12) === "WEBP", { mimeType: "image/webp", extension: "webp" }],
  [(head) => head.startsWith("GIF8"), { mimeType: "image/gif", extension: "gif" }],
  [ftyp(/^avi[fs]$/), { mimeType: "image/avif", extension: "avif" }],
  [ftyp(/^(?:hei[cmsx]|hev[cmsx]|m[is]f1)$/), { mimeType: "image/heic", extension: "heic" }],
  [(head) => head.startsWith("II*\0") || head.startsWith("MM\0*"), { mimeType: "image/tiff", extension: "tiff" }],
  [(head) => head.startsWith("BM"), { mimeType: "image/bmp", extension: "bmp" }],
  [(head) => head.startsWith("\xff\x0a") || head.slice(4, 8) === "JXL ", { mimeType: "image/jxl", extension: "jxl" }],
  [(head) => /^\s*(?:<\?xml[^>]*>\s*)?<svg[\s>]/i.test(head), { mimeType: "image/svg+xml", extension: "svg" }]
]

/** The type, or `undefined` when the bytes are no image that is known. */
export const imageType = (bytes: Uint8Array): ImageType | undefined => {
  const head = String.fromCharCode(...bytes.subarray(0, 256))
  return types.find(([test]) => test(head))?.[1]
}

/** The endings that image files are written with. */
export const extensions: ReadonlyArray<string> = [...types.map(([, { extension }]) => extension), "bin"]

/** The ending for these bytes; `bin` for what nobody knows. */
export const extensionOf = (bytes: Uint8Array): string => imageType(bytes)?.extension ?? "bin"

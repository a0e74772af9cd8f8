/** The picture that the model makes of a prompt: a mirrored pattern in its own colours, the same for the same words. */
import * as Png from "./png.js"
import { stream } from "./random.js"

export interface Shape {
  /** For example `"16:9"`. Anything else: square. */
  readonly aspectRatio?: string | undefined
  /** `"512"`, `"1K"`, `"2K"`, `"4K"`, or `"1024x1536"`. Anything else: as `"1K"`. */
  readonly size?: string | undefined
}

/** Longest edge in pixels: an eighth of what is asked for, or less, so that answers stay small. */
const edges: ReadonlyMap<string, number> = new Map([
  ["512", 64],
  ["1K", 128],
  ["2K", 192],
  ["4K", 256]
])
const defaultEdge = 128
const [smallest, largest] = [64, 256]
const shortestEdge = 16

export const dimensions = (shape: Shape): { readonly width: number; readonly height: number } => {
  const pixels = /^(\d{1,5})x(\d{1,5})$/.exec(shape.size ?? "")
  const ratio = /^(\d{1,3}):(\d{1,3})$/.exec(shape.aspectRatio ?? "")
  const [w, h] = [Number((pixels ?? ratio)?.[1] ?? 1) || 1, Number((pixels ?? ratio)?.[2] ?? 1) || 1]
  const edge =
    pixels === null
      ? (edges.get(shape.size ?? "") ?? defaultEdge)
      : Math.min(largest, Math.max(smallest, Math.round(Math.max(w, h) / 8)))
  const scale = edge / Math.max(w, h)
  return {
    width: Math.max(shortestEdge, Math.round(w * scale)),
    height: Math.max(shortestEdge, Math.round(h * scale))
  }
}

const colour = (hue: number, light: number): Png.Rgb => {
  const channel = (offset: number) =>
    Math.round(255 * light * (0.55 + 0.45 * Math.cos(2 * Math.PI * (hue + offset))))
  return [channel(0), channel(1 / 3), channel(2 / 3)]
}

const cells = 8

/** PNG bytes. `variant` tells images of one answer, and drafts, apart. */
export const draw = (prompt: string, variant: string, shape: Shape): Uint8Array => {
  const { height, width } = dimensions(shape)
  const uniform = stream(0, `picture ${variant}`, prompt)
  const hue = uniform()
  const palette = Array.from({ length: 16 }, (_, i) => colour(hue + (i % 4) * 0.11, 0.3 + 0.65 * (i / 15)))
  const grid = Array.from({ length: (cells * cells) / 2 }, () => Math.floor(uniform() * 16))
  const at = (x: number, y: number): number => {
    const column = Math.min(cells - 1, Math.floor((x * cells) / width))
    const row = Math.min(cells - 1, Math.floor((y * cells) / height))
    return grid[row * (cells / 2) + Math.min(column, cells - 1 - column)] ?? 0
  }
  return Png.encode({ width, height, palette, pixel: at })
}

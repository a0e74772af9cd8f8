/**
 * The files of a generation: `SLUG-1.png`, `SLUG-2.png`… and `SLUG-1.json` beside them.
 *
 * What is there already is never overwritten unless that is asked for. It is checked before anything is paid for; if a
 * file of that name appears meanwhile, the next free number is taken rather than work thrown away. A file appears under
 * its name only once it is complete. Writing does not yield, so no signal can fall between the parts of a set.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { ImagePart } from "holdfast/Generated"
import * as fs from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { type CliError, failure } from "../commandLine/CliError.js"
import { nameOf, reasonOf } from "../terminal/input.js"
import { extensionOf, extensions } from "./imageType.js"

const hasCode = (error: unknown, ...codes: ReadonlyArray<string>): boolean =>
  error instanceof Error && "code" in error && codes.includes(String(error.code))

const attempt = <A>(what: string, work: () => A): Effect.Effect<A, CliError> =>
  Effect.try({ try: work, catch: (error) => failure(`${what}: ${reasonOf(error)}`) })

/** The folder itself, or the nearest one above it that exists. */
const nearestExisting = (folder: string): string => {
  const path = resolve(folder)
  return fs.existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path))
}

/** Fails if files could not be written to this folder. Nothing is made yet. */
export const checkFolder = (folder: string): Effect.Effect<void, CliError> =>
  Effect.flatMap(
    attempt(`the folder ${nameOf(folder)} cannot be written to`, () => {
      const existing = nearestExisting(folder)
      if (!fs.statSync(existing).isDirectory())
        return `${nameOf(existing)} is no folder, so no files can be written there`
      fs.accessSync(existing, fs.constants.W_OK | fs.constants.X_OK)
      return undefined
    }),
    (problem) => (problem === undefined ? Effect.void : Effect.fail(failure(problem)))
  )

/** A file that a generation of `count` images under this slug would overwrite. */
export const conflict = (folder: string, slug: string, count: number): Effect.Effect<string | undefined, CliError> =>
  attempt(`the folder ${nameOf(folder)} cannot be read`, () => {
    const endings = [...extensions, "json"].join("|")
    const name = new RegExp(`^${slug}-(\\d{1,4})\\.(?:${endings})$`)
    const entries = fs.existsSync(folder) ? fs.readdirSync(folder) : []
    const found = entries.find((entry) => {
      const number = Number(name.exec(entry.toLowerCase())?.[1] ?? 0)
      return number >= 1 && number <= count
    })
    return found === undefined ? undefined : join(folder, found)
  })

interface Planned {
  readonly path: string
  readonly contents: Uint8Array | string
}

/** Gives a complete file its name; false when the name is taken. */
const publish = (temporary: string, path: string, force: boolean): boolean => {
  if (force) {
    fs.renameSync(temporary, path)
    return true
  }
  try {
    fs.linkSync(temporary, path)
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false
    // File systems without links.
    if (!hasCode(error, "EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK")) throw error
    try {
      fs.copyFileSync(temporary, path, fs.constants.COPYFILE_EXCL)
    } catch (copying) {
      if (hasCode(copying, "EEXIST")) return false
      fs.rmSync(path, { force: true })
      throw copying
    }
  }
  return true
}

/** Writes all files or none; false when one of the names is taken. */
const writeAll = (files: ReadonlyArray<Planned>, force: boolean, mark: string): boolean => {
  const temporaries: Array<string> = []
  const published: Array<string> = []
  try {
    for (const [index, { contents, path }] of files.entries()) {
      const temporary = join(dirname(path), `.holdfast-${mark}-${index}.part`)
      temporaries.push(temporary)
      fs.writeFileSync(temporary, contents, { flag: "wx" })
    }
    for (const [index, { path }] of files.entries()) {
      const temporary = temporaries[index]
      if (temporary !== undefined && publish(temporary, path, force)) published.push(path)
      else break
    }
    return published.length === files.length
  } finally {
    for (const temporary of temporaries) fs.rmSync(temporary, { force: true })
    if (published.length < files.length && !force) for (const path of published) fs.rmSync(path, { force: true })
  }
}

/** Numbers tried before it is taken for hopeless. */
const lastNumber = 9999

/** What `save` is told. */
export interface SaveOptions {
  readonly folder: string
  readonly slug: string
  readonly images: ReadonlyArray<ImagePart>
  readonly force: boolean
  /** The text of the record, given the names of the images. */
  readonly record: (names: ReadonlyArray<string>) => string
}

/** Writes the images and their record; answers the paths of the images. */
export const save = ({
  folder,
  force,
  images,
  record,
  slug
}: SaveOptions): Effect.Effect<ReadonlyArray<string>, CliError> =>
  Effect.flatMap(Random.nextIntBetween(0, 2 ** 48), (mark) =>
    attempt(`the files cannot be written to ${nameOf(folder)}`, () => {
      fs.mkdirSync(folder, { recursive: true })
      for (let first = 1; first <= lastNumber; first++) {
        const paths = images.map((image, index) => join(folder, `${slug}-${first + index}.${extensionOf(image.bytes)}`))
        const files: Array<Planned> = images.map(({ bytes }, index) => ({ path: paths[index] ?? "", contents: bytes }))
        files.push({
          path: join(folder, `${slug}-${first}.json`),
          contents: record(paths.map((path) => basename(path)))
        })
        if (writeAll(files, force, mark.toString(36))) return paths
      }
      throw new Error(`there are ${lastNumber} files of that name already`)
    })
  )

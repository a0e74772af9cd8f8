import { Effect, Schema } from "effect"
import { Generated, Generation, GenerationCache, type GenerationRequest } from "holdfast"
import * as GenerationSchema from "holdfast/GenerationSchema"

/** Half a gigabyte of pictures, each good for a day, and for two more where a new one cannot be had. */
export const cache = GenerationCache.layerMemory({
  name: "covers",
  maxBytes: 512 * 1024 * 1024,
  timeToLive: "1 day",
  staleIfError: "2 days"
})

/** Four different pictures for one prompt: each is generated, none is kept. */
export const variations = GenerationCache.bypass(
  Effect.replicateEffect(Generation.generate({ prompt: "a cover with a boat" }), 4, { concurrency: 4 })
)

/** A new picture now, and from now on, in place of the old. */
export const redrawn = GenerationCache.refresh(Generation.generate({ prompt: "a cover with a boat" }))

/** Around a call of your own: the result, and where it comes from. */
export const described = <R>(
  request: GenerationRequest.GenerationRequest,
  draw: Effect.Effect<Generated.Generated, GenerationCache.Failure, R>
) =>
  GenerationCache.getOrGenerate(request, draw).pipe(
    Effect.map(({ failure, source, value }) =>
      failure === undefined
        ? `${source}: ${Generated.images(value).length} image`
        : `${source}, because of ${failure._tag}: ${Generated.images(value).length} image`
    )
  )

/** The last rung of a fallback: what is kept, however old, when the deadline passes. */
export const oldRatherThanNone = (request: GenerationRequest.GenerationRequest) =>
  Generation.generate(request).pipe(
    Effect.catchTag("DeadlineExceeded", (error) =>
      Effect.flatMap(GenerationCache.GenerationCache, (kept) => kept.peek(request)).pipe(
        Effect.flatMap((found) => (found === undefined ? Effect.fail(error) : Effect.succeed(found.value)))
      ))
  )

const EntryAsText = Schema.parseJson(GenerationSchema.CacheEntry)

/** Anything with `get`, `set` and `remove` will do as a store. It may fail, hang and forget. */
export const overFiles = (files: {
  readonly read: (name: string) => Effect.Effect<string | undefined, Error>
  readonly write: (name: string, text: string) => Effect.Effect<void, Error>
  readonly delete: (name: string) => Effect.Effect<void, Error>
}) =>
  GenerationCache.layerStore({
    get: (key) =>
      Effect.flatMap(files.read(key), (text) =>
        text === undefined ? Effect.succeed(undefined) : Schema.decode(EntryAsText)(text)),
    set: (key, entry) => Effect.flatMap(Schema.encode(EntryAsText)(entry), (text) => files.write(key, text)),
    remove: (key) => files.delete(key)
  })

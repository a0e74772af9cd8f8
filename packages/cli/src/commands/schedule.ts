/** `holdfast schedule`: when a schedule would try again, without waiting for it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Backoff from "holdfast/Backoff"
import { type CliError, usage } from "../commandLine/CliError.js"
import { parse } from "../commandLine/parse.js"
import * as specs from "../commandLine/specs.js"
import * as Values from "../commandLine/values.js"
import { run } from "../run.js"
import * as Errors from "../schedule/errors.js"
import * as Named from "../schedule/named.js"
import * as Show from "../schedule/show.js"
import * as Output from "../terminal/Output.js"
import { json } from "../terminal/text.js"

/** Errors that a schedule is tried on when none are given. */
const defaultErrors = 8
const day = 86_400_000
/** The longest wait that JavaScript timers keep. */
const longest = 24 * day

const read = (args: ReadonlyArray<string>) => {
  const { flags, words } = parse(specs.schedule, args)
  const [name, ...more] = words
  if (name === undefined) throw usage(`name a schedule: ${Named.names.join(", ")}`)
  if (more.length > 0) throw usage(`one schedule at a time, not ${words.length}`)
  const wait = (flag: string) => (text: string) => Values.duration(flag, text, { min: 1, max: longest })
  const known = Values.oneOf("NAME", name, Named.names)
  const attempts = Values.optional(flags.attempts, (text) =>
    Values.integer("--attempts", text, { min: 1, max: 10_000 })
  )
  const settings: Named.Settings = {
    base: Values.optional(flags.base, wait("--base")),
    cap: Values.optional(flags.cap, wait("--cap")),
    jitter: Values.optional(flags.jitter, (text) => Values.oneOf("--jitter", text, Named.jitters))
  }
  return {
    name: known,
    schedule: Named.make(known, settings),
    at: Values.optional(flags.at, (text) => Values.instant("--at", text)),
    errors: Errors.parse(flags.errors ?? Array.from({ length: attempts ?? defaultErrors }, () => "Overloaded").join()),
    seed:
      Values.optional(flags.seed, (text) => Values.integer("--seed", text, { min: 0, max: Number.MAX_SAFE_INTEGER })) ??
      0,
    attempts,
    deadline: Values.optional(flags.deadline, (text) => Values.duration("--deadline", text, { min: 1, max: longest })),
    json: flags.json
  }
}

const preview = (options: ReturnType<typeof read>): Effect.Effect<number, CliError> =>
  Effect.gen(function*() {
    const { errors, name, seed } = options
    const at = options.at ?? (yield* Clock.currentTimeMillis)
    const deadline = options.deadline === undefined ? Infinity : at + options.deadline
    const limited =
      options.attempts === undefined ? options.schedule : Backoff.upToAttempts(options.schedule, options.attempts)
    const found = yield* Backoff.preview(Backoff.withinDeadline(limited, {}), { errors, at, seed, deadline })
    const rows = Show.attempts(found, at, errors)
    yield* Output.out(
      options.json
        ? `${json({ schedule: name, at: new Date(at).toISOString(), seed, attempts: rows, stopped: found.stopped })}\n`
        : `${Show.table(rows, found.stopped, errors)}\n`
    )
    return 0
  })

export const command = async (args: ReadonlyArray<string>): Promise<number> => run(preview(read(args)))

/** `holdfast overload-server`: the overloaded model as a server of its own, until a signal ends it. */
import * as OverloadServer from "@holdfast/testing/node/OverloadServer"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type CliError, failure, usage } from "../commandLine/CliError.js"
import { parse } from "../commandLine/parse.js"
import * as specs from "../commandLine/specs.js"
import * as Values from "../commandLine/values.js"
import { run } from "../run.js"
import * as Faults from "../server/faults.js"
import * as Scenarios from "../server/scenario.js"
import * as Show from "../server/show.js"
import { reasonOf } from "../terminal/input.js"
import * as Output from "../terminal/Output.js"
import { json } from "../terminal/text.js"

const read = (args: ReadonlyArray<string>) => {
  const { flags, words } = parse(specs.overloadServer, args)
  if (words[0] !== undefined) throw usage(`it takes no word but options, and ${Values.shown(words[0])} is none`)
  if (flags.host !== undefined && !/^[\w.:-]{1,253}$/.test(flags.host)) {
    throw usage(`--host must be a host name or address, not ${Values.shown(flags.host)}`)
  }
  return {
    port: Values.optional(flags.port, (text) => Values.integer("--port", text, { min: 0, max: 65_535 })) ?? 8080,
    host: flags.host ?? OverloadServer.defaults.host,
    scenario: flags.scenario ?? OverloadServer.defaults.scenario,
    seed:
      Values.optional(flags.seed, (text) => Values.integer("--seed", text, { min: 0, max: Number.MAX_SAFE_INTEGER })) ??
      OverloadServer.defaults.seed,
    speed:
      Values.optional(flags.speed, (text) => Values.number("--speed", text, { min: 0.001, max: 100_000 })) ??
      OverloadServer.defaults.speed,
    faults: flags.fault.map(Faults.parse),
    json: flags.json
  }
}

/** Why it cannot listen, in words. */
const listening = (error: unknown, host: string, port: number): CliError => {
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  switch (code) {
    case "EADDRINUSE":
      return failure(`port ${port} is in use already: choose another with --port, or 0 for any free one`)
    case "EACCES":
      return failure(`port ${port} may not be used without more rights: choose one above 1023 with --port`)
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return failure(`${host} is no address of this machine: choose another with --host`)
    default:
      return failure(`it cannot listen on ${host}, port ${port}: ${reasonOf(error)}`)
  }
}

const serve = (options: ReturnType<typeof read>): Effect.Effect<number, CliError, Scope.Scope> =>
  Effect.gen(function*() {
    const { faults, host, port, seed, speed } = options
    const { name, scenario } = yield* Scenarios.find(options.scenario)
    const server = yield* Effect.mapError(OverloadServer.make({ port, host, scenario, seed, speed, faults }), (error) =>
      listening(error.cause, host, port)
    )
    const counters = Effect.flatMap(server.counters, (counted) =>
      Output.out(options.json ? `${json({ counters: counted })}\n` : Show.counted(counted))
    )
    yield* Output.out(
      options.json
        ? `${json({ url: server.url, port: server.port, scenario: name, seed, speed })}\n`
        : Show.ready(server.url, name, speed)
    )
    return yield* Effect.onInterrupt(Effect.never, () => Effect.ignore(counters))
  })

export const command = async (args: ReadonlyArray<string>): Promise<number> =>
  run(Effect.scoped(serve(read(args))), { endsBySignal: true })

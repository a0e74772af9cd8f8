/** The embedded overloaded model behind `--demo`: same wire format, same refusals, faster than life. */
import * as OverloadServer from "@holdfast/testing/node/OverloadServer"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type CliError, failure } from "../commandLine/CliError.js"
import type { Custom } from "./endpoints.js"

/** How many times faster than life it is: an image in one to two seconds. */
export const speed = 15

/** Starts it, on this machine and for the length of the scope; the first request is always refused with 503. */
export const start: Effect.Effect<Custom, CliError, Scope.Scope> = Effect.map(
  Effect.mapError(OverloadServer.make({ scenario: "demo", speed, seed: 1, faults: [{ fault: "503" }] }), () =>
    failure("the embedded model cannot listen on 127.0.0.1")
  ),
  ({ url }): Custom => ({ _tag: "Custom", name: "demo", dialect: "gemini", baseUrl: url, model: undefined })
)

/** Faults as the command line names them: `503`, or `503:0.3` for a share of the requests. */
import type { Fault, FaultRule } from "@holdfast/testing/node/OverloadServer"
import { usage } from "../commandLine/CliError.js"
import { suggestion } from "../commandLine/nearest.js"
import { number, shown } from "../commandLine/values.js"

/** A record rather than a list, so that the compiler finds a fault that is missing. */
const known: Readonly<Record<Fault, true>> = {
  "503": true,
  "429": true,
  "500": true,
  "504": true,
  "reset": true,
  "stall-headers": true,
  "stall": true,
  "stall-body": true,
  "cut-mid-chunk": true,
  "dribble": true,
  "error-after-200": true,
  "html": true,
  "html-200": true,
  "wrong-content-type": true,
  "malformed-json": true,
  "missing-finish-reason": true,
  "empty": true,
  "blocked": true
}

export const names = Object.keys(known) as ReadonlyArray<Fault>

/** A rule for every request that the server will see. */
export const parse = (text: string): FaultRule => {
  const [, name = "", chance] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? []
  const fault = names.find((candidate) => candidate === name)
  if (fault === undefined) {
    throw usage(
      `--fault must name a fault, not ${shown(name)}${suggestion(name, names) || `; there are ${names.join(", ")}`}`
    )
  }
  return {
    fault,
    times: Infinity,
    probability: chance === undefined ? 1 : number(`the chance of --fault ${fault}`, chance, { min: 0, max: 1 })
  }
}

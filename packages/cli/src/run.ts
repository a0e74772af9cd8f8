/** Runs a command's effect as the process: signals interrupt it, and how it ends becomes the exit code. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { CliError } from "./commandLine/CliError.js"

const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/** Logs are no result: they go to standard error. */
const logger = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))

/** Options of `run`. */
export interface RunOptions {
  /** Is a signal the usual way to end? Then the exit code is 0, not 128 and the signal's number. Default false. */
  readonly endsBySignal?: boolean | undefined
}

/**
 * The exit code of the command. The first signal interrupts it and lets it clean up; the second one ends the process
 * at once. Rejects with the `CliError` that the command failed with, or with whatever it died of.
 */
export const run = (command: Effect.Effect<number, CliError>, options: RunOptions = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    let received: keyof typeof signals | undefined
    const fiber = Effect.runFork(Effect.provide(command, Layer.mergeAll(logger)))
    const codeOf = (signal: keyof typeof signals) => (options.endsBySignal === true ? 0 : 128 + signals[signal])
    const onSignal = (signal: keyof typeof signals) => {
      if (received !== undefined) process.exit(128 + signals[signal])
      received = signal
      fiber.unsafeInterruptAsFork(fiber.id())
    }
    const names = Object.keys(signals) as Array<keyof typeof signals>
    for (const name of names) process.on(name, onSignal)
    fiber.addObserver((exit) => {
      for (const name of names) process.off(name, onSignal)
      if (Exit.isSuccess(exit)) return resolve(exit.value)
      const error = Cause.squash(exit.cause)
      if (received !== undefined && !(error instanceof CliError)) return resolve(codeOf(received))
      reject(error instanceof Error ? error : new Error(String(error)))
    })
  })

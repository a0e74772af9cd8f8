/** Why a command ends without a result: one sentence for people, and the exit code that scripts read. */
export class CliError extends Error {
  override readonly name = "CliError"

  constructor(
    message: string,
    /** 1: the work failed. 2: the command line, or a file or variable it names, cannot be used. */
    readonly exitCode: 1 | 2
  ) {
    super(message)
  }
}

/** The command cannot be run as it was given. */
export const usage = (message: string): CliError => new CliError(message, 2)

/** The work was begun, and failed. */
export const failure = (message: string): CliError => new CliError(message, 1)

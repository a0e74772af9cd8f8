/** What a command takes, as data: the parser and the help text are made from it, so they cannot disagree. */

/** A flag that is there or not. */
export interface Switch {
  readonly type: "boolean"
  readonly help: string
}

/** A flag with a value. */
export interface Valued {
  readonly type: "string"
  /** What stands for the value in the help, for example `DIR`. */
  readonly value: string
  /** May it be given several times? */
  readonly multiple?: true
  readonly help: string
}

export type Flag = Switch | Valued

/** A command. */
export interface Spec {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** What stands after the command's name in the usage line. */
  readonly usage: string
  readonly flags: Readonly<Record<string, Flag>>
  /** What the flags do not say, in paragraphs; lines are broken as they stand. */
  readonly details: string
  /** Command lines, each with what it does. */
  readonly examples: ReadonlyArray<readonly [line: string, does: string]>
}

/** What the scripts say. Progress goes to stderr, so that a command's own output stays clean. */
export const say = (line) => process.stderr.write(`${line}\n`)

/** Ends the script with one sentence on stderr. */
export const fail = (message, code = 1) => {
  say(message)
  process.exit(code)
}

export const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`

/** Counts results and keeps what is worth showing of the failures. */
export class Tally {
  passed = 0
  failed = 0
  failures = []
  pass(count = 1) {
    this.passed += count
  }
  fail(message, count = 1) {
    this.failed += count
    this.failures.push(message)
  }
  check(holds, message) {
    if (holds) this.pass()
    else this.fail(message)
  }
  add(other) {
    this.passed += other.passed
    this.failed += other.failed
  }
  toString() {
    return `${this.passed} passed, ${this.failed} failed`
  }
}

/** `--name value`, `--name=value` and `--flag` of a script; an unknown option ends it with code 2. */
export const options = (args, { flags = [], values = [] }) => {
  const found = {}
  for (let i = 0; i < args.length; i++) {
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/.exec(args[i]) ?? []
    if (flags.includes(name) && value === undefined) found[name] = true
    else if (values.includes(name) && (value ?? args[i + 1]) !== undefined) found[name] = value ?? args[++i]
    else {
      const known = [...flags.map((flag) => `--${flag}`), ...values.map((name) => `--${name} VALUE`)]
      fail(`Unknown or incomplete option ${args[i]}; known: ${known.join(", ") || "none"}.`, 2)
    }
  }
  return found
}

/** How a verdict is shown: one JSON line, one row of a table, or a paragraph. */
import type { Explanation } from "@holdfast/providers/Classifier"
import { fit, json, oneLine, seconds } from "../terminal/text.js"
import type { Payload } from "./payloads.js"

/** A payload and its verdict. */
export interface Explained {
  readonly id: Payload["id"]
  readonly verdict: Explanation
}

/** The line that scripts read. */
export const line = ({ id, verdict }: Explained): string =>
  json({
    id,
    class: verdict.class,
    retryable: verdict.retryable,
    retryAfterMillis: verdict.retryAfterMillis,
    outcome: verdict.outcome,
    advice: verdict.advice
  })

const waitOf = ({ retryAfterMillis }: Explanation): string =>
  retryAfterMillis === null ? "not stated" : seconds(retryAfterMillis)

const cells = (id: string, tag: string, again: string, wait: string, outcome: string, advice: string): string =>
  [fit(id, 28).padEnd(28), tag.padEnd(14), again.padEnd(5), wait.padEnd(10), outcome.padEnd(11), advice]
    .join("  ")
    .trimEnd()

/** The head of the table. */
export const head = cells("ID", "CLASS", "RETRY", "WAIT", "OUTCOME", "ADVICE")

/** One row; `number` stands where the payload has no id. */
export const row = ({ id, verdict }: Explained, number: number, columns: number): string =>
  fit(
    cells(
      id === null ? `#${number}` : oneLine(String(id), 60),
      verdict.class,
      verdict.retryable ? "yes" : "no",
      waitOf(verdict),
      verdict.outcome,
      verdict.advice
    ),
    columns
  )

const outcomes: Readonly<Record<Explanation["outcome"], string>> = {
  "not-started": "not-started: the request reached no worker",
  rejected: "rejected: the provider did not do the work",
  unknown: "unknown: the work may have been done, and billed"
}

/** One verdict at length. */
export const paragraph = ({ id, verdict }: Explained): string => {
  const { depth, matched, rule, source } = verdict.evidence
  const because = `${rule}, by its ${source}${matched === "" ? "" : `: ${oneLine(matched, 80)}`}${
    depth === 0 ? "" : ` (${depth} ${depth === 1 ? "wrapper" : "wrappers"} deep)`
  }`
  const name = id === null ? "" : `${oneLine(String(id), 60)}: `
  return [
    `${name}${verdict.class}, ${verdict.retryable ? "worth another try" : "no use trying again"}`,
    `  wait     ${waitOf(verdict)}`,
    `  outcome  ${outcomes[verdict.outcome]}`,
    `  advice   ${verdict.advice}`,
    `  because  ${because}`
  ].join("\n")
}

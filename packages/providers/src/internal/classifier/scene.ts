/** Lays out what is known of an answer: the layers of its body, its header fields, the statuses that it states. */
import { statedIn } from "./status.js"
import { type Fact, unwrap, type Unwrapped } from "./unwrap.js"
import type { Evidence } from "./verdict.js"

/** What the judge looks at; `Classifier.WireError` without the context. */
export interface Case {
  readonly status?: number | null | undefined
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string> | undefined>> | undefined
  readonly body: unknown
  readonly dialect?: string | undefined
  readonly streamed?: boolean | undefined
  readonly now?: number | undefined
}

const maxWords = 48_000

/** A case, laid out for the rules. */
export interface Scene {
  readonly found: Unwrapped
  /** Deepest first. */
  readonly facts: ReadonlyArray<Fact>
  readonly headers: Readonly<Record<string, string>>
  readonly status: number | undefined
  /** The status that the deepest layer states. */
  readonly inner: number | undefined
  readonly streamed: boolean
  /** The caller knows that the text is an exception of the network. */
  readonly network: boolean
  readonly all: string
}

/** Evidence, in one line. */
export const evidence = (rule: string, source: Evidence["source"], depth: number, matched: string): Evidence => ({
  rule,
  source,
  depth,
  matched
})

const lowerCased = (headers: Case["headers"]): Record<string, string> => {
  const out: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers ?? {}).slice(0, 200)) {
    if (value === undefined) continue
    out[name.toLowerCase()] = typeof value === "string" ? value : String(value[0] ?? "")
  }
  return out
}

const headerCodes = ["x-fal-error-type", "x-amzn-errortype", "x-error-code", "x-error-type"]

/** Lays a case out. */
export const sceneOf = (input: Case): Scene => {
  const found = unwrap(input.body)
  const headers = lowerCased(input.headers)
  let left = maxWords
  const codes = headerCodes.flatMap((name) => {
    const value = headers[name]?.split(":")[0]
    return value === undefined || value === "" ? [] : [{ key: "type", value }]
  })
  const header: ReadonlyArray<Fact> = codes.length === 0 ? [] : [{ depth: 0, words: "", codes, statuses: [] }]
  const facts = [...found.facts, ...header]
    .map((fact) => {
      const words = fact.words.slice(0, Math.max(0, left))
      left -= words.length
      return { ...fact, words, statuses: [...statedIn(words), ...fact.statuses] }
    })
    .sort((a, b) => b.depth - a.depth)
  const status = typeof input.status === "number" && input.status >= 100 && input.status <= 599
    ? Math.trunc(input.status)
    : undefined
  return {
    found,
    facts,
    headers,
    status,
    inner: facts.find((fact) => fact.statuses.length > 0)?.statuses.at(-1),
    streamed: input.streamed === true,
    network: input.dialect === "network" && status === undefined,
    all: facts.map((fact) => fact.words).join("\n")
  }
}

/** The status to believe: the innermost one stated, else that of HTTP. */
export const believed = (scene: Scene): number | undefined => scene.inner ?? scene.status

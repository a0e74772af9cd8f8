/** What the server says when it is ready, and what it has counted when it ends. */
import type { Counters } from "@holdfast/testing/node/OverloadServer"

/** How to reach it from each kind of client. */
export const ready = (url: string, scenario: string, speed: number): string =>
  `Overloaded model at ${url}, scenario ${scenario}${speed === 1 ? "" : `, ${speed} times faster than life`}.
Ctrl-C ends it.

  holdfast   holdfast generate "a fox" --endpoint local=gemini:${url}
             holdfast generate "a fox" --endpoint local=openai:${url}/v1
             holdfast generate "a fox" --endpoint local=vertex:${url}
  Gemini     GOOGLE_GEMINI_BASE_URL=${url} GEMINI_API_KEY=any
  OpenAI     OPENAI_BASE_URL=${url}/v1 OPENAI_API_KEY=any
  Vertex     GOOGLE_VERTEX_BASE_URL=${url}
  curl       curl -H 'content-type: application/json' -d '{"contents":[{"parts":[{"text":"a fox"}]}]}' \\
               ${url}/v1beta/models/gemini-3-pro-image-preview:generateContent
  counters   curl ${url}/counters

`

/** The counts, in words. */
export const counted = (counters: Counters): string => {
  const { abandoned, byFault, byStatus, completed, errors, rejected, requests } = counters
  const list = (record: Readonly<Record<string, number>>) =>
    Object.entries(record)
      .map(([name, count]) => `${name}: ${count}`)
      .join(", ") || "none"
  return `Requests: ${requests}, of which
completed ${completed}, rejected ${rejected}, failed otherwise ${errors}, abandoned ${abandoned}.
By status: ${list(byStatus)}. By fault: ${list(byFault)}.
`
}

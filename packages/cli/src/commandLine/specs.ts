/** The commands: their flags, and what their help says. */
import type { Spec } from "./Spec.js"

const json = (prints: string) => ({ type: "boolean", help: `Print ${prints} on standard output.` }) as const

export const generate = {
  name: "generate",
  summary: "Make an image, waiting out an overloaded model",
  usage: "PROMPT… [options]",
  flags: {
    endpoint: {
      type: "string",
      value: "E",
      multiple: true,
      help:
        "Where to go: gemini, vertex, openai, or NAME=DIALECT:BASE_URL[:MODEL]. Several are tried in turn. " +
        "Default: the first of gemini, openai, vertex that has a key."
    },
    model: { type: "string", value: "M", help: "Model of the endpoints that name none. Default: the endpoint's own." },
    out: { type: "string", value: "DIR", help: "Folder for the files; made if missing. Default: the current one." },
    force: { type: "boolean", help: "Overwrite files of an earlier run." },
    deadline: {
      type: "string",
      value: "TIME",
      help: "Time for everything, waits included: 500ms, 90s, 3m, 1h. Default 5m."
    },
    attempts: {
      type: "string",
      value: "N",
      help: "Most attempts, 1 to 1000. Default: as many as the deadline allows."
    },
    demo: { type: "boolean", help: "Use an embedded overloaded model instead of a provider: no key, no cost." },
    text: { type: "boolean", help: "Ask for text instead of an image; it is printed, and no file is written." },
    "aspect-ratio": { type: "string", value: "W:H", help: "For example 16:9." },
    size: { type: "string", value: "SIZE", help: "1K, 2K, 4K, or WIDTHxHEIGHT where the endpoint takes pixels." },
    count: { type: "string", value: "N", help: "How many images, 1 to 10. Default 1." },
    image: { type: "string", value: "FILE", multiple: true, help: "An image to work from, - for standard input." },
    seed: { type: "string", value: "N", help: "Seed for the model, where it takes one." },
    json: json("one line with result, files and attempts, also on failure,")
  },
  details: `The images are written as PROMPT-1.png, PROMPT-2.png… (the ending follows the bytes), with PROMPT-1.json
beside them: prompt, model, usage and every attempt. PROMPT is the prompt's letters a-z and digits, at most 60 of them.
A PROMPT of - is read from standard input. Files that are there already are not touched without --force, and that is
checked before anything is sent.

Each attempt is one line on standard error. An overloaded, rate-limited, failing or silent endpoint is tried again after
a wait that doubles from 4 s to 60 s, half of it random, and never before the time that the server asks for. Work that
may have been done and billed is repeated once at most. A wrong key, a lack of rights, a used-up quota or an unknown
model ends the use of that endpoint; the others are still tried.

Keys: GEMINI_API_KEY or GOOGLE_API_KEY; OPENAI_API_KEY, with OPENAI_BASE_URL for a relay; for vertex
GOOGLE_CLOUD_PROJECT (and GOOGLE_CLOUD_LOCATION) with VERTEX_ACCESS_TOKEN or application-default credentials, or
VERTEX_API_KEY alone.
An endpoint NAME takes HOLDFAST_KEY_NAME (in capitals, _ for other characters), else the key of its dialect; on this
machine it needs none. DIALECT is gemini, vertex or openai.

Ctrl-C cancels the request in flight. Exits with 0, 1 (no result), 2 (bad usage, no key), 130 (Ctrl-C).`,
  examples: [
    [`holdfast generate "a cute cat" --demo`, "Try it without a key"],
    [
      `holdfast generate "a lighthouse in a storm" --aspect-ratio 16:9 --size 2K --out pictures`,
      "Gemini, by GEMINI_API_KEY"
    ],
    [
      `holdfast generate "a fox" --endpoint gemini --endpoint relay=openai:https://relay.example/v1:nano-banana`,
      "A relay when Gemini is overloaded, its key in HOLDFAST_KEY_RELAY"
    ],
    [`holdfast generate "the same room at night" --image room.jpg --json`, "From an image, for a script"]
  ]
} as const satisfies Spec

export const explain = {
  name: "explain",
  summary: "Say what an error of a provider means, and whether to try again",
  usage: "[FILE] [options]",
  flags: { json: json("one JSON line for each payload") },
  details: `FILE holds one JSON object a line, {"id"?, "dialect"?, "status"?, "headers"?, "body", "streamed"?}, or one
raw payload: JSON, text, HTML, or a stream of events. Without FILE, or with -, it is standard input. There is one answer
for each line that is not blank, in the same order; a line that is no such object counts as a raw payload.

With --json: {"id", "class", "retryable", "retryAfterMillis", "outcome", "advice"}; id is null where the line has none,
retryAfterMillis is null where the payload states no wait. "outcome" says whether the provider may have done, and
billed, the work: not-started, rejected, or unknown.`,
  examples: [
    ["holdfast explain error.json", "One payload, for people"],
    ["holdfast explain --json errors.jsonl", "Many, for a script"],
    [`echo '{"status":503,"body":"The model is overloaded."}' | holdfast explain -`, "From a pipe"]
  ]
} as const satisfies Spec

export const schedule = {
  name: "schedule",
  summary: "Show when a schedule would try again",
  usage: "NAME [options]",
  flags: {
    at: { type: "string", value: "ISO", help: "When the first attempt fails. Default: now." },
    errors: {
      type: "string",
      value: "LIST",
      help:
        "The error of each attempt, separated by commas, each with the wait that its server asks for: " +
        "Overloaded,RateLimited:20s. Default: Overloaded, 8 times."
    },
    seed: { type: "string", value: "N", help: "Same seed, same delays. Default 0." },
    attempts: { type: "string", value: "N", help: "Most attempts, the first included, 1 to 10000." },
    deadline: { type: "string", value: "TIME", help: "Stop when the next attempt would start later than this." },
    base: { type: "string", value: "TIME", help: "First delay, before chance. Default 1s." },
    cap: { type: "string", value: "TIME", help: "Longest delay of our own. Default 1m." },
    jitter: { type: "string", value: "KIND", help: "full, equal, additive, positive or none. Default full." },
    json: json("one line {schedule, at, seed, attempts, stopped}")
  },
  details: `NAME is one of
  exponential   base, twice as long each time, up to cap
  linear        base, 2 base, 3 base…
  fibonacci     base, base, 2 base, 3 base, 5 base…
  constant      base each time
  decorrelated  chance between base and three times the delay before (no --jitter)
  article       the loop that people paste: 5 attempts, 2^n + U(0, 1) s, for Overloaded alone (no options of its own)
  off-peak      waits for the next low-load window of Gemini image models, 00-06 UTC, spread over it
  stretch       exponential, made longer at the hours of high load

All times are UTC. Delays never fall short of the wait that a server asks for. Nothing is sent, and nothing is waited
for.`,
  examples: [
    ["holdfast schedule exponential --base 2s --jitter equal --seed 7", "The delays of a schedule"],
    ["holdfast schedule article --at 2026-03-02T14:00:00Z", "The pasted loop gives up within seconds"],
    ["holdfast schedule linear --errors Overloaded,RateLimited:20s,Unauthorized", "A server's wait, and a fatal error"],
    ["holdfast schedule off-peak --at 2026-03-02T14:00:00Z --json", "When the next quiet hours begin"]
  ]
} as const satisfies Spec

export const overloadServer = {
  name: "overload-server",
  summary: "Run an overloaded model on this machine, for tests of any client",
  usage: "[options]",
  flags: {
    port: { type: "string", value: "PORT", help: "0 for any free one. Default 8080." },
    host: { type: "string", value: "HOST", help: "Address to listen on. Default 127.0.0.1." },
    scenario: {
      type: "string",
      value: "NAME|FILE",
      help:
        "demo, healthy, peak, brownout, outage, rate-limited, flaky, a JSON file (- for standard input), or " +
        "FILE#NAME. Default healthy."
    },
    seed: { type: "string", value: "N", help: "Same seed, same capacity and service times. Default 1." },
    speed: {
      type: "string",
      value: "X",
      help: "How many times faster than life, 0.001 to 100000. Default 1: an image takes about 30 s."
    },
    fault: {
      type: "string",
      value: "NAME[:P]",
      multiple: true,
      help: "A fault that requests meet, all of them or with the chance P, 0 to 1."
    },
    json: json("one line when ready, and one with the counters at the end")
  },
  details: `It speaks the dialects of Gemini, Vertex and OpenAI (chat/completions, images/generations), unary and
streamed, and answers with real PNG images. Any key is accepted. GET /counters tells what it saw; POST /faults adds a
fault.

Faults: 503, 429, 500, 504, reset, stall-headers, stall, stall-body, cut-mid-chunk, dribble, error-after-200, html,
html-200, wrong-content-type, malformed-json, missing-finish-reason, empty, blocked.

It runs until Ctrl-C, then prints what it counted and exits with 0.`,
  examples: [
    ["holdfast overload-server --scenario peak --speed 10", "More calls than capacity, ten times faster than life"],
    ["holdfast overload-server --port 0 --fault 503:0.5 --json", "Every second request refused, on any free port"],
    [`holdfast generate "a fox" --endpoint local=gemini:http://127.0.0.1:8080`, "A client for it, in another terminal"]
  ]
} as const satisfies Spec

/** In the order of the help. */
export const all: ReadonlyArray<Spec> = [generate, explain, schedule, overloadServer]

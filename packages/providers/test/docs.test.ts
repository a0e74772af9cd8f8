/** Holds the tables of the docs against the code. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as GenerationError from "holdfast/GenerationError"
import { table } from "../../../test/support/markdown.js"
import * as Classifier from "../src/Classifier.js"
import * as ClientOptions from "../src/ClientOptions.js"
import * as Gemini from "../src/Gemini.js"
import * as HostedImages from "../src/HostedImages.js"
import * as Client from "../src/internal/client.js"
import * as OpenAiCompatible from "../src/OpenAiCompatible.js"
import * as ResilientHttpClient from "../src/ResilientHttpClient.js"
import * as Timeouts from "../src/Timeouts.js"
import * as Vertex from "../src/Vertex.js"
import * as VertexCredentials from "../src/VertexCredentials.js"

describe("docs/timeouts.md", () => {
  it("states the defaults and the outcomes of the phases", () => {
    const rows = table("timeouts.md", "phase", "default", "from", "to", "outcome")
    assert.deepStrictEqual(rows.map((row) => row["phase"]), [...Timeouts.phases])
    for (const { default: limit, outcome, phase = "" } of rows) {
      const name = phase as Timeouts.Phase
      assert.strictEqual(limit, `${Duration.toSeconds(Timeouts.defaults[name])} s`, phase)
      assert.strictEqual(outcome, GenerationError.defaultOutcome("Timeout", name), phase)
    }
  })
})

describe("docs/providers.md", () => {
  it("states the defaults of the options", () => {
    const all: Record<string, unknown> = {
      ...ClientOptions.defaults,
      ...HostedImages.defaults,
      onStatus: ResilientHttpClient.defaults.onStatus
    }
    const rows = [
      ...table("providers.md", "option", "default", "meaning and range"),
      ...table("providers.md", "option", "default", "meaning")
    ]
    const stated = rows.filter(({ option = "" }) => option in all)
    for (const { default: value, option = "" } of stated) assert.strictEqual(value, String(all[option]), option)
    const hosted = ["maxConnections", "maxResponseBytes", "tracePropagation", "onStatus"]
    for (const name of hosted) assert.isTrue(stated.some(({ option }) => option === name), name)
  })

  it("states the defaults of the environment", () => {
    const rows = new Map(table("providers.md", "variable", "for", "default").map((row) => [row["variable"], row["default"]]))
    assert.strictEqual(rows.get("GEMINI_BASE_URL"), Gemini.defaults.baseUrl)
    assert.strictEqual(rows.get("GEMINI_MODEL"), Gemini.defaults.model)
    assert.strictEqual(rows.get("OPENAI_BASE_URL"), OpenAiCompatible.defaults.baseUrl)
    assert.strictEqual(rows.get("OPENAI_MODEL"), OpenAiCompatible.defaults.model)
    assert.strictEqual(rows.get("GOOGLE_CLOUD_LOCATION"), Vertex.defaults.location)
    assert.strictEqual(rows.get("VERTEX_MODEL"), Vertex.defaults.model)
  })

  it("states the figures of its text", () => {
    assert.strictEqual(Client.maxCount, 10)
    assert.strictEqual(Classifier.maxErrorBodyBytes, 256 * 1024)
    assert.strictEqual(Duration.toSeconds(VertexCredentials.defaults.margin), 60)
    assert.strictEqual(Duration.toSeconds(VertexCredentials.defaults.timeout), 30)
  })
})

/** From a method and a path to what is asked for. Pure: the server under `/node` does the rest. */
import type { Flavour } from "./geminiRequest.js"
import type { Operation } from "./openaiRequest.js"

export type Route =
  | { readonly _tag: "Gemini"; readonly model: string; readonly flavour: Flavour }
  | { readonly _tag: "OpenAi"; readonly operation: Operation }
  | { readonly _tag: "GeminiModels" }
  | { readonly _tag: "OpenAiModels" }
  | { readonly _tag: "File"; readonly id: string }
  | { readonly _tag: "Counters" }
  | { readonly _tag: "Faults"; readonly clear: boolean }
  | { readonly _tag: "Reset" }
  | { readonly _tag: "Unknown" }

export interface Target {
  readonly endpoint: string
  readonly path: string
  readonly route: Route
}

const developer = /^\/(v1|v1beta|v1alpha)\/models\/([^:]+):((?:streamG|g)enerateContent)$/
const vertex = /^\/(v1|v1beta1)\/(.*publishers\/google\/models\/([^/:]+)):((?:streamG|g)enerateContent)$/

/** What may stand before `publishers`; nothing in express mode. */
const project = /^(projects\/[^/]+\/locations\/[^/]+\/)?publishers\//

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const control = (method: string, path: string): Route | undefined => {
  if (method === "GET" && path === "/counters") return { _tag: "Counters" }
  if (path === "/faults" && (method === "POST" || method === "DELETE")) {
    return { _tag: "Faults", clear: method === "DELETE" }
  }
  if (method === "POST" && path === "/reset") return { _tag: "Reset" }
  const file = /^\/files\/([\w-]{1,64})\.png$/.exec(path)
  return method === "GET" && file !== null ? { _tag: "File", id: file[1] ?? "" } : undefined
}

const generation = (method: string, path: string, sse: boolean, google: boolean): Route => {
  if (method === "GET") {
    if (path === "/v1beta/models" || (path === "/v1/models" && google)) return { _tag: "GeminiModels" }
    return path === "/v1/models" || path === "/models" ? { _tag: "OpenAiModels" } : { _tag: "Unknown" }
  }
  if (method !== "POST") return { _tag: "Unknown" }
  if (/^(\/v1)?\/chat\/completions$/.test(path)) return { _tag: "OpenAi", operation: "chat" }
  if (/^(\/v1)?\/images\/generations$/.test(path)) return { _tag: "OpenAi", operation: "images" }
  const [, version = "", model = "", verb = ""] = developer.exec(path) ?? []
  if (verb !== "") {
    const id = decode(model)
    return {
      _tag: "Gemini",
      model: id,
      flavour: { vertex: false, version, method: verb, sse, resource: `models/${id}` }
    }
  }
  const [, vertexVersion = "", resource = "", publisherModel = "", vertexVerb = ""] = vertex.exec(path) ?? []
  return vertexVerb === "" || !project.test(resource)
    ? { _tag: "Unknown" }
    : {
        _tag: "Gemini",
        model: decode(publisherModel),
        flavour: { vertex: true, version: vertexVersion, method: vertexVerb, sse, resource: decode(resource) }
      }
}

/** The first segment of the path may name an endpoint of the scenario; else it is the first endpoint. */
export const route = (
  method: string,
  url: URL,
  endpoints: ReadonlyArray<string>,
  googleKey: boolean
): Target => {
  const path = url.pathname.replace(/\/{2,}/g, "/")
  const known = control(method, path)
  if (known !== undefined) return { endpoint: endpoints[0] ?? "", path, route: known }
  const [, segment = "", rest = ""] = /^\/([^/]+)(\/.*)$/.exec(path) ?? []
  const endpoint = endpoints.find((name) => name === decode(segment))
  const inner = endpoint === undefined ? path : rest
  return {
    endpoint: endpoint ?? endpoints[0] ?? "",
    path: inner,
    route: generation(method, inner, url.searchParams.get("alt") === "sse", googleKey)
  }
}

/** Name of the request's kind in the counters. */
export const operationOf = (route: Route): string => {
  switch (route._tag) {
    case "Gemini":
      return `${route.flavour.vertex ? "vertex" : "gemini"}.${route.flavour.method}`
    case "OpenAi":
      return `openai.${route.operation}`
    default:
      return route._tag
  }
}

/** Reads a request in the OpenAI-compatible dialect, as strictly as the real API in what image clients get wrong. */
import { isRecord } from "./decoding.js"
import * as Wire from "./wire.js"

export type Operation = "chat" | "images"

const refuse = (field: string, text: string): never => {
  throw new Wire.Unreadable(field, text)
}

const amount = (value: unknown, field: string): number => {
  if (value === undefined || value === null) return 1
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 10
    ? value
    : refuse(field, `Invalid '${field}': an integer from 1 to 10 is expected.`)
}

const contentText = (content: unknown, at: string): string => {
  if (typeof content === "string") return content
  if (!Array.isArray(content)) return refuse(at, `Invalid type for '${at}': a string or an array of parts is expected.`)
  return content
    .map((part: unknown, i) => {
      if (!isRecord(part) || typeof part["type"] !== "string") {
        return refuse(`${at}[${i}].type`, `Missing required parameter: '${at}[${i}].type'.`)
      }
      if (part["type"] === "text" && typeof part["text"] !== "string") {
        return refuse(`${at}[${i}].text`, `Missing required parameter: '${at}[${i}].text'.`)
      }
      if (part["type"] === "image_url") {
        const image = part["image_url"]
        if (!isRecord(image) || typeof image["url"] !== "string" || !/^(data:image\/|https?:)/.test(image["url"])) {
          refuse(`${at}[${i}].image_url`, `Invalid '${at}[${i}].image_url': a data URL or an http(s) URL is expected.`)
        }
      }
      return typeof part["text"] === "string" ? part["text"] : ""
    })
    .filter((text) => text !== "")
    .join("\n")
}

const messagesText = (messages: unknown): string => {
  if (!Array.isArray(messages)) return refuse("messages", "Missing required parameter: 'messages'.")
  if (messages.length === 0) return refuse("messages", "Invalid 'messages': at least one message is expected.")
  return messages
    .map((entry: unknown, i) => {
      const at = `messages[${i}]`
      if (!isRecord(entry)) return refuse(at, `Invalid type for '${at}': an object is expected.`)
      if (!["system", "developer", "user", "assistant", "tool"].some((role) => role === entry["role"])) {
        return refuse(`${at}.role`, `Invalid value for '${at}.role'.`)
      }
      return contentText(entry["content"], `${at}.content`)
    })
    .join("\n")
}

const sizes = /^(\d{1,5}x\d{1,5}|auto|512|[124]K)$/

const readImages = (body: Readonly<Record<string, unknown>>, model: string): Wire.Ask => {
  const { prompt, size } = body
  if (typeof prompt !== "string" || prompt === "") return refuse("prompt", "Missing required parameter: 'prompt'.")
  if (size !== undefined && !(typeof size === "string" && sizes.test(size))) {
    return refuse("size", "Invalid value for 'size': for example '1024x1024' is expected.")
  }
  const format = body["response_format"]
  if (format !== undefined && format !== "b64_json" && format !== "url") {
    return refuse("response_format", "Invalid value for 'response_format': 'b64_json' or 'url' is expected.")
  }
  return {
    model,
    prompt,
    wantsImage: true,
    wantsText: false,
    candidates: amount(body["n"], "n"),
    shape: { size: typeof size === "string" ? size : undefined },
    stream: false
  }
}

const readChat = (body: Readonly<Record<string, unknown>>, model: string): Wire.Ask => {
  const prompt = messagesText(body["messages"])
  const modalities = body["modalities"]
  const image = isRecord(body["image_config"]) ? body["image_config"] : {}
  const [aspectRatio, size] = [image["aspect_ratio"], image["image_size"]]
  return {
    model,
    prompt,
    wantsImage: Array.isArray(modalities) ? modalities.includes("image") : Wire.isImageModel(model),
    wantsText: true,
    candidates: amount(body["n"], "n"),
    shape: {
      aspectRatio: typeof aspectRatio === "string" ? aspectRatio : undefined,
      size: typeof size === "string" ? size : undefined
    },
    stream: body["stream"] === true
  }
}

/** Reads the request as the real API does; throws `Unreadable`. */
export const read = (body: unknown, operation: Operation): Wire.Ask => {
  if (!isRecord(body)) return refuse("", "The body of the request must be a JSON object.")
  const model = body["model"]
  if (typeof model !== "string" || model === "") return refuse("model", "You must provide a model parameter.")
  return operation === "images" ? readImages(body, model) : readChat(body, model)
}

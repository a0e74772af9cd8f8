export * as GenerationError from "./GenerationError.js"

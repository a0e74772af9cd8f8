export * as OverloadServer from "./OverloadServer.js"

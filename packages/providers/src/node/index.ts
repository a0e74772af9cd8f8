export * as UndiciHttp from "./UndiciHttp.js"

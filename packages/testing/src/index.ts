export * as Chaos from "./Chaos.js"
export * as OverloadedModel from "./OverloadedModel.js"
export * as Scenario from "./Scenario.js"

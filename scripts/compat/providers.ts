// The clients and the test server, with Node: one generation over a real socket of this machine.
import * as Providers from "@holdfast/providers"
import * as ProvidersNode from "@holdfast/providers/node"
import * as Testing from "@holdfast/testing"
import * as TestingNode from "@holdfast/testing/node"

for (const [name, module] of Object.entries({ Providers, ProvidersNode, Testing, TestingNode })) {
  if (Object.keys(module).length === 0) throw new Error(`${name} exports nothing.`)
}
console.log("modules loaded")

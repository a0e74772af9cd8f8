/**
 * One client out of several: each call goes to the endpoint that a routing policy named in `CurrentCall`.
 *
 * It routes and decides nothing: which endpoint is next is for policies to say. A call without an endpoint, outside of
 * any routing policy, goes to the first.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { CurrentCall } from "holdfast/CurrentCall"
import type { Service } from "holdfast/GenerationClient"
import * as GenerationError from "holdfast/GenerationError"

/**
 * The clients by the name of their endpoint. At least one, or it throws a `RangeError`. A call that names an endpoint
 * which is not among them fails with `InvalidRequest`: sending it elsewhere would hide a mistake in the routing.
 */
export const byEndpoint = (clients: Readonly<Record<string, Service>>): Service => {
  const [first] = Object.values(clients)
  if (first === undefined) throw new RangeError("clients must name at least one endpoint")

  const pick = Effect.flatMap(CurrentCall, (call): Effect.Effect<Service, GenerationError.InvalidRequest> => {
    if (call.endpoint === undefined) return Effect.succeed(first)
    const client = Object.hasOwn(clients, call.endpoint) ? clients[call.endpoint] : undefined
    return client === undefined
      ? Effect.fail(
          new GenerationError.InvalidRequest({
            endpoint: call.endpoint,
            message: `No client for the endpoint ${call.endpoint}; there are ${Object.keys(clients).join(", ")}`,
            outcome: "not-started"
          })
        )
      : Effect.succeed(client)
  })

  return {
    generate: (request) => Effect.flatMap(pick, (client) => client.generate(request)),
    stream: (request) => Stream.unwrap(Effect.map(pick, (client) => client.stream(request)))
  }
}

import * as Context from "effect/Context"
import * as Stream from "effect/Stream"
import { type Call, CurrentCall } from "../CurrentCall.js"

/** Runs the stream's effects under a call of their own. Not in `CurrentCall`: `effect/Stream` is dear to import. */
export const provideStream = <A, E, R>(self: Stream.Stream<A, E, R>, call: Call): Stream.Stream<A, E, R> =>
  Stream.mapInputContext(self, (context: Context.Context<R>) => Context.add(context, CurrentCall, call))

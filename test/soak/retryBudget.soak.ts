/** 100,000 virtual calls with retries that a small budget pays for: the books of each call balance. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Backoff from "holdfast/Backoff"
import * as CurrentCall from "holdfast/CurrentCall"
import * as GenerationError from "holdfast/GenerationError"
import * as Retry from "holdfast/Retry"
import * as RetryBudget from "holdfast/RetryBudget"
import { exitOf, isNervous, leavesEarly, makeServer, through } from "./support/mix.js"
import { soak } from "./support/soak.js"

const overloaded = new GenerationError.Overloaded({ message: "busy" })
const reset = new GenerationError.Transient({ message: "reset", outcome: "not-started" })

/** Attempt `n`: half of them fail in a way that another one may cure. */
const way = (n: number): Effect.Effect<void, GenerationError.GenerationError> => {
  switch (n % 13) {
    case 0:
      return Effect.die("bug")
    case 1:
      return Effect.fail(new GenerationError.ContentBlocked({ message: "no" }))
    case 2:
      return Effect.never
    case 3:
    case 4:
      return Effect.delay(Effect.fail(reset), "10 seconds")
    case 5:
    case 6:
    case 7:
      return Effect.fail(overloaded)
    default:
      return Effect.sleep("20 seconds")
  }
}

/** What one call asked of the server and of the budget. Costs and deposits in tokens. */
interface Book {
  readonly number: number
  attempts: number
  readonly costs: Array<number>
  readonly deposits: Array<number>
  end: ReturnType<typeof exitOf>
}

const earned = { perRequest: 0.1, perSuccess: 0.2 }
const floor = 1200

/** The deposits that the rest of a book calls for: what came back with success, or because it bought nothing. */
const dueOf = ({ attempts, costs, deposits, end, number }: Book): ReadonlyArray<number> => {
  const last = costs.at(-1) ?? 0
  if (costs.length === attempts) {
    // The first step of an attempt counts as its beginning; only nervous callers leave right after it.
    return isNervous(number) && deposits.length === 1 ? [earned.perRequest] : [earned.perRequest, last]
  }
  // A caller can leave between the end of the work and its own, and a reader before the end of the work.
  const succeeded = end === "Interrupted" ? deposits.length > 1 : end === "Success" && !leavesEarly(number)
  return succeeded ? [earned.perRequest, earned.perSuccess + last] : [earned.perRequest]
}

describe("RetryBudget, for long", () => {
  it.live("100,000 calls leave nothing behind", () =>
    soak((turn) =>
      Effect.gen(function*() {
        const books = new Map<string, Book>()
        const grants = { paid: 0, floor: 0, refused: 0 }
        const own = Effect.map(CurrentCall.current, ({ generation }) => books.get(generation!)!)
        const store = yield* RetryBudget.makeStoreMemory
        // One step each, so that a caller who leaves in its middle leaves it whole.
        const watched: RetryBudget.Service = {
          withdraw: (terms, cost) =>
            Effect.uninterruptible(Effect.zipWith(own, store.withdraw(terms, cost), ({ costs }, grant) => {
              grants[grant]++
              if (grant !== "refused") costs.push(grant === "paid" ? cost : 0)
              return grant
            })),
          deposit: (terms, tokens) =>
            Effect.uninterruptible(Effect.zipWith(own, store.deposit(terms, tokens), ({ deposits }) => {
              deposits.push(tokens)
            })),
          read: store.read
        }
        const budget = yield* Effect.provideService(
          RetryBudget.make({ ...earned, floor, window: "10 minutes" }),
          RetryBudget.Store,
          watched
        )
        const policy = Retry.make({
          schedule: Backoff.exponential({ base: "4 seconds", cap: "16 seconds", jitter: "none" }),
          maxAttempts: 4,
          budget
        })
        const server = makeServer()
        const attempt = Effect.flatMap(own, (book) =>
          server.serve((n) => {
            book.attempts++
            return way(n)
          }))
        return {
          call: (n) => {
            const book: Book = { number: n, attempts: 0, costs: [], deposits: [], end: "Interrupted" }
            books.set(`g${n}`, book)
            return through(policy, n, attempt).pipe(
              Effect.onExit((exit) => Effect.sync(() => void (book.end = exitOf(exit)))),
              CurrentCall.update({ generation: `g${n}` })
            )
          },
          patience: "15 seconds",
          end: "3 minutes",
          atRest: Effect.sync(() => {
            expect(server.running).toBe(0)
            for (const book of books.values()) {
              if (book.attempts > 0) expect(book.deposits, JSON.stringify(book)).toEqual(dueOf(book))
            }
            books.clear()
          }),
          atEnd: () =>
            Effect.gen(function*() {
              for (const [grant, count] of Object.entries(grants)) expect(count, grant).toBeGreaterThan(1000)
              // Nothing stays in the books beyond the window.
              yield* turn.pass("11 minutes")
              expect(yield* budget.state).toEqual({ earned: 0, paid: 0, retries: 0, balance: 0, floorLeft: floor })
            })
        }
      })
    ))
})

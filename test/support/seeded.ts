/**
 * Loaded before the tests that mutation testing runs: properties draw from one seed, so that a mutant falls in every run
 * or in none, and the first counter-example is enough.
 */
import * as FastCheck from "effect/FastCheck"

FastCheck.configureGlobal({ seed: 20_260_301, endOnFailure: true })

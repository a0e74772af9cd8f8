/**
 * Mutation testing of the pure cores. `npm run mutation` runs this once for each core, named in the environment, so that
 * a core has to be held by its own quick tests. The effectful shells round the cores have tests of interruption instead.
 */
const source = "packages/holdfast/src/internal"
const tests = "packages/holdfast/test"

/** By name: what is changed, and which tests must notice. */
export const cores = {
  retry: {
    mutate: [`${source}/retryState.ts`, `${source}/retryCourse.ts`, `${source}/bounded.ts`],
    testFiles: [`${tests}/RetryCourse.test.ts`]
  },
  retryBudget: {
    mutate: [`${source}/retryBudget/*.ts`],
    testFiles: [`${tests}/RetryBudgetLedger.test.ts`]
  },
  time: {
    mutate: [`${source}/time/*.ts`],
    testFiles: [`${tests}/LoadProfileCounts.test.ts`, `${tests}/LoadProfileWeek.test.ts`, `${tests}/OffPeakArrival.test.ts`]
  },
  bulkhead: {
    mutate: [`${source}/bulkhead/*.ts`],
    testFiles: [`${tests}/BulkheadCell.test.ts`]
  },
  rateLimit: {
    mutate: [`${source}/rateLimit/*.ts`, `!${source}/rateLimit/passage.ts`],
    testFiles: [`${tests}/RateLimitAccount.test.ts`, `${tests}/RateLimitLane.test.ts`]
  },
  circuitBreaker: {
    mutate: [`${source}/circuitBreaker/*.ts`, `!${source}/circuitBreaker/family.ts`],
    testFiles: [`${tests}/CircuitBreakerParts.test.ts`]
  },
  admission: {
    mutate: [`${source}/admission/*.ts`, `!${source}/admission/endpoints.ts`],
    testFiles: [`${tests}/AdmissionParts.test.ts`]
  }
}

/** The share of changes that the tests must notice, in per cent. */
export const wanted = 85

export const coreVariable = "HOLDFAST_MUTATION_CORE"
export const reportOf = (core) => `reports/mutation/${core}.json`

const cache = "node_modules/.cache/holdfast/mutation"
export const sandboxOf = (core) => `${cache}/sandbox-${core}`

const core = process.env[coreVariable] ?? "retryBudget"

export default {
  ...cores[core],
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "vitest.mutation.ts", related: false },
  coverageAnalysis: "perTest",
  // A constant that is read once while a module loads would need a new process for each change.
  ignoreStatic: true,
  // Copied is what the tests of the cores need, and nothing else.
  ignorePatterns: [
    "**",
    "!package.json",
    "!tsconfig.base.json",
    "!vitest.mutation.ts",
    "!packages/holdfast/package.json",
    "!packages/holdfast/tsconfig.json",
    "!packages/holdfast/src/**",
    "!packages/holdfast/test/**",
    "!test/support/**"
  ],
  // Vitest strips types without looking at them.
  disableTypeChecks: false,
  concurrency: 2,
  // Ample, since a busy machine must not pass for a mutant that never ends; most of those are found by counting.
  timeoutMS: 20_000,
  timeoutFactor: 4,
  thresholds: { high: 95, low: wanted, break: wanted },
  tempDirName: sandboxOf(core),
  cleanTempDir: "always",
  incremental: true,
  incrementalFile: `${cache}/${core}.json`,
  reporters: ["progress", "clear-text", "json"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, skipFull: false },
  jsonReporter: { fileName: reportOf(core) }
}

/**
 * Lint: typescript-eslint with types, the Effect plugin, and what STYLE asks of library code: time from Clock, chance from
 * Random, timers from the runtime, sub-path imports, no Node in what must run elsewhere. scripts/lint.mjs proves that each ban
 * bites. Layout is left to the reader's eye.
 */
import effect from "@effect/eslint-plugin"
import { builtinModules } from "node:module"
import tseslint from "typescript-eslint"

const library = ["packages/*/src/**/*.ts"]
/** The only file that may use a plain timer: it does so when the clock is the live one. */
const timer = "packages/holdfast/src/internal/timer.ts"
/** May import Node's modules: what is reached through `/node` with its internals, and the command. */
const nodeOnly = ["packages/*/src/**/node/**/*.ts", "packages/cli/src/**/*.ts"]

const clock = "Use Clock, so that tests and the lab can turn the time."
const random = "Use Random, so that a seed decides."
const sleep = "Use Effect.sleep, a Schedule or internal/timer."

const banned = [
  ["Date", "now", clock], ["performance", "now", clock], ["process", "hrtime", clock],
  ["Math", "random", random], ["crypto", "randomUUID", random], ["crypto", "getRandomValues", random],
  ["AbortSignal", "timeout", sleep]
]
const timers = ["setTimeout", "setInterval", "setImmediate"]

const globalBans = timers.map((name) => ({ name, message: sleep }))

const propertyBans = [
  ...banned.map(([object, property, message]) => ({ object, property, message })),
  ...timers.map((property) => ({ object: "globalThis", property, message: sleep })),
  ...["Date", "performance"].map((property) => ({ object: "globalThis", property, message: clock })),
  ...["Math", "crypto"].map((property) => ({ object: "globalThis", property, message: random }))
]

const barrels = ["effect", "@effect/platform", "@effect/platform-node", "holdfast"].map((name) => ({
  name,
  message: "Import a module of it (`effect/Effect`): the barrel makes a cold start slow."
}))

const pattern = (regex, message) => ({ regex, caseSensitive: true, message })
const noTimeModules = pattern("^(node:)?(timers|perf_hooks)(/|$)", "Clock and Effect.sleep serve here.")
const noNode = pattern(
  `^(node:|(${builtinModules.join("|")}|undici|@effect/platform-node)(/|$))`,
  "This must run outside Node too: such code belongs under src/node."
)
const imports = (...patterns) => ["error", { paths: barrels, patterns }]

export default tseslint.config(
  { ignores: ["**/dist/**", "**/node_modules/**", "reports/**", ".holdfast/**", "holdfast-out/**", "scripts/compat/**"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { "@effect": effect },
    languageOptions: { parserOptions: { project: ["tsconfig.lint.json"], tsconfigRootDir: process.cwd() } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "require-yield": "off",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      // `{}` for "no fields" and `arguments` in `pipe()` are Effect's own idioms.
      "@typescript-eslint/no-empty-object-type": "off",
      "prefer-rest-params": "off",
      // tsc says it already, and counts a use as a type.
      "@typescript-eslint/no-unused-vars": "off",
      // `option?: T | undefined` is how options are written here.
      "@typescript-eslint/no-duplicate-type-constituents": "off",
      "eqeqeq": "error"
    }
  },
  { files: ["scripts/**/*.mjs", "eslint.config.mjs"], rules: { "no-unused-vars": "error", "eqeqeq": "error" } },
  {
    files: library,
    linterOptions: { noInlineConfig: true },
    rules: {
      "no-console": "error",
      "no-restricted-globals": ["error", ...globalBans],
      "no-restricted-properties": ["error", ...propertyBans],
      "no-restricted-syntax": [
        "error",
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: clock },
        { selector: "CallExpression[callee.name='Date']", message: clock }
      ],
      "no-restricted-imports": imports(noTimeModules, noNode),
      "@effect/no-import-from-barrel-package": ["error", { packageNames: ["effect", "@effect/platform", "holdfast"] }]
    }
  },
  { files: nodeOnly, rules: { "no-restricted-imports": imports(noTimeModules) } },
  { files: [timer], rules: { "no-restricted-globals": ["error", ...globalBans.filter(({ name }) => name !== "setTimeout")] } },
  { files: ["packages/cli/src/**/*.ts"], rules: { "no-console": "off" } },
  {
    // Tests read untyped answers of other people's servers and clients, and hand in what no type allows.
    files: ["packages/*/test/**/*.ts", "test/**/*.ts", "examples/**/*.ts"],
    rules: {
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/no-base-to-string": "off",
      "@typescript-eslint/restrict-template-expressions": "off",
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/consistent-type-imports": "off"
    }
  },
  {
    files: ["packages/*/test/**/*.ts", "test/**/*.ts", "examples/**/*.test.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "MemberExpression[object.name=/^(it|test|describe)$/][property.name=/^(only|todo)$/], " +
            "MemberExpression[object.object.name=/^(it|test|describe)$/][property.name=/^(only|todo)$/]",
          message: "A test that hides others must not land."
        }
      ]
    }
  }
)

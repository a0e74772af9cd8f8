/** The schedules that the command line knows by name. */
import * as Backoff from "holdfast/Backoff"
import * as LoadProfile from "holdfast/LoadProfile"
import * as OffPeak from "holdfast/OffPeak"
import { usage } from "../commandLine/CliError.js"

/** What can be set from outside. */
export interface Settings {
  readonly base: number | undefined
  readonly cap: number | undefined
  readonly jitter: Backoff.Jitter | undefined
}

export const jitters: ReadonlyArray<Backoff.Jitter> = ["full", "equal", "additive", "positive", "none"]

type Setting = keyof Settings

interface Named {
  /** The settings that it has. */
  readonly takes: ReadonlyArray<Setting>
  readonly make: (settings: Settings) => Backoff.Backoff
}

const ladder: ReadonlyArray<Setting> = ["base", "cap", "jitter"]
const profile = LoadProfile.nanoBanana

const schedules = {
  exponential: { takes: ladder, make: Backoff.exponential },
  linear: { takes: ladder, make: Backoff.linear },
  fibonacci: { takes: ladder, make: Backoff.fibonacci },
  constant: { takes: ladder, make: Backoff.constant },
  decorrelated: { takes: ["base", "cap"], make: Backoff.decorrelated },
  article: { takes: [], make: () => Backoff.article },
  "off-peak": {
    takes: ladder,
    make: (settings) =>
      OffPeak.defer(profile, {
        under: "retry",
        within: Backoff.exponential({
          ...settings,
          cap: settings.cap ?? Math.max(300_000, settings.base ?? 0),
          maxServerWait: OffPeak.defaults.maxDeferral
        })
      })
  },
  stretch: { takes: ladder, make: (settings) => OffPeak.stretch(Backoff.exponential(settings), profile) }
} as const satisfies Record<string, Named>

export type Name = keyof typeof schedules

/** The names, in the order of the help. */
export const names = Object.keys(schedules) as ReadonlyArray<Name>

/** The schedule of that name; refuses a setting that it does not have. */
export const make = (name: Name, settings: Settings): Backoff.Backoff => {
  const { make, takes }: Named = schedules[name]
  for (const setting of ladder) {
    if (settings[setting] !== undefined && !takes.includes(setting)) {
      const has = takes.map((taken) => `--${taken}`).join(" and ")
      throw usage(`the schedule ${name} has no --${setting}${has === "" ? "" : `; it has ${has}`}`)
    }
  }
  if (settings.base !== undefined && settings.cap !== undefined && settings.cap < settings.base) {
    throw usage("--cap must be at least --base")
  }
  return make(settings)
}

/** The stations of one scenario, with the scenario's defaults filled in, and the demand of each generation. */
import * as Scenario from "../Scenario.js"
import { lognormal, stream } from "./random.js"
import * as Station from "./station.js"

export interface World {
  readonly seed: number
  readonly startHour: number
}

/** What one endpoint does, every default filled in. */
export const params = (
  scenario: Scenario.Scenario,
  endpoint: Scenario.Endpoint,
  world: World
): Station.Params => {
  const { defaults } = Scenario
  return {
    endpoint: endpoint.name,
    seed: world.seed,
    startHour: world.startHour,
    slots: endpoint.slots,
    bg: endpoint.bg ?? scenario.bg ?? defaults.bg,
    noise: scenario.noise ?? defaults.noise,
    events: endpoint.events ?? [],
    queue: endpoint.queue ?? defaults.endpoint.queue,
    err: endpoint.err ?? defaults.endpoint.err,
    rej: endpoint.rej ?? defaults.endpoint.rej,
    slow: endpoint.slow ?? defaults.endpoint.slow,
    queueTimeout: endpoint.queueTimeout ?? defaults.endpoint.queueTimeout,
    retryAfter: endpoint.retryAfter ?? defaults.endpoint.retryAfter,
    rpm: endpoint.rpm ?? defaults.endpoint.rpm,
    rpmShared: endpoint.rpmShared ?? defaults.endpoint.rpmShared,
    rpmRA: endpoint.rpmRA ?? defaults.endpoint.rpmRA,
    price: endpoint.price ?? defaults.endpoint.price,
    cancel: scenario.cancel ?? defaults.cancel,
    rejectCost: scenario.rejectCost ?? defaults.rejectCost,
    meanService: scenario.svc?.mean ?? defaults.svc.mean
  }
}

/** Seconds of work that a generation needs, by the seed and its id alone: the same for every attempt and endpoint. */
export const demand = (scenario: Scenario.Scenario, seed: number, requestId: string | number): number => {
  const { defaults } = Scenario
  const svc = {
    mean: scenario.svc?.mean ?? defaults.svc.mean,
    cv: scenario.svc?.cv ?? defaults.svc.cv,
    min: scenario.svc?.min ?? defaults.svc.min,
    max: scenario.svc?.max ?? defaults.svc.max
  }
  return lognormal(svc, stream(seed, "service", requestId))
}

const sum = (a: Station.Tally, b: Station.Tally): Station.Tally => ({
  requests: a.requests + b.requests,
  started: a.started + b.started,
  completed: a.completed + b.completed,
  wasted: a.wasted + b.wasted,
  rejected: a.rejected + b.rejected,
  errors: a.errors + b.errors,
  abandoned: a.abandoned + b.abandoned,
  price: a.price + b.price,
  busy: a.busy + b.busy,
  queued: a.queued + b.queued,
  hung: a.hung + b.hung
})

/** All stations of a scenario. */
export const make = <T>(
  scenario: Scenario.Scenario,
  world: World,
  sink: (output: Station.Output<T>) => void
) => {
  const stations = scenario.endpoints.map((endpoint) => {
    const settings = params(scenario, endpoint, world)
    return { name: endpoint.name, settings, station: Station.make<T>(settings, sink) }
  })
  const byName = new Map(stations.map((entry) => [entry.name, entry]))
  return {
    names: stations.map(({ name }) => name),
    get: (name: string): Station.Station<T> | undefined => byName.get(name)?.station,
    price: (name: string): number => byName.get(name)?.settings.price ?? 0,
    demand: (requestId: string | number): number => demand(scenario, world.seed, requestId),
    advance: (to: number): void => {
      for (const { station } of stations) station.advance(to)
    },
    nextAt: (): number => stations.reduce((at, { station }) => Math.min(at, station.nextAt()), Infinity),
    counters: () => ({
      ...stations.reduce((total, { station }) => sum(total, station.tally), Station.emptyTally()),
      byEndpoint: Object.fromEntries(stations.map(({ name, station }) => [name, { ...station.tally }]))
    }),
    snapshot: (at: number) =>
      stations.map(({ name, settings, station }) => {
        const segment = station.segmentAt(at)
        const modes: ReadonlyArray<readonly [Scenario.Mode, boolean]> = [
          ["reject", segment.reject],
          ["hang", segment.hang],
          ["slow", segment.slow !== 1],
          ["flaky", segment.flaky > 0]
        ]
        return {
          name,
          slots: station.slotsAt(at),
          busy: station.tally.busy,
          queued: station.tally.queued,
          queue: settings.queue,
          hung: station.tally.hung,
          modes: modes.filter(([, on]) => on).map(([mode]) => mode)
        }
      })
  }
}

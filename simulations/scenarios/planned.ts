import type { Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

/** Something that befalls a run at a moment its author chose. Times count from when faults begin. */
export type Planned = { readonly atMs: number; readonly forMs: number } & (
  | {
      readonly kind: 'cut'
      /** Hosts that still reach each other, a list a side; who is on none is on the last. */
      readonly sides: readonly (readonly string[])[]
      /** Only what the first side sends is lost. */
      readonly oneWay: boolean
    }
  | { readonly kind: 'down'; readonly host: string }
  | { readonly kind: 'clock'; readonly host: string; readonly byMs: number }
)

/** Hosts somebody means who is not there make no sense: the message says who is. */
export class UnknownHost extends Error {}

/** A scenario of somebody's own: another one, or none, and what was planned on top. */
export const plannedScenario = (
  base: Scenario | undefined,
  {
    name,
    claim,
    planned,
  }: { readonly name: string; readonly claim: string; readonly planned: readonly Planned[] },
): Scenario => ({
  ...base,
  name,
  claim,
  expects: base?.expects ?? [],
  acts: base?.acts ?? [],
  drawsAs: base?.name,
  begin: (stage, draw) => {
    base?.begin(stage, draw)
    for (const one of planned) befall(stage, one)
  },
})

function befall(stage: Stage, planned: Planned): void {
  for (const host of hostsOf(planned)) requireHost(stage, host)
  stage.later(planned.atMs, () => {
    if (planned.kind === 'cut') cut(stage, planned)
    else if (planned.kind === 'down') down(stage, planned)
    else skew(stage, planned)
  })
}

const hostsOf = (planned: Planned): readonly string[] =>
  planned.kind === 'cut' ? planned.sides.flat() : [planned.host]

function requireHost(stage: Stage, host: string): void {
  const hosts = [...stage.hosts(), 'dht']
  if (!hosts.includes(host)) throw new UnknownHost(`nothing is called ${host}; there are ${hosts.join(', ')}`)
}

function cut(stage: Stage, { sides, oneWay, forMs }: Extract<Planned, { readonly kind: 'cut' }>): void {
  const named = new Set(sides.flat())
  const rest = [...stage.hosts(), 'dht'].filter((host) => !named.has(host))
  const all =
    sides.length === 1 ? [...sides, rest] : [...sides.slice(0, -1), [...(sides.at(-1) ?? []), ...rest]]
  const directions = all.flatMap((from, i) =>
    all.flatMap((to, j) =>
      i === j || (oneWay && i > 0) ? [] : from.flatMap((a) => to.map((b) => [a, b] as const)),
    ),
  )
  stage.world.faults.strike(oneWay ? 'partition-one-way' : 'partition')
  stage.cut(directions, forMs)
}

function down(stage: Stage, { host, forMs }: Extract<Planned, { readonly kind: 'down' }>): void {
  const { faults, timeline } = stage.world
  const relay = stage.relays.find(({ name }) => name === host)
  if (relay !== undefined) {
    faults.strike('relay-crash')
    relay.crash()
    timeline.after(forMs, () => {
      relay.boot()
    })
    return
  }
  const machine = stage.everything().find(({ name }) => name === host)
  faults.strike('crash')
  void machine?.crash()
  timeline.after(forMs, () => void machine?.boot())
}

function skew(stage: Stage, { host, byMs, forMs }: Extract<Planned, { readonly kind: 'clock' }>): void {
  const clock = stage.everything().find(({ name }) => name === host)?.clock
  if (clock === undefined) return
  const over = stage.world.befall(host, 'clock-jump')
  const before = clock.errorMs
  clock.errorMs = before + byMs
  stage.world.timeline.after(forMs, () => {
    clock.errorMs = before
    over()
  })
}

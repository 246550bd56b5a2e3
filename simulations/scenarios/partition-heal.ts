import type { Stream } from '../world/stream.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** Everyone is split from someone, again and again, one way or both. */
export const partitionHeal: Scenario = {
  name: 'partition-heal',
  claim:
    'Whatever splits, losses, crashes and clock errors came before: ten minutes after the network has healed every message that was accepted is shown exactly once on each device that was to read it, all devices of a conversation agree on members and history, and nothing was sealed twice or seen in clear.',
  expects: ['partition', 'partition-one-way', 'isolation', ...everydayFaults],
  acts: everydayActs,
  begin(stage, draw) {
    splits(stage, draw, draw.between(0.3, 3) * 60 * minute)
  },
}

/** Splits again and again, a few times also in a short run. */
export function splits(stage: Stage, draw: Stream, meanMs: number): void {
  stage.repeat(draw, Math.min(meanMs, stage.lastsMs / 4), () => {
    split(stage, draw)
  })
}

/** Draws sides and cuts them off each other for a while. */
function split(stage: Stage, draw: Stream): void {
  const { faults, trace } = stage.world
  const hosts = [...stage.hosts(), 'dht']
  const forMs = Math.min(draw.lognormal(10 * minute, 1.5), 240 * minute)
  const kind = draw.pick(['partition', 'partition', 'partition-one-way', 'isolation'] as const)
  const side = new Set(
    kind === 'isolation' ? [draw.pick(stage.machines()).name] : hosts.filter(() => draw.chance(0.5)),
  )
  const out = hosts
    .filter((host) => side.has(host))
    .flatMap((from) => hosts.filter((to) => !side.has(to)).map((to) => [from, to] as const))
  const back = out.map(([from, to]) => [to, from] as const)
  faults.strike(kind)
  trace.note('cut', { kind, forMs: Math.round(forMs), side: [...side].sort().join() })
  stage.cut(kind === 'partition-one-way' ? out : [...out, ...back], forMs)
}

import type { Stream } from '../world/stream.ts'
import type { Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** Everyone is split from someone, again and again, one way or both. */
export const partitionHeal: Scenario = {
  name: 'partition-heal',
  claim:
    'Whatever splits, losses, crashes and clock errors came before: ten minutes after the network has healed every message that was accepted is shown exactly once at its recipient, and nothing was sealed twice or seen in clear.',
  expects: [
    'partition',
    'partition-one-way',
    'isolation',
    'frame-lost',
    'frame-repeated',
    'frame-replayed',
    'dial-failed',
    'dht-missing',
    'dht-stale',
    'dht-lost',
    'crash',
    'crash-at-write',
    'address-changed',
    'relay-crash',
    'relay-disk',
    'disk-drop-unsynced',
    'disk-drop-suffix',
    'disk-torn',
    'disk-keep',
    'disk-full',
    'disk-sync',
    'clock-skew',
    'clock-jump',
  ],
  begin(stage, draw) {
    stage.repeat(draw, draw.between(0.3, 3) * 60 * minute, () => {
      split(stage, draw)
    })
  },
}

function split(stage: Stage, draw: Stream): void {
  const { faults, trace } = stage.world
  const hosts = [...stage.hosts(), 'dht']
  const forMs = Math.min(draw.lognormal(10 * minute, 1.5), 240 * minute)
  const kind = draw.pick(['partition', 'partition', 'partition-one-way', 'isolation'] as const)
  const side = new Set(
    kind === 'isolation' ? [draw.pick(stage.users).name] : hosts.filter(() => draw.chance(0.5)),
  )
  const out = hosts
    .filter((host) => side.has(host))
    .flatMap((from) => hosts.filter((to) => !side.has(to)).map((to) => [from, to] as const))
  const back = out.map(([from, to]) => [to, from] as const)
  faults.strike(kind)
  trace.note('cut', { kind, forMs: Math.round(forMs), side: [...side].sort().join() })
  stage.cut(kind === 'partition-one-way' ? out : [...out, ...back], forMs)
}

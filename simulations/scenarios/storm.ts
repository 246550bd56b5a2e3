import type { Machine } from '../actors/machine.ts'
import { dhtTricks } from '../world/dht.ts'
import { relayTricks } from '../world/relay-tricks.ts'
import type { Stream } from '../world/stream.ts'
import { isTab } from './browser-tabs.ts'
import { comesAndGoes } from './offline-sync.ts'
import { splits } from './partition-heal.ts'
import { pauseBetween, type Plan } from './plan.ts'
import { failRelays } from './relay-outage.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'
import { showTwoFaces } from './two-faced.ts'

const hour = 3_600_000
const kbit = 1_000

/** What breaks links, relays, the DHT, clocks and machines elsewhere breaks them at once, in a small world, for days. */
export const storm: Scenario = {
  name: 'storm',
  claim:
    'Splits, losses, repeats, links that are narrow or stall, relays that fail or mean ill, a DHT that lies, disks that fail, clocks that jump, tabs that are suspended and machines that are away, all at once and for days: ten minutes after it is over, as soon as anything more is said, nothing is missing, nothing is shown twice or under a wrong name, and all agree.',
  expects: [
    ...['partition', 'partition-one-way', 'isolation', 'stall', 'frame-stalled', 'frame-queued'],
    ...['tab-suspended', 'relay-outage', 'relay-old-disk', ...relayTricks, 'relay-splits', ...dhtTricks],
    ...everydayFaults,
  ],
  acts: everydayActs,
  shape: (plan, draw, hours) => ({ ...plan, ...small(draw, hours), ...breaking(plan, draw, hours) }),
  begin: (stage, draw) => {
    splits(stage, draw, draw.between(1, 6) * hour)
    failRelays(stage, draw)
    showTwoFaces(stage, draw)
    for (const machine of stage.machines()) live(stage, draw, machine)
  },
}

/** What a machine is: one that is always on, a tab, or one that is away most of the time. */
function live(stage: Stage, draw: Stream, machine: Machine): void {
  const kind = draw.pick(['on', 'on', 'tab', 'away'] as const)
  if (kind === 'tab') isTab(stage, draw, machine)
  if (kind === 'away') comesAndGoes(stage, draw, machine, draw.between(1, 8) * hour, draw.between(0.15, 0.6))
}

/** Few people who say little, so that days of it can be run a thousand times; one world in five is large enough for topics. */
function small(draw: Stream, hours: number): Partial<Plan> {
  const isLarge = draw.chance(0.2)
  const users = isLarge ? 3 : 2
  return {
    users,
    devices: isLarge ? 6 : users + 1 + draw.below(2),
    groups: 1,
    relays: 2,
    messageEveryMs: (hours * hour * users) / Math.max(25, (draw.between(15, 40) * hours) / 24),
    dialableShare: draw.pick([1, 0.5, 0.5, 0]),
  }
}

/** Every fault is on; a frame that is lost breaks its channel, so that few are enough. */
function breaking(plan: Plan, draw: Stream, hours: number): Partial<Plan> {
  const every = (low: number, high: number): number => pauseBetween(draw.between(low, high), hours)
  return {
    crashEveryMs: every(2, 12),
    relayCrashEveryMs: every(2, 12),
    diskFaultEveryMs: every(2, 12),
    clockJumpEveryMs: every(4, 12),
    moveEveryMs: every(2, 12),
    stallEveryMs: every(0.5, 4),
    skewMs: draw.between(0.1, 11) * hour,
    net: {
      ...plan.net,
      loss: draw.between(0.002, 0.03),
      duplication: draw.between(0.005, 0.1),
      replay: draw.between(0.05, 0.5),
      dialFailure: draw.between(0.02, 0.3),
      bandwidth: draw.between(32, 256) * kbit,
      dhtLoss: draw.between(0.05, 0.5),
      dhtMissing: draw.between(0.05, 0.5),
      dhtStale: draw.between(0.05, 0.5),
    },
  }
}

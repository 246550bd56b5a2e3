import { everyday, type NetConditions } from '../world/conditions.ts'
import type { Stream } from '../world/stream.ts'

/** What a seed decides before anything happens; printed with the result. */
export interface Plan {
  readonly users: number
  /** Devices of everybody together; nobody has more than three. */
  readonly devices: number
  readonly groups: number
  /** Share of pairs that know each other, beside those next to each other. */
  readonly acquaintance: number
  readonly relays: number
  /** Mean pause between two messages of one person. */
  readonly messageEveryMs: number
  /** Mean pause between changes of any group, and between devices that come or go. */
  readonly groupChangeEveryMs: number | null
  readonly deviceChangeEveryMs: number | null
  /** Mean pause between faults of a kind; a kind that is off has none. */
  readonly crashEveryMs: number | null
  readonly relayCrashEveryMs: number | null
  readonly diskFaultEveryMs: number | null
  readonly clockJumpEveryMs: number | null
  readonly moveEveryMs: number | null
  /** Links that stay open and pass nothing for a while; no seed draws it. */
  readonly stallEveryMs: number | null
  /** People who can be dialled; the others only dial. */
  readonly dialableShare: number
  readonly skewMs: number
  readonly net: NetConditions
}

const hour = 3_600_000

/** Devices of everybody together, at most. */
const mostDevices = 11
/** Devices of one person, at most. */
const devicesEach = 3

/** How many devices each person has. The first one is the first to have a second. */
export function shareDevices(draw: Stream, { users, devices }: Plan): readonly number[] {
  const each = Array.from({ length: users }, () => 1)
  for (let left = Math.min(devices, users * devicesEach) - users, at = 0; left > 0; left--) {
    each[at] = (each[at] ?? 0) + 1
    const room = each.flatMap((count, i) => (count < devicesEach ? [i] : []))
    at = room.length === 0 ? 0 : draw.pick(room)
  }
  return each
}

/** How often a fault that is on strikes on the average, however short the run. */
const timesAtLeast = 4

/** A mean pause between faults of a kind, in hours, as short as a short run needs it; in milliseconds. */
export const pauseBetween = (meanHours: number, hours: number): number =>
  Math.min(meanHours, hours / timesAtLeast) * hour

/** Draws the ranges of a seed, swarm fashion: each fault is off, mild or heavy on its own. */
export function drawPlan(draw: Stream, hours: number): Plan {
  const some = (probability: number, low: number, high: number): number =>
    draw.chance(probability) ? draw.between(low, high) : 0
  const every = (probability: number, low: number, high: number): number | null =>
    draw.chance(probability) ? pauseBetween(draw.between(low, high), hours) : null
  const users = 2 + draw.below(4)
  return {
    users,
    devices: Math.min(mostDevices, users + draw.below(users + 2)),
    groups: 1 + draw.below(2),
    acquaintance: 0.5,
    relays: 1 + draw.below(2),
    messageEveryMs: (hours * hour * users) / Math.max(20, (draw.between(60, 200) * hours) / 24),
    groupChangeEveryMs: (hours * hour) / draw.between(4, 16),
    deviceChangeEveryMs: (hours * hour) / draw.between(1, 4),
    crashEveryMs: every(0.8, 1, 8),
    relayCrashEveryMs: every(0.7, 1, 8),
    diskFaultEveryMs: every(0.5, 2, 12),
    clockJumpEveryMs: every(0.5, 4, 12),
    dialableShare: draw.pick([1, 1, 0.5, 0]),
    skewMs: some(0.5, 0, 11 * hour),
    net: {
      loss: some(0.7, 0, draw.pick([0.01, 0.1, 0.3])),
      duplication: some(0.6, 0, draw.pick([0.02, 0.5])),
      replay: some(0.5, 0, 0.5),
      dialFailure: some(0.6, 0, 0.3),
      medianMs: draw.between(5, 150),
      sigma: draw.between(0, 1),
      bandwidth: 0,
      dhtLoss: Math.max(everyday.dhtLoss, some(0.5, 0, 0.5)),
      dhtMissing: some(0.5, 0, 0.5),
      dhtStale: some(0.5, 0, 0.5),
      topicLoss: everyday.topicLoss,
    },
    moveEveryMs: every(0.7, 1, 8),
    stallEveryMs: null,
  }
}

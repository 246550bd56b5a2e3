import type { Stream } from '../world/stream.ts'
import { dhtTricks } from '../world/dht.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import { watchBundles } from '../laws/going-back.ts'
import { lastWords } from './relay-outage.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** Those who are asked for everything, the DHT's nodes and relays, show each what suits them. */
export const twoFaced: Scenario = {
  name: 'two-faced',
  claim:
    'DHT nodes that surround devices one after another and answer with what belongs elsewhere, with what was so long ago, or with nothing, and relays that show every reader another half of the mail: nobody is led to another or an older device, and as soon as they stop and anything more is said, nothing is lost and all agree.',
  expects: [...dhtTricks, 'relay-splits', ...everydayFaults],
  acts: everydayActs,
  shape: (plan) => ({
    ...plan,
    users: Math.min(3, plan.users),
    devices: Math.min(4, plan.devices),
    groups: 1,
    moveEveryMs: Math.min(plan.moveEveryMs ?? Infinity, plan.messageEveryMs),
    dialableShare: 0.5,
  }),
  begin: (stage, draw) => {
    showTwoFaces(stage, draw)
    watchBundles(stage, stage.lastsMs / 12)
    lastWords(stage, draw)
  },
}

/** DHT nodes surround machines, and relays split their mail, again and again. */
export function showTwoFaces(stage: Stage, draw: Stream): void {
  stage.repeat(draw, stage.lastsMs / 8, () => {
    surround(stage, draw)
  })
  stage.repeat(draw, stage.lastsMs / 6, () => {
    splitRelay(stage, draw)
  })
}

/** From a tenth of the run to all of it. */
const forMs = (stage: Stage, draw: Stream): number => draw.between(0.1, 1) * stage.lastsMs

/** Hostile nodes gather around half of the machines. */
function surround(stage: Stage, draw: Stream): void {
  const trick = draw.pick(dhtTricks)
  for (const { name } of stage.everything()) {
    if (!draw.chance(0.5)) continue
    stage.world.trace.note('surrounded', { host: name, trick })
    const leave = stage.world.air.dht.surround(name, trick)
    stage.onClose(leave)
    stage.world.timeline.after(forMs(stage, draw), leave)
  }
}

/** A relay shows each queue's reader another half of what it has. */
function splitRelay(stage: Stage, draw: Stream): void {
  const relay = draw.pick(stage.relays)
  const untilMs = Math.min(forMs(stage, draw), 20 * minute)
  stage.world.faults.strike('relay-splits')
  stage.world.trace.note('relay-turns', { host: relay.name, trick: 'relay-splits' })
  relay.turn('relay-splits')
  const end = (): void => {
    if (relay.disk.trick === 'relay-splits') relay.reform()
  }
  stage.onClose(end)
  stage.world.timeline.after(untilMs, end)
}

import type { Relay } from '../actors/relay.ts'
import { say } from '../actors/talk.ts'
import { relayTricks } from '../world/relay-tricks.ts'
import type { Stream } from '../world/stream.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** Relays that are the only way to each other fail for hours, come back with an old disk, and some mean ill. */
export const relayOutage: Scenario = {
  name: 'relay-outage',
  claim:
    'Relays that are down for hours, come back with the disk of the day before, throw mail away, show it twice, in another order, in part, or under cursors they made up: as soon as relays are honest again and anything more is said, nothing is missing, nothing is shown twice, and no relay learns a word or a name.',
  expects: ['relay-outage', 'relay-old-disk', ...relayTricks, ...everydayFaults],
  acts: everydayActs,
  shape: (plan, draw) => ({
    ...plan,
    relays: Math.max(2, plan.relays),
    dialableShare: draw.pick([0, 0, 0.5]),
  }),
  begin: failRelays,
}

/** Relays are down, come back with old disks, and do what they should not, until the stage closes. */
export function failRelays(stage: Stage, draw: Stream): void {
  stage.repeat(draw, stage.lastsMs / 4, () => {
    outage(stage, draw)
  })
  for (const relay of stage.relays) {
    stage.onClose(() => {
      relay.reform()
    })
    stage.repeat(draw, stage.lastsMs / 6, () => {
      turn(stage, draw, relay)
    })
  }
  lastWords(stage, draw)
}

/**
 * What a relay threw away, or had hidden when its reader said how far it had read, or a liar put a lie in the place of,
 * is missed when something else comes. After the heal everybody says one thing more, between two looks at whether all
 * has settled: a look while these are only being said would find that it has.
 */
export function lastWords(stage: Stage, draw: Stream): void {
  const sayAll = (): void => {
    for (const machine of stage.machines())
      for (const room of stage.world.ledger.rooms.values())
        if (room.parties.has(machine.person)) void say(stage, draw, machine, room)
  }
  stage.onClose(() => {
    stage.world.timeline.after(minute - 2_500, sayAll)
  })
}

/** All relays at once, or one of them. */
function outage(stage: Stage, draw: Stream): void {
  const { faults, timeline } = stage.world
  const down = draw.chance(0.5) ? stage.relays : [draw.pick(stage.relays)]
  const forMs = draw.lognormal(60 * minute, 0.8)
  faults.strike('relay-outage')
  for (const relay of down) relay.crash()
  timeline.after(forMs, () => {
    for (const relay of down) relay.boot()
  })
}

/** A relay does what it should not for a while. */
function turn(stage: Stage, draw: Stream, relay: Relay): void {
  const { world } = stage
  const trick = draw.pick([...relayTricks, 'relay-old-disk'] as const)
  const forMs = draw.lognormal(30 * minute, 0.8)
  world.trace.note('relay-turns', { host: relay.name, trick })
  if (trick !== 'relay-old-disk') {
    const over = world.befall(relay.name, trick)
    relay.turn(trick)
    world.timeline.after(forMs, () => {
      if (relay.disk.trick === trick) relay.reform()
      over()
    })
    return
  }
  world.faults.strike(trick)
  const putBack = relay.disk.remember()
  stage.later(forMs, () => {
    relay.crash()
    putBack()
    relay.boot()
  })
}

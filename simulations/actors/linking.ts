import type { Stage } from '../scenarios/stage.ts'
import type { Machine } from './machine.ts'
import type { Person } from './person.ts'

const second = 1_000
const minute = 60 * second

/** What a new device is given of what was said before. */
export type Granted = 'all' | 'none'

/**
 * A person puts a new machine beside one of theirs and links it: the text of the link goes from screen to screen, the
 * pictures are compared, both are told yes. True once the new machine has the account; what fails on the way leaves a
 * machine that is thrown away.
 */
export async function linkMachine(
  stage: Stage,
  person: Person,
  old: Machine,
  granted: Granted,
): Promise<boolean> {
  const { world } = stage
  const fresh = person.newMachine()
  const apart = world.air.putBeside(old.name, fresh.name)
  world.trace.note('linking', { old: old.name, fresh: fresh.name, granted })
  person.linking = true
  await fresh.boot()
  const given = Promise.race([world.timeline.pause(10 * minute), stage.closed])
  await Promise.race([handOver(stage, old, fresh, granted), given])
  apart()
  const linked = fresh.device !== undefined && (await fresh.introduce(fresh.device))
  person.linking = false
  if (linked) world.ledger.linked(fresh, granted, old.name)
  else await throwAway(person, fresh)
  world.trace.note('linked', { fresh: fresh.name, linked })
  return linked
}

async function throwAway(person: Person, fresh: Machine): Promise<void> {
  await fresh.stop()
  person.machines.splice(person.machines.indexOf(fresh), 1)
}

async function handOver(stage: Stage, old: Machine, fresh: Machine, granted: Granted): Promise<boolean> {
  const { timeline, ledger } = stage.world
  const link = await fresh.device?.dispatch('link-offer', { deviceName: fresh.name }).catch(() => undefined)
  if (link === undefined) return false
  await timeline.pause(5 * second)
  const shown = await old.device
    ?.dispatch('link-approve', { code: link.link, history: granted })
    .catch(() => undefined)
  if (shown === undefined) return false
  await timeline.pause(5 * second)
  const match = fresh.pictures === shown.emoji.join()
  if (!match && fresh.pictures !== '')
    ledger.violate('same-pictures', `${fresh.name} and ${old.name} show other pictures`)
  const said = await Promise.all([fresh, old].map((one) => confirm(one, match)))
  return said.every((yes) => yes)
}

async function confirm({ device }: Machine, match: boolean): Promise<boolean> {
  const done = await device?.dispatch('link-confirm', { match }).catch(() => undefined)
  return done !== undefined
}

/** Takes every device off the account that is in none of the person's hands: a linking broke off after it was added. */
export async function removeStrays({ world }: Stage, person: Person): Promise<void> {
  if (person.linking) return
  const device = person.devices.find((machine) => machine.device !== undefined)?.device
  const listed = (await device?.view('devices', {}).catch(() => undefined)) ?? []
  for (const { deviceId, state } of listed) {
    const machine = person.machines.find((one) => one.deviceId === deviceId)
    // The answer to a removal may have been lost with the power.
    if (machine !== undefined && state === 'revoked') {
      machine.out = true
      world.ledger.heldOut(machine)
    }
    if (state === 'active' && machine === undefined)
      await device?.dispatch('remove-device', { deviceId }).catch(() => undefined)
  }
}

/** Takes what no longer opens off its account, from another device of the person's that is there. */
export async function discardWrecks(stage: Stage): Promise<void> {
  for (const { machines, devices } of stage.people) {
    const by = devices.find(({ device }) => device !== undefined)
    for (const wreck of machines.filter(({ wrecked, out }) => wrecked && !out))
      if (by !== undefined && (await removeMachine(stage, by, wreck))) stage.world.did('remove-device')
  }
}

/** Takes one of a person's devices off the account, from another. */
export async function removeMachine(stage: Stage, by: Machine, gone: Machine): Promise<boolean> {
  const removal = stage.world.ledger.removing(by, gone)
  const done = await by.device
    ?.dispatch('remove-device', { deviceId: gone.deviceId })
    .then(() => true)
    .catch(() => false)
  if (done !== true) return false
  gone.out = true
  stage.world.ledger.removed(removal, by)
  stage.world.trace.note('device-removed', { by: by.name, gone: gone.name })
  return true
}

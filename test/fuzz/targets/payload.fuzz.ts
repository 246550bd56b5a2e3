import { payloadFrame } from '../../../packages/core/src/device/payload.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { Town, type Person } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { accountOf, Liar } from '../../support/liar.ts'
import { sameBytes } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

/** Inputs one victim hears before the next one takes its place. */
const inputsEach = 40

/** A member of a group who also has a conversation of two with the victim, and lies in both. */
interface Scene {
  readonly town: Town
  readonly liar: Liar
  readonly victim: Person
  readonly mallory: Person
  readonly conversationId: string
  heard: number
}

async function open(): Promise<Scene> {
  const town = await Town.found()
  const liar = new Liar('Mallory')
  town.provider = liar.provider
  const [victim, mallory, cy] = [
    await town.person('Ada'),
    await town.person('Mallory'),
    await town.person('Cy'),
  ]
  await befriend(town, mallory, victim)
  await befriend(town, mallory, cy)
  const members = [await accountOf(victim), await accountOf(cy)]
  const { conversationId } = await mallory.device.dispatch('create-group', { name: 'Fuzz', members })
  await town.pass(10_000)
  const said = await victim.device.dispatch('send', { conversationId, text: 'one' })
  await mallory.device.dispatch('react', { messageId: said.messageId, emoji: '👍' }).catch(() => undefined)
  await town.pass(10_000)
  // Meeting again, the two exchange what they hold: sync is among what is said.
  await victim.close()
  await cy.device.dispatch('send', { conversationId, text: 'two' })
  await town.pass(5_000)
  await cy.close()
  await victim.open(true)
  await town.pass(30_000)
  return { town, liar, victim, mallory, conversationId, heard: 0 }
}

let scene = await open()
const seeds = scene.liar.plaintexts.filter(({ length }) => length < limits.paddedMaxBytes / 4).slice(-40)

/** Gives a payload to a device inside a session; whatever it says, the device goes on. */
const live: FuzzTarget = {
  name: 'device/payload at a member',
  seeds,
  weight: 400,
  run: async (input) => {
    if (input.length >= limits.paddedMaxBytes) return false
    if (scene.heard++ >= inputsEach) scene = await open()
    const { town, liar, victim, mallory, conversationId } = scene
    await liar.utter(town, input, () => mallory.device.dispatch('send', { conversationId, text: 'fuzz' }))
    const halted = await Promise.race([victim.device.halted, Promise.resolve(undefined)])
    if (halted !== undefined) {
      scene.heard = inputsEach
      throw halted
    }
    await victim.device.view('status', {})
    return payloadFrame.decode(input).ok
  },
}

/** Items of later versions are passed over when read, and never written. */
const decoder: FuzzTarget = {
  name: 'device/payload',
  seeds,
  run: (input) => {
    const decoded = payloadFrame.decode(input)
    if (!decoded.ok) return false
    const known = decoded.value.items.every(({ kind }) => kind !== 'unknown')
    return !known || sameBytes(payloadFrame.encode(decoded.value), input)
  },
}

export const targets: readonly FuzzTarget[] = [decoder, live]

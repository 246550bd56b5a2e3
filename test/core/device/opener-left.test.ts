import { expect } from 'chai'
import { Town, type Person } from '../../support/devices.ts'
import { acquainted, groupOf } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'
import { Puppet } from '../../support/puppet.ts'
import { PuppetGroup } from '../../support/puppet-group.ts'
import { fromBase32 } from '../../../packages/core/src/wire/index.ts'
import type { AccountId, DeviceId } from '../../../packages/core/src/identity/index.ts'

const names = async ({ device }: Person, conversationId: string): Promise<readonly string[]> =>
  (await device.view('members', { conversationId })).map(({ name }) => name).sort()

const outsides = async ({ device }: Person, conversationId: string) =>
  (await device.view('history', { conversationId })).messages.map(({ text, outside }) => [text, outside])

/** Ada opened a group on her phone, made Bob an owner beside her, and left on her laptop. */
async function left() {
  const town = await Town.found()
  const [ada, bob, cy, eve] = await acquainted(town, ['Ada', 'Bob', 'Cy', 'Eve'])
  const laptop = await town.link(ada, 'laptop', 'all')
  const conversationId = await groupOf(town, ada, [bob, cy, eve], 'Walkers')
  for (const person of [ada, laptop, bob]) {
    await person.device.dispatch('send', { conversationId, text: `I am ${person.name}` })
    await town.pass(10_000)
  }
  const accountId = await accountOf(bob)
  await ada.device.dispatch('group-role', { conversationId, accountId, role: 'owner' })
  await town.pass(20_000)
  await laptop.device.dispatch('group-leave', { conversationId })
  await town.pass(60_000)
  return {
    ...{ town, ada, laptop, bob, cy, eve, conversationId },
    phone: (await ada.device.view('self', {}))!,
  }
}

describe('device: a group whose opener has left', () => {
  it('stands as it was, with all that was said, when the opener’s phone is removed', async () => {
    const { town, laptop, bob, cy, eve, conversationId, phone } = await left()
    const said = await outsides(cy, conversationId)
    await laptop.device.dispatch('remove-device', { deviceId: phone.deviceId })
    await town.pass(60_000)
    await bob.device.dispatch('send', { conversationId, text: 'still here' })
    await town.pass(60_000)
    for (const person of [bob, cy, eve]) {
      expect(await names(person, conversationId), person.name).to.deep.equal(['Bob', 'Cy', 'Eve'])
      const now = await outsides(person, conversationId)
      expect(now, person.name).to.deep.equal([...said, ['still here', null]])
    }
  })

  it('does not fall by the word of somebody who says that the phone never wrote anything', async () => {
    const { town, laptop, bob, cy, eve, conversationId, phone } = await left()
    const id = fromBase32(conversationId)!
    const puppet = await Puppet.possess(town, eve)
    const account = fromBase32(phone.accountId)! as AccountId
    const last = [{ device: fromBase32(phone.deviceId)! as DeviceId, record: null, op: null }]
    const group = new PuppetGroup(puppet, id)
    const args = { kind: 'deviceset', account, heads: puppet.headsOf(account), last } as const
    const word = group.write(args, town.clock.nowMs())
    await group.tell(bob, [word])
    await group.tell(cy, [word])
    await puppet.leave()
    await laptop.device.dispatch('remove-device', { deviceId: phone.deviceId })
    await town.pass(120_000)
    await bob.device.dispatch('send', { conversationId, text: 'still here' })
    await town.pass(60_000)
    for (const person of [bob, cy]) {
      expect(await names(person, conversationId), person.name).to.deep.equal(['Bob', 'Cy', 'Eve'])
      const now = await outsides(person, conversationId)
      expect(
        now.filter(([, outside]) => outside !== null),
        person.name,
      ).to.deep.equal([])
      expect(now.at(-1), person.name).to.deep.equal(['still here', null])
    }
  })

  it('hears from whoever left how far the words of their phone reach, which a thief had by then', async () => {
    const { town, ada, laptop, bob, cy, eve, conversationId, phone } = await left()
    const said = await outsides(cy, conversationId)
    const apart = [[laptop], [ada, bob, cy, eve]]
    town.part(apart)
    await ada.close()
    await ada.open(true)
    const thief = await Puppet.possess(town, ada)
    const forged = thief.forge(fromBase32(conversationId)!, {}, 'the thief').incoming
    await laptop.device.dispatch('remove-device', { deviceId: phone.deviceId })
    await thief.say(cy, [{ kind: 'records', from: 0, records: [forged] }])
    await thief.leave()
    await town.pass(20_000)
    town.join(apart)
    await town.pass(120_000)
    for (const person of [bob, cy]) {
      expect(await names(person, conversationId), person.name).to.deep.equal(['Bob', 'Cy', 'Eve'])
      const now = await outsides(person, conversationId)
      expect(now, person.name).to.have.deep.members([...said, ['the thief', 'device-out']])
    }
  })
})

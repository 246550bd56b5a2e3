import type { OpId } from '../../../packages/core/src/group/index.ts'
import { expect } from 'chai'
import type { PayloadItem } from '../../../packages/core/src/device/payload.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toBase32 } from '../../../packages/core/src/wire/index.ts'
import { acquainted, befriend, groupOf } from '../../support/friends.ts'
import { Town } from '../../support/devices.ts'
import { accountOf, Liar } from '../../support/liar.ts'

/** Bytes of what an item tells of operations and accounts. */
function toldIn(item: PayloadItem): number {
  const lists =
    item.kind === 'account'
      ? [item.genesis, ...item.ops, ...item.bundles]
      : item.kind === 'group'
        ? item.ops
        : []
  return lists.reduce((sum, one) => sum + one.length, 0)
}

describe('device: a group whose operations fill more than one frame', () => {
  it('comes to a newcomer in parts, is not shown before it is theirs, and is whole in the end', async () => {
    const town = await Town.found()
    const observer = new Liar('Ada')
    town.provider = observer.provider
    const [ada, bob, cy] = [await town.person('Ada'), await town.person('Bob'), await town.person('Cy')]
    await befriend(town, ada, bob)
    await befriend(town, ada, cy)
    for (const name of ['tablet', 'desk']) await town.link(cy, name)
    await bob.close()
    const members = [await accountOf(cy)]
    const { conversationId } = await ada.device.dispatch('create-group', { name: 'Many', members })
    for (let timerMs = 1; timerMs <= 80; timerMs++)
      await ada.device.dispatch('group-policy', { conversationId, timerMs: timerMs * 1_000_000 })
    await town.pass(20_000)
    await bob.open(false)
    const accountId = await accountOf(bob)
    await bob.close()
    await ada.device.dispatch('group-add', { conversationId, accountId })
    await town.pass(1_000)
    observer.payloads.length = 0
    const arrived = bob.events.length
    await bob.open(true)
    await town.pass(60_000)
    const told = observer.payloads.filter((items) => items.some(({ kind }) => kind === 'group'))
    expect(told).to.have.length.above(1)
    const sizes = told.map((items) => items.reduce((sum, item) => sum + toldIn(item), 0))
    expect(Math.max(...sizes)).to.be.within(limits.payloadGroupBytes / 4, limits.payloadGroupBytes)
    const shown = bob.events.slice(arrived).filter(({ type }) => type === 'group')
    expect(shown, 'a part of a group is no news').to.have.length(1)
    const seen = await bob.device.view('members', { conversationId })
    expect(seen.find(({ name }) => name === 'Cy')?.devices).to.have.length(3)
    expect(await bob.device.view('policy', { conversationId })).to.include({ timerMs: 80_000_000 })
    await bob.device.dispatch('send', { conversationId, text: 'here at last' })
    await town.pass(10_000)
    expect(await cy.texts(conversationId)).to.deep.equal(['here at last'])
  })

  it('is whole on every device when it introduces more people than fit in one frame', async () => {
    const bounded = limits as { payloadGroupBytes: number }
    const { payloadGroupBytes } = bounded
    bounded.payloadGroupBytes = 10_000
    try {
      const town = await Town.found()
      const [ada, ...others] = await acquainted(town, ['Ada', 'Bob', 'Cy', 'Dee', 'Eve', 'Fay', 'Gus', 'Hal'])
      const conversationId = await groupOf(town, ada, others, 'Choir')
      for (const person of others) {
        const members = await person.device.view('members', { conversationId })
        expect(members, person.name).to.have.length(1 + others.length)
        await person.device.dispatch('send', { conversationId, text: `I am ${person.name}` })
      }
      await town.pass(60_000)
      expect(await ada.texts(conversationId)).to.have.members(others.map(({ name }) => `I am ${name}`))
    } finally {
      bounded.payloadGroupBytes = payloadGroupBytes
    }
  })

  it('is not kept when it never was for this account, and many such stay within their limit', async () => {
    const town = await Town.found()
    const liar = new Liar('Mallory')
    town.provider = liar.provider
    const [bob, cy, mallory] = [
      await town.person('Bob'),
      await town.person('Cy'),
      await town.person('Mallory'),
    ]
    const withBob = await befriend(town, mallory, bob)
    await befriend(town, mallory, cy)
    const groups: PayloadItem[] = []
    const nowhere = new Uint8Array(32) as OpId
    for (let n = 0; n < limits.arrivingGroups + 4; n++) {
      await mallory.device.dispatch('create-group', { name: `Trap ${n}`, members: [await accountOf(cy)] })
      await town.pass(2_000)
      const told = liar.said.findLast((item) => item.kind === 'group' && item.ops.length > 0)
      if (told?.kind === 'group') groups.push({ ...told, heads: [...told.heads, nowhere] })
    }
    expect(groups).to.have.length(limits.arrivingGroups + 4)
    const before = await bob.device.view('status', {})
    for (const group of groups)
      await liar.say(town, [group], () =>
        mallory.device.dispatch('send', { conversationId: withBob, text: 'a lie' }),
      )
    const status = await bob.device.view('status', {})
    expect(status.conversations).to.equal(before.conversations)
    const kept = await Promise.all(
      groups.map((group) =>
        bob.device
          .view('members', { conversationId: group.kind === 'group' ? toBase32(group.conversation) : '' })
          .then(() => 1)
          .catch(() => 0),
      ),
    )
    expect(kept.reduce<number>((sum, one) => sum + one, 0)).to.be.within(1, limits.arrivingGroups)
  })
})

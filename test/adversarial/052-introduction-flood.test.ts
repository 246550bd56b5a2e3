import { expect } from 'chai'
import type { PayloadItem } from '../../packages/core/src/device/payload.ts'
import { limits } from '../../packages/core/src/limits.ts'
import { toBase32 } from '../../packages/core/src/wire/index.ts'
import { Scene } from '../core/identity/support.ts'
import { Town } from '../support/devices.ts'
import { befriend } from '../support/friends.ts'
import { accountOf, Liar } from '../support/liar.ts'

const flood = limits.looseAccounts + 120
const eachTime = 60

/** An account nobody has, with a device. */
function invented(n: number): { readonly accountId: string; readonly item: PayloadItem } {
  const scene = new Scene(`invented ${n}`)
  const { bytes } = scene.add(null, 'F', [])
  const item = {
    kind: 'account',
    genesis: scene.account.bytes,
    name: `Nobody ${n}`,
    ops: [bytes],
    bundles: [],
  } as const
  return { accountId: toBase32(scene.account.id), item }
}

describe('052: introductions without end', () => {
  it('fill a limited space, and keep out neither friends nor the members of groups', async () => {
    const town = await Town.found()
    const liar = new Liar('Mallory')
    town.provider = liar.provider
    const [ada, bob, cy, mallory] = [
      await town.person('Ada'),
      await town.person('Bob'),
      await town.person('Cy'),
      await town.person('Mallory'),
    ]
    await befriend(town, bob, ada)
    await befriend(town, bob, cy)
    const conversationId = await befriend(town, mallory, ada)
    const group = async (name: string) => {
      const members = [await accountOf(ada), await accountOf(cy)]
      const made = await bob.device.dispatch('create-group', { name, members })
      await town.pass(20_000)
      return made.conversationId
    }
    const first = await group('before')
    const people = Array.from({ length: flood }, (_, n) => invented(n))
    for (let at = 0; at < flood; at += eachTime)
      await liar.say(
        town,
        people.slice(at, at + eachTime).map(({ item }) => item),
        () => mallory.device.dispatch('send', { conversationId, text: 'a lie' }),
      )
    const known = await Promise.all(
      people.map(({ accountId }) =>
        ada.device.view('safety', { accountId }).then(
          () => true,
          () => false,
        ),
      ),
    )
    const kept = known.filter(Boolean).length
    expect(kept).to.be.within(1, limits.looseAccounts)
    expect(known.at(-1), 'the newest are kept').to.equal(true)
    const second = await group('after')
    for (const one of [first, second]) {
      const members = await ada.device.view('members', { conversationId: one })
      expect(members.map(({ name, devices }) => `${name} ${devices.length}`)).to.deep.equal([
        'Bob 1',
        'Ada 1',
        'Cy 1',
      ])
      await cy.device.dispatch('send', { conversationId: one, text: 'hello' })
      await town.pass(10_000)
      expect(await ada.texts(one)).to.deep.equal(['hello'])
    }
  }).timeout(60_000)
})

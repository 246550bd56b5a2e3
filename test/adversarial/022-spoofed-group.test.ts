import { expect } from 'chai'
import { directConversationId } from '../../packages/core/src/history/index.ts'
import { fromBase32, toBase32 } from '../../packages/core/src/wire/index.ts'
import { syncFrames, type PayloadItem } from '../../packages/core/src/device/payload.ts'
import { Town, type Person } from '../support/devices.ts'
import { befriend } from '../support/friends.ts'
import { accountOf, Liar } from '../support/liar.ts'

const idOf = (text: string): Uint8Array => fromBase32(text)!
const accountBytes = async (person: Person) => idOf(await accountOf(person)) as never

describe('022: what is said of groups and in sync', () => {
  it('nothing is asked of a contact who is blocked, or of a stranger whose invite was used up', async () => {
    const town = await Town.found()
    const observer = new Liar('Ada')
    town.provider = observer.provider
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const mallory = await town.person('Mallory')
    const conversationId = await befriend(town, ada, bob)
    await ada.device.dispatch('send', { conversationId, text: 'last words' })
    await town.pass(10_000)
    await ada.device.dispatch('block', { accountId: await accountOf(bob) })
    await bob.close()
    await town.pass(5_000)
    observer.said.length = 0
    await bob.open(true)
    await bob.device.dispatch('send', { conversationId, text: 'answer me' })
    await town.pass(120_000)
    expect(
      observer.said.map(({ kind }) => kind),
      'to who is blocked',
    ).to.deep.equal([])

    const { link } = await ada.device.dispatch('create-invite', { direct: true })
    const cy = await town.person('Cy')
    for (const guest of [cy, mallory]) {
      const adding = guest.device.dispatch('add', { link }).catch(() => undefined)
      await town.pass(20_000)
      await adding
    }
    observer.said.length = 0
    await mallory.close()
    await mallory.open(true)
    await town.pass(120_000)
    expect(
      observer.said.map(({ kind }) => kind),
      'to who was refused',
    ).not.to.include('sync')
  })

  it('a conversation of two is opened by one of the two', async () => {
    const town = await Town.found()
    const liar = new Liar('Mallory')
    town.provider = liar.provider
    const [ada, bob, mallory] = [
      await town.person('Ada'),
      await town.person('Bob'),
      await town.person('Mallory'),
    ]
    await befriend(town, mallory, ada)
    await befriend(town, mallory, bob)
    const members = [await accountOf(ada), await accountOf(bob)]
    await mallory.device.dispatch('create-group', { name: 'Trap', members })
    await town.pass(10_000)
    const accounts = [await accountBytes(ada), await accountBytes(bob)] as const
    const conversation = directConversationId(town.crypto, accounts[0], accounts[1])
    const look = () =>
      ada.device.view('history', { conversationId: toBase32(conversation) }).catch((error: unknown) => error)
    expect(await look()).to.include({ code: 'E_NOT_FOUND' })
    const group = { conversation, accounts, heads: [], since: null, logs: [], ops: [] }
    const withAda = (await mallory.device.view('conversations', {})).find(
      ({ accountId, kind }) => kind === 'direct' && accountId === members[0],
    )!
    await liar.say(town, [{ kind: 'group', ...group }], () =>
      mallory.device.dispatch('send', { conversationId: withAda.conversationId, text: 'a lie' }),
    )
    expect(await look()).to.include({ code: 'E_NOT_FOUND' })
  })

  it('one question of sync in many copies is not answered as often', async () => {
    const town = await Town.found()
    const [liar, observer] = [new Liar('Mallory'), new Liar('Ada')]
    town.provider = (crypto, name) => liar.provider(observer.provider(crypto, name), name)
    const [ada, mallory] = [await town.person('Ada'), await town.person('Mallory')]
    const conversationId = await befriend(town, mallory, ada)
    for (let n = 0; n < 20; n++) await ada.device.dispatch('send', { conversationId, text: `long ${n}` })
    await town.pass(10_000)
    await mallory.close()
    await mallory.open(true)
    await town.pass(10_000)
    const ask = liar.said.findLast((item) => item.kind === 'sync' && item.what === syncFrames.ask)
    const answers = () =>
      observer.said.filter((item) => item.kind === 'sync' && item.what === syncFrames.answer).length
    const before = answers()
    await liar.say(town, new Array<PayloadItem>(50).fill(ask!), () =>
      mallory.device.dispatch('send', { conversationId, text: 'a lie' }),
    )
    expect(answers() - before).to.be.within(1, 4)
  })
})

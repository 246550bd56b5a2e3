import { expect } from 'chai'
import type { CommandName, QueryName } from '../../../packages/core/src/device/api.ts'
import { MemoryStore, seededRandom } from '@sotto/core/memory'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import { openSealedStore } from '../../../packages/core/src/device/sealed-store.ts'
import { rows } from '../../../packages/core/src/device/row.ts'
import { bodyRows, formatRows, onlyRow, rowFormat } from '../../../packages/core/src/device/tables.ts'
import { bytesBetween } from '../../../packages/core/src/wire/index.ts'
import { Town } from '../../support/devices.ts'
import { FaultyStore } from '../../support/faulty-store.ts'
import { befriend } from '../../support/friends.ts'

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code

describe('device: what callers and disks do wrong', () => {
  it('answers malformed commands and queries with a usage error and goes on', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const wrong: readonly unknown[] = [undefined, null, 7, 'text', [], {}, { name: 5 }, { text: {} }]
    for (const name of [
      'send',
      'add',
      'rename-contact',
      'confirm-recovery',
      'toString',
      '__proto__',
      'nothing',
    ])
      for (const input of wrong) {
        const failed = await ada.device.dispatch(name as CommandName, input as never).catch(codeOf)
        expect(failed, `${name} ${JSON.stringify(input)}`).to.equal('E_INPUT')
      }
    for (const name of ['history', 'safety', 'events', 'constructor'])
      expect(await ada.device.view(name as QueryName, { since: 'x' }).catch(codeOf)).to.equal('E_INPUT')
    expect(await ada.device.view('self', {})).to.include({ name: 'Ada' })
  })

  it('names every refusal by its code', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const conversationId = await befriend(town, ada, bob)
    const { accountId } = (await ada.device.view('contacts', {}))[0] ?? { accountId: '' }
    const refused = async (work: Promise<unknown>): Promise<unknown> => work.then(() => 'nothing', codeOf)
    const { device } = ada
    expect(await refused(device.dispatch('create-account', { name: 'Again' }))).to.equal(
      'E_ALREADY_INITIALISED',
    )
    expect(await refused(device.dispatch('send', { conversationId, text: '' }))).to.equal('E_TEXT')
    expect(await refused(device.dispatch('send', { conversationId, text: '\ud800' }))).to.equal('E_TEXT')
    expect(
      await refused(device.dispatch('send', { conversationId, text: 'x'.repeat(32 * 1024 + 1) })),
    ).to.equal('E_TEXT')
    expect(await refused(device.dispatch('send', { conversationId: 'short', text: 'x' }))).to.equal('E_ID')
    expect(await refused(device.dispatch('send', { conversationId: accountId, text: 'x' }))).to.equal(
      'E_NOT_FOUND',
    )
    expect(await refused(device.view('history', { conversationId, limit: 0 }))).to.equal('E_LIMIT')
    expect(await refused(device.view('history', { conversationId, limit: 1_001 }))).to.equal('E_LIMIT')
    await device.dispatch('block', { accountId })
    expect(await refused(device.dispatch('send', { conversationId, text: 'x' }))).to.equal('E_BLOCKED')
    await ada.close()
    expect(await refused(device.dispatch('send', { conversationId, text: 'x' }))).to.equal('E_STOPPED')
    await ada.open(false)
    expect(await refused(ada.device.dispatch('add', { link: 'sotto:i#x' }))).to.equal('E_INVITE_MALFORMED')
  })

  it('carries the longest text there is, in a first flight as later', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const { link } = await ada.device.dispatch('create-invite', { direct: true })
    const adding = bob.device.dispatch('add', { link })
    await town.settle()
    town.hub.cut(ada.peerId, bob.peerId)
    await town.pass(20_000)
    const { conversationId } = await adding
    const long = 'é'.repeat(16 * 1024)
    for (const text of [long, 'short', long]) await bob.device.dispatch('send', { conversationId, text })
    town.hub.heal(ada.peerId, bob.peerId)
    await bob.device.dispatch('retry-now', {})
    await town.pass(60_000)
    for (const text of [long, long]) await ada.device.dispatch('send', { conversationId, text })
    await town.pass(10_000)
    expect(await ada.texts(conversationId)).to.deep.equal([long, 'short', long, long, long])
    expect(await bob.texts(conversationId)).to.deep.equal(await ada.texts(conversationId))
  })

  it('a full disk: nothing leaves, reads go on, and all is well after', async () => {
    const town = await Town.found()
    const store = new FaultyStore()
    const ada = await town.person('Ada', { store })
    const bob = await town.person('Bob')
    const conversationId = await befriend(town, ada, bob)
    await ada.device.dispatch('send', { conversationId, text: 'before' })
    await town.pass(2_000)
    store.fullAfter(0)
    expect(await ada.device.dispatch('send', { conversationId, text: 'lost' }).catch(codeOf)).to.equal(
      'E_STORE_FULL',
    )
    await bob.device.dispatch('send', { conversationId, text: 'kept by its author' })
    await town.pass(20_000)
    const [shown] = await Promise.all([
      ada.texts(conversationId),
      ada.device.dispatch('send', { conversationId, text: 'lost too' }).catch(() => undefined),
    ])
    expect(shown).to.deep.equal(['before'])
    expect(await bob.texts(conversationId)).to.deep.equal(['before', 'kept by its author'])
    store.free()
    await ada.device.dispatch('send', { conversationId, text: 'after' })
    await town.pass(120_000)
    const all = await ada.texts(conversationId)
    expect([...all].sort()).to.deep.equal(['after', 'before', 'kept by its author'])
    expect(await bob.texts(conversationId)).to.deep.equal(all)
  })

  it('101: a disk that fails a sync: no success is told, reads go on, a restart mends it', async () => {
    const town = await Town.found()
    let store = new FaultyStore()
    const ada = await town.person('Ada', { store })
    const bob = await town.person('Bob')
    const conversationId = await befriend(town, ada, bob)
    store.failSync()
    const first = await ada.device.dispatch('send', { conversationId, text: 'in doubt' }).catch(codeOf)
    expect(first).to.equal('E_STORE_IO')
    const second = await ada.device.dispatch('send', { conversationId, text: 'refused' }).catch(codeOf)
    expect(second).to.equal('E_STORE_IO')
    expect(await ada.texts(conversationId)).to.deep.equal([])
    await town.pass(20_000)
    expect(await bob.texts(conversationId)).to.deep.equal([])
    await ada.close()
    store = await store.reopen()
    ada.store = store
    await ada.open(true)
    await ada.device.dispatch('send', { conversationId, text: 'again' })
    await town.pass(60_000)
    const texts = await bob.texts(conversationId)
    expect(texts.filter((text) => text !== 'in doubt')).to.deep.equal(['again'])
    expect(await ada.texts(conversationId)).to.deep.equal(texts)
  })

  it('puts its records in the DHT as soon as there is somebody to take them', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const invite = async () => (await ada.device.view('invites', {}))[0]
    await ada.device.dispatch('create-invite', {})
    await town.pass(60_000)
    expect((await invite())?.heldBy).to.deep.equal([])
    const bob = await town.person('Bob')
    const adasAddress = `/memory/${ada.peerId}/p2p/${ada.peerId}`
    await bob.device.dispatch('add-bootstrap', { address: adasAddress })
    await town.pass(10_000)
    expect((await invite())?.heldBy).to.deep.equal(['dht'])
  })

  it('halts for good on an error of its own, and says so to who runs it', async () => {
    const town = await Town.found()
    const broken = { on: false }
    town.provider = (crypto) => ({
      ...crypto,
      sign: (...input: Parameters<typeof crypto.sign>) => {
        if (broken.on) throw new TypeError('a mistake of ours')
        return crypto.sign(...input)
      },
    })
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    broken.on = true
    const send = () => ada.device.dispatch('send', { conversationId, text: 'never' }).catch(codeOf)
    expect(await send()).to.equal(undefined)
    expect((await ada.device.halted).code).to.equal('E_BUG')
    expect(await send()).to.equal('E_BUG')
    expect(await ada.device.view('status', {}).catch(codeOf)).to.equal('E_BUG')
  })

  it('refuses rows of a later version, and leaves them as they are', async () => {
    const town = await Town.found()
    const store = new MemoryStore()
    const ada = await town.person('Ada', { store })
    await ada.close()
    const openRows = async () =>
      openSealedStore({
        crypto: town.crypto,
        store: store.reopen(),
        random: seededRandom(town.crypto, 'later version'),
        key: new Secret(town.crypto.sha256(new TextEncoder().encode('Ada'))),
        nowMs: town.clock.nowMs(),
      })
    const rows = await openRows()
    const later = { table: formatRows, key: onlyRow, value: formatRows.encode({ format: rowFormat + 1 }) }
    await rows.commit([later], { durable: true })
    await rows.close()
    ada.store = store.reopen()
    expect(await ada.open(false).catch(codeOf)).to.equal('E_STORE_NEWER')
    const again = await openRows()
    expect(await again.get(formatRows, onlyRow)).to.deep.equal(later.value)
  })

  it('refuses an input alone that would make a row too large, whatever waits beside it', async () => {
    const town = await Town.found()
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    const { encode } = bodyRows
    const limited = rows('body', bytesBetween(0, 8), { kind: 'append', resident: false })
    const patched = bodyRows as { encode: typeof encode }
    patched.encode = (value) => {
      if (value.said.body.length === 17) limited.encode(value.said.body)
      return encode(value)
    }
    try {
      const said = ['one', 'a poisoned text', 'two'].map((text) =>
        bob.device.dispatch('send', { conversationId, text }).then(() => 'sent', codeOf),
      )
      expect(await Promise.all(said)).to.deep.equal(['sent', 'E_ROW_LIMIT', 'sent'])
      await town.pass(10_000)
      expect(await ada.texts(conversationId)).to.deep.equal(['one', 'two'])
    } finally {
      patched.encode = encode
    }
    await bob.device.dispatch('send', { conversationId, text: 'three' })
    await town.pass(10_000)
    expect(await ada.texts(conversationId)).to.deep.equal(['one', 'two', 'three'])
  })
})

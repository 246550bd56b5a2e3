import { expect } from 'chai'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import type { AnyRows } from '../../../packages/core/src/device/row.ts'
import { Vault } from '../../../packages/core/src/device/sealed-store-vault.ts'
import { aboutRows, bodyRows, recordRows } from '../../../packages/core/src/device/tables.ts'
import { readRecord, recordKinds } from '../../../packages/core/src/history/index.ts'
import { seededRandom } from '../../../packages/core/src/memory/index.ts'
import { fromBase32, fromHex, utf8 } from '../../../packages/core/src/wire/index.ts'
import { Town, type Person } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { copyOf, OpenedHome } from '../../support/opened-home.ts'

const actions = ['edit', 'redact', 'react'] as const
type Action = (typeof actions)[number]
const rows = {
  'the record itself': recordRows,
  'its body': bodyRows,
  'the row that names what is about the message': aboutRows,
} as const

/** A message of Ada's that Bob reacted to, another she changed, a third she took back. */
async function stage() {
  const town = await Town.found()
  const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
  const conversationId = await befriend(town, ada, bob)
  const say = async (text: string): Promise<string> => {
    const { messageId } = await ada.device.dispatch('send', { conversationId, text })
    await town.pass(5_000)
    return messageId
  }
  const targets = { react: await say('liked'), edit: await say('half past ten'), redact: await say('wrong') }
  await bob.device.dispatch('react', { messageId: targets.react, emoji: '👍' })
  await ada.device.dispatch('react', { messageId: targets.react, emoji: '🎉' })
  await ada.device.dispatch('edit', { messageId: targets.edit, text: 'half past nine' })
  await ada.device.dispatch('delete', { messageId: targets.redact })
  await town.pass(20_000)
  return { town, ada, bob, conversationId, targets }
}

/** Key of the row: of Ada's action of that kind, or of the message it is about. */
async function keyOf(town: Town, home: Person, table: AnyRows, action: Action, target: string, by: string) {
  if (table === aboutRows) return fromBase32(target)!
  const opened = await OpenedHome.of(town.crypto, home, town.clock.nowMs())
  for (const [id, value] of await opened.raw(recordRows)) {
    const content = readRecord(town.crypto, recordRows.decode(value).bytes)?.content
    const mine = content !== undefined && Buffer.from(content.account).equals(fromBase32(by)!)
    if (mine && content.kind === recordKinds[action]) return fromHex(id)
  }
  throw new Error('no such record')
}

async function spoil(
  town: Town,
  person: Person,
  table: AnyRows,
  key: Uint8Array,
  how: 'deleted' | 'flipped',
) {
  const store = await copyOf(person)
  const secret = new Secret(town.crypto.sha256(utf8(person.name)))
  const vault = new Vault(town.crypto, seededRandom(town.crypto, 'spoil'), secret)
  const { dbKey } = vault.address(table.name, key)
  const value = (await store.get(dbKey))!
  value[value.length >> 1]! ^= 4
  const op = how === 'deleted' ? ({ type: 'del', key: dbKey } as const) : undefined
  await store.batch([op ?? { type: 'put', key: dbKey, value }], { durable: true })
  person.store = store
}

describe('device: the text of a message that a store lost', () => {
  for (const how of ['deleted', 'flipped'] as const)
    it(`its row ${how}: is asked for, and comes again`, async () => {
      const { town, ada, bob, conversationId, targets } = await stage()
      const read = async () => (await bob.device.view('history', { conversationId })).messages[0]
      const exported = async () => (await bob.device.view('export', { conversationId })).json
      const [before, whole] = [await read(), await exported()]
      await bob.close()
      await spoil(town, bob, bodyRows, fromBase32(targets.react)!, how)
      town.hub.cut(ada.peerId, bob.peerId)
      await bob.open(true)
      expect(await exported(), 'an export goes without it').to.not.include('"text":"liked"')
      expect(await read()).to.include({ text: null, textMissing: 'asked-for' })
      town.hub.heal(ada.peerId, bob.peerId)
      await bob.device.dispatch('retry-now', {})
      await town.pass(60_000)
      expect(await read()).to.deep.equal(before)
      expect(await exported()).to.equal(whole)
    })
})

describe('device: an edit, a deletion or a reaction that a store lost', function () {
  this.timeout(60_000)
  for (const action of actions)
    for (const [what, table] of Object.entries(rows))
      for (const how of ['deleted', 'flipped'] as const)
        it(`${action}, ${what} ${how}: is counted, and comes again`, async () => {
          const { town, ada, bob, conversationId, targets } = await stage()
          const read = async () => {
            const { messages, missing } = await bob.device.view('history', { conversationId })
            return { missing, shown: messages.map((one) => ({ ...one, textMissing: null })), messages }
          }
          const before = await read()
          const by = (await ada.device.view('self', {}))!.accountId
          await bob.close()
          const key = await keyOf(town, bob, table, action, targets[action], by)
          await spoil(town, bob, table, key, how)
          town.hub.cut(ada.peerId, bob.peerId)
          await bob.open(true)
          for (let look = 0; look < 3; look++) {
            const now = await read()
            const named =
              now.missing > 0 || now.messages.some(({ textMissing }) => textMissing === 'asked-for')
            const same = JSON.stringify(now.shown) === JSON.stringify(before.shown)
            expect(same || named, 'a message that reads otherwise says that something is missing').to.equal(
              true,
            )
            if (table === aboutRows) expect(same, 'the records themselves say it').to.equal(true)
            await town.pass(2_000)
          }
          town.hub.heal(ada.peerId, bob.peerId)
          await bob.device.dispatch('retry-now', {})
          await town.pass(60_000)
          const after = await read()
          expect(after.shown).to.deep.equal(before.shown)
          expect(after.missing).to.equal(0)
          await bob.close()
          await bob.open(true)
          const again = await read()
          expect([again.shown, again.missing]).to.deep.equal([before.shown, 0])
          await ada.device
            .dispatch('react', { messageId: targets[action], emoji: '🚲' })
            .catch(() => undefined)
          await town.pass(30_000)
          expect((await read()).missing).to.equal(0)
        })
})

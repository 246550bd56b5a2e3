import { expect } from 'chai'
import { Database } from '../../../packages/core/src/device/database.ts'
import { openSealedStore } from '../../../packages/core/src/device/sealed-store.ts'
import { pairwiseRows, tables } from '../../../packages/core/src/device/tables.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { decodePairwise, encodePairwise } from '../../../packages/core/src/session/index.ts'
import { MemoryStore, seededRandom } from '../../../packages/core/src/memory/index.ts'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import { utf8 } from '../../../packages/core/src/wire/index.ts'
import { Town, type Person } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'

/** Loses every session of a home that is closed, but not when it last began one. */
async function loseSessions(town: Town, person: Person): Promise<void> {
  if (!(person.store instanceof MemoryStore)) throw new Error('only a home in memory is changed')
  const { crypto, clock } = town
  person.store = person.store.reopen()
  const key = new Secret(crypto.sha256(utf8(person.name)))
  const random = seededRandom(crypto, `loss of ${person.name}`)
  const sealed = await openSealedStore({ crypto, store: person.store, random, key, nowMs: clock.nowMs() })
  const database = await Database.open(sealed, tables)
  const tx = database.begin()
  for (const row of await sealed.list(pairwiseRows)) {
    const before = decodePairwise(pairwiseRows.decode(row.value))
    if (before === undefined) throw new Error('a row does not decode')
    tx.put(pairwiseRows, row.key, encodePairwise({ ...before, sessions: [] }))
  }
  await database.commit(tx, { durable: true })
  await sealed.close()
}

describe('device: renewal of sessions', () => {
  it('a session one end has lost is made anew within minutes, however young it is', async () => {
    const town = await Town.found()
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    for (const [person, text] of [
      [ada, 'one'],
      [bob, 'two'],
    ] as const) {
      await person.device.dispatch('send', { conversationId, text })
      await town.pass(5_000)
    }
    // By the second round each end has begun one within the hour.
    for (const [loser, other, text] of [
      [ada, bob, 'three'],
      [bob, ada, 'four'],
      [ada, bob, 'five'],
      [bob, ada, 'six'],
    ] as const) {
      await loser.close()
      await loseSessions(town, loser)
      await loser.open(true)
      await town.pass(1_000)
      await other.device.dispatch('send', { conversationId, text })
      await town.pass(5 * limits.repairMs)
      expect((await loser.texts(conversationId)).at(-1)).to.equal(text)
    }
  })
})

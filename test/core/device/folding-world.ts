/** A conversation whose first segment came to rest, and what its devices keep of it on their disks. */
import { MemoryStore, seededRandom } from '../../../packages/core/src/memory/index.ts'
import type { Store } from '../../../packages/core/src/ports/index.ts'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import { openSealedStore } from '../../../packages/core/src/device/sealed-store.ts'
import { segmentKey } from '../../../packages/core/src/device/row.ts'
import { fileRows, recordRows, bodyRows } from '../../../packages/core/src/device/tables.ts'
import { fromBase32 } from '../../../packages/core/src/wire/index.ts'
import { Town, type Person } from '../../support/devices.ts'
import { FaultyStore } from '../../support/faulty-store.ts'
import { befriend } from '../../support/friends.ts'

const hour = 60 * 60 * 1_000

export interface FoldingWorld {
  readonly town: Town
  readonly ada: Person
  readonly bob: Person
  /** Ada's second device, which knows everything. */
  readonly laptop: Person
  readonly conversationId: string
  /** Messages of the first segment, by what became of them. */
  readonly plain: string
  readonly edited: string
  readonly deleted: string
}

/** Everything a person may see of a conversation, as comparable text. */
export async function seen(person: Person, conversationId: string): Promise<string> {
  const history = await person.device.view('history', { conversationId, limit: 1_000 })
  const messages = history.messages.map(({ author, state: _, receivedAtMs: __, ...rest }) => ({
    ...rest,
    author: author.accountId,
  }))
  return JSON.stringify({ messages, missing: history.missing })
}

export const exported = async (person: Person, conversationId: string): Promise<string> =>
  (await person.device.view('export', { conversationId })).json

/** Sends texts one after another; the ids of the messages. */
export async function say(person: Person, conversationId: string, ...texts: string[]): Promise<string[]> {
  const ids: string[] = []
  for (const text of texts) {
    const sent = await person.device.dispatch('send', { conversationId, text })
    ids.push(sent.messageId)
  }
  return ids
}

const many = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${name} ${n}`)

/**
 * A direct conversation of three devices: a first segment with all kinds of records, and a second with 130 messages.
 * With `away` Bob's device is off before the second begins, and has a word of the first segment that nobody has seen.
 */
export async function restedSegment(
  options: { readonly store?: Store; readonly away?: boolean } = {},
): Promise<FoldingWorld> {
  const town = await Town.found()
  const ada = await town.person('Ada', options)
  const bob = await town.person('Bob')
  const conversationId = await befriend(town, ada, bob)
  const [plain, edited, deleted] = (await say(ada, conversationId, ...many('a', 25))) as [
    string,
    string,
    string,
  ]
  await town.pass(5_000)
  const [answered] = await say(bob, conversationId, ...many('b', 25))
  await town.pass(5_000)
  await ada.device.dispatch('send', { conversationId, text: 'an answer', replyTo: answered! })
  await ada.device.dispatch('edit', { messageId: edited, text: 'put otherwise' })
  await ada.device.dispatch('delete', { messageId: deleted })
  await bob.device.dispatch('react', { messageId: plain, emoji: '👍' })
  await town.pass(5_000)
  if (options.away === true) {
    town.hub.cut(ada.peerId, bob.peerId)
    await say(bob, conversationId, 'late')
    await bob.close()
    town.hub.heal(ada.peerId, bob.peerId)
  }
  const laptop = await town.link(ada, 'laptop', 'all')
  await say(options.away === true ? ada : bob, conversationId, ...many('later', 130))
  await town.pass(30_000)
  return { town, ada, bob, laptop, conversationId, plain, edited, deleted }
}

/** Lets the first segment rest for a day, and be sealed. */
export async function rest({ town }: Pick<FoldingWorld, 'town'>): Promise<void> {
  town.clock.advance(25 * hour)
  await town.pass(hour)
}

/** What the disk of a device holds of a segment, and how many rows; the device is closed for it. */
export async function onDisk(town: Town, person: Person, conversationId: string, segment: number) {
  await person.close()
  const { crypto } = town
  const store = await reopened(person.store)
  const sealed = await openSealedStore({
    crypto,
    store,
    random: seededRandom(crypto, `look ${person.name} ${town.clock.nowMs()}`),
    key: new Secret(crypto.sha256(new TextEncoder().encode(person.name))),
    nowMs: town.clock.nowMs(),
  })
  const row = await sealed.get(fileRows, segmentKey(fromBase32(conversationId)!, segment))
  const found = {
    file: row === undefined ? undefined : fileRows.decode(row).file,
    records: sealed.count(recordRows),
    bodies: sealed.count(bodyRows),
  }
  await sealed.close()
  person.store = await reopened(store)
  return found
}

/** The same disk after a restart. */
export async function reopened(store: Store): Promise<Store> {
  if (store instanceof MemoryStore || store instanceof FaultyStore) return store.reopen()
  throw new Error('a store that does not outlive its process')
}

import { expect } from 'chai'
import type { Store } from '../../../packages/core/src/ports/index.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { CountingStore } from '../../support/counting-store.ts'
import { FaultyStore, type CrashMode } from '../../support/faulty-store.ts'
import type { Person } from '../../support/devices.ts'
import { exported, onDisk, reopened, rest, restedSegment, seen } from './folding-world.ts'

const sealings = (person: Person): number => person.log.count('segment-sealed')
const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code
const warnings = async (person: Person): Promise<readonly string[]> =>
  (await person.device.view('status', {})).warnings.map(({ code }) => code)

const everything = { gte: new Uint8Array(0), lt: new Uint8Array(64).fill(255) }
const keysOf = async (store: Store): Promise<Set<string>> =>
  new Set((await store.range(everything)).map(({ key }) => toHex(key)))

/** Flips one bit of the largest row that was not there before: the file of the sealed segment. */
async function spoilFile(store: Store, before: ReadonlySet<string>): Promise<void> {
  const rows = (await store.range(everything)).filter(({ key }) => !before.has(toHex(key)))
  const { key, value } = rows.reduce((a, b) => (b.value.length > a.value.length ? b : a))
  value[value.length >> 1]! ^= 4
  await store.batch([{ type: 'put', key, value }], { durable: true })
}

const hour = 60 * 60 * 1_000

describe('device: sealed segments', () => {
  it('read as they did, and are the same bytes on every device that holds the same', async () => {
    const world = await restedSegment()
    const { town, ada, bob, laptop, conversationId } = world
    const people = [ada, bob, laptop]
    const before = await Promise.all(people.map((one) => seen(one, conversationId)))
    const text = await exported(ada, conversationId)
    expect(await exported(laptop, conversationId)).to.equal(text)
    const rows = (await onDisk(town, ada, conversationId, 0)).records
    await ada.open(true)
    await rest(world)
    expect(people.map(sealings)).to.deep.equal([1, 1, 1])
    const disks = []
    for (const one of people) {
      disks.push(await onDisk(town, one, conversationId, 0))
      await one.open(true)
    }
    const [first] = disks
    expect(first?.records, 'rows of the journal').to.equal(rows - 54)
    expect(first?.bodies, 'bodies stay outside').to.equal(130 + 54 - 2)
    expect((first?.file?.length ?? 0) / 54, 'bytes a record').to.be.below(80)
    const files = new Set(disks.map(({ file }) => toHex(file ?? new Uint8Array(0))))
    expect(files.size).to.equal(1)
    for (const [i, one] of people.entries()) {
      expect(await seen(one, conversationId)).to.equal(before[i])
      expect(await exported(one, conversationId)).to.equal(text)
    }
  })

  it('are not read for the last page: a cold device reads its rows and no others', async () => {
    const world = await restedSegment()
    await rest(world)
    const { ada, conversationId } = world
    await ada.close()
    const store = new CountingStore(await reopened(ada.store))
    ada.store = store
    await ada.open(false)
    store.rows = 0
    const page = await ada.device.view('history', { conversationId, limit: 50 })
    expect([page.messages.length, page.more]).to.deep.equal([50, true])
    // A record, a body and what is about it for each; a page, and pages of the manifest that vouch for these.
    expect(store.rows).to.be.within(100, 200)
    store.rows = 0
    const [oldest] = page.messages
    expect((await ada.device.view('message', { messageId: oldest!.messageId })).text).to.be.a('string')
    expect(store.rows, 'rows for one message').to.be.below(20)
  })

  it('take edits, reactions, deletions and answers, and are paged through', async () => {
    const world = await restedSegment()
    const { town, ada, bob, laptop, conversationId, plain, edited, deleted } = world
    await rest(world)
    const reply = { conversationId, text: 'about long ago', replyTo: plain }
    expect((await ada.device.dispatch('send', reply)).replyTo).to.equal(plain)
    await ada.device.dispatch('edit', { messageId: edited, text: 'put otherwise again' })
    await bob.device.dispatch('react', { messageId: plain, emoji: '🎉' })
    expect(await ada.device.dispatch('edit', { messageId: deleted, text: 'no' }).catch(codeOf)).to.equal(
      'E_DELETED',
    )
    await town.pass(10_000)
    await ada.device.dispatch('delete', { messageId: plain })
    await town.pass(10_000)
    for (const one of [ada, bob, laptop]) {
      expect((await one.device.view('message', { messageId: edited })).text).to.equal('put otherwise again')
      const gone = await one.device.view('message', { messageId: plain })
      expect([gone.deleted, gone.text, gone.reactions]).to.deep.equal([true, null, []])
    }
    const all = (await ada.device.view('history', { conversationId, limit: 1_000 })).messages
    let pages: string[] = []
    let before: string | undefined
    for (let more = true; more;) {
      const page = { conversationId, limit: 7, ...(before === undefined ? {} : { before }) }
      const found = await ada.device.view('history', page)
      pages = [...found.messages.map(({ messageId }) => messageId), ...pages]
      ;[before, more] = [found.messages[0]?.messageId, found.more]
    }
    expect(pages).to.deep.equal(all.map(({ messageId }) => messageId))
    expect(await exported(bob, conversationId)).to.equal(await exported(ada, conversationId))
  })

  it('take in what comes late, and are sealed again to the bytes of who had it in time', async () => {
    const world = await restedSegment({ away: true })
    const { town, ada, bob, laptop, conversationId } = world
    await rest(world)
    const people = [ada, bob, laptop]
    expect(people.map(sealings)).to.deep.equal([1, 0, 1])
    await bob.open(true)
    await town.pass(hour)
    // Who has nothing to say meets nobody: the laptop learns of it when it speaks next.
    await laptop.close()
    await laptop.open(true)
    await laptop.device.dispatch('send', { conversationId, text: 'good morning' })
    await town.pass(hour)
    for (const one of people)
      expect((await one.texts(conversationId)).filter((text) => text === 'late')).to.have.length(1)
    const text = await exported(bob, conversationId)
    expect(await exported(ada, conversationId)).to.equal(text)
    await rest(world)
    expect(people.map(sealings)).to.deep.equal([2, 1, 2])
    expect(await exported(ada, conversationId)).to.equal(text)
    const files = new Set<string>()
    for (const one of people) files.add(toHex((await onDisk(town, one, conversationId, 0)).file!))
    expect(files.size).to.equal(1)
  })

  it('are condemned as a whole when damaged, said to be, and had again from the others', async () => {
    const world = await restedSegment()
    const { town, ada, bob, conversationId, plain } = world
    const keys = await keysOf(ada.store)
    await rest(world)
    const [before, text] = [await seen(ada, conversationId), await exported(ada, conversationId)]
    await ada.close()
    for (const other of [bob, world.laptop]) town.hub.cut(ada.peerId, other.peerId)
    const store = await reopened(ada.store)
    await spoilFile(store, keys)
    ada.store = store
    await ada.open(true)
    await town.pass(1_000)
    const alone = await ada.device.view('history', { conversationId, limit: 1_000 })
    expect(alone.messages).to.have.length(130)
    await town.pass(1_000)
    expect(await warnings(ada)).to.include('E_SEGMENT_DAMAGED')
    expect((await ada.device.view('history', { conversationId })).missing).to.equal(54)
    expect(await ada.device.view('message', { messageId: plain }).catch(codeOf)).to.equal('E_NOT_FOUND')
    for (const other of [bob, world.laptop]) town.hub.heal(ada.peerId, other.peerId)
    await town.pass(hour)
    expect((await seen(ada, conversationId)) === before).to.equal(true)
    expect(await exported(ada, conversationId)).to.equal(text)
    expect(await warnings(ada)).to.not.include('E_SEGMENT_DAMAGED')
    await rest(world)
    expect(await exported(ada, conversationId)).to.equal(text)
    const [mine, theirs] = [
      await onDisk(town, ada, conversationId, 0),
      await onDisk(town, bob, conversationId, 0),
    ]
    expect(toHex(mine.file!)).to.equal(toHex(theirs.file!))
  })

  it('leave rows or a file, whichever write the power fails at', async () => {
    const store = new FaultyStore(3)
    const world = await restedSegment({ store })
    const { town, ada, bob, laptop, conversationId } = world
    for (const other of [bob, laptop]) town.hub.cut(ada.peerId, other.peerId)
    await town.pass(60_000)
    const text = await exported(ada, conversationId)
    await ada.close()
    const whole = await store.reopen()
    const snapshot = await whole.snapshot()
    town.clock.advance(25 * 60 * 60 * 1_000)
    let sealed = 0
    for (const mode of ['drop-unsynced', 'lose-last', 'keep'] satisfies CrashMode[])
      for (let write = 1; write <= 6; write++) {
        const again = new FaultyStore(write)
        await again.restore(snapshot, { mark: true })
        let disk = await again.reopen()
        ada.store = disk
        await ada.open(false)
        disk.cutAt(disk.writes + write, mode)
        await town.pass(15 * 60 * 1_000)
        await ada.close().catch(() => undefined)
        disk = await disk.reopen()
        ada.store = disk
        await ada.open(false)
        expect((await exported(ada, conversationId)) === text, `${mode} at write ${write}`).to.equal(true)
        if ((await onDisk(town, ada, conversationId, 0)).file !== undefined) sealed += 1
      }
    expect(sealed, 'lives in which the file was there').to.be.within(1, 17)
  })
})

/** What every `MailboxStore` must do. One suite for memory and level. */
import { expect } from 'chai'
import type {
  MailboxQueue,
  MailboxStore,
  MailboxWrite,
  MailboxWriter,
} from '../../packages/core/src/ports/index.ts'

/** A mailbox store under test; `reopen` is called after `close`. */
export interface MailboxStoreUnderTest {
  readonly store: MailboxStore
  readonly reopen?: () => Promise<MailboxStore>
  readonly dispose: () => Promise<void>
}

const id = (n: number, m = 0): Uint8Array => new Uint8Array(32).fill(n).fill(m, 16)
const queue = (n: number): Exclude<MailboxQueue, { readonly kind: 'log' }> => ({
  kind: n % 2 === 0 ? 'inbox' : 'intro',
  recvId: id(n),
  sendId: id(n, 1),
  readKey: id(n, 2),
  writeKey: id(n, 3),
  ttlMs: 1_000,
  createdAtMs: 5,
})
/** A log of two writers. */
const log = (n: number): Extract<MailboxQueue, { readonly kind: 'log' }> => ({
  kind: 'log',
  recvId: id(n),
  readKey: id(n, 2),
  writers: [
    { sendId: id(n, 10), writeKey: id(n, 11) },
    { sendId: id(n, 20), writeKey: id(n, 21) },
  ],
  ttlMs: 1_000,
  createdAtMs: 5,
})
const create = (n: number): MailboxWrite => ({ type: 'create', queue: queue(n) })
const append = (n: number, item: number, expiresAtMs = 1_000, length = 10): MailboxWrite => ({
  type: 'append',
  recvId: id(n),
  blob: new Uint8Array(length).fill(item),
  blobHash: id(item, 200),
  expiresAtMs,
})
const cursors = async (store: MailboxStore, n: number, after = 0, limit = 100): Promise<number[]> =>
  (await store.page(id(n), after, limit)).map(({ cursor }) => cursor)

/** Runs the suite; `make` gives an empty store each time. */
export function mailboxStoreCompliance(name: string, make: () => Promise<MailboxStoreUnderTest>): void {
  describe(`MailboxStore: ${name}`, () => {
    let under: MailboxStoreUnderTest
    let store: MailboxStore
    beforeEach(async () => {
      under = await make()
      store = under.store
    })
    afterEach(() => under.dispose())

    it('finds a queue by either id and no other', async () => {
      await store.commit([create(1), create(2)])
      expect(await store.queueByReader(id(1))).to.deep.equal(queue(1))
      expect(await store.queueByWriter(id(2, 1))).to.deep.equal(queue(2))
      expect(await store.queueByReader(id(3))).to.equal(undefined)
      expect(await store.queueByWriter(id(1))).to.equal(undefined)
    })

    it('leaves a queue that exists as it is when it is created again', async () => {
      await store.commit([create(1), append(1, 1)])
      await store.commit([{ type: 'create', queue: { ...queue(1), ttlMs: 9 } }])
      expect((await store.queueByReader(id(1)))?.ttlMs).to.equal(1_000)
      expect(await cursors(store, 1)).to.deep.equal([1])
    })

    it('pages items oldest first, after a cursor, up to a limit', async () => {
      await store.commit([create(1), append(1, 1), append(1, 2), append(1, 3)])
      expect(await cursors(store, 1)).to.deep.equal([1, 2, 3])
      expect(await cursors(store, 1, 1, 1)).to.deep.equal([2])
      expect(await cursors(store, 1, 3)).to.deep.equal([])
      const [first] = await store.page(id(1), 0, 1)
      expect(first).to.deep.equal({ cursor: 1, blob: new Uint8Array(10).fill(1), expiresAtMs: 1_000 })
      expect(await store.page(id(9), 0, 10)).to.deep.equal([])
    })

    it('keeps queues apart', async () => {
      await store.commit([create(1), create(2), append(1, 1), append(2, 2), append(2, 3)])
      expect(await cursors(store, 1)).to.deep.equal([1])
      expect(await cursors(store, 2)).to.deep.equal([1, 2])
    })

    it('counts items and bytes of a queue and of all', async () => {
      await store.commit([
        create(1),
        create(2),
        append(1, 1, 1_000, 7),
        append(1, 2, 1_000, 5),
        append(2, 1, 1_000, 1),
      ])
      expect(await store.usage(id(1))).to.deep.equal({ items: 2, bytes: 12 })
      expect(await store.usage(id(9))).to.deep.equal({ items: 0, bytes: 0 })
      expect(await store.totals()).to.deep.equal({ queues: 2, items: 3, bytes: 13, records: 0 })
      await store.commit([{ type: 'ack', recvId: id(1), upTo: 1 }])
      expect(await store.usage(id(1))).to.deep.equal({ items: 1, bytes: 5 })
      expect(await store.totals()).to.deep.equal({ queues: 2, items: 2, bytes: 6, records: 0 })
    })

    it('never uses a cursor again', async () => {
      await store.commit([create(1), append(1, 1), append(1, 2)])
      await store.commit([{ type: 'ack', recvId: id(1), upTo: 2 }])
      await store.commit([append(1, 3)])
      expect(await cursors(store, 1)).to.deep.equal([3])
    })

    it('knows a blob that waits or was acknowledged, until it would have expired', async () => {
      await store.commit([create(1), append(1, 1, 100)])
      expect(await store.holds(id(1), id(1, 200))).to.equal(true)
      expect(await store.holds(id(1), id(2, 200))).to.equal(false)
      await store.commit([{ type: 'ack', recvId: id(1), upTo: 1 }])
      expect(await store.holds(id(1), id(1, 200))).to.equal(true)
      await store.sweep(101)
      expect(await store.holds(id(1), id(1, 200))).to.equal(false)
    })

    it('stores a blob it holds only once, in one commit or several', async () => {
      await store.commit([create(1), append(1, 1), append(1, 1)])
      await store.commit([append(1, 1), append(1, 2)])
      expect(await cursors(store, 1)).to.deep.equal([1, 2])
      expect(await store.usage(id(1))).to.deep.equal({ items: 2, bytes: 20 })
    })

    it('ignores writes to a queue that does not exist', async () => {
      await store.commit([
        append(1, 1),
        { type: 'ack', recvId: id(1), upTo: 3 },
        { type: 'delete', recvId: id(1) },
      ])
      expect(await store.totals()).to.deep.equal({ queues: 0, items: 0, bytes: 0, records: 0 })
    })

    it('deletes a queue with all it holds', async () => {
      await store.commit([create(1), append(1, 1), append(1, 2)])
      await store.commit([{ type: 'delete', recvId: id(1) }])
      expect(await store.queueByReader(id(1))).to.equal(undefined)
      expect(await store.queueByWriter(id(1, 1))).to.equal(undefined)
      expect(await cursors(store, 1)).to.deep.equal([])
      expect(await store.holds(id(1), id(1, 200))).to.equal(false)
      expect(await store.totals()).to.deep.equal({ queues: 0, items: 0, bytes: 0, records: 0 })
    })

    it('sweeps what expired and nothing else, also after a queue was deleted and made again', async () => {
      await store.commit([create(1), create(2), append(1, 1, 100), append(1, 2, 200), append(2, 3, 99)])
      await store.commit([{ type: 'delete', recvId: id(2) }, create(2), append(2, 4, 300)])
      expect(await store.sweep(100)).to.equal(0)
      expect(await store.sweep(101)).to.equal(1)
      expect(await cursors(store, 1)).to.deep.equal([2])
      expect(await cursors(store, 2)).to.have.length(1)
      expect(await store.sweep(1_000)).to.equal(2)
      expect(await store.totals()).to.deep.equal({ queues: 2, items: 0, bytes: 0, records: 0 })
    })

    it('keeps a log with all its writers, and what each of them ever deposited', async () => {
      const [first, second] = [0, 1].map((at) => log(4).writers[at]!) as [MailboxWriter, MailboxWriter]
      await store.commit([{ type: 'create', queue: log(4) }])
      expect(await store.queueByReader(id(4))).to.deep.equal(log(4))
      for (const { sendId } of [first, second])
        expect(await store.queueByWriter(sendId)).to.deep.equal(log(4))
      await store.commit([
        { ...append(4, 1, 900, 7), sendId: first.sendId } as MailboxWrite,
        { ...append(4, 1, 900, 7), sendId: first.sendId } as MailboxWrite,
        { ...append(4, 2, 900, 5), sendId: first.sendId } as MailboxWrite,
      ])
      await store.commit([{ ...append(4, 3, 900, 1), sendId: second.sendId } as MailboxWrite])
      expect(await store.deposited(first.sendId)).to.deep.equal({ items: 2, bytes: 12 })
      expect(await store.deposited(second.sendId)).to.deep.equal({ items: 1, bytes: 1 })
      expect(await store.deposited(id(9))).to.deep.equal({ items: 0, bytes: 0 })
      await store.sweep(901)
      expect(await store.usage(id(4))).to.deep.equal({ items: 0, bytes: 0 })
      expect(await store.deposited(first.sendId)).to.deep.equal({ items: 2, bytes: 12 })
    })

    it('ends a log at its time, with its items and writers, and leaves other queues', async () => {
      await store.commit([{ type: 'create', queue: log(4) }, create(1), append(1, 1, 5_000)])
      await store.commit([{ ...append(4, 1, 5_000), sendId: id(4, 10) } as MailboxWrite])
      expect(await store.sweep(1_005)).to.equal(0)
      expect(await store.sweep(1_006)).to.equal(1)
      expect(await store.queueByReader(id(4))).to.equal(undefined)
      expect(await store.queueByWriter(id(4, 20))).to.equal(undefined)
      expect(await store.deposited(id(4, 10))).to.deep.equal({ items: 0, bytes: 0 })
      expect(await store.totals()).to.deep.equal({ queues: 1, items: 1, bytes: 10, records: 0 })
    })

    it('keeps records until they expire, the newest under a locator', async () => {
      const record = (n: number, expiresAtMs: number) => ({ value: id(n), expiresAtMs, editKey: id(9) })
      await store.commit([{ type: 'record', locator: id(1), record: record(1, 100) }])
      await store.commit([{ type: 'record', locator: id(1), record: record(2, 200) }])
      await store.sweep(150)
      expect(await store.record(id(1))).to.deep.equal(record(2, 200))
      expect((await store.totals()).records).to.equal(1)
      await store.sweep(201)
      expect(await store.record(id(1))).to.equal(undefined)
      expect((await store.totals()).records).to.equal(0)
    })

    it('takes many commits at once, each item exactly once', async () => {
      await store.commit([create(1), create(2)])
      const work = Array.from({ length: 100 }, (_, i) => store.commit([append(1 + (i % 2), i)]))
      await Promise.all(work)
      expect(await cursors(store, 1)).to.deep.equal(Array.from({ length: 50 }, (_, i) => i + 1))
      expect(await cursors(store, 2)).to.have.length(50)
    })

    it('has everything again after a reopening', async () => {
      await store.commit([create(1), append(1, 1), append(1, 2)])
      await store.commit([{ type: 'ack', recvId: id(1), upTo: 1 }])
      await store.commit([
        { type: 'record', locator: id(5), record: { value: id(6), expiresAtMs: 9, editKey: id(7) } },
      ])
      if (under.reopen === undefined) return
      await store.close()
      store = await under.reopen()
      expect(await store.queueByReader(id(1))).to.deep.equal(queue(1))
      expect(await store.holds(id(1), id(1, 200))).to.equal(true)
      expect(await store.totals()).to.deep.equal({ queues: 1, items: 1, bytes: 10, records: 1 })
      await store.commit([append(1, 3)])
      expect(await cursors(store, 1)).to.deep.equal([2, 3])
      await store.close()
    })
  })
}

import {
  writersOf,
  type MailboxQueue,
  type MailboxStore,
  type MailboxWrite,
  type StoredRecord,
} from '../ports/index.ts'
import { toHex } from '../wire/index.ts'

/** What serving a request reads. */
export type MailboxReads = Pick<
  MailboxStore,
  'queueByReader' | 'queueByWriter' | 'usage' | 'deposited' | 'holds' | 'page' | 'record'
>

/** A store as it will be once the writes collected so far are committed. */
export interface Overlay extends MailboxReads {
  readonly add: (writes: readonly MailboxWrite[]) => void
  /** Whether anything was read, since this was last asked, that is only there once those writes are committed. */
  readonly wasSeen: () => boolean
}

interface Pending {
  /** Null: deleted. */
  readonly readers: Map<string, MailboxQueue | null>
  readonly writers: Map<string, MailboxQueue | null>
  readonly records: Map<string, StoredRecord>
  readonly items: Map<string, number>
  readonly bytes: Map<string, number>
  readonly blobs: Set<string>
}

const blobName = (recvId: Uint8Array, blobHash: Uint8Array): string => `${toHex(recvId)}/${toHex(blobHash)}`
const count = (map: Map<string, number>, name: string, by: number): unknown =>
  map.set(name, (map.get(name) ?? 0) + by)

/** What an append changes that a later request of the same batch can see. */
function addItem(pending: Pending, write: MailboxWrite & { readonly type: 'append' }): void {
  for (const name of [write.recvId, ...(write.sendId === undefined ? [] : [write.sendId])].map(toHex)) {
    count(pending.items, name, 1)
    count(pending.bytes, name, write.blob.length)
  }
  pending.blobs.add(blobName(write.recvId, write.blobHash))
}

function forget(pending: Pending, queue: MailboxQueue | undefined, recvId: Uint8Array): void {
  pending.readers.set(toHex(recvId), null)
  for (const { sendId } of queue === undefined ? [] : writersOf(queue))
    pending.writers.set(toHex(sendId), null)
}

/**
 * Lets the requests of one batch see each other before the batch is durable, so that a quota holds and a
 * repeated deposit stays one deposit however many arrive at once. Items are not paged before they are durable,
 * and what an acknowledgement frees counts from the next batch on.
 */
export function createOverlay(store: MailboxReads): Overlay {
  const pending: Pending = {
    readers: new Map(),
    writers: new Map(),
    records: new Map(),
    items: new Map(),
    bytes: new Map(),
    blobs: new Set(),
  }
  const known = new Map<string, MailboxQueue>()
  let seen = false
  const see = <T>(value: T): T => {
    if (value !== undefined) seen = true
    return value
  }
  const remember = (queue: MailboxQueue | undefined): MailboxQueue | undefined => {
    if (queue !== undefined) known.set(toHex(queue.recvId), queue)
    return queue
  }
  const look = (map: Map<string, MailboxQueue | null>, id: Uint8Array): MailboxQueue | null | undefined =>
    see(map.get(toHex(id)))
  const more = (id: Uint8Array, { items, bytes }: { readonly items: number; readonly bytes: number }) => ({
    items: items + (see(pending.items.get(toHex(id))) ?? 0),
    bytes: bytes + (see(pending.bytes.get(toHex(id))) ?? 0),
  })
  return {
    queueByReader: async (recvId) => {
      const found = look(pending.readers, recvId)
      return found === undefined ? remember(await store.queueByReader(recvId)) : (found ?? undefined)
    },
    queueByWriter: async (sendId) => {
      const found = look(pending.writers, sendId)
      return found === undefined ? remember(await store.queueByWriter(sendId)) : (found ?? undefined)
    },
    usage: async (recvId) => more(recvId, await store.usage(recvId)),
    deposited: async (sendId) => more(sendId, await store.deposited(sendId)),
    holds: async (recvId, blobHash) =>
      see(pending.blobs.has(blobName(recvId, blobHash)) || undefined) ??
      (await store.holds(recvId, blobHash)),
    page: (recvId, after, limit) => store.page(recvId, after, limit),
    record: async (locator) => see(pending.records.get(toHex(locator))) ?? (await store.record(locator)),
    wasSeen: () => {
      const was = seen
      seen = false
      return was
    },
    add: (writes) => {
      for (const write of writes) {
        if (write.type === 'append') addItem(pending, write)
        else if (write.type === 'record') pending.records.set(toHex(write.locator), write.record)
        else if (write.type === 'delete') forget(pending, known.get(toHex(write.recvId)), write.recvId)
        else if (write.type === 'create') {
          known.set(toHex(write.queue.recvId), write.queue)
          pending.readers.set(toHex(write.queue.recvId), write.queue)
          for (const { sendId } of writersOf(write.queue)) pending.writers.set(toHex(sendId), write.queue)
        }
      }
    },
  }
}

/** A key that may deposit in a queue, and its hash: how its holder names the queue. */
export interface MailboxWriter {
  readonly sendId: Uint8Array
  readonly writeKey: Uint8Array
}

/** What every queue has. Ids are hashes of keys; nothing in it names a person. */
interface QueueBase {
  /** Hash of the reader's key, of a log of all its keys: how a reader names the queue. */
  readonly recvId: Uint8Array
  readonly readKey: Uint8Array
  readonly ttlMs: number
  readonly createdAtMs: number
}

/**
 * A relay's queue as it is stored. A log has several writers and readers; nothing of it is acknowledged, and it ends
 * `ttlMs` after it was created.
 */
export type MailboxQueue =
  | (QueueBase & MailboxWriter & { readonly kind: 'inbox' | 'intro' })
  | (QueueBase & { readonly kind: 'log'; readonly writers: readonly MailboxWriter[] })

/** The keys that may deposit in a queue. */
export const writersOf = (queue: MailboxQueue): readonly MailboxWriter[] =>
  queue.kind === 'log' ? queue.writers : [queue]

/** One deposited item. `cursor` grows by one for each item of a queue and is never used again. */
export interface MailboxItem {
  readonly cursor: number
  readonly blob: Uint8Array
  readonly expiresAtMs: number
}

/** A sealed record kept under a locator (invite records). */
export interface StoredRecord {
  readonly value: Uint8Array
  readonly expiresAtMs: number
  readonly editKey: Uint8Array
}

/** What changed by one request; committed as one durable batch before its reply is released. */
export type MailboxWrite =
  | { readonly type: 'create'; readonly queue: MailboxQueue }
  | {
      readonly type: 'append'
      readonly recvId: Uint8Array
      readonly blob: Uint8Array
      readonly blobHash: Uint8Array
      readonly expiresAtMs: number
      /** Of a log: whose deposit it is. It counts against its writer until the log ends. */
      readonly sendId?: Uint8Array
    }
  | { readonly type: 'ack'; readonly recvId: Uint8Array; readonly upTo: number }
  | { readonly type: 'delete'; readonly recvId: Uint8Array }
  | { readonly type: 'record'; readonly locator: Uint8Array; readonly record: StoredRecord }

/** What a relay keeps. One suite runs against every implementation. */
export interface MailboxStore {
  queueByReader(recvId: Uint8Array): Promise<MailboxQueue | undefined>
  queueByWriter(sendId: Uint8Array): Promise<MailboxQueue | undefined>
  /** Items and bytes waiting in a queue. */
  usage(recvId: Uint8Array): Promise<{ readonly items: number; readonly bytes: number }>
  /** Items and bytes one writer ever deposited in a log. */
  deposited(sendId: Uint8Array): Promise<{ readonly items: number; readonly bytes: number }>
  /** Whether a blob with this hash is waiting, or was acknowledged within the queue's TTL. */
  holds(recvId: Uint8Array, blobHash: Uint8Array): Promise<boolean>
  /** Items with a cursor above `after`, oldest first. */
  page(recvId: Uint8Array, after: number, limit: number): Promise<readonly MailboxItem[]>
  record(locator: Uint8Array): Promise<StoredRecord | undefined>
  /** Applies the writes as one durable batch. */
  commit(writes: readonly MailboxWrite[]): Promise<void>
  /** Deletes what expired before `nowMs`, logs among it; returns how many items went. */
  sweep(nowMs: number): Promise<number>
  /** Totals for metrics. */
  totals(): Promise<{
    readonly queues: number
    readonly items: number
    readonly bytes: number
    readonly records: number
  }>
  close(): Promise<void>
}

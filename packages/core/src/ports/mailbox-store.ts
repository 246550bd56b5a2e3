/** A relay's queue as it is stored. Ids are hashes of keys; nothing in it names a person. */
export interface MailboxQueue {
  readonly kind: 'inbox' | 'intro'
  /** Hash of the reader's key: how the reader names the queue. */
  readonly recvId: Uint8Array
  /** Hash of the writer's key: how the writer names it. */
  readonly sendId: Uint8Array
  readonly readKey: Uint8Array
  readonly writeKey: Uint8Array
  readonly ttlMs: number
  readonly createdAtMs: number
}

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
  /** Whether a blob with this hash is waiting, or was acknowledged within the queue's TTL. */
  holds(recvId: Uint8Array, blobHash: Uint8Array): Promise<boolean>
  /** Items with a cursor above `after`, oldest first. */
  page(recvId: Uint8Array, after: number, limit: number): Promise<readonly MailboxItem[]>
  record(locator: Uint8Array): Promise<StoredRecord | undefined>
  /** Applies the writes as one durable batch. */
  commit(writes: readonly MailboxWrite[]): Promise<void>
  /** Deletes what expired before `nowMs`; returns how many items went. */
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

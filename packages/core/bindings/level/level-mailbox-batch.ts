import type { AbstractLevel } from 'abstract-level'
import { writersOf, type MailboxQueue, type MailboxWrite, type StoreOp } from '../../src/ports/index.ts'
import {
  decodeCounters,
  decodeUint,
  encodeCounters,
  encodeUint,
  keys,
  lastCursor,
  locatorOf,
  logFrame,
  placeOfDeadline,
  placeOfItem,
  queueFrame,
  ranges,
  recordFrame,
  shortHash,
  type Counters,
  type ItemPlace,
} from './level-mailbox-rows.ts'
import { asBytes } from './level-store.ts'

/** Totals of a relay. */
export interface Totals {
  readonly queues: number
  readonly items: number
  readonly bytes: number
  readonly records: number
}

/** A queue as it is kept in memory. */
export interface QueueState {
  readonly serial: number
  readonly queue: MailboxQueue
  readonly counters: Counters
}

type Append = Extract<MailboxWrite, { readonly type: 'append' }>
type Create = Extract<MailboxWrite, { readonly type: 'create' }>

/** Deadlines handled by one batch of a sweep. */
const sweepItems = 5_000
const none = new Uint8Array(0)

/** Turns writes into one batch of database operations; changes nothing itself. */
export class MailboxBatch<Format> {
  readonly ops: StoreOp[] = []
  /** Queues that changed; undefined for a deleted one. */
  readonly queues = new Map<string, QueueState | undefined>()
  totals: Totals
  readonly #db: AbstractLevel<Format, Uint8Array, Uint8Array>
  readonly #load: (recvId: Uint8Array) => Promise<QueueState | undefined>
  /** Items appended by this batch and not yet in the database, by serial number. */
  readonly #staged = new Map<number, ItemPlace[]>()
  readonly #held = new Set<string>()
  readonly #deleted = new Set<string>()
  readonly #records = new Set<string>()
  /** What writers of logs have deposited, with this batch. */
  readonly #deposited = new Map<string, Counters>()
  #nextSerial: number | undefined

  constructor(
    db: AbstractLevel<Format, Uint8Array, Uint8Array>,
    load: (recvId: Uint8Array) => Promise<QueueState | undefined>,
    totals: Totals,
  ) {
    this.#db = db
    this.#load = load
    this.totals = totals
  }

  async apply(writes: readonly MailboxWrite[]): Promise<void> {
    await this.#learnHeld(writes.filter((write) => write.type === 'append'))
    for (const write of writes) await this.#applyOne(write)
    for (const state of this.queues.values()) if (state !== undefined) this.#putCounters(state)
  }

  /** Deletes what expired before `nowMs`, up to a bound; says how many items went and whether there is more. */
  async sweep(nowMs: number): Promise<{ readonly gone: number; readonly more: boolean }> {
    const range = { ...asBytes, ...ranges.deadlines(nowMs), limit: sweepItems }
    const due = await this.#db.iterator(range).all()
    const places = due.map(([key]) => placeOfDeadline(key))
    const waiting = await this.#db.hasMany(places.map(keys.item), asBytes)
    let gone = 0
    for (const [i, [deadline, hash]] of due.entries()) {
      const place = places[i]
      if (place === undefined) continue
      this.#del(deadline)
      this.#del(keys.hash(place.serial, hash))
      if (waiting[i] !== true) continue
      gone++
      this.#del(keys.item(place))
      await this.#countOut(place)
    }
    gone += await this.#sweepLogs(nowMs)
    for (const state of this.queues.values()) if (state !== undefined) this.#putCounters(state)
    await this.#sweepRecords(nowMs)
    return { gone, more: due.length === sweepItems }
  }

  async #applyOne(write: MailboxWrite): Promise<void> {
    switch (write.type) {
      case 'create':
        return this.#create(write)
      case 'append':
        return this.#append(write)
      case 'ack':
        return this.#acknowledge(write.recvId, write.upTo)
      case 'delete':
        return this.#delete(write.recvId)
      case 'record': {
        const key = keys.record(write.locator)
        const known = this.#records.has(text(key)) || (await this.#db.has(key, asBytes))
        if (!known) this.#count({ records: 1 })
        this.#records.add(text(key))
        this.#put(key, recordFrame.encode(write.record))
        this.#put(keys.recordDeadline(write.record.expiresAtMs, write.locator), none)
      }
    }
  }

  async #create({ queue }: Create): Promise<void> {
    if ((await this.#state(queue.recvId)) !== undefined) return
    const serial = this.#nextSerial ?? decodeUint(await this.#db.get(keys.nextSerial, asBytes))
    this.#nextSerial = serial + 1
    this.#put(keys.nextSerial, encodeUint(serial + 1))
    this.#put(keys.queue(queue.recvId), encodeQueue(queue, serial))
    for (const { sendId } of writersOf(queue)) this.#put(keys.writer(sendId), queue.recvId)
    if (queue.kind === 'log') this.#put(logEnd(queue), none)
    this.#put(keys.reader(serial), queue.recvId)
    this.queues.set(text(queue.recvId), { serial, queue, counters: { next: 1, items: 0, bytes: 0 } })
    this.#count({ queues: 1 })
  }

  async #append({ recvId, blob, blobHash, expiresAtMs, sendId }: Append): Promise<void> {
    const state = await this.#state(recvId)
    if (state === undefined) return
    const { serial, counters } = state
    const hash = keys.hash(serial, blobHash)
    if (this.#held.has(text(hash))) return
    const place = { serial, cursor: counters.next, length: blob.length, expiresAtMs }
    this.#held.add(text(hash))
    const staged = this.#staged.get(serial)
    if (staged === undefined) this.#staged.set(serial, [place])
    else staged.push(place)
    this.#put(keys.item(place), blob)
    this.#put(hash, none)
    this.#put(keys.deadline(place), shortHash(blobHash))
    this.#change(state, 1, blob.length, counters.next + 1)
    if (sendId !== undefined) await this.#countDeposit(sendId, blob.length)
  }

  async #countDeposit(sendId: Uint8Array, length: number): Promise<void> {
    const name = text(sendId)
    const row = this.#deposited.has(name) ? undefined : await this.#db.get(keys.deposited(sendId), asBytes)
    const known = this.#deposited.get(name) ?? (row === undefined ? noDeposits : decodeCounters(row))
    const now = { next: 0, items: known.items + 1, bytes: known.bytes + length }
    this.#deposited.set(name, now)
    this.#put(keys.deposited(sendId), encodeCounters(now))
  }

  async #acknowledge(recvId: Uint8Array, upTo: number): Promise<void> {
    const state = await this.#state(recvId)
    if (state === undefined) return
    const places = await this.#items(state.serial, Math.min(upTo, lastCursor - 1))
    for (const place of places) this.#del(keys.item(place))
    this.#staged.set(state.serial, this.#stagedAfter(state.serial, upTo))
    this.#change(state, -places.length, -bytesOf(places))
  }

  async #delete(recvId: Uint8Array): Promise<void> {
    const state = await this.#state(recvId)
    if (state === undefined) return
    const { serial, queue, counters } = state
    const places = await this.#items(serial, lastCursor - 1)
    const hashes = await this.#db.keys({ ...asBytes, ...ranges.hashes(serial) }).all()
    for (const place of places) this.#del(keys.item(place))
    for (const op of this.ops.filter(({ key }) => text(key).startsWith(text(keys.hash(serial, none)))))
      this.#del(op.key)
    for (const key of hashes) this.#del(key)
    for (const key of [
      keys.queue(recvId),
      ...writersOf(queue).map(({ sendId }) => keys.writer(sendId)),
      ...(queue.kind === 'log'
        ? [logEnd(queue), ...queue.writers.map(({ sendId }) => keys.deposited(sendId))]
        : []),
      keys.reader(serial),
      keys.counters(recvId),
    ])
      this.#del(key)
    this.#staged.delete(serial)
    this.queues.set(text(recvId), undefined)
    this.#count({ queues: -1, items: -counters.items, bytes: -counters.bytes })
  }

  /** Logs end with all that is in them. */
  async #sweepLogs(nowMs: number): Promise<number> {
    const due = await this.#db.keys({ ...asBytes, ...ranges.logDeadlines(nowMs), limit: sweepItems }).all()
    let gone = 0
    for (const key of due) {
      const recvId = locatorOf(key)
      gone += (await this.#state(recvId))?.counters.items ?? 0
      await this.#delete(recvId)
      this.#del(key)
    }
    return gone
  }

  async #sweepRecords(nowMs: number): Promise<void> {
    const due = await this.#db.keys({ ...asBytes, ...ranges.recordDeadlines(nowMs), limit: sweepItems }).all()
    const rows = await this.#db.getMany(
      due.map((key) => keys.record(locatorOf(key))),
      asBytes,
    )
    for (const [i, key] of due.entries()) {
      this.#del(key)
      const row = rows[i]
      const record = row && recordFrame.decode(row)
      if (record?.ok !== true || record.value.expiresAtMs >= nowMs) continue
      this.#del(keys.record(locatorOf(key)))
      this.#count({ records: -1 })
    }
  }

  /** Which of the blobs to come are held already. */
  async #learnHeld(appends: readonly Append[]): Promise<void> {
    const wanted: Uint8Array[] = []
    for (const { recvId, blobHash } of appends) {
      const state = await this.#state(recvId)
      if (state !== undefined) wanted.push(keys.hash(state.serial, blobHash))
    }
    if (wanted.length === 0) return
    const held = await this.#db.hasMany(wanted, asBytes)
    for (const [i, key] of wanted.entries()) if (held[i] === true) this.#held.add(text(key))
  }

  /** Items of a queue up to a cursor: those in the database and those this batch adds. */
  async #items(serial: number, upTo: number): Promise<readonly ItemPlace[]> {
    const found = await this.#db.keys({ ...asBytes, ...ranges.items(serial, 0, upTo + 1) }).all()
    const staged = (this.#staged.get(serial) ?? []).filter(({ cursor }) => cursor <= upTo)
    return [...found.filter((key) => !this.#deleted.has(text(key))).map(placeOfItem), ...staged]
  }

  #stagedAfter(serial: number, cursor: number): ItemPlace[] {
    return (this.#staged.get(serial) ?? []).filter((place) => place.cursor > cursor)
  }

  async #countOut({ serial, length }: ItemPlace): Promise<void> {
    const recvId = await this.#db.get(keys.reader(serial), asBytes)
    const state = recvId && (await this.#state(recvId))
    if (state !== undefined) this.#change(state, -1, -length)
  }

  async #state(recvId: Uint8Array): Promise<QueueState | undefined> {
    const id = text(recvId)
    return this.queues.has(id) ? this.queues.get(id) : this.#load(recvId)
  }

  #change(state: QueueState, items: number, bytes: number, next = state.counters.next): void {
    const counters = { next, items: state.counters.items + items, bytes: state.counters.bytes + bytes }
    this.queues.set(text(state.queue.recvId), { ...state, counters })
    this.#count({ items, bytes })
  }

  #count({ queues = 0, items = 0, bytes = 0, records = 0 }: Partial<Totals>): void {
    const { totals } = this
    this.totals = {
      queues: totals.queues + queues,
      items: totals.items + items,
      bytes: totals.bytes + bytes,
      records: totals.records + records,
    }
  }

  #putCounters({ queue, counters }: QueueState): void {
    this.#put(keys.counters(queue.recvId), encodeCounters(counters))
  }

  #put(key: Uint8Array, value: Uint8Array): void {
    this.ops.push({ type: 'put', key, value })
  }

  #del(key: Uint8Array): void {
    this.#deleted.add(text(key))
    this.ops.push({ type: 'del', key })
  }
}

const noDeposits: Counters = { next: 0, items: 0, bytes: 0 }

const encodeQueue = (queue: MailboxQueue, serial: number): Uint8Array => {
  if (queue.kind === 'log') {
    const { kind: _kind, ...log } = queue
    return logFrame.encode({ ...log, serial })
  }
  const { kind, ...rest } = queue
  return queueFrame.encode({ ...rest, intro: kind === 'intro', serial })
}

const logEnd = ({ createdAtMs, ttlMs, recvId }: MailboxQueue): Uint8Array =>
  keys.logDeadline(createdAtMs + ttlMs, recvId)

/** A short byte string as a map key. */
export const text = (value: Uint8Array): string => String.fromCharCode(...value)

const bytesOf = (places: readonly ItemPlace[]): number => places.reduce((sum, { length }) => sum + length, 0)

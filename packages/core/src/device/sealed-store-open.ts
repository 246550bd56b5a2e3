import { PortError } from '../errors.ts'
import type { Store } from '../ports/index.ts'
import { equalBytes } from '../wire/index.ts'
import {
  decodeHead,
  decodeJournal,
  decodeMark,
  decodeRoot,
  sumBytes,
  worse,
  type Doubt,
  type Mark,
  type Meta,
} from './sealed-store-codec.ts'
import { Manifest, type ReadRaw } from './sealed-store-manifest.ts'
import type { Vault } from './sealed-store-vault.ts'

/** A store as opening found it. */
export interface Found {
  /** Undefined for a new store. */
  readonly meta: Meta | undefined
  readonly digest: Uint8Array
  readonly manifest: Manifest
  readonly doubt: Doubt
  /** Highest generation and boot anything speaks of. */
  readonly generation: number
  readonly boot: number
  /** Generations whose journal rows lie in the store. */
  readonly journal: readonly number[]
  readonly damagedJournalRows: number
  readonly writeFormat: boolean
}

type JournalRow = NonNullable<ReturnType<typeof decodeJournal>> & { readonly digest: Uint8Array }
type Head = NonNullable<ReturnType<typeof decodeHead>>

interface Chain {
  readonly head: Head
  readonly rows: readonly JournalRow[]
  readonly present: readonly number[]
  readonly damaged: number
  readonly broken: boolean
}

/** First and one past the last of all database keys. */
const everything = { gte: Uint8Array.of(0), lt: new Uint8Array(40).fill(255) }

/** Reads what says which rows count, and compares it with itself and with the mark. Writes nothing. */
export async function openState(store: Store, vault: Vault): Promise<Found> {
  const read = rawReader(store)
  const [format, rawHead] = await read([vault.own.format, vault.own.head])
  const mark = decodeMark(vault.openMark(await readMark(store)))
  if (format === undefined && rawHead === undefined && (await isEmpty(store))) return fresh(vault, mark)
  const writeFormat = checkFormat(vault, format)
  const head = decodeHead(vault.openOwn(vault.own.head, rawHead === 'damaged' ? undefined : rawHead))
  const chain = head === undefined ? await chainWithoutHead(store, vault) : await chainOf(head, vault, read)
  const manifest = await manifestOf(chain, vault, read)
  const doubt = chain.broken ? worse('broken', doubtOf(chain.head, mark)) : doubtOf(chain.head, mark)
  return {
    meta: chain.head.meta,
    digest: chain.head.digest,
    manifest,
    doubt: worse(doubt, chain.head.meta.pending),
    generation: Math.max(chain.head.meta.generation, mark?.generation ?? 0),
    boot: Math.max(chain.head.meta.boot, mark?.boot ?? 0),
    journal: chain.present,
    damagedJournalRows: chain.damaged,
    writeFormat,
  }
}

/** Reads many rows; where the disk gives an error for one of them, reads them one by one and names it. */
export function rawReader(store: Store): ReadRaw {
  const one = async (key: Uint8Array): Promise<Uint8Array | undefined | 'damaged'> => {
    try {
      return await store.get(key)
    } catch (error) {
      if (isCorrupt(error)) return 'damaged'
      throw error
    }
  }
  return async (keys) => {
    try {
      return await store.getMany(keys)
    } catch (error) {
      if (!isCorrupt(error)) throw error
    }
    const found: (Uint8Array | undefined | 'damaged')[] = []
    for (const key of keys) found.push(await one(key))
    return found
  }
}

const isCorrupt = (error: unknown): boolean => error instanceof PortError && error.code === 'E_STORE_CORRUPT'

async function readMark(store: Store): Promise<Uint8Array | undefined> {
  try {
    return await store.readMark()
  } catch (error) {
    if (isCorrupt(error)) return undefined
    throw error
  }
}

const isEmpty = async (store: Store): Promise<boolean> =>
  (await store.range({ ...everything, limit: 1 })).length === 0

function fresh(vault: Vault, mark: Mark | undefined): Found {
  return {
    meta: undefined,
    digest: new Uint8Array(32),
    manifest: new Manifest(vault, []),
    doubt: mark === undefined ? null : 'wiped',
    generation: mark?.generation ?? 0,
    boot: mark?.boot ?? 0,
    journal: [],
    damagedJournalRows: 0,
    writeFormat: true,
  }
}

/** Refuses a store of another key or a later version; true when the row itself must be written again. */
function checkFormat(vault: Vault, row: Uint8Array | undefined | 'damaged'): boolean {
  const verdict = vault.checkFormat(row === 'damaged' ? undefined : row)
  switch (verdict) {
    case 'ours':
      return false
    case 'damaged':
      return true
    case 'newer':
      throw new PortError('E_STORE_NEWER', 'A later version of Sotto wrote this store.', {
        hint: 'Update Sotto on this device, then open it again.',
      })
    case 'other-key':
      throw new PortError('E_STORE_KEY', 'The key does not fit this store.', {
        hint: 'Check the passphrase, or the profile it belongs to.',
      })
  }
}

function journalRow(
  vault: Vault,
  generation: number,
  raw: Uint8Array | undefined | 'damaged',
): JournalRow | undefined {
  const content = vault.openOwn(vault.journalKey(generation), raw === 'damaged' ? undefined : raw)
  const row = decodeJournal(content)
  if (content === undefined || row?.meta.generation !== generation) return undefined
  return { ...row, digest: vault.digest(content) }
}

/** The journal from the head's checkpoint to the head, and past it when the head itself is old. */
async function chainOf(head: Head, vault: Vault, read: ReadRaw): Promise<Chain> {
  const { generation, checkpoint } = head.meta
  const numbers = Array.from({ length: generation - checkpoint + 1 }, (_, i) => checkpoint + i)
  const raw = await read(numbers.map((number) => vault.journalKey(number)))
  const rows = raw.map((bytes, i) => journalRow(vault, checkpoint + i, bytes))
  for (let next = generation + 1; ; next++) {
    const [bytes] = await read([vault.journalKey(next)])
    const row = journalRow(vault, next, bytes)
    if (row === undefined) break
    rows.push(row)
  }
  return link(head, rows, checkpoint)
}

/** The head is unreadable: the journal rows themselves say which is the newest. */
async function chainWithoutHead(store: Store, vault: Vault): Promise<Chain> {
  const gte = vault.own.journalPrefix
  const entries = await store.range({ gte, lt: after(gte) })
  const rows = entries.map(({ key, value }) => journalRow(vault, numberOf(key, gte.length), value))
  const newest = rows.findLast((row) => row !== undefined)
  if (newest === undefined)
    throw new PortError('E_STORE_CORRUPT', 'Neither the head nor the journal of the store can be read.', {
      hint: 'Restore a backup, or link this device again.',
      detail: { table: 'journal' },
    })
  const { checkpoint } = newest.meta
  const span = Array.from({ length: newest.meta.generation - checkpoint + 1 }, (_, i) =>
    rows.find((row) => row?.meta.generation === checkpoint + i),
  )
  return { ...link({ meta: newest.meta, digest: newest.digest }, span, checkpoint), broken: true }
}

function link(head: Head, rows: readonly (JournalRow | undefined)[], checkpoint: number): Chain {
  const good = rows.filter((row) => row !== undefined)
  const newest = good.at(-1)
  const ahead = newest !== undefined && newest.meta.generation > head.meta.generation
  const end: Head = ahead ? { meta: newest.meta, digest: newest.digest } : head
  const atHead = rows[head.meta.generation - checkpoint]
  const linked = good.every(
    (row, i) =>
      i === 0 || !follows(good[i - 1], row) || equalBytes(row.previous, good[i - 1]?.digest ?? row.previous),
  )
  const intact = good.length === rows.length && atHead !== undefined && equalBytes(atHead.digest, head.digest)
  return {
    head: end,
    rows: good,
    present: rows.map((_, i) => checkpoint + i),
    damaged: rows.length - good.length,
    broken: !intact || !linked || ahead,
  }
}

const follows = (a: JournalRow | undefined, b: JournalRow): boolean =>
  a?.meta.generation === b.meta.generation - 1

/** Builds the manifest from the root the chain names and what was journalled since. */
async function manifestOf(chain: Chain, vault: Vault, read: ReadRaw): Promise<Manifest> {
  const roots = vault.rootKeys(chain.head.meta.checkpoint)
  const raw = await read(roots)
  for (const [i, key] of roots.entries()) {
    const sealed = raw[i]
    const content = vault.openOwn(key, sealed === 'damaged' ? undefined : sealed)
    if (content === undefined) continue
    const tables = decodeRoot(content)
    const digest = vault.digest(content).subarray(0, sumBytes)
    if (tables === undefined || !equalBytes(digest, chain.head.meta.rootDigest)) continue
    const manifest = new Manifest(vault, tables)
    for (const row of chain.rows)
      if (row.meta.generation > chain.head.meta.checkpoint) manifest.apply(row.entries)
    return manifest
  }
  throw new PortError('E_STORE_CORRUPT', 'The list of tables of the store cannot be read.', {
    hint: 'Restore a backup, or link this device again.',
    detail: { table: 'root' },
  })
}

/** Compares the head with the copy of the counter outside. */
function doubtOf({ meta, digest }: Head, mark: Mark | undefined): Doubt {
  if (mark === undefined) return 'unmarked'
  if (mark.durable > meta.generation) return 'rolled-back'
  if (mark.generation === meta.generation && !equalBytes(mark.digest, digest)) return 'rolled-back'
  if (mark.generation > meta.generation) return 'truncated'
  return meta.clean && mark.generation === meta.generation ? null : 'unclean'
}

/** The first key past every key that starts with `prefix`. */
export function after(prefix: Uint8Array): Uint8Array {
  const end = prefix.slice()
  for (let i = end.length - 1; i >= 0; i--) {
    end[i] = ((end[i] ?? 0) + 1) & 255
    if (end[i] !== 0) return end
  }
  return everything.lt
}

function numberOf(key: Uint8Array, from: number): number {
  let value = 0
  for (let i = from; i < key.length; i++) value = value * 256 + (key[i] ?? 0)
  return value
}

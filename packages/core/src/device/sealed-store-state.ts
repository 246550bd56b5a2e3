import { PortError } from '../errors.ts'
import type { Store, StoreEntry, StoreOp } from '../ports/index.ts'
import { concat, equalBytes } from '../wire/index.ts'
import {
  decodeRow,
  encodeHead,
  encodeJournal,
  encodeMark,
  encodeRow,
  noTotals,
  sameTotals,
  sumBytes,
  xor,
  type Doubt,
  type Entry,
  type Meta,
  type Totals,
} from './sealed-store-codec.ts'
import { text, type Manifest, type ReadRaw } from './sealed-store-manifest.ts'
import { after, rawReader, type Found } from './sealed-store-open.ts'
import {
  corrupt,
  type CommitOptions,
  type Damage,
  type DamageReason,
  type Row,
  type SealedStore,
  type Table,
  type Write,
} from './sealed-store-types.ts'
import { generationOf, tagOf, type Address, type Vault } from './sealed-store-vault.ts'

interface Parts {
  readonly store: Store
  readonly vault: Vault
  readonly found: Found
  readonly checkpointEvery: number
}

type Raw = Uint8Array | undefined | 'damaged'
/** A row's content, that there is none, or why it cannot be had. */
type Judged = Row | undefined | DamageReason

/** One step of the journal: what it writes beside its own rows, and what it says of the store. */
interface Step {
  readonly ops: readonly StoreOp[]
  /** Keys that are of no use once the head is written. */
  readonly obsolete?: readonly Uint8Array[]
  readonly entries: readonly Entry[]
  readonly durable: boolean
  readonly clean?: boolean
  readonly settlesDoubt?: boolean
  readonly root?: Uint8Array
}

/** What every step carries on from the one before. */
interface Tip {
  readonly generation: number
  readonly digest: Uint8Array
  readonly checkpoint: number
  readonly rootDigest: Uint8Array
  readonly pending: Doubt
  readonly head: Uint8Array | undefined
}

/** An open sealed store: one writer, any number of readers. */
export class SealedRows implements SealedStore {
  readonly #store: Store
  readonly #vault: Vault
  readonly #manifest: Manifest
  readonly #read: ReadRaw
  readonly #checkpointEvery: number
  readonly #found: Found
  readonly #damaged = new Map<string, { table: string; reason: DamageReason; keys: Set<string> }>()
  readonly boot: number
  readonly doubt: Doubt
  readonly previousOpenMs: number | undefined
  #tip: Tip
  #durable = 0
  #openedAtMs = 0
  #journal: number[]
  #state: 'open' | 'uncertain' | 'failed' | 'closed' = 'open'
  #queue: Promise<unknown> = Promise.resolve()
  #markDirty = false
  #marking: Promise<void> | undefined

  constructor({ store, vault, found, checkpointEvery }: Parts) {
    this.#store = store
    this.#vault = vault
    this.#manifest = found.manifest
    this.#read = rawReader(store)
    this.#checkpointEvery = checkpointEvery
    this.#found = found
    this.#journal = [...found.journal]
    this.boot = found.boot + 1
    this.doubt = found.doubt
    this.previousOpenMs = found.meta?.openedAtMs
    this.#tip = {
      generation: found.generation,
      digest: found.digest,
      checkpoint: found.meta?.checkpoint ?? 0,
      rootDigest: found.meta?.rootDigest ?? new Uint8Array(sumBytes),
      pending: found.doubt,
      head: undefined,
    }
    if (found.damagedJournalRows > 0) this.#note('journal', 'corrupt', String(found.damagedJournalRows))
  }

  get generation(): number {
    return this.#tip.generation
  }

  get damaged(): readonly Damage[] {
    return [...this.#damaged.values()].map(({ table, reason, keys }) => ({ table, reason, rows: keys.size }))
  }

  /** Makes the new boot number durable. A journal that does not simply go on is begun anew by a checkpoint. */
  async start(nowMs: number): Promise<void> {
    this.#openedAtMs = nowMs
    const { meta, writeFormat, generation, doubt } = this.#found
    const ops: StoreOp[] = []
    if (writeFormat) ops.push({ type: 'put', key: this.#vault.own.format, value: this.#vault.formatRow() })
    const goesOn = meta !== undefined && generation === meta.generation && doubt !== 'broken'
    if (goesOn) await this.#advance({ ops, entries: [], durable: true })
    else await this.#checkpoint(ops, true)
    await this.#marking
  }

  async get(table: Table, key: Uint8Array): Promise<Uint8Array | undefined> {
    const [row] = await this.#lookup(table, [key])
    if (typeof row === 'string') throw corrupt(table.name, row)
    return row?.value
  }

  async getMany(
    table: Table,
    keys: readonly Uint8Array[],
  ): Promise<readonly (Uint8Array | undefined | 'damaged')[]> {
    const rows = await this.#lookup(table, keys)
    return rows.map((row) => (typeof row === 'string' ? 'damaged' : row?.value))
  }

  async list(table: Table, { skipDamaged = false } = {}): Promise<readonly Row[]> {
    return this.#exclusive(async () => {
      this.#checkOpen()
      const found = table.kind === 'mutable' ? await this.#listMutable(table) : await this.#listAppend(table)
      for (const [reason, keys] of found.damages) for (const key of keys) this.#note(table.name, reason, key)
      const [first] = found.damages
      if (first !== undefined && !skipDamaged) throw corrupt(table.name, first[0], first[1].length)
      return found.rows
    })
  }

  count(table: Table): number {
    return this.#manifest.totals(this.#vault.tablePrefix(table.name)).count
  }

  async commit(writes: readonly Write[], options: CommitOptions): Promise<void> {
    await this.#exclusive(async () => {
      await this.#checkWritable()
      const { ops, entries } = await this.#prepare(writes)
      await this.#advance({ ops, entries, ...options })
    })
    if (this.#tip.generation - this.#tip.checkpoint >= this.#checkpointEvery) this.#checkpointSoon()
  }

  async close(): Promise<void> {
    await this.#exclusive(async () => {
      if (this.#state === 'closed') return
      if (this.#state === 'open')
        await this.#advance({ ops: [], entries: [], durable: true, clean: true }).catch(() => undefined)
      this.#state = 'closed'
      await this.#marking
      this.#vault.wipe()
      await this.#store.close()
    })
  }

  /** Runs one task at a time; a task's failure is its caller's alone. */
  #exclusive<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#queue.then(task)
    this.#queue = run.catch(() => undefined)
    return run
  }

  /** Seals the writes and says what the journal is to hold of them. */
  async #prepare(writes: readonly Write[]): Promise<{ ops: StoreOp[]; entries: Entry[] }> {
    const last = new Map<string, { address: Address; write: Write }>()
    for (const write of writes) {
      const address = this.#vault.address(write.table.name, write.key)
      last.set(text(address.dbKey), { address, write })
    }
    const ops: StoreOp[] = []
    const entries: Entry[] = []
    const totals = new Map<string, { table: Uint8Array; totals: Totals }>()
    const gone = await this.#absentAppendRows([...last.values()])
    for (const [id, { address, write }] of last) {
      const op = this.#sealWrite(address, write, ops.length)
      ops.push(op)
      if (write.table.kind === 'mutable') entries.push(entryOf(address, op))
      else if (!gone.has(id)) count(totals, address, op, this.#manifest.totals(address.table))
    }
    for (const changed of totals.values()) entries.push({ type: 'totals', ...changed })
    return { ops, entries }
  }

  /** Append rows that are to be deleted but do not exist, and so change no count. */
  async #absentAppendRows(writes: readonly { address: Address; write: Write }[]): Promise<Set<string>> {
    const deletions = writes.filter(({ write }) => write.table.kind === 'append' && write.value === null)
    if (deletions.length === 0) return new Set()
    const raw = await this.#read(deletions.map(({ address }) => address.dbKey))
    const absent = deletions.filter((_, i) => raw[i] === undefined)
    return new Set(absent.map(({ address }) => text(address.dbKey)))
  }

  #sealWrite({ dbKey }: Address, { key, value }: Write, index: number): StoreOp {
    if (value === null) return { type: 'del', key: dbKey }
    const content = encodeRow(key, value)
    const sealed = this.#vault.sealRow(dbKey, this.#tip.generation + 1, index, content)
    content.fill(0)
    return { type: 'put', key: dbKey, value: sealed }
  }

  /** Writes one generation: the given rows, the journal row that names them and the head, as one batch. */
  async #advance(step: Step): Promise<void> {
    const { ops, obsolete = [], entries, durable, clean = false, settlesDoubt = false, root } = step
    const generation = this.#tip.generation + 1
    const meta: Meta = {
      generation,
      boot: this.boot,
      clean,
      pending: settlesDoubt ? null : this.#tip.pending,
      checkpoint: root === undefined ? this.#tip.checkpoint : generation,
      rootDigest: root === undefined ? this.#tip.rootDigest : this.#vault.digest(root).slice(0, sumBytes),
      openedAtMs: this.#openedAtMs,
    }
    const journal = encodeJournal(meta, this.#tip.digest, entries)
    const digest = this.#vault.digest(journal)
    const journalKey = this.#vault.journalKey(generation)
    const head = this.#vault.sealOwn(this.#vault.own.head, encodeHead(meta, digest))
    await this.#write(
      [
        ...ops,
        { type: 'put', key: journalKey, value: this.#vault.sealOwn(journalKey, journal) },
        { type: 'put', key: this.#vault.own.head, value: head },
        ...obsolete.map((key): StoreOp => ({ type: 'del', key })),
      ],
      durable,
    )
    this.#manifest.apply(entries)
    if (settlesDoubt) this.#manifest.settleLostPages()
    this.#journal.push(generation)
    this.#tip = { ...meta, digest, head }
    if (durable) this.#durable = generation
    this.#markDirty = true
    this.#marking ??= this.#writeMarks()
  }

  async #write(ops: readonly StoreOp[], durable: boolean): Promise<void> {
    try {
      await this.#store.batch(ops, { durable })
    } catch (error) {
      const full = error instanceof PortError && error.code === 'E_STORE_FULL'
      this.#state = full ? 'uncertain' : 'failed'
      this.#vault.renewEra()
      throw error
    }
  }

  /** Folds the journal into the manifest's pages and begins it anew. */
  async #checkpoint(more: readonly StoreOp[], durable: boolean): Promise<void> {
    const plan = await this.#manifest.checkpoint(this.#read)
    const roots = this.#vault
      .rootKeys(this.#tip.generation + 1)
      .map((key): StoreOp => ({ type: 'put', key, value: this.#vault.sealOwn(key, plan.root) }))
    const obsolete = [
      ...this.#journal.map((number) => this.#vault.journalKey(number)),
      ...this.#vault.rootKeys(this.#tip.checkpoint),
    ]
    const ops = [...more, ...plan.ops, ...roots]
    await this.#advance({ ops, obsolete, entries: [], durable, root: plan.root })
    plan.apply()
    this.#journal = [this.#tip.generation]
  }

  /** A checkpoint that fails is tried again after a later commit. */
  #checkpointSoon(): void {
    void this.#exclusive(async () => {
      if (this.#state !== 'open' || this.#tip.generation - this.#tip.checkpoint < this.#checkpointEvery)
        return
      await this.#checkpoint([], false)
    }).catch(() => undefined)
  }

  /** Keeps the outside copy of the counter at most one write behind; losing one costs a false doubt only. */
  async #writeMarks(): Promise<void> {
    while (this.#markDirty) {
      this.#markDirty = false
      const { generation, digest } = this.#tip
      const mark = encodeMark({ generation, durable: this.#durable, boot: this.boot, digest })
      await this.#store.writeMark(this.#vault.sealMark(mark)).catch(() => undefined)
    }
    this.#marking = undefined
  }

  /** After a full disk: goes on only if the batch that failed left nothing behind. */
  async #checkWritable(): Promise<void> {
    this.#checkOpen()
    if (this.#state === 'uncertain') {
      const [head] = await this.#read([this.#vault.own.head])
      const unchanged =
        head instanceof Uint8Array && this.#tip.head !== undefined && equalBytes(head, this.#tip.head)
      this.#state = unchanged ? 'open' : 'failed'
    }
    if (this.#state === 'failed')
      throw new PortError('E_STORE_IO', 'An earlier write failed, so nothing more is written.', {
        hint: 'Check the disk, then start Sotto again.',
      })
  }

  #checkOpen(): void {
    if (this.#state === 'closed') throw new PortError('E_STORE_CLOSED', 'The store is closed.')
  }

  /** Reads and judges rows; what looks wrong is looked at again while no commit is under way. */
  async #lookup(table: Table, keys: readonly Uint8Array[]): Promise<readonly Judged[]> {
    this.#checkOpen()
    const addresses = keys.map((key) => this.#vault.address(table.name, key))
    const seen = await this.#lookAt(table, addresses)
    const suspects = addresses.filter((_, i) => typeof seen[i] === 'string')
    if (suspects.length === 0) return seen
    const again = await this.#exclusive(async () => {
      this.#checkOpen()
      return this.#lookAt(table, suspects)
    })
    const verdicts = new Map(suspects.map((address, i) => [address, again[i]]))
    for (const [address, verdict] of verdicts)
      if (typeof verdict === 'string') this.#note(table.name, verdict, text(address.dbKey))
    return addresses.map((address, i) => (verdicts.has(address) ? verdicts.get(address) : seen[i]))
  }

  async #lookAt(table: Table, addresses: readonly Address[]): Promise<readonly Judged[]> {
    const pages = table.kind === 'mutable' ? this.#pagesFor(addresses) : []
    const raw = await this.#read([...addresses.map(({ dbKey }) => dbKey), ...pages])
    for (const [i, page] of pages.entries()) this.#manifest.offer(page, raw[addresses.length + i])
    return addresses.map((address, i) => this.#judge(table, address, raw[i]))
  }

  /** Pages of the manifest that must be read to judge these rows. */
  #pagesFor(addresses: readonly Address[]): Uint8Array[] {
    const pages = new Map<string, Uint8Array>()
    for (const address of addresses) {
      const expected = this.#manifest.expected(address)
      if (expected.known || this.#manifest.inPage(address, expected.pageKey) !== undefined) continue
      pages.set(text(expected.pageKey), expected.pageKey)
    }
    return [...pages.values()]
  }

  #judge(table: Table, address: Address, raw: Raw): Judged {
    if (table.kind === 'append') return this.#open(address.dbKey, raw, undefined)
    const expected = this.#manifest.expected(address)
    const found = expected.known ? expected : this.#manifest.inPage(address, expected.pageKey)
    return found === undefined ? 'unvouched' : this.#open(address.dbKey, raw, found.tag)
  }

  /** Opens a row. `tag`: the version that counts, null for none, undefined when any version does. */
  #open(dbKey: Uint8Array, raw: Raw, tag: Uint8Array | null | undefined): Judged {
    if (raw === undefined) return tag instanceof Uint8Array ? 'missing' : undefined
    const content = raw === 'damaged' ? undefined : this.#vault.openRow(dbKey, raw)
    const row = content && decodeRow(content)
    if (row === undefined || raw === 'damaged') return 'corrupt'
    if (tag === null || generationOf(raw) > this.#tip.generation) return 'unlisted'
    if (tag !== undefined && !equalBytes(tagOf(raw), tag)) return 'stale'
    return row
  }

  async #listMutable(table: Table): Promise<Listing> {
    const prefix = this.#vault.tablePrefix(table.name)
    const { rows: expected, damaged } = await this.#manifest.rows(prefix, this.#read)
    const listed = new Listing()
    const lost = damaged + this.#manifest.lostPages(prefix)
    for (let i = 0; i < lost; i++) listed.damage('unvouched', `page ${i}`)
    const entries = await this.#range(prefix, [...expected.keys()])
    for (const { key, raw } of entries) {
      const row = text(key.subarray(prefix.length))
      const verdict = this.#open(key, raw, expected.get(row) ?? null)
      expected.delete(row)
      if (verdict !== undefined) listed.add(text(key), verdict)
    }
    for (const row of expected.keys()) listed.damage('missing', text(prefix) + row)
    return listed
  }

  async #listAppend(table: Table): Promise<Listing> {
    const prefix = this.#vault.tablePrefix(table.name)
    const listed = new Listing()
    let totals = noTotals
    for (const { key, raw } of await this.#range(prefix)) {
      const verdict = this.#open(key, raw, undefined)
      if (verdict !== undefined) listed.add(text(key), verdict)
      if (typeof verdict !== 'object') continue
      const { secretName } = this.#vault.address(table.name, verdict.key)
      totals = { count: totals.count + 1, sum: xor(totals.sum, secretName) }
    }
    const expected = this.#manifest.totals(prefix)
    if (sameTotals(totals, expected)) return listed
    const corrupted = listed.damages.get('corrupt')?.length ?? 0
    const missing = expected.count - totals.count - corrupted
    if (corrupted > 0 && missing === 0) return listed
    for (let i = 0; i < missing; i++) listed.damage('missing', `missing ${i}`)
    for (let i = 0; i < -missing || (i === 0 && missing === 0); i++)
      listed.damage('unlisted', `unlisted ${i}`)
    return listed
  }

  /** Rows under a prefix; when the disk cannot walk them, the expected ones one by one. */
  async #range(
    prefix: Uint8Array,
    expected?: readonly string[],
  ): Promise<readonly { key: Uint8Array; raw: Raw }[]> {
    try {
      const entries: readonly StoreEntry[] = await this.#store.range({ gte: prefix, lt: after(prefix) })
      return entries.map(({ key, value }) => ({ key, raw: value }))
    } catch (error) {
      if (expected === undefined || !(error instanceof PortError) || error.code !== 'E_STORE_CORRUPT')
        throw error
    }
    const keys = expected.map((row) =>
      concat(
        prefix,
        Uint8Array.from(row, (char) => char.charCodeAt(0)),
      ),
    )
    const raw = await this.#read(keys)
    return keys.flatMap((key, i) => (raw[i] === undefined ? [] : [{ key, raw: raw[i] }]))
  }

  #note(table: string, reason: DamageReason, key: string): void {
    const id = `${table}\n${reason}`
    const known = this.#damaged.get(id) ?? { table, reason, keys: new Set() }
    known.keys.add(key)
    this.#damaged.set(id, known)
  }
}

/** Gathers a table's rows and what is wrong with it. */
class Listing {
  readonly rows: Row[] = []
  readonly damages = new Map<DamageReason, string[]>()

  add(key: string, verdict: Row | DamageReason): void {
    if (typeof verdict === 'string') this.damage(verdict, key)
    else this.rows.push(verdict)
  }

  damage(reason: DamageReason, key: string): void {
    this.damages.set(reason, [...(this.damages.get(reason) ?? []), key])
  }
}

const entryOf = ({ table, row }: Address, op: StoreOp): Entry =>
  op.type === 'put' ? { type: 'put', table, row, tag: tagOf(op.value) } : { type: 'del', table, row }

function count(
  changed: Map<string, { table: Uint8Array; totals: Totals }>,
  { table, secretName }: Address,
  op: StoreOp,
  before: Totals,
): void {
  const { count: rows, sum } = changed.get(text(table))?.totals ?? before
  const totals = { count: rows + (op.type === 'put' ? 1 : -1), sum: xor(sum, secretName) }
  changed.set(text(table), { table, totals })
}

import { idOf } from '../crypto/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { encodeCbor, fromHex, toHex } from '../wire/index.ts'
import type { Crdt, CrdtDocument, CrdtDraft } from './automerge.ts'
import { actorBytes, hashOfChange } from './change.ts'
import { applyIntent, decodeIntent, naturalFields, ownTables } from './intent.ts'

/** An authentic operation that carries an intent. */
export interface IntentOp {
  readonly id: Uint8Array
  /** As `encodeIntent` wrote it, or whatever a peer wrote instead. */
  readonly intent: Uint8Array
  /** Ids of the operations of this document its author saw last. */
  readonly after: readonly Uint8Array[]
}

/** What a natural document says. */
export interface NaturalView {
  readonly title: string
  readonly topic: string
  readonly picture: Uint8Array | null
  /** Hex ids of records. */
  readonly pins: readonly string[]
  readonly note: string
  /** By `readKey`; of concurrent marks the furthest. */
  readonly read: ReadonlyMap<string, number>
  /** Tables of `own`, by hex key. */
  readonly own: Readonly<Record<(typeof ownTables)[number], ReadonlyMap<string, Uint8Array>>>
}

/**
 * A document of values that change (history.md §8): its changes are computed from intents. The change of an
 * operation is a function of the operation and of those before it, so equal sets give equal heads in any order.
 * Whether an operation counts is asked once, when it is folded; when the answer changes the document is made
 * anew. Lives in the library's memory until `free`.
 */
export class NaturalDocument {
  readonly #crypto: CryptoProvider
  readonly #id: Uint8Array
  readonly #counts: (op: IntentOp) => boolean
  readonly #document: CrdtDocument
  readonly #root: Uint8Array
  /** Of each operation taken: the hash of its change, or for a void one the hashes it stands for. */
  readonly #made = new Map<string, readonly Uint8Array[]>()
  readonly #waiting = new Map<string, IntentOp>()

  constructor(crdt: Crdt, crypto: CryptoProvider, id: Uint8Array, counts: (op: IntentOp) => boolean) {
    this.#crypto = crypto
    this.#id = id
    this.#counts = counts
    this.#document = crdt.empty()
    const root = this.#document.changeAt([], this.#actor('root'), openingEdit)
    this.#document.apply([root])
    this.#root = hashOfChange(crypto, root)
  }

  /** Takes operations in any order; one that names another not taken yet waits for it. */
  fold(ops: readonly IntentOp[]): void {
    for (const op of ops) {
      const key = toHex(op.id)
      if (!this.#made.has(key)) this.#waiting.set(key, op)
    }
    const waitsFor = new Map<string, IntentOp[]>()
    const ready: IntentOp[] = []
    for (const op of this.#waiting.values()) this.#file(op, ready, waitsFor)
    for (let op = ready.pop(); op !== undefined; op = ready.pop()) {
      this.#make(op)
      const key = toHex(op.id)
      this.#waiting.delete(key)
      for (const next of waitsFor.get(key) ?? []) this.#file(next, ready, waitsFor)
      waitsFor.delete(key)
    }
  }

  /** Operations that wait for others. */
  get waiting(): number {
    return this.#waiting.size
  }

  heads(): readonly Uint8Array[] {
    return this.#document.heads()
  }

  view(): NaturalView {
    const { read } = this.#document
    const [title, topic] = naturalFields.map((field) => {
      const value = read.all('/', field).at(-1)
      return typeof value === 'string' ? value : ''
    })
    const picture = read.all('/', 'picture').at(-1)
    const marks = read.keys('/read').map((key): [string, number] => {
      const all = read.all('/read', key).map((mark) => (typeof mark === 'number' ? mark : 0))
      return [key, Math.max(0, ...all)]
    })
    const tables = ownTables.map((table) => [
      table,
      new Map(
        read.keys(`/${table}`).flatMap((key): [string, Uint8Array][] => {
          const value = read.all(`/${table}`, key).at(-1)
          return value instanceof Uint8Array ? [[key, value]] : []
        }),
      ),
    ])
    return {
      title: title ?? '',
      topic: topic ?? '',
      picture: picture instanceof Uint8Array ? picture : null,
      pins: read.keys('/pins'),
      note: read.text('/note'),
      read: new Map(marks),
      own: Object.fromEntries(tables) as NaturalView['own'],
    }
  }

  free(): void {
    this.#document.free()
  }

  /** Files the operation under the first one it still lacks, or as ready. */
  #file(op: IntentOp, ready: IntentOp[], waitsFor: Map<string, IntentOp[]>): void {
    const lacking = op.after.map(toHex).find((key) => !this.#made.has(key))
    if (lacking === undefined) return void ready.push(op)
    const others = waitsFor.get(lacking)
    if (others === undefined) waitsFor.set(lacking, [op])
    else others.push(op)
  }

  #make(op: IntentOp): void {
    const heads = new Set(op.after.flatMap((key) => this.#made.get(toHex(key)) ?? []).map(toHex))
    const after = heads.size === 0 ? [this.#root] : [...heads].sort().map(fromHex)
    const key = toHex(op.id)
    if (!this.#counts(op)) {
      this.#made.set(key, after)
      return
    }
    const intent = decodeIntent(op.intent)
    const change = this.#document.changeAt(after, this.#actor(op.id), (draft) => {
      if (intent !== undefined) applyIntent(draft, intent)
    })
    this.#document.apply([change])
    this.#made.set(key, [hashOfChange(this.#crypto, change)])
  }

  #actor(of: Uint8Array | 'root'): Uint8Array {
    return idOf(this.#crypto, 'actor', encodeCbor([this.#id, of])).slice(0, actorBytes)
  }
}

/** The same in every document, so that all tables exist before anybody could make them twice. */
function openingEdit(draft: CrdtDraft): void {
  for (const table of ['pins', 'read', ...ownTables]) draft.makeMap(table)
  draft.makeText('note')
}

import { idOf, sizes } from '../crypto/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import {
  bytes,
  compareBytes,
  encodeCbor,
  equalBytes,
  fields,
  frame,
  idKey,
  nullable,
  uint,
} from '../wire/index.ts'
import type { Cbor } from '../wire/index.ts'
import { actorBytes, hashOfChange, readInsert, writeInsert, writeRoot } from './change.ts'
import type { InsertChange, WrittenChange } from './change.ts'
import { fullOf, leanFields, leanOf, nothingBefore } from './lean.ts'
import { type RecordContent } from './record-frame.ts'
import { encodeRecord, type RecordHeader } from './record.ts'

/**
 * The change of a record is a function of the record, of those it requires, and of whether its device forked
 * there (history.md §7): no change is ever received.
 */

const id = bytes(sizes.hash)

/** What the change graph does not say of a record. `start` opens a device's or branch's changes. */
const valueFrame = frame(
  'segment-value',
  fields({
    ...leanFields,
    bodyCommit: id,
    start: nullable(
      fields({
        account: id,
        device: id,
        aseq: uint(),
        sseq: uint(limits.segmentRecords),
        selfPrev: nullable(id),
      }),
    ),
  }),
  2_048,
)

/** A record's change and where it stands among the changes. */
export interface RecordChange extends WrittenChange {
  readonly header: RecordHeader
  readonly actor: Uint8Array
  readonly seq: number
}

const actorOf = (crypto: CryptoProvider, ...of: readonly Cbor[]): Uint8Array =>
  idOf(crypto, 'actor', encodeCbor(of)).slice(0, actorBytes)

/** The change every document of this segment begins with, and its actor. */
export function segmentRoot(
  crypto: CryptoProvider,
  segment: Uint8Array,
): WrittenChange & { readonly actor: Uint8Array } {
  const actor = actorOf(crypto, segment, 'root')
  return { actor, ...writeRoot(crypto, actor) }
}

/** Records with the same place in their device's chain: two of them are a fork, and each then starts a branch. */
export const placeOf = ({ account, device, sseq, selfPrev }: RecordContent): string =>
  sseq > 1 && selfPrev !== null ? idKey(selfPrev) : `${idKey(account)}/${idKey(device)}`

/**
 * The change of one record. `made` has those it requires; `forked` says that another record has its place.
 */
export function changeOfRecord(
  crypto: CryptoProvider,
  root: WrittenChange & { readonly actor: Uint8Array },
  header: RecordHeader,
  forked: boolean,
  made: (id: Uint8Array) => RecordChange | undefined,
): RecordChange | undefined {
  const { content } = header
  const { account, device, aseq, sseq, selfPrev, segment } = content
  const previous = sseq > 1 && selfPrev !== null ? made(selfPrev) : undefined
  const links = content.refs.map(made)
  if (sseq > 1) links.push(previous)
  const deps: Uint8Array[] = []
  for (const link of links) {
    if (link === undefined) return undefined
    deps.push(link.hash)
  }
  const starts = forked || previous === undefined
  const actor = forked
    ? actorOf(crypto, segment, header.id)
    : (previous?.actor ?? actorOf(crypto, segment, account, device))
  const seq = starts ? 1 : previous.seq + 1
  const value = valueFrame.encode({
    ...leanOf(content, starts ? nothingBefore : previous.header.content),
    bodyCommit: content.bodyCommit,
    start: starts ? { account, device, aseq, sseq, selfPrev } : null,
  })
  const change: InsertChange = {
    actor,
    seq,
    startOp: content.lamport + 1,
    deps: deps.length === 0 ? [root.hash] : deps.sort(compareBytes),
    value,
  }
  return { header, actor, seq, ...writeInsert(crypto, root.actor, change) }
}

/** Writes every record of a segment again from the changes of its document, taken in their order. */
export class ChangeReader {
  readonly #crypto: CryptoProvider
  readonly #place: { readonly conversation: Uint8Array; readonly segment: Uint8Array }
  readonly #root: ReturnType<typeof segmentRoot>
  readonly #rootKey: string
  readonly #byHash = new Map<string, RecordHeader>()
  readonly #newest = new Map<string, { readonly seq: number; readonly header: RecordHeader }>()
  #opened = false

  constructor(crypto: CryptoProvider, conversation: Uint8Array, segment: Uint8Array) {
    this.#crypto = crypto
    this.#place = { conversation, segment }
    this.#root = segmentRoot(crypto, segment)
    this.#rootKey = idKey(this.#root.hash)
  }

  /** Takes the next change; false when it is none this replica would have written there. */
  take(written: Uint8Array): boolean {
    if (!this.#opened) return (this.#opened = equalBytes(written, this.#root.bytes))
    const change = readInsert(this.#root.actor, written)
    if (change === undefined) return false
    const actor = idKey(change.actor)
    const before = change.seq === 1 ? undefined : this.#newest.get(actor)
    if (change.seq > 1 && before?.seq !== change.seq - 1) return false
    const links = this.#linksOf(change)
    const header =
      links === undefined ? undefined : recordOf(this.#crypto, this.#place, change, before?.header, links)
    if (header === undefined) return false
    this.#byHash.set(idKey(hashOfChange(this.#crypto, written)), header)
    this.#newest.set(actor, { seq: change.seq, header })
    return true
  }

  /** What was written again so far. */
  headers(): RecordHeader[] {
    return [...this.#byHash.values()]
  }

  /** Records whose changes this one depends on; none for one that depends on the opening change alone. */
  #linksOf({ deps }: InsertChange): readonly RecordHeader[] | undefined {
    const [only] = deps
    if (deps.length === 1 && only !== undefined && idKey(only) === this.#rootKey) return []
    const links: RecordHeader[] = []
    for (const dep of deps) {
      const link = this.#byHash.get(idKey(dep))
      if (link === undefined) return undefined
      links.push(link)
    }
    return links
  }
}

function recordOf(
  crypto: CryptoProvider,
  place: { readonly conversation: Uint8Array; readonly segment: Uint8Array },
  change: InsertChange,
  before: RecordHeader | undefined,
  links: readonly RecordHeader[],
): RecordHeader | undefined {
  const decoded = valueFrame.decode(change.value)
  if (!decoded.ok) return undefined
  const { start, bodyCommit, ...lean } = decoded.value
  if ((start === null) !== (before !== undefined)) return undefined
  const told = fullOf(lean, before?.content ?? nothingBefore)
  const chain = start ?? next(before)
  if (told === undefined || chain === undefined) return undefined
  const own = chain.sseq > 1 ? chain.selfPrev : null
  const refs = links.map((link) => link.id).filter((link) => own === null || !equalBytes(link, own))
  return encodeRecord(crypto, {
    ...place,
    ...told,
    ...chain,
    bodyCommit,
    refs: refs.sort(compareBytes),
    lamport: change.startOp - 1,
  })
}

function next(before: RecordHeader | undefined) {
  if (before === undefined) return undefined
  const { account, device, aseq, sseq } = before.content
  return { account, device, aseq: aseq + 1, sseq: sseq + 1, selfPrev: before.id }
}

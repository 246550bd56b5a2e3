/** Random segments: several devices, references, forks; and the ways they may reach a replica. */
import { createNodeProvider } from '../../../packages/core/bindings/crypto-node/index.ts'
import type { CryptoProvider, SignKeyPair, Signature } from '../../../packages/core/src/crypto/index.ts'
import {
  emptySegment,
  growSegment,
  issueRecord,
  recordKinds,
  segmentId,
  type Arrival,
  type AuthorOf,
  type RecordContent,
  type RecordHeader,
  type SegmentSet,
} from '../../../packages/core/src/history/index.ts'
import { idKey, toHex, utf8 } from '../../../packages/core/src/wire/index.ts'
import { drawFrom, type Draw } from '../../fuzz/mutator.ts'

export const crypto: CryptoProvider = await createNodeProvider()
export { drawFrom, type Draw }

export const idFor = (name: string): Uint8Array => crypto.sha256(utf8(name))

export interface Writer {
  readonly account: Uint8Array
  readonly device: Uint8Array
  readonly keys: SignKeyPair
}

export interface Written {
  readonly header: RecordHeader
  readonly signature: Signature
  readonly salt: Uint8Array
  readonly body: Uint8Array
}

export const writer = (name: string): Writer => ({
  account: idFor(`account ${name}`),
  device: idFor(`device ${name}`),
  keys: crypto.signKeyPair(idFor(`key ${name}`)),
})

export const writers: readonly Writer[] = ['ann', 'ben', 'cem', 'dora'].map(writer)

/** Every writer of the list is a member; anybody else is none. */
export function membersOnly(members: readonly Writer[] = writers): AuthorOf {
  const byName = new Map(members.map((one) => [idKey(one.account) + idKey(one.device), one]))
  return ({ account, device }) => {
    const member = byName.get(idKey(account) + idKey(device))
    return member === undefined
      ? { standing: 'none' }
      : { standing: 'member', identityKey: member.keys.publicKey }
  }
}

/** Writes one record into a segment; what is not said follows from its links. */
export function write(
  by: Writer,
  place: {
    readonly conversation: Uint8Array
    readonly segment: Uint8Array
    readonly groupHeads?: readonly Uint8Array[]
  },
  after: RecordHeader | undefined,
  refs: readonly RecordHeader[],
  part: Partial<RecordContent> & { readonly text?: string } = {},
): Written {
  const { text = 'text', ...given } = part
  const inside = after !== undefined
  const lamport = 1 + Math.max(0, ...[...refs, ...(inside ? [after] : [])].map((r) => r.content.lamport))
  const salt = idFor(`salt ${text}`)
  const body = utf8(text)
  const { header, carried } = issueRecord(
    crypto,
    by.keys,
    {
      ...place,
      kind: recordKinds.msg,
      account: by.account,
      device: by.device,
      aseq: inside ? after.content.aseq + 1 : 7,
      sseq: inside ? after.content.sseq + 1 : 1,
      selfPrev: inside ? after.id : idFor(`before ${toHex(by.device)}`),
      refs: refs.map((ref) => ref.id),
      xrefs: [],
      groupHeads: place.groupHeads ?? [],
      lamport,
      timestampMs: 1_760_000_000_000,
      ttlMs: null,
      target: null,
      history: 0,
      ...given,
    },
    body,
    salt,
  )
  return { header, signature: carried.signature, salt, body }
}

export interface SegmentOptions {
  readonly count: number
  readonly members?: readonly Writer[]
  /** One in this many records forks from an earlier one of its device; 0 for none. */
  readonly forkOneIn?: number
  readonly conversation?: Uint8Array
  readonly number?: number
  /** Where each device stands before the segment, and after it. */
  readonly aseqs?: Map<string, { aseq: number; id: Uint8Array | null }>
}

/** A segment of records that all obey the rules; forks are equivocation by their device, and obey them too. */
export function randomSegment(draw: Draw, options: SegmentOptions): readonly Written[] {
  const { count, members = writers, forkOneIn = 25, aseqs } = options
  const conversation = options.conversation ?? idFor(`conversation ${draw(1e9)}`)
  const place = { conversation, segment: segmentId(crypto, conversation, options.number ?? 0) }
  const all: Written[] = []
  const chains = new Map<Writer, RecordHeader[]>()
  let timestampMs = 1_760_000_000_000 + draw(1e9)
  for (let i = 0; i < count; i++) {
    const by = members[draw(members.length)]!
    const chain = chains.get(by) ?? []
    const forked = forkOneIn > 0 && chain.length > 1 && draw(forkOneIn) === 0
    const at = forked ? draw(chain.length) : chain.length
    const after = forked ? (at === 0 ? undefined : chain[at - 1]) : chain.at(-1)
    const recent = all.slice(-8).map((one) => one.header)
    const refs = [...new Set(Array.from({ length: draw(3) }, () => recent[draw(recent.length)]))].filter(
      (ref): ref is RecordHeader => ref !== undefined && ref !== after,
    )
    timestampMs += draw(60_000)
    const before = aseqs?.get(toHex(by.device))
    const record = write(by, place, after, refs, {
      text: `${i} of ${forked ? 'a fork' : 'the chain'} ${draw(1e9)}`,
      timestampMs,
      ...(aseqs !== undefined && after === undefined
        ? { aseq: before === undefined ? 0 : before.aseq + 1, selfPrev: before?.id ?? null }
        : {}),
    })
    all.push(record)
    if (forked) chain.length = at
    chain.push(record.header)
    chains.set(by, chain)
    aseqs?.set(toHex(by.device), { aseq: record.header.content.aseq, id: record.header.id })
  }
  return all
}

export function shuffled<T>(draw: Draw, items: readonly T[]): T[] {
  const out = [...items]
  for (let i = out.length - 1; i > 0; i--) {
    const j = draw(i + 1)
    ;[out[i], out[j]] = [out[j]!, out[i]!]
  }
  return out
}

export const arrivalOf = ({ header, signature }: Written): Arrival => ({ header, signature })

/** Feeds arrivals in batches of random size from random carriers. */
export function deliver(
  draw: Draw,
  start: SegmentSet,
  arrivals: readonly Arrival[],
  authorOf: AuthorOf = membersOnly(),
): SegmentSet {
  let set = start
  for (let at = 0; at < arrivals.length;) {
    const size = 1 + draw(draw(3) === 0 ? 40 : 4)
    set = growSegment(crypto, set, `carrier ${draw(3)}`, arrivals.slice(at, at + size), authorOf).set
    at += size
  }
  return set
}

export const emptyFor = ({ header }: Written): SegmentSet =>
  emptySegment(header.content.conversation, header.content.segment)

export const countedIds = (set: SegmentSet): string[] =>
  [...set.counted.values()].map(({ header }) => toHex(header.id)).sort()

import { sizes } from '../crypto/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { bytes, equalBytes, fields, frame, list, literal, nullable, idKey, uint } from '../wire/index.ts'
import type { Infer } from '../wire/index.ts'
import { compareSegment, vectorOf, vectorShape, type Sending, type SyncVector } from './sync-compare.ts'
import { digestOf, inOrder, shortBytes, shortOf } from './sync-summary.ts'
import type { SegmentSummary } from './sync-summary.ts'
import type { CountedRecord } from './segment-set.ts'

const id = bytes(sizes.hash)
const short = bytes(shortBytes)

const askShape = fields({
  version: literal(1),
  conversation: id,
  nonce: short,
  /** Over everything the asker holds and the other side may see. */
  digest: id,
  /** Segments of this depth and above that `vectors` does not list are wanted whole; null: none are. */
  before: nullable(uint()),
  /** Over all segments below `before` that `vectors` does not list; null: those are not compared. */
  older: nullable(short),
  vectors: list(vectorShape, limits.syncSegments),
})

const answerShape = fields({
  version: literal(1),
  nonce: short,
  /** What the answering side has where it lacks something or holds another branch: reason to push. */
  behind: list(vectorShape, limits.syncSegments),
  /** The answering side's segments that were compared as one, each by its digest; null where all agree. */
  older: nullable(list(fields({ segment: id, digest: short }), limits.syncSegments)),
  /** Frames of runs that follow. */
  frames: uint(),
})

/** A question: this I have, send what I lack. */
export type SyncAsk = Infer<typeof askShape>
/** What comes before the runs. */
export type SyncAnswer = Infer<typeof answerShape>

export const syncAskFrame = frame('sync-ask', askShape)
export const syncAnswerFrame = frame('sync-answer', answerShape)

/** One conversation as a replica holds it, seen by one other device. */
export interface SyncSide {
  readonly conversation: Uint8Array
  readonly summaries: readonly SegmentSummary[]
  /** Whether the other device may see the segment. */
  readonly visible: (segment: Uint8Array) => boolean
  /** Records of a segment that count and may be served; read only where something differs. */
  readonly records: (segment: Uint8Array) => readonly CountedRecord[]
}

const visibleOf = (side: SyncSide): readonly SegmentSummary[] =>
  inOrder(side.summaries.filter(({ segment }) => side.visible(segment)))

const olderOf = (crypto: CryptoProvider, nonce: Uint8Array, summaries: readonly SegmentSummary[]) =>
  shortOf(crypto, nonce, ...summaries.map(({ digest }) => digest))

/** How much a question says. */
export type AskDetail =
  /** The digest alone: for who believes to be equal. */
  | { readonly kind: 'digest' }
  /** Vectors of the newest segments, one short value for all below: for who was away. */
  | { readonly kind: 'from'; readonly depth: number }
  /** Vectors of these segments alone: for what an answer showed to differ. */
  | { readonly kind: 'segments'; readonly segments: readonly Uint8Array[] }

/** Asks. `nonce` is 8 bytes nobody could foresee. */
export function askSync(
  crypto: CryptoProvider,
  side: SyncSide,
  nonce: Uint8Array,
  detail: AskDetail,
): SyncAsk {
  const all = visibleOf(side)
  const ask = {
    version: 1 as const,
    conversation: side.conversation,
    nonce,
    digest: digestOf(crypto, all),
    before: null,
    older: null,
    vectors: [],
  }
  switch (detail.kind) {
    case 'digest':
      return ask
    case 'from': {
      const listed = all.filter(({ depth }) => depth >= detail.depth)
      const older = olderOf(
        crypto,
        nonce,
        all.filter(({ depth }) => depth < detail.depth),
      )
      return {
        ...ask,
        before: detail.depth,
        older,
        vectors: listed.map((one) => vectorOf(crypto, nonce, one)),
      }
    }
    case 'segments': {
      const held = new Map(all.map((one) => [idKey(one.segment), one]))
      const vectors = detail.segments.map((segment): SyncVector => {
        const summary = held.get(idKey(segment))
        return summary === undefined ? { segment, devices: [] } : vectorOf(crypto, nonce, summary)
      })
      return { ...ask, vectors: vectors.slice(0, limits.syncSegments) }
    }
  }
}

/** An answer and what to send behind it: `encodeRuns` makes the frames. */
export interface SyncReply {
  readonly behind: readonly SyncVector[]
  readonly older: SyncAnswer['older']
  readonly sendings: readonly Sending[]
}

/** Answers: what the asker lacks, and where this side lacks something itself. */
export function answerSync(crypto: CryptoProvider, side: SyncSide, ask: SyncAsk): SyncReply {
  const all = visibleOf(side)
  if (equalBytes(digestOf(crypto, all), ask.digest)) return { behind: [], older: null, sendings: [] }
  const { nonce } = ask
  const behind: SyncVector[] = []
  const sendings: Sending[] = []
  const listed = new Map(ask.vectors.map((vector) => [idKey(vector.segment), vector]))
  const before = ask.before ?? Infinity
  for (const summary of all) {
    const vector = listed.get(idKey(summary.segment))
    if (vector === undefined && summary.depth < before) continue
    const theirs = vector?.devices ?? []
    const records = () => side.records(summary.segment)
    const compared = compareSegment(crypto, nonce, summary, records, theirs, 'all')
    if (compared.behind.length > 0) behind.push({ segment: summary.segment, devices: compared.behind })
    if (compared.sending.records.length > 0) sendings.push(compared.sending)
  }
  const known = new Set(all.map(({ segment }) => idKey(segment)))
  for (const [hex, { segment, devices }] of listed)
    if (devices.length > 0 && !known.has(hex) && side.visible(segment)) behind.push({ segment, devices: [] })
  const rest = all.filter(({ segment, depth }) => depth < before && !listed.has(idKey(segment)))
  return { behind, older: disagreeing(crypto, ask, rest), sendings }
}

/** Segments to be listed: all that were compared as one and do not agree. */
function disagreeing(
  crypto: CryptoProvider,
  ask: SyncAsk,
  rest: readonly SegmentSummary[],
): SyncAnswer['older'] {
  const onlyDigest = ask.older === null && ask.vectors.length === 0
  if (ask.older === null ? !onlyDigest : equalBytes(ask.older, olderOf(crypto, ask.nonce, rest))) return null
  return rest
    .toReversed()
    .slice(0, limits.syncSegments)
    .map(({ segment, digest }) => ({ segment, digest: shortOf(crypto, ask.nonce, digest) }))
}

/** Segments to ask about next: of those compared as one, where the sides hold other records or one holds none. */
export function differing(
  crypto: CryptoProvider,
  side: SyncSide,
  ask: SyncAsk,
  older: SyncAnswer['older'],
): readonly Uint8Array[] {
  if (older === null) return []
  const theirs = new Map(older.map(({ segment, digest }) => [idKey(segment), digest]))
  const listed = new Set(ask.vectors.map(({ segment }) => idKey(segment)))
  const compared = visibleOf(side).filter(
    ({ segment, depth }) => depth < (ask.before ?? Infinity) && !listed.has(idKey(segment)),
  )
  const held = new Set(compared.map(({ segment }) => idKey(segment)))
  const other = compared.filter(({ segment, digest }) => {
    const their = theirs.get(idKey(segment))
    return their === undefined || !equalBytes(shortOf(crypto, ask.nonce, digest), their)
  })
  const unknown = older.filter(({ segment }) => !held.has(idKey(segment)))
  return [...other, ...unknown].map(({ segment }) => segment)
}

/** What to push, of where an answer said that its side is behind. */
export function pushFor(
  crypto: CryptoProvider,
  side: SyncSide,
  nonce: Uint8Array,
  behind: SyncAnswer['behind'],
): readonly Sending[] {
  const held = new Map(visibleOf(side).map((summary) => [idKey(summary.segment), summary]))
  return behind.flatMap(({ segment, devices }) => {
    const summary = held.get(idKey(segment))
    if (summary === undefined) return []
    const records = () => side.records(segment)
    const others = devices.length === 0 ? 'all' : 'listed'
    const { sending } = compareSegment(crypto, nonce, summary, records, devices, others)
    return sending.records.length > 0 ? [sending] : []
  })
}

import type { CryptoProvider, SignPublicKey } from '../crypto/index.ts'
import { accepted, held, rejected } from '../errors.ts'
import type { Verdict } from '../errors.ts'
import { limits } from '../limits.ts'
import { compareBytes, equalBytes } from '../wire/index.ts'
import { opensCommitment, readRecord, recordKinds, verifyRecord } from './record.ts'
import type { CarriedRecord, RecordContent, RecordHeader } from './record.ts'

/** What admission asks about a record already held. */
export interface LinkedRecord {
  readonly segment: Uint8Array
  readonly account: Uint8Array
  readonly device: Uint8Array
  readonly aseq: number
  readonly sseq: number
  readonly lamport: number
}

/** Where the record came from and what is known around it. */
export interface AdmissionContext {
  readonly conversation: Uint8Array
  readonly account: Uint8Array
  readonly device: Uint8Array
  /** Identity key of the device the record names, from its certificate. */
  readonly identityKey: SignPublicKey
  /** Number of the segment this id stands for, if it may exist yet. */
  readonly segmentNumber: (segment: Uint8Array) => number | undefined
  /** A held record by id. */
  readonly linked: (id: Uint8Array) => LinkedRecord | undefined
}

/** Why a record was refused; the same for every replica that has the same links. */
export type RecordRefusal =
  | 'malformed'
  | 'wrong-conversation'
  | 'wrong-author'
  | 'bad-signature'
  | 'bad-commitment'
  | 'bad-links'
  | 'bad-counter'
  | 'bad-lamport'
  | 'unknown-segment'

/** A record that counts: authentic, with everything it stands on held. */
export interface AdmittedRecord {
  readonly header: RecordHeader
  readonly segmentNumber: number
}

/**
 * Judges one carried record by itself and its links alone, so that neither the order of arrival nor today's
 * view changes the verdict. Held when a link it requires has not arrived.
 */
export function admitRecord(
  crypto: CryptoProvider,
  carried: CarriedRecord,
  context: AdmissionContext,
): Verdict<AdmittedRecord, RecordRefusal> {
  const header = readRecord(crypto, carried.bytes)
  if (header === undefined) return rejected('malformed')
  const { content } = header
  if (!equalBytes(content.conversation, context.conversation)) return rejected('wrong-conversation')
  if (!equalBytes(content.account, context.account) || !equalBytes(content.device, context.device))
    return rejected('wrong-author')
  if (!linksWellFormed(content)) return rejected('bad-links')
  if (!verifyRecord(crypto, context.identityKey, header, carried.signature)) return rejected('bad-signature')
  if (!opensCommitment(crypto, header, carried.salt, carried.body)) return rejected('bad-commitment')
  const segmentNumber = context.segmentNumber(content.segment)
  if (segmentNumber === undefined) return rejected('unknown-segment')
  return judgeLinks(header, segmentNumber, context)
}

function linksWellFormed(content: RecordContent): boolean {
  const { refs, xrefs, selfPrev } = content
  if (content.kind !== recordKinds.msg || content.sseq < 1) return false
  if (refs.length + xrefs.length > limits.recordLinks || content.groupHeads.length > 0) return false
  if (content.aseq === 0 ? selfPrev !== null : false) return false
  if (content.sseq > 1 && selfPrev === null) return false
  const ascending = (ids: readonly Uint8Array[]): boolean =>
    ids.every((item, i) => i === 0 || compareBytes(ids[i - 1] ?? item, item) < 0)
  return (
    ascending(refs) && ascending(xrefs) && !refs.some((ref) => selfPrev !== null && equalBytes(ref, selfPrev))
  )
}

function judgeLinks(
  header: RecordHeader,
  segmentNumber: number,
  context: AdmissionContext,
): Verdict<AdmittedRecord, RecordRefusal> {
  const { content } = header
  let lamport = 0
  for (const ref of content.refs) {
    const linked = context.linked(ref)
    if (linked === undefined) return held('record')
    if (!equalBytes(linked.segment, content.segment)) return rejected('bad-links')
    lamport = Math.max(lamport, linked.lamport)
  }
  if (content.sseq > 1 && content.selfPrev !== null) {
    const previous = context.linked(content.selfPrev)
    if (previous === undefined) return held('record')
    const verdict = continues(content, previous)
    if (verdict !== undefined) return rejected(verdict)
    lamport = Math.max(lamport, previous.lamport)
  }
  return content.lamport === lamport + 1 ? accepted({ header, segmentNumber }) : rejected('bad-lamport')
}

function continues(content: RecordContent, previous: LinkedRecord): RecordRefusal | undefined {
  if (!equalBytes(previous.device, content.device) || !equalBytes(previous.account, content.account))
    return 'bad-links'
  if (!equalBytes(previous.segment, content.segment)) return 'bad-links'
  return previous.sseq + 1 === content.sseq && previous.aseq + 1 === content.aseq ? undefined : 'bad-counter'
}

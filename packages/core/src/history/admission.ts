import type { CryptoProvider, SignPublicKey } from '../crypto/index.ts'
import { accepted, held, rejected } from '../errors.ts'
import type { Verdict } from '../errors.ts'
import { equalBytes } from '../wire/index.ts'
import { judgeLinks, linksWellFormed, requiredLinks, type LinkedRecord, type LinkRefusal } from './links.ts'
import { opensCommitment, readRecord, verifyRecord } from './record.ts'
import type { IncomingRecord, RecordHeader } from './record.ts'

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
  | LinkRefusal
  | 'unknown-segment'

/** A record that counts: authentic, with everything it stands on held. */
export interface AdmittedRecord {
  readonly header: RecordHeader
  readonly segmentNumber: number
}

/**
 * Judges one record by itself and its links alone, so that neither the order of arrival nor today's
 * view changes the verdict. Held when a link it requires has not arrived.
 */
export function admitRecord(
  crypto: CryptoProvider,
  carried: IncomingRecord,
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
  const { said } = carried
  if (said !== null && !opensCommitment(crypto, header, said.salt, said.body))
    return rejected('bad-commitment')
  const segmentNumber = context.segmentNumber(content.segment)
  if (segmentNumber === undefined) return rejected('unknown-segment')
  return judge(header, segmentNumber, context)
}

function judge(
  header: RecordHeader,
  segmentNumber: number,
  context: AdmissionContext,
): Verdict<AdmittedRecord, RecordRefusal> {
  const refusal = judgeLinks(header.content, requiredLinks(header.content).map(context.linked))
  if (refusal === 'missing') return held('record')
  return refusal === undefined ? accepted({ header, segmentNumber }) : rejected(refusal)
}

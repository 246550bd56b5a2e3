import { signRecord, type IncomingRecord } from '../history/index.ts'
import type { Step } from './context.ts'
import { requireMe } from './me.ts'
import { ownRecordKey } from './records.ts'
import { findRecord, undamaged } from './segments.ts'
import { bodyRows, ownRecordRows } from './tables.ts'

/** An own record ready to travel; undefined when the store lost it. */
export async function ownRecord(
  step: Step,
  conversation: Uint8Array,
  aseq: number,
): Promise<IncomingRecord | undefined> {
  const id = await undamaged(step.tx.load(ownRecordRows, ownRecordKey(conversation, aseq)))
  const found = id === undefined ? undefined : await findRecord(step, id)
  if (id === undefined || found === undefined) return undefined
  const body = await undamaged(step.tx.load(bodyRows, id))
  const { header } = found
  // A file keeps the signatures of tips alone; signing again gives the same bytes (RFC 8032 §5.1.6).
  const signature = found.signature ?? signRecord(step.context.crypto, requireMe(step).identity, header)
  return { bytes: header.bytes, signature, said: body?.said ?? null }
}

import type { IncomingRecord } from '../history/index.ts'
import { PortError } from '../errors.ts'
import type { Step } from './context.ts'
import { ownRecordKey } from './records.ts'
import { bodyRows, ownRecordRows, recordRows } from './tables.ts'

/** An own record ready to travel; undefined when the store lost it. */
export async function ownRecord(
  step: Step,
  conversation: Uint8Array,
  aseq: number,
): Promise<IncomingRecord | undefined> {
  const id = await lost(step.tx.load(ownRecordRows, ownRecordKey(conversation, aseq)))
  if (id === undefined) return undefined
  const row = await lost(step.tx.load(recordRows, id))
  const body = await lost(step.tx.load(bodyRows, id))
  if (row?.signature === null || row === undefined) return undefined
  return { bytes: row.bytes, signature: row.signature, said: body ?? null }
}

/** A damaged row counts as one that is not there: the rest goes on. */
const lost = <T>(row: Promise<T>): Promise<T | undefined> =>
  row.catch((error: unknown) => {
    if (error instanceof PortError && error.code === 'E_STORE_CORRUPT') return undefined
    throw error
  })

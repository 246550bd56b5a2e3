import { decodeBody, fitsTimer } from './body.ts'
import { inShownOrder, type RecordAbout } from './view.ts'

/**
 * The life a new message of a direct conversation is given, in milliseconds, or null: the last timer by position
 * that counts and can be read. In a group it is the policy's.
 */
export function standingTimer(records: readonly RecordAbout[]): number | null {
  for (const { header, body, counts } of inShownOrder(records).toReversed()) {
    const said = body === null || !counts ? undefined : decodeBody(header.content.kind, body)
    if (said?.kind === 'timer' && (said.ms === null || fitsTimer(said.ms))) return said.ms
  }
  return null
}

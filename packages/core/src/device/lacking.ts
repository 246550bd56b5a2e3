import { equalBytes, fromHex, idHex, toHex } from '../wire/index.ts'
import { limits } from '../limits.ts'
import type { Step } from './context.ts'
import { activeRemotes, findRemote, putConversation, withRemote } from './conversations.ts'
import { requireMe } from './me.ts'
import { segmentKey } from './row.ts'
import {
  bodyRows,
  conversationRows,
  lackingRows,
  placeRows,
  type Conversation,
  type Lacking,
  type Place,
} from './tables.ts'
import { wakeAt } from './timers.ts'

/**
 * Which records came without their bodies: as many as one question asks for, of a segment. Bodies follow their records
 * in the same answer, so more are never under way.
 */

/** Notes that a record is held without its body; `owed`: see there. */
export function noteLacking(
  step: Step,
  { conversation, segment }: Pick<Place, 'conversation' | 'segment'>,
  id: Uint8Array,
  owed: Lacking['owed'] = null,
): void {
  const key = segmentKey(conversation, segment)
  const row = step.tx.get(lackingRows, key)
  if (row?.records.some((one) => equalBytes(one.id, id)) === true) return
  const full =
    row === undefined
      ? step.tx.all(lackingRows).length >= limits.lackingSegments
      : row.records.length >= limits.syncBodies
  if (full) return step.context.log.event('body-not-noted')
  const records = [...(row?.records ?? []), { id, owed }]
  step.tx.put(lackingRows, key, { conversation, segment, records })
}

/** Its author may still have the body and is told that the record came only once the body is here; null: is told now. */
export function noteOwed(
  step: Step,
  conversation: Uint8Array,
  segment: number,
  id: Uint8Array,
  owed: { readonly device: Uint8Array; readonly aseq: number } | null,
): void {
  const key = segmentKey(conversation, segment)
  const row = step.tx.get(lackingRows, key)
  if (row === undefined) return
  const records = row.records.map((one) => (equalBytes(one.id, id) ? { id, owed } : one))
  step.tx.put(lackingRows, key, { ...row, records })
}

/** Numbers of a device's records that are here, and whose bodies it still has to send. */
export const owedBy = (step: Step, conversation: Uint8Array, device: Uint8Array): readonly number[] =>
  step.tx
    .all(lackingRows)
    .filter((row) => equalBytes(row.conversation, conversation))
    .flatMap(({ records }) => records)
    .flatMap(({ owed }) => (owed !== null && equalBytes(owed.device, device) ? [owed.aseq] : []))

/** Notes that a body came, or is wanted no more; its author is told. */
export function noteHad(step: Step, conversation: Uint8Array, segment: number, id: Uint8Array): void {
  const key = segmentKey(conversation, segment)
  const row = step.tx.get(lackingRows, key)
  const had = row?.records.find((one) => equalBytes(one.id, id))
  if (row === undefined || had === undefined) return
  const records = row.records.filter((one) => one !== had)
  if (records.length === 0) step.tx.delete(lackingRows, key)
  else step.tx.put(lackingRows, key, { ...row, records })
  if (had.owed !== null) tellHad(step, conversation, had.owed.device)
}

function tellHad(step: Step, conversation: Uint8Array, device: Uint8Array): void {
  const known = step.tx.get(conversationRows, conversation)
  const author = known === undefined ? undefined : findRemote(known, device)
  if (known !== undefined && author !== undefined)
    putConversation(step, withRemote(known, { ...author, gotDue: true }))
}

const lackingOf = (step: Step, { conversation, segment }: Place, id: Uint8Array): Lacking | undefined =>
  step.tx.get(lackingRows, segmentKey(conversation, segment))?.records.find((one) => equalBytes(one.id, id))

/** Whether a body that is lacking was here before: what it says was told then. */
export const wasHere = (step: Step, place: Place, id: Uint8Array): boolean => {
  const owed = lackingOf(step, place, id)?.owed ?? null
  return owed !== null && equalBytes(owed.device, requireMe(step).self.device)
}

/** Notes that the body of a record, which lies there, is damaged here, or went and is needed again. */
export function noteSpoilt(step: Step, id: Uint8Array, place: Place): void {
  const { spoilt } = step.context.live
  if (spoilt.size >= limits.syncBodies || lackingOf(step, place, id) !== undefined) return
  spoilt.set(toHex(id), place)
  wakeAt(step, step.monoMs)
}

/** Damaged bodies go, and are lacking from now on: this device owes itself what was here. */
export function dropSpoilt(step: Step): void {
  const { spoilt } = step.context.live
  const { device } = requireMe(step).self
  for (const [name, place] of spoilt) {
    const id = fromHex(name)
    step.tx.delete(bodyRows, id)
    step.tx.put(placeRows, id, place)
    noteLacking(step, place, id, { device, aseq: 0 })
  }
  spoilt.clear()
}

/** Why a text is not here: somebody may still have it, or all who take part were asked and do not. */
export function whyLacking(step: Step, conversation: Conversation): 'asked-for' | 'nobody-has-it' {
  const asked = step.context.live.wants.get(idHex(conversation.conversation))?.asked
  const all = activeRemotes(conversation).every(({ device }) => asked?.get(idHex(device)) === true)
  return all ? 'nobody-has-it' : 'asked-for'
}

import { verifyRecord, type RecordHeader } from '../history/index.ts'
import { limits } from '../limits.ts'
import { fromHex, idHex } from '../wire/index.ts'
import type { Signature } from '../crypto/index.ts'
import { answerWith } from './extras.ts'
import type { PeerLink, Step } from './context.ts'
import { conversationNow, findRemote, remoteOf } from './conversations.ts'
import { linkTo } from './lookup.ts'
import { ownRecord } from './own-records.ts'
import { requireMe } from './me.ts'
import type { PayloadItem } from './payload.ts'
import { findRecord } from './segments.ts'
import { conversationRows, type Conversation, type Peer, type Remote } from './tables.ts'
import { wakeAt } from './timers.ts'

type GotItem = Extract<PayloadItem, { readonly kind: 'got' }>

/**
 * Shows a device the newest record of its own that is held here: its signature is the proof that the device wrote
 * more, or other things, than it knows of.
 */
export async function showNewest(step: Step, conversation: Conversation, author: Peer): Promise<void> {
  const { last } = remoteOf(conversationNow(step, conversation), author)
  const found = last === null ? undefined : await findRecord(step, last.id)
  if (found === undefined || found.signature === null) return
  const record = { bytes: found.header.bytes, signature: found.signature, said: null }
  answerWith(step, linkTo(step, author.device), { kind: 'records', from: 0, records: [record] })
}

/**
 * A device takes for missing what was never for it: it is told from where on this one's words are. Nobody acknowledges
 * that, so it is said again a few times, with growing pauses, until it names none of these any more; not more often, for
 * it goes on naming what it holds without a body.
 */
export async function noteMissed(
  step: Step,
  conversation: Conversation,
  reader: Peer,
  { holes, last }: Pick<GotItem, 'holes' | 'last'>,
): Promise<void> {
  const { from } = remoteOf(conversation, reader)
  const { fromTold } = linkTo(step, reader.device)
  const key = idHex(conversation.conversation)
  if (holes.every((hole) => hole >= from)) {
    fromTold.delete(key)
    return
  }
  if (fromTold.get(key)?.from === from || !(await tellFrom(step, conversation, reader, last))) return
  fromTold.set(key, { from, last, times: 1, againMs: againAt(step, 1) })
}

const againAt = (step: Step, times: number): number => {
  const atMs = step.monoMs + limits.fromAgainMs * 2 ** (times - 1)
  wakeAt(step, atMs)
  return atMs
}

/** Says again what a device was told of that and seems not to have heard. */
export async function tendMissed(step: Step, reader: Peer, { fromTold }: PeerLink): Promise<void> {
  for (const [key, told] of fromTold) {
    if (told.times >= limits.fromTimes) continue
    if (step.monoMs < told.againMs) {
      wakeAt(step, told.againMs)
      continue
    }
    const conversation = step.tx.get(conversationRows, fromHex(key))
    const isSaid = conversation !== undefined && (await tellFrom(step, conversation, reader, told.last))
    if (isSaid) fromTold.set(key, { ...told, times: told.times + 1, againMs: againAt(step, told.times + 1) })
    else fromTold.delete(key)
  }
}

/**
 * Tells a device from where on this one's words are for it, beside the newest of them: it has that from somebody else,
 * and takes all before for missing. Where none of them is for it, beside the one it names, `last`, without the body.
 * Whoever is out is told nothing. Whether it was told.
 */
async function tellFrom(
  step: Step,
  conversation: Conversation,
  reader: Peer,
  last: Remote['last'],
): Promise<boolean> {
  const { active, from, got } = remoteOf(conversation, reader)
  const isFor = got.upTo > from
  const aseq = isFor ? got.upTo - 1 : last?.aseq
  if (!active || aseq === undefined) return false
  const record = await ownRecord(step, conversation.conversation, aseq)
  if (record === undefined) return false
  const records = [isFor ? record : { ...record, said: null }]
  answerWith(step, linkTo(step, reader.device), { kind: 'records', from, records })
  return true
}

/** Whether somebody in its conversation shows a record that this device signed. */
export function isShown(step: Step, by: Peer, header: RecordHeader, signature: Signature): boolean {
  const known = step.tx.get(conversationRows, header.content.conversation)
  if (known === undefined || findRemote(known, by.device) === undefined) return false
  return verifyRecord(step.context.crypto, requireMe(step).identity.publicKey, header, signature)
}

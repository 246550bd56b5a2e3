import { verifyRecord, type RecordHeader } from '../history/index.ts'
import { idHex } from '../wire/index.ts'
import type { Signature } from '../crypto/index.ts'
import { answerWith } from './extras.ts'
import type { Step } from './context.ts'
import { conversationNow, findRemote, remoteOf } from './conversations.ts'
import { linkTo } from './lookup.ts'
import { ownRecord } from './own-records.ts'
import { requireMe } from './me.ts'
import { findRecord } from './segments.ts'
import { conversationRows, type Conversation, type Peer, type Remote } from './tables.ts'

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
 * Tells a device from where on this one's words are for it, beside the newest of them: it has that from somebody else,
 * and takes all before for missing. Where none of them is for it, beside the one it names, `last`, without the body.
 * Whoever is out is told nothing.
 */
export async function tellFrom(
  step: Step,
  conversation: Conversation,
  reader: Peer,
  last: Remote['last'],
): Promise<void> {
  const { active, from, got } = remoteOf(conversation, reader)
  const link = linkTo(step, reader.device)
  const key = idHex(conversation.conversation)
  const isFor = got.upTo > from
  const aseq = isFor ? got.upTo - 1 : last?.aseq
  // Once: it goes on naming what it holds without a body.
  if (!active || link.fromTold.get(key) === from || aseq === undefined) return
  const record = await ownRecord(step, conversation.conversation, aseq)
  if (record === undefined) return
  link.fromTold.set(key, from)
  answerWith(step, link, { kind: 'records', from, records: [isFor ? record : { ...record, said: null }] })
}

/** Whether somebody in its conversation shows a record that this device signed. */
export function isShown(step: Step, by: Peer, header: RecordHeader, signature: Signature): boolean {
  const known = step.tx.get(conversationRows, header.content.conversation)
  if (known === undefined || findRemote(known, by.device) === undefined) return false
  return verifyRecord(step.context.crypto, requireMe(step).identity.publicKey, header, signature)
}

import { acknowledge } from '../history/index.ts'
import { limits } from '../limits.ts'
import { idHex } from '../wire/index.ts'
import type { PeerLink, Step } from './context.ts'
import { remoteOf } from './conversations.ts'
import { seedItems } from './epochs.ts'
import { weightOf } from './extras.ts'
import { owedBy } from './lacking.ts'
import { requireMe } from './me.ts'
import type { PayloadItem } from './payload.ts'
import type { Conversation, Peer } from './tables.ts'

/** Bytes of answers and seeds in one frame: by themselves, and beside records or the state of a conversation. */
export const smallRoom = { alone: 40 * 1024, beside: 10 * 1024 }

/** The first ones that fit. */
function fitting(items: readonly PayloadItem[], room: number): PayloadItem[] {
  let left = room
  return items.slice(0, limits.payloadItems / 4).filter((item) => (left -= weightOf(item)) >= 0)
}

/** Acknowledgements and answers: what is small, and owed no answer itself. The conversations it spoke of. */
export function smallTalk(
  step: Step,
  peer: Peer,
  talks: readonly Conversation[],
  link: PeerLink,
  room: number = smallRoom.alone,
): { readonly items: readonly PayloadItem[]; readonly said: readonly Conversation[] } {
  const { self } = requireMe(step)
  const items = fitting([...link.extras, ...seedItems(step, peer)], room)
  const said: Conversation[] = []
  if (peer.cardDue > 0) items.push({ kind: 'cardGot', seq: peer.cardDue })
  for (const talk of talks) {
    if (items.length > limits.payloadItems / 2) break
    const remote = remoteOf(talk, peer)
    const { conversation } = talk
    const about = { conversation, account: peer.account, device: peer.device }
    const before = items.length
    if (remote.gotDue) {
      const held = acknowledge(remote.received, 64, owedBy(step, conversation, peer.device))
      items.push({ kind: 'got', ...about, ...held, last: remote.last })
    }
    if (self.readReceipts && remote.seenUpTo > remote.seenTold)
      items.push({ kind: 'read', ...about, upTo: remote.seenUpTo })
    const seeded = link.seedAcks.size === 0 ? undefined : link.seedAcks.get(idHex(conversation))
    if (seeded !== undefined) items.push({ kind: 'seedAck', conversation, epoch: seeded })
    const digest = link.groupGots.size === 0 ? undefined : link.groupGots.get(idHex(conversation))
    if (digest !== undefined) items.push({ kind: 'groupGot', conversation, digest })
    if (items.length > before) said.push(talk)
  }
  return { items, said }
}

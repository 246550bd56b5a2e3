import { toBase32 } from '../wire/index.ts'
import type { Step } from './context.ts'
import { emit } from './events.ts'
import { putConversation } from './conversations.ts'
import { limits } from '../limits.ts'
import type { Payload } from './payload.ts'
import { peerRows, type Conversation, type Peer } from './tables.ts'
import { warn } from './warnings.ts'

/**
 * Boot numbers only grow. A peer whose number fell runs on an older copy of its home; a peer that has seen a
 * higher one of ours tells us that we do. Either way the session is made anew before the next send.
 */
export function noteBoot(step: Step, peer: Peer, payload: Payload): Peer {
  if (payload.bootSeen > step.context.boot) ownRollback(step)
  const behind = payload.boot < peer.boot
  if (behind && payload.boot !== peer.bootNow)
    emit(step, { type: 'device', accountId: toBase32(peer.account), change: 'rolled-back' })
  const renew = peer.renew || (behind && payload.boot !== peer.bootNow)
  return { ...peer, boot: Math.max(peer.boot, payload.boot), bootNow: payload.boot, renew }
}

/** This home is an older copy of itself: say so, and send nothing more under the sessions it holds. */
export function ownRollback(step: Step): void {
  warn(
    step,
    'E_STORE_ROLLED_BACK',
    'This home was restored from an older copy. Messages sent since are kept by your contacts.',
  )
  for (const peer of step.tx.all(peerRows)) step.tx.put(peerRows, peer.device, { ...peer, renew: true })
}

/** A peer holds records of ours that this home does not know of: it is an older copy. */
const jumpLimit = 1_000_000

/** Goes on behind what the peer holds, in a new segment, so that no record of ours is written twice. */
export function resumeAfter(step: Step, conversation: Conversation, upTo: number): void {
  if (upTo - conversation.aseq > jumpLimit) return step.context.log.event('got-beyond')
  ownRollback(step)
  putConversation(step, {
    ...conversation,
    aseq: upTo,
    segmentCount: limits.segmentRecords,
    sseq: limits.segmentRecords,
  })
}

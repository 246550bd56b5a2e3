import { directConversationId, nothingReceived, segmentId } from '../history/index.ts'
import type { AccountId, DeviceId } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { requireMe } from './me.ts'
import { conversationRows, type Conversation, type Remote } from './tables.ts'

/** The direct conversation with an account, made when there is none. */
export function conversationWith(step: Step, account: AccountId): Conversation {
  const conversation = directConversationId(step.context.crypto, requireMe(step).self.account, account)
  const known = step.tx.get(conversationRows, conversation)
  if (known !== undefined) return known
  const fresh: Conversation = {
    conversation,
    account,
    segment: 0,
    segmentCount: 0,
    aseq: 0,
    sseq: 0,
    selfPrev: null,
    selfLamport: 0,
    tips: [],
    pages: 0,
    count: 0,
    unread: 0,
    lastMs: step.nowMs,
    remotes: [],
  }
  step.tx.put(conversationRows, conversation, fresh)
  return fresh
}

/** What is known of a contact's device in a conversation. */
export const remoteOf = (conversation: Conversation, device: DeviceId): Remote =>
  conversation.remotes.find((remote) => equalBytes(remote.device, device)) ?? {
    device,
    received: nothingReceived,
    got: { upTo: 0, holes: [] },
    readUpTo: 0,
    seenUpTo: 0,
    seenTold: 0,
    sealedUpTo: 0,
    gotBoot: 0,
    gotAtMs: 0,
    gotDue: false,
  }

/** The conversation with one remote replaced. */
export const withRemote = (conversation: Conversation, remote: Remote): Conversation => ({
  ...conversation,
  remotes: [
    ...conversation.remotes.filter((other) => !equalBytes(other.device, remote.device)),
    remote,
  ].slice(-limits.activeDevices),
})

export const putConversation = (step: Step, conversation: Conversation): void =>
  step.tx.put(conversationRows, conversation.conversation, conversation)

/**
 * Number of a segment by its id: one that exists here, or the next, which its author opened. Ids are hashes,
 * so the numbers are found by computing them.
 */
export function segmentNumber(
  step: Step,
  conversation: Conversation,
  segment: Uint8Array,
): number | undefined {
  const { crypto, live } = step.context
  const key = toHex(conversation.conversation)
  const known = live.segments.get(key) ?? new Map<string, number>()
  live.segments.set(key, known)
  for (let n = known.size; n <= conversation.segment + 1; n++)
    known.set(toHex(segmentId(crypto, conversation.conversation, n)), n)
  return known.get(toHex(segment))
}

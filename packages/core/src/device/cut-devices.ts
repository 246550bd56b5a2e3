import type { DeviceId } from '../identity/index.ts'
import { toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { isTalkedWith } from './contacts.ts'
import { conversationNow } from './conversations.ts'
import { ownCuts, removedHere, unheardOf } from './cuts.ts'
import { opsCame } from './group-arrival.ts'
import { tellAll } from './group-exchange.ts'
import { addOwnOp, admitWaiting, pinnedHeads } from './group-ops.ts'
import { lostOps, membershipOf, takesPart } from './groups.ts'
import { requireMe } from './me.ts'
import { conversationRows, type Conversation } from './tables.ts'

/**
 * Writes down how far the words of this account's removed devices reach in a conversation. Of one that never wrote
 * there nothing is named, so nothing counts that it may have written unseen. `going` is the one that is put out now.
 */
export async function writeCut(
  step: Step,
  conversation: Conversation,
  going: DeviceId | null = null,
): Promise<void> {
  if (!takesPart(step, conversation) || lostOps(step, conversation) > 0) return
  await admitWaiting(step, conversation)
  const before = membershipOf(step, conversation)
  const { self } = requireMe(step)
  const args = {
    kind: 'deviceset',
    account: self.account,
    heads: pinnedHeads(step, self.account),
    last: ownCuts(step, conversation, going),
  } as const
  await opsCame(step, conversation, before, [addOwnOp(step, conversation, args)])
}

/**
 * Says of the devices this one put out that they say nothing in conversations which came to be known here only since:
 * nobody else does, for whoever let such a device speak there did not know that it was out.
 */
export async function cutUnheard(step: Step): Promise<void> {
  if (removedHere(step).length === 0) return
  const { cutsSaid, logsVersion } = step.context.live
  for (const conversation of step.tx.all(conversationRows)) {
    const key = toHex(conversation.conversation)
    if (cutsSaid.get(key) === logsVersion || !mayCut(step, conversation)) continue
    if (unheardOf(step, conversation).size > 0) {
      await writeCut(step, conversation)
      tellAll(step, conversation)
    }
    cutsSaid.set(key, logsVersion)
  }
}

/** Whether a word on devices means anything in a conversation: this account takes part, and the person has agreed to it. */
const mayCut = (step: Step, before: Conversation): boolean => {
  const conversation = conversationNow(step, before)
  const { account } = conversation
  return (
    takesPart(step, conversation) &&
    lostOps(step, conversation) === 0 &&
    (account === null || isTalkedWith(step, conversation, account))
  )
}

import type { RecordContent, RecordHeader } from '../history/index.ts'
import type { AccountId, DeviceAddress } from '../identity/index.ts'
import { isSpokenOf, mayCount } from '../group/index.ts'
import { idHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { isGroup, isTorn, membershipOf, membershipThen } from './groups.ts'
import { activeDevice, storedLog } from './logs.ts'
import type { Conversation } from './tables.ts'

/** Where the author of a record stood when it wrote it. */

/**
 * Whether the author was in at the heads the record cites: fixed for ever, once they are known, and once the account
 * of a device that is out has said how far its words reach.
 */
export function standingAt(
  step: Step,
  conversation: Conversation,
  content: RecordContent,
): 'yes' | 'no' | 'unknown' {
  if (isTorn(step, conversation)) return 'unknown'
  const then = membershipThen(step, conversation, content.groupHeads)
  if (then === undefined || isOutUnjudged(step, conversation, content)) return 'unknown'
  const account = idHex(content.account)
  if (!then.members.has(account)) return 'no'
  const state = then.accounts.get(account)
  if (state === undefined) return isGroup(conversation) ? 'no' : 'yes'
  return state.active.has(idHex(content.device)) ? 'yes' : 'no'
}

/**
 * Whether a device that is none of a group's here was one at the heads its record cites: it came, unheard of, while its
 * account was being put out.
 */
export const wasIn = (step: Step, conversation: Conversation, content: RecordContent): boolean =>
  isGroup(conversation) && standingAt(step, conversation, content) === 'yes'

/**
 * Whether a device is out and no operation of the conversation says how far its words reach: what it wrote waits for
 * that. What had come before goes on counting.
 */
export function isOutUnjudged(step: Step, conversation: Conversation, content: RecordContent): boolean {
  const log = storedLog(step, content.account as AccountId)
  if (log === undefined || activeDevice(step, log, content.device) !== undefined) return false
  return !isSpokenOf(membershipOf(step, conversation), authorOf(content))
}

/**
 * Whether a record is by a device that was out when it wrote it, by its account's word: it counts for nothing, and what
 * it stands on may have been taken by nobody, so it is not waited for.
 */
export const isPast = (step: Step, conversation: Conversation, { content }: RecordHeader): boolean =>
  !mayCount(membershipOf(step, conversation), authorOf(content), content.aseq)

const authorOf = ({ account, device }: RecordContent) => ({ account, device }) as DeviceAddress

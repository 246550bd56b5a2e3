import type { Member, Membership, MembershipOp } from '../group/index.ts'
import { equalBytes, idHex, toBase32 } from '../wire/index.ts'
import { note } from './audit.ts'
import type { Step } from './context.ts'
import { activeRemotes, conversationNow } from './conversations.ts'
import { emit } from './events.ts'
import { opsCame } from './group-arrival.ts'
import { tellAll } from './group-exchange.ts'
import { giveUpLost, lostOps, membershipOf } from './groups.ts'
import { requireMe } from './me.ts'
import { conversationRows, opRows, type Conversation, type Peer } from './tables.ts'
import { clearWarning, warn } from './warnings.ts'

/**
 * Membership operations that were lost here, with a row of the store. It is said once; every device of the conversation
 * is told what is here, and so says what is not. Until it came again who is spoken with stays as it was, nothing is
 * written, nothing is forgotten by rule, and records of others wait.
 *
 * ```
 *   whole ── a row is gone ──► torn ── all came again, or nobody who takes part has more ──► whole
 * ```
 */

const code = 'E_MEMBERSHIP_DAMAGED'

/** Finds conversations whose rows are fewer than were written, once after the home was opened. */
export function findTorn(step: Step): void {
  const rows = new Map<string, number>()
  for (const { conversation } of step.tx.all(opRows)) {
    const key = idHex(conversation)
    rows.set(key, (rows.get(key) ?? 0) + 1)
  }
  for (const conversation of step.tx.all(conversationRows))
    if ((rows.get(idHex(conversation.conversation)) ?? 0) < conversation.opCount) lostOps(step, conversation)
}

/** Says what was lost, and asks for it. */
export async function tendTorn(step: Step): Promise<void> {
  for (const one of step.context.live.torn.values()) {
    const conversation = step.tx.get(conversationRows, one.conversation)
    if (one.said || conversation === undefined) continue
    one.said = true
    step.context.log.event('membership-torn')
    warn(
      step,
      code,
      'What says who is in a conversation was damaged on this disk. It is asked for again from the others in it.',
    )
    line(step, conversation, 'membership-damaged', `${lostOps(step, conversation)}`)
    emit(step, { type: 'group', conversationId: toBase32(conversation.conversation) })
    tellAll(step, conversation)
    if (activeRemotes(conversation).length === 0) await goOnWithout(step, conversation)
  }
}

const line = (step: Step, { conversation }: Conversation, kind: string, detail: string): void => {
  const subject = requireMe(step).self.account
  note(step, { conversation, kind, by: null, subject, device: null, detail })
}

/** Operations came to a conversation of which some had been lost. */
export async function lostCame(
  step: Step,
  before: Conversation,
  added: readonly MembershipOp[],
): Promise<void> {
  if (lostOps(step, before) > 0) return
  await becomeWhole(step, before, added, 'membership-repaired')
}

/** A device has nothing that is not here. Once that is so of all who take part, what was lost is lost. */
export async function noteEqual(step: Step, conversation: Conversation, { device }: Peer): Promise<void> {
  const torn = step.context.live.torn.get(idHex(conversation.conversation))
  if (torn === undefined) return
  torn.equal.add(idHex(device))
  if (activeRemotes(conversation).every((remote) => torn.equal.has(idHex(remote.device))))
    await goOnWithout(step, conversation)
}

async function goOnWithout(step: Step, conversation: Conversation): Promise<void> {
  giveUpLost(step, conversation)
  await becomeWhole(step, conversation, [], 'membership-lost')
}

async function becomeWhole(
  step: Step,
  before: Conversation,
  added: readonly MembershipOp[],
  kind: string,
): Promise<void> {
  const { torn } = step.context.live
  torn.delete(idHex(before.conversation))
  const conversation = conversationNow(step, before)
  await opsCame(step, conversation, asItWas(step, conversation), added)
  line(step, conversation, kind, '')
  if (torn.size === 0) clearWarning(step, code)
}

/**
 * What was known before the loss, as far as it shows in who was spoken with: whoever is in now and was not is told as
 * new, and whoever was and is not as gone. How conflicts were resolved was told then.
 */
function asItWas(step: Step, conversation: Conversation): Membership {
  const now = membershipOf(step, conversation)
  const { self } = requireMe(step)
  const known = new Map<string, Member>()
  for (const { account, active } of conversation.remotes)
    if (active)
      known.set(idHex(account), {
        ...{ account, role: 'member', via: 'grant' },
        ...{ grant: null, joined: null, by: null, sinceMs: null },
      })
  const members = [...now.members].filter(
    ([key, { account }]) => known.has(key) || equalBytes(account, self.account),
  )
  return { ...now, members: new Map([...known, ...members]) }
}
